"""Every statement on campaigns."""

from uuid import UUID

from agentmessage.campaigns.model import BindingCampaign
from agentmessage.kernel.db import Statements


async def find_for_binding(db: Statements, org_id: UUID, campaign_id: UUID) -> BindingCampaign | None:
    """What a binding depends on, campaign and brand in one look; by the primary keys."""
    return await db.one(
        BindingCampaign,
        """SELECT c.id, c.status, c.is_suspended, c.tcr_campaign_id, c.number_cap, b.identity_status
           FROM campaigns c JOIN brands b ON b.org_id = c.org_id AND b.id = c.brand_id
           WHERE c.org_id = $1 AND c.id = $2""",
        org_id,
        campaign_id,
    )


async def lock_for_binding(tx: Statements, org_id: UUID, campaign_id: UUID) -> BindingCampaign | None:
    """As `find_for_binding`, and until the commit the campaign cannot be deactivated; other changes go on."""
    return await tx.one(
        BindingCampaign,
        """SELECT c.id, c.status, c.is_suspended, c.tcr_campaign_id, c.number_cap, b.identity_status
           FROM campaigns c JOIN brands b ON b.org_id = c.org_id AND b.id = c.brand_id
           WHERE c.org_id = $1 AND c.id = $2 FOR KEY SHARE OF c""",
        org_id,
        campaign_id,
    )
