"""The verbs on a number that one holds: attach, detach, change its settings. Ordering and release are in `orders`."""

from uuid import UUID

from agentmessage.campaigns import operations as campaigns
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id, new_ulid
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers import queries, rules
from agentmessage.numbers.errors import NumberNotAssigned
from agentmessage.numbers.model import AttachResult, NumberState, PhoneNumber
from agentmessage.numbers.schemas import NumberPatch
from agentmessage.organizations import operations as organizations
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.events import emit

MAX_RACES = 100
"""How often in a row a statement may lose to others on one number before that is called a fault of ours."""


async def detach(db: Executor, tenant: Tenant, number_id: UUID, *, audit_id: str | None = None) -> PhoneNumber:
    """Take a number off its campaign; the carrier follows by reconciliation. Nothing is written when it has none.

    One statement, its own transaction. A request that does nothing else gives its own ULID to the audit row. Raises
    NotFound (not owned), NumberNotAssigned (the founding page).
    """
    for _ in range(MAX_RACES):
        result = _require_assigned(
            await queries.detach(db, tenant, number_id, event_id=new_id(), audit_id=audit_id or new_ulid())
        )
        if result.was_changed or result.number.campaign_id is None:
            return result.number
    raise RuntimeError("a number changed under every attempt to detach it")


async def attach(db: Executor, tenant: Tenant, number_id: UUID, campaign_id: UUID) -> PhoneNumber:
    """Put a number on a campaign, replacing another; the same one again changes nothing.

    Checks in the reference's order: NotFound (campaign), CampaignNotActive, BrandNotVerified, NotFound (number),
    NumberNotAssigned; then CampaignNeedsLocalNumber.
    """
    for _ in range(MAX_RACES):
        await campaigns.require_bindable(db, tenant, campaign_id)
        result = _require_assigned(
            await queries.attach(db, tenant, number_id, campaign_id, event_id=new_id(), audit_id=new_ulid())
        )
        rules.require_campaign_fits([(result.number.number, result.number.number_type)])
        if result.was_changed or result.number.campaign_id == campaign_id:
            return result.number
    raise RuntimeError("a number changed under every attempt to attach it")


async def change(tx: Tx, tenant: Tenant, number_id: UUID, patch: NumberPatch) -> PhoneNumber:
    """Change a number's settings, and attach when a campaign is named.

    Raises NotFound, CampaignNotActive, BrandNotVerified, CampaignNeedsLocalNumber. Nothing is written when nothing
    differs.
    """
    number = await queries.lock_assigned(tx, tenant.org_id, number_id)
    if number is None:
        raise NotFound
    wanted = {
        "inbound_url": _changed(patch.inbound_url, number.inbound_url),
        "status_url": _changed(patch.status_url, number.status_url),
        "label": _changed(patch.label, number.label),
    }
    if any(wanted[name] != getattr(number, name) for name in wanted):
        number = await queries.update_settings(tx, tenant.org_id, number_id, **wanted)
        if number is None:
            raise NotFound
        await emit(tx, tenant.org_id, EventType.PHONE_NUMBER_UPDATED, number_id, number)
        await organizations.record(
            tx,
            tenant,
            action="phone_number.update",
            resource_type="phone_number",
            resource_id=number_id,
            payload=wanted,
        )
    if isinstance(patch.campaign_id, UUID):
        number = await attach(tx, tenant, number_id, patch.campaign_id)
    return number


async def require_campaign(db: Executor, tenant: Tenant, campaign_id: UUID) -> None:
    """The campaign is the organization's. Raises NotFound."""
    if await campaigns.get_for_binding(db, tenant, campaign_id) is None:
        raise NotFound


def _require_assigned(result: AttachResult | None) -> AttachResult:
    if result is None:
        raise NotFound
    if result.state != NumberState.ASSIGNED:
        raise NumberNotAssigned
    return result


def _changed(given: object, present: str | None) -> str | None:
    """A patched text: left out or null keeps, empty clears."""
    if not isinstance(given, str):
        return present
    return given or None
