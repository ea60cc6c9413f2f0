"""Every refusal that the room can give, beside NotFound, ValidationFailed and billing's InsufficientCredit."""

from agentmessage.kernel.errors import ApiError


class ResellerRequired(ApiError):
    """The organization has a brand already and does not act for others."""

    code = "RESELLER_REQUIRED"
    status = 422
    fix = "Use the brand that is there, delete it first, or set is_reseller with PATCH /v1/organization."
    message = "a second brand needs a reseller organization"


class BrandNotVerified(ApiError):
    """The registry has not verified who the brand is, so no campaign may run under it."""

    code = "BRAND_NOT_VERIFIED"
    status = 409
    fix = "Wait for the event brand.vetted; after brand.vetting_failed, correct the brand by what failure_reasons says."
    message = "brand is not verified"


class BrandHasCampaigns(ApiError):
    """The brand cannot be deleted while campaigns hang on it; the registry would refuse it too."""

    code = "BRAND_HAS_CAMPAIGNS"
    status = 409
    fix = "Deactivate its campaigns with DELETE /v1/campaigns/{id}, then delete the brand."
    message = "brand has campaigns"


class BrandDeleted(ApiError):
    """The brand is deleted; the registry does not bring brands back."""

    code = "BRAND_DELETED"
    status = 409
    fix = "Create a new brand; deletion cannot be undone."
    message = "brand is deleted"
