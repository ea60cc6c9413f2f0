"""Whether a request is worth sending again, and when; pure.

Only what is harmless to repeat is repeated: what reads, and what the platform knows by its Idempotency-Key. Anything
else is sent again only when it certainly did nothing: the connection was never made, or the response was 429.
"""

from agentmessage.sdk._request import Request

DEFAULT_RETRIES = 3
FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 8.0
MAX_RETRY_AFTER_S = 60.0
"""A platform that asks to wait for longer is obeyed by giving up: `retry_after_s` of the error says for how long."""

RATE_LIMITED = 429
RETRYABLE_STATUSES = frozenset({RATE_LIMITED, 502, 503, 504})


def pause_after_response(
    request: Request, *, status: int, retry_after_s: float | None, attempt: int, max_retries: int, chance: float
) -> float | None:
    """Seconds to wait before the next attempt; None: do not retry. `attempt` counts from 0, `chance` is [0, 1)."""
    if status not in RETRYABLE_STATUSES or attempt >= max_retries:
        return None
    if not request.is_repeatable and status != RATE_LIMITED:
        return None
    if retry_after_s is None:
        return pause_s(attempt, chance)
    if retry_after_s > MAX_RETRY_AFTER_S:
        return None
    return retry_after_s + FIRST_PAUSE_S * chance


def pause_after_connection_error(
    request: Request, *, was_sent: bool, attempt: int, max_retries: int, chance: float
) -> float | None:
    """Seconds to wait before the next attempt after a lost or failed connection; None: do not retry."""
    if attempt >= max_retries or (was_sent and not request.is_repeatable):
        return None
    return pause_s(attempt, chance)


def pause_s(attempt: int, chance: float) -> float:
    """Full jitter: anything up to half a second, then up to twice as long each time, at most eight seconds."""
    return chance * min(MAX_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt, 16))
