"""Statements on lanes and their buckets. Dispatch is fair between organizations, so it looks at all of them."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.delivery.rate_limits.rules import Bucket, Lane, LaneFacts
from agentmessage.kernel.db import Executor


class Found(Struct, frozen=True):
    """A lane that was met, and whether it has a text that is due; None: its organization has none behind its place."""

    org_id: UUID
    queue_id: UUID | None
    is_ready: bool | None


async def list_lanes(
    db: Executor,
    account: str,
    channels: Sequence[str],
    *,
    after: UUID,
    org_ids: Sequence[UUID],
    places: Sequence[UUID],
    most_orgs: int,
    most_lanes: int,
) -> list[Found]:
    """The lanes of the next organizations after `after`; in each, those after its place in `org_ids` and `places`.

    An organization without any is told as well: its round begins anew. A loose scan of message_queue_ready_idx: a few
    probes for each lane, however many texts wait in it.
    """
    return await db.all(
        Found,
        """WITH RECURSIVE orgs AS (
               (SELECT d.org_id, 1 AS n FROM message_queue d
                WHERE d.account = $1 AND d.claimed_at IS NULL AND d.org_id > $3 ORDER BY d.org_id LIMIT 1)
               UNION ALL
               SELECT (SELECT d.org_id FROM message_queue d
                       WHERE d.account = $1 AND d.claimed_at IS NULL AND d.org_id > o.org_id ORDER BY d.org_id LIMIT 1),
                      o.n + 1
               FROM orgs o WHERE o.org_id IS NOT NULL AND o.n < $6)
           SELECT o.org_id, queue.id, queue.is_ready
           FROM orgs o
           LEFT JOIN unnest($4::uuid[], $5::uuid[]) c (org_id, queue_id) ON c.org_id = o.org_id
           LEFT JOIN LATERAL (
               WITH RECURSIVE queues AS (
                   (SELECT d.queue_id, 1 AS n FROM message_queue d
                    WHERE d.account = $1 AND d.org_id = o.org_id AND d.claimed_at IS NULL
                      AND d.queue_id > coalesce(c.queue_id, '00000000-0000-0000-0000-000000000000'::uuid)
                    ORDER BY d.queue_id LIMIT 1)
                   UNION ALL
                   SELECT (SELECT d.queue_id FROM message_queue d
                           WHERE d.account = $1 AND d.org_id = o.org_id AND d.claimed_at IS NULL
                             AND d.queue_id > q.queue_id ORDER BY d.queue_id LIMIT 1),
                          q.n + 1
                   FROM queues q WHERE q.queue_id IS NOT NULL AND q.n < $7)
               SELECT q.queue_id AS id,
                      EXISTS (SELECT FROM (VALUES (0::smallint), (1::smallint), (2::smallint)) p (rank)
                              CROSS JOIN LATERAL (
                                  SELECT FROM message_queue d
                                  WHERE d.account = $1 AND d.org_id = o.org_id AND d.queue_id = q.queue_id
                                    AND d.claimed_at IS NULL AND d.priority = p.rank AND d.ready_at <= $8
                                    AND d.channel = ANY ($2)
                                  ORDER BY d.ready_at, d.message_id LIMIT 1) r) AS is_ready
               FROM queues q WHERE q.queue_id IS NOT NULL) queue ON true
           WHERE o.org_id IS NOT NULL ORDER BY o.org_id, queue.id""",
        account,
        channels,
        after,
        org_ids,
        places,
        most_orgs,
        most_lanes,
        db.now,
    )


async def list_facts(db: Executor, lanes: Sequence[Lane]) -> list[LaneFacts]:
    """What the registry says of the campaigns of these lanes."""
    return await db.all(
        LaneFacts,
        """SELECT l.id, n.id, c.id, c.mno_metadata
           FROM unnest($1::uuid[], $2::uuid[]) l (org_id, id)
           LEFT JOIN phone_numbers n ON n.id = l.id AND n.org_id = l.org_id
           LEFT JOIN campaigns c ON c.id = coalesce(n.campaign_id, l.id) AND c.org_id = l.org_id""",
        [lane.org_id for lane in lanes],
        [lane.id for lane in lanes],
    )


async def lock_buckets(tx: Executor, account: str, scopes: Sequence[str]) -> list[Bucket]:
    """The buckets that no other worker is drawing on, kept until the commit."""
    return await tx.all(
        Bucket,
        """SELECT scope, tokens, refilled_at, paused_until FROM send_rate_buckets
           WHERE account = $1 AND scope = ANY ($2) ORDER BY scope FOR UPDATE SKIP LOCKED""",
        account,
        scopes,
    )


async def insert_buckets(tx: Executor, account: str, scopes: Sequence[str], tokens: Sequence[float]) -> None:
    """Buckets of scopes that were never drawn on, full."""
    await tx.run(
        """INSERT INTO send_rate_buckets (account, scope, tokens, refilled_at)
           SELECT $1, b.scope, b.tokens, $2 FROM unnest($3::text[], $4::float8[]) b (scope, tokens) ORDER BY b.scope
           ON CONFLICT DO NOTHING""",
        account,
        tx.now,
        scopes,
        tokens,
    )


async def save_buckets(tx: Executor, account: str, scopes: Sequence[str], tokens: Sequence[float]) -> None:
    """What is left in buckets that this transaction holds."""
    await tx.run(
        """UPDATE send_rate_buckets b SET tokens = s.tokens, refilled_at = $2
           FROM unnest($3::text[], $4::float8[]) s (scope, tokens) WHERE b.account = $1 AND b.scope = s.scope""",
        account,
        tx.now,
        scopes,
        tokens,
    )


async def list_subscribers(
    db: Executor, org_ids: Sequence[UUID], numbers: Sequence[str], *, operator: str
) -> list[str]:
    """Which of these numbers a lookup of their organization says to be an operator's; by lookups_number_idx."""
    return await db.all(
        str,
        """SELECT DISTINCT a.number FROM unnest($1::uuid[], $2::text[]) a (org_id, number)
           CROSS JOIN LATERAL (
               SELECT l.result ->> 'messaging_provider' AS provider FROM lookups l
               WHERE l.org_id = a.org_id AND l.phone_number = a.number AND l.status = 'complete'
               ORDER BY l.completed_at DESC LIMIT 1) l
           WHERE l.provider ILIKE $3""",
        org_ids,
        numbers,
        operator,
    )


async def lock_volumes(tx: Executor, brand_ids: Sequence[UUID], operator: str, day: date) -> list[tuple[UUID, int]]:
    """What brands sent to an operator's subscribers on a day, kept until the commit."""
    await tx.run(
        """INSERT INTO brand_daily_usage (brand_id, operator, day, segments)
           SELECT b, $2, $3, 0 FROM unnest($1::uuid[]) b ORDER BY b ON CONFLICT DO NOTHING""",
        brand_ids,
        operator,
        day,
    )
    return await tx.all(
        _volume,
        """SELECT brand_id, segments FROM brand_daily_usage WHERE brand_id = ANY ($1) AND operator = $2 AND day = $3
           ORDER BY brand_id FOR UPDATE""",
        brand_ids,
        operator,
        day,
    )


async def add_volumes(
    tx: Executor, brand_ids: Sequence[UUID], segments: Sequence[int], operator: str, day: date
) -> None:
    """Count segments that are about to be handed over; the rows are locked."""
    await tx.run(
        """UPDATE brand_daily_usage v SET segments = v.segments + a.segments
           FROM unnest($1::uuid[], $2::bigint[]) a (brand_id, segments)
           WHERE v.brand_id = a.brand_id AND v.operator = $3 AND v.day = $4""",
        brand_ids,
        segments,
        operator,
        day,
    )


async def forget_volumes(db: Executor, before: date) -> int:
    """Forget days that are over."""
    return await db.run("DELETE FROM brand_daily_usage WHERE day < $1", before)


async def forget_buckets(db: Executor, before: datetime) -> int:
    """Forget buckets that nobody has drawn on: they are full again."""
    return await db.run(
        "DELETE FROM send_rate_buckets WHERE refilled_at < $1 AND (paused_until IS NULL OR paused_until < $1)", before
    )


def _volume(brand_id: UUID, segments: int) -> tuple[UUID, int]:
    return brand_id, segments
