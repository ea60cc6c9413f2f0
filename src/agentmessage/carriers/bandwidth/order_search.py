"""Finding an order again by our own key, in lists whose filters cannot be trusted (contract, section 4.3)."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from agentmessage.carriers.bandwidth.orders import Candidates
from agentmessage.carriers.protocols import Accepted, Answer, Refused, Unknown

MAX_LOOKS = 10
"""Orders read at most to find one key; more means that the filter was ignored."""


class Keyed(Protocol):
    """A report that repeats our key."""

    @property
    def order_key(self) -> str:
        """Our own key, empty where the carrier did not repeat it."""
        ...


R = TypeVar("R", bound=Keyed)


async def pick_out(
    candidates: Candidates,
    order_key: str,
    read: Callable[[str], Awaitable[Answer[R]]],
) -> Answer[R | None]:
    """The one order that carries the key, read in full; None only when no other could."""
    for row in candidates.rows[:MAX_LOOKS]:
        answer = await read(row.carrier_order_id)
        if isinstance(answer, Refused):
            return Unknown(reason=f"listed, but not readable: {answer.code} {answer.text}")
        if not isinstance(answer, Accepted):
            return answer
        if answer.value.order_key == order_key:
            return answer
    if not candidates.is_whole or len(candidates.rows) > MAX_LOOKS:
        return Unknown(reason="the carrier's list was neither narrowed nor whole: the order may be elsewhere in it")
    return Accepted(None)
