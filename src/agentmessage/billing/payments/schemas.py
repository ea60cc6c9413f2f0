"""What topping up puts on the wire. Whole US cents; instants are UTC."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.billing.payments.model import AutoTopup, Product, SubscriptionStatus
from agentmessage.web.types import Request, Resource, error_text
from agentmessage.web.webhook_urls import MAX_URL_CHARS, PAGE_PATTERN

Page = Annotated[
    str,
    Meta(
        pattern=PAGE_PATTERN,
        max_length=MAX_URL_CHARS,
        examples=["https://app.example/billing"],
        extra=error_text(f"must be an https URL of at most {MAX_URL_CHARS} characters, without user and password"),
    ),
]
ProductId = Annotated[
    str, Meta(min_length=1, max_length=255, examples=["topup_2000"], extra=error_text("must be a product's id"))
]


class TopupProduct(Resource, frozen=True):
    """Credit that can be bought."""

    stripe_product_id: str
    amount_cents: int
    display_label: str


class TopupProducts(Resource, frozen=True):
    """What is sold, cheapest first; the same for everybody."""

    products: Sequence[TopupProduct]

    @classmethod
    def of(cls, products: Sequence[Product]) -> "TopupProducts":
        """The catalogue as it is shown."""
        return cls(
            [
                TopupProduct(product.stripe_product_id, product.amount_cents, product.display_label)
                for product in products
            ]
        )


class TopupCreate(Request, frozen=True):
    """A checkout for one top-up. Both pages must be https where real cards are taken.

    In `success_url` the processor puts the session's id in the place of `{CHECKOUT_SESSION_ID}`.
    """

    stripe_product_id: ProductId
    success_url: Page
    cancel_url: Page


class CheckoutResource(Resource, frozen=True):
    """Where the customer pays. The credit arrives after the payment."""

    checkout_session_id: str
    checkout_url: str


class AutoTopupPut(Request, frozen=True):
    """Automatic top-up, on with a product or off."""

    enabled: bool
    stripe_product_id: ProductId | UnsetType = UNSET
    monthly_max_cents: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=100_000_000,
                description="What a calendar month (UTC) may cost at most; left out: ten times the amount.",
                examples=[20_000],
                extra=error_text("must be 1..100000000 cents, and no less than the product's amount"),
            ),
        ]
        | UnsetType
    ) = UNSET


class AutoTopupResource(Resource, frozen=True):
    """What is charged by itself. Off: everything but `enabled` and `last_failure` is null.

    `next_charge_at` is an estimate from the last seven days; null: not within a year, or nothing is spent.
    `monthly_max_cents` is what a calendar month may cost at most. `last_failure` is `monthly_ceiling_reached` once it
    has, until the next month begins; else the processor's code of the newest charge, if it failed. After four failures
    in a row automatic top-up turns itself off.
    """

    enabled: bool
    stripe_product_id: str | None
    auto_topup_amount_cents: int | None
    auto_topup_threshold_cents: int | None
    monthly_max_cents: int | None
    next_charge_at: datetime | None
    last_failure: str | None

    @classmethod
    def of(cls, auto: AutoTopup | None, next_charge_at: datetime | None) -> "AutoTopupResource":
        """The setting as it stands."""
        if auto is None or not auto.is_enabled:
            return cls(
                enabled=False,
                stripe_product_id=None,
                auto_topup_amount_cents=None,
                auto_topup_threshold_cents=None,
                monthly_max_cents=None,
                next_charge_at=None,
                last_failure=None if auto is None else auto.last_failure,
            )
        return cls(
            enabled=True,
            stripe_product_id=auto.product_id,
            auto_topup_amount_cents=auto.amount_cents,
            auto_topup_threshold_cents=auto.threshold_cents,
            monthly_max_cents=auto.ceiling_cents,
            next_charge_at=next_charge_at,
            last_failure=auto.last_failure,
        )


class PortalCreate(Request, frozen=True):
    """A portal session; `return_url` is the page that the customer comes back to, on a host that is allowed."""

    return_url: Page


class PortalResource(Resource, frozen=True):
    """Where the customer manages cards and receipts, once and soon."""

    portal_url: str
    expires_at: datetime


class SubscriptionResource(Resource, frozen=True):
    """How an organization's plan stands; the body of `subscription.*` events."""

    org_id: UUID
    subscription_id: str
    status: SubscriptionStatus
    changed_at: datetime
