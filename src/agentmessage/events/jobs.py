"""Forgetting facts that are older than they are kept."""

from agentmessage.events.model import RETENTION
from agentmessage.kernel.db import CellDb
from agentmessage.outbox import queries as outbox

BATCH = 10_000


async def sweep(db: CellDb) -> int:
    """Forget the facts of one cell, across tenants, that are past their 90 days; answers how many.

    In batches, each a transaction of its own. Harmless to run twice or side by side.
    """
    forgotten = 0
    while True:
        batch = await outbox.delete_events_before(db, db.now - RETENTION)
        forgotten += batch
        if batch < BATCH:
            return forgotten
