"""Token buckets in the memory of a process, for what is limited before the database is asked."""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")

MAX_BUCKETS = 10_000


class Buckets(Generic[K]):
    """One bucket for each key, of which the longest unused are forgotten: a forgotten bucket is a full one."""

    def __init__(self, *, capacity: float, per_second: float, monotonic: Callable[[], float]) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._monotonic = monotonic
        self._levels: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def take(self, key: K, amount: float) -> None:
        """Take out of a bucket, also more than is in it."""
        self._levels[key] = (self._level(key) - amount, self._monotonic())
        self._levels.move_to_end(key)
        while len(self._levels) > MAX_BUCKETS:
            self._levels.popitem(last=False)

    def wait_s(self, key: K, amount: float = 0.0) -> int:
        """Whole seconds until so much is in a bucket; 0: it is."""
        if not self._levels or key not in self._levels:
            return 0
        missing = amount - self._level(key)
        return max(1, math.ceil(missing / self._per_second)) if missing > 0 else 0

    def _level(self, key: K) -> float:
        level, at = self._levels.get(key, (self._capacity, 0.0))
        return min(self._capacity, level + (self._monotonic() - at) * self._per_second)
