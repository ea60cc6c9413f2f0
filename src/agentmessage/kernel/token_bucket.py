"""Token buckets: limits on a rate that allow bursts. Pure: the caller passes the time in seconds."""

import math


def refill(tokens: float, passed_s: float, *, capacity: float, per_second: float) -> float:
    """Returns what a bucket with `tokens` holds after `passed_s` seconds."""
    return min(capacity, tokens + max(0.0, passed_s) * per_second)


def wait_s(tokens: float, needed: float, *, per_second: float) -> float:
    """Returns the seconds until a bucket holds the needed tokens; 0.0 if it does."""
    return max(0.0, needed - tokens) / per_second


class TokenBucket:
    """One bucket in the memory of a process; a new one is full. Capacity and rate may differ from call to call."""

    __slots__ = ("refilled_at", "tokens")

    def __init__(self, tokens: float = math.inf, *, refilled_at: float = 0.0) -> None:
        self.tokens = tokens
        self.refilled_at = refilled_at

    def refill(self, now: float, *, capacity: float, per_second: float) -> float:
        """Adds what was earned since the last call; returns the tokens."""
        self.tokens = refill(self.tokens, now - self.refilled_at, capacity=capacity, per_second=per_second)
        self.refilled_at = max(now, self.refilled_at)
        return self.tokens

    def take(self, now: float, *, capacity: float, per_second: float) -> float:
        """Takes one token and returns 0.0; takes nothing and returns the seconds until there is one."""
        if self.refill(now, capacity=capacity, per_second=per_second) < 1.0:
            return wait_s(self.tokens, 1.0, per_second=per_second)
        self.tokens -= 1.0
        return 0.0
