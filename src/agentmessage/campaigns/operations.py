"""The verbs on campaigns, inside the caller's transaction."""

from uuid import UUID

from agentmessage.campaigns import queries
from agentmessage.campaigns.model import BindingCampaign
from agentmessage.kernel.db import Statements, Tx
from agentmessage.kernel.tenant import Tenant


async def get_for_binding(db: Statements, tenant: Tenant, campaign_id: UUID) -> BindingCampaign | None:
    """What a number's binding depends on; None: the organization has no such campaign. Takes no lock."""
    return await queries.find_for_binding(db, tenant.org_id, campaign_id)


async def hold_for_binding(tx: Tx, tenant: Tenant, campaign_id: UUID) -> BindingCampaign | None:
    """As `get_for_binding`, holding off a deactivation until the commit, so that none is decided on an old count."""
    return await queries.lock_for_binding(tx, tenant.org_id, campaign_id)
