"""One page of a list: what it shows, and whether another follows."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec import UNSET

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.web.cursors import decode_row
from agentmessage.web.pagination import OffsetQuery, PageStart, lookahead, page_of, start_of, window

NOON = datetime(2026, 4, 26, 12, tzinfo=UTC)
ROWS = [(NOON - timedelta(minutes=n), UUID(int=n)) for n in range(5)]


def test_a_page_shows_its_limit_and_its_cursor_names_the_last_row_shown() -> None:
    page = page_of(ROWS[: lookahead(3)], 3, show=lambda row: row[1].int, key=lambda row: row)

    assert page.items == [0, 1, 2]
    assert page.next_cursor is not None
    assert decode_row(page.next_cursor).id == ROWS[2][1]
    assert start_of(page.next_cursor) == PageStart(*ROWS[2])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_page_that_reads_no_row_beyond_its_limit_is_the_last(count: int) -> None:
    page = page_of(ROWS[:count], 3, show=lambda row: row[1].int, key=lambda row: row, total=7, offset=2)

    assert (len(page.items), page.next_cursor, page.total, page.offset) == (count, None, 7, 2)


def test_a_list_begins_at_its_first_row_without_a_cursor() -> None:
    assert start_of(UNSET) == PageStart(None, None)


def test_only_a_caller_who_pages_by_offset_is_told_the_total() -> None:
    cursor = page_of(ROWS, 3, show=lambda row: row, key=lambda row: row).next_cursor
    assert cursor is not None

    assert [window(OffsetQuery(offset=0)).is_counted, window(OffsetQuery()).is_counted] == [True, False]
    assert window(OffsetQuery(cursor=cursor)).is_counted is False
    with pytest.raises(ValidationFailed):
        window(OffsetQuery(cursor=cursor, offset=0))
