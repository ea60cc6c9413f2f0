"""Values of `billing`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from agentmessage.sdk._response import Model
from agentmessage.sdk.open_enum import OpenEnum


class LedgerKind(OpenEnum):
    """What moved the balance."""

    TOPUP = "topup"
    DEBIT = "debit"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


LedgerKindWord = Literal["topup", "debit", "refund", "adjustment"]


class UsageKind(OpenEnum):
    """What can be paid for; also the kinds of the price catalogue."""

    NUMBER_MONTH = "number_month"
    BRAND_FILING_ONETIME = "brand_filing_onetime"
    CAMPAIGN_MONTH = "campaign_month"
    OUTBOUND_SMS = "outbound_sms"
    OUTBOUND_MMS = "outbound_mms"
    INBOUND_SMS = "inbound_sms"
    INBOUND_MMS = "inbound_mms"
    LOOKUP = "lookup"


UsageKindWord = Literal[
    "number_month",
    "brand_filing_onetime",
    "campaign_month",
    "outbound_sms",
    "outbound_mms",
    "inbound_sms",
    "inbound_mms",
    "lookup",
]


class AutoTopup(Model, frozen=True, kw_only=True):
    """What is charged by itself. Off: everything but `enabled` and `last_failure` is null.

    `next_charge_at` is an estimate from the last seven days; null: not within a year, or nothing is spent.
    `monthly_max_cents` is what a calendar month may cost at most. `last_failure` is `monthly_ceiling_reached` once it
    has, until the next month begins; else the processor's code of the newest charge, if it failed. After four failures
    in a row automatic top-up turns itself off.
    """

    enabled: bool
    stripe_product_id: str | None = None
    auto_topup_amount_cents: int | None = None
    auto_topup_threshold_cents: int | None = None
    monthly_max_cents: int | None = None
    next_charge_at: datetime | None = None
    last_failure: str | None = None


class Checkout(Model, frozen=True, kw_only=True):
    """Where the customer pays. The credit arrives after the payment."""

    checkout_session_id: str
    checkout_url: str


class RefFee(Model, frozen=True, kw_only=True):
    """The price of one thing of its kind: a use case, a type of number, an entity type."""

    ref: str
    unit_cost_cents: int


class Fee(Model, frozen=True, kw_only=True):
    """The price of one unit: by name, and of everything that is not named; null: there is nothing else."""

    default_unit_cost_cents: int | None = None
    by_ref: tuple[RefFee, ...]


class FeeCatalog(Model, frozen=True, kw_only=True):
    """Every price as it is now. Messages cost by the segment, numbers and campaigns by the month."""

    tier: str
    currency: str
    campaign_month: Fee
    brand_filing_onetime: Fee
    number_month: Fee
    outbound_sms: Fee
    outbound_mms: Fee
    inbound_sms: Fee
    inbound_mms: Fee
    lookup: Fee


class Portal(Model, frozen=True, kw_only=True):
    """Where the customer manages cards and receipts, once and soon."""

    portal_url: str
    expires_at: datetime


class TopupProduct(Model, frozen=True, kw_only=True):
    """Credit that can be bought."""

    stripe_product_id: str
    amount_cents: int
    display_label: str


class TopupProducts(Model, frozen=True, kw_only=True):
    """What is sold, cheapest first; the same for everybody."""

    products: tuple[TopupProduct, ...]


class Transaction(Model, frozen=True, kw_only=True):
    """One movement of the wallet, written once: what was paid is negative.

    `source` is its cause (`outbound`, `number_renewal`, `stripe`, …), `source_ref` the one occasion: a text, an order
    and number, a payment.
    """

    id: str
    ts: datetime
    kind: LedgerKind
    amount_cents: int
    balance_after_cents: int
    source: str
    source_ref: str | None = None
    metadata: Mapping[str, Any]


class Usage(Model, frozen=True, kw_only=True):
    """One thing that was paid for, written once with the price of that moment.

    A text is one row with its segments as `quantity`. `metadata.resource_id` is the id of what was paid for.
    """

    id: str
    ts: datetime
    kind: UsageKind
    quantity: int
    unit_cost_cents: int
    total_cents: int
    ref_kind: str | None = None
    ref_id: str | None = None
    metadata: Mapping[str, Any]


class Wallet(Model, frozen=True, kw_only=True):
    """The wallet, how it is topped up, what the month costs, and how fast messages may be sent.

    `mtd_spend_cents` is what was spent since the month began (UTC), less refunds; `projected_month_total_cents` adds
    the days left at the average of the last seven. `auto_topup_amount_cents` is null while it is off.
    """

    balance_cents: int
    plan_tier: str
    plan_cadence: str
    subscription_status: str
    auto_topup_enabled: bool
    auto_topup_amount_cents: int | None = None
    throughput_tier: int
    throughput_per_sec: int
    throughput_per_min: int
    min_topup_cents: int | None = None
    mtd_spend_cents: int
    projected_month_total_cents: int
    projected_month_total_basis: str
