"""Prices as data: reads `prices.toml` once and refuses one that contradicts itself."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from agentmessage.billing.model import Price

FILE = Path(__file__).with_name("prices.toml")


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    price: list[Price]


@cache
def prices() -> Sequence[Price]:
    """The catalogue that this release carries."""
    return read(FILE.read_bytes())


def read(toml: bytes) -> Sequence[Price]:
    """The entries of a catalogue. Raises ValueError when two of them hold for the same thing at the same time."""
    entries = msgspec.toml.decode(toml, type=_Document).price
    for number, entry in enumerate(entries):
        for other in entries[:number]:
            if (entry.kind, entry.ref) == (other.kind, other.ref) and _overlap(entry, other):
                raise ValueError(f"two prices for {entry.kind} {entry.ref or '(default)'} hold at the same time")
    return entries


def _overlap(one: Price, other: Price) -> bool:
    return (one.valid_until is None or other.valid_from < one.valid_until) and (
        other.valid_until is None or one.valid_from < other.valid_until
    )
