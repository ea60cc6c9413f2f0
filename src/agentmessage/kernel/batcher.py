"""Many callers, one piece of work: items that arrive while a batch is processed form the next batch.

There is no timer. An item that arrives while nothing is processed starts in the same turn of the loop, so a single
caller does not wait, and under load the batches grow.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from agentmessage.kernel.db import DATABASE_UNAVAILABLE
from agentmessage.kernel.errors import Unavailable

UNLIMITED = sys.maxsize

I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome


class Batcher(Generic[I, O]):
    """Passes items to `work` in batches of at most `max_batch`; `work` returns a result or an exception for each.

    `work` is called again for each item alone if it raises for a batch, so that one bad item fails alone. If it raises
    because the database is away, every item of the batch fails. Beyond `max_waiting` items `submit` raises Unavailable.
    """

    def __init__(
        self,
        work: Callable[[Sequence[I]], Awaitable[Sequence[O | Exception]]],
        *,
        max_batch: int,
        max_waiting: int = UNLIMITED,
    ) -> None:
        self._work = work
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[I, asyncio.Future[O]]] = deque()
        self._working: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._enough = UNLIMITED

    async def submit(self, item: I) -> O:
        """Returns the result of an item, or raises its exception."""
        return await self.submit_nowait(item)

    def submit_nowait(self, item: I) -> "asyncio.Future[O]":
        """As `submit`; results are set in the order of the items. An exception that is not awaited is not logged."""
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable(retry_after_s=1)
        outcome: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if self._working is None or len(self._waiting) >= self._enough:
            self._begin()
        return outcome

    def start_next_when(self, size: int) -> None:
        """Starts the next batch next to the present one once `size` items wait; `work` must keep their order."""
        self._enough = size
        if len(self._waiting) >= size:
            self._begin()

    async def close(self) -> None:
        """Cancels the work; what is not done fails with Unavailable."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._waiting:
            _settle(self._waiting.popleft()[1], Unavailable(retry_after_s=1))

    def _begin(self) -> None:
        self._enough = UNLIMITED
        self._working = task = asyncio.get_running_loop().create_task(self._until_empty())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_empty(self) -> None:
        me = asyncio.current_task()
        try:
            while self._waiting and self._working is me:
                self._enough = UNLIMITED
                count = min(self._max_batch, len(self._waiting))
                await self._flush([self._waiting.popleft() for _ in range(count)])
        finally:
            if self._working is me:
                self._working = None

    async def _flush(self, batch: Sequence[tuple[I, asyncio.Future[O]]]) -> None:
        try:
            outcomes = await self._work([item for item, _ in batch])
        except BaseException as error:  # no caller may be left waiting
            if len(batch) == 1 or isinstance(error, DATABASE_UNAVAILABLE) or not isinstance(error, Exception):
                for _, outcome in batch:
                    _settle(outcome, error if isinstance(error, Exception) else Unavailable(retry_after_s=1))
            else:
                for pair in batch:
                    await self._flush([pair])
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
        outcome.exception()  # marks it as retrieved: nobody has to await what `submit_nowait` returned
    else:
        outcome.set_result(result)
