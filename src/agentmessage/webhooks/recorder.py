"""Writes down what came of deliveries: as many in one transaction as came while the last one was being written."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import structs

from agentmessage.kernel.batcher import Batcher
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb
from agentmessage.kernel.errors import Unavailable
from agentmessage.kernel.ids import new_id
from agentmessage.rollups import operations as rollups
from agentmessage.rollups.model import Count
from agentmessage.webhooks import attempt_result, disable, result_queries, rules
from agentmessage.webhooks.attempt_result import AttemptResult
from agentmessage.webhooks.schemas import DisableReason

MAX_BATCH = 1_500
MAX_WAITING = 10_000
RETRY_S = 0.5


class Recorder:
    """Writes the results of one dispatcher."""

    def __init__(self, db: CellDb) -> None:
        self._db = db
        self._batcher: Batcher[AttemptResult, None] = Batcher(
            self._record, max_batch=MAX_BATCH, max_waiting=MAX_WAITING
        )

    async def record(self, result: AttemptResult) -> None:
        """Return once it is in the books; a database that is away is waited for, since a success must not be lost."""
        while True:
            try:
                return await self._batcher.submit(result)
            except (*DATABASE_UNAVAILABLE, Unavailable):
                await asyncio.sleep(RETRY_S)

    async def _record(self, batch: Sequence[AttemptResult]) -> Sequence[None]:
        """Queues first, then their deliveries, the same order as every deletion; sums last."""
        attempts = [attempt_result.attempt(result, attempt_id=new_id()) for result in batch]
        health = _health(batch)
        async with self._db.transaction() as tx:
            if health:
                await result_queries.note_health(tx, list(health), list(health.values()))
            await result_queries.insert_attempts(tx, attempts)
            await result_queries.settle(tx, [result.delivery for result in batch], [result.next_at for result in batch])
            await rollups.add(tx, _summed([rules.counted(attempt) for attempt in attempts]))
        for result in {result.delivery.queue_id: result for result in batch if result.disables_receiver}.values():
            why = DisableReason.GONE if result.reply.is_gone else DisableReason.FAILING
            await disable.close(self._db, result.delivery, why, failing_since=result.failing_since)
        return [None] * len(batch)


def _health(batch: Sequence[AttemptResult]) -> Mapping[UUID, datetime | None]:
    """Queues whose health has changed: since when they fail, or None. The last answer of each counts."""
    health: dict[UUID, datetime | None] = {}
    known: dict[UUID, datetime | None] = {}
    for result in batch:
        if result.is_success is not None:
            queue_id = result.delivery.queue_id
            known.setdefault(queue_id, result.failing_since)
            health[queue_id] = None if result.is_success else health.get(queue_id) or result.at
    return {queue_id: since for queue_id, since in health.items() if (since is None) is not (known[queue_id] is None)}


def _summed(counts: Sequence[Count]) -> Sequence[Count]:
    """Counts of the same minute and labels as one: a batch holds many of few receivers."""
    sums: dict[object, Count] = {}
    for count in counts:
        minute = count.at.replace(second=0, microsecond=0)
        key = (count.org_id, count.metric, minute, *count.labels.values())
        known = sums.get(key)
        sums[key] = count if known is None else structs.replace(known, value=known.value + count.value)
    return list(sums.values())
