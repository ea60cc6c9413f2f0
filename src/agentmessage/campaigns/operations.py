"""The verbs on campaigns, in the caller's transaction; `registry_results` records the registry's answers."""

from uuid import UUID

import msgspec

from agentmessage.billing import operations as billing
from agentmessage.brands import operations as brands
from agentmessage.brands.errors import BrandNotVerified
from agentmessage.brands.model import EntityType
from agentmessage.campaigns import queries, rules
from agentmessage.campaigns.errors import CampaignHasNumbers, SoleProprietorLimit
from agentmessage.campaigns.model import BindingCampaign, Campaign, CampaignStatus
from agentmessage.campaigns.rules import CampaignChange, FeeAction
from agentmessage.campaigns.schemas import CampaignCreate, CampaignResource
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType

MONTH_KIND = "campaign_month"


async def get_for_binding(db: Executor, tenant: Tenant, campaign_id: UUID) -> BindingCampaign | None:
    """What a number's binding depends on; None if the organization has no such campaign. Takes no lock."""
    return await queries.find_for_binding(db, tenant.org_id, campaign_id)


async def lock_for_binding(tx: Tx, tenant: Tenant, campaign_id: UUID) -> BindingCampaign | None:
    """As `get_for_binding`; until the commit it cannot be deactivated, which decides on the count of numbers."""
    return await queries.lock_for_binding(tx, tenant.org_id, campaign_id)


async def require_bindable(db: Executor, tenant: Tenant, campaign_id: UUID) -> BindingCampaign:
    """The campaign, if a number may be put on it. Raises NotFound, CampaignNotActive or BrandNotVerified."""
    campaign = await queries.find_for_binding(db, tenant.org_id, campaign_id)
    if campaign is None:
        raise NotFound
    rules.require_bindable(campaign)
    return campaign


async def create(tx: Tx, tenant: Tenant, request: CampaignCreate, *, allow_private: bool = False) -> Campaign:
    """Accept one campaign, charge its first month and enqueue its filing. `allow_private` permits private hosts.

    Raises ValidationFailed, NotFound (the brand), BrandNotVerified, SoleProprietorLimit, InsufficientCredit.
    """
    rules.require_whole(request, allow_private=allow_private)
    brand = await brands.lock(tx, tenant, request.brand_id)
    rules.require_fitting(request.usecase, brand.entity_type)
    if not brand.is_verified:
        raise BrandNotVerified
    if brand.entity_type == EntityType.SOLE_PROPRIETOR and await queries.count_of_brand(tx, tenant.org_id, brand.id):
        raise SoleProprietorLimit
    fee = billing.price(MONTH_KIND, rules.price_ref(request.usecase), tx.now)
    campaign = rules.drafted(new_id(), tenant.org_id, tenant.account, request, monthly_fee_microcents=fee, now=tx.now)
    campaign = await charge_month(tx, tenant, campaign, may_overdraw=False, is_provisional=True)
    await queries.insert(tx, campaign)
    await _audit(tx, tenant, campaign, "campaign.create")
    await emit_event(tx, campaign, EventType.CAMPAIGN_CREATED)
    await enqueue(tx, "campaigns.file", campaign.org_id, campaign.id)
    return campaign


async def add_starter(tx: Tx, tenant: Tenant, brand_id: UUID, *, tcr_campaign_id: str) -> UUID:
    """Add the approved campaign of a new sandbox; it is free."""
    campaign = rules.starter(new_id(), tenant.org_id, tenant.account, brand_id, tcr_campaign_id, now=tx.now)
    await queries.insert(tx, campaign)
    await queries.update(tx, campaign)
    return campaign.id


async def deactivate(tx: Tx, tenant: Tenant, campaign_id: UUID, *, detach_numbers: bool) -> Campaign:
    """End a campaign for good; a job ends it at the registry. Repeating this writes nothing.

    With `detach_numbers` the job `numbers.detach_campaign` takes its numbers off, on behalf of the caller.
    Raises NotFound, CampaignHasNumbers.
    """
    old = await queries.lock_against_bindings(tx, tenant.org_id, campaign_id)
    if old is None:
        raise NotFound
    if old.status == CampaignStatus.EXPIRED:
        return old
    numbers = await queries.count_numbers(tx, tenant.org_id, campaign_id)
    if numbers and not detach_numbers:
        raise CampaignHasNumbers(details={"number_count": str(numbers)})
    old = await settle(tx, tenant, old)
    change = rules.ended(old, CampaignStatus.EXPIRED, old.rejection_reasons, now=tx.now)
    new = await apply(tx, tenant, change)
    await _audit(tx, tenant, new, "campaign.deactivate")
    await enqueue(tx, "campaigns.deactivate", new.org_id, new.id)
    if numbers:
        await outbox_events.enqueue(tx, "numbers.detach_campaign", str(new.id), _on_behalf(tenant, new))
    return new


async def get(db: Executor, tenant: Tenant, campaign_id: UUID) -> Campaign:
    """One campaign of the tenant. Raises NotFound."""
    campaign = await queries.find(db, tenant.org_id, campaign_id)
    if campaign is None:
        raise NotFound
    return campaign


async def hint(db: Executor, tcr_campaign_id: str) -> bool:
    """A callback names a changed campaign: read it soon. Returns False if this cell does not have it.

    Across tenants and accounts on purpose: a wrong hint costs one read and changes nothing.
    """
    keys = await queries.list_registered_as(db, tcr_campaign_id)
    for key in keys:
        await enqueue(db, "campaigns.check", key.org_id, key.record_id)
    return bool(keys)


async def apply(tx: Tx, tenant: Tenant, change: CampaignChange) -> Campaign:
    """Store a change of a locked campaign, with its events and its charge or refund; returns the campaign."""
    campaign = change.campaign
    match change.fee:
        case FeeAction.REFUND:
            await billing.refund(tx, tenant, source=MONTH_KIND, source_ref=_month(campaign))
        case FeeAction.CONFIRM:
            await billing.confirm(tx, tenant, [(MONTH_KIND, _month(campaign))])
        case FeeAction.CHARGE:
            campaign = await charge_month(tx, tenant, campaign, may_overdraw=True)
        case FeeAction.NOTHING:
            pass
    await queries.update(tx, campaign)
    for event_type in change.events:
        await emit_event(tx, campaign, event_type)
    return campaign


async def charge_month(
    tx: Tx, tenant: Tenant, campaign: Campaign, *, may_overdraw: bool, is_provisional: bool = False
) -> Campaign:
    """Charge the next month, numbered, so that none is charged twice; the caller stores the campaign.

    Raises InsufficientCredit, unless `may_overdraw`: an active campaign is not stopped for lack of credit.
    """
    paid = msgspec.structs.replace(campaign, months_charged=campaign.months_charged + 1, billed_at=tx.now)
    await billing.charge(
        tx,
        tenant,
        kind=MONTH_KIND,
        quantity=1,
        unit_cost_microcents=campaign.monthly_fee_microcents,
        source=MONTH_KIND,
        source_ref=_month(paid),
        ref_kind="campaign",
        ref_id=campaign.id,
        may_overdraw=may_overdraw,
        is_provisional=is_provisional,
    )
    return paid


async def settle(tx: Tx, tenant: Tenant, campaign: Campaign) -> Campaign:
    """Charge every month that has begun and was not charged yet; returns the campaign.

    The caller has locked it, and stores it.
    """
    while rules.is_month_due(campaign, tx.now.date()):
        campaign = rules.renewed(await charge_month(tx, tenant, campaign, may_overdraw=True))
    return campaign


async def emit_event(tx: Tx, campaign: Campaign, event_type: EventType) -> None:
    """Emit an event with the current campaign."""
    await outbox_events.emit(tx, campaign.org_id, event_type, campaign.id, CampaignResource.of(campaign))


async def enqueue(db: Executor, kind: str, org_id: UUID, campaign_id: UUID, *, delay_s: float = 0.0) -> None:
    """Enqueue a job about a campaign, or make the queued one due now."""
    arguments: dict[str, str | int | None] = {"org_id": str(org_id), "campaign_id": str(campaign_id)}
    await outbox_events.enqueue(db, kind, str(campaign_id), arguments, delay_s=delay_s)


def _month(campaign: Campaign) -> str:
    return f"{campaign.id}:{campaign.months_charged}"


def _on_behalf(tenant: Tenant, campaign: Campaign) -> dict[str, str | int | None]:
    return {
        "org_id": str(tenant.org_id),
        "campaign_id": str(campaign.id),
        "actor_kind": tenant.actor_kind,
        "actor_label": tenant.actor_label,
        "request_id": tenant.request_id,
    }


async def _audit(tx: Tx, tenant: Tenant, campaign: Campaign, action: str) -> None:
    await organizations.record(tx, tenant, action=action, resource_type="campaign", resource_id=campaign.id)
