"""Pages of lists: where one begins (after a cursor's row, or after a number of rows), and whether another follows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.web import cursors
from agentmessage.web.types import CursorText, Page, Request, error_text

R = TypeVar("R")
T = TypeVar("T")

MAX_OFFSET = 1_000_000


class OffsetQuery(Request, frozen=True):
    """Paging of lists that take a cursor or an offset, but not both."""

    cursor: CursorText | UnsetType = UNSET
    offset: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=MAX_OFFSET,
                description="Rows to skip; not together with `cursor`.",
                extra=error_text(f"must be an integer, 0..{MAX_OFFSET}"),
            ),
        ]
        | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 20


class PageStart(Struct, frozen=True):
    """The row that a page goes on from; None: the page begins the list."""

    at: datetime | None = None
    id: UUID | None = None


class PageWindow(Struct, frozen=True):
    """The rows after `start`, without the first `offset` ones.

    `is_counted`: the caller pages by number, so the page tells the real total. Otherwise it is 0, as the reference
    prints it: counting a tenant's rows would make the first page cost more than any other.
    """

    start: PageStart
    offset: int
    is_counted: bool


def start_of(cursor: str | UnsetType) -> PageStart:
    """Where the page of a cursor begins. Raises ValidationFailed for a foreign one."""
    if cursor is UNSET:
        return PageStart()
    position = cursors.decode_row(cursor)
    return PageStart(position.at, position.id)


def window(query: OffsetQuery) -> PageWindow:
    """Where the page begins. Raises ValidationFailed for a foreign cursor, or for one beside an offset."""
    if query.cursor is not UNSET and query.offset is not UNSET:
        raise ValidationFailed({"offset": "must not be given with cursor"})
    is_counted = query.cursor is UNSET and query.offset is not UNSET
    return PageWindow(start_of(query.cursor), query.offset or 0, is_counted=is_counted)


def lookahead(limit: int) -> int:
    """How many rows to read for `page_of`: the one beyond the page says whether another page follows."""
    return limit + 1


def page_of(
    rows: Sequence[R],
    limit: int,
    *,
    show: Callable[[R], T],
    key: Callable[[R], tuple[datetime, object]],
    total: int = 0,
    offset: int = 0,
    last_event_at: datetime | None = None,
) -> Page[T]:
    """The page that shows the first `limit` rows. `key` is the time and id of a row, which its cursor holds."""
    shown = rows[:limit]
    next_cursor = cursors.encode(*key(shown[-1])) if len(rows) > limit else None
    return Page([show(row) for row in shown], limit, next_cursor, total, offset, last_event_at)
