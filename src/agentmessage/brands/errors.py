"""The room's errors, in addition to NotFound, ValidationFailed and billing's InsufficientCredit."""

from agentmessage.kernel.errors import ApiError


class ResellerRequired(ApiError):
    """The organization has a brand already and is not a reseller."""

    code = "RESELLER_REQUIRED"
    status = 422
    fix = "Use the brand that is there, delete it first, or set is_reseller with PATCH /v1/organization."
    message = "a second brand needs a reseller organization"


class BrandNotVerified(ApiError):
    """The registry has not verified the identity of the brand, so it can have no campaign."""

    code = "BRAND_NOT_VERIFIED"
    status = 409
    fix = "Wait for the event brand.vetted; after brand.vetting_failed, correct the brand by what failure_reasons says."
    message = "brand is not verified"


class BrandHasCampaigns(ApiError):
    """The brand cannot be deleted while it has campaigns; the registry would reject it too."""

    code = "BRAND_HAS_CAMPAIGNS"
    status = 409
    fix = "Deactivate its campaigns with DELETE /v1/campaigns/{id}, then delete the brand."
    message = "brand has campaigns"


class BrandDeleted(ApiError):
    """The brand is deleted; the registry does not restore brands."""

    code = "BRAND_DELETED"
    status = 409
    fix = "Create a new brand; deletion cannot be undone."
    message = "brand is deleted"
