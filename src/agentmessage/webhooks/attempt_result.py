"""What an answer makes of a delivery; pure."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.webhooks.endpoint_queues import Delivery
from agentmessage.webhooks.model import GIVE_UP_AFTER, RETRY_AFTER_S, Attempt, DestinationKind, Outcome, Reply

JITTER = 0.2
NOT_KEPT = "the event is no longer kept, or its number has no URL any more"
UNKNOWN_TYPE = "unknown"


class AttemptResult(Struct, frozen=True, kw_only=True):
    """A delivery that was attempted, and what follows from it.

    `body` None: the event's data is no longer stored. `failing_since`: since when nothing succeeds, as of before.
    `next_at`: when it is sent again.
    """

    delivery: Delivery
    body: bytes | None
    reply: Reply
    failing_since: datetime | None
    at: datetime
    outcome: Outcome
    next_at: datetime | None

    @property
    def is_success(self) -> bool | None:
        """How the receiver did; None: it was not asked, which says nothing about it."""
        return self.reply.is_success if self.reply.was_asked else None

    @property
    def disables_receiver(self) -> bool:
        """The receiver returned 410, or has only failed for too long."""
        has_failed_long = self.failing_since is not None and self.at - self.failing_since > GIVE_UP_AFTER
        return self.is_success is False and (self.reply.is_gone or has_failed_long)


def judged(
    delivery: Delivery, body: bytes | None, reply: Reply, *, failing_since: datetime | None, at: datetime, chance: float
) -> AttemptResult:
    """What a response means: success, retry, or dead after the last attempt, a 410 or without a body.

    `chance` is in [0, 1): when within its range the next attempt will be.
    """
    outcome, next_at = Outcome.SUCCESS, None
    if not reply.is_success:
        is_last = delivery.attempts >= len(RETRY_AFTER_S)
        outcome = Outcome.DEAD if is_last or reply.is_gone or body is None else Outcome.RETRY
    if outcome is Outcome.RETRY:
        wait_s = RETRY_AFTER_S[delivery.attempts] * (1 - JITTER + 2 * JITTER * chance)
        next_at = at + timedelta(seconds=wait_s)
    return AttemptResult(
        delivery=delivery,
        body=body,
        reply=reply,
        failing_since=failing_since,
        at=at,
        outcome=outcome,
        next_at=next_at,
    )


def attempt(result: AttemptResult, *, attempt_id: UUID) -> Attempt:
    """A line of the log."""
    delivery, reply = result.delivery, result.reply
    return Attempt(
        attempt_id,
        delivery.org_id,
        delivery.queue_id,
        DestinationKind.NUMBER if delivery.is_number else DestinationKind.ENDPOINT,
        delivery.event_id,
        delivery.public_event_id,
        delivery.type or UNKNOWN_TYPE,
        delivery.url,
        attempt=delivery.attempts + 1,
        outcome=result.outcome,
        response_status=reply.status,
        response_time_ms=reply.time_ms if reply.was_asked else None,
        request_body_sha256=None if result.body is None else hashlib.sha256(result.body).digest(),
        request_body_bytes=None if result.body is None else len(result.body),
        response_body_excerpt=reply.excerpt,
        request_headers=reply.headers,
        error=reply.error,
        occurred_at=result.at,
    )
