"""Taking facts and writing a delivery for each receiver: set-based, so that nothing of it goes through this process."""

from collections.abc import Mapping, Sequence
from typing import LiteralString

from msgspec import Struct

from agentmessage.kernel.db import Executor


class Taken(Struct, frozen=True):
    """What one turn came to: facts taken, deliveries written, and whether more facts wait than could be taken.

    `written_off` bears the columns of `model.WrittenOff`, as JSON does.
    """

    events: int
    deliveries: int
    is_more: bool
    written_off: Sequence[Mapping[str, object]] = ()


async def is_behind(db: Executor) -> bool:
    """Whether there is a fact that was not taken; one look at the end of events_order_idx.

    EXISTS drops an ORDER BY, and the planner, who believes that a third of all facts lie behind any place, would then
    read the table from its beginning.
    """
    return bool(
        await db.value(
            """SELECT true FROM events WHERE (xid, id) > (
                   SELECT f.xid, f.id FROM event_cursors f WHERE f.name = 'webhooks')
               ORDER BY xid, id LIMIT 1"""
        )
    )


async def lock_cursor(tx: Executor) -> bool:
    """Lock our place among the facts; False: another worker has it."""
    return bool(await tx.value("SELECT true FROM event_cursors WHERE name = 'webhooks' FOR UPDATE SKIP LOCKED"))


async def fan_out(tx: Executor, *, limit: int) -> Taken:
    """Take the next facts, in their commit-safe order, and queue each for every receiver that wants it.

    The place is locked. Facts by events_order_idx; those whose transaction may still have older siblings under way wait
    (see outbox.queries.list_events). Every queue that is given something is written, even if it is due already: a
    dispatcher that looks at it right now either has not looked yet, or finds it due again. A delivery bears its fact's
    id, so that what is queued together is sent in the order in which it happened. Queues are written in one order, as
    record_queries.note_health does. A receiver gets nothing that
    happened before it was created. Facts for a full queue are written off in the log.
    """
    taken = await tx.one(
        Taken,
        _FAN_OUT,
        limit,
        tx.now,
    )
    return taken or Taken(0, 0, is_more=False)


async def mark_full(db: Executor, *, max_waiting: int) -> None:
    """Mark the queues on which more than so many deliveries wait as full, and open those that have room again.

    A queue that another transaction is writing is left for the next time.
    """
    await db.run(
        """WITH judged AS MATERIALIZED (
               SELECT o.id, EXISTS (SELECT FROM webhook_deliveries d WHERE d.queue_id = o.id OFFSET $1) AS is_full
               FROM webhook_queues o WHERE o.due_at IS NOT NULL OR o.holder IS NOT NULL OR o.full_at IS NOT NULL),
           locked AS MATERIALIZED (
               SELECT l.id, q.is_full FROM webhook_queues l JOIN judged q ON q.id = l.id
               WHERE q.is_full <> (l.full_at IS NOT NULL) ORDER BY l.id FOR UPDATE OF l SKIP LOCKED)
           UPDATE webhook_queues l SET full_at = CASE WHEN k.is_full THEN $2::timestamptz END
           FROM locked k WHERE l.id = k.id""",
        max_waiting,
        db.now,
    )


_FAN_OUT: LiteralString = """WITH batch AS MATERIALIZED (
        SELECT id, xid, org_id, type, family, created_at,
               CASE WHEN family IN ('message', 'inbound_message') THEN (data ->> 'phone_number_id')::uuid END
                   AS number_id
        FROM events
        WHERE xid < xid_horizon()
          AND (xid, id) > (SELECT f.xid, f.id FROM event_cursors f WHERE f.name = 'webhooks')
        ORDER BY xid, id LIMIT $1),
    wanted AS MATERIALIZED (
        SELECT b.id, b.org_id, b.type, e.id AS endpoint_id, e.url, 'endpoint' AS kind
        FROM batch b JOIN webhook_endpoints e ON e.org_id = b.org_id AND e.active AND e.deleted_at IS NULL
            AND b.type = ANY(e.events) AND e.created_at <= b.created_at
        UNION ALL
        SELECT b.id, b.org_id, b.type, NULL, t.url, 'number'
        FROM batch b JOIN phone_numbers p ON p.id = b.number_id AND p.org_id = b.org_id
        CROSS JOIN LATERAL (
            SELECT CASE b.family WHEN 'message' THEN p.status_url ELSE p.inbound_url END AS url) t
        WHERE t.url IS NOT NULL),
    endpoint_queues AS (
        INSERT INTO webhook_queues AS l (id, org_id, due_at, created_at)
        SELECT DISTINCT endpoint_id, org_id, $2::timestamptz, $2::timestamptz FROM wanted
        WHERE kind = 'endpoint' ORDER BY 1
        ON CONFLICT (id) DO UPDATE SET due_at = least(l.due_at, excluded.due_at)
        RETURNING l.id, l.full_at),
    number_queues AS (
        INSERT INTO webhook_queues AS l (id, org_id, number_url, due_at, created_at)
        SELECT gen_random_uuid(), n.org_id, n.url, $2, $2
        FROM (SELECT DISTINCT org_id, url FROM wanted WHERE kind = 'number') n
        ORDER BY n.org_id, n.url
        ON CONFLICT (org_id, number_url) DO UPDATE SET due_at = least(l.due_at, excluded.due_at)
            WHERE l.disabled_at IS NULL
        RETURNING l.id, l.org_id, l.number_url, l.full_at),
    deliveries AS MATERIALIZED (
        SELECT w.id, w.org_id, w.type, w.kind, w.url, l.id AS queue_id, l.full_at
        FROM wanted w JOIN endpoint_queues l ON l.id = w.endpoint_id
        UNION ALL
        SELECT w.id, w.org_id, w.type, w.kind, w.url, l.id, l.full_at
        FROM wanted w JOIN number_queues l ON w.kind = 'number' AND l.org_id = w.org_id AND l.number_url = w.url),
    queued AS (
        INSERT INTO webhook_deliveries (queue_id, due_at, id, org_id, event_id, public_event_id, created_at)
        SELECT queue_id, $2, id, org_id, id, id, $2 FROM deliveries WHERE full_at IS NULL
        RETURNING 1),
    written_off AS (
        INSERT INTO webhook_attempts (id, org_id, queue_id, kind, source_event_id, event_id, event_type, url,
            attempt, outcome, request_headers, error, occurred_at)
        SELECT gen_random_uuid(), org_id, queue_id, kind, id, id, type, url, 1, 'dead', '{}',
            'too many deliveries are waiting', $2
        FROM deliveries WHERE full_at IS NOT NULL),
    newest AS (SELECT xid, id, created_at FROM batch ORDER BY xid DESC, id DESC LIMIT 1),
    moved AS (
        UPDATE event_cursors f SET xid = n.xid, id = n.id, as_of = least($2, n.created_at)
        FROM newest n WHERE f.name = 'webhooks')
    SELECT (SELECT count(*) FROM batch), (SELECT count(*) FROM queued),
           coalesce((SELECT true FROM events e WHERE (e.xid, e.id) > (
               SELECT coalesce(n.xid, f.xid), coalesce(n.id, f.id)
               FROM event_cursors f LEFT JOIN newest n ON true WHERE f.name = 'webhooks')
               ORDER BY e.xid, e.id LIMIT 1), false),
           (SELECT coalesce(jsonb_agg(o), '[]') FROM (
               SELECT org_id, queue_id, kind, count(*) FROM deliveries WHERE full_at IS NOT NULL GROUP BY 1, 2, 3) o)"""
