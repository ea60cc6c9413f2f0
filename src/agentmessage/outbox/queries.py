"""Every statement on events and jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id


class Event(Struct, frozen=True):
    """A stored event."""

    id: UUID
    org_id: UUID
    type: str
    resource_id: UUID
    data: Any
    created_at: datetime


class PositionedEvent(Event, frozen=True):
    """A stored event with the transaction that wrote it; with the id, its position in the order of events."""

    xid: str


class Job(Struct, frozen=True):
    """A claimed job. `attempts` counts this one."""

    id: int
    kind: str
    key: str
    arguments: dict[str, Any]
    attempts: int
    lease_token: UUID


async def insert_event(
    tx: Executor, event_id: UUID, org_id: UUID, *, kind: str, family: str, resource_id: UUID, data: Any
) -> None:
    """Writes one event."""
    await tx.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        event_id,
        org_id,
        kind,
        family,
        resource_id,
        data,
        tx.now,
    )


async def insert_events(
    tx: Executor,
    org_id: UUID,
    *,
    event_ids: Sequence[UUID],
    kind: str,
    family: str,
    resource_ids: Sequence[UUID],
    data: Sequence[Any],
) -> None:
    """Writes events of one type in one statement."""
    await tx.run(
        """INSERT INTO events (org_id, type, family, created_at, id, resource_id, data)
           SELECT $1, $2, $3, $4, u.* FROM unnest($5::uuid[], $6::uuid[], $7::jsonb[]) u""",
        org_id,
        kind,
        family,
        tx.now,
        event_ids,
        resource_ids,
        data,
    )


async def newest_event_at(db: Executor, org_id: UUID, family: str) -> datetime | None:
    """Time of the newest event of a family; served by events_family_idx."""
    moment: datetime | None = await db.value(
        "SELECT created_at FROM events WHERE org_id = $1 AND family = $2 ORDER BY created_at DESC LIMIT 1",
        org_id,
        family,
    )
    return moment


async def event_exists(db: Executor, org_id: UUID, event_id: UUID) -> bool:
    """Whether an event belongs to the organization."""
    return bool(await db.value("SELECT true FROM events WHERE org_id = $1 AND id = $2", org_id, event_id))


async def list_events(
    db: Executor,
    org_id: UUID,
    *,
    after: UUID | None,
    since: datetime | None,
    kinds: Sequence[str] | None,
    limit: int,
) -> list[Event]:
    """Events in commit-safe order; served by events_tail_idx.

    Rows of transactions that might still have older siblings in progress (xid at or above the horizon) wait for the
    next read, so that no reader can pass a position in which a row appears later. `after` None, or no longer there, is
    the beginning; the position is a plain bound of the index, also in a generic plan (with `$2 IS NULL OR` it is not).
    """
    return await db.all(
        Event,
        """SELECT id, org_id, type, resource_id, data, created_at FROM events
           WHERE org_id = $1 AND xid < xid_horizon()
             AND (xid, id) > (SELECT coalesce(a.xid, '0'), coalesce(a.id, '00000000-0000-0000-0000-000000000000')
                              FROM (VALUES (true)) always LEFT JOIN events a ON a.org_id = $1 AND a.id = $2)
             AND ($3::timestamptz IS NULL OR created_at >= $3)
             AND ($4::text[] IS NULL OR type = ANY($4))
           ORDER BY xid, id LIMIT $5""",
        org_id,
        after,
        since,
        kinds,
        limit,
    )


async def list_events_after_each(
    db: Executor,
    org_ids: Sequence[UUID],
    *,
    xids: Sequence[str],
    ids: Sequence[UUID],
    since: datetime | None,
    kinds: Sequence[str] | None,
    limit: int,
) -> list[PositionedEvent]:
    """As `list_events`, of several organizations, each after a position of its own and at most `limit`."""
    return await db.all(
        PositionedEvent,
        """SELECT e.id, o.org_id, e.type, e.resource_id, e.data, e.created_at, e.xid::text
           FROM unnest($1::uuid[], $2::text[], $3::uuid[]) o (org_id, xid, id)
           CROSS JOIN LATERAL (
               SELECT * FROM events v
               WHERE v.org_id = o.org_id AND v.xid < xid_horizon() AND (v.xid, v.id) > (o.xid::xid8, o.id)
                 AND ($4::timestamptz IS NULL OR v.created_at >= $4)
                 AND ($5::text[] IS NULL OR v.type = ANY($5))
               ORDER BY v.xid, v.id LIMIT $6) e
           ORDER BY e.xid, e.id""",
        org_ids,
        xids,
        ids,
        since,
        kinds,
        limit,
    )


class End(Struct, frozen=True):
    """The position of the newest event of an organization."""

    org_id: UUID
    xid: str
    id: UUID


async def list_ends(db: Executor, org_ids: Sequence[UUID]) -> list[End]:
    """The position of the newest event of each organization that has one; by events_tail_idx, read backwards."""
    return await db.all(
        End,
        """SELECT o.org_id, e.xid::text, e.id FROM unnest($1::uuid[]) o (org_id)
           CROSS JOIN LATERAL (
               SELECT v.xid, v.id FROM events v WHERE v.org_id = o.org_id AND v.xid < xid_horizon()
               ORDER BY v.xid DESC, v.id DESC LIMIT 1) e""",
        org_ids,
    )


async def find_xid(db: Executor, org_id: UUID, event_id: UUID) -> str | None:
    """The transaction that wrote an event."""
    xid: str | None = await db.value("SELECT xid::text FROM events WHERE org_id = $1 AND id = $2", org_id, event_id)
    return xid


async def list_events_backwards(
    db: Executor,
    org_id: UUID,
    *,
    before: UUID | None,
    since: datetime | None,
    kinds: Sequence[str] | None,
    limit: int,
) -> list[Event]:
    """The same order from its end, before an event; None is the end. Served by events_tail_idx, read backwards."""
    return await db.all(
        Event,
        """SELECT id, org_id, type, resource_id, data, created_at FROM events
           WHERE org_id = $1 AND xid < xid_horizon()
             AND (xid, id) < (SELECT coalesce(a.xid, xid_horizon()),
                                     coalesce(a.id, '00000000-0000-0000-0000-000000000000')
                              FROM (VALUES (true)) always LEFT JOIN events a ON a.org_id = $1 AND a.id = $2)
             AND ($3::timestamptz IS NULL OR created_at >= $3)
             AND ($4::text[] IS NULL OR type = ANY($4))
           ORDER BY xid DESC, id DESC LIMIT $5""",
        org_id,
        before,
        since,
        kinds,
        limit,
    )


async def delete_events_before(db: Executor, before: datetime) -> int:
    """Deletes events past their retention, at most 10,000 at a time; by events_age_idx."""
    return await db.run(
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE created_at < $1 ORDER BY id LIMIT 10000)", before
    )


async def upsert_job(tx: Executor, kind: str, key: str, arguments: dict[str, Any], run_at: datetime) -> None:
    """Write a job, or bring the one that is there forward; a fresh wish starts with fresh attempts.

    Clearing the token makes a running job's acknowledgment miss, so that the job runs again with the new arguments.
    `lease_until` stays: not before the run under way has ended.
    """
    await tx.run(
        """INSERT INTO jobs AS j (kind, key, arguments, run_at, created_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (kind, key) DO UPDATE SET arguments = $3, attempts = 0, lease_token = NULL,
               run_at = CASE WHEN j.lease_until > $5 THEN $4 ELSE least(j.run_at, $4) END""",
        kind,
        key,
        arguments,
        run_at,
        tx.now,
    )


async def claim_jobs(
    db: Executor, *, kinds: Sequence[str], limit: int, lease_token: UUID, now: datetime, until: datetime
) -> list[Job]:
    """Lease the jobs that are due, oldest first, skipping those that another worker is taking; by jobs_due_idx."""
    return await db.all(
        Job,
        """UPDATE jobs SET lease_token = $3, lease_until = $5, run_at = $5, attempts = attempts + 1
           WHERE id IN (SELECT id FROM jobs WHERE run_at <= $4 AND kind = ANY($1)
                          AND (lease_until IS NULL OR lease_until <= $4)
                        ORDER BY run_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
           RETURNING id, kind, key, arguments, attempts, lease_token""",
        kinds,
        limit,
        lease_token,
        now,
        until,
    )


async def finish_job(db: Executor, job_id: int, lease_token: UUID) -> bool:
    """Acknowledge: the job is gone, unless it was wished for again meanwhile."""
    return bool(await db.run("DELETE FROM jobs WHERE id = $1 AND lease_token = $2", job_id, lease_token))


async def postpone_job(
    db: Executor, job_id: int, lease_token: UUID, *, run_at: datetime, error: str | None, keep_attempts: bool
) -> bool:
    """Run it again later; `keep_attempts` False starts the count anew (the job is waiting, not failing)."""
    return bool(
        await db.run(
            """UPDATE jobs SET run_at = $3, lease_token = NULL, lease_until = NULL, last_error = $4,
                   attempts = CASE WHEN $5 THEN attempts ELSE 0 END
               WHERE id = $1 AND lease_token = $2""",
            job_id,
            lease_token,
            run_at,
            error,
            keep_attempts,
        )
    )


async def free_job(db: Executor, job_id: int) -> None:
    """The run that was under way when the job was wished for again has ended: now it may run."""
    await db.run("UPDATE jobs SET lease_until = NULL WHERE id = $1 AND lease_token IS NULL", job_id)


async def next_job_at(db: Executor, kinds: Sequence[str]) -> datetime | None:
    """When the next job of these kinds is due; not one that waits for its own run to end. By jobs_due_idx."""
    moment: datetime | None = await db.value(
        """SELECT run_at FROM jobs WHERE kind = ANY($1) AND (lease_until IS NULL OR run_at >= lease_until)
           ORDER BY run_at LIMIT 1""",
        kinds,
    )
    return moment


async def ring(db: Executor, bell: str) -> None:
    """Notify listeners of a bell. Never inside a transaction of a request: NOTIFY takes a global lock at commit."""
    await db.run("SELECT pg_notify('agentmessage', $1)", bell)


async def insert_unparsed_response(db: Executor, *, account: str, operation: str, reason: str, raw: str) -> None:
    """Keep an answer that nobody understood."""
    await db.run(
        """INSERT INTO directory.unparsed_responses (id, account, operation, reason, raw, received_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        new_id(),
        account,
        operation,
        reason,
        raw,
        db.now,
    )


async def insert_unrecognized(
    db: Executor, *, account: str, operation: str, reasons: Sequence[str], raw: Sequence[str]
) -> None:
    """Keep many answers that nobody understood."""
    await db.run(
        """INSERT INTO directory.unparsed_responses (id, account, operation, reason, raw, received_at)
           SELECT o.id, $1, $2, o.reason, o.raw, $3
           FROM unnest($4::uuid[], $5::text[], $6::text[]) o (id, reason, raw)""",
        account,
        operation,
        db.now,
        [new_id() for _ in reasons],
        reasons,
        raw,
    )


async def forget_unparsed_responses(db: Executor, before: datetime, *, most: int) -> int:
    """Forget odd answers past their retention, and all but the newest `most`."""
    return await db.run(
        """DELETE FROM directory.unparsed_responses WHERE received_at < $1
             OR id IN (SELECT id FROM directory.unparsed_responses ORDER BY received_at DESC OFFSET $2)""",
        before,
        most,
    )
