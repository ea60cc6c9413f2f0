"""A fair limit on what happens at once: nobody's share grows at the cost of another's."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager


class TooManyWaiting(Exception):
    """An owner already has as many requests waiting as it may."""


class FairSlots:
    """`total` slots, of which one owner holds at most `per_owner`, and never more than are left free.

    One busy owner therefore leaves at least half of the slots to others, two leave a third, and so on. When a slot
    becomes free, the owners that wait take turns.
    """

    def __init__(self, total: int, *, per_owner: int, waiting_per_owner: int) -> None:
        self._free = total
        self._per_owner = per_owner
        self._waiting_per_owner = waiting_per_owner
        self._held: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def free(self) -> int:
        """How many slots nobody holds."""
        return self._free

    def held_by(self, owner: Hashable) -> int:
        """How many slots an owner holds."""
        return self._held[owner]

    @asynccontextmanager
    async def hold(self, owner: Hashable) -> AsyncGenerator[None]:
        """Hold a slot within the block; waits for it. Raises TooManyWaiting."""
        await self.take(owner)
        try:
            yield
        finally:
            self.give_back(owner)

    async def take(self, owner: Hashable) -> None:
        """Wait for a slot and hold it until `give_back`. Raises TooManyWaiting."""
        if owner not in self._waiting and self._may_take(owner):
            self._grant(owner)
            return
        queue = self._waiting.setdefault(owner, deque())
        if len(queue) >= self._waiting_per_owner:
            raise TooManyWaiting
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(owner)
            else:
                self._forget(owner, turn)
            raise

    def give_back(self, owner: Hashable) -> None:
        """A slot that was taken is free again."""
        self._free += 1
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
        self._wake()

    def _may_take(self, owner: Hashable) -> bool:
        return self._held[owner] < min(self._per_owner, self._free)

    def _grant(self, owner: Hashable) -> None:
        self._free -= 1
        self._held[owner] += 1

    def _wake(self) -> None:
        """Give free slots to waiting owners in turn, until none may take one."""
        is_granted = True
        while is_granted and self._free:
            is_granted = False
            for owner in list(self._waiting):
                if self._may_take(owner):
                    is_granted = self._wake_one(owner) or is_granted

    def _wake_one(self, owner: Hashable) -> bool:
        queue = self._waiting.pop(owner)
        while queue:
            turn = queue.popleft()
            if turn.done():
                continue  # its task was cancelled a moment ago and has not run since
            if queue:
                self._waiting[owner] = queue  # behind the others
            self._grant(owner)
            turn.set_result(None)
            return True
        return False

    def _forget(self, owner: Hashable, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(owner)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[owner]
