"""Every statement that reads sums."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.metrics.model import Point


async def list_points(
    db: Executor,
    org_id: UUID,
    *,
    metric: str,
    granularity: str,
    group_by: str | None,
    start: datetime,
    end: datetime,
) -> list[Point]:
    """Sums of the buckets that start within a window, by one label or by none; served by the primary key."""
    return await db.all(
        Point,
        """SELECT labels ->> $4::text, bucket_start, sum(value)::bigint FROM metric_buckets
           WHERE org_id = $1 AND metric = $2 AND span = $3 AND bucket_start >= $5 AND bucket_start < $6
           GROUP BY 1, 2""",
        org_id,
        metric,
        granularity,
        group_by,
        start,
        end,
    )


async def list_labels(
    db: Executor, org_id: UUID, *, metric: str, group_by: str, start: datetime, end: datetime
) -> Sequence[str | None]:
    """The values of a label on the days of a window, in order, the missing one last; served by the primary key."""
    return await db.all(
        _label,
        """SELECT DISTINCT labels ->> $3::text AS label FROM metric_buckets
           WHERE org_id = $1 AND metric = $2 AND span = 'day'
             AND bucket_start >= date_trunc('day', $4::timestamptz, 'UTC') AND bucket_start < $5
           ORDER BY label NULLS LAST""",
        org_id,
        metric,
        group_by,
        start,
        end,
    )


async def find_balance(
    db: Executor, org_id: UUID, *, granularity: str, start: datetime, days_from: datetime
) -> tuple[int, list[Point]]:
    """The present balance, and what moved since the start of a window: by its buckets, and by days after `days_from`.

    One statement, so that both are of one instant. Movements are written in the transaction that changes the wallet.
    """
    rows = await db.all(
        _movement,
        """SELECT NULL, NULL, balance_microcents FROM wallets WHERE org_id = $1
           UNION ALL
           SELECT NULL, bucket_start, sum(CASE metric WHEN 'wallet.credit_cents' THEN value ELSE -value END)::bigint
           FROM metric_buckets
           WHERE org_id = $1 AND metric IN ('wallet.credit_cents', 'wallet.debit_cents')
             AND ((span = $2 AND bucket_start >= $3 AND bucket_start < $4) OR (span = 'day' AND bucket_start >= $4))
           GROUP BY bucket_start""",
        org_id,
        granularity,
        start,
        days_from,
    )
    balance = sum(value for at, value in rows if at is None)
    return balance, [Point(None, at, value) for at, value in rows if at is not None]


def _label(label: str | None) -> str | None:
    return label


def _movement(_label: None, at: datetime | None, value: int) -> tuple[datetime | None, int]:
    return at, value
