"""Following the facts of one organization."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.events import rules
from agentmessage.kernel.db import Executor
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.kernel.tenant import Tenant
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox import queries as outbox
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.queries import Event


class Filter(Struct, frozen=True):
    """Which facts a reader wants; None: all of them."""

    type: EventType | None
    since: datetime | None

    @property
    def kinds(self) -> list[str] | None:
        """The types as the statement takes them."""
        return None if self.type is None else [self.type.value]


async def place(db: Executor, tenant: Tenant, text: str, *, field: str) -> UUID | None:
    """The fact after which a reader goes on; None when it was forgotten long ago, and everything kept is newer.

    Raises ValidationFailed, naming `field`, for what is no fact of the organization.
    """
    found = rules.event_id(text)
    if found is not None:
        if await outbox.event_exists(db, tenant.org_id, found):
            return found
        if rules.may_be_forgotten(found, now=db.now):
            return None
    raise ValidationFailed({field: "must be a place in this organization's events"})


async def after(db: Executor, tenant: Tenant, wanted: Filter, *, seen: UUID | None, limit: int) -> list[Event]:
    """The next facts behind one that was seen, oldest first; lossless (see outbox.facts.tail)."""
    return await outbox_events.read_after(
        db, tenant.org_id, after=seen, since=wanted.since, kinds=wanted.kinds, limit=limit
    )


async def before(db: Executor, tenant: Tenant, wanted: Filter, *, seen: UUID | None, limit: int) -> list[Event]:
    """The events before one that was seen, newest first; from the newest on when none was seen."""
    return await outbox_events.read_before(
        db, tenant.org_id, before=seen, since=wanted.since, kinds=wanted.kinds, limit=limit
    )
