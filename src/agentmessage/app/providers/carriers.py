"""Which concrete carrier serves which account: the one place where an adapter is named.

There are two accounts. `sandbox` is always the simulator. `live` is Bandwidth and The Campaign Registry when their
credentials are configured, else the simulator too, under another account id: the two share nothing.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from agentmessage.app.providers.message_carriers import TextLine, text_lines
from agentmessage.app.providers.simulated_application import SimulatedApplication
from agentmessage.carriers.bandwidth import (
    BandwidthAccount,
    BandwidthCallbacks,
    BandwidthLines,
    BandwidthLookups,
    BandwidthNumbers,
    BandwidthSubscriptions,
    BandwidthTextCallbacks,
)
from agentmessage.carriers.callbacks import CallbackReader, CallbackSubscriber
from agentmessage.carriers.http import AiohttpTransport, HttpTransport
from agentmessage.carriers.lookups import LineTypeSource
from agentmessage.carriers.protocols import LineOptions, NumberSource, Registry
from agentmessage.carriers.tcr import TcrAccount, TcrCallbacks, TcrRegistry, TcrSubscriptions
from agentmessage.kernel.clock import Clock
from agentmessage.kernel.encryption import derive, newest_key
from agentmessage.settings import Settings

ACCOUNTS = ("live", "sandbox")
SIMULATED_ACCOUNT_IDS = {"live": "9900001", "sandbox": "9900002"}
SIMULATED_KEYS = {"live": "simulator", "sandbox": "simulator-sandbox"}

SIMULATED_APPLICATION = "agentmessage"
SIMULATED_LOGIN = "simulator"  # user, password and secret alike: a simulator guards nothing
SIMULATED_TIMEOUT_S = 5.0
"""What never answers is given up sooner than at a real carrier; below `lease_s` of its pace."""

REAL_MAX_WRITES_PER_MINUTE = 30
"""Bandwidth's limit on campaign-management calls (docs/carriers/bandwidth.md, section 1)."""


class CarrierSet(Struct, frozen=True):
    """The clients of one account. `max_writes_per_minute` is its limit, 0 for none; `name` is shown to the operator.

    `text_subscriptions` is None where the operator says in the carrier's dashboard where callbacks of texts go.
    """

    name: str
    is_simulated: bool
    numbers: NumberSource
    lines: LineOptions
    line_types: LineTypeSource
    registry: Registry
    carrier_callbacks: CallbackReader
    registry_callbacks: CallbackReader
    text_lines: Sequence[TextLine]
    text_callbacks: BandwidthTextCallbacks
    carrier_subscriptions: CallbackSubscriber
    registry_subscriptions: CallbackSubscriber
    text_subscriptions: CallbackSubscriber | None
    bandwidth: BandwidthAccount
    tcr: TcrAccount
    max_writes_per_minute: int


def carrier_sets(
    settings: Settings, transport: HttpTransport | None = None, *, clock: Clock | None = None
) -> Mapping[str, CarrierSet]:
    """The carriers of both accounts, over one transport."""
    transport = transport or AiohttpTransport()
    return {account: _carrier_set(settings, account, transport, clock) for account in ACCOUNTS}


def _carrier_set(settings: Settings, account: str, transport: HttpTransport, clock: Clock | None) -> CarrierSet:
    is_simulated = account == "sandbox" or not settings.has_carrier_credentials
    bandwidth = _simulated_bandwidth(settings, account) if is_simulated else _real_bandwidth(settings)
    tcr = _simulated_tcr(settings, account) if is_simulated else _real_tcr(settings)
    return CarrierSet(
        name="simulator" if is_simulated else "bandwidth",
        is_simulated=is_simulated,
        numbers=BandwidthNumbers(bandwidth, transport),
        lines=BandwidthLines(bandwidth, transport),
        line_types=BandwidthLookups(bandwidth, transport),
        registry=TcrRegistry(tcr, transport),
        carrier_callbacks=BandwidthCallbacks(bandwidth),
        registry_callbacks=TcrCallbacks(tcr),
        text_lines=text_lines(settings, account, bandwidth, transport, clock=clock),
        text_callbacks=BandwidthTextCallbacks(bandwidth),
        carrier_subscriptions=BandwidthSubscriptions(bandwidth, transport),
        registry_subscriptions=TcrSubscriptions(tcr, transport),
        text_subscriptions=SimulatedApplication(bandwidth, transport) if is_simulated else None,
        bandwidth=bandwidth,
        tcr=tcr,
        max_writes_per_minute=settings.max_carrier_writes_per_minute
        or (0 if is_simulated else REAL_MAX_WRITES_PER_MINUTE),
    )


def _simulated_bandwidth(settings: Settings, account: str) -> BandwidthAccount:
    return BandwidthAccount(
        account_id=SIMULATED_ACCOUNT_IDS[account],
        username=SIMULATED_LOGIN,
        password=SIMULATED_LOGIN,
        base_url=settings.simulator_url,
        application_id=SIMULATED_APPLICATION,
        site_id="1",
        callback_username=settings.callback_username,
        callback_password=_callback_password(settings),
        timeout_s=SIMULATED_TIMEOUT_S,
    )


def _real_bandwidth(settings: Settings) -> BandwidthAccount:
    return BandwidthAccount(
        account_id=settings.bandwidth_account_id,
        username=settings.bandwidth_username,
        password=settings.bandwidth_password,
        base_url=settings.bandwidth_url,
        platform_url=settings.bandwidth_platform_url,
        messaging_url=settings.bandwidth_messaging_url,
        application_id=settings.bandwidth_application_id,
        site_id=settings.bandwidth_site_id,
        peer_id=settings.bandwidth_peer_id,
        callback_username=settings.callback_username,
        callback_password=_callback_password(settings),
    )


def _simulated_tcr(settings: Settings, account: str) -> TcrAccount:
    return TcrAccount(
        api_key=SIMULATED_KEYS[account],
        secret=SIMULATED_LOGIN,
        base_url=settings.simulator_url,
        timeout_s=SIMULATED_TIMEOUT_S,
    )


def _real_tcr(settings: Settings) -> TcrAccount:
    return TcrAccount(
        api_key=settings.tcr_api_key,
        secret=settings.tcr_api_secret,
        base_url=settings.tcr_url,
        upstream_cnp_id=settings.tcr_upstream_cnp_id,
    )


def _callback_password(settings: Settings) -> str:
    """The configured one, else one derived from the encryption key. Raises InvalidEncryptionKey."""
    return settings.callback_password or derive(newest_key(settings.encryption_key), "carrier callbacks").hex()
