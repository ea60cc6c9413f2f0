"""Who reads what vendors tell by themselves, and who asks them to."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from agentmessage.carriers.protocols import Answer, Callback, Hint


class CallbackProof(Protocol):
    """Knows by its headers what cannot be a vendor's callback.

    Nothing is made of a body before it is known who asks: where `is_proven_by_headers`, `admit` knows it already.
    """

    max_body_bytes: int
    is_proven_by_headers: bool

    def admit(self, headers: Mapping[str, str]) -> None:
        """Refuse what cannot be authentic, before its body is read. Raises ForgedCallback."""
        ...


class CallbackReader(CallbackProof, Protocol):
    """Reads one vendor's callbacks. Pure; raises ForgedCallback or UnreadableCallback."""

    def read(self, callback: Callback) -> Sequence[Hint]:
        """What the callback says, in our words."""
        ...


class CallbackSubscriber(Protocol):
    """Tells one vendor where to call us back."""

    async def subscribe(self, url: str) -> Answer[None]:
        """Have the vendor call `url` for everything we listen to; already so is Accepted. Safe to repeat."""
        ...
