"""What billing puts on the wire. Whole US cents: balances and movements rounded down, prices rounded up."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, field

from agentmessage.billing.model import TIERS, LedgerKind, LedgerRow, Overview, Price, UsageKind, UsageRow
from agentmessage.kernel.money import balance_cents, price_cents
from agentmessage.web.types import CursorText, Request, Resource, Utc, error_text

PAGE_DEFAULT = 100
PAGE_MAX = 500


class WalletLevel(Resource, frozen=True):
    """A wallet that fell through a level. Whole US cents, rounded down."""

    org_id: UUID
    balance_cents: int
    threshold_cents: int
    currency: str

    @classmethod
    def of(cls, org_id: UUID, balance_microcents: int, threshold_microcents: int) -> "WalletLevel":
        """A balance and the level that it is now under."""
        return cls(org_id, balance_cents(balance_microcents), balance_cents(threshold_microcents), "USD")


class WalletResource(Resource, frozen=True):
    """The wallet, how it is topped up, what the month costs, and how fast messages may be sent.

    `mtd_spend_cents` is what was spent since the month began (UTC), less refunds; `projected_month_total_cents` adds
    the days left at the average of the last seven. `auto_topup_amount_cents` is null while it is off.
    """

    balance_cents: int
    plan_tier: str
    plan_cadence: str
    subscription_status: str
    auto_topup_enabled: bool
    auto_topup_amount_cents: int | None
    throughput_tier: int
    throughput_per_sec: int
    throughput_per_min: int
    min_topup_cents: int | None
    mtd_spend_cents: int
    projected_month_total_cents: int
    projected_month_total_basis: str

    @classmethod
    def of(
        cls, overview: Overview, *, spent_microcents: int, projected_microcents: int, min_topup_cents: int
    ) -> "WalletResource":
        """What is stored, with a month's sums."""
        tier = next((tier for tier in TIERS if tier.number == overview.throughput_tier), TIERS[0])
        return cls(
            balance_cents(overview.balance_microcents),
            overview.plan,
            "monthly",
            overview.subscription_status,
            overview.auto_topup_enabled,
            overview.auto_topup_amount_cents,
            overview.throughput_tier,
            overview.throughput_per_sec or tier.per_second,
            overview.throughput_per_min or tier.per_minute,
            min_topup_cents or None,
            max(0, price_cents(spent_microcents)),
            max(0, price_cents(projected_microcents)),
            "rolling_7d",
        )


class TransactionResource(Resource, frozen=True):
    """One movement of the wallet, written once: what was paid is negative.

    `source` is its cause (`outbound`, `number_renewal`, `stripe`, …), `source_ref` the one occasion: a text, an order
    and number, a payment.
    """

    id: UUID
    ts: datetime
    kind: LedgerKind
    amount_cents: int
    balance_after_cents: int
    source: str
    source_ref: str | None
    metadata: dict[str, Any]

    @classmethod
    def of(cls, row: LedgerRow) -> "TransactionResource":
        """A stored movement."""
        return cls(
            row.id,
            row.ts,
            row.kind,
            balance_cents(row.amount_microcents),
            balance_cents(row.balance_after_microcents),
            row.source,
            row.source_ref,
            dict(row.metadata),
        )


class UsageResource(Resource, frozen=True):
    """One thing that was paid for, written once with the price of that moment.

    A text is one row with its segments as `quantity`. `metadata.resource_id` is the id of what was paid for.
    """

    id: UUID
    ts: datetime
    kind: UsageKind
    quantity: int
    unit_cost_cents: int
    total_cents: int
    ref_kind: str | None
    ref_id: UUID | None
    metadata: dict[str, Any]

    @classmethod
    def of(cls, row: UsageRow) -> "UsageResource":
        """A stored row. `read_queries.list_usage_lines` prints the same."""
        return cls(
            row.id,
            row.ts,
            UsageKind(row.kind),
            row.quantity,
            price_cents(row.unit_cost_microcents),
            price_cents(row.total_microcents),
            row.ref_kind,
            row.ref_id,
            dict(row.metadata),
        )


class RefFee(Resource, frozen=True):
    """The price of one thing of its kind: a use case, a type of number, an entity type."""

    ref: str
    unit_cost_cents: int


class Fee(Resource, frozen=True):
    """The price of one unit: by name, and of everything that is not named; null: there is nothing else."""

    default_unit_cost_cents: int | None
    by_ref: Sequence[RefFee]

    @classmethod
    def of(cls, prices: Sequence[Price]) -> "Fee":
        """The prices of one kind that hold now."""
        default = next((price.unit_cost_cents for price in prices if price.ref is None), None)
        return cls(default, [RefFee(price.ref, price.unit_cost_cents) for price in prices if price.ref is not None])


class FeeCatalog(Resource, frozen=True):
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

    @classmethod
    def of(cls, plan: str, prices_of: Callable[[UsageKind], Sequence[Price]]) -> "FeeCatalog":
        """The prices that an organization on a plan pays."""
        return cls(plan, "USD", **{kind.value: Fee.of(prices_of(kind)) for kind in UsageKind})


class RangeQuery(Request, frozen=True):
    """A page of rows within a range: from midnight UTC 30 days ago until now, unless said otherwise."""

    begins_at: Annotated[Utc, Meta(description="The range's beginning, included.")] | UnsetType = field(
        default=UNSET, name="from"
    )
    ends_at: Annotated[Utc, Meta(description="The range's end, excluded.")] | UnsetType = field(
        default=UNSET, name="to"
    )
    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX, extra=error_text(f"must be an integer, 1..{PAGE_MAX}"))] = (
        PAGE_DEFAULT
    )


class TransactionQuery(RangeQuery, frozen=True):
    """Which movements to list, newest first."""

    kind: LedgerKind | UnsetType = UNSET


class UsageQuery(RangeQuery, frozen=True):
    """Which usage to list, newest first."""

    kind: UsageKind | UnsetType = UNSET
