"""Reads of facts that only this room asks for; the tail itself is the outbox's."""

from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Executor


async def newest_at(db: Executor, org_id: UUID) -> datetime | None:
    """When the fact at the end of the list happened; served by events_tail_idx."""
    moment: datetime | None = await db.value(
        "SELECT created_at FROM events WHERE org_id = $1 ORDER BY xid DESC, id DESC LIMIT 1", org_id
    )
    return moment
