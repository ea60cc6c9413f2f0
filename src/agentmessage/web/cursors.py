"""Cursors: base64url without padding of `{"created_at", "id"}`."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.web.types import in_utc


class Position(Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a list: the last row that the reader has seen."""

    created_at: datetime
    id: str


def encode(created_at: datetime, row_id: object) -> str:
    """A place as the opaque text that the caller sends back."""
    raw = msgspec.json.encode(Position(created_at, str(row_id)))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(cursor: str, *, field: str = "cursor") -> Position:
    """The place; raises ValidationFailed naming `field` for anything that `encode` did not make."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(raw, type=Position)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise ValidationFailed({field: "must be a cursor from an earlier page"}) from error
    if place.created_at.tzinfo is None or not place.id or "\x00" in place.id:
        raise ValidationFailed({field: "must be a cursor from an earlier page"})
    return Position(in_utc(place.created_at, field), place.id)


class RowPosition(Struct, frozen=True):
    """A place in a list whose rows have UUIDs."""

    at: datetime
    id: UUID


def decode_row(cursor: str) -> RowPosition:
    """The place that a list of rows with UUIDs goes on from. Raises ValidationFailed."""
    place = decode(cursor)
    try:
        return RowPosition(place.created_at, UUID(place.id))
    except ValueError as error:
        raise ValidationFailed({"cursor": "must be a cursor from an earlier page"}) from error
