"""Statements on the installation's own tables: heartbeats and raw callbacks."""

from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Statements


async def beat(db: Statements, worker: str) -> None:
    """This worker is alive."""
    await db.run(
        """INSERT INTO directory.worker_heartbeats (worker, beat_at) VALUES ($1, $2)
           ON CONFLICT (worker) DO UPDATE SET beat_at = $2""",
        worker,
        db.now,
    )


async def newest_heartbeat(db: Statements) -> datetime | None:
    """When any worker was last alive."""
    moment: datetime | None = await db.value("SELECT max(beat_at) FROM directory.worker_heartbeats")
    return moment


async def forget_workers(db: Statements, before: datetime) -> int:
    """Drop heartbeats of workers that are long gone."""
    return await db.run("DELETE FROM directory.worker_heartbeats WHERE beat_at < $1", before)


async def insert_callback(
    db: Statements, callback_id: UUID, *, source: str, account: str, body: str, outcome: str
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


async def forget_callbacks(db: Statements, before: datetime) -> int:
    """Drop raw callbacks past their retention, at most 10,000 at a time."""
    return await db.run(
        """DELETE FROM carrier_callbacks WHERE id IN
           (SELECT id FROM carrier_callbacks WHERE received_at < $1 ORDER BY received_at LIMIT 10000)""",
        before,
    )
