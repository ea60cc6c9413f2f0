"""Decisions about orders, releases and renewals; pure."""

import calendar
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.billing.model import Charge, UsageKind
from agentmessage.kernel.backoff import backoff_s
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.numbers.model import NumberType
from agentmessage.numbers.orders.model import OrderKind, Owed
from agentmessage.sms.numbers import is_toll_free

NANP = re.compile(r"\+1([2-9][0-9]{2})[2-9][0-9]{6}", re.ASCII)
"""The only numbers that the carrier port deals in: area code and exchange begin with 2..9 (NANP numbering plan)."""

BUY_JOB = "numbers.buy"
RETURN_JOB = "numbers.return"
ORDER_SOURCE = "number_order"
"""What the ledger calls the first month of an order."""

FIRST_POLL_S = 0.25
POLL_GROWTH = 1.5
LAST_POLL_S = 60.0
MONTHS_A_YEAR = 12


def type_of(number: str) -> NumberType:
    """What kind of number the carrier sells under these digits."""
    return NumberType.TOLL_FREE if is_toll_free(number) else NumberType.LOCAL


def type_of_area(area_code: str | None) -> NumberType:
    """What kind of number an area code has; local without one."""
    return type_of(f"+1{area_code}5550100") if area_code else NumberType.LOCAL


def may_be_bought(number: str) -> bool:
    """The carrier could sell such a number at all."""
    return NANP.fullmatch(number) is not None


def require_different(numbers: Sequence[str]) -> None:
    """Refuse an order that names a number twice."""
    twice = sorted(number for number, times in Counter(numbers).items() if times > 1)
    if twice:
        raise ValidationFailed({"numbers": f"must be different: {twice[0]} is given more than once"})


def order_key(order_id: UUID, purchase_round: int) -> str:
    """Our key for one purchase: at most 40 letters, digits and dashes, and never the same for two purchases."""
    return f"am-{order_id.hex}-{purchase_round}"


def job_of(kind: str) -> str:
    """The job that takes an order on."""
    return RETURN_JOB if kind == OrderKind.RETURN else BUY_JOB


def job_arguments(org_id: UUID, order_id: UUID) -> dict[str, str | int | None]:
    """Arguments of the job of an order."""
    return {"org_id": str(org_id), "order_id": str(order_id)}


def charges(order_id: UUID, prices: Sequence[tuple[NumberType, int, int]]) -> list[Charge]:
    """The first month of an order, one charge per type; `prices` has type, number of numbers, microcents each."""
    return [
        Charge(
            kind=UsageKind.NUMBER_MONTH,
            quantity=quantity,
            unit_cost_microcents=unit_cost,
            source=ORDER_SOURCE,
            source_ref=order_ref(order_id, number_type),
            ref_kind="number_order",
            ref_id=order_id,
        )
        for number_type, quantity, unit_cost in prices
    ]


def order_ref(order_id: UUID, number_type: NumberType) -> str:
    """The occasion on which the numbers of one type of an order are charged."""
    return f"{order_id}:{number_type}"


def occasions(order_id: UUID) -> list[tuple[str, str]]:
    """Every occasion on which numbers of an order may have been charged."""
    return [(ORDER_SOURCE, order_ref(order_id, kind)) for kind in NumberType]


def renewal(owed: Owed, unit_cost_microcents: int) -> Charge:
    """One more month of one number; the end of the month before names the occasion, so it is charged once."""
    return Charge(
        kind=UsageKind.NUMBER_MONTH,
        quantity=1,
        unit_cost_microcents=unit_cost_microcents,
        source="number_renewal",
        source_ref=f"{owed.id}:{owed.charged_until.isoformat()}",
        ref_kind="phone_number",
        ref_id=owed.id,
    )


def plus_months(moment: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the month's last day when it has no such day."""
    index = moment.year * MONTHS_A_YEAR + moment.month - 1 + months
    year, month = index // MONTHS_A_YEAR, index % MONTHS_A_YEAR + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def next_anniversary(since_at: datetime, after: datetime) -> datetime:
    """The first monthly anniversary of `since_at` that lies after a moment; 31 January, 28 February, 31 March."""
    months = (after.year - since_at.year) * MONTHS_A_YEAR + after.month - since_at.month
    first = plus_months(since_at, max(1, months))
    return first if first > after else plus_months(since_at, max(1, months) + 1)


def poll_delay_s(polls: int) -> float:
    """How long to wait before a carrier order is read again: a quarter of a second, growing to a minute."""
    return backoff_s(polls, first_s=FIRST_POLL_S, max_s=LAST_POLL_S, growth=POLL_GROWTH)
