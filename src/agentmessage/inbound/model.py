"""A text that came in, the number that it came to, and the conversations of that number."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.carriers.text_port import InboundHeard
from agentmessage.organizations.model import AutoReplies, OptOutScope
from agentmessage.sms.keywords import Keyword

REDACTED = "[redacted]"
"""What is shown in place of a text that is past its retention."""

MOST_SENDER_CHARS = 32
UUID_BYTES = 16


class Direction(StrEnum):
    """Who wrote: the contact, or we."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Channel(StrEnum):
    """With media or without."""

    SMS = "sms"
    MMS = "mms"


class OptOutMethod(StrEnum):
    """How a contact said stop: by a word of the list, or by a phrase."""

    KEYWORD = "keyword"
    NATURAL_LANGUAGE = "natural_language"


class Problem(StrEnum):
    """Why a text that came was not applied."""

    NOT_OURS = "not_ours"  # no organization holds the number now
    FAILED = "failed"  # a fault of ours: tried again


class Home(Struct, frozen=True):
    """Where the directory says that a number lives."""

    org_id: UUID
    cell: str


class Line(Struct, frozen=True):
    """One of our numbers with everything that its automatic answers are made of.

    `fields` are the texts and keywords that its campaign was filed with; `sender_name` is the brand's, else the
    organization's; `website` the brand's.
    """

    phone_number_id: UUID
    number: str
    sender_name: str
    website: str | None
    fields: Mapping[str, str | bool]
    auto_replies: AutoReplies
    opt_out_scope: OptOutScope = OptOutScope.BRAND


class Part(Struct, frozen=True):
    """One part of a long text."""

    part: int
    body: str
    carrier_message_id: str
    carrier_received_at: datetime | None


class PartsKey(Struct, frozen=True):
    """What the parts of one long text have in common."""

    account: str
    carrier: str
    sender: str
    recipient: str
    reference: int
    parts: int


class Whole(Struct, frozen=True, kw_only=True):
    """A text that is complete: all its parts, or those that came. `segments` None: as many as its length takes."""

    carrier: str
    carrier_message_id: str
    sender: str
    recipient: str
    text: str
    media: Sequence[str] = ()
    segments: int | None = None
    carrier_received_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it itself within a carrier account."""
        return self.carrier, self.carrier_message_id


class Place(Struct, frozen=True):
    """The pair that a conversation is between; its id never changes and says it to nobody but us."""

    phone_number_id: UUID
    contact_number: str

    @property
    def id(self) -> str:
        """The pair as base64url."""
        raw = self.phone_number_id.bytes + self.contact_number.encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """The pair that an id stands for; None for anything that `id` did not make."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            contact = raw[UUID_BYTES:].decode()
        except (binascii.Error, ValueError):
            return None
        if not contact or len(contact) > MOST_SENDER_CHARS or "\x00" in contact:
            return None
        place = cls(UUID(bytes=raw[:UUID_BYTES]), contact)
        return place if place.id == text else None


class Arrival(Struct, frozen=True):
    """A complete text that is new, with the number it came to and what it asks for."""

    id: UUID
    line: Line
    whole: Whole
    keyword: Keyword | None

    @property
    def place(self) -> Place:
        """The conversation that it belongs to."""
        return Place(self.line.phone_number_id, self.whole.sender)


class Inbound(Struct, frozen=True):
    """A text as stored, in the order of its columns. `body` null: none, or redacted."""

    id: UUID
    org_id: UUID
    phone_number_id: UUID
    sender: str
    recipient: str
    body: str | None
    channel: str
    media_urls: Sequence[str]
    segment_count: int
    opt_out_detected: bool
    opt_out_keyword: str | None
    opt_out_method: str | None
    carrier: str
    carrier_message_id: str
    carrier_received_at: datetime | None
    received_at: datetime
    redacted_at: datetime | None


class RawText(Struct, frozen=True):
    """A text as it came over the wire, before anybody understood it."""

    id: UUID
    account: str
    carrier: str
    carrier_message_id: str
    sender: str
    recipient: str
    raw: bytes

    @classmethod
    def of(cls, raw_id: UUID, account: str, heard: InboundHeard) -> "RawText":
        """What a carrier account told."""
        return cls(raw_id, account, heard.carrier, heard.carrier_message_id, heard.sender, heard.recipient, heard.raw)


class Stored(Struct, frozen=True):
    """A raw text that waits to be applied again."""

    account: str
    heard: Any


class Spot(Struct, frozen=True):
    """A text's place in its conversation: when, and the automatic answers that the contact got in the present hour."""

    at: datetime
    auto_replies: int


class Conversation(Struct, frozen=True):
    """What one of our numbers and one contact wrote to each other, in the order of its columns."""

    phone_number_id: UUID
    contact_number: str
    phone_number: str
    last_message_at: datetime
    last_direction: str
    last_preview: str | None
    redacted_at: datetime | None
    message_count: int
    opted_in: bool
    opted_in_at: datetime | None
    opted_out_at: datetime | None
    opted_out_number: str | None
    opt_out_scope: str | None


class Entry(Struct, frozen=True):
    """One text of a conversation, whichever its direction, in the order of its columns."""

    id: UUID
    at: datetime
    direction: str
    phone_number_id: UUID
    sender: str
    recipient: str
    body: str | None
    media_urls: Sequence[str]
    channel: str
    segment_count: int
    redacted_at: datetime | None
