"""Statements that claim texts for hand-over. They go by lane and by worker, across organizations."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.delivery.model import Claim
from agentmessage.delivery.rate_limits.rules import Lane
from agentmessage.kernel.db import Executor


class Picked(Struct, frozen=True):
    """A due text that this transaction has locked."""

    message_id: UUID
    org_id: UUID
    queue_id: UUID
    expires_at: datetime
    attempts: int


class Text(Struct, frozen=True):
    """What a picked text says, and to whom; `text` is None once it was redacted."""

    id: UUID
    phone_number_id: UUID
    brand_id: UUID | None
    kind: str
    sender: str
    recipient: str
    text: str | None
    appended_text: str | None
    media: Sequence[str]
    channel: str
    segments: int
    priority: int
    unit_price_microcents: int
    is_smart: bool


async def pick(
    tx: Executor, account: str, channels: Sequence[str], lanes: Sequence[Lane], counts: Sequence[int]
) -> list[Picked]:
    """Lock the due texts of each lane, the urgent before the others and the oldest first, at most its count.

    Those that another worker is taking are skipped. Served by message_queue_ready_idx, one probe for each rank.
    """
    return await tx.all(
        Picked,
        """SELECT r.message_id, q.org_id, q.queue_id, r.expires_at, r.attempts
           FROM unnest((SELECT $3::uuid[]), $4::uuid[], $5::int[]) WITH ORDINALITY q (org_id, queue_id, share, position)
           CROSS JOIN LATERAL (
               SELECT d.message_id, d.expires_at, d.attempts
               FROM (VALUES (0::smallint), (1::smallint), (2::smallint)) p (rank)
               CROSS JOIN LATERAL (
                   SELECT d.message_id, d.expires_at, d.attempts FROM message_queue d
                   WHERE d.account = $1 AND d.org_id = q.org_id AND d.queue_id = q.queue_id AND d.claimed_at IS NULL
                     AND d.priority = p.rank AND d.ready_at <= $6 AND d.channel = ANY ($2)
                   ORDER BY d.ready_at, d.message_id LIMIT q.share FOR UPDATE SKIP LOCKED) d
               LIMIT q.share) r
           ORDER BY q.position""",
        account,
        channels,
        [lane.org_id for lane in lanes],
        [lane.id for lane in lanes],
        counts,
        tx.now,
    )


async def list_texts(tx: Executor, message_ids: Sequence[UUID]) -> list[Text]:
    """The texts of picked entries."""
    return await tx.all(
        Text,
        """SELECT id, phone_number_id, brand_id, kind, sender, recipient, text, appended_text, media, channel, segments,
                  priority, unit_price_microcents, is_smart
           FROM messages WHERE id = ANY ($1)""",
        message_ids,
    )


async def claim(tx: Executor, message_ids: Sequence[UUID], *, token: UUID, until: datetime) -> None:
    """Take texts for this worker; they are locked. Committed before the carrier hears of them."""
    await tx.run(
        "UPDATE message_queue SET claimed_at = $2, claim_token = $3, claim_until = $4 WHERE message_id = ANY ($1)",
        message_ids,
        tx.now,
        token,
        until,
    )


async def put_off(tx: Executor, message_ids: Sequence[UUID], ready_at: Sequence[datetime]) -> None:
    """Let texts wait until then; they are locked."""
    await tx.run(
        """UPDATE message_queue d SET ready_at = p.ready_at FROM unnest($1::uuid[], $2::timestamptz[]) p (id, ready_at)
           WHERE d.message_id = p.id""",
        message_ids,
        ready_at,
    )


async def move_to_number_lanes(tx: Executor, lane: Lane) -> int:
    """Let each number of a lane be a lane of its own; at most a thousand texts at a time."""
    return await tx.run(
        """UPDATE message_queue SET queue_id = phone_number_id WHERE message_id IN (
               SELECT message_id FROM message_queue WHERE org_id = $1 AND queue_id = $2 AND claimed_at IS NULL
               LIMIT 1000 FOR UPDATE SKIP LOCKED)""",
        lane.org_id,
        lane.id,
    )


async def prolong(db: Executor, token: UUID, message_ids: Sequence[UUID], *, until: datetime) -> int:
    """This worker lives: these of its claims hold until then; answers how many.

    What is being recorded just now is locked by its recorder, and over: it is not waited for.
    """
    return await db.run(
        """UPDATE message_queue SET claim_until = $3 WHERE message_id IN (
               SELECT message_id FROM message_queue WHERE message_id = ANY ($2) AND claim_token = $1
               FOR UPDATE SKIP LOCKED)""",
        token,
        message_ids,
        until,
    )


async def adopt_orphans(
    db: Executor,
    account: str,
    channels: Sequence[str],
    *,
    token: UUID,
    until: datetime,
    limit: int,
    mine: Sequence[UUID] = (),
) -> list[Claim]:
    """Take over claims whose worker is gone, but not `mine`, which only came too late to be prolonged.

    Served by message_queue_claim_idx.
    """
    return await db.all(
        Claim,
        """WITH orphans AS (
               SELECT message_id FROM message_queue
               WHERE claimed_at IS NOT NULL AND claim_until <= $3 AND account = $1 AND channel = ANY ($2)
                 AND message_id <> ALL ($7)
               ORDER BY claim_until LIMIT $6 FOR UPDATE SKIP LOCKED),
           adopted AS (
               UPDATE message_queue d SET claim_token = $4, claim_until = $5 FROM orphans o
               WHERE d.message_id = o.message_id RETURNING d.message_id, d.queue_id, d.attempts)
           SELECT m.id, m.org_id, m.phone_number_id, a.queue_id, m.brand_id, m.kind, m.sender, m.recipient,
                  coalesce(m.text, '') || coalesce(m.appended_text, ''), m.media, m.channel, m.segments, m.priority,
                  m.unit_price_microcents * m.segments, m.expires_at, a.attempts
           FROM adopted a JOIN messages m ON m.id = a.message_id""",
        account,
        channels,
        db.now,
        token,
        until,
        limit,
        mine,
    )


async def claim_expired(
    db: Executor, account: str, channels: Sequence[str], *, token: UUID, until: datetime, limit: int
) -> list[Claim]:
    """Take texts whose validity is over and which nobody is handing over; by message_queue_expiry_idx."""
    return await db.all(
        Claim,
        """WITH expired AS (
               SELECT message_id FROM message_queue
               WHERE expires_at <= $3 AND claimed_at IS NULL AND account = $1 AND channel = ANY ($2)
               ORDER BY expires_at LIMIT $6 FOR UPDATE SKIP LOCKED),
           claimed AS (
               UPDATE message_queue d SET claimed_at = $3, claim_token = $4, claim_until = $5 FROM expired e
               WHERE d.message_id = e.message_id RETURNING d.message_id, d.queue_id, d.attempts)
           SELECT m.id, m.org_id, m.phone_number_id, a.queue_id, m.brand_id, m.kind, m.sender, m.recipient,
                  coalesce(m.text, '') || coalesce(m.appended_text, ''), m.media, m.channel, m.segments, m.priority,
                  m.unit_price_microcents * m.segments, m.expires_at, a.attempts
           FROM claimed a JOIN messages m ON m.id = a.message_id""",
        account,
        channels,
        db.now,
        token,
        until,
        limit,
    )
