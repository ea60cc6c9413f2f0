"""Counting texts behind their events: exactly once, by one reader of a cell at a time, whatever is killed.

The place up to which events are counted moves in the transaction that adds to the sums; a reader that dies leaves both
as they were. A second reader finds the place locked and does nothing. Events are read in the order that never changes
(decision 0010), so that one which commits late cannot appear behind the place.
"""

from datetime import datetime, timedelta

from agentmessage.kernel.db import CellDb
from agentmessage.rollups import aggregator_queries as queries
from agentmessage.rollups import queries as bucket_queries
from agentmessage.rollups.model import HOURS_KEPT, MINUTES_KEPT, Difference

BATCH = 5_000
CLOCKS_APART = timedelta(seconds=5)
"""How far the clocks of our machines may differ from the database's; `as_of` stays so far behind."""

DAY = timedelta(days=1)


async def turn(db: CellDb, *, batch: int = BATCH) -> bool:
    """Count the next events of one cell; True: there may be more, look again at once.

    `as_of` moves to the instant before which nothing can be missing. A transaction stamps its facts when it begins, so
    that one which is open may still bring facts of any instant since then; and of what is committed but waits for an
    older transaction, the oldest fact bounds it too.
    """
    async with db.transaction() as tx:
        place = await queries.lock_place(tx)
        if place is None:
            return False
        complete_until = await queries.oldest_beginning(tx) - CLOCKS_APART
        return await queries.count_events(tx, place, limit=batch, complete_until=complete_until) >= batch


async def forget(db: CellDb, now: datetime) -> int:
    """Drop minutes and hours past their retention, in one batch; returns how many."""
    minutes = await bucket_queries.delete_before(db, "minute", now - MINUTES_KEPT)
    return minutes + await bucket_queries.delete_before(db, "hour", now - HOURS_KEPT)


async def check(db: CellDb, *, events_kept: timedelta) -> list[Difference]:
    """Days of texts whose sums are not what a recount of the events that are still kept says; none, if all is well."""
    async with db.transaction() as tx:
        await queries.wait_for_place(tx)
        return [
            difference
            for day in _whole_days(tx.now - events_kept, tx.now)
            for difference in await queries.list_differences(tx, day, day + DAY)
        ]


async def rebuild(db: CellDb, *, events_kept: timedelta) -> int:
    """Count texts anew from the events that are still kept; answers how many sums that made.

    Day by day, in one transaction. Days of which some events are gone stay as they are. The reader waits meanwhile,
    and questions are answered from the old sums until all is done.
    """
    sums = 0
    async with db.transaction() as tx:
        await queries.wait_for_place(tx)
        for day in _whole_days(tx.now - events_kept, tx.now):
            await queries.delete_texts(tx, day, day + DAY)
            sums += await queries.recount(tx, day, day + DAY)
    return sums


def _whole_days(gone_before: datetime, now: datetime) -> list[datetime]:
    """The days of which every event is still there; tomorrow too, for the clocks of others."""
    first = gone_before.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    return [first + DAY * n for n in range((now - first) // DAY + 2)]
