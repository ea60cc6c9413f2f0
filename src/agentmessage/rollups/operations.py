"""Adding to sums, inside the transaction of what they count."""

from collections.abc import Sequence
from datetime import datetime

from agentmessage.kernel.db import Executor
from agentmessage.rollups import aggregator_queries, queries
from agentmessage.rollups.model import Count


async def add(tx: Executor, counts: Sequence[Count]) -> None:
    """Add counts to their buckets of a minute, an hour and a day, in one statement whatever their number.

    Rows are taken in one order, so that two transactions never wait for each other in a circle; call it last.
    """
    if counts:
        await queries.add(tx, counts)


async def as_of(db: Executor) -> datetime:
    """The instant before which everything that is counted is in the sums of this cell."""
    return await aggregator_queries.find_as_of(db)
