"""The verbs on campaigns, inside the caller's transaction; what the registry answers is in `registry_results`."""

from uuid import UUID

import msgspec

from agentmessage.billing import operations as billing
from agentmessage.brands import operations as brands
from agentmessage.brands.errors import BrandNotVerified
from agentmessage.brands.model import EntityType
from agentmessage.campaigns import queries, rules
from agentmessage.campaigns.errors import CampaignHasNumbers, SoleProprietorLimit
from agentmessage.campaigns.model import BindingCampaign, Campaign, CampaignStatus
from agentmessage.campaigns.rules import Change, Money
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
    """What a number's binding depends on; None: the organization has no such campaign. Takes no lock."""
    return await queries.find_for_binding(db, tenant.org_id, campaign_id)


async def hold_for_binding(tx: Tx, tenant: Tenant, campaign_id: UUID) -> BindingCampaign | None:
    """As `get_for_binding`, holding off a deactivation until the commit, so that none is decided on an old count."""
    return await queries.lock_for_binding(tx, tenant.org_id, campaign_id)


async def require_bindable(db: Executor, tenant: Tenant, campaign_id: UUID) -> BindingCampaign:
    """The campaign, fit to put a number on. Raises NotFound, CampaignNotActive, BrandNotVerified, in this order."""
    campaign = await queries.find_for_binding(db, tenant.org_id, campaign_id)
    if campaign is None:
        raise NotFound
    rules.require_bindable(campaign)
    return campaign


async def create(tx: Tx, tenant: Tenant, wish: CampaignCreate, *, allow_private: bool = False) -> Campaign:
    """Accept one campaign: its first month charged, its filing queued. `allow_private` takes links to private hosts.

    Raises ValidationFailed, NotFound (the brand), BrandNotVerified, SoleProprietorLimit, InsufficientCredit.
    """
    rules.require_whole(wish, allow_private=allow_private)
    brand = await brands.lock(tx, tenant, wish.brand_id)
    rules.require_fitting(wish.usecase, brand.entity_type)
    if not brand.is_verified:
        raise BrandNotVerified
    if brand.entity_type == EntityType.SOLE_PROPRIETOR and await queries.count_of_brand(tx, tenant.org_id, brand.id):
        raise SoleProprietorLimit
    fee = billing.price(MONTH_KIND, rules.price_ref(wish.usecase), tx.now)
    campaign = rules.drafted(new_id(), tenant.org_id, tenant.account, wish, monthly_fee_microcents=fee, now=tx.now)
    campaign = await charge_month(tx, tenant, campaign, may_overdraw=False, is_provisional=True)
    await queries.insert(tx, campaign)
    await _audit(tx, tenant, campaign, "campaign.create")
    await tell(tx, campaign, EventType.CAMPAIGN_CREATED)
    await enqueue(tx, "campaigns.file", campaign.org_id, campaign.id)
    return campaign


async def add_starter(tx: Tx, tenant: Tenant, brand_id: UUID, *, tcr_campaign_id: str) -> UUID:
    """Give a sandbox the approved campaign that it begins with; it costs nothing."""
    campaign = rules.starter(new_id(), tenant.org_id, tenant.account, brand_id, tcr_campaign_id, now=tx.now)
    await queries.insert(tx, campaign)
    await queries.update(tx, campaign)
    return campaign.id


async def deactivate(tx: Tx, tenant: Tenant, campaign_id: UUID, *, detach_numbers: bool) -> Campaign:
    """End a campaign for good; the registry is told later. Once more is fine and writes nothing.

    With `detach_numbers` the job `numbers.detach_campaign` takes its numbers off, in the caller's name.
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
    """One campaign of the tenant's. Raises NotFound."""
    campaign = await queries.find(db, tenant.org_id, campaign_id)
    if campaign is None:
        raise NotFound
    return campaign


async def hint(db: Executor, tcr_campaign_id: str) -> bool:
    """Somebody says that a campaign moved: have it read soon. False: this cell has no such campaign.

    Across tenants and accounts on purpose; a hint for the wrong one costs one reading and changes nothing.
    """
    keys = await queries.list_registered_as(db, tcr_campaign_id)
    for key in keys:
        await enqueue(db, "campaigns.check", key.org_id, key.record_id)
    return bool(keys)


async def apply(tx: Tx, tenant: Tenant, change: Change) -> Campaign:
    """Store a change of a locked campaign with its facts and what it means for money; answers the campaign."""
    campaign = change.campaign
    match change.money:
        case Money.REFUND:
            await billing.refund(tx, tenant, source=MONTH_KIND, source_ref=_month(campaign))
        case Money.CONFIRM:
            await billing.confirm(tx, tenant, [(MONTH_KIND, _month(campaign))])
        case Money.CHARGE:
            campaign = await charge_month(tx, tenant, campaign, may_overdraw=True)
        case Money.NOTHING:
            pass
    await queries.update(tx, campaign)
    for kind in change.facts:
        await tell(tx, campaign, kind)
    return campaign


async def charge_month(
    tx: Tx, tenant: Tenant, campaign: Campaign, *, may_overdraw: bool, is_provisional: bool = False
) -> Campaign:
    """Charge the next month, numbered, so that none is charged twice; the caller stores the campaign.

    Raises InsufficientCredit, unless `may_overdraw`: a campaign that runs is not stopped for want of money.
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
    """Charge every month of an active campaign that has begun and nobody was at work to charge; answers the campaign.

    The caller holds it and stores it.
    """
    while rules.is_month_due(campaign, tx.now.date()):
        campaign = rules.renewed(await charge_month(tx, tenant, campaign, may_overdraw=True))
    return campaign


async def tell(tx: Tx, campaign: Campaign, kind: EventType) -> None:
    """Emit a fact about the campaign as it is now."""
    await outbox_events.emit(tx, campaign.org_id, kind, campaign.id, CampaignResource.of(campaign))


async def enqueue(db: Executor, kind: str, org_id: UUID, campaign_id: UUID, *, delay_s: float = 0.0) -> None:
    """Write a job about a campaign, or bring the one that is there forward."""
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
