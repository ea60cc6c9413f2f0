"""Every statement that counts texts behind their events, across tenants: a cell's events have one order."""

from datetime import datetime

from agentmessage.kernel.db import Executor
from agentmessage.rollups.model import Difference, Place


async def lock_place(tx: Executor) -> Place | None:
    """Up to where texts are counted, for this transaction alone; None while another one is counting."""
    return await tx.one(Place, "SELECT xid::text, id FROM event_cursors WHERE name = 'metrics' FOR UPDATE SKIP LOCKED")


async def wait_for_place(tx: Executor) -> None:
    """Keep everybody else from counting until the commit."""
    await tx.run("SELECT FROM event_cursors WHERE name = 'metrics' FOR UPDATE")


async def find_as_of(db: Executor) -> datetime:
    """The instant before which everything is in the sums."""
    moment: datetime = await db.value("SELECT as_of FROM event_cursors WHERE name = 'metrics'")
    return moment


async def oldest_beginning(tx: Executor) -> datetime:
    """When the oldest open transaction of ours began that may still bring something; the present when there is none.

    A transaction that has written nothing within its first minute is a reader: a long export, say.
    """
    moment: datetime = await tx.value(
        """SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name LIKE 'agentmessage/%' AND pid <> pg_backend_pid()
             AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '1 minute')"""
    )
    return moment


async def count_events(tx: Executor, place: Place, *, limit: int, complete_until: datetime) -> int:
    """Add the next events behind the place to their sums and move the place; answers how many there were.

    Served by events_order_idx. `as_of` moves only when the end was reached, and not past what waits behind it for an
    older transaction; when that is more than `limit`, it stays.
    """
    taken: int = await tx.value(
        """WITH taken AS MATERIALIZED (
               SELECT xid, id, org_id, created_at, event_metric(type) AS metric,
                      CASE WHEN event_metric(type) IS NOT NULL THEN event_labels(data) END AS labels
               FROM events
               WHERE (xid, id) > ($1::text::xid8, $2::uuid) AND xid < xid_horizon()
               ORDER BY xid, id LIMIT $3
           ), waiting AS (
               SELECT count(*) AS number, min(created_at) AS oldest_at
               FROM (SELECT created_at FROM events WHERE xid >= xid_horizon()
                     ORDER BY xid, id LIMIT $3) w
           ), added AS (
               INSERT INTO metric_buckets AS b (org_id, metric, span, bucket_start, labels, value)
               SELECT t.org_id, t.metric, s.span, date_trunc(s.span, t.created_at, 'UTC'), t.labels, count(*)
               FROM taken t CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) s (span) WHERE t.metric IS NOT NULL
               GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
               ON CONFLICT (org_id, metric, span, bucket_start, labels) DO UPDATE SET value = b.value + excluded.value
           ), last AS (SELECT xid, id FROM taken ORDER BY xid DESC, id DESC LIMIT 1)
           UPDATE event_cursors f
           SET xid = coalesce((SELECT xid FROM last), f.xid), id = coalesce((SELECT id FROM last), f.id),
               as_of = CASE WHEN (SELECT count(*) FROM taken) < $3 AND w.number < $3
                            THEN greatest(f.as_of, least($4, w.oldest_at)) ELSE f.as_of END
           FROM waiting w WHERE f.name = 'metrics' RETURNING (SELECT count(*) FROM taken)""",
        place.xid,
        place.id,
        limit,
        complete_until,
    )
    return taken


async def list_differences(tx: Executor, day: datetime, end: datetime) -> list[Difference]:
    """Sums of a day that are not what its events come to; the place is locked. Served by the age indexes of both.

    `NOT … >` keeps the planner from reading all of events_order_idx, which nearly all events lie within.
    """
    return await tx.all(
        Difference,
        """WITH recounted AS (
               SELECT e.org_id, event_metric(e.type) AS metric, date_trunc('day', e.created_at, 'UTC') AS bucket_start,
                      event_labels(e.data) AS labels, count(*) AS value
               FROM events e JOIN event_cursors f ON NOT (e.xid, e.id) > (f.xid, f.id)
               WHERE f.name = 'metrics' AND e.created_at >= $1 AND e.created_at < $2
                 AND event_metric(e.type) IS NOT NULL
               GROUP BY 1, 2, 3, 4
           ), counted AS (
               SELECT org_id, metric, bucket_start, labels, value FROM metric_buckets
               WHERE span = 'day' AND bucket_start >= $1 AND bucket_start < $2
                 AND metric IN ('messages.outbound.sent', 'messages.outbound.delivered', 'messages.outbound.failed',
                                'messages.inbound.received'))
           SELECT org_id, metric, bucket_start, labels, coalesce(c.value, 0), coalesce(r.value, 0)
           FROM counted c FULL JOIN recounted r USING (org_id, metric, bucket_start, labels)
           WHERE c.value IS DISTINCT FROM r.value ORDER BY bucket_start, org_id, metric, labels""",
        day,
        end,
    )


async def delete_texts(tx: Executor, day: datetime, end: datetime) -> int:
    """Drop the sums of a day's texts; the place is locked."""
    return await tx.run(
        """DELETE FROM metric_buckets
           WHERE span IN ('minute', 'hour', 'day') AND bucket_start >= $1 AND bucket_start < $2
             AND metric IN ('messages.outbound.sent', 'messages.outbound.delivered', 'messages.outbound.failed',
                            'messages.inbound.received')""",
        day,
        end,
    )


async def recount(tx: Executor, day: datetime, end: datetime) -> int:
    """Make the sums of a day's texts out of its events, up to the place, which is locked; as `list_differences`."""
    return await tx.run(
        """WITH minutes AS (
               SELECT e.org_id, event_metric(e.type) AS metric,
                      date_trunc('minute', e.created_at, 'UTC') AS bucket_start,
                      event_labels(e.data) AS labels, count(*) AS value
               FROM events e JOIN event_cursors f ON NOT (e.xid, e.id) > (f.xid, f.id)
               WHERE f.name = 'metrics' AND e.created_at >= $1 AND e.created_at < $2
                 AND event_metric(e.type) IS NOT NULL
               GROUP BY 1, 2, 3, 4)
           INSERT INTO metric_buckets (org_id, metric, span, bucket_start, labels, value)
           SELECT m.org_id, m.metric, s.span, date_trunc(s.span, m.bucket_start, 'UTC'), m.labels, sum(m.value)::bigint
           FROM minutes m CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) s (span)
           GROUP BY 1, 2, 3, 4, 5""",
        day,
        end,
    )
