"""Who the carriers are, for the operator; apart from the other acts because it imports every adapter."""

from msgspec import Struct

from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.settings import Settings


class CarrierLine(Struct, frozen=True, kw_only=True):
    """One carrier account: who it is, where it is spoken to, and its budget of writes a minute (0: none)."""

    account: str
    carrier: str
    is_simulated: bool
    numbers_url: str
    numbers_account: str
    registry_url: str
    max_writes_per_minute: int


def show_carriers(settings: Settings) -> list[CarrierLine]:
    """Who serves live and who serves sandbox organizations."""
    return [
        CarrierLine(
            account=account,
            carrier=carrier.name,
            is_simulated=carrier.is_simulated,
            numbers_url=carrier.bandwidth.base_url,
            numbers_account=carrier.bandwidth.account_id,
            registry_url=carrier.tcr.base_url,
            max_writes_per_minute=carrier.max_writes_per_minute,
        )
        for account, carrier in carrier_sets(settings).items()
    ]
