"""Sealing the audit log: rows are chained after their commit, by one worker of a cell at a time.

A request writes its row and waits for nobody: the end of a chain, which all rows of an organization share, is touched
only here. The rows come in the order that events have too (decision 0010), so that none can appear before one that is
sealed. What is sealed and how far sealing has come change in one transaction: whatever dies, no row is sealed twice.
"""

from collections.abc import Sequence
from datetime import datetime

from agentmessage.audit import seal_queries as queries
from agentmessage.audit.chain import seal_rows
from agentmessage.kernel.db import CellDb, Executor

BATCH = 500


async def turn(db: CellDb, keys: Sequence[bytes], *, batch: int = BATCH) -> bool:
    """Seal the next rows of one cell with the first key; True: there may be more, look again at once."""
    async with db.transaction() as tx:
        place = await queries.lock_place(tx)
        if place is None:
            return False
        rows, behind = await queries.list_unsealed(tx, place, limit=batch)
        if rows:
            ends = await queries.list_ends(tx, sorted({row.org_id for row in rows}))
            seals, ended = seal_rows(keys[0], rows, {end.org_id: end for end in ends})
            await queries.insert_seals(tx, seals)
            await queries.save_ends(tx, ended, behind)
        return len(rows) >= batch


async def oldest_unsealed_at(db: Executor) -> datetime | None:
    """When the row was written that is sealed next; None when all are sealed."""
    return await queries.oldest_unsealed_at(db)
