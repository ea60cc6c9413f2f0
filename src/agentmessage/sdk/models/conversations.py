"""Values of `conversations`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import Channel, OptOutScope
from agentmessage.sdk.open_enum import OpenEnum


class Direction(OpenEnum):
    """Who wrote: the contact, or we."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ConversationConsent(Model, frozen=True, kw_only=True):
    """Whether the contact may be texted from the number, when they agreed last, and when and where they opted out.

    `opted_out_number` is the number of yours that was told; `opt_out_scope` is how far that reaches.
    """

    opted_in: bool
    opted_in_at: datetime | None = None
    opted_out_at: datetime | None = None
    opted_out_number: str | None = None
    opt_out_scope: OptOutScope | None = None


class ConversationMessage(Model, frozen=True, kw_only=True):
    """One text of a conversation. `created_at` is when it came in, or when its carrier took it.

    Past retention `body` is null, `media_urls` is empty and `redacted_at` is set.
    """

    id: str
    direction: Direction
    phone_number_id: str
    from_number: str
    to_number: str
    body: str | None = None
    media_urls: tuple[str, ...]
    channel: Channel
    segment_count: int
    created_at: datetime
    redacted_at: datetime | None = None


class Conversation(Model, frozen=True, kw_only=True):
    """All texts between one contact and one of the organization's numbers. It never expires.

    `last_message_preview` is the beginning of the last text, `[redacted]` once its content is past retention; then
    `last_message_body_redacted_at` is set. A text counts from the moment that its carrier took it.
    """

    id: str
    phone_number_id: str
    phone_number: str
    contact_number: str
    last_message_at: datetime
    last_message_direction: Direction
    last_message_preview: str | None = None
    last_message_body_redacted_at: datetime | None = None
    message_count: int
    consent: ConversationConsent
