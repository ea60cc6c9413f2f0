"""Token buckets in the memory of a process, for what is limited before the database is asked."""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from agentmessage.kernel.token_bucket import TokenBucket

K = TypeVar("K")

MAX_BUCKETS = 10_000


class Buckets(Generic[K]):
    """One bucket for each key, of which the longest unused are forgotten: a forgotten bucket is a full one."""

    def __init__(self, *, capacity: float, per_second: float, monotonic: Callable[[], float]) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._monotonic = monotonic
        self._buckets: OrderedDict[K, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: K, amount: float) -> None:
        """Take out of a bucket, also more than is in it."""
        bucket = self._buckets.setdefault(key, TokenBucket())
        bucket.tokens = self._tokens(bucket) - amount
        self._buckets.move_to_end(key)
        while len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)

    def wait_s(self, key: K, amount: float = 0.0) -> int:
        """Whole seconds until so much is in a bucket; 0: it is."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return 0
        missing = amount - self._tokens(bucket)
        return max(1, math.ceil(missing / self._per_second)) if missing > 0 else 0

    def _tokens(self, bucket: TokenBucket) -> float:
        return bucket.refill(self._monotonic(), capacity=self._capacity, per_second=self._per_second)
