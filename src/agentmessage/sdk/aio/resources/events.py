"""The operations of `client.events`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Request
from agentmessage.sdk.aio.event_stream import AsyncEventMethods
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.models.events import Event, EventOrder, EventOrderWord
from agentmessage.sdk.models.shared import EventType, EventTypeWord


class AsyncEventsOperations(AsyncEventMethods):
    """The operations of `client.events`."""

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        type: EventType | EventTypeWord | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        order: EventOrder | EventOrderWord | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
    ) -> AsyncPage[Event]:
        """List what happened, oldest first unless order=desc, or follow it.

        With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that begins where the list would
        and goes on with what happens next. The header `Last-Event-ID: evt_…` resumes behind an event without loss, in
        the stream and in the list; it wins over `cursor`. A stream is always oldest first; a key may have 100 open at
        once, an organization 200. Events are kept for 90 days.

        - `order`: `asc` unless given.
        - `limit`: 1 to 200, 50 unless given.

        Scope: `events:read`. Raises ValidationFailedError, RateLimitedError.
        """
        return await self._page(
            Event,
            Request(
                "GET",
                "/v1/events",
                query={"cursor": cursor, "type": type, "since": since, "order": order, "limit": limit},
            ),
        )
