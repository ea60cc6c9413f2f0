"""Holding queues: which dispatcher works on which, and what waits there. Whose they are is not asked for.

A queue is updated by the transaction that gives it something (`due_at`): taking and giving never miss each
other: one waits for the other's commit, or skips the queue and finds it due a moment later.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor


class Row(Struct, frozen=True):
    """A delivery as it waits, with all that sending it needs; or, with `id` None, only how its queue stands.

    `next_at` is when something on the queue becomes due that is not yet. `is_open` False: the receiver is switched off.
    `data` None with an id: the fact is past its retention, or its number was released or has no such URL any more.
    """

    queue_id: UUID
    org_id: UUID
    number_url: str | None
    failing_since: datetime | None
    next_at: datetime | None
    is_open: bool
    endpoint_url: str | None
    encrypted_secret: bytes | None
    previous_encrypted_secret: bytes | None
    due_at: datetime | None
    id: UUID | None
    event_id: UUID | None
    public_event_id: UUID | None
    attempts: int | None
    type: str | None
    happened_at: datetime | None
    data: str | None


async def announce(session: Executor, holder: UUID) -> None:
    """Show that a dispatcher lives, for as long as this session does."""
    await session.run("SELECT pg_advisory_lock(hashtextextended($1::uuid::text, 0))", holder)


async def ping(session: Executor) -> None:
    """Fail if the session is gone."""
    await session.run("SELECT true")


async def free_of_dead(db: Executor, holder: UUID) -> int:
    """Let go of queues whose dispatcher shows no life; served by webhook_queues_holder_idx."""
    return await db.run(
        """WITH others AS MATERIALIZED (
               SELECT DISTINCT holder FROM webhook_queues WHERE holder IS NOT NULL AND holder <> $1),
           dead AS MATERIALIZED (
               SELECT holder FROM others WHERE pg_try_advisory_xact_lock(hashtextextended(holder::text, 0)))
           UPDATE webhook_queues SET holder = NULL, due_at = least(due_at, $2)
           WHERE id IN (SELECT l.id FROM webhook_queues l JOIN dead d ON l.holder = d.holder
                        ORDER BY l.id FOR UPDATE OF l SKIP LOCKED)""",
        holder,
        db.now,
    )


class Taken(Struct, frozen=True):
    """A queue that is held, and whose it is."""

    id: UUID
    org_id: UUID


async def take(
    db: Executor, holder: UUID, *, new_due_before: datetime, limit: int, none_of: Sequence[UUID] = ()
) -> list[Taken]:
    """Hold queues on which something is due, longest first, and learn again which of those held are.

    Queues without a holder only if they were due before `new_due_before`, and `none_of` some organizations. Served by
    webhook_queues_due_idx.
    """
    return await db.all(
        Taken,
        """UPDATE webhook_queues SET holder = $1, due_at = NULL
           WHERE id IN (SELECT id FROM webhook_queues
                        WHERE due_at <= $2
                          AND (holder = $1 OR (holder IS NULL AND due_at <= $3 AND NOT org_id = ANY($5)))
                        ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
           RETURNING id, org_id""",
        holder,
        db.now,
        new_due_before,
        limit,
        none_of,
    )


async def pull(
    db: Executor, holder: UUID, queue_ids: Sequence[UUID], rooms: Sequence[int], *, except_ids: Sequence[UUID]
) -> list[Row]:
    """How held queues stand, and what is due on each, oldest first, up to its room; by the primary keys.

    A queue that is not held any more does not answer. A previous secret answers while it is valid. What is in memory is
    asked for with NOT IN, for which Postgres makes a hash table in every plan, as it does not for `<> ALL`.
    """
    return await db.all(
        Row,
        """SELECT l.id, l.org_id, l.number_url, l.failing_since, n.due_at,
                  CASE WHEN l.number_url IS NULL THEN coalesce(e.active AND e.deleted_at IS NULL, false)
                       ELSE l.disabled_at IS NULL END,
                  e.url, coalesce(e.encrypted_secret, s.encrypted_secret),
                  CASE WHEN s.previous_valid_until > $4 THEN s.previous_encrypted_secret END,
                  d.due_at, d.id, d.event_id, d.public_event_id, d.attempts, v.type, v.created_at,
                  CASE WHEN l.number_url IS NULL OR (
                           SELECT CASE v.family WHEN 'message' THEN p.status_url ELSE p.inbound_url END
                           FROM phone_numbers p
                           WHERE p.id = (v.data ->> 'phone_number_id')::uuid AND p.org_id = l.org_id) IS NOT NULL
                       THEN v.data::text END
           FROM unnest($2::uuid[], $3::integer[]) w (queue_id, room)
           JOIN webhook_queues l ON l.id = w.queue_id AND l.holder = $1
           LEFT JOIN webhook_endpoints e ON l.number_url IS NULL AND e.id = l.id AND e.org_id = l.org_id
           LEFT JOIN webhook_secrets s ON l.number_url IS NOT NULL AND s.org_id = l.org_id
           LEFT JOIN LATERAL (
               SELECT f.due_at FROM webhook_deliveries f WHERE f.queue_id = l.id AND f.due_at > $4
               ORDER BY f.due_at LIMIT 1) n ON true
           LEFT JOIN LATERAL (
               SELECT q.due_at, q.id, q.event_id, q.public_event_id, q.attempts FROM webhook_deliveries q
               WHERE q.queue_id = l.id AND q.due_at <= $4 AND q.id NOT IN (SELECT x FROM unnest($5::uuid[]) x)
               ORDER BY q.due_at, q.id LIMIT w.room) d ON true
           LEFT JOIN events v ON v.id = d.event_id AND v.org_id = l.org_id""",
        holder,
        queue_ids,
        rooms,
        db.now,
        except_ids,
    )


async def abandon(db: Executor, queue_ids: Sequence[UUID]) -> None:
    """Forget what waits on queues whose receiver is switched off: it was queued while that was being done."""
    await db.run("DELETE FROM webhook_deliveries WHERE queue_id = ANY($1)", queue_ids)


async def release(db: Executor, holder: UUID, queue_ids: Sequence[UUID]) -> list[UUID]:
    """Hold queues no more; they are due when the next of what waits there is. Returns which were let go.

    Those that another transaction is writing stay held until the next time.
    """
    return await db.all(
        _itself,
        """UPDATE webhook_queues l SET holder = NULL, due_at = least(l.due_at, (
               SELECT min(d.due_at) FROM webhook_deliveries d WHERE d.queue_id = l.id))
           WHERE l.id IN (SELECT o.id FROM webhook_queues o WHERE o.id = ANY($2) AND o.holder = $1
                          ORDER BY o.id FOR UPDATE SKIP LOCKED)
           RETURNING l.id""",
        holder,
        queue_ids,
    )


async def insert_secret(db: Executor, org_id: UUID, encrypted_secret: bytes) -> None:
    """Give an organization its first secret; nothing happens when it has one."""
    await db.run(
        """INSERT INTO webhook_secrets (org_id, encrypted_secret, rotated_at) VALUES ($1, $2, $3)
           ON CONFLICT (org_id) DO NOTHING""",
        org_id,
        encrypted_secret,
        db.now,
    )


def _itself(value: UUID) -> UUID:
    return value
