"""A vendor's limits on calls, enforced by token buckets."""

from agentmessage.kernel.token_bucket import TokenBucket
from agentmessage.simulator.core.profiles import CallLimits


class CallLimiter:
    """Two buckets, one for reads and one for writes."""

    def __init__(self, limits: CallLimits) -> None:
        self._rates = (limits.read_per_s, limits.write_per_s)
        self._bursts = (limits.read_burst, limits.write_burst)
        self._buckets = (TokenBucket(), TokenBucket())

    def wait_s(self, *, is_write: bool, at: float) -> float:
        """Take one token; returns 0.0, or the seconds until there is one."""
        index = int(is_write)
        return self._buckets[index].take(at, capacity=self._bursts[index], per_second=self._rates[index])
