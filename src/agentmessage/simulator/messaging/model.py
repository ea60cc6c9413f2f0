"""What the simulated carrier knows of messages: submissions, their parts, receipts, and messages from handsets.

A message is submitted in parts (over SMPP) or whole (over HTTP). Each part has an id and receipts, which are delivered
until the customer has acknowledged the final one. Times are Unix seconds.
"""

from enum import StrEnum

from msgspec import Struct, field


class Via(StrEnum):
    """The protocol of a message, which is also that of its receipts and replies."""

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
    """One part of a message as it was submitted, or the whole message.

    `reference` is the customer's own: a user_message_reference, or a tag. `group` is the number that
    the parts of one message share. `receipts`: 0 none, 1 all, 2 only of failures (SMPP 3.4, section 5.2.17).
    `application` selects the callback URL over HTTP.
    """

    account: str
    via: Via
    sender: str
    recipient: str
    text: str
    reference: str = ""
    group: int = 0
    parts: int = 1
    part: int = 1
    segments: int = 1
    receipts: int = 1
    media: tuple[str, ...] = ()
    application: str = ""


class AcceptedMessage(Struct, gc=False):
    """A message, as far as its parts have arrived; `state` is that of the part with the worst status.

    `text` is None while parts are missing, and `pieces` holds those that arrived. `repeated_parts` counts parts that
    arrived again meanwhile.
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


class FinalStatus(Struct, frozen=True, array_like=True):
    """The final status of a message: the receipt's `stat` and `err`, and Bandwidth's code and description."""

    stat: Stat
    err: str = "000"
    code: int = 0
    description: str = ""


DELIVERED = FinalStatus(Stat.DELIVERED)


class AcceptedPart(Struct, gc=False):
    """One accepted part, until its final receipt is acknowledged."""

    serial: int
    id: str
    message: AcceptedMessage
    part: int
    receipts: int
    final_status: FinalStatus
    copies: int = 1
    is_silent: bool = False


class ReceiptDelivery(Struct, gc=False):
    """One receipt to deliver. `is_last`: the part is settled when it is acknowledged."""

    part: AcceptedPart
    stat: Stat
    at: float
    is_last: bool
    attempts: int = 0


class InboundPart(Struct, array_like=True, gc=False):
    """A message from a handset, or one part of it; `octets` and `udh` are its form in SMPP."""

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


CustomerDelivery = ReceiptDelivery | InboundPart
"""What the carrier sends by itself, and repeats until it is acknowledged."""
