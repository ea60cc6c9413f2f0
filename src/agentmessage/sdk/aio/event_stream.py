"""The event stream: it reconnects and resumes after a lost connection."""

import asyncio
import random
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Self

import httpx2
import msgspec
from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Request
from agentmessage.sdk._retries import MAX_RETRY_AFTER_S, RETRYABLE_STATUSES, pause_s
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.aio.transport import AsyncTransport, failure
from agentmessage.sdk.exceptions import APIError, InvalidResponseError
from agentmessage.sdk.models import Event, EventType, EventTypeWord

EVENTS = "/v1/events"
EVENT_STREAM = "text/event-stream"
SILENCE_S = 45.0
"""The platform sends at least a comment every 15 s; after three times that the connection is considered lost."""

_EVENT = msgspec.json.Decoder(Event)


class AsyncEventStream:
    """Every event once, oldest first, until it is closed. Use a `with` block if you may stop early.

    After a lost connection the stream resumes after the last event: no event is lost or repeated. Raises APIError for
    an error response, and APIConnectionError if the first connection fails; later connections are retried forever.
    """

    def __init__(
        self, transport: AsyncTransport, request: Request, *, last_event_id: str | None, is_from_now: bool
    ) -> None:
        self.last_event_id = last_event_id
        """The id of the last event returned. Pass it as `last_event_id` to resume later."""
        self._transport = transport
        self._request = request
        self._is_from_now = is_from_now
        self._was_connected = False
        self._asked_at = monotonic()
        self._events = self._follow()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._events.aclose()

    async def _follow(self) -> AsyncGenerator[Event, None]:
        if self._is_from_now:
            await self._begin_now()
        breaks = 0
        while True:
            asked_for_s = 0.0
            try:
                async with self._transport.stream(self._next_request()) as response:
                    _require_stream(response)
                    self._was_connected = True
                    async for sent in httpx2.EventSource(response):
                        breaks = 0
                        if sent.data:
                            event = _read(sent.data, response)
                            self.last_event_id = event.id
                            yield event
            except APIError as refusal:
                if refusal.status not in RETRYABLE_STATUSES or self._is_hopeless(breaks):
                    raise
                asked_for_s = min(refusal.retry_after_s or 0.0, MAX_RETRY_AFTER_S)
            except httpx2.RequestError as error:
                if self._is_hopeless(breaks):
                    raise failure(error, tries=breaks + 1) from error
            await asyncio.sleep(asked_for_s + pause_s(breaks, random.random()))  # noqa: S311 - jitter, not a secret
            breaks += 1

    async def _begin_now(self) -> None:
        """Begin at the second in which the stream was asked for, by the platform's own clock."""
        response = await self._transport.send(Request("GET", EVENTS, query={"limit": 1}))
        response.require_success()
        present = response.http.served_at
        since = UNSET if present is None else present - timedelta(seconds=monotonic() - self._asked_at)
        self._request = msgspec.structs.replace(self._request, query={**self._request.query, "since": since})

    def _next_request(self) -> Request:
        place = {} if self.last_event_id is None else {"Last-Event-ID": self.last_event_id}
        return msgspec.structs.replace(self._request, headers={"Accept": EVENT_STREAM, **place})

    def _is_hopeless(self, breaks: int) -> bool:
        return not self._was_connected and breaks >= self._transport.configuration.max_retries


class AsyncEventMethods(AsyncResource):
    """Operations on events that take more than one request."""

    def stream(
        self,
        *,
        type: EventType | EventTypeWord | UnsetType = UNSET,  # noqa: A002 - as the contract calls it
        since: datetime | UnsetType = UNSET,
        last_event_id: str | None = None,
        from_now: bool = False,
    ) -> AsyncEventStream:
        """Stream the organization's events.

        It starts with the oldest stored event (90 days), with the first at or after `since`, or after `last_event_id`.
        `from_now` skips events from before the current second.

        Scope: `events:read`. Raises ValidationFailedError.
        """
        request = Request("GET", EVENTS, query={"type": type, "since": since}, timeout_s=SILENCE_S)
        return AsyncEventStream(self._transport, request, last_event_id=last_event_id, is_from_now=from_now)


def _require_stream(response: httpx2.Response) -> None:
    if not response.headers.get("content-type", "").lower().startswith(EVENT_STREAM):
        raise _unreadable("The response is not an event stream.", response)


def _read(data: str, response: httpx2.Response) -> Event:
    try:
        return _EVENT.decode(data)
    except msgspec.DecodeError as error:
        raise _unreadable(f"An event of the stream cannot be parsed: {error}.", response) from error


def _unreadable(words: str, response: httpx2.Response) -> InvalidResponseError:
    return InvalidResponseError(words, request_id=response.headers.get("x-request-id", ""))
