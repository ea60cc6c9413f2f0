"""Statements on raw callbacks."""

from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Executor


async def insert_callback(
    db: Executor, callback_id: UUID, *, source: str, account: str, body: str, outcome: str
) -> None:
    """Store a callback raw."""
    await db.run(
        """INSERT INTO carrier_callbacks (id, source, account, received_at, body, outcome)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        callback_id,
        source,
        account,
        db.now,
        body,
        outcome,
    )


async def forget_callbacks(db: Executor, before: datetime) -> int:
    """Drop raw callbacks past their retention, at most 10,000 at a time."""
    return await db.run(
        """DELETE FROM carrier_callbacks WHERE id IN
           (SELECT id FROM carrier_callbacks WHERE received_at < $1 ORDER BY received_at LIMIT 10000)""",
        before,
    )
