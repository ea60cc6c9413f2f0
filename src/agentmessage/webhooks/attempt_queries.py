"""Every statement on the log of attempts as the API reads it, and the one that forgets."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.webhooks.model import Attempt, Outcome


class Wanted(Struct, frozen=True, kw_only=True):
    """Which attempts a reader wants: below a place in the list, not before `since`, and with all that is not None."""

    before_at: datetime | None
    before_id: UUID | None
    event_type: str | None
    outcome: Outcome | None
    since: datetime | None
    status_min: int | None
    status_max: int | None


async def insert(tx: Executor, attempt: Attempt) -> bool:
    """Write an attempt down; False when it was already."""
    return bool(
        await tx.run(
            """INSERT INTO webhook_attempts (id, org_id, queue_id, kind, source_event_id, event_id, event_type, url,
                   attempt, outcome, response_status, response_time_ms, request_body_sha256, request_body_bytes,
                   response_body_excerpt, request_headers, error, occurred_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
               ON CONFLICT (id) DO NOTHING""",
            attempt.id,
            attempt.org_id,
            attempt.queue_id,
            attempt.kind,
            attempt.source_event_id,
            attempt.event_id,
            attempt.event_type,
            attempt.url,
            attempt.attempt,
            attempt.outcome,
            attempt.response_status,
            attempt.response_time_ms,
            attempt.request_body_sha256,
            attempt.request_body_bytes,
            attempt.response_body_excerpt,
            attempt.request_headers,
            attempt.error,
            attempt.occurred_at,
        )
    )


async def find(db: Executor, org_id: UUID, attempt_id: UUID) -> Attempt | None:
    """One attempt."""
    return await db.one(
        Attempt,
        """SELECT id, org_id, queue_id, kind, source_event_id, event_id, event_type, url, attempt, outcome,
                  response_status, response_time_ms, request_body_sha256, request_body_bytes, response_body_excerpt,
                  request_headers, error, occurred_at
           FROM webhook_attempts WHERE org_id = $1 AND id = $2""",
        org_id,
        attempt_id,
    )


async def list_(db: Executor, org_id: UUID, wanted: Wanted, *, limit: int) -> list[Attempt]:
    """Attempts, newest first; served by webhook_attempts_list_idx."""
    return await db.all(
        Attempt,
        """SELECT id, org_id, queue_id, kind, source_event_id, event_id, event_type, url, attempt, outcome,
                  response_status, response_time_ms, request_body_sha256, request_body_bytes, response_body_excerpt,
                  request_headers, error, occurred_at
           FROM webhook_attempts
           WHERE org_id = $1
             AND (occurred_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND occurred_at >= coalesce($4::timestamptz, '-infinity')
             AND ($5::text IS NULL OR event_type = $5) AND ($6::text IS NULL OR outcome = $6)
             AND ($7::integer IS NULL OR response_status >= $7) AND ($8::integer IS NULL OR response_status <= $8)
           ORDER BY occurred_at DESC, id DESC LIMIT $9""",
        org_id,
        *_arguments(wanted),
        limit,
    )


async def list_failed(db: Executor, org_id: UUID, wanted: Wanted, *, limit: int) -> list[Attempt]:
    """As `list_`, of attempts that were no success; served by webhook_attempts_failed_idx."""
    return await db.all(
        Attempt,
        """SELECT id, org_id, queue_id, kind, source_event_id, event_id, event_type, url, attempt, outcome,
                  response_status, response_time_ms, request_body_sha256, request_body_bytes, response_body_excerpt,
                  request_headers, error, occurred_at
           FROM webhook_attempts
           WHERE org_id = $1 AND outcome <> 'success'
             AND (occurred_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND occurred_at >= coalesce($4::timestamptz, '-infinity')
             AND ($5::text IS NULL OR event_type = $5) AND ($6::text IS NULL OR outcome = $6)
             AND ($7::integer IS NULL OR response_status >= $7) AND ($8::integer IS NULL OR response_status <= $8)
           ORDER BY occurred_at DESC, id DESC LIMIT $9""",
        org_id,
        *_arguments(wanted),
        limit,
    )


async def list_of_queue(db: Executor, org_id: UUID, queue_id: UUID, wanted: Wanted, *, limit: int) -> list[Attempt]:
    """As `list_`, of one receiver; served by webhook_attempts_queue_idx."""
    return await db.all(
        Attempt,
        """SELECT id, org_id, queue_id, kind, source_event_id, event_id, event_type, url, attempt, outcome,
                  response_status, response_time_ms, request_body_sha256, request_body_bytes, response_body_excerpt,
                  request_headers, error, occurred_at
           FROM webhook_attempts
           WHERE org_id = $1 AND queue_id = $10
             AND (occurred_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND occurred_at >= coalesce($4::timestamptz, '-infinity')
             AND ($5::text IS NULL OR event_type = $5) AND ($6::text IS NULL OR outcome = $6)
             AND ($7::integer IS NULL OR response_status >= $7) AND ($8::integer IS NULL OR response_status <= $8)
           ORDER BY occurred_at DESC, id DESC LIMIT $9""",
        org_id,
        *_arguments(wanted),
        limit,
        queue_id,
    )


async def list_of_type(
    db: Executor, org_id: UUID, event_type: str, wanted: Wanted, *, queue_id: UUID | None, limit: int
) -> list[Attempt]:
    """As `list_`, of one type of event, perhaps of one receiver; served by webhook_attempts_type_idx."""
    return await db.all(
        Attempt,
        """SELECT id, org_id, queue_id, kind, source_event_id, event_id, event_type, url, attempt, outcome,
                  response_status, response_time_ms, request_body_sha256, request_body_bytes, response_body_excerpt,
                  request_headers, error, occurred_at
           FROM webhook_attempts
           WHERE org_id = $1 AND event_type = $10
             AND (occurred_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND occurred_at >= coalesce($4::timestamptz, '-infinity')
             AND ($5::text IS NULL OR event_type = $5) AND ($11::uuid IS NULL OR queue_id = $11)
             AND ($6::text IS NULL OR outcome = $6)
             AND ($7::integer IS NULL OR response_status >= $7) AND ($8::integer IS NULL OR response_status <= $8)
           ORDER BY occurred_at DESC, id DESC LIMIT $9""",
        org_id,
        *_arguments(wanted),
        limit,
        event_type,
        queue_id,
    )


async def delete_before(db: Executor, before: datetime) -> int:
    """Forget attempts past their retention, at most 10,000 at a time; by webhook_attempts_age_idx."""
    return await db.run(
        """DELETE FROM webhook_attempts
           WHERE id IN (SELECT id FROM webhook_attempts WHERE occurred_at < $1 LIMIT 10000)""",
        before,
    )


def _arguments(wanted: Wanted) -> tuple[object, ...]:
    """What a reader wants, as $2 to $8."""
    return (
        wanted.before_at,
        wanted.before_id,
        wanted.since,
        wanted.event_type,
        wanted.outcome,
        wanted.status_min,
        wanted.status_max,
    )
