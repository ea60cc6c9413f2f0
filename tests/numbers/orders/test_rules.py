"""The arithmetic of orders: what may be bought, months, keys, patience."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.numbers.orders import rules as order_rules

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones
ORDER_ID = UUID("01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11")


@pytest.mark.parametrize("number", ["+14155550123", "+18005550199"])
def test_a_north_american_number_may_be_bought(number: str) -> None:
    assert order_rules.may_be_bought(number)


@pytest.mark.parametrize(
    "number",
    ["+442079460123", "+1415555012", "+141555501234", "+11155550123", "+14151550123", "+14155550123\n", "+1٤155550123"],
)
def test_no_other_number_may_be_bought(number: str) -> None:
    assert not order_rules.may_be_bought(number)


@pytest.mark.parametrize(("number", "kind"), [("+18885550123", "toll_free"), ("+14155550123", "local")])
def test_the_area_code_says_the_type(number: str, kind: str) -> None:
    assert order_rules.type_of(number) == kind


def test_without_an_area_code_local_numbers_are_meant() -> None:
    assert order_rules.type_of_area(None) == "local"


def test_a_number_named_twice_is_refused_by_name() -> None:
    with pytest.raises(ValidationFailed) as refusal:
        order_rules.require_different(["+14155550123", "+14155550124", "+14155550123"])

    assert refusal.value.details == {"numbers": "must be different: +14155550123 is given more than once"}


@given(st.integers(1, 9999))
def test_an_order_key_is_what_carriers_take(purchase_round: int) -> None:
    """At most 40 of letters, digits and dashes (docs/carriers/bandwidth.md, section 2)."""
    key = order_rules.order_key(ORDER_ID, purchase_round)

    assert len(key) <= 40
    assert key.replace("-", "").isalnum()
    assert key != order_rules.order_key(ORDER_ID, purchase_round + 1)


@pytest.mark.parametrize(
    ("since", "after", "next_one"),
    [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
        ("2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z"),
        ("2026-01-31T10:00:00Z", "2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"),
        ("2028-01-30T10:00:00Z", "2028-01-30T10:00:00Z", "2028-02-29T10:00:00Z"),
        ("2026-12-15T00:00:00Z", "2026-12-15T00:00:00Z", "2027-01-15T00:00:00Z"),
    ],
)
def test_a_months_end_is_the_anniversarys_day_or_the_months_last(since: str, after: str, next_one: str) -> None:
    found = order_rules.next_anniversary(datetime.fromisoformat(since), datetime.fromisoformat(after))

    assert found == datetime.fromisoformat(next_one)


@given(MOMENTS, st.integers(0, 600))
def test_the_anniversaries_go_through_every_month_without_a_gap(since: datetime, months: int) -> None:
    """From one anniversary on, the next is exactly one month further, whatever the day."""
    found = order_rules.next_anniversary(since, order_rules.plus_months(since, months))

    assert found == order_rules.plus_months(since, months + 1)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_the_next_anniversary_is_the_first_one_after(since: datetime, passed: timedelta) -> None:
    after = since + passed

    found = order_rules.next_anniversary(since, after)

    assert after < found <= after + timedelta(days=31, hours=1)


def test_patience_grows_to_a_minute() -> None:
    delays = [order_rules.poll_delay_s(polls) for polls in range(100)]

    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (0.25, 60.0)
