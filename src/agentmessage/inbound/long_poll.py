"""Waiting for a text: what an agent does after it has asked somebody a question. No connection is held meanwhile."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from agentmessage.inbound import queries
from agentmessage.inbound.model import Inbound
from agentmessage.inbound.processing import number_bell, organization_bell
from agentmessage.inbound.schemas import WaitQuery
from agentmessage.outbox.notifications import Bells, wait_for
from agentmessage.web.open_requests import OpenRequests
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput

BACKSTOP_S = 5.0
"""Between looks while no bell is heard: a bell is a hint, and may get lost."""

LONGEST_S = 50.0
"""A request that may ask for a minute is answered within 55 s: most proxies give up on a silent answer after 60."""

MOST_WAITS = 100
"""Of one key in one process at one time."""

MAX_WAITS_PER_ORGANIZATION = 200
"""Of all its keys together."""


class Waits(OpenRequests):
    """How many requests of each key and organization wait in this process."""

    def __init__(self, most: int = MOST_WAITS) -> None:
        super().__init__(per_key=most, per_organization=MAX_WAITS_PER_ORGANIZATION)


class WaitServices(Struct, frozen=True):
    """What a waiting handler needs besides the database."""

    bells: Bells
    waits: Waits
    is_draining: Callable[[], bool]


async def wait(
    call: Call[NoInput, WaitQuery],
    services: WaitServices,
    *,
    sender: str | None,
    recipient: str | None,
    since: datetime | None,
) -> Inbound | None:
    """The oldest text behind `since` that fits, or the first that comes now; None when none did in time.

    Also None, and at once, when the process is to end. Raises RateLimited when too many of its key, or of its
    organization, wait already.
    """
    org_id, cell = call.tenant.org_id, call.tenant.cell
    name = number_bell(recipient) if recipient is not None else organization_bell(org_id)
    with services.waits.track(org_id, call.tenant.actor_label):
        bell = services.bells.hear(cell, name)
        try:
            # By the newest text and not by the clock: this machine's may be ahead of the one that stores texts.
            behind = since or await queries.newest_at(call.db, org_id, sender=sender, recipient=recipient)
            return await _look(call, services, bell, sender=sender, recipient=recipient, behind=behind)
        finally:
            services.bells.unhear(cell, name, bell)


async def _look(
    call: Call[NoInput, WaitQuery],
    services: WaitServices,
    bell: asyncio.Event,
    *,
    sender: str | None,
    recipient: str | None,
    behind: datetime | None,
) -> Inbound | None:
    deadline = time.monotonic() + min(call.query.timeout_s, LONGEST_S)
    while True:
        found = await queries.find_after(call.db, call.tenant.org_id, since=behind, sender=sender, recipient=recipient)
        left_s = deadline - time.monotonic()
        if found is not None or left_s <= 0 or services.is_draining():
            return found
        await wait_for(bell, min(BACKSTOP_S, left_s))
