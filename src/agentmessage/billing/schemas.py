"""What billing puts on the wire: the body of wallet events."""

from uuid import UUID

from agentmessage.kernel.money import balance_cents
from agentmessage.web.wire import Resource


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
