"""Preflight on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from agentmessage.sms.segments import Encoding
from agentmessage.web.wire import E164, END, STORABLE, Request, Resource, Utc, must

MAX_TEXT = 1600
MAX_MEDIA = 10

Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=STORABLE,
        examples=["Acme Dental: your appointment is on Monday at 9. Reply STOP to opt out."],
        extra=must(f"must be 1..{MAX_TEXT} chars"),
    ),
]
MediaRef = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        pattern=r"^(https://[A-Za-z0-9\[][!-~]*|[0-9a-fA-F-]{36})" + END,
        examples=["https://customer.example/xray.png"],
        extra=must("must be an https URL or the media_id of an upload"),
    ),
]
Media = Annotated[
    Sequence[MediaRef],
    Meta(
        max_length=MAX_MEDIA, extra=must(f"must be at most {MAX_MEDIA}, each an https URL or the media_id of an upload")
    ),
]


class Severity(StrEnum):
    """What a finding means for the text."""

    PASS = "pass"  # noqa: S105 - a severity
    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


class PreflightCreate(Request, frozen=True):
    """A text that one thinks of sending. `text` may be left out to ask about the pair alone."""

    from_: Annotated[E164, Meta(description="One of your assigned numbers.")] = msgspec.field(name="from")
    to: E164
    text: Text | None = None
    media: Media | None = ()
    smart_encoding: Annotated[bool, Meta(extra=must("must be true or false"))] | None = False
    scheduled_at: Utc | None = None


class Finding(Resource, frozen=True):
    """One thing about the text. `code` is the refusal that sending would answer with; null where it is none."""

    check: str
    severity: Severity
    code: str | None
    title: str
    suggested_fix: str | None
    details: Mapping[str, str] | None


class Decided(Resource, frozen=True):
    """Which scope decided about a guardrail."""

    scope_kind: str
    scope_id: UUID | None
    profile_id: UUID | None


class PreflightOut(Resource, frozen=True):
    """Whether the text would be accepted now, and everything that speaks for or against it, in the order of sending."""

    can_submit: bool
    findings: Sequence[Finding]
    source_breakdown: Mapping[str, Decided]
    segment_count: int
    encoding: Encoding
    cost_cents: int
    appended_text: str | None
    would_be_sent_at: datetime
