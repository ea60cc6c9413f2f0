"""Decisions about campaigns; pure functions of values."""

from agentmessage.brands.errors import BrandNotVerified
from agentmessage.brands.model import VERIFIED_IDENTITIES
from agentmessage.campaigns.errors import CampaignNotActive
from agentmessage.campaigns.model import BindingCampaign, CampaignStatus


def require_bindable(campaign: BindingCampaign) -> None:
    """Refuse a campaign that no number may be put on: CampaignNotActive first, then BrandNotVerified.

    A suspended campaign is bindable: it comes back by itself, and the wish waits for it (decisions, section 4).
    """
    if campaign.status != CampaignStatus.ACTIVE:
        raise CampaignNotActive
    if campaign.brand_identity_status not in VERIFIED_IDENTITIES:
        raise BrandNotVerified
