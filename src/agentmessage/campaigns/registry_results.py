"""What the registry's answers change in a campaign: each in one transaction, under the campaign's row lock."""

from datetime import UTC, datetime, time
from uuid import UUID

import msgspec

from agentmessage.campaigns import operations, queries, rules
from agentmessage.campaigns.model import Campaign, CampaignStatus
from agentmessage.carriers.protocols import RegisteredCampaign
from agentmessage.kernel.db import Tx
from agentmessage.kernel.tenant import operator
from agentmessage.outbox.event_types import EventType


async def record_registered(tx: Tx, filed: Campaign, seen: RegisteredCampaign) -> None:
    """The registry has it. A deactivation since then is enqueued."""
    campaign = await queries.lock(tx, filed.org_id, filed.id)
    if campaign is None or campaign.tcr_campaign_id is not None:
        return
    campaign = msgspec.structs.replace(
        campaign, tcr_campaign_id=seen.tcr_campaign_id, submitted_at=tx.now, updated_at=tx.now, filing_misses=0
    )
    await queries.update(tx, campaign)
    is_ended = campaign.status == CampaignStatus.EXPIRED
    await operations.enqueue(
        tx, "campaigns.deactivate" if is_ended else "campaigns.check", campaign.org_id, campaign.id
    )


async def record_refused(tx: Tx, filed: Campaign, reason: str, *, cell: str) -> None:
    """The registry refused the filing: reject the campaign, and refund the month."""
    campaign = await queries.lock(tx, filed.org_id, filed.id)
    if campaign is None or campaign.tcr_campaign_id is not None:
        return
    campaign = msgspec.structs.replace(campaign, filed_at=None, filing_misses=0)
    if campaign.status != CampaignStatus.PENDING:
        await queries.update(tx, campaign)
        return
    change = rules.ended(campaign, CampaignStatus.REJECTED, (reason,), now=tx.now)
    await operations.apply(tx, operator(campaign.org_id, cell, campaign.account), change)


async def record_status(
    tx: Tx, org_id: UUID, campaign_id: UUID, seen: RegisteredCampaign, *, cell: str
) -> Campaign | None:
    """Store what the registry shows of a campaign; compared under the lock, so that each event is emitted once."""
    campaign = await queries.lock(tx, org_id, campaign_id)
    if campaign is None:
        return None
    change = rules.status_change(campaign, seen, now=tx.now)
    if change.campaign is campaign:
        return campaign
    new = await operations.apply(tx, operator(org_id, cell, campaign.account), change)
    if EventType.CAMPAIGN_APPROVED in change.events:
        await operations.enqueue(tx, "campaigns.renew", org_id, campaign_id, delay_s=until_s(new, tx.now))
    return new


async def renew(tx: Tx, org_id: UUID, campaign_id: UUID, *, cell: str) -> float | None:
    """Charge the month that has begun, if any; returns the seconds until the next, None if there is none."""
    campaign = await queries.lock(tx, org_id, campaign_id)
    if campaign is None or campaign.status != CampaignStatus.ACTIVE or campaign.renews_on is None:
        return None
    if campaign.renews_on > tx.now.date():
        return until_s(campaign, tx.now)
    tenant = operator(org_id, cell, campaign.account)
    campaign = rules.renewed(await operations.charge_month(tx, tenant, campaign, may_overdraw=True))
    await queries.update(tx, msgspec.structs.replace(campaign, updated_at=tx.now))
    return until_s(campaign, tx.now)


def until_s(campaign: Campaign, now: datetime) -> float:
    """Seconds until the campaign's next month begins, at midnight UTC; 0.0 if it has begun."""
    if campaign.renews_on is None:
        return 0.0
    return max(0.0, (datetime.combine(campaign.renews_on, time(), tzinfo=UTC) - now).total_seconds())
