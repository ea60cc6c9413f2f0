"""Identifiers: UUIDv7 for rows, ULIDs for requests and audit rows."""

import os
import time
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["UUID", "new_id", "new_ulid"]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = range(120, -1, -10)


def new_id() -> UUID:
    """A fresh UUIDv7: sorts by time of making, so that indexes grow at one end."""
    return uuid7()


def new_ulid() -> str:
    """A fresh ULID: 48 bits of milliseconds and 80 random ones, in 26 characters of Crockford's base 32.

    Two characters a step: every request makes one, and the library took a fifth of the edge's own time.
    """
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
