"""What an operator watches of webhooks, of everybody's."""

from datetime import datetime

from msgspec import Struct

from agentmessage.kernel.db import Statements


class Waiting(Struct, frozen=True):
    """What waits for receivers that answer well, or for those that fail. `oldest_at`: when the oldest became due."""

    is_failing: bool
    receivers: int
    due: int
    later: int
    oldest_at: datetime | None


class Attempts(Struct, frozen=True):
    """How many attempts came to an outcome."""

    outcome: str
    count: int


async def count_waiting(db: Statements) -> list[Waiting]:
    """Deliveries that wait, by how their receivers stand; reads all of them, so once a minute at most."""
    return await db.all(
        Waiting,
        """SELECT l.failing_since IS NOT NULL, count(DISTINCT l.id), count(d.id) FILTER (WHERE d.due_at <= $1),
                  count(d.id) FILTER (WHERE d.due_at > $1), min(d.due_at) FILTER (WHERE d.due_at <= $1)
           FROM webhook_lanes l LEFT JOIN webhook_deliveries d ON d.lane_id = l.id GROUP BY 1""",
        db.now,
    )


async def count_attempts(db: Statements, since: datetime) -> list[Attempts]:
    """Attempts since an instant, by outcome; served by webhook_attempts_age_idx."""
    return await db.all(
        Attempts, "SELECT outcome, count(*) FROM webhook_attempts WHERE occurred_at >= $1 GROUP BY outcome", since
    )
