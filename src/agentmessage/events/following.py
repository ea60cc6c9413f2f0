"""A stream of facts that goes on until the reader leaves, the key dies or the process drains."""

import time
from collections.abc import AsyncGenerator, Callable
from typing import cast
from uuid import UUID

import structlog

from agentmessage.events import operations
from agentmessage.events.model import PAGE_MAX
from agentmessage.events.operations import Filter
from agentmessage.events.schemas import EventQuery, EventResource
from agentmessage.kernel.db import DATABASE_AWAY
from agentmessage.kernel.errors import Unauthorized
from agentmessage.outbox.bells import Bells, wait_for
from agentmessage.outbox.queries import Event
from agentmessage.web.authentication import Authenticator
from agentmessage.web.call import Call
from agentmessage.web.declaration import NoInput
from agentmessage.web.streams import HEARTBEAT_S

log = structlog.get_logger("agentmessage.events")

BACKSTOP_S = 1.0
OPENING = b"retry: 1000\n\n"
HEARTBEAT = b": still here\n\n"


async def frames(call: Call[NoInput, EventQuery], wanted: Filter, seen: UUID | None) -> AsyncGenerator[bytes]:
    """Server-Sent Events from behind `seen` on. A database that is away only makes them late."""
    bells = cast("Bells", call.context["bells"])
    is_draining = cast("Callable[[], bool]", call.context["is_draining"])
    bell = bells.hear(call.tenant.cell, "events")
    try:
        yield OPENING
        spoke_at = time.monotonic()
        while not is_draining():
            events = await _next(call, wanted, seen)
            if events is None:
                return
            for event in events:
                yield EventResource.of(event).frame()
                seen = event.id
            if events:
                spoke_at = time.monotonic()
            elif time.monotonic() - spoke_at >= HEARTBEAT_S:
                yield HEARTBEAT
                spoke_at = time.monotonic()
            if len(events) < PAGE_MAX:
                await wait_for(bell, min(BACKSTOP_S, HEARTBEAT_S))
    finally:
        bells.unhear(call.tenant.cell, "events", bell)


async def _next(call: Call[NoInput, EventQuery], wanted: Filter, seen: UUID | None) -> list[Event] | None:
    """What is new, perhaps nothing; None when the key is no longer good: a stream does not outlive it."""
    authenticator = cast("Authenticator", call.context["authenticator"])
    header = call.headers.get("authorization")
    try:
        remembered = authenticator.recall(header.encode() if header is not None else None)
        known = remembered or await authenticator.look_up(header, now=call.db.now)
        if call.tenant.scopes != known.scopes:
            return None
        return await operations.after(call.db, call.tenant, wanted, seen=seen, limit=PAGE_MAX)
    except Unauthorized:
        return None
    except DATABASE_AWAY as error:
        log.warning("stream waits for the database", error=str(error) or type(error).__name__)
        return []
