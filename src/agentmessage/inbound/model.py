"""A text that came in, and the number that it came to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.carriers.messaging import InboundHeard
from agentmessage.conversations.model import Place
from agentmessage.organizations.model import AutoReplies, OptOutScope
from agentmessage.sms.keywords import Keyword


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
    parsed: Any
