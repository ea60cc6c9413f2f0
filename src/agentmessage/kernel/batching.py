"""Many callers, one piece of work: what arrives while the last batch is being done is the next batch.

There is no timer: an item that finds nobody at work is begun in the same turn of the loop, so a lone caller waits for
nothing, and under load the batches grow by themselves (technology notes, section 4).
"""

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from agentmessage.kernel.db import DATABASE_AWAY
from agentmessage.kernel.errors import Unavailable

NEVER = sys.maxsize
"""More items than can wait."""

I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome


class Batcher(Generic[I, O]):
    """Hands items to `work` in batches of at most `most`; `work` answers an outcome or an exception for each, in order.

    A batch that fails as a whole is done again item by item, so that one bad item fails alone; not when the database is
    away: then all of it is told so. Beyond `bound` waiting items newcomers are refused with Unavailable.
    """

    def __init__(
        self, work: Callable[[Sequence[I]], Awaitable[Sequence[O | Exception]]], *, most: int, bound: int
    ) -> None:
        self._work = work
        self._most = most
        self._bound = bound
        self._waiting: deque[tuple[I, asyncio.Future[O]]] = deque()
        self._working: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._enough = NEVER

    async def put(self, item: I) -> O:
        """Have an item done with whatever else is waiting; raises what `work` answered for it."""
        if len(self._waiting) >= self._bound:
            raise Unavailable(retry_after_s=1)
        outcome: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if self._working is None or len(self._waiting) >= self._enough:
            self._begin()
        return await outcome

    def let_next_begin(self, *, at: int) -> None:
        """Once `at` items wait they need not wait for the batch under work: `work` says so, and sees to their order."""
        self._enough = at
        if len(self._waiting) >= at:
            self._begin()

    def _begin(self) -> None:
        self._enough = NEVER
        self._working = task = asyncio.get_running_loop().create_task(self._until_empty())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_empty(self) -> None:
        me = asyncio.current_task()
        try:
            while self._waiting and self._working is me:
                self._enough = NEVER
                count = min(self._most, len(self._waiting))
                await self._flush([self._waiting.popleft() for _ in range(count)])
        finally:
            if self._working is me:
                self._working = None

    async def _flush(self, batch: Sequence[tuple[I, asyncio.Future[O]]]) -> None:
        try:
            outcomes = await self._work([item for item, _ in batch])
        except BaseException as error:  # nobody may be left waiting
            if len(batch) == 1 or isinstance(error, DATABASE_AWAY) or not isinstance(error, Exception):
                for _, outcome in batch:
                    _settle(outcome, error if isinstance(error, Exception) else Unavailable(retry_after_s=1))
            else:
                for one in batch:
                    await self._flush([one])
            if not isinstance(error, Exception):
                raise
            return
        for (_, outcome), result in zip(batch, outcomes, strict=True):
            _settle(outcome, result)


def _settle(outcome: "asyncio.Future[O]", result: O | Exception) -> None:
    if outcome.done():  # the caller has gone away
        return
    if isinstance(result, Exception):
        outcome.set_exception(result)
    else:
        outcome.set_result(result)
