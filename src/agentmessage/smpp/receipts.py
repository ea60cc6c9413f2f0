"""Delivery receipts: read from whatever carriers write, and written the way most of them do.

A receipt is a deliver_sm whose esm_class says so, or which carries the parameters of one. Its text is only a custom
(SMPP v3.4 Issue 1.2, appendix B):

    id:0123456789 sub:001 dlvrd:001 submit date:2611230905 done date:2611230906 stat:DELIVRD err:000 text:hello

Fields may be missing, in other case, with other spaces, or only in the parameters. What a handset writes is never taken
for a receipt, however much it looks like one.
"""

import re
from datetime import UTC, datetime
from enum import IntEnum

from msgspec import Struct

from agentmessage.smpp import receipt_text
from agentmessage.smpp.pdu import DataSm, DeliverSm, Inbound, Tag, Tlv, Tlvs, parameter


class State(IntEnum):
    """Where a text is: message_state of section 5.2.28, 0 and 9 of SMPP 5.0, and what no table knows."""

    UNRECOGNIZED = -1
    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9

    @property
    def is_final(self) -> bool:
        """Nothing else will be heard. Accepted usually is not the end, whatever the specification says."""
        return self not in (State.SCHEDULED, State.ENROUTE, State.ACCEPTED, State.UNRECOGNIZED)


WORDS = {
    State.SCHEDULED: b"SCHEDLD",
    State.ENROUTE: b"ENROUTE",
    State.DELIVERED: b"DELIVRD",
    State.EXPIRED: b"EXPIRED",
    State.DELETED: b"DELETED",
    State.UNDELIVERABLE: b"UNDELIV",
    State.ACCEPTED: b"ACCEPTD",
    State.UNKNOWN: b"UNKNOWN",
    State.REJECTED: b"REJECTD",
    State.SKIPPED: b"SKIPPED",
}
"""What `stat:` says, seven characters."""

STEMS = {
    "SCHED": State.SCHEDULED,
    "ENROUTE": State.ENROUTE,
    "BUFF": State.ENROUTE,
    "QUEUED": State.ENROUTE,
    "PENDING": State.ENROUTE,
    "ACK": State.ACCEPTED,
    "SUBMIT": State.ACCEPTED,
    "SENT": State.ACCEPTED,
    "DELIVRD": State.DELIVERED,
    "DELIVERED": State.DELIVERED,
    "DELIVERD": State.DELIVERED,
    "DLVRD": State.DELIVERED,
    "EXPIR": State.EXPIRED,
    "DELETE": State.DELETED,
    "UNDEL": State.UNDELIVERABLE,
    "FAILED": State.UNDELIVERABLE,
    "ACCEPT": State.ACCEPTED,
    "UNKNOWN": State.UNKNOWN,
    "REJECT": State.REJECTED,
    "SKIPPED": State.SKIPPED,
}
"""How the words begin that are in use for `stat:`, without what is no letter. Any other says nothing: it is kept and
counted, and ends no message."""

CUT_SHORT = {"DELIV": State.DELIVERED, "DELIVER": State.DELIVERED}
"""Whole words that are the first letters of DELIVERED; what else begins so (DELIVERING) is another word."""


class Receipt(Struct, frozen=True):
    """What a carrier says became of a text.

    `message_id` is as the carrier wrote it, which need not be as it wrote it in its answer to the submit.
    `error` is `err:` of the text, else the network_error_code in decimal, else empty. `done_at` has no
    zone on the wire and is taken for UTC. `told` is its text up to `text:`, which repeats what was submitted; it is
    empty where there are none of the usual fields, since it may then repeat that anywhere. `word` is what the carrier
    calls a state that no table knows. `submitted_at` is like `done_at`; `excerpt` is what the carrier repeats of the
    text. `message_id` may be empty: not every carrier gives one.
    """

    message_id: str
    state: State
    error: str = ""
    done_at: datetime | None = None
    told: str = ""
    word: str = ""
    submitted_at: datetime | None = None
    excerpt: str = ""


def read(pdu: Inbound) -> Receipt | None:
    """The receipt that a PDU is, or None where it is a text, or does not say of which text or what."""
    if not is_receipt(pdu):
        return None
    text = receipt_text.read(pdu)
    fields = text.fields
    message_id = _text(parameter(pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID)) or fields.get("id", "")
    number, word = parameter(pdu.tlvs, Tag.MESSAGE_STATE), fields.get("stat")
    state = _state(number, word)
    if state is None:
        return None
    error = fields.get("err") or _network_error(parameter(pdu.tlvs, Tag.NETWORK_ERROR_CODE))
    unrecognized = (word or f"message_state {number[0] if number else ''}") if state is State.UNRECOGNIZED else ""
    return Receipt(
        message_id,
        state,
        error,
        done_at=_instant(fields.get("donedate", "")),
        told=text.told if fields else "",
        word=unrecognized,
        submitted_at=_instant(fields.get("submitdate", "")),
        excerpt=text.excerpt if fields else "",
    )


def is_receipt(pdu: DeliverSm | DataSm) -> bool:
    """Whether the carrier, and not a handset, speaks: by esm_class (section 5.2.12), or by the parameters.

    Neither can be set by a handset; the words of a text can.
    """
    if pdu.esm_class & MESSAGE_TYPE in RECEIPTS:
        return True
    tags = {tlv.tag for tlv in pdu.tlvs}
    return Tag.RECEIPTED_MESSAGE_ID in tags and Tag.MESSAGE_STATE in tags


def write(receipt: Receipt, *, submitted_at: datetime, text: bytes = b"") -> bytes:
    """The text of a receipt as appendix B has it, with the first 20 octets of what was submitted."""
    done_at = receipt.done_at or submitted_at
    return b"id:%b sub:001 dlvrd:%03d submit date:%b done date:%b stat:%b err:%b text:%b" % (
        receipt.message_id.encode("latin-1"),
        receipt.state is State.DELIVERED,
        submitted_at.strftime(MINUTES).encode(),
        done_at.strftime(MINUTES).encode(),
        WORDS[receipt.state],
        (receipt.error or "000").encode("latin-1"),
        text[:20],
    )


def parameters(receipt: Receipt) -> Tlvs:
    """What a carrier that follows section 4.6.1 says in parameters beside the text."""
    return (
        Tlv(Tag.RECEIPTED_MESSAGE_ID, receipt.message_id.encode("latin-1") + b"\0"),
        Tlv(Tag.MESSAGE_STATE, bytes((receipt.state,))),
    )


MESSAGE_TYPE = 0b0011_1100
"""The bits of esm_class that tell a receipt from a text."""

RECEIPTS = (0b0000_0100, 0b0010_0000, 0b0010_0100)
"""An SMSC delivery receipt, an intermediate delivery notification, and both at once, which is no value of the
specification and which no handset can set."""

MINUTES = "%y%m%d%H%M"
DECIMAL = re.compile(r"[0-9]{1,64}")

_NO_LETTER = re.compile(r"[^A-Z]+")
MAX_DIGITS = 3
"""`stat:` may be a number as in message_state, with zeros in front."""

_YEAR_DIGITS = {10: 2, 12: 2, 14: 4}
_CENTURY = 2000


def _state(parameter_value: bytes | None, word: str | None) -> State | None:
    """The parameter is believed before the word, and an end before what is none."""
    by_number = State(parameter_value[0]) if parameter_value and parameter_value[0] <= State.SKIPPED else None
    by_word = _by_word(word) if word else None
    known = [state for state in (by_number, by_word) if state is not None and state is not State.UNRECOGNIZED]
    if known:
        return next((state for state in known if state.is_final), known[0])
    return State.UNRECOGNIZED if parameter_value or word else None


def _by_word(word: str) -> State:
    if word.isascii() and word.isdigit():
        number = int(word) if len(word) <= MAX_DIGITS else State.SKIPPED + 1
        return State(number) if number <= State.SKIPPED else State.UNRECOGNIZED
    letters = _NO_LETTER.sub("", word.upper())
    found = CUT_SHORT.get(letters)
    return found or next((state for stem, state in STEMS.items() if letters.startswith(stem)), State.UNRECOGNIZED)


def _text(value: bytes | None) -> str:
    return (value or b"").split(b"\0", 1)[0].decode("latin-1").strip()


def _network_error(value: bytes | None) -> str:
    """The network_error_code of section 5.3.2.31: one octet for the kind of network, two for the code."""
    return str(int.from_bytes(value[1:], "big")) if value and len(value) == NETWORK_ERROR_BYTES else ""


NETWORK_ERROR_BYTES = 3


def _instant(digits: str) -> datetime | None:
    """YYMMDDhhmm, perhaps with seconds and century; by hand, since strptime takes as long as all the rest."""
    year_digits = _YEAR_DIGITS.get(len(digits))
    if year_digits is None or not DECIMAL.fullmatch(digits):
        return None
    year = int(digits[:year_digits]) + (_CENTURY if year_digits == 2 else 0)  # noqa: PLR2004 - YY
    fields = [int(digits[at : at + 2]) for at in range(year_digits, len(digits), 2)]
    try:
        return datetime(year, *fields, tzinfo=UTC)
    except ValueError:
        return None
