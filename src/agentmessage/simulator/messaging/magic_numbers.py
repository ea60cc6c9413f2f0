"""Magic numbers: +1 NPA 555 0160 … 0189 decide the outcome of a message (docs/reference/simulator.md).

The suffix counts only inside the range that is reserved for fiction, so that no real handset is affected.
"""

from collections.abc import Mapping

from msgspec import Struct

from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.messaging.model import DELIVERED, FinalStatus, Stat
from agentmessage.smpp.pdu import Status


class SubmitError(Struct, frozen=True):
    """A message is rejected: the command_status for SMPP, the response for HTTP."""

    name: str
    status: int
    http_status: int
    description: str


class MagicOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of a message to one handset.

    `before` and `after` are receipts around the final one, which is sent `copies` times; `delay_s` is added to the
    operator's delay. `error_count` limits an error to the first messages to the handset; 0 means no limit.
    """

    final_status: FinalStatus = DELIVERED
    before: tuple[Stat, ...] = ()
    after: tuple[Stat, ...] = ()
    copies: int = 1
    delay_s: float = 0.0
    is_silent: bool = False
    is_early: bool = False
    error: SubmitError | None = None
    error_count: int = 0
    breakage: Breakage | None = None
    reply: str = ""


PLAIN = MagicOutcome()

UNREGISTERED = FinalStatus(Stat.REJECTED, "4476", 4476, "rejected-unregistered-campaign")
SUSPENDED = FinalStatus(Stat.REJECTED, "060", 4773, "rejected-campaign-not-active")

SENDER_UNKNOWN = SubmitError("sender_unknown", Status.INVALID_SOURCE, 400, "the sender is not a number of this account")
RECIPIENT_INVALID = SubmitError("recipient_invalid", Status.INVALID_DESTINATION, 400, "the recipient is not a number")
THROTTLED = SubmitError("throttled", Status.THROTTLED, 429, "too many messages")
QUEUE_FULL = SubmitError("queue_full", Status.QUEUE_FULL, 429, "the queue is full")
SYSTEM_ERROR = SubmitError("system_error", Status.SYSTEM_ERROR, 500, "internal error")
BLOCKED = SubmitError("blocked", Status.SUBMIT_FAILED, 403, "the account may not send")


def _final(stat: Stat, err: str, code: int, description: str) -> MagicOutcome:
    return MagicOutcome(final_status=FinalStatus(stat, err, code, description))


MAGIC_OUTCOMES: Mapping[str, MagicOutcome] = {
    "60": MagicOutcome(error=RECIPIENT_INVALID),
    "61": _final(Stat.UNDELIVERABLE, "152", 4700, "invalid-service-type: landline"),
    "62": _final(Stat.UNDELIVERABLE, "4432", 4432, "forbidden to country"),
    "63": _final(Stat.UNDELIVERABLE, "4702", 4702, "destination-subscriber-unavailable"),
    "64": _final(Stat.REJECTED, "4775", 4775, "rejected-user-opt-out"),
    "65": _final(Stat.UNDELIVERABLE, "015", 4770, "destination-spam-detected"),
    "66": _final(Stat.REJECTED, "349", 4750, "destination-rejected-message"),
    "67": MagicOutcome(final_status=UNREGISTERED),
    "68": MagicOutcome(final_status=SUSPENDED),
    "69": _final(Stat.REJECTED, "064", 4780, "volume-violation-tmo"),
    "70": _final(Stat.REJECTED, "334", 4752, "content-invalid"),
    "71": _final(Stat.EXPIRED, "4360", 4360, "message-expired"),
    "72": MagicOutcome(error=SYSTEM_ERROR),
    "73": _final(Stat.UNKNOWN, "9902", 9902, "delivery-receipt-expired"),
    "74": MagicOutcome(is_silent=True),
    "75": _final(Stat.DELETED, "4404", 4404, "rejected-routing-error"),
    "76": _final(Stat.SKIPPED, "9999", 9999, "unknown-error"),
    "77": MagicOutcome(before=(Stat.ENROUTE, Stat.ACCEPTED)),
    "78": MagicOutcome(copies=3),
    "79": MagicOutcome(after=(Stat.ACCEPTED, Stat.ENROUTE)),
    "80": MagicOutcome(is_early=True),
    "81": MagicOutcome(delay_s=30.0),
    "82": MagicOutcome(error=THROTTLED, error_count=1),
    "83": MagicOutcome(error=QUEUE_FULL, error_count=1),
    "84": MagicOutcome(breakage=Breakage.HANG_AFTER),
    "85": MagicOutcome(breakage=Breakage.HANG_BEFORE),
    "86": MagicOutcome(reply="STOP"),
    "87": MagicOutcome(reply="YES"),
    "88": MagicOutcome(reply="HELP"),
    "89": MagicOutcome(reply="please stop messaging me"),
}

_FICTION = "55501"


def outcome_of(recipient: str) -> MagicOutcome:
    """The outcome by the last two digits, of a fictional number of the North American plan only."""
    if recipient[5:10] != _FICTION or recipient[:2] != "+1":
        return PLAIN
    return MAGIC_OUTCOMES.get(recipient[10:], PLAIN)


_FINAL_STATUSES = {
    outcome.final_status.code: outcome.final_status for outcome in MAGIC_OUTCOMES.values() if outcome.final_status.code
}


def final_status_of(code: str, description: str) -> FinalStatus:
    """The final status with one of Bandwidth's codes; undeliverable for a code that no magic number has."""
    number = int(code) if code.isascii() and code.isdigit() else 9999
    return _FINAL_STATUSES.get(number) or FinalStatus(Stat.UNDELIVERABLE, f"{number:04}", number, description)
