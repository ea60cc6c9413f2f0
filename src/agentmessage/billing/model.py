"""Values of the ledger: what is charged, what a wallet holds, and the levels it warns at."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from agentmessage.kernel.money import microcents

LOW_BALANCE_MICROCENTS = microcents(200)
"""A balance that falls below two dollars emits `wallet.balance_low`: two more local numbers, and time to top up."""


class LedgerKind(StrEnum):
    """What moved the balance."""

    TOPUP = "topup"
    DEBIT = "debit"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


class UsageKind(StrEnum):
    """What can be paid for; also the kinds of the price catalogue."""

    NUMBER_MONTH = "number_month"
    BRAND_FILING_ONETIME = "brand_filing_onetime"
    CAMPAIGN_MONTH = "campaign_month"
    OUTBOUND_SMS = "outbound_sms"
    OUTBOUND_MMS = "outbound_mms"
    INBOUND_SMS = "inbound_sms"
    INBOUND_MMS = "inbound_mms"
    LOOKUP = "lookup"


FREQUENT_USAGE = UsageKind.OUTBOUND_SMS
"""The kind of nearly every row, which usage_rows_rare_idx leaves out."""


class Charge(Struct, frozen=True, kw_only=True):
    """One thing to pay for. It is paid once for each (`source`, `source_ref`), however often it is asked for.

    `source` names the cause (`number_order`, `number_renewal`, `brand_filing`, …), `source_ref` the one occasion: the
    order and number, the number and month. `ref_kind` and `ref_id` name the resource that the usage row shows.
    """

    kind: str
    quantity: int
    unit_cost_microcents: int
    source: str
    source_ref: str
    ref_kind: str | None = None
    ref_id: UUID | None = None

    @property
    def total_microcents(self) -> int:
        """What it costs."""
        return self.quantity * self.unit_cost_microcents


class Wallet(Struct, frozen=True):
    """What an organization has, what it has ever spent, and the balance below which it wants to be topped up.

    What was given back is not spent, nor what may still be given back because its outcome is open.
    """

    balance_microcents: int
    lifetime_spend_microcents: int
    auto_topup_below_microcents: int | None = None


class Booked(Struct, frozen=True):
    """What one statement took from a wallet for one kind of usage, and how the wallet was before and after it."""

    org_id: UUID
    at: datetime
    kind: str
    total_microcents: int
    before: Wallet
    after: Wallet


class GivenBack(Struct, frozen=True):
    """What one statement of refunds came to."""

    at: datetime
    number: int
    total_microcents: int


class Tier(Struct, frozen=True):
    """How fast an organization may send messages, from a lifetime spend on. The rates are also the bursts."""

    number: int
    from_spend_microcents: int
    per_second: int
    per_minute: int


TIERS: Sequence[Tier] = (
    Tier(1, 0, 1, 60),
    Tier(2, microcents(10_000), 5, 300),
    Tier(3, microcents(50_000), 20, 1_200),
    Tier(4, microcents(500_000), 100, 6_000),
)
"""The ladder of throughput, lowest first."""


class Metric(StrEnum):
    """Sums of money that `rollups` keeps, in microcents; the words are those of `GET /v1/metrics`.

    Debits are labeled `kind`: the kind of usage, or `adjustment`. Credits are labeled `kind`: `topup`, `refund` or
    `adjustment`. What messages cost is labeled `channel`: `sms` or `mms`. All are positive; a refund is a credit.
    """

    DEBITS = "wallet.debit_cents"
    CREDITS = "wallet.credit_cents"
    OUTBOUND_COST = "messages.outbound.cost_cents"
    INBOUND_COST = "messages.inbound.cost_cents"


TEXT_COSTS: Mapping[str, tuple[Metric, str]] = {
    UsageKind.OUTBOUND_SMS: (Metric.OUTBOUND_COST, "sms"),
    UsageKind.OUTBOUND_MMS: (Metric.OUTBOUND_COST, "mms"),
    UsageKind.INBOUND_SMS: (Metric.INBOUND_COST, "sms"),
    UsageKind.INBOUND_MMS: (Metric.INBOUND_COST, "mms"),
}
"""Kinds of usage that are messages: the metric that counts what they cost, and their channel."""


class Overview(Struct, frozen=True):
    """Everything about an organization's money that is stored as it stands. Rates are null where its tier decides."""

    plan: str
    subscription_status: str
    balance_microcents: int
    auto_topup_enabled: bool
    auto_topup_amount_cents: int | None
    throughput_tier: int
    throughput_per_sec: int | None
    throughput_per_min: int | None


class Window(Struct, frozen=True):
    """Rows from an instant on, and older than a place: the end of what was asked for, or the last row of a page."""

    begins_at: datetime
    before_at: datetime
    before_id: UUID


class LedgerRow(Struct, frozen=True):
    """One movement of a wallet, as stored."""

    id: UUID
    ts: datetime
    kind: LedgerKind
    amount_microcents: int
    balance_after_microcents: int
    source: str
    source_ref: str | None
    metadata: Mapping[str, Any]


class UsageRow(Struct, frozen=True):
    """One thing that was paid for, as stored."""

    id: UUID
    ts: datetime
    kind: str
    quantity: int
    unit_cost_microcents: int
    total_microcents: int
    ref_kind: str | None
    ref_id: UUID | None
    metadata: Mapping[str, Any]


class Price(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry of the catalogue: whole cents for one unit, from `valid_from` until `valid_until` (excluded)."""

    kind: UsageKind
    ref: str | None = None
    unit_cost_cents: Annotated[int, Meta(ge=0)]
    valid_from: datetime
    valid_until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the price is valid at an instant."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)
