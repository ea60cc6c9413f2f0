"""Requests and resources of preflight."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from agentmessage.compliance.model import VALIDITY_S, Priority
from agentmessage.sms.segments import Encoding
from agentmessage.web.types import E164, END, STORABLE, Request, Resource, Utc, error_text
from agentmessage.web.webhook_urls import HTTPS_PATTERN

MAX_TEXT = 1600
MAX_MEDIA = 10
MAX_METADATA_KEYS = 20

UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""Controls, line breaks, direction marks and zero-width characters; joiners belong to emoji and to some letters."""

Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=STORABLE,
        examples=["Acme Dental: your appointment is on Monday at 9. Reply STOP to opt out."],
        extra=error_text(f"must be 1..{MAX_TEXT} chars"),
    ),
]
MediaRef = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        pattern=rf"{HTTPS_PATTERN}|^[0-9a-fA-F-]{{36}}{END}",
        examples=["https://customer.example/xray.png"],
        extra=error_text("must be an https URL without user, password and fragment, or the media_id of an upload"),
    ),
]
Media = Annotated[
    Sequence[MediaRef],
    Meta(
        max_length=MAX_MEDIA,
        extra=error_text(f"must be at most {MAX_MEDIA}, each an https URL or the media_id of an upload"),
    ),
]


Tag = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=f"^[^{UNPRINTABLE}]+" + END,
        description="A word of yours to find the message by.",
        examples=["order 7421"],
        extra=error_text("must be 1..64 printable characters"),
    ),
]
MetadataKey = Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)]
MetadataValue = Annotated[str, Meta(max_length=512, pattern=STORABLE)]


class MessageBody(Request, frozen=True):
    """The fields of sending and of preflight."""

    from_: Annotated[E164, Meta(description="One of your assigned numbers.")] = msgspec.field(name="from")
    to: E164
    text: Text | None = None
    media: Media | None = ()
    smart_encoding: (
        Annotated[
            bool,
            Meta(
                description="Send typographic characters as plain ones where that saves a part.",
                extra=error_text("must be true or false"),
            ),
        ]
        | None
    ) = False
    priority: Priority | None = Priority.DEFAULT
    tag: Tag | None = None
    scheduled_at: Utc | None = None
    validity_s: Annotated[int, Meta(ge=60, le=172_800, extra=error_text("must be 60..172800"))] | None = VALIDITY_S
    metadata: (
        Annotated[
            Mapping[MetadataKey, MetadataValue],
            Meta(
                max_length=MAX_METADATA_KEYS,
                examples=[{"patient": "8841"}],
                extra=error_text(f"must be a flat map of at most {MAX_METADATA_KEYS} strings"),
            ),
        ]
        | None
    ) = None


class Severity(StrEnum):
    """What a finding means for the message."""

    PASS = "pass"  # noqa: S105 - a severity
    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


class PreflightCreate(MessageBody, frozen=True):
    """A message to check, as it would be sent.

    Without `text` and `media` the sender and the recipient alone are checked.
    """


class Finding(Resource, frozen=True):
    """One check of the message. `code` is the error that sending would return; null if it is none."""

    check: str
    severity: Severity
    code: str | None
    title: str
    suggested_fix: str | None
    details: Mapping[str, str] | None


class Decided(Resource, frozen=True):
    """The scope that decided a guardrail."""

    scope_kind: str
    scope_id: UUID | None
    profile_id: UUID | None


class PreflightOut(Resource, frozen=True):
    """Whether the message would be accepted now, and every finding, in the order of sending."""

    can_submit: bool
    findings: Sequence[Finding]
    source_breakdown: Mapping[str, Decided]
    segment_count: int
    encoding: Encoding
    cost_cents: int
    appended_text: str | None
    would_be_sent_at: datetime
