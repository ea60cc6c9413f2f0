"""A message and its states."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from agentmessage.compliance.model import VALIDITY_S, Priority
from agentmessage.sms.segments import Encoding
from agentmessage.sms.smart import simplify

__all__ = [
    "BY_RANK",
    "FINAL",
    "RANKS",
    "VALIDITY_S",
    "Cause",
    "Channel",
    "Kind",
    "KindName",
    "Message",
    "Priority",
    "Status",
    "displayed_text",
]


class Status(StrEnum):
    """How far a message has come, in order of time."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    CANCELED = "canceled"


FINAL = frozenset({Status.DELIVERED, Status.FAILED, Status.UNDELIVERED, Status.CANCELED})
"""Final states. Only a late receipt leaves one (`delivery.receipts`)."""


class Kind(StrEnum):
    """Who wrote the message: a customer, or the platform for them (reply to STOP or HELP, double opt-in question)."""

    CUSTOMER = "customer"
    AUTO_REPLY = "auto_reply"
    CONFIRMATION = "confirmation"


RANKS = {Priority.HIGH: 0, Priority.DEFAULT: 1, Priority.LOW: 2}
"""The order of the queue."""

BY_RANK = tuple(RANKS)


KindName = Literal["customer", "auto_reply", "confirmation"]
Channel = Literal["sms", "mms"]


class Message(Struct, frozen=True):
    """A stored message. `priority` is its rank; `history` holds every transition after `queued`, oldest first.

    `appended_text` is what a guardrail added. `status` is already `sending` while a worker sends it to the carrier.
    """

    id: UUID
    org_id: UUID
    account: str
    phone_number_id: UUID
    campaign_id: UUID | None
    brand_id: UUID | None
    kind: KindName
    sender: str
    recipient: str
    text: str | None
    appended_text: str | None
    channel: Channel
    media: Sequence[str]
    encoding: Encoding
    segments: int
    priority: int
    tag: str | None
    metadata: Mapping[str, Any] | None
    status: str
    error_code: str | None
    carrier_code: str | None
    carrier_text: str | None
    carrier_message_id: str | None
    unit_price_microcents: int
    is_charged: bool
    history: Sequence[Mapping[str, Any]]
    scheduled_at: datetime | None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    finished_at: datetime | None
    redacted_at: datetime | None
    is_smart: bool = False


def displayed_text(text: str | None, appended_text: str | None, *, is_smart: bool) -> str:
    """What the handset shows: the customer's text, with smart encoding if it was requested, and what was appended."""
    written = text or ""
    return (simplify(written) if is_smart else written) + (appended_text or "")


class Cause(StrEnum):
    """Why a message changed its status, in its history."""

    ACCEPTED_BY_CARRIER = "accepted_by_carrier"
    REFUSED_BY_CARRIER = "refused_by_carrier"
    RECEIPT = "receipt"
    OUTCOME_UNKNOWN = "outcome_unknown"  # the connection broke after the request: never repeated blindly
    EXPIRED = "expired"  # its validity ended before the carrier took it
    RECEIPT_TIMEOUT = "receipt_timeout"
    CANCELED_BY_CUSTOMER = "canceled_by_customer"
    OPTED_OUT = "opted_out"
    ERASED = "erased"
    NO_LONGER_LAWFUL = "no_longer_lawful"  # rejected when it was checked again before sending
