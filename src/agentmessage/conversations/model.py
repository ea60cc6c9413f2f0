"""A conversation as stored, and its entries."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

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


class Sent(Protocol):
    """A message that a carrier took."""

    @property
    def message_id(self) -> UUID:
        """Its id."""
        ...

    @property
    def org_id(self) -> UUID:
        """The organization that sent it."""
        ...

    @property
    def phone_number_id(self) -> UUID:
        """The number that it was sent from."""
        ...

    @property
    def recipient(self) -> str:
        """The contact."""
        ...

    @property
    def sender(self) -> str:
        """The number in E.164."""
        ...

    @property
    def text(self) -> str:
        """Its body."""
        ...
