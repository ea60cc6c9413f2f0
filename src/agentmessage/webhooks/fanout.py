"""Fan-out: every event is read once, and a delivery for each subscribed receiver is written in that transaction."""

import msgspec

from agentmessage.kernel.db import CellDb
from agentmessage.rollups import operations as rollups
from agentmessage.webhooks import fanout_queries, rules
from agentmessage.webhooks.model import WrittenOff

BELL = "events"
BATCH = 2_000
IDLE_S = 0.1
"""Seconds between two polls without a notification: events of jobs and of messages send none."""

BUSY_S = 0.01
"""Seconds until the next poll when another worker has the cursor, or when events wait for a concurrent transaction."""

MAX_WAITING = 100_000
"""Deliveries that may wait in one queue. Beyond, events are recorded as `dead` immediately; they can be replayed."""


async def run_once(db: CellDb) -> tuple[int, float]:
    """Fan out one batch of events; returns the deliveries written, and the seconds until the next poll."""
    if not await fanout_queries.is_behind(db):
        return 0, IDLE_S
    async with db.transaction() as tx:
        if not await fanout_queries.lock_cursor(tx):
            return 0, BUSY_S
        taken = await fanout_queries.fan_out(tx, limit=BATCH)
        lost = msgspec.convert(taken.written_off, list[WrittenOff])
        await rollups.add(tx, [rules.counted_written_off(queue, at=tx.now) for queue in lost])
    if taken.events == BATCH:
        return taken.deliveries, 0.0
    return taken.deliveries, BUSY_S if taken.is_more else IDLE_S


async def bound_queues(db: CellDb) -> None:
    """Mark the queues in which too much waits as full, and open those that have room again."""
    await fanout_queries.mark_full(db, max_waiting=MAX_WAITING)
