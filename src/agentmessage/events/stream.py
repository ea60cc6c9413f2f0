"""A stream of facts that goes on until the reader leaves, the key dies or the process drains."""

import time
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import structlog
from msgspec import Struct

from agentmessage.events.model import PAGE_MAX
from agentmessage.events.operations import Filter
from agentmessage.events.schemas import EventQuery
from agentmessage.events.tails import Frame, Subscription, Tails
from agentmessage.kernel.db import DATABASE_UNAVAILABLE
from agentmessage.kernel.errors import Unauthorized
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.events import BEGINNING, EventPosition
from agentmessage.outbox.notifications import wait_for
from agentmessage.web.authentication import AuthenticatedKey, Authenticator
from agentmessage.web.open_requests import OpenRequests
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput
from agentmessage.web.streams import HEARTBEAT_S

log = structlog.get_logger("agentmessage.events")

MAX_STREAMS_PER_KEY = 100
MAX_STREAMS_PER_ORGANIZATION = 200
"""In one process at one time."""

BACKSTOP_S = 1.0
"""How soon a drain is noticed, and a database that is back."""

OPENING = b"retry: 1000\n\n"
HEARTBEAT = b": still here\n\n"


class StreamServices(Struct, frozen=True):
    """What a handler that streams needs besides the database."""

    event_streams: OpenRequests
    tails: Tails
    authenticator: Authenticator


async def frames(
    call: Call[NoInput, EventQuery], services: StreamServices, wanted: Filter, seen: UUID | None
) -> AsyncGenerator[bytes]:
    """Server-Sent Events from behind `seen` on. A database that is away only makes them late."""
    tails, authenticator = services.tails, services.authenticator
    known = await _known(call, authenticator)
    if known is None:
        return
    async with (
        tails.subscribe(call.db, call.tenant.org_id) as subscription,
        authenticator.watch.watch(known.principal.key_id, known.scopes, subscription.news) as key,
    ):
        yield OPENING
        spoke_at = time.monotonic()
        reader = _Reader(call, wanted, seen, subscription)
        while key.is_valid and not tails.is_draining():
            batch = await reader.next()
            for frame in batch:
                yield frame.body
            if batch:
                spoke_at = time.monotonic()
            elif time.monotonic() - spoke_at >= HEARTBEAT_S:
                yield HEARTBEAT
                spoke_at = time.monotonic()
            if not reader.has_more:
                await wait_for(subscription.news, min(BACKSTOP_S, HEARTBEAT_S))


class _Reader:
    """Reads from the database up to where the tail has begun, and from there on what the tail hands out.

    Places tell what was seen already: the tail may be behind what was read from the database.
    """

    def __init__(
        self, call: Call[NoInput, EventQuery], wanted: Filter, seen: UUID | None, subscription: Subscription
    ) -> None:
        self.has_more = True
        self._call = call
        self._wanted = wanted
        self._seen = seen
        self._position: EventPosition | None = BEGINNING if seen is None else None
        self._subscription = subscription
        self._is_behind = True

    async def next(self) -> Sequence[Frame]:
        """What comes next, perhaps nothing."""
        taken = self._subscription.take() if not self._is_behind else None
        if taken is None:
            return await self._catch_up()
        position = self._position or BEGINNING
        fresh = [frame for frame in taken if frame.position > position and frame.is_wanted(self._wanted)]
        self._position = fresh[-1].position if fresh else position
        self.has_more = False
        return fresh

    async def _catch_up(self) -> Sequence[Frame]:
        was_live = self._subscription.is_live
        self._subscription.take()  # it is all in the database
        try:
            found = await self._read()
        except DATABASE_UNAVAILABLE as error:
            log.warning("event stream delayed", error=str(error) or type(error).__name__)
            self._is_behind, self.has_more = True, False
            return ()
        is_full = len(found) == PAGE_MAX
        self._is_behind = is_full or not was_live
        self.has_more = is_full or was_live
        return found

    async def _read(self) -> Sequence[Frame]:
        org_id = self._call.tenant.org_id
        if self._position is None and self._seen is not None:
            self._position = await outbox_events.find_position(self._call.db, org_id, self._seen)
        kinds = None if self._wanted.type is None else [self._wanted.type.value]
        events = await outbox_events.read_after_each(
            self._call.db,
            {org_id: self._position or BEGINNING},
            since=self._wanted.since,
            kinds=kinds,
            limit=PAGE_MAX,
        )
        found = [Frame.of(event) for event in events]
        self._position = found[-1].position if found else self._position
        return found


async def _known(call: Call[NoInput, EventQuery], authenticator: Authenticator) -> AuthenticatedKey | None:
    """Who asks, as the edge has just seen; None when the key has been revoked since."""
    header = call.headers.get("authorization")
    remembered = authenticator.get_cached(header.encode() if header is not None else None)
    try:
        return remembered or await authenticator.authenticate(header, now=call.db.now)
    except Unauthorized:
        return None
