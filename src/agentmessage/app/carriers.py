"""Which concrete carrier serves which account: the one place where an adapter is named.

There are two accounts. `sandbox` is always the simulator. `live` is Bandwidth and The Campaign Registry when their
credentials are configured, else the simulator too, under another account id: the two share nothing.
"""

from collections.abc import Mapping

from msgspec import Struct

from agentmessage.carriers.bandwidth import BandwidthAccount, BandwidthCallbacks, BandwidthLines, BandwidthNumbers
from agentmessage.carriers.http import AiohttpTransport, HttpTransport
from agentmessage.carriers.port import CallbackReader, LineOptions, NumberSource, Registry
from agentmessage.carriers.tcr import RegistryAccount, TcrCallbacks, TcrRegistry
from agentmessage.settings import Settings

ACCOUNTS = ("live", "sandbox")
SIMULATED_ACCOUNT_IDS = {"live": "9900001", "sandbox": "9900002"}
SIMULATED_KEYS = {"live": "simulator", "sandbox": "simulator-sandbox"}


class CarrierSet(Struct, frozen=True):
    """Everything one account can do. `writes_per_min` is its budget, 0 for none; `name` is shown to the operator."""

    name: str
    is_simulated: bool
    numbers: NumberSource
    lines: LineOptions
    registry: Registry
    carrier_callbacks: CallbackReader
    registry_callbacks: CallbackReader
    bandwidth: BandwidthAccount
    tcr: RegistryAccount
    writes_per_min: int


def carrier_sets(settings: Settings, transport: HttpTransport | None = None) -> Mapping[str, CarrierSet]:
    """The carriers of both accounts, over one transport."""
    transport = transport or AiohttpTransport()
    return {account: _carrier_set(settings, account, transport) for account in ACCOUNTS}


def _carrier_set(settings: Settings, account: str, transport: HttpTransport) -> CarrierSet:
    is_simulated = account == "sandbox" or not settings.has_carrier_credentials
    bandwidth = _simulated_bandwidth(settings, account) if is_simulated else _real_bandwidth(settings)
    tcr = _simulated_tcr(settings, account) if is_simulated else _real_tcr(settings)
    return CarrierSet(
        name="simulator" if is_simulated else "bandwidth",
        is_simulated=is_simulated,
        numbers=BandwidthNumbers(bandwidth, transport),
        lines=BandwidthLines(bandwidth, transport),
        registry=TcrRegistry(tcr, transport),
        carrier_callbacks=BandwidthCallbacks(bandwidth),
        registry_callbacks=TcrCallbacks(tcr),
        bandwidth=bandwidth,
        tcr=tcr,
        writes_per_min=settings.carrier_writes_per_min or (0 if is_simulated else REAL_WRITES_PER_MIN),
    )


REAL_WRITES_PER_MIN = 30
"""Bandwidth's limit on campaign-management calls (docs/carriers/bandwidth.md, section 1)."""
