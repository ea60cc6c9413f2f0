"""What the house asks of a carrier of texts, the answers it may give, and what it tells by itself.

The four answers of `port` hold here too; a refusal of a text speaks the canonical set of errors. What a carrier tells
by itself, receipts and inbound texts, is `Heard`: it is acknowledged only after `Hear` has returned, which is after the
commit. `Hear` may be told the same thing twice and in any order.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from agentmessage.carriers.protocols import E164, Accepted, Deferred, Unknown


class TextError(StrEnum):
    """Why a text did not arrive, whatever carrier says so and in whatever words."""

    INVALID_DESTINATION = "invalid_destination"
    LANDLINE_OR_UNSUPPORTED = "landline_or_unsupported"
    UNROUTABLE = "unroutable"
    DESTINATION_UNREACHABLE = "destination_unreachable"
    RECIPIENT_OPTED_OUT = "recipient_opted_out"
    CARRIER_FILTERED = "carrier_filtered"
    CARRIER_REJECTED = "carrier_rejected"
    SENDER_UNREGISTERED = "sender_unregistered"
    SENDER_PROVISIONING = "sender_provisioning"
    CAMPAIGN_INACTIVE = "campaign_inactive"
    SENDER_INVALID = "sender_invalid"
    RATE_LIMITED = "rate_limited"
    VOLUME_CAP = "volume_cap"
    CONTENT_INVALID = "content_invalid"
    EXPIRED = "expired"
    PROVIDER_ERROR = "provider_error"
    RECEIPT_TIMEOUT = "receipt_timeout"
    ACCOUNT_BLOCKED = "account_blocked"
    UNKNOWN = "unknown"


class OutboundText(Struct, frozen=True, kw_only=True):
    """One text that may be handed over now. `text` is what the handset shows; `segments` is what it was priced at."""

    message_id: UUID
    sender: E164
    recipient: E164
    text: str
    media: Sequence[str] = ()  # https URLs that the carrier fetches; not empty: an MMS
    segments: int
    priority: int  # 0 high, 1 default, 2 low
    expires_at: datetime


class Handed(Struct, frozen=True):
    """The carrier's id of every part, in order; receipts come by them."""

    carrier_message_ids: Sequence[str]


class TextRefused(Struct, frozen=True):
    """The carrier will not take this text. `code` and `text` are its own words."""

    error: TextError
    code: str
    text: str


THROTTLED = "throttled"
"""The reason of a Deferred by which a line is told to slow down: the same text goes first when it goes on."""

TextAnswer = Accepted[Handed] | TextRefused | Deferred | Unknown
"""Deferred: nothing was sent, ask again. Unknown: it may have been sent, in part or whole; never sent again blindly."""


class ReceiptState(StrEnum):
    """What a receipt says of one part."""

    SENT = "sent"  # on its way; not final
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class Reading(Struct, frozen=True):
    """What an id in a receipt would be in an answer, if the carrier wrote the two in different forms."""

    form: str
    carrier_message_id: str


class ReceiptHeard(Struct, frozen=True, kw_only=True):
    """The carrier's word on one part that it took. `message_id` only where the carrier carries ours back.

    `raw` is how the carrier says it, without what it repeats of the text: it is kept when the text is erased.
    `unrecognized` is its word for a state that no table knows; then `state` is SENT.

    `readings` are other ids that may be meant, where nobody knows how the carrier writes them. `sender` is ours, as the
    carrier writes it; `pair` and `excerpt` trace the two numbers and the beginning of the text (sms.traces), and
    `submitted_at` is the carrier's time of it, in whatever zone. All are empty where the carrier does not say.
    """

    carrier: str
    carrier_message_id: str
    message_id: UUID | None = None
    state: ReceiptState
    error: TextError | None = None
    code: str | None = None
    happened_at: datetime
    raw: str
    unrecognized: str = ""
    readings: Sequence[Reading] = ()
    sender: str = ""
    pair: str = ""
    excerpt: str = ""
    submitted_at: datetime | None = None

    def under(self, carrier_message_id: str) -> "ReceiptHeard":
        """The same about a part with this id, which is sure."""
        return replace(self, carrier_message_id=carrier_message_id, readings=())


class InboundHeard(Struct, frozen=True, kw_only=True):
    """A text from a handset. A part of a long one has `parts` > 1, its 1-based `part` and the sender's `reference`.

    `unrecognized` says which octets its coding does not have; they are marked in `text`.
    """

    carrier: str
    carrier_message_id: str
    sender: E164
    recipient: E164
    text: str
    media: Sequence[str] = ()
    reference: int = 0
    parts: int = 1
    part: int = 1
    received_at: datetime | None = None  # by the carrier's clock
    raw: bytes
    unrecognized: str = ""


Heard = ReceiptHeard | InboundHeard
Hear = Callable[[str, Sequence[Heard]], Awaitable[None]]
"""`await hear(account, heard)`: returns after the commit; raises when nothing was kept, so that the carrier repeats."""


class TextCarrier(Protocol):
    """A line that takes texts."""

    @property
    def name(self) -> str:
        """`smpp` or `bandwidth`: beside the carrier's message id it makes a receipt unmistakable."""
        ...

    @property
    def channels(self) -> frozenset[str]:
        """Of `sms` and `mms`, what this line takes."""
        ...

    @property
    def room(self) -> int:
        """How many more texts may be handed over at this moment; 0 while the line is down or told to wait."""
        ...

    async def run(self, hear: Hear) -> None:
        """Keep the line up and tell what it says, until canceled. A carrier that calls back over HTTP just waits."""
        ...

    async def until_room(self) -> None:
        """Wait until there is room."""
        ...

    async def send(self, text: OutboundText) -> TextAnswer:
        """Hand one text over, all parts; answers when the carrier has. Never raises for what a carrier can do."""
        ...


@runtime_checkable
class PumpedCarrier(TextCarrier, Protocol):
    """A line that needs no task for each text."""

    def hand_over(self, text: OutboundText, on_answer: Callable[[TextAnswer], object]) -> None:
        """Hand one text over, all parts, and return at once; `on_answer` is told the end of it, once."""
        ...
