"""Magic numbers: the fate of a message to +1 NPA 555 0160 … 0189 (docs/reference/simulator.md). Others are delivered.

The suffix counts only inside the range that is set aside for fiction, so that no real handset has a fate.
"""

from collections.abc import Mapping

from msgspec import Struct

from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.messaging.model import DELIVERED, Ending, Stat
from agentmessage.smpp.pdu import Status


class Refusal(Struct, frozen=True):
    """A text is not taken: the command_status for SMPP, the answer for HTTP."""

    name: str
    status: int
    http_status: int
    words: str


class Fate(Struct, frozen=True, kw_only=True):
    """What becomes of a text to one handset.

    `before` and `after` are receipts around the final one; `copies` how often the final one is sent; `delay_s` comes on
    top of the operator's. `refusals` limits a refusal to the first so many texts to the handset, 0 to none.
    """

    ending: Ending = DELIVERED
    before: tuple[Stat, ...] = ()
    after: tuple[Stat, ...] = ()
    copies: int = 1
    delay_s: float = 0.0
    is_silent: bool = False
    is_early: bool = False
    refusal: Refusal | None = None
    refusals: int = 0
    breakage: Breakage | None = None
    reply: str = ""


PLAIN = Fate()

UNREGISTERED = Ending(Stat.REJECTED, "4476", 4476, "rejected-unregistered-campaign")
SUSPENDED = Ending(Stat.REJECTED, "060", 4773, "rejected-campaign-not-active")

SENDER_UNKNOWN = Refusal("sender_unknown", Status.INVALID_SOURCE, 400, "the sender is not a number of this account")
RECIPIENT_INVALID = Refusal("recipient_invalid", Status.INVALID_DESTINATION, 400, "the recipient is no number")
THROTTLED = Refusal("throttled", Status.THROTTLED, 429, "too many texts")
QUEUE_FULL = Refusal("queue_full", Status.QUEUE_FULL, 429, "the queue is full")
SICK = Refusal("sick", Status.SYSTEM_ERROR, 500, "internal error")
BLOCKED = Refusal("blocked", Status.SUBMIT_FAILED, 403, "the account may not send")


def _ends(stat: Stat, err: str, code: int, words: str) -> Fate:
    return Fate(ending=Ending(stat, err, code, words))


FATES: Mapping[str, Fate] = {
    "60": Fate(refusal=RECIPIENT_INVALID),
    "61": _ends(Stat.UNDELIVERABLE, "152", 4700, "invalid-service-type: landline"),
    "62": _ends(Stat.UNDELIVERABLE, "4432", 4432, "forbidden to country"),
    "63": _ends(Stat.UNDELIVERABLE, "4702", 4702, "destination-subscriber-unavailable"),
    "64": _ends(Stat.REJECTED, "4775", 4775, "rejected-user-opt-out"),
    "65": _ends(Stat.UNDELIVERABLE, "015", 4770, "destination-spam-detected"),
    "66": _ends(Stat.REJECTED, "349", 4750, "destination-rejected-message"),
    "67": Fate(ending=UNREGISTERED),
    "68": Fate(ending=SUSPENDED),
    "69": _ends(Stat.REJECTED, "064", 4780, "volume-violation-tmo"),
    "70": _ends(Stat.REJECTED, "334", 4752, "content-invalid"),
    "71": _ends(Stat.EXPIRED, "4360", 4360, "message-expired"),
    "72": Fate(refusal=SICK),
    "73": _ends(Stat.UNKNOWN, "9902", 9902, "delivery-receipt-expired"),
    "74": Fate(is_silent=True),
    "75": _ends(Stat.DELETED, "4404", 4404, "rejected-routing-error"),
    "76": _ends(Stat.SKIPPED, "9999", 9999, "unknown-error"),
    "77": Fate(before=(Stat.ENROUTE, Stat.ACCEPTED)),
    "78": Fate(copies=3),
    "79": Fate(after=(Stat.ACCEPTED, Stat.ENROUTE)),
    "80": Fate(is_early=True),
    "81": Fate(delay_s=30.0),
    "82": Fate(refusal=THROTTLED, refusals=1),
    "83": Fate(refusal=QUEUE_FULL, refusals=1),
    "84": Fate(breakage=Breakage.HANG_AFTER),
    "85": Fate(breakage=Breakage.HANG_BEFORE),
    "86": Fate(reply="STOP"),
    "87": Fate(reply="YES"),
    "88": Fate(reply="HELP"),
    "89": Fate(reply="please stop texting me"),
}

_FICTION = "55501"


def fate_of(recipient: str) -> Fate:
    """By the last two digits, of a fictional number of the North American plan only."""
    if recipient[5:10] != _FICTION or recipient[:2] != "+1":
        return PLAIN
    return FATES.get(recipient[10:], PLAIN)


_ENDINGS = {fate.ending.code: fate.ending for fate in FATES.values() if fate.ending.code}


def ending_of(code: str, words: str) -> Ending:
    """The ending with one of Bandwidth's codes; a code that no magic number has is told as undeliverable."""
    number = int(code) if code.isascii() and code.isdigit() else 9999
    return _ENDINGS.get(number) or Ending(Stat.UNDELIVERABLE, f"{number:04}", number, words)
