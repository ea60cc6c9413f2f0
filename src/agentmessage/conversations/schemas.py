"""Conversations on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.conversations.model import REDACTED, Channel, Conversation, Direction, Entry, Place
from agentmessage.organizations.model import OptOutScope
from agentmessage.web.types import END, CursorText, Request, Resource, Utc, error_text

Contact = Annotated[
    str,
    Meta(
        pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{1,20}"
        r"|[^\u0000-\u001f\u007f+]{0,31}[^\u0000-\u0040\u007f][^\u0000-\u001f\u007f]{0,31})" + END,
        max_length=32,
        examples=["+14155550123"],
        extra=error_text("must be E.164, a short code, or a sender's name of up to 32 characters"),
    ),
]
"""Whoever texted, as the inbound message shows it: a name too, or an address that was kept as it came."""

Party = Annotated[
    str,
    Meta(
        pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8})" + END,
        examples=["+14155550123"],
        extra=error_text("must be E.164, or a short code of 3..8 digits"),
    ),
]

NumberId = Annotated[UUID, Meta(extra=error_text("must be a UUID"))]
Flag = Annotated[bool, Meta(extra=error_text("must be true or false"))]


class ConversationConsent(Resource, frozen=True):
    """Whether the contact may be texted from the number, when they agreed last, and when and where they opted out.

    `opted_out_number` is the number of yours that was told; `opt_out_scope` is how far that reaches.
    """

    opted_in: bool
    opted_in_at: datetime | None
    opted_out_at: datetime | None
    opted_out_number: str | None
    opt_out_scope: OptOutScope | None


class ConversationOut(Resource, frozen=True):
    """All texts between one contact and one of the organization's numbers. It never expires.

    `last_message_preview` is the beginning of the last text, `[redacted]` once its content is past retention; then
    `last_message_body_redacted_at` is set. A text counts from the moment that its carrier took it.
    """

    id: str
    phone_number_id: UUID
    phone_number: str
    contact_number: str
    last_message_at: datetime
    last_message_direction: Direction
    last_message_preview: str | None
    last_message_body_redacted_at: datetime | None
    message_count: int
    consent: ConversationConsent

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationOut":
        """A stored conversation as its owner sees it."""
        preview = conversation.last_preview if conversation.redacted_at is None else REDACTED
        return cls(
            Place(conversation.phone_number_id, conversation.contact_number).id,
            conversation.phone_number_id,
            conversation.phone_number,
            conversation.contact_number,
            conversation.last_message_at,
            Direction(conversation.last_direction),
            preview,
            conversation.redacted_at,
            conversation.message_count,
            ConversationConsent(
                conversation.opted_in,
                conversation.opted_in_at,
                conversation.opted_out_at,
                conversation.opted_out_number,
                None if conversation.opt_out_scope is None else OptOutScope(conversation.opt_out_scope),
            ),
        )


class ConversationQuery(Request, frozen=True):
    """Filters of the list; all given ones must hold."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, extra=error_text("must be an integer, 1..200"))] = 50
    phone_number_id: NumberId | UnsetType = UNSET
    contact_number: Contact | UnsetType = UNSET
    since: Annotated[Utc, Meta(description="Last spoken in at or after this time.")] | UnsetType = UNSET
    opted_in: Annotated[Flag, Meta(description="Whether the contact has opted in.")] | UnsetType = UNSET


class ConversationMessageOut(Resource, frozen=True):
    """One text of a conversation. `created_at` is when it came in, or when its carrier took it.

    Past retention `body` is null, `media_urls` is empty and `redacted_at` is set.
    """

    id: UUID
    direction: Direction
    phone_number_id: UUID
    from_number: str
    to_number: str
    body: str | None
    media_urls: Sequence[str]
    channel: Channel
    segment_count: int
    created_at: datetime
    redacted_at: datetime | None

    @classmethod
    def of(cls, entry: Entry) -> "ConversationMessageOut":
        """A stored text as its owner sees it."""
        return cls(
            entry.id,
            Direction(entry.direction),
            entry.phone_number_id,
            entry.sender,
            entry.recipient,
            entry.body,
            entry.media_urls,
            Channel(entry.channel),
            entry.segment_count,
            entry.at,
            entry.redacted_at,
        )


class ConversationMessageQuery(Request, frozen=True):
    """Paging of a conversation."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, extra=error_text("must be an integer, 1..200"))] = 50
