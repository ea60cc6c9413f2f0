"""Refusals of organization settings.

ApiError
├── ResellerNotEligible   422
├── ResellerHasBrands     422
└── AttestationRequired   422
"""

from agentmessage.kernel.errors import ApiError


class ResellerNotEligible(ApiError):
    """A personal organization asked to become a reseller; only commercial ones register other people's brands."""

    code = "RESELLER_NOT_ELIGIBLE"
    status = 422
    fix = "Ask the operator to mark the organization as commercial ('agentmessage admin organizations set-kind')."
    message = "only commercial organizations can be resellers"


class ResellerHasBrands(ApiError):
    """Reseller status cannot end while brands are registered under it."""

    code = "RESELLER_HAS_BRANDS"
    status = 422
    fix = "Delete every brand, then turn is_reseller off."
    message = "organization still has brands"


class AttestationRequired(ApiError):
    """Somebody must answer STOP and HELP; whoever turns our answers off says in writing that they do."""

    code = "ATTESTATION_REQUIRED"
    status = 422
    fix = "Send auto_replies.attestation: a sentence saying who answers STOP, HELP and START instead, and how."
    message = "turning auto replies off needs an attestation"

    def __init__(self) -> None:
        super().__init__(details={"auto_replies.attestation": "is required to turn auto replies off"})
