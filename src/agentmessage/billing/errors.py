"""Refusals of billing.

ApiError
├── InsufficientCredit             402
├── BelowMinimumCredit             402
├── NoPlan                         402
├── PlanNotFound                   404 (NOT_FOUND)
├── AutoTopupIsOn                  409
├── NoStripeCustomer               409
├── BillingPortalUnavailable       502
├── BillingProviderUnavailable     502
└── BillingProviderNotConfigured   503
"""

from agentmessage.kernel.errors import ApiError


class InsufficientCredit(ApiError):
    """The wallet cannot cover it; nothing was charged and nothing was done."""

    code = "INSUFFICIENT_CREDIT"
    status = 402
    fix = "Top up the wallet (the operator does so with 'agentmessage admin wallet credit'), then send it again."
    message = "insufficient credit"


class BelowMinimumCredit(ApiError):
    """The wallet would hold less than the installation's minimum even after the top-up."""

    code = "BELOW_MINIMUM_CREDIT"
    status = 402
    fix = "Choose a larger product; the wallet's min_topup_cents says what the balance must reach."
    message = "balance below tier minimum"


class NoPlan(ApiError):
    """The organization's subscription was canceled: nothing is charged by itself."""

    code = "NO_PLAN"
    status = 402
    fix = "Take out a subscription again, or ask the operator to."
    message = "no plan"


class PlanNotFound(ApiError):
    """The organization's subscription was canceled: there is nothing to top up."""

    code = "NOT_FOUND"
    status = 404
    fix = "Take out a subscription again, or ask the operator to."
    message = "NO_PLAN"


class AutoTopupIsOn(ApiError):
    """Automatic top-up is on already; only turning it off may be repeated."""

    code = "CONFLICT"
    status = 409
    fix = "To change the product, turn automatic top-up off and on again."
    message = "automatic top-up is already on"


class NoStripeCustomer(ApiError):
    """The processor does not know the organization: it has never been at a checkout."""

    code = "NO_STRIPE_CUSTOMER"
    status = 409
    fix = "Top up once (POST /v1/billing/topup): the first checkout makes the customer and saves the card."
    message = "the organization has no customer at the card processor"


class BillingPortalUnavailable(ApiError):
    """The card processor gave no portal session."""

    code = "BILLING_PORTAL_UNAVAILABLE"
    status = 502
    fix = "Try again in a minute; if it stays, the operator finds the processor's words in the log."
    message = "the billing portal is not available"


class BillingProviderUnavailable(ApiError):
    """The card processor gave no checkout; nothing was charged."""

    code = "BILLING_PROVIDER_UNAVAILABLE"
    status = 502
    fix = "Try again in a minute with the same Idempotency-Key; if it stays, the operator finds the cause in the log."
    message = "the card processor is not available"


class BillingProviderNotConfigured(ApiError):
    """The installation takes no cards: the operator credits wallets by hand."""

    code = "BILLING_PROVIDER_NOT_CONFIGURED"
    status = 503
    fix = "Ask the operator for credit ('agentmessage admin wallet credit'), or to configure Stripe."
    message = "no card processor is configured"


class UnknownPrice(Exception):
    """The catalogue has no price for this at that time: a fault of the catalogue, not of the caller."""
