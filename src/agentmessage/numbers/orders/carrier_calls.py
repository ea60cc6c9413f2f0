"""What the jobs that deal with a carrier's numbers share: the sources, the budget of calls, their patience."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from agentmessage.carriers.protocols import Answer, Deferred, NumberSource
from agentmessage.numbers.binding.call_budget import Budget
from agentmessage.outbox.notifications import Ring

T = TypeVar("T")

TOPIC = "orders"
"""Notified when an order ends, for the requests that wait for it."""

CALL_S = 40.0
"""Longer than the longest call to a carrier: after it, what was submitted has surely been answered or lost."""

MISS_APART_S = 2.0
MISSES_THAT_PROVE_ABSENCE = 2
KEPT_CHARS = 65_536


class Shop(Struct, frozen=True):
    """Each account's source of numbers, the budget of calls, and the notifier."""

    sources: Mapping[str, NumberSource]
    budget: Budget | None = None
    ring: Ring | None = None

    async def ask(self, account: str, kind: str, call: Callable[[], Awaitable[Answer[T]]]) -> Answer[T]:
        """One call within the account's budget; Deferred when nothing is left of it. `kind` is `read` or `write`."""
        if self.budget is None:
            return await call()
        wait_s = await self.budget.take(account, kind)
        if wait_s > 0:
            return Deferred("our own budget", wait_s)
        answer = await call()
        await self.budget.record_answer(account, answer)
        return answer


def quote(words: str, rest: str = "") -> str:
    """The carrier's words as they are kept for the operator."""
    return f"{words}: {rest}".strip(": ").replace("\x00", "")[:KEPT_CHARS]
