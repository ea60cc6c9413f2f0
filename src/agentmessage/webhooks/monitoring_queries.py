"""Counts of webhook queues over all organizations, for the metrics."""

from datetime import datetime

from msgspec import Struct

from agentmessage.kernel.db import Executor


class Waiting(Struct, frozen=True):
    """Queued deliveries of the healthy or the failing endpoints that are active.

    `oldest_at`: when the oldest became due.
    """

    is_failing: bool
    endpoints: int
    due: int
    delayed: int
    oldest_at: datetime | None


class Attempts(Struct, frozen=True):
    """Number of attempts with an outcome."""

    outcome: str
    count: int


async def count_waiting(db: Executor) -> list[Waiting]:
    """Deliveries that wait, by how their receivers stand; reads all of them, so once a minute at most."""
    return await db.all(
        Waiting,
        """SELECT l.failing_since IS NOT NULL, count(*), coalesce(sum(w.due), 0)::bigint,
                  coalesce(sum(w.delayed), 0)::bigint, min(w.oldest_at)
           FROM webhook_queues l
           LEFT JOIN webhook_endpoints e ON l.number_url IS NULL AND e.id = l.id AND e.org_id = l.org_id
           LEFT JOIN (
               SELECT queue_id, count(*) FILTER (WHERE due_at <= $1) AS due,
                      count(*) FILTER (WHERE due_at > $1) AS delayed,
                      min(due_at) FILTER (WHERE due_at <= $1) AS oldest_at
               FROM webhook_deliveries GROUP BY queue_id) w ON w.queue_id = l.id
           WHERE CASE WHEN l.number_url IS NULL THEN e.active ELSE l.disabled_at IS NULL END
           GROUP BY 1""",
        db.now,
    )


async def count_attempts(db: Executor, since: datetime) -> list[Attempts]:
    """Attempts since an instant, by outcome; served by webhook_attempts_age_idx."""
    return await db.all(
        Attempts, "SELECT outcome, count(*) FROM webhook_attempts WHERE occurred_at >= $1 GROUP BY outcome", since
    )
