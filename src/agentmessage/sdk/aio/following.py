"""Events as they happen, over connections that break."""

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

from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.aio.transport import AsyncTransport, failure
from agentmessage.sdk.calls import Call
from agentmessage.sdk.failures import APIError, UnreadableAnswer
from agentmessage.sdk.models import Event, EventType, EventTypeWord
from agentmessage.sdk.patience import LONGEST_RETRY_AFTER_S, WORTH_REPEATING, pause_s

EVENTS = "/v1/events"
EVENT_STREAM = "text/event-stream"
SILENCE_S = 45.0
"""The platform says something every 15 s, if only that it is still there; three times that is a dead line."""

_EVENT = msgspec.json.Decoder(Event)


class AsyncEventStream:
    """Every event once, oldest first, until it is closed. Use it in a `with` block when you may stop before.

    A connection that breaks is made again behind the last event: none is lost and none comes twice. Raises APIError
    when the platform refuses, and APIConnectionError when the first connection cannot be made; later ones are tried
    for ever.
    """

    def __init__(self, transport: AsyncTransport, call: Call, *, last_event_id: str | None, is_from_now: bool) -> None:
        self.last_event_id = last_event_id
        """The event that was given out last; the place to go on from another time."""
        self._transport = transport
        self._call = call
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
        """Give up the connection."""
        await self._events.aclose()

    async def _follow(self) -> AsyncGenerator[Event, None]:
        if self._is_from_now:
            await self._begin_now()
        breaks = 0
        while True:
            asked_for_s = 0.0
            try:
                async with self._transport.stream(self._next_call()) as response:
                    _require_stream(response)
                    self._was_connected = True
                    async for sent in httpx2.EventSource(response):
                        breaks = 0
                        if sent.data:
                            event = _read(sent.data, response)
                            self.last_event_id = event.id
                            yield event
            except APIError as refusal:
                if refusal.status not in WORTH_REPEATING or self._is_hopeless(breaks):
                    raise
                asked_for_s = min(refusal.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
            except httpx2.RequestError as error:
                if self._is_hopeless(breaks):
                    raise failure(error, tries=breaks + 1) from error
            await asyncio.sleep(asked_for_s + pause_s(breaks, random.random()))  # noqa: S311 - jitter, not a secret
            breaks += 1

    async def _begin_now(self) -> None:
        """Begin at the second in which the stream was asked for, by the platform's own clock."""
        answer = await self._transport.send(Call("GET", EVENTS, query={"limit": 1}))
        answer.require_success()
        present = answer.http.served_at
        since = UNSET if present is None else present - timedelta(seconds=monotonic() - self._asked_at)
        self._call = msgspec.structs.replace(self._call, query={**self._call.query, "since": since})

    def _next_call(self) -> Call:
        place = {} if self.last_event_id is None else {"Last-Event-ID": self.last_event_id}
        return msgspec.structs.replace(self._call, headers={"Accept": EVENT_STREAM, **place})

    def _is_hopeless(self, breaks: int) -> bool:
        return not self._was_connected and breaks >= self._transport.configuration.max_retries


class AsyncFollowing(AsyncResource):
    """What can be done with events besides listing them."""

    def stream(
        self,
        *,
        type: EventType | EventTypeWord | UnsetType = UNSET,  # noqa: A002 - as the contract calls it
        since: datetime | UnsetType = UNSET,
        last_event_id: str | None = None,
        from_now: bool = False,
    ) -> AsyncEventStream:
        """Follow what happens to the organization's resources.

        It begins with the oldest event that is kept (90 days), with the first at or after `since`, or behind
        `last_event_id`; `from_now` skips what is older than the present second.

        Scope: `events:read`. Refusals: ValidationFailed.
        """
        call = Call("GET", EVENTS, query={"type": type, "since": since}, timeout_s=SILENCE_S)
        return AsyncEventStream(self._transport, call, last_event_id=last_event_id, is_from_now=from_now)


def _require_stream(response: httpx2.Response) -> None:
    if not response.headers.get("content-type", "").lower().startswith(EVENT_STREAM):
        raise _unreadable("The answer is not a stream of events.", response)


def _read(data: str, response: httpx2.Response) -> Event:
    try:
        return _EVENT.decode(data)
    except msgspec.DecodeError as error:
        raise _unreadable(f"An event of the stream cannot be read: {error}.", response) from error


def _unreadable(words: str, response: httpx2.Response) -> UnreadableAnswer:
    return UnreadableAnswer(words, request_id=response.headers.get("x-request-id", ""))
