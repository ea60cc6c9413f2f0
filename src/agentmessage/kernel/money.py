"""Money: integer microcents inside (1 cent = 1,000,000), integer cents on the wire."""

MICROCENTS_PER_CENT = 1_000_000


def microcents(cents: int) -> int:
    """Cents as microcents."""
    return cents * MICROCENTS_PER_CENT


def balance_cents(amount_microcents: int) -> int:
    """A balance in whole cents, rounded down: never shows more than there is."""
    return amount_microcents // MICROCENTS_PER_CENT


def price_cents(amount_microcents: int) -> int:
    """A price in whole cents, rounded up (reference, GET /v1/billing/catalog/fees)."""
    return -(-amount_microcents // MICROCENTS_PER_CENT)
