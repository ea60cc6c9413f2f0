"""The jobs that brands and campaigns share: claim, call the registry, record. No transaction is open during a call."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, assert_never
from uuid import UUID

import structlog

from agentmessage.carriers.protocols import Accepted, Answer, Deferred, Refused, Registry, Unknown
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.outbox.job_runner import Done, Snooze
from agentmessage.outbox.unparsed_responses import store_if_unparsed
from agentmessage.registration import filings, rules
from agentmessage.registration.filings import RecordQueries
from agentmessage.registration.model import FilingStep, Record

LOOK_UP_S = 2.0
"""Between a lost answer and its look-up, and between two look-ups that find nothing."""

PLATFORM_WAIT_S = 300.0
"""While the registry refuses the platform."""

R = TypeVar("R", bound=Record)
S = TypeVar("S")


class RegistrationJobs(ABC, Generic[R, S]):
    """Calls the registry of each account about one kind of record, `R`; the registry shows it as `S`."""

    def __init__(self, registries: Mapping[str, Registry], queries: RecordQueries[R], *, kind: str) -> None:
        self._registries = registries
        self._queries = queries
        self._kind = kind

    async def file(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Register a record, or find out whether an earlier attempt did."""
        async with db.transaction() as tx:
            step, record = await filings.begin_filing(tx, self._queries, *self._keys(arguments))
        if record is None:
            return Done()
        match step:
            case FilingStep.NOTHING:
                return Done()
            case FilingStep.LOOK_UP:
                return await self._look_up(db, record)
            case FilingStep.FILE:
                return await self._file(db, record)
            case _:
                assert_never(step)

    # ── what each room adds ─────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    async def _submit(self, db: CellDb, record: R) -> Answer[S]:
        """Send the filing to the registry."""

    @abstractmethod
    async def _find(self, record: R) -> Answer[S | None]:
        """Ask the registry for the record by our reference."""

    @abstractmethod
    async def _record_registered(self, tx: Tx, filed: R, seen: S, *, is_found: bool) -> None:
        """Store that the registry has it. `is_found`: by a look-up, so that what it has may be an earlier revision."""

    @abstractmethod
    async def _record_refused(self, tx: Tx, filed: R, text: str, *, cell: str) -> bool:
        """Store that the registry refused it; returns False where there is a newer revision to try."""

    def _refusal_wait_s(self, refused: Refused) -> float | None:
        """Seconds until a refused filing is sent again as it is; None: the refusal is about the record."""
        return PLATFORM_WAIT_S if rules.is_platform_problem(refused) else None

    # ── filing ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _file(self, db: CellDb, record: R) -> Done | Snooze:
        answer = await self._submit(db, record)
        match answer:
            case Accepted(seen):
                async with db.transaction() as tx:
                    await self._record_registered(tx, record, seen, is_found=False)
                return Done()
            case Refused():
                return await self._refused(db, record, answer)
            case Deferred(reason, retry_after_s):
                self._log(record).info("registry deferred a filing", reason=reason)
                async with db.transaction() as tx:
                    await filings.record_not_filed(tx, self._queries, record)
                return Snooze(retry_after_s)
            case Unknown():
                return await self._unknown(db, record, answer)
            case _:
                assert_never(answer)

    async def _look_up(self, db: CellDb, record: R) -> Done | Snooze:
        answer = await self._find(record)
        if not isinstance(answer, Accepted):
            return await self._not_read(db, record, answer)
        async with db.transaction() as tx:
            if answer.value is None:
                await filings.record_miss(tx, self._queries, record)
                return Snooze(LOOK_UP_S)
            await self._record_registered(tx, record, answer.value, is_found=True)
            return Done()

    async def _look_up_ended(self, db: CellDb, record: R) -> Done | Snooze:
        """Look up a filing that was under way when the record was ended here: what was taken must be ended there."""
        if record.filed_at is None:
            return Done()
        answer = await self._find(record)
        if not isinstance(answer, Accepted):
            return await self._not_read(db, record, answer)
        async with db.transaction() as tx:
            if answer.value is not None:
                await self._record_registered(tx, record, answer.value, is_found=True)
                return Snooze(0.0)
            if await filings.record_miss(tx, self._queries, record) < rules.MISSES_TO_FILE_AGAIN:
                return Snooze(LOOK_UP_S)
            await filings.record_not_filed(tx, self._queries, record)
            return Done()

    # ── answers that are not Accepted ───────────────────────────────────────────────────────────────────────

    async def _refused(self, db: CellDb, record: R, refused: Refused) -> Done | Snooze:
        """The registry refused a filing or a change."""
        wait_s = self._refusal_wait_s(refused)
        if wait_s is not None:
            self._log(record).error("registry refused the platform", code=refused.code, text=refused.text)
            async with db.transaction() as tx:
                await filings.record_not_filed(tx, self._queries, record)
            return Snooze(wait_s)
        async with db.transaction() as tx:
            is_final = await self._record_refused(tx, record, rules.customer_text(refused), cell=db.name)
        return Done() if is_final else Snooze(0.0)

    async def _not_read(self, db: CellDb, record: R, answer: Refused | Deferred | Unknown) -> Snooze:
        """Retry later. Safe after reads, and after writes that may be repeated."""
        match answer:
            case Refused(_, code, text):
                self._log(record).warning("registry refused a read", code=code, text=text)
                return Snooze(PLATFORM_WAIT_S)
            case Deferred(_, retry_after_s):
                return Snooze(retry_after_s)
            case Unknown():
                return await self._unknown(db, record, answer)
            case _:
                assert_never(answer)

    async def _unknown(self, db: CellDb, record: R, answer: Unknown) -> Snooze:
        self._log(record).warning("registry outcome unknown", reason=answer.reason)
        operation = f"registry.{self._kind}s {record.reference_id}"
        await store_if_unparsed(db, answer, account=record.account, operation=operation)
        return Snooze(LOOK_UP_S)

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────

    def _registry(self, record: R) -> Registry:
        return self._registries[record.account]

    def _keys(self, arguments: Mapping[str, Any]) -> tuple[UUID, UUID]:
        return UUID(arguments["org_id"]), UUID(arguments[f"{self._kind}_id"])

    def _log(self, record: R) -> structlog.stdlib.BoundLogger:
        log: structlog.stdlib.BoundLogger = structlog.get_logger(f"agentmessage.{self._kind}s")
        return log.bind(**{f"{self._kind}_id": str(record.id)})
