"""What happens to a brand after the response: claim, call the registry, record. No transaction is open during a call.

    brands.file    first registration; an unsure answer is looked up by our reference, never repeated blindly
    brands.check   polls until the registry has decided; a callback only brings it forward
    brands.update  tells the registry of a change; replaces the whole, so repeating it is harmless
    brands.delete  deletes at the registry; already gone counts as done

Every handler may run twice: what it writes is decided anew under the row's lock.
"""

from collections.abc import Mapping
from typing import Any, assert_never
from uuid import UUID

import structlog

from agentmessage.brands import queries, recording, rules
from agentmessage.brands.model import Brand, BrandStatus
from agentmessage.brands.rules import Step
from agentmessage.carriers.port import Accepted, Deferred, Refused, Registry, Unknown
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.seal import Sealer
from agentmessage.outbox.oddities import keep_if_odd
from agentmessage.outbox.worker import Again, Done, Handler

log = structlog.get_logger("agentmessage.brands")

LOOK_AGAIN_S = 2.0
"""Between a lost answer and its look-up, and between two look-ups that find nothing."""

OPERATOR_WAIT_S = 300.0
"""While the registry refuses us, and not the brand."""

STILL_BUSY_S = 10.0
"""Until a deletion is repeated that was refused: the brand's campaigns end over there a moment later than here."""


def handlers(registries: Mapping[str, Registry], sealer: Sealer) -> dict[str, Handler]:
    """The room's jobs; `registries` by account, live or sandbox."""
    jobs = BrandJobs(registries, sealer)
    return {
        "brands.file": jobs.file,
        "brands.check": jobs.check,
        "brands.update": jobs.update,
        "brands.delete": jobs.delete,
    }


class BrandJobs:
    """Speaks to the registry of each account."""

    def __init__(self, registries: Mapping[str, Registry], sealer: Sealer) -> None:
        self._registries = registries
        self._sealer = sealer

    async def file(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """Register a brand, or find out whether an earlier attempt did."""
        async with db.transaction() as tx:
            step, brand = await recording.begin_filing(tx, *_keys(arguments))
        if brand is None:
            return Done()
        match step:
            case Step.NOTHING:
                return Done()
            case Step.LOOK_UP:
                return await self._look_up(db, brand)
            case Step.FILE:
                return await self._file(db, brand)
            case _:
                assert_never(step)

    async def _file(self, db: CellDb, brand: Brand) -> Done | Again:
        answer = await self._registry(brand).file_brand(rules.filing(brand, self._tax_id(brand)))
        match answer:
            case Accepted(seen):
                async with db.transaction() as tx:
                    await recording.record_registered(tx, brand, seen, revision=brand.revision)
                return Done()
            case Refused():
                return await self._refused(db, brand, answer)
            case Deferred(reason, retry_after_s):
                log.info("registry defers a brand", brand_id=brand.reference_id, reason=reason)
                async with db.transaction() as tx:
                    await recording.record_not_filed(tx, brand)
                return Again(retry_after_s)
            case Unknown():
                return await self._unsure(db, brand, answer)
            case _:
                assert_never(answer)

    async def _look_up(self, db: CellDb, brand: Brand) -> Done | Again:
        answer = await self._registry(brand).find_brand(brand.reference_id)
        match answer:
            case Accepted(seen):
                async with db.transaction() as tx:
                    if seen is None:
                        await recording.record_miss(tx, brand)
                        return Again(LOOK_AGAIN_S)
                    # Which revision the lost call carried is not known; the first at least.
                    await recording.record_registered(tx, brand, seen, revision=1)
                return Done()
            case Refused() | Deferred() | Unknown():
                return await self._not_read(db, brand, answer)
            case _:
                assert_never(answer)

    async def check(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """Read how a brand stands, until the registry has decided."""
        org_id, brand_id = _keys(arguments)
        brand = await queries.find(db, org_id, brand_id)
        if brand is None or brand.tcr_brand_id is None or brand.status != BrandStatus.ACTIVE:
            return Done()
        answer = await self._registry(brand).read_brand(brand.tcr_brand_id)
        match answer:
            case Accepted(seen):
                async with db.transaction() as tx:
                    now_known = await recording.record_identity(tx, org_id, brand_id, seen)
                delay_s = rules.poll_delay_s(now_known, db.now) if now_known is not None else None
                return Done() if delay_s is None else Again(delay_s)
            case Refused() | Deferred() | Unknown():
                return await self._not_read(db, brand, answer)
            case _:
                assert_never(answer)

    async def update(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """Tell the registry of the newest revision."""
        brand = await queries.find(db, *_keys(arguments))
        if brand is None or brand.status != BrandStatus.ACTIVE or brand.applied_revision >= brand.revision:
            return Done()
        filing = rules.filing(brand, self._tax_id(brand))
        answer = await self._registry(brand).update_brand(brand.tcr_brand_id or "", filing)
        match answer:
            case Accepted():
                async with db.transaction() as tx:
                    has_newer = await recording.record_updated(tx, brand)
                return Again(0.0) if has_newer else Done()
            case Refused():
                return await self._refused(db, brand, answer)
            case Deferred() | Unknown():
                return await self._not_read(db, brand, answer)
            case _:
                assert_never(answer)

    async def delete(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """Delete at the registry what was deleted here; a filing that was lost on the way is looked up first."""
        brand = await queries.find(db, *_keys(arguments))
        if brand is None or brand.status != BrandStatus.DELETED:
            return Done()
        if brand.tcr_brand_id is not None:
            gone = await self._registry(brand).delete_brand(brand.tcr_brand_id)
            if isinstance(gone, Refused):
                log.info("registry keeps a deleted brand for now", brand_id=str(brand.id), text=gone.text)
                return Again(STILL_BUSY_S)
            return Done() if isinstance(gone, Accepted) else await self._not_read(db, brand, gone)
        return Done() if brand.filed_at is None else await self._look_up_deleted(db, brand)

    async def _look_up_deleted(self, db: CellDb, brand: Brand) -> Done | Again:
        found = await self._registry(brand).find_brand(brand.reference_id)
        if not isinstance(found, Accepted):
            return await self._not_read(db, brand, found)
        async with db.transaction() as tx:
            if found.value is not None:
                await recording.record_registered(tx, brand, found.value, revision=1)
                return Again(0.0)
            if await recording.record_miss(tx, brand) < rules.MISSES_TO_FILE_AGAIN:
                return Again(LOOK_AGAIN_S)
            await recording.record_gone(tx, brand)
            return Done()

    async def _refused(self, db: CellDb, brand: Brand, refused: Refused) -> Done | Again:
        if rules.is_ours_to_mend(refused):
            log.error("registry refuses us", brand_id=str(brand.id), code=refused.code, text=refused.text)
            async with db.transaction() as tx:
                await recording.record_not_filed(tx, brand)
            return Again(OPERATOR_WAIT_S)
        async with db.transaction() as tx:
            is_final = await recording.record_refused(tx, brand, rules.words(refused))
        return Done() if is_final else Again(0.0)

    async def _not_read(self, db: CellDb, brand: Brand, answer: Refused | Deferred | Unknown) -> Again:
        """Nothing was learned; come back. Safe after reads and after writes that may be repeated."""
        match answer:
            case Refused(_, code, text):
                log.warning("registry refuses to say", brand_id=str(brand.id), code=code, text=text)
                return Again(OPERATOR_WAIT_S)
            case Deferred(_, retry_after_s):
                return Again(retry_after_s)
            case Unknown():
                return await self._unsure(db, brand, answer)
            case _:
                assert_never(answer)

    async def _unsure(self, db: CellDb, brand: Brand, answer: Unknown) -> Again:
        log.warning("registry's answer is unsure", brand_id=str(brand.id), reason=answer.reason)
        await keep_if_odd(db, answer, account=brand.account, operation=f"registry.brands {brand.reference_id}")
        return Again(LOOK_AGAIN_S)

    def _registry(self, brand: Brand) -> Registry:
        return self._registries[brand.account]

    def _tax_id(self, brand: Brand) -> str | None:
        return self._sealer.open(brand.tax_id_sealed).decode() if brand.tax_id_sealed else None


def _keys(arguments: Mapping[str, Any]) -> tuple[UUID, UUID]:
    return UUID(arguments["org_id"]), UUID(arguments["brand_id"])
