"""Fan-out: every fact is taken once, and a delivery for each receiver that wants it is written in that transaction."""

import msgspec

from agentmessage.kernel.db import CellDb
from agentmessage.rollups import operations as rollups
from agentmessage.webhooks import fanout_queries, rules
from agentmessage.webhooks.model import WrittenOff

BELL = "events"
BATCH = 2_000
IDLE_S = 0.1
"""The longest between two looks when nobody rings: facts of jobs and of texts ring no bell."""

BUSY_S = 0.01
"""Until the next look when another worker has the place, or when facts wait for a transaction beside them to end."""

MOST_WAITING = 100_000
"""Deliveries that may wait on one lane. Beyond, facts are written off as `dead` at once; they can be replayed."""


async def turn(db: CellDb) -> tuple[int, float]:
    """Take what facts there are, up to a batch; answers the deliveries written, and the seconds until the next look."""
    if not await fanout_queries.is_behind(db):
        return 0, IDLE_S
    async with db.transaction() as tx:
        if not await fanout_queries.lock_place(tx):
            return 0, BUSY_S
        taken = await fanout_queries.fan_out(tx, limit=BATCH)
        lost = msgspec.convert(taken.written_off, list[WrittenOff])
        await rollups.add(tx, [rules.counted_off(one, at=tx.now) for one in lost])
    if taken.facts == BATCH:
        return taken.deliveries, 0.0
    return taken.deliveries, BUSY_S if taken.is_more else IDLE_S


async def bound_queues(db: CellDb) -> None:
    """Close the lanes on which too much waits, and open those that have room again; for housekeeping."""
    await fanout_queries.mark_full(db, most=MOST_WAITING)
