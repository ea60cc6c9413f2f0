"""The room's errors, in addition to NotFound, ValidationFailed, BrandNotVerified and InsufficientCredit."""

from agentmessage.kernel.errors import ApiError


class CampaignNotActive(ApiError):
    """The campaign is still in review, was rejected, or has expired."""

    code = "CAMPAIGN_NOT_ACTIVE"
    status = 409
    fix = "Wait for the event campaign.approved, or use a campaign whose status is ACTIVE."
    message = "campaign is not active"


class CampaignHasNumbers(ApiError):
    """Numbers are on the campaign, or are to be, so it is not deactivated without `detach_numbers`."""

    code = "CAMPAIGN_HAS_NUMBERS"
    status = 409
    fix = "Detach its numbers first, or repeat the request with ?detach_numbers=true."
    message = "campaign has phone numbers"


class SoleProprietorLimit(ApiError):
    """The registry allows a sole proprietor one campaign at a time."""

    code = "SOLE_PROPRIETOR_LIMIT"
    status = 409
    fix = "Deactivate the brand's other campaign first, or register the business with its tax id."
    message = "a sole proprietor can have one campaign"
