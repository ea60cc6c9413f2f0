"""Every statement on campaigns, and one read of phone numbers."""

from datetime import datetime
from uuid import UUID

from agentmessage.campaigns.model import BindingCampaign, Campaign
from agentmessage.kernel.db import Executor
from agentmessage.registration.model import RecordKey


async def find_for_binding(db: Executor, org_id: UUID, campaign_id: UUID) -> BindingCampaign | None:
    """What a binding depends on, of campaign and brand; by the primary keys."""
    return await db.one(
        BindingCampaign,
        """SELECT c.id, c.status, c.is_suspended, c.tcr_campaign_id, c.number_cap, b.identity_status
           FROM campaigns c JOIN brands b ON b.org_id = c.org_id AND b.id = c.brand_id
           WHERE c.org_id = $1 AND c.id = $2""",
        org_id,
        campaign_id,
    )


async def lock_for_binding(tx: Executor, org_id: UUID, campaign_id: UUID) -> BindingCampaign | None:
    """As `find_for_binding`, and until the commit the campaign cannot be deactivated; other changes go on."""
    return await tx.one(
        BindingCampaign,
        """SELECT c.id, c.status, c.is_suspended, c.tcr_campaign_id, c.number_cap, b.identity_status
           FROM campaigns c JOIN brands b ON b.org_id = c.org_id AND b.id = c.brand_id
           WHERE c.org_id = $1 AND c.id = $2 FOR KEY SHARE OF c""",
        org_id,
        campaign_id,
    )


async def insert(tx: Executor, campaign: Campaign) -> None:
    """Store a new, paid campaign."""
    await tx.run(
        """INSERT INTO campaigns (id, org_id, account, brand_id, status, usecase, sub_usecases, description,
               message_flow, fields, number_cap, monthly_fee_microcents, months_charged, billed_at, created_at,
               updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)""",
        campaign.id,
        campaign.org_id,
        campaign.account,
        campaign.brand_id,
        campaign.status,
        campaign.usecase,
        campaign.sub_usecases,
        campaign.description,
        campaign.message_flow,
        campaign.fields,
        campaign.number_cap,
        campaign.monthly_fee_microcents,
        campaign.months_charged,
        campaign.billed_at,
        campaign.created_at,
    )


async def count_of_brand(tx: Executor, org_id: UUID, brand_id: UUID) -> int:
    """Number of campaigns of a brand that are in review or approved."""
    count: int = await tx.value(
        "SELECT count(*) FROM campaigns WHERE org_id = $1 AND brand_id = $2 AND status IN ('PENDING', 'ACTIVE')",
        org_id,
        brand_id,
    )
    return count


async def find(db: Executor, org_id: UUID, campaign_id: UUID) -> Campaign | None:
    """One campaign."""
    return await db.one(
        Campaign,
        """SELECT id, org_id, account, brand_id, tcr_campaign_id, status, is_suspended, is_shared, usecase,
               sub_usecases, description, message_flow, fields, number_cap, mno_metadata, monthly_fee_microcents,
               months_charged, filed_at, filing_misses, submitted_at, activated_at, billed_at, renews_on, expired_at,
               rejection_reasons, rejected_at, created_at, updated_at
           FROM campaigns WHERE org_id = $1 AND id = $2""",
        org_id,
        campaign_id,
    )


async def lock(tx: Executor, org_id: UUID, campaign_id: UUID) -> Campaign | None:
    """One campaign, locked until the commit; rows that only refer to it are not blocked."""
    return await tx.one(
        Campaign,
        """SELECT id, org_id, account, brand_id, tcr_campaign_id, status, is_suspended, is_shared, usecase,
               sub_usecases, description, message_flow, fields, number_cap, mno_metadata, monthly_fee_microcents,
               months_charged, filed_at, filing_misses, submitted_at, activated_at, billed_at, renews_on, expired_at,
               rejection_reasons, rejected_at, created_at, updated_at
           FROM campaigns WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        org_id,
        campaign_id,
    )


async def lock_against_bindings(tx: Executor, org_id: UUID, campaign_id: UUID) -> Campaign | None:
    """As `lock`; until the commit no number can be put on it, because new references wait."""
    return await tx.one(
        Campaign,
        """SELECT id, org_id, account, brand_id, tcr_campaign_id, status, is_suspended, is_shared, usecase,
               sub_usecases, description, message_flow, fields, number_cap, mno_metadata, monthly_fee_microcents,
               months_charged, filed_at, filing_misses, submitted_at, activated_at, billed_at, renews_on, expired_at,
               rejection_reasons, rejected_at, created_at, updated_at
           FROM campaigns WHERE org_id = $1 AND id = $2 FOR UPDATE""",
        org_id,
        campaign_id,
    )


async def count_numbers(tx: Executor, org_id: UUID, campaign_id: UUID) -> int:
    """Number of numbers whose desired campaign it is."""
    count: int = await tx.value(
        "SELECT count(*) FROM phone_numbers WHERE org_id = $1 AND campaign_id = $2", org_id, campaign_id
    )
    return count


async def update(tx: Executor, campaign: Campaign) -> None:
    """Store a locked campaign; what was filed never changes."""
    await tx.run(
        """UPDATE campaigns SET tcr_campaign_id = $3, status = $4, is_suspended = $5, is_shared = $6, mno_metadata = $7,
               months_charged = $8, filed_at = $9, filing_misses = $10, submitted_at = $11, activated_at = $12,
               billed_at = $13, renews_on = $14, expired_at = $15, rejection_reasons = $16, rejected_at = $17,
               updated_at = $18
           WHERE org_id = $1 AND id = $2""",
        campaign.org_id,
        campaign.id,
        campaign.tcr_campaign_id,
        campaign.status,
        campaign.is_suspended,
        campaign.is_shared,
        campaign.mno_metadata,
        campaign.months_charged,
        campaign.filed_at,
        campaign.filing_misses,
        campaign.submitted_at,
        campaign.activated_at,
        campaign.billed_at,
        campaign.renews_on,
        campaign.expired_at,
        campaign.rejection_reasons,
        campaign.rejected_at,
        campaign.updated_at,
    )


async def list_(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    offset: int,
    status: str | None,
    brand_id: UUID | None,
    limit: int,
) -> list[Campaign]:
    """Campaigns, newest first, after a cursor; served by campaigns_list_idx."""
    return await db.all(
        Campaign,
        """SELECT id, org_id, account, brand_id, tcr_campaign_id, status, is_suspended, is_shared, usecase,
               sub_usecases, description, message_flow, fields, number_cap, mno_metadata, monthly_fee_microcents,
               months_charged, filed_at, filing_misses, submitted_at, activated_at, billed_at, renews_on, expired_at,
               rejection_reasons, rejected_at, created_at, updated_at
           FROM campaigns
           WHERE org_id = $1
             AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                     coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND ($4::text IS NULL OR status = $4) AND ($5::uuid IS NULL OR brand_id = $5)
           ORDER BY created_at DESC, id DESC LIMIT $6 OFFSET $7""",
        org_id,
        before_at,
        before_id,
        status,
        brand_id,
        limit,
        offset,
    )


async def count(db: Executor, org_id: UUID, *, status: str | None, brand_id: UUID | None) -> int:
    """Number of campaigns that match: `meta.total`."""
    total: int = await db.value(
        """SELECT count(*) FROM campaigns WHERE org_id = $1 AND ($2::text IS NULL OR status = $2)
             AND ($3::uuid IS NULL OR brand_id = $3)""",
        org_id,
        status,
        brand_id,
    )
    return total


async def list_registered_as(db: Executor, tcr_campaign_id: str) -> list[RecordKey]:
    """The campaigns with a registry's id, across tenants: a callback names no organization."""
    return await db.all(RecordKey, "SELECT org_id, id FROM campaigns WHERE tcr_campaign_id = $1", tcr_campaign_id)
