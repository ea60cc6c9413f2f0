"""Endpoints written straight into the database, facts, and a worker's webhooks in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from agentmessage.app.webhook_worker import WebhookWorker
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.encryption import SecretBox, parse_keys
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.names import Names
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.notifications import Bells
from agentmessage.settings import Settings

SECRET = b"s" * 32


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 15.0) -> Any:
    """Wait for a condition; answers what it answered."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (found := await condition()):
        assert loop.time() < deadline, f"it did not come true within {seconds:g} s"
        await asyncio.sleep(0.02)
    return found


async def endpoint(
    db: CellDb,
    settings: Settings,
    org_id: UUID,
    url: str,
    *,
    events: Sequence[str] = ("organization.updated",),
    created_at: datetime | None = None,
) -> UUID:
    """An endpoint of an organization that wants some events; they need not be ones that can be subscribed to."""
    endpoint_id = new_id()
    await db.run(
        """INSERT INTO webhook_endpoints (id, org_id, url, events, active, api_version, encrypted_secret, created_at,
               updated_at) VALUES ($1, $2, $3, $4, true, '2026-04-01', $5, $6, $6)""",
        endpoint_id,
        org_id,
        url,
        list(events),
        secret_box(settings).encrypt(SECRET),
        created_at or db.now,
    )
    return endpoint_id


def secret_box(settings: Settings) -> SecretBox:
    return parse_keys(settings.encryption_key)


async def happen(
    db: CellDb, org_id: UUID, count: int = 1, *, kind: EventType = EventType.ORGANIZATION_UPDATED, data: Any = None
) -> list[UUID]:
    """So many facts of an organization, each of a resource of its own, in one transaction; their ids, in order."""
    async with db.transaction() as tx:
        return [await outbox_events.emit(tx, org_id, kind, new_id(), data or {"n": n}) for n in range(count)]


async def make_due(db: CellDb) -> None:
    """Let the time of everything that waits come."""
    await db.run("UPDATE webhook_deliveries SET due_at = now() - interval '1 minute'")
    await db.run("UPDATE webhook_queues SET due_at = now() - interval '1 minute'")


@asynccontextmanager
async def telling(settings: Settings, cells: Cells, *, names: Names | None = None) -> AsyncIterator[WebhookWorker]:
    """A worker's webhooks, of the default cell; `names` looks host names up."""
    bells = Bells(cells)
    one = WebhookWorker(settings, bells, names=names)
    one.take_up(await cells.cell("cell_00"))
    try:
        yield one
    finally:
        await one.stop()
