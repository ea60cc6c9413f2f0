"""Statements on the installation's own tables: heartbeats and raw callbacks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from agentmessage.app.monitoring.connections import LineState
from agentmessage.kernel.db import Executor


async def beat(db: Executor, worker: str, lines: Sequence[LineState], *, skew_s: float = 0.0) -> None:
    """This worker is alive, its lines stand so, and its machine's clock is so far ahead of the database's."""
    await db.run(
        """INSERT INTO directory.worker_heartbeats (worker, beat_at, carrier_connections, skew_s)
           VALUES ($1, $2, $3, $4)
           ON CONFLICT (worker) DO UPDATE SET beat_at = $2, carrier_connections = $3, skew_s = $4""",
        worker,
        db.now,
        lines,
        skew_s,
    )


async def list_skews(db: Executor, since: datetime) -> list[tuple[str, float]]:
    """How far the clocks of workers that were alive since then are ahead of the database's, by the worker's name."""
    return await db.all(
        _skew, "SELECT worker, skew_s FROM directory.worker_heartbeats WHERE beat_at >= $1 ORDER BY worker", since
    )


async def prove_writing(db: Executor) -> None:
    """Change a row."""
    await db.run(
        """INSERT INTO directory.installation (name, value) VALUES ('writing', 'true')
           ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at"""
    )


async def take_space(tx: Executor, filler: bytes) -> None:
    """Have the database write to new blocks of its disk; to be rolled back."""
    await tx.run("TRUNCATE directory.disk_space_probe")
    await tx.run("INSERT INTO directory.disk_space_probe (filler) VALUES ($1)", filler)


async def list_lines(db: Executor, since: datetime) -> list[tuple[str, list[LineState]]]:
    """The lines of every worker that was alive since then, by the worker's name."""
    return await db.all(
        _lines,
        "SELECT worker, carrier_connections FROM directory.worker_heartbeats WHERE beat_at >= $1 ORDER BY worker",
        since,
    )


async def newest_heartbeat(db: Executor, *, max_skew_s: float) -> datetime | None:
    """When any worker was last alive whose machine's clock is not further from the database's than that."""
    moment: datetime | None = await db.value(
        "SELECT max(beat_at) FROM directory.worker_heartbeats WHERE abs(skew_s) <= $1", max_skew_s
    )
    return moment


async def forget_workers(db: Executor, before: datetime) -> int:
    """Drop heartbeats of workers that are long gone."""
    return await db.run("DELETE FROM directory.worker_heartbeats WHERE beat_at < $1", before)


async def claim_gauges(db: Executor, *, before: datetime) -> bool:
    """Take this minute's counting; False: somebody has counted since `before`."""
    return bool(
        await db.run(
            """INSERT INTO directory.installation AS i (name, value, updated_at) VALUES ('gauges', '[]', $2)
               ON CONFLICT (name) DO UPDATE SET updated_at = $2 WHERE i.updated_at < $1""",
            before,
            db.now,
        )
    )


async def save_gauges(db: Executor, samples: object) -> None:
    """Leave the counts for whoever is scraped."""
    await db.run("UPDATE directory.installation SET value = $1 WHERE name = 'gauges'", samples)


async def read_gauges(db: Executor) -> object:
    """The last counts; None before the first."""
    return await db.value("SELECT value FROM directory.installation WHERE name = 'gauges'")


async def count_unparsed_responses(db: Executor, since: datetime) -> int:
    """Answers that nobody understood; by unparsed_responses_age_idx."""
    count: int = await db.value("SELECT count(*) FROM directory.unparsed_responses WHERE received_at >= $1", since)
    return count


async def count_odd_callbacks(db: Executor, since: datetime) -> int:
    """Callbacks that nobody understood, or about something unknown; by carrier_callbacks_age_idx."""
    count: int = await db.value(
        "SELECT count(*) FROM carrier_callbacks WHERE received_at >= $1 AND outcome <> 'read'", since
    )
    return count


async def count_open_drift(db: Executor) -> int:
    """Differences that are not healed; by drift_events_open_idx."""
    count: int = await db.value("SELECT count(*) FROM drift_events WHERE resolved_at IS NULL")
    return count


async def count_due_jobs(db: Executor) -> int:
    """Jobs whose time has come; by jobs_due_idx."""
    count: int = await db.value("SELECT count(*) FROM jobs WHERE run_at <= $1", db.now)
    return count


async def find_first_number(db: Executor, org_id: UUID) -> str | None:
    """The number that a sandbox began with, once it can send."""
    number: str | None = await db.value(
        """SELECT p.number FROM phone_numbers p
           JOIN campaigns c ON c.id = p.campaign_id AND c.org_id = $1
           JOIN brands b ON b.id = c.brand_id AND b.org_id = $1
           WHERE p.org_id = $1 AND b.is_starter AND p.state = 'assigned' AND p.line_option_status = 'propagated'
           ORDER BY p.created_at LIMIT 1""",
        org_id,
    )
    return number


def _lines(worker: str, lines: Any) -> tuple[str, list[LineState]]:
    return worker, msgspec.convert(lines, list[LineState])


def _skew(worker: str, skew_s: float) -> tuple[str, float]:
    return worker, skew_s
