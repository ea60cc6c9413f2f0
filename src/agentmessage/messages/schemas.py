"""Requests and resources of messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from agentmessage.compliance.schemas import MessageBody, Tag
from agentmessage.kernel.money import price_cents
from agentmessage.messages.model import BY_RANK, Channel, KindName, Message, Priority, Status
from agentmessage.sms.segments import Encoding
from agentmessage.web.types import E164, CursorText, Request, Resource, error_text

MAX_BATCH = 1000


class MessageCreate(MessageBody, frozen=True):
    """One message to one recipient. Accepted means stored and queued, not delivered.

    `text` is required unless there is `media`. `scheduled_at` lies one minute to thirty days ahead. A message that the
    carrier has not accepted `validity_s` seconds after it was due fails as expired. Null means unset, as in resources.
    """


class MessageBatch(Request, frozen=True):
    """Up to a thousand messages; each is accepted or rejected independently, an invalid one too."""

    messages: Annotated[
        list[msgspec.Raw],
        Meta(
            min_length=1,
            max_length=MAX_BATCH,
            description="Each a body of `POST /v1/messages`.",
            examples=[[{"from": "+14155550123", "to": "+14155550188", "text": "Acme: you are next."}]],
            extra=error_text(f"must be a list of 1..{MAX_BATCH} messages"),
        ),
    ]


class MessageError(Resource, frozen=True):
    """Why a message did not arrive: our code, and the carrier's own code and text."""

    code: str
    carrier_code: str | None
    carrier_text: str | None


class MessageOut(Resource, frozen=True):
    """A message. `bandwidth_message_id` is an alias of `carrier_message_id`; `appended_text` is what a guardrail added.

    `cost_cents` is what it costs or has cost, rounded up; queued messages carry no charge yet.
    """

    id: UUID
    from_: str = msgspec.field(name="from")
    to: str
    text: str | None
    appended_text: str | None
    channel: Channel
    media: Sequence[str]
    priority: Priority
    status: Status
    error: MessageError | None
    tag: str | None
    metadata: Mapping[str, Any] | None
    phone_number_id: UUID
    campaign_id: UUID | None
    kind: KindName
    segment_count: int
    encoding: Encoding
    smart_encoding: bool
    cost_cents: int
    carrier_message_id: str | None
    bandwidth_message_id: str | None
    scheduled_at: datetime | None
    expires_at: datetime
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    redacted_at: datetime | None

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """A stored message as its owner sees it."""
        error = None
        if message.error_code is not None:
            error = MessageError(message.error_code, message.carrier_code, message.carrier_text)
        return cls(
            message.id,
            message.sender,
            message.recipient,
            message.text,
            message.appended_text,
            message.channel,
            message.media,
            BY_RANK[message.priority],
            Status(message.status),
            error,
            message.tag,
            message.metadata,
            message.phone_number_id,
            message.campaign_id,
            message.kind,
            message.segments,
            message.encoding,
            message.is_smart,
            price_cents(message.unit_price_microcents * message.segments),
            message.carrier_message_id,
            message.carrier_message_id,
            message.scheduled_at,
            message.expires_at,
            message.created_at,
            message.sent_at,
            message.delivered_at,
            message.redacted_at,
        )


class BatchError(Resource, frozen=True):
    """The error of one message, as its own response would have had it."""

    code: str
    message: str
    details: Mapping[str, str] | None
    retry_after_s: int | None


class BatchResult(Resource, frozen=True):
    """The result of one message of a batch. `status` is what it would have been alone."""

    status: int
    message: MessageOut | None
    error: BatchError | None


class BatchOut(Resource, frozen=True):
    """All results of a batch, in order."""

    accepted: int
    refused: int
    results: Sequence[BatchResult]


class Transition(Resource, frozen=True):
    """One status of a message and its cause. `code` and `text` are the carrier's own, if it sent any."""

    status: str
    cause: str
    at: datetime
    code: str | None
    text: str | None

    @classmethod
    def all_of(cls, message: Message) -> "list[Transition]":
        """Every status of a message, from its acceptance on."""
        first = cls(Status.QUEUED, "accepted", message.created_at, None, None)
        return [first, *msgspec.convert(message.history, list[cls])]


class MessageQuery(Request, frozen=True):
    """Filters and paging of the list of messages."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, extra=error_text("must be an integer, 1..200"))] = 50
    status: Status | UnsetType = UNSET
    from_: E164 | UnsetType = msgspec.field(name="from", default=UNSET)
    to: E164 | UnsetType = UNSET
    tag: Tag | UnsetType = UNSET
