"""What happens to a brand after the response: claim, call the registry, record. No transaction is open during a call.

    brands.file    registers it; an unknown outcome is looked up by our reference and never repeated blindly
    brands.check   reads it until the registry has decided; a callback only makes this sooner
    brands.update  sends a change to the registry; it replaces everything, so repeating it is harmless
    brands.delete  deletes it at the registry; already deleted counts as done

Every handler may run twice: it decides again under the row's lock. `registration.jobs` has the program that brands and
campaigns share: filing, look-ups, and every answer but Accepted.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from typing_extensions import override

from agentmessage.brands import queries, registry_results, rules
from agentmessage.brands.model import Brand, BrandStatus
from agentmessage.carriers.protocols import Accepted, Answer, Deferred, Refused, RegisteredBrand, Registry, Unknown
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.encryption import SecretBox
from agentmessage.outbox.job_runner import Done, Handler, Snooze
from agentmessage.registration.jobs import RegistrationJobs

STILL_BUSY_S = 10.0
"""Until a refused deletion is repeated: the brand's campaigns end at the registry a moment later than here."""


def handlers(registries: Mapping[str, Registry], secret_box: SecretBox) -> dict[str, Handler]:
    """The room's jobs; `registries` by account, live or sandbox."""
    jobs = BrandJobs(registries, secret_box)
    return {
        "brands.file": jobs.file,
        "brands.check": jobs.check,
        "brands.update": jobs.update,
        "brands.delete": jobs.delete,
    }


class BrandJobs(RegistrationJobs[Brand, RegisteredBrand]):
    """Registers brands, and applies changes and deletions at the registry."""

    def __init__(self, registries: Mapping[str, Registry], secret_box: SecretBox) -> None:
        super().__init__(registries, queries, kind="brand")
        self._secret_box = secret_box

    async def check(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Read the identity of a brand, until the registry has decided."""
        org_id, brand_id = self._keys(arguments)
        brand = await queries.find(db, org_id, brand_id)
        if brand is None or brand.tcr_brand_id is None or brand.status != BrandStatus.ACTIVE:
            return Done()
        answer = await self._registry(brand).read_brand(brand.tcr_brand_id)
        if not isinstance(answer, Accepted):
            return await self._not_read(db, brand, answer)
        async with db.transaction() as tx:
            new = await registry_results.record_identity(tx, org_id, brand_id, answer.value)
        delay_s = rules.poll_delay_s(new, db.now) if new is not None else None
        return Done() if delay_s is None else Snooze(delay_s)

    async def update(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Send the newest revision to the registry."""
        brand = await queries.find(db, *self._keys(arguments))
        if brand is None or brand.status != BrandStatus.ACTIVE or brand.applied_revision >= brand.revision:
            return Done()
        filing = rules.filing(brand, self._tax_id(brand))
        answer = await self._registry(brand).update_brand(brand.tcr_brand_id or "", filing)
        match answer:
            case Accepted():
                async with db.transaction() as tx:
                    has_newer = await registry_results.record_updated(tx, brand)
                return Snooze(0.0) if has_newer else Done()
            case Refused():
                return await self._refused(db, brand, answer)
            case Deferred() | Unknown():
                return await self._not_read(db, brand, answer)
            case _:
                assert_never(answer)

    async def delete(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Delete at the registry what was deleted here; a filing whose answer was lost is looked up first."""
        brand = await queries.find(db, *self._keys(arguments))
        if brand is None or brand.status != BrandStatus.DELETED:
            return Done()
        if brand.tcr_brand_id is None:
            return await self._look_up_ended(db, brand)
        answer = await self._registry(brand).delete_brand(brand.tcr_brand_id)
        if isinstance(answer, Refused):
            self._log(brand).info("registry refused to delete a brand yet", text=answer.text)
            return Snooze(STILL_BUSY_S)
        return Done() if isinstance(answer, Accepted) else await self._not_read(db, brand, answer)

    @override
    async def _submit(self, db: CellDb, record: Brand) -> Answer[RegisteredBrand]:
        return await self._registry(record).file_brand(rules.filing(record, self._tax_id(record)))

    @override
    async def _find(self, record: Brand) -> Answer[RegisteredBrand | None]:
        return await self._registry(record).find_brand(record.reference_id)

    @override
    async def _record_registered(self, tx: Tx, filed: Brand, seen: RegisteredBrand, *, is_found: bool) -> None:
        # Which revision a lost call carried is not known; the first at least.
        await registry_results.record_registered(tx, filed, seen, revision=1 if is_found else filed.revision)

    @override
    async def _record_refused(self, tx: Tx, filed: Brand, text: str, *, cell: str) -> bool:
        return await registry_results.record_refused(tx, filed, text)

    def _tax_id(self, brand: Brand) -> str | None:
        return self._secret_box.decrypt(brand.tax_id_encrypted).decode() if brand.tax_id_encrypted else None
