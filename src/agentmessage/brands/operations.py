"""The verbs on brands, in the caller's transaction; `registry_results` records the registry's answers."""

from uuid import UUID

import msgspec
from msgspec import UNSET

from agentmessage.billing import operations as billing
from agentmessage.brands import queries, rules
from agentmessage.brands.errors import BrandDeleted, BrandHasCampaigns, ResellerRequired
from agentmessage.brands.model import Brand, BrandStatus
from agentmessage.brands.rules import TaxId
from agentmessage.brands.schemas import BrandCreate, BrandPatch, BrandResource
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.encryption import SecretBox
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType

FILING_KIND = "brand_filing_onetime"
FILING_SOURCE = "brand_filing"


async def create(tx: Tx, tenant: Tenant, request: BrandCreate, *, secret_box: SecretBox) -> Brand:
    """Accept one brand, charge it and enqueue its filing; everything is checked before anything is written.

    Raises ValidationFailed, ResellerRequired, InsufficientCredit.
    """
    tax_id = _encrypted(request.ein, secret_box)
    brand = rules.drafted(new_id(), tenant.org_id, tenant.account, request, tax_id, now=tx.now)
    await billing.lock(tx, [tenant.org_id])  # before the organization, whose tier a charge may raise
    organization = await organizations.lock(tx, tenant)
    if not organization.is_reseller and await queries.count_living(tx, tenant.org_id):
        raise ResellerRequired
    await _charge(tx, tenant, brand)
    await queries.insert(tx, brand)
    await _record_event(tx, tenant, brand, "brand.create", EventType.BRAND_CREATED)
    await enqueue(tx, "brands.file", brand.org_id, brand.id)
    return brand


async def has_starter(db: Executor, tenant: Tenant) -> bool:
    """Whether a sandbox has had its initial brand; a deleted one counts."""
    return await queries.has_starter(db, tenant.org_id)


async def add_starter(tx: Tx, tenant: Tenant, *, tcr_brand_id: str) -> UUID:
    """Add the verified brand of a new sandbox; it is free, and does not count as the brand of the organization."""
    brand = rules.starter(new_id(), tenant.org_id, tenant.account, tcr_brand_id, now=tx.now)
    await queries.insert(tx, brand)
    await queries.update(tx, brand)
    await queries.mark_starter(tx, tenant.org_id, brand.id)
    return brand.id


async def patch(tx: Tx, tenant: Tenant, brand_id: UUID, request: BrandPatch, *, secret_box: SecretBox) -> Brand:
    """Change a brand here and at the registry; a refused one is filed again, for another fee.

    Without a difference nothing is written. Raises NotFound, BrandDeleted, ValidationFailed, InsufficientCredit.
    """
    old = await queries.lock(tx, tenant.org_id, brand_id)
    if old is None:
        raise NotFound
    if old.status == BrandStatus.DELETED:
        raise BrandDeleted
    new = rules.patched(old, request, _changed_tax_id(old, request, secret_box), now=tx.now)
    if new is old:
        return old
    if old.is_refused:
        new = rules.refiled(new)
        await _charge(tx, tenant, new)
        await enqueue(tx, "brands.file", new.org_id, new.id)
    elif new.tcr_brand_id is not None:
        await enqueue(tx, "brands.update", new.org_id, new.id)
    await queries.update(tx, new)
    await _record_event(tx, tenant, new, "brand.update", EventType.BRAND_UPDATED)
    return new


async def delete(tx: Tx, tenant: Tenant, brand_id: UUID) -> Brand:
    """Delete for good; a job deletes it at the registry. Repeating this writes nothing.

    Raises NotFound, BrandHasCampaigns.
    """
    old = await queries.lock(tx, tenant.org_id, brand_id)
    if old is None:
        raise NotFound
    if old.status == BrandStatus.DELETED:
        return old
    if await queries.has_campaigns(tx, tenant.org_id, brand_id):
        raise BrandHasCampaigns
    new = msgspec.structs.replace(old, status=BrandStatus.DELETED, updated_at=tx.now)
    await queries.update(tx, new)
    await _record_event(tx, tenant, new, "brand.delete", EventType.BRAND_DELETED)
    await enqueue(tx, "brands.delete", new.org_id, new.id)
    return new


async def get(db: Executor, tenant: Tenant, brand_id: UUID) -> Brand:
    """One brand of the tenant, deleted ones included. Raises NotFound."""
    brand = await queries.find(db, tenant.org_id, brand_id)
    if brand is None:
        raise NotFound
    return brand


async def find(db: Executor, tenant: Tenant, brand_id: UUID) -> Brand | None:
    """One brand of the tenant, or None."""
    return await queries.find(db, tenant.org_id, brand_id)


async def lock(tx: Tx, tenant: Tenant, brand_id: UUID) -> Brand:
    """As `get`; until the commit it cannot change, be deleted, or get a campaign. Raises NotFound."""
    brand = await queries.lock(tx, tenant.org_id, brand_id)
    if brand is None:
        raise NotFound
    return brand


async def hint(db: Executor, tcr_brand_id: str) -> bool:
    """A callback names a changed brand: read it soon. Returns False if this cell does not have it.

    Across tenants and accounts on purpose: a wrong hint costs one read and changes nothing.
    """
    keys = await queries.list_registered_as(db, tcr_brand_id)
    for key in keys:
        await enqueue(db, "brands.check", key.org_id, key.record_id)
    return bool(keys)


async def enqueue(db: Executor, kind: str, org_id: UUID, brand_id: UUID) -> None:
    """Enqueue a job about a brand, or make the queued one due now."""
    await outbox_events.enqueue(db, kind, str(brand_id), {"org_id": str(org_id), "brand_id": str(brand_id)})


async def _charge(tx: Tx, tenant: Tenant, brand: Brand) -> None:
    """Charge the fee of this filing; every filing is charged once."""
    await billing.charge(
        tx,
        tenant,
        kind=FILING_KIND,
        quantity=1,
        unit_cost_microcents=billing.price(FILING_KIND, brand.entity_type, tx.now),
        source=FILING_SOURCE,
        source_ref=f"{brand.id}:{brand.filings}",
        ref_kind="brand",
        ref_id=brand.id,
    )


async def _record_event(tx: Tx, tenant: Tenant, brand: Brand, action: str, kind: EventType) -> None:
    await organizations.record(tx, tenant, action=action, resource_type="brand", resource_id=brand.id)
    await outbox_events.emit(tx, tenant.org_id, kind, brand.id, BrandResource.of(brand))


def _encrypted(ein: str | None, secret_box: SecretBox) -> TaxId:
    if ein is None:
        return TaxId(None, None)
    plain = rules.tax_id_text(ein)
    return TaxId(secret_box.encrypt(plain.encode()), plain[-rules.SHOWN_TAX_ID :])


def _changed_tax_id(old: Brand, request: BrandPatch, secret_box: SecretBox) -> TaxId | None:
    """The new tax id of a patch, None if it stays: encrypting the same one again would look like a change."""
    if request.ein is UNSET:
        return None
    current = secret_box.decrypt(old.tax_id_encrypted).decode() if old.tax_id_encrypted else None
    new = rules.tax_id_text(request.ein) if request.ein is not None else None
    return None if current == new else _encrypted(request.ein, secret_box)
