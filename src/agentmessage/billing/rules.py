"""Which price holds, whether a wallet can pay, what a spend sets off and adds up to; pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from agentmessage.billing.errors import InsufficientCredit, UnknownPrice
from agentmessage.billing.model import (
    LOW_BALANCE_MICROCENTS,
    TEXT_COSTS,
    TIERS,
    Booked,
    Charge,
    LedgerKind,
    Metric,
    Price,
    Tier,
    Wallet,
    Window,
)
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.outbox.event_types import EventType
from agentmessage.rollups.model import Count

SHOWN_BY_DEFAULT = timedelta(days=30)
MAX_SHOWN = timedelta(days=90)
ROLLING = timedelta(days=7)
FIRST_ID = UUID(int=0)
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


def price_cents(prices: Iterable[Price], kind: str, ref: str | None, at: datetime) -> int:
    """Cents for one unit: the entry for `ref`, else the default of the kind. Raises UnknownPrice."""
    held = {price.ref: price.unit_cost_cents for price in prices if price.kind == kind and price.holds(at)}
    cents = held.get(ref, held.get(None))
    if cents is None:
        raise UnknownPrice(f"no price for {kind} {ref or '(default)'} on {at:%Y-%m-%d}")
    return cents


def prices_at(prices: Iterable[Price], kind: str, at: datetime) -> list[Price]:
    """Every price of a kind that holds at an instant: the default first, then those of single things by name."""
    return sorted(
        (price for price in prices if price.kind == kind and price.holds(at)), key=lambda price: price.ref or ""
    )


def require_cover(balance_microcents: int, total_microcents: int, *, may_overdraw: bool) -> None:
    """Refuse a spend that the balance does not cover. What costs nothing needs no cover."""
    if total_microcents > balance_microcents and total_microcents > 0 and not may_overdraw:
        raise InsufficientCredit


def require_sound(charges: Sequence[Charge]) -> None:
    """A charge that would add money, or has no occasion to be charged once for, is a bug of ours."""
    for charge in charges:
        if charge.quantity < 0 or charge.unit_cost_microcents < 0 or not charge.source_ref:
            raise ValueError(f"not a charge: {charge}")


def warnings(before_microcents: int, after_microcents: int) -> list[EventType]:
    """The levels that a balance has fallen through, highest first."""
    levels = ((EventType.WALLET_BALANCE_LOW, LOW_BALANCE_MICROCENTS), (EventType.WALLET_BALANCE_ZERO, 1))
    return [event for event, level in levels if before_microcents >= level > after_microcents]


def wants_topup(before: Wallet, after_microcents: int) -> bool:
    """Whether a balance has fallen through the level at which it is to be topped up: once for each fall."""
    level = before.auto_topup_below_microcents
    return level is not None and before.balance_microcents >= level > after_microcents


def tier(lifetime_spend_microcents: int) -> Tier:
    """The highest step of the ladder that a lifetime spend has reached."""
    return [step for step in TIERS if step.from_spend_microcents <= lifetime_spend_microcents or step is TIERS[0]][-1]


def debit_counts(booked: Iterable[Booked]) -> list[Count]:
    """What charges add to the sums of money: to the wallet's by kind, and to that of messages by channel."""
    counts: list[Count] = []
    for entry in booked:
        if entry.total_microcents:
            counts.append(Count(entry.org_id, Metric.DEBITS, entry.at, {"kind": entry.kind}, entry.total_microcents))
            if entry.kind in TEXT_COSTS:
                metric, channel = TEXT_COSTS[entry.kind]
                counts.append(Count(entry.org_id, metric, entry.at, {"channel": channel}, entry.total_microcents))
    return counts


def credit_count(org_id: UUID, kind: LedgerKind, amount_microcents: int, at: datetime) -> Count:
    """What a movement that is no charge adds: one that takes money counts among the debits."""
    metric = Metric.CREDITS if amount_microcents > 0 else Metric.DEBITS
    return Count(org_id, metric, at, {"kind": kind.value}, abs(amount_microcents))


def window(
    begins_at: datetime | None, ends_at: datetime | None, *, now: datetime, max_span: timedelta | None
) -> Window:
    """The rows from `begins_at` on and before `ends_at`. Raises ValidationFailed naming `range`.

    Without an end it is now; without a beginning it is 30 days before the end, from midnight UTC on, so that the pages
    of one reading agree about it.
    """
    end = ends_at or now
    begin = begins_at
    if begin is None:
        begin = (end - min(SHOWN_BY_DEFAULT, end - EARLIEST)).replace(hour=0, minute=0, second=0, microsecond=0)
    if begin > end:
        raise ValidationFailed({"range": "must begin before it ends"})
    if max_span is not None and end - begin > max_span and begins_at is not None:
        raise ValidationFailed({"range": f"must span at most {max_span.days} days"})
    return Window(begin, end, FIRST_ID)


def projected_microcents(spent_microcents: int, rolling_microcents: int, now: datetime) -> int:
    """What a month will have cost at its end, if the days left cost what the last seven did on average (UTC)."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends_at = (month + timedelta(days=31)).replace(day=1)
    return spent_microcents + round(rolling_microcents * ((ends_at - now) / ROLLING))
