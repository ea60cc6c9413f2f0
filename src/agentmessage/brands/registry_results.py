"""What the registry's answers make of a brand: each inside one transaction, under the brand's row lock."""

from uuid import UUID

import msgspec

from agentmessage.brands import operations, queries, rules
from agentmessage.brands.model import Brand, BrandStatus
from agentmessage.brands.schemas import BrandResource
from agentmessage.carriers.protocols import RegisteredBrand
from agentmessage.kernel.db import Tx
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType


async def record_registered(tx: Tx, filed: Brand, seen: RegisteredBrand, *, revision: int) -> None:
    """The registry has it, as of `revision` at least. A deletion or a change that came meanwhile is handed on now."""
    brand = await queries.lock(tx, filed.org_id, filed.id)
    if brand is None or brand.tcr_brand_id is not None:
        return
    is_deleted = brand.status == BrandStatus.DELETED
    brand = msgspec.structs.replace(
        brand,
        tcr_brand_id=seen.tcr_brand_id,
        status=brand.status if is_deleted else BrandStatus.ACTIVE,
        submitted_at=tx.now,
        updated_at=tx.now,
        applied_revision=revision,
        filing_misses=0,
    )
    await queries.update(tx, brand)
    if is_deleted:
        await operations.enqueue(tx, "brands.delete", brand.org_id, brand.id)
        return
    await outbox_events.emit(tx, brand.org_id, EventType.BRAND_UPDATED, brand.id, BrandResource.of(brand))
    await operations.enqueue(tx, "brands.check", brand.org_id, brand.id)
    if brand.revision > brand.applied_revision:
        await operations.enqueue(tx, "brands.update", brand.org_id, brand.id)


async def record_refused(tx: Tx, told: Brand, reason: str) -> bool:
    """The registry would not take the filing, or the change. False: the customer has changed it since, so try that.

    True: nothing more is tried until the customer changes it.
    """
    brand = await queries.lock(tx, told.org_id, told.id)
    if brand is None:
        return True
    is_stale = brand.revision != told.revision or brand.status == BrandStatus.DELETED
    if brand.tcr_brand_id is None:
        brand = msgspec.structs.replace(brand, filed_at=None, filing_misses=0)
    if not is_stale:
        applied = brand.revision if brand.tcr_brand_id is not None else brand.applied_revision
        brand = msgspec.structs.replace(brand, applied_revision=applied, failure_reasons=(reason,), updated_at=tx.now)
        await outbox_events.emit(tx, brand.org_id, EventType.BRAND_VETTING_FAILED, brand.id, BrandResource.of(brand))
    await queries.update(tx, brand)
    return not is_stale or brand.status == BrandStatus.DELETED


async def record_updated(tx: Tx, told: Brand) -> bool:
    """The registry has this revision; answers whether a newer one waits. What it makes of it is read later."""
    brand = await queries.lock(tx, told.org_id, told.id)
    if brand is None:
        return False
    applied = max(brand.applied_revision, told.revision)
    await queries.update(tx, msgspec.structs.replace(brand, applied_revision=applied))
    await operations.enqueue(tx, "brands.check", brand.org_id, brand.id)
    return brand.revision > applied


async def record_identity(tx: Tx, org_id: UUID, brand_id: UUID, seen: RegisteredBrand) -> Brand | None:
    """What the registry thinks of the brand; the fact is told once, by comparing under the lock."""
    brand = await queries.lock(tx, org_id, brand_id)
    if brand is None or brand.status != BrandStatus.ACTIVE:
        return None
    verdict = rules.identified(brand, seen, now=tx.now)
    if verdict.brand is not brand:
        await queries.update(tx, verdict.brand)
    if verdict.fact is not None:
        await outbox_events.emit(tx, org_id, verdict.fact, brand_id, BrandResource.of(verdict.brand))
    return verdict.brand
