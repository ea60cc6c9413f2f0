"""Every statement that writes sums."""

from collections.abc import Sequence
from datetime import datetime

from agentmessage.kernel.db import Executor
from agentmessage.rollups.model import Count


async def add(tx: Executor, counts: Sequence[Count]) -> None:
    """Add counts to their buckets, which are made where there were none."""
    await tx.run(
        """INSERT INTO metric_buckets AS b (org_id, metric, span, bucket_start, labels, value)
           SELECT u.org_id, u.metric, s.span, date_trunc(s.span, u.at, 'UTC') AS bucket_start, u.labels,
                  sum(u.value)::bigint
           FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[], $5::bigint[])
                    u (org_id, metric, at, labels, value)
           CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) s (span)
           GROUP BY u.org_id, u.metric, s.span, 4, u.labels
           ORDER BY u.org_id, u.metric, s.span, 4, u.labels
           ON CONFLICT (org_id, metric, span, bucket_start, labels) DO UPDATE SET value = b.value + excluded.value""",
        [count.org_id for count in counts],
        [count.metric for count in counts],
        [count.at for count in counts],
        [count.labels for count in counts],
        [count.value for count in counts],
    )


async def delete_before(db: Executor, span: str, before: datetime) -> int:
    """Drop sums of one span past their retention, at most 10,000 at a time; by metric_buckets_age_idx."""
    return await db.run(
        """DELETE FROM metric_buckets WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM metric_buckets WHERE span = $1 AND bucket_start < $2 LIMIT 10000))""",
        span,
        before,
    )
