"""Repeatable randomness: every draw is a function of the seed and of labels."""

import uuid
from hashlib import blake2b

from agentmessage.simulator.core.profiles import Span

_REGISTRY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class SeededRandom:
    """Draws by label. The same seed and labels give the same number, in every process and after every restart."""

    def __init__(self, seed: int) -> None:
        self._prefix = f"{seed}"

    def _digest(self, labels: tuple[str | int, ...], size: int) -> bytes:
        return blake2b(f"{self._prefix}|{'|'.join(map(str, labels))}".encode(), digest_size=size).digest()

    def fraction(self, *labels: str | int) -> float:
        """A number in [0, 1)."""
        return int.from_bytes(self._digest(labels, 6), "big") / 2**48

    def within(self, span: Span, *labels: str | int) -> float:
        """Seconds inside a span."""
        if span.high_s <= span.low_s:
            return span.low_s
        return span.low_s + (span.high_s - span.low_s) * self.fraction(*labels)

    def uuid(self, *labels: str | int) -> str:
        """An order or subscription id."""
        return str(uuid.UUID(bytes=self._digest(labels, 16), version=4))

    def registry_id(self, letter: str, *labels: str | int) -> str:
        """Seven upper-case characters that start with `letter`, as the registry assigns them."""
        number = int.from_bytes(self._digest(labels, 8), "big")
        tail = ""
        for _ in range(6):
            number, index = divmod(number, len(_REGISTRY_ALPHABET))
            tail += _REGISTRY_ALPHABET[index]
        return letter + tail
