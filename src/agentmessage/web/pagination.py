"""Where a page of a newest-first list begins: behind a cursor, or after so many rows."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.web import cursors
from agentmessage.web.types import CursorText, Request, must

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
                extra=must(f"must be an integer, 0..{MAX_OFFSET}"),
            ),
        ]
        | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=must("must be an integer, 1..100"))] = 20


class Window(Struct, frozen=True):
    """The rows older than a place (all of them when it is None), without the first `offset` ones.

    `is_counted`: the caller pages by number, so the answer tells the real total. Otherwise it is
    0, as the reference prints it: counting a tenant's rows would make the first page cost more than any other.
    """

    before_at: datetime | None
    before_id: UUID | None
    offset: int
    is_counted: bool


def window(query: OffsetQuery) -> Window:
    """Where the page begins. Raises ValidationFailed for a foreign cursor, or for one beside an offset."""
    if query.cursor is UNSET:
        return Window(None, None, query.offset or 0, is_counted=query.offset is not UNSET)
    if query.offset is not UNSET:
        raise ValidationFailed({"offset": "must not be given with cursor"})
    place = cursors.decode_row(query.cursor)
    return Window(place.at, place.id, 0, is_counted=False)
