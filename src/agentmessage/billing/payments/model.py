"""Values of money that comes in: what is sold, who pays, one purchase, and what is charged by itself."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

CURRENCY = "usd"
SOURCE = "stripe"
"""What the ledger calls money from the processor; `source_ref` is the processor's payment."""

SANDBOX_SOURCE = "sandbox"
REFUND_SOURCE = "stripe_refund"
DISPUTE_SOURCE = "stripe_dispute"
UNDONE = "_undone"
"""Behind a source: what was taken back is given again, as when a refund fails or a dispute is won."""

MAX_THRESHOLD_CENTS = 2000
"""A wallet is topped up below 20 dollars (reference: amount 2000, threshold 2000), below its amount if that is less."""

PAUSES = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""Between one failed charge and the next; when they are used up, one more failure turns the automatic top-up off."""

KEY_LIFE = timedelta(hours=20)
"""How long a charge may be asked for again: Stripe forgets an idempotency key after 24 hours at the earliest."""

REFUND_PEACE = timedelta(days=1)
"""How long after a refund nothing is charged by itself: who gives money back does not take it at once."""


class Product(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Credit that can be bought. `is_in_stripe`: the id is a product of the operator's Stripe account."""

    stripe_product_id: str
    amount_cents: Annotated[int, Meta(ge=500, le=10_000)]
    display_label: str
    is_in_stripe: bool = False


class SubscriptionStatus(StrEnum):
    """How an organization's plan stands. Pay as you go has no subscription to fall behind with: it is active."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"


class BillingCustomer(Struct, frozen=True):
    """An organization as the processor knows it; without `customer_id` it does not."""

    org_id: UUID
    customer_id: str | None
    subscription_id: str | None
    standing: SubscriptionStatus
    reported_at: datetime | None


class TopupKind(StrEnum):
    """Whether the customer was present: at a checkout, or not."""

    CHECKOUT = "checkout"
    AUTO = "auto"


class TopupState(StrEnum):
    """A failed one can still be paid: a checkout's second card, a word that came late."""

    OPEN = "open"
    PAID = "paid"
    FAILED = "failed"


class Topup(Struct, frozen=True):
    """One purchase of credit."""

    id: UUID
    org_id: UUID
    kind: TopupKind
    state: TopupState
    product_id: str
    amount_cents: int
    success_url: str | None
    cancel_url: str | None
    session_id: str | None
    session_url: str | None
    customer_id: str | None
    payment_method: str | None
    payment_id: str | None
    failure: str | None
    created_at: datetime


USUAL_TOPUPS = 10
"""So many automatic charges fit into a month where the organization names no ceiling."""


class AutoTopup(Struct, frozen=True):
    """What is bought whenever the balance falls below the threshold. `failures` are those in a row.

    `monthly_max_cents` is what a calendar month (UTC) may cost at most; None: ten times the amount.
    """

    org_id: UUID
    product_id: str
    amount_cents: int
    threshold_cents: int
    is_enabled: bool
    failures: int = 0
    last_failure: str | None = None
    next_attempt_at: datetime | None = None
    monthly_max_cents: int | None = None

    @property
    def ceiling_cents(self) -> int:
        """What is charged by itself in one month at most."""
        return self.monthly_max_cents or USUAL_TOPUPS * self.amount_cents
