"""How much of what all receivers use one organization may use; no database, no network.

An organization that is alone may use half of it. One that uses more than is left free waits, but for a small share
that none is denied. So the endpoints of one organization, however many and however slow, leave room for all others.
"""

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


class Shares:
    """`total` of something, and how much of it each organization uses. `small` is what none is denied."""

    def __init__(self, total: int, *, small: int) -> None:
        self._total = total
        self._small = small
        self._used: Counter[UUID] = Counter()
        self.used = 0

    def use(self, org_id: UUID, count: int) -> None:
        """Use more, or, with a negative count, less."""
        self.used += count
        self._used[org_id] += count
        if not self._used[org_id]:
            del self._used[org_id]

    def left(self, org_id: UUID) -> int:
        """How much more an organization may use now."""
        free = self._total - self.used
        return min(free, max(self._small, free) - self._used[org_id])

    def full(self) -> list[UUID]:
        """Organizations that may use no more now."""
        return [org_id for org_id in self._used if self.left(org_id) <= 0]


class Turns(Generic[T]):
    """Things that wait for their turn: organizations go in turn, and of each its things do."""

    def __init__(self) -> None:
        self._queues: OrderedDict[UUID, deque[T]] = OrderedDict()

    def add(self, org_id: UUID, thing: T) -> None:
        """Wait behind the organization's other things."""
        self._queues.setdefault(org_id, deque()).append(thing)

    def remove(self, org_id: UUID, thing: T) -> None:
        """Wait no more."""
        queue = self._queues[org_id]
        queue.remove(thing)
        if not queue:
            del self._queues[org_id]

    def next(self, shares: Shares) -> T | None:
        """The next of an organization that may use more; None when there is none."""
        for _ in range(len(self._queues)):
            org_id, queue = self._queues.popitem(last=False)
            if shares.left(org_id) <= 0:
                self._queues[org_id] = queue
                continue
            thing = queue.popleft()
            if queue:
                self._queues[org_id] = queue
            return thing
        return None
