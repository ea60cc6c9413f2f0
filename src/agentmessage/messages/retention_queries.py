"""Executor of the retention sweeps: the organization that is due, its old messages, how far its sweeps have come."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor


class Sweep(Struct, frozen=True):
    """One organization's turn: what it keeps, in days, and until when each kind of content is redacted already."""

    org_id: UUID
    message_days: int
    mms_days: int
    messages_until: datetime | None
    message_media_until: datetime | None
    inbound_until: datetime | None
    inbound_media_until: datetime | None


class Aged(Struct, frozen=True):
    """One message past its retention. `is_waiting`: it is still queued and must not be touched."""

    id: UUID
    at: datetime
    is_waiting: bool


async def take_turn(db: Executor, *, swept_before: datetime) -> Sweep | None:
    """Claim the organization that waits longest for its sweep; of two workers one gets it."""
    return await db.one(
        Sweep,
        """WITH due AS (
               SELECT o.id, o.message_retention_days AS days, o.mms_retention_days AS mms_days
               FROM organizations o LEFT JOIN retention_progress k ON k.org_id = o.id
               WHERE k.swept_at IS NULL OR k.swept_at < $1 ORDER BY k.swept_at NULLS FIRST, o.id LIMIT 1),
           taken AS (
               INSERT INTO retention_progress AS k (org_id, swept_at) SELECT id, $2 FROM due
               ON CONFLICT (org_id) DO UPDATE SET swept_at = $2 WHERE k.swept_at < $1
               RETURNING org_id, messages_until, message_media_until, inbound_until, inbound_media_until)
           SELECT t.org_id, d.days, d.mms_days, t.messages_until, t.message_media_until, t.inbound_until,
                  t.inbound_media_until
           FROM taken t JOIN due d ON d.id = t.org_id""",
        swept_before,
        db.now,
    )


async def list_messages(
    db: Executor, org_id: UUID, *, after: tuple[datetime, UUID], before: datetime, limit: int
) -> list[Aged]:
    """Messages after a position and made before an instant, oldest first; along messages_list_idx."""
    return await db.all(
        Aged,
        """SELECT m.id, m.created_at, d.message_id IS NOT NULL
           FROM messages m LEFT JOIN message_queue d ON d.message_id = m.id
           WHERE m.org_id = $1 AND (m.created_at, m.id) > ($2, $3) AND m.created_at < $4
           ORDER BY m.created_at, m.id LIMIT $5""",
        org_id,
        *after,
        before,
        limit,
    )


async def list_inbound(
    db: Executor, org_id: UUID, *, after: tuple[datetime, UUID], before: datetime, limit: int
) -> list[Aged]:
    """Inbound messages after a position and before an instant, oldest first; along inbound_messages_list_idx."""
    return await db.all(
        Aged,
        """SELECT id, received_at, false FROM inbound_messages
           WHERE org_id = $1 AND (received_at, id) > ($2, $3) AND received_at < $4
           ORDER BY received_at, id LIMIT $5""",
        org_id,
        *after,
        before,
        limit,
    )


async def lock_messages(tx: Executor, org_id: UUID, message_ids: Sequence[UUID]) -> list[UUID]:
    """Lock those of these messages that no other transaction has locked; returns their ids."""
    return await tx.all(
        _id,
        "SELECT id FROM messages WHERE org_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
        org_id,
        message_ids,
    )


async def lock_inbound(tx: Executor, org_id: UUID, inbound_ids: Sequence[UUID]) -> list[UUID]:
    """The same for inbound messages."""
    return await tx.all(
        _id,
        "SELECT id FROM inbound_messages WHERE org_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
        org_id,
        inbound_ids,
    )


async def mark_messages(tx: Executor, org_id: UUID, *, until: datetime, keeps_text: bool) -> None:
    """Store how far messages, or their media, are redacted."""
    await tx.run(
        """UPDATE retention_progress SET messages_until = CASE WHEN $3 THEN messages_until ELSE $2 END,
               message_media_until = CASE WHEN $3 THEN $2 ELSE message_media_until END
           WHERE org_id = $1""",
        org_id,
        until,
        keeps_text,
    )


async def mark_inbound(tx: Executor, org_id: UUID, *, until: datetime, keeps_text: bool) -> None:
    """The same for inbound messages."""
    await tx.run(
        """UPDATE retention_progress SET inbound_until = CASE WHEN $3 THEN inbound_until ELSE $2 END,
               inbound_media_until = CASE WHEN $3 THEN $2 ELSE inbound_media_until END
           WHERE org_id = $1""",
        org_id,
        until,
        keeps_text,
    )


async def shorten_wait(db: Executor, org_id: UUID, *, swept_at: datetime) -> None:
    """There is more to sweep than one turn allows: count the next turn from an earlier instant."""
    await db.run("UPDATE retention_progress SET swept_at = $2 WHERE org_id = $1", org_id, swept_at)


def _id(value: UUID) -> UUID:
    return value
