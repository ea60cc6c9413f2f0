"""Media: what is announced, where it can be fetched, and for how long."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

MAX_BYTES = 1024 * 1024
"""Of one file; also what AT&T and Verizon carry to a long code's recipient."""

UPLOAD_LINK_KEPT = timedelta(minutes=30)
PREFIX = "/media/"


class MediaState(StrEnum):
    """Whether the bytes are there."""

    ANNOUNCED = "announced"
    STORED = "stored"


class Kept(Struct, frozen=True):
    """What an organization keeps: files, those with an open upload link too, and their bytes."""

    files: int
    size_bytes: int


class Media(Struct, frozen=True):
    """One file of an organization. `byte_size` is as announced until it is stored; never more is taken."""

    id: UUID
    org_id: UUID
    mime_type: str
    byte_size: int
    state: str
    object_key: str
    created_at: datetime
    expires_at: datetime
    stored_at: datetime | None


class MediaLinks(Struct, frozen=True, kw_only=True):
    """Makes and checks the addresses of media. `base_url` is ours as carriers see it; the newest key comes first.

    Whoever has a download link may fetch the file until the instant that is signed into it, and nobody can guess one.
    """

    base_url: str
    keys: Sequence[bytes]
    is_enabled: bool = True

    def upload(self, cell: str, token: str) -> str:
        """Where to PUT a file, once."""
        return f"{self.base_url}{PREFIX}{cell}/{token}"

    def download(self, cell: str, media_id: UUID, *, until: datetime) -> str:
        """Where a carrier fetches a file, until an instant (rounded up to the second)."""
        last = int(until.timestamp()) + 1
        return f"{self.base_url}{PREFIX}{cell}/{media_id}?until={last}&sig={_sign(self.keys[0], cell, media_id, last)}"

    def is_good(self, cell: str, media_id: UUID, *, until: str, signature: str, now: datetime) -> bool:
        """Whether a download link is one of ours and still holds."""
        if not (until.isascii() and until.isdigit() and len(until) <= MAX_DIGITS):
            return False
        given = signature.encode()
        wanted = (_sign(key, cell, media_id, int(until)).encode() for key in self.keys)
        return any(hmac.compare_digest(one, given) for one in wanted) and now < datetime.fromtimestamp(int(until), UTC)


MAX_DIGITS = 11
"""Of a time in seconds; eleven last until the year 5138."""


def _sign(key: bytes, cell: str, media_id: UUID, until: int) -> str:
    return hmac.new(key, f"{cell}/{media_id}/{until}".encode(), hashlib.sha256).hexdigest()


def fingerprint(token: str) -> bytes:
    """What is stored of an upload token: a hash, so that the database opens nothing."""
    return hashlib.sha256(token.encode()).digest()
