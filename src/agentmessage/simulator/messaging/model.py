"""What the simulated carrier remembers of texts: who handed over what, what becomes of it, what is still to be told.

A text is handed over in parts (over SMPP) or whole (over HTTP); each has an id of its own, and each is told about by
receipts until the customer has acknowledged the final one. Times are Unix seconds.
"""

from enum import StrEnum

from msgspec import Struct, field


class Via(StrEnum):
    """The way a text came, which is the way on which its receipts and answers go back."""

    SMPP = "smpp"
    BANDWIDTH = "bandwidth"


class Stat(StrEnum):
    """The states of a receipt by the names of SMPP 3.4, appendix B; the first three are not final."""

    ENROUTE = "ENROUTE"
    ACCEPTED = "ACCEPTD"
    SCHEDULED = "SCHEDUL"
    DELIVERED = "DELIVRD"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIVERABLE = "UNDELIV"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTD"
    SKIPPED = "SKIPPED"


class Submission(Struct, frozen=True, array_like=True, gc=False):
    """One part of a text as it was handed over, or the whole of it.

    `reference` is the customer's own: a user_message_reference, or a tag. `joint` is the number that the parts of one
    text share. `receipts`: 0 none wanted, 1 all, 2 only of failures (SMPP 3.4, section 5.2.17).
    `application` says where receipts go over HTTP.
    """

    account: str
    via: Via
    sender: str
    recipient: str
    text: str
    reference: str = ""
    joint: int = 0
    parts: int = 1
    part: int = 1
    segments: int = 1
    receipts: int = 1
    media: tuple[str, ...] = ()
    application: str = ""


class Text(Struct, gc=False):
    """A text that was accepted, as far as its parts have come; `state` is that of the part that fared worst.

    `text` is None while parts are missing, and `pieces` holds those that came. `repeated_parts` counts parts that came
    again while others were missing.
    """

    account: str
    via: Via
    sender: str
    recipient: str
    text: str | None
    reference: str
    parts: int
    segments: int
    ids: tuple[str, ...]
    accepted_at: float
    media: tuple[str, ...] = ()
    application: str = ""
    pieces: dict[int, str] = field(default_factory=dict[int, str])
    repeated_parts: int = 0
    arrived: int = 0
    state: str = "accepted"
    code: str = ""
    delivered_at: float | None = None


class Ending(Struct, frozen=True, array_like=True):
    """How a text ends: the receipt's state and `err`, and the same in Bandwidth's codes and words."""

    stat: Stat
    err: str = "000"
    code: int = 0
    words: str = ""


DELIVERED = Ending(Stat.DELIVERED)


class Handed(Struct, gc=False):
    """One accepted part, until its final receipt is acknowledged."""

    serial: int
    id: str
    text: Text
    part: int
    receipts: int
    ending: Ending
    copies: int = 1
    is_silent: bool = False


class Receipt(Struct, gc=False):
    """One thing to tell about a part. `is_last`: acknowledged, the part is forgotten."""

    handed: Handed
    stat: Stat
    at: float
    is_last: bool
    attempts: int = 0


class Inbound(Struct, array_like=True, gc=False):
    """A text from a handset, or one part of it; `octets` and `udh` are how SMPP carries it."""

    serial: int
    id: str
    account: str
    via: Via
    sender: str
    recipient: str
    text: str
    media: tuple[str, ...]
    at: float
    segments: int = 1
    udh: bytes = b""
    octets: bytes = b""
    is_ucs2: bool = False
    attempts: int = 0


Telling = Receipt | Inbound
"""What the carrier tells by itself, and repeats until it is acknowledged."""
