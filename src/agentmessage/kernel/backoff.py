"""Exponential backoff; pure."""

MAX_EXPONENT = 64
"""Keeps the power finite; every maximum is reached long before."""


def backoff_s(attempt: int, *, first_s: float, max_s: float, growth: float = 2.0, jitter: float = 1.0) -> float:
    """Returns `first_s * growth ** attempt`, at most `max_s`. `attempt` counts from 0.

    `jitter` in 0..1 takes that share of it ("full jitter" with a random number), at least a tenth of `first_s`.
    """
    ceiling_s = min(max_s, first_s * growth ** min(attempt, MAX_EXPONENT))
    return max(first_s / 10, ceiling_s * jitter)
