"""The price catalogue."""

from datetime import UTC, datetime

import pytest

from agentmessage.billing import operations, rules
from agentmessage.billing import prices as billing_prices
from agentmessage.billing.errors import UnknownPrice
from agentmessage.kernel.money import microcents

TODAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "ref", "cents"),
    [
        ("number_month", "local", 94),
        ("number_month", "toll_free", 200),
        ("brand_filing_onetime", None, 500),
        ("brand_filing_onetime", "SOLE_PROPRIETOR", 500),
        ("campaign_month", None, 1000),
        ("campaign_month", "CUSTOMER_CARE", 1000),
        ("campaign_month", "LOW_VOLUME_MIXED", 150),
        ("campaign_month", "AGENTS_FRANCHISES", 3000),
        ("campaign_month", "MARKETING", 1000),
    ],
)
def test_the_catalogue_has_the_documented_prices(kind: str, ref: str | None, cents: int) -> None:
    assert operations.price(kind, ref, TODAY) == microcents(cents)


def test_a_price_that_nobody_set_is_not_guessed() -> None:
    with pytest.raises(UnknownPrice):
        operations.price("number_month", "satellite", TODAY)
    with pytest.raises(UnknownPrice):
        operations.price("number_month", "local", datetime(2019, 1, 1, tzinfo=UTC))


CHANGE = b"""
[[price]]
kind = "campaign_month"
unit_cost_cents = 1000
valid_from = 2026-01-01T00:00:00Z
valid_until = 2027-01-01T00:00:00Z

[[price]]
kind = "campaign_month"
unit_cost_cents = 1100
valid_from = 2027-01-01T00:00:00Z
"""


def test_a_price_changes_at_its_instant() -> None:
    prices = billing_prices.read(CHANGE)

    before = rules.price_cents(prices, "campaign_month", None, datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    after = rules.price_cents(prices, "campaign_month", None, datetime(2027, 1, 1, tzinfo=UTC))

    assert (before, after) == (1000, 1100)


def test_two_prices_for_one_thing_at_one_time_are_refused() -> None:
    with pytest.raises(ValueError, match="hold at the same time"):
        billing_prices.read(CHANGE.replace(b"valid_until = 2027-01-01T00:00:00Z\n", b""))
