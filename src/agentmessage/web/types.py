"""Shapes that all rooms put on the wire: the base of requests and resources, common field types, pages, envelopes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct

from agentmessage.kernel.errors import ValidationFailed

T = TypeVar("T")


class Request(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request body or query: nothing extra is accepted."""


class Resource(Struct, frozen=True):
    """A resource: all its keys are always printed; unset is null."""


def error_text(text: str) -> dict[str, str]:
    """The error text of a field, as the `extra` of its Meta."""
    return {"error_text": text}


END = r"$(?!\n)"
"""End of a pattern. `$` alone would let a line feed pass behind it."""

STORABLE = r"^[^\u0000]*$"
"""Any text that Postgres can keep, line feeds too."""

E164_PATTERN = r"^\+[1-9][0-9]{6,14}" + END
E164 = Annotated[str, Meta(pattern=E164_PATTERN, examples=["+14155550123"], extra=error_text("must be E.164"))]
Label = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=STORABLE,
        examples=["support-line"],
        extra=error_text("must be at most 100 characters, none of them NUL"),
    ),
]
AreaCode = Annotated[
    str, Meta(pattern=r"^[2-9][0-9]{2}" + END, examples=["415"], extra=error_text("must be a 3-digit area code"))
]
NumberPattern = Annotated[
    str,
    Meta(
        pattern=r"^\+?[0-9]{1,15}" + END,
        examples=["555"],
        extra=error_text("must be 1..15 digits, as part of an E.164 number"),
    ),
]
Utc = Annotated[datetime, Meta(tz=True, extra=error_text("must be an RFC 3339 time with a zone"))]
CursorText = Annotated[
    str,
    Meta(
        max_length=512,
        description="`meta.next_cursor` of the page before.",
        extra=error_text("must be a cursor from an earlier page"),
    ),
]


class PageMeta(Struct, frozen=True):
    """`meta` of a list. With a cursor `total` and `offset` are 0, as the reference prints them."""

    total: int
    limit: int
    offset: int
    next_cursor: str | None
    last_event_at: datetime | None = None


class Page(Struct, Generic[T], frozen=True):
    """One page of a list. Where the route says so the cursor goes into X-Next-Cursor, and `meta` prints null."""

    items: Sequence[T]
    limit: int
    next_cursor: str | None
    total: int = 0
    offset: int = 0
    last_event_at: datetime | None = None

    def meta(self, *, shows_cursor: bool) -> PageMeta:
        """The `meta` of the envelope."""
        cursor = self.next_cursor if shows_cursor else None
        return PageMeta(self.total, self.limit, self.offset, cursor, self.last_event_at)


class Response(Struct, Generic[T], frozen=True):
    """A result with a status of its own, where an operation has several good ones; or with headers, or a `meta`."""

    status: int
    value: T
    headers: Mapping[str, str] = {}
    meta: Struct | None = None


class Enveloped(Struct, frozen=True):
    """`{"success": true, "data": …}`."""

    success: bool
    data: Any


class EnvelopedWithMeta(Struct, frozen=True):
    """`{"success": true, "data": …, "meta": {…}}`."""

    success: bool
    data: Any
    meta: Struct


class ErrorDetail(Struct, frozen=True, omit_defaults=True):
    """`error` of a failure; `fix` is the way out in one sentence.

    `details` maps at most 50 fields to a short sentence each; `details.more` is then the number of others.
    """

    code: str
    message: str
    request_id: str
    details: Mapping[str, str] | None = None
    fix: str | None = None


class ErrorEnvelope(Struct, frozen=True):
    """`{"success": false, "error": {…}}`."""

    success: bool
    error: ErrorDetail


def in_utc(moment: datetime, field: str) -> datetime:
    """The same instant in UTC. Raises ValidationFailed naming `field` when it lies before year 1 or after year 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValidationFailed({field: "must be an RFC 3339 time within the years 1..9999"}) from error
