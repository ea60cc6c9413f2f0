"""What an answer makes of a delivery; pure."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.webhooks.lanes import Delivery
from agentmessage.webhooks.model import GIVE_UP_AFTER, RETRY_AFTER_S, Attempt, LaneKind, Outcome, Reply

JITTER = 0.2
NOT_KEPT = "the event is no longer kept"
UNKNOWN_TYPE = "unknown"


class Told(Struct, frozen=True, kw_only=True):
    """A delivery that was attempted. `body` None: there was nothing to tell any more.

    `failing_since`: since when nothing succeeds, as of before. `chance` is in [0, 1): when the next attempt will be.
    """

    delivery: Delivery
    body: bytes | None
    reply: Reply
    failing_since: datetime | None
    at: datetime
    chance: float

    @property
    def outcome(self) -> Outcome:
        """Told; to be told again; or given up: after the last attempt, after a 410, and if there is nothing to tell."""
        if self.reply.is_success:
            return Outcome.SUCCESS
        is_last = self.delivery.attempts >= len(RETRY_AFTER_S)
        return Outcome.DEAD if is_last or self.reply.is_gone or self.body is None else Outcome.RETRY

    @property
    def next_at(self) -> datetime | None:
        """When it is to be told again."""
        if self.outcome is not Outcome.RETRY:
            return None
        wait_s = RETRY_AFTER_S[self.delivery.attempts] * (1 - JITTER + 2 * JITTER * self.chance)
        return self.at + timedelta(seconds=wait_s)

    @property
    def is_failure(self) -> bool:
        """The receiver failed; one that was not asked did not."""
        return self.body is not None and not self.reply.is_success

    @property
    def ends_lane(self) -> bool:
        """The receiver wants to hear no more, or has done nothing but fail for too long."""
        has_failed_long = self.failing_since is not None and self.at - self.failing_since > GIVE_UP_AFTER
        return self.is_failure and (self.reply.is_gone or has_failed_long)


def attempt(told: Told, *, attempt_id: UUID) -> Attempt:
    """A line of the log."""
    delivery, reply = told.delivery, told.reply
    return Attempt(
        attempt_id,
        delivery.org_id,
        delivery.lane_id,
        LaneKind.NUMBER if delivery.is_number else LaneKind.ENDPOINT,
        delivery.event_id,
        delivery.told_as,
        delivery.type or UNKNOWN_TYPE,
        delivery.url,
        attempt=delivery.attempts + 1,
        outcome=told.outcome,
        response_status=reply.status,
        response_time_ms=None if told.body is None else reply.time_ms,
        request_body_sha256=None if told.body is None else hashlib.sha256(told.body).digest(),
        request_body_bytes=None if told.body is None else len(told.body),
        response_body_excerpt=reply.excerpt,
        request_headers=reply.headers,
        error=reply.error,
        occurred_at=told.at,
    )
