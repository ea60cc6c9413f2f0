"""What a receipt repeats of its message, as digests: enough to tell whether it is about a message, not to read it."""

import re
from hashlib import blake2b

from agentmessage.sms.segments import ReferenceBits, split

MIN_LETTERS = 4
"""Fewer letters and digits tell no message from another."""

NUMBER_DIGITS = 10
"""A carrier may write a number with or without its country; so many digits at its end are the same."""

REFERENCE_BITS: tuple[ReferenceBits, ...] = (8, 16)

_NO_LETTER = re.compile(r"[^0-9a-z]+")


def pair_trace(one: str, other: str) -> str:
    """The two ends of a message, whichever of them is the sender; empty where one is missing."""
    ends = sorted(_end(address) for address in (one, other))
    return _digest("|".join(ends)) if ends[0] else ""


def text_trace(excerpt: str) -> str:
    """The letters and digits at the beginning of a text, and how many they are; empty where they are too few."""
    letters = _letters(excerpt)
    return f"{len(letters)}:{_digest(letters)}" if len(letters) >= MIN_LETTERS else ""


def is_trace_of(trace: str, text: str) -> bool:
    """Whether a part of the text begins with what was traced, in whatever characters the carrier repeated it."""
    return bool(parts_traced(trace, text))


def parts_traced(trace: str, text: str) -> frozenset[int]:
    """The parts of the text, from 1, that begin with what was traced."""
    size, _, digest = trace.partition(":")
    return frozenset(
        number
        for bits in REFERENCE_BITS
        for number, part in enumerate(split(text, reference_bits=bits), start=1)
        for letters in (_letters(part), _letters(part.encode("utf-16-be", "replace").decode("latin-1")))
        if len(letters) >= int(size) and _digest(letters[: int(size)]) == digest
    )


def _end(address: str) -> str:
    digits = address.strip().removeprefix("+")
    return digits[-NUMBER_DIGITS:] if digits.isascii() and digits.isdigit() else digits.casefold()


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text.lower())


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
