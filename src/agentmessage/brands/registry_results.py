"""What the registry's answers change in a brand: each in one transaction, under the brand's row lock."""

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
    """The registry has it, at least as of `revision`. A deletion or change since then is enqueued."""
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


async def record_refused(tx: Tx, sent: Brand, reason: str) -> bool:
    """The registry refused the filing or the change. Returns False if the customer has changed it since: try that.

    True: nothing more is tried until the customer changes it.
    """
    brand = await queries.lock(tx, sent.org_id, sent.id)
    if brand is None:
        return True
    is_stale = brand.revision != sent.revision or brand.status == BrandStatus.DELETED
    if brand.tcr_brand_id is None:
        brand = msgspec.structs.replace(brand, filed_at=None, filing_misses=0)
    if not is_stale:
        applied = brand.revision if brand.tcr_brand_id is not None else brand.applied_revision
        brand = msgspec.structs.replace(brand, applied_revision=applied, failure_reasons=(reason,), updated_at=tx.now)
        await outbox_events.emit(tx, brand.org_id, EventType.BRAND_VETTING_FAILED, brand.id, BrandResource.of(brand))
    await queries.update(tx, brand)
    return not is_stale or brand.status == BrandStatus.DELETED


async def record_updated(tx: Tx, sent: Brand) -> bool:
    """The registry has this revision. Returns whether there is a newer one; the result is read later."""
    brand = await queries.lock(tx, sent.org_id, sent.id)
    if brand is None:
        return False
    applied = max(brand.applied_revision, sent.revision)
    await queries.update(tx, msgspec.structs.replace(brand, applied_revision=applied))
    await operations.enqueue(tx, "brands.check", brand.org_id, brand.id)
    return brand.revision > applied


async def record_identity(tx: Tx, org_id: UUID, brand_id: UUID, seen: RegisteredBrand) -> Brand | None:
    """Store what the registry shows of a brand; compared under the lock, so that each event is emitted once."""
    brand = await queries.lock(tx, org_id, brand_id)
    if brand is None or brand.status != BrandStatus.ACTIVE:
        return None
    change = rules.identified(brand, seen, now=tx.now)
    if change.brand is not brand:
        await queries.update(tx, change.brand)
    if change.event is not None:
        await outbox_events.emit(tx, org_id, change.event, brand_id, BrandResource.of(change.brand))
    return change.brand
