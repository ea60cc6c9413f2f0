"""Identifiers: UUIDv7 for rows, ULIDs for requests and audit rows."""

from uuid import UUID

from ulid import ULID
from uuid_utils.compat import uuid7

__all__ = ["UUID", "new_id", "new_ulid"]


def new_id() -> UUID:
    """A fresh UUIDv7: sorts by time of making, so that indexes grow at one end."""
    return uuid7()


def new_ulid() -> str:
    """A fresh ULID, 26 characters."""
    return str(ULID())
