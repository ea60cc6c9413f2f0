"""Values of the ledger: what is charged, what a wallet holds, and the levels it warns at."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from agentmessage.kernel.money import microcents

LOW_BALANCE_MICROCENTS = microcents(200)
"""A balance that falls below two dollars emits `wallet.balance_low`: two more local numbers, and time to top up."""


class LedgerKind(StrEnum):
    """What moved the balance (api-accounts, section 6)."""

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
    """What an organization has, what it has ever spent, and the balance below which it wants to be topped up."""

    balance_microcents: int
    lifetime_spend_microcents: int
    auto_topup_below_microcents: int | None = None


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
