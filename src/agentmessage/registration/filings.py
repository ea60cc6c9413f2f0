"""What a filing's course changes in its record: each inside one transaction, under the record's row lock."""

from typing import Protocol, TypeVar
from uuid import UUID

from agentmessage.kernel.db import Executor, Tx
from agentmessage.registration import rules
from agentmessage.registration.model import FilingStep, Record

R = TypeVar("R", bound=Record)


class RecordQueries(Protocol[R]):
    """The statements of a room: its module `queries`."""

    async def lock(self, tx: Executor, org_id: UUID, record_id: UUID, /) -> R | None:
        """One record, locked until the commit."""
        ...

    async def update(self, tx: Executor, record: R, /) -> None:
        """Store a locked record."""
        ...


async def begin_filing(tx: Tx, queries: RecordQueries[R], org_id: UUID, record_id: UUID) -> tuple[FilingStep, R | None]:
    """Decide what to do about a record. Before it is filed, the row says that it may have been."""
    record = await queries.lock(tx, org_id, record_id)
    if record is None:
        return FilingStep.NOTHING, None
    step = rules.filing_step(record)
    if step is FilingStep.FILE:
        record = record.with_filing(tx.now)
        await queries.update(tx, record)
    return step, record


async def record_miss(tx: Tx, queries: RecordQueries[R], filed: R) -> int:
    """Count a look-up that found nothing; returns how many there were. One alone may have come too early."""
    record = await queries.lock(tx, filed.org_id, filed.id)
    if record is None:
        return rules.MISSES_TO_FILE_AGAIN
    record = record.with_filing(record.filed_at, misses=record.filing_misses + 1)
    await queries.update(tx, record)
    return record.filing_misses


async def record_not_filed(tx: Tx, queries: RecordQueries[R], filed: R) -> None:
    """The registry surely has nothing: the next attempt files without a look-up."""
    record = await queries.lock(tx, filed.org_id, filed.id)
    if record is not None and record.tcr_id is None and record.filed_at == filed.filed_at:
        await queries.update(tx, record.with_filing(None))
