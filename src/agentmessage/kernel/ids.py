"""Identifiers: UUIDv7 for rows, ULIDs for requests and audit rows."""

import random
import time
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["UUID", "new_id", "new_ulid"]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_chance = random.Random()  # noqa: S311 - seeded by the system; these ids name things and open nothing
_moment = (0, "")


def new_id() -> UUID:
    """A fresh UUIDv7: sorts by time of making, so that indexes grow at one end."""
    return uuid7()


def new_ulid() -> str:
    """A fresh ULID: 48 bits of milliseconds and 80 random ones, in 26 characters of Crockford's base 32.

    Two characters a step, the time's once a millisecond, and no system call: every request makes one or two, and the
    library together with the system's random numbers took half of the edge's own time.
    """
    global _moment  # noqa: PLW0603 - the text of the present millisecond, remembered
    ms = time.time_ns() // 1_000_000
    known_ms, head = _moment
    if ms != known_ms:
        head = "".join([_PAIRS[ms >> shift & 1023] for shift in (40, 30, 20, 10, 0)])
        _moment = (ms, head)
    low = _chance.getrandbits(80)
    pairs = _PAIRS
    return (
        head
        + pairs[low >> 70]
        + pairs[low >> 60 & 1023]
        + pairs[low >> 50 & 1023]
        + pairs[low >> 40 & 1023]
        + pairs[low >> 30 & 1023]
        + pairs[low >> 20 & 1023]
        + pairs[low >> 10 & 1023]
        + pairs[low & 1023]
    )
