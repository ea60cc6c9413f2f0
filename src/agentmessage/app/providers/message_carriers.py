"""Which line carries an account's texts: SMPP, Bandwidth over HTTP, or one for SMS and the other for media.

`sandbox` is always the simulator, in either protocol. `live` is the simulator too until a real line is configured.
"""

import asyncio
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from agentmessage.carriers.bandwidth import BandwidthAccount, BandwidthTexts
from agentmessage.carriers.http import HttpTransport
from agentmessage.carriers.messaging import Hear, OutboundText, TextAnswer, TextCarrier, TextError, TextRefused
from agentmessage.carriers.smpp import GsmForm, LongTexts, MessageIds, SmppAccount, SmppTexts
from agentmessage.kernel.clock import Clock
from agentmessage.settings import Settings
from agentmessage.smpp.client import Bind
from agentmessage.smpp.settings import Terms
from agentmessage.sms.segments import USUAL_LAYOUTS, Alphabet, Layout, Layouts

SIMULATED_PASSWORD = "simulate"  # noqa: S105 - a simulator's password guards nothing; SMPP allows eight characters
HANDLING = 5_000
"""Receipts and texts in hand on one bind before it reads no more: answers to our own texts come behind them."""

SIMULATED_TERMS = Terms(window=100, max_handling=HANDLING, response_timeout_s=10.0, enquire_link_s=5.0)
"""What never answers is given up sooner than at a real carrier, and a simulator that was killed is missed sooner."""

ALL_CHANNELS = frozenset({"sms", "mms"})
AT_ONCE = 100


class TextLine(Struct, frozen=True):
    """A line and what of an account's texts goes over it."""

    carrier: TextCarrier
    channels: frozenset[str]


class NoLine:
    """Stands where no line takes a channel: what is queued for it fails with a clear word instead of waiting."""

    name = "none"
    channels = ALL_CHANNELS
    room = AT_ONCE

    async def run(self, hear: Hear) -> None:
        """Nothing is ever told."""
        del hear
        await asyncio.Event().wait()

    async def until_room(self) -> None:
        """There is always room."""

    async def send(self, text: OutboundText) -> TextAnswer:
        """Refuse."""
        kind = "MMS" if text.media else "SMS"
        return TextRefused(TextError.PROVIDER_ERROR, "no_line", f"no carrier of {kind} is configured")


def text_lines(
    settings: Settings,
    account: str,
    bandwidth: BandwidthAccount,
    transport: HttpTransport,
    *,
    clock: Clock | None = None,
) -> Sequence[TextLine]:
    """The lines of one account; together they take every channel."""
    protocol = settings.sandbox_message_carrier if account == "sandbox" else settings.live_message_carrier
    is_real = account == "live" and (bool(settings.smpp_host) or settings.has_carrier_credentials)
    usual = "bandwidth" if is_real and not settings.smpp_host else "smpp"
    over_http = BandwidthTexts(bandwidth, transport)
    if (protocol or usual) == "bandwidth":
        return [TextLine(over_http, ALL_CHANNELS)]
    media = over_http if not is_real or bandwidth.application_id else NoLine()
    over_smpp = SmppTexts(
        _real_smpp(settings) if account == "live" and settings.smpp_host else _simulated_smpp(settings, account),
        clock=clock,
    )
    return [TextLine(over_smpp, frozenset({"sms"})), TextLine(media, frozenset({"mms"}))]


def layouts(settings: Settings) -> Layouts:
    """How carriers are sent messages, where it is not as usual: only a real one over SMPP may want it otherwise."""
    if not settings.is_live_smpp:
        return USUAL_LAYOUTS
    bits = 16 if settings.smpp_concatenation == LongTexts.UDH16 else 8
    return {"live": Layout(bits, Alphabet(settings.smpp_default_alphabet))}


def _simulated_smpp(settings: Settings, account: str) -> SmppAccount:
    bind = Bind(
        host=urlsplit(settings.simulator_url).hostname or "127.0.0.1",
        port=settings.simulator_smpp_port,
        system_id=account,
        password=SIMULATED_PASSWORD,
        terms=SIMULATED_TERMS,
    )
    return SmppAccount(account=account, bind=bind, message_ids=MessageIds.AUTO)


def _real_smpp(settings: Settings) -> SmppAccount:
    bind = Bind(
        host=settings.smpp_host,
        port=settings.smpp_port,
        system_id=settings.smpp_system_id,
        password=settings.smpp_password,
        system_type=settings.smpp_system_type,
        tls=ssl.create_default_context() if settings.smpp_tls else None,
        terms=Terms(window=settings.smpp_window, max_handling=HANDLING),
    )
    return SmppAccount(
        account="live",
        bind=bind,
        binds=settings.smpp_binds,
        gsm=GsmForm(settings.smpp_gsm_packing),
        alphabet=Alphabet(settings.smpp_default_alphabet),
        long_texts=LongTexts(settings.smpp_concatenation),
        message_ids=MessageIds(settings.smpp_message_id_format),
    )
