"""What an operator watches of webhooks, of everybody's."""

from datetime import datetime

from msgspec import Struct

from agentmessage.kernel.db import Executor


class Waiting(Struct, frozen=True):
    """What waits for receivers that answer well, or for those that fail, but for those that are switched off.

    `oldest_at`: when the oldest became due.
    """

    is_failing: bool
    receivers: int
    due: int
    later: int
    oldest_at: datetime | None


class Attempts(Struct, frozen=True):
    """How many attempts came to an outcome."""

    outcome: str
    count: int


async def count_waiting(db: Executor) -> list[Waiting]:
    """Deliveries that wait, by how their receivers stand; reads all of them, so once a minute at most."""
    return await db.all(
        Waiting,
        """SELECT l.failing_since IS NOT NULL, count(*), coalesce(sum(w.due), 0)::bigint,
                  coalesce(sum(w.later), 0)::bigint, min(w.oldest_at)
           FROM webhook_queues l
           LEFT JOIN webhook_endpoints e ON l.number_url IS NULL AND e.id = l.id AND e.org_id = l.org_id
           LEFT JOIN (
               SELECT queue_id, count(*) FILTER (WHERE due_at <= $1) AS due,
                      count(*) FILTER (WHERE due_at > $1) AS later, min(due_at) FILTER (WHERE due_at <= $1) AS oldest_at
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
