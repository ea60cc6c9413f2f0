"""A fact on the wire: the same body in lists, in the stream and in webhooks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from agentmessage.events.model import API_VERSION, ID_PREFIX, PAGE_DEFAULT, PAGE_MAX
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.queries import Event
from agentmessage.web.types import CursorText, Request, Resource, Utc, error_text


class EventResource(Resource, frozen=True):
    """One fact. `data` is the resource as it was at that moment."""

    id: Annotated[str, Meta(examples=["evt_01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11"])]
    type: EventType
    api_version: str
    created_at: datetime
    org_id: UUID
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "EventResource":
        """A stored fact as its organization sees it."""
        return cls(
            ID_PREFIX + str(event.id),
            EventType(event.type),
            API_VERSION,
            event.created_at,
            event.org_id,
            event.data,
        )

    def frame(self) -> bytes:
        """The fact as a Server-Sent Event (HTML Living Standard, 9.2.5); our JSON has no line break, so one `data`."""
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (
            self.id.encode(),
            self.type.value.encode(),
            msgspec.json.encode(self),
        )


class EventOrder(StrEnum):
    """Which end of the list comes first."""

    OLDEST_FIRST = "asc"
    NEWEST_FIRST = "desc"


class EventQuery(Request, frozen=True):
    """Which events to list or stream: after a cursor, of one type, not before an instant."""

    cursor: CursorText | UnsetType = UNSET
    type: Annotated[EventType, Meta(extra=error_text("must be an event type"))] | UnsetType = UNSET
    since: Utc | UnsetType = UNSET
    order: Annotated[EventOrder, Meta(extra=error_text("must be asc or desc"))] = EventOrder.OLDEST_FIRST
    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX, extra=error_text(f"must be an integer, 1..{PAGE_MAX}"))] = (
        PAGE_DEFAULT
    )
