"""What an organization's money is, has been and was spent on: reads that change nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from agentmessage.billing.model import LedgerKind, LedgerRow, Metric, Overview, UsageKind, UsageRow, Window
from agentmessage.kernel.db import Executor


async def find_overview(db: Executor, org_id: UUID) -> Overview | None:
    """An organization's money in one look; a wallet, a customer or a top-up that was never made counts as none."""
    return await db.one(
        Overview,
        """SELECT o.plan, coalesce(p.subscription_status, 'active'), coalesce(w.balance_microcents, 0),
               coalesce(a.is_enabled, false), CASE WHEN a.is_enabled THEN a.amount_cents END, o.throughput_tier,
               o.throughput_per_sec, o.throughput_per_min
           FROM organizations o LEFT JOIN wallets w ON w.org_id = o.id LEFT JOIN billing_customers p ON p.org_id = o.id
           LEFT JOIN auto_topups a ON a.org_id = o.id
           WHERE o.id = $1""",
        org_id,
    )


async def spent_since(db: Executor, org_id: UUID, *, span: str, since: datetime) -> int:
    """Microcents that were spent from the beginning of a bucket on, less what was given back; by the sums' key.

    `span` is the size of the buckets: `hour` or `day`. What was taken back outside is no spend.
    """
    total: int = await db.value(
        """SELECT coalesce(sum(CASE metric WHEN $2 THEN value ELSE -value END), 0)::bigint FROM metric_buckets
           WHERE org_id = $1 AND metric IN ($2, $3) AND span = $4 AND bucket_start >= $5
             AND CASE metric WHEN $2 THEN labels ->> 'kind' <> 'adjustment' ELSE labels ->> 'kind' = 'refund' END""",
        org_id,
        Metric.DEBITS,
        Metric.CREDITS,
        span,
        since,
    )
    return total


async def list_transactions(db: Executor, org_id: UUID, window: Window, *, limit: int) -> list[LedgerRow]:
    """Movements of the wallet, newest first; served by ledger_transactions_list_idx."""
    return await db.all(
        _ledger_row,
        """SELECT id, ts, kind, amount_microcents, balance_after_microcents, source, source_ref, metadata
           FROM ledger_transactions WHERE org_id = $1 AND ts >= $2 AND (ts, id) < ($3, $4)
           ORDER BY ts DESC, id DESC LIMIT $5""",
        org_id,
        window.begins_at,
        window.before_at,
        window.before_id,
        limit,
    )


async def list_debits(db: Executor, org_id: UUID, window: Window, *, limit: int) -> list[LedgerRow]:
    """What was paid, newest first. Nearly every movement is a debit, so the index of all of them serves."""
    return await db.all(
        _ledger_row,
        """SELECT id, ts, kind, amount_microcents, balance_after_microcents, source, source_ref, metadata
           FROM ledger_transactions WHERE org_id = $1 AND kind = 'debit' AND ts >= $2 AND (ts, id) < ($3, $4)
           ORDER BY ts DESC, id DESC LIMIT $5""",
        org_id,
        window.begins_at,
        window.before_at,
        window.before_id,
        limit,
    )


async def list_rare(db: Executor, org_id: UUID, kind: LedgerKind, window: Window, *, limit: int) -> list[LedgerRow]:
    """Movements of a kind that is no debit, newest first; served by ledger_transactions_rare_idx."""
    return await db.all(
        _ledger_row,
        """SELECT id, ts, kind, amount_microcents, balance_after_microcents, source, source_ref, metadata
           FROM ledger_transactions
           WHERE org_id = $1 AND kind = $2 AND kind <> 'debit' AND ts >= $3 AND (ts, id) < ($4, $5)
           ORDER BY ts DESC, id DESC LIMIT $6""",
        org_id,
        kind,
        window.begins_at,
        window.before_at,
        window.before_id,
        limit,
    )


async def list_usage(
    db: Executor, org_id: UUID, window: Window, *, kind: UsageKind | None, limit: int
) -> list[UsageRow]:
    """What was paid for, newest first; `kind` is None for all kinds, or the most frequent one.

    Served by usage_rows_list_idx.
    """
    return await db.all(
        UsageRow,
        """SELECT id, ts, kind, quantity, unit_cost_microcents, total_microcents, ref_kind, ref_id, metadata
           FROM usage_rows
           WHERE org_id = $1 AND ts >= $2 AND (ts, id) < ($3, $4) AND ($5::text IS NULL OR kind = $5)
           ORDER BY ts DESC, id DESC LIMIT $6""",
        org_id,
        window.begins_at,
        window.before_at,
        window.before_id,
        kind,
        limit,
    )


async def list_rare_usage(db: Executor, org_id: UUID, window: Window, *, kind: UsageKind, limit: int) -> list[UsageRow]:
    """Usage of a kind that is not the most frequent one, newest first; served by usage_rows_rare_idx."""
    return await db.all(
        UsageRow,
        """SELECT id, ts, kind, quantity, unit_cost_microcents, total_microcents, ref_kind, ref_id, metadata
           FROM usage_rows
           WHERE org_id = $1 AND kind = $5 AND kind <> 'outbound_sms' AND ts >= $2 AND (ts, id) < ($3, $4)
           ORDER BY ts DESC, id DESC LIMIT $6""",
        org_id,
        window.begins_at,
        window.before_at,
        window.before_id,
        kind,
        limit,
    )


async def list_usage_lines(
    db: Executor, org_id: UUID, window: Window, *, kind: UsageKind | None, limit: int
) -> tuple[bytes, int, datetime | None, UUID | None]:
    """The rows of `list_usage` as the API prints them, a JSON value a line; their number and the place of the last.

    Printed by Postgres, at twice the pace of fetching them and without keeping the process from other requests. The
    words of `kind` and `ref_kind` are ours and need no escaping.
    """
    row = await db.one(
        _lines,
        """SELECT string_agg(line, ''), count(*), (array_agg(ts))[count(*)], (array_agg(id))[count(*)] FROM (
               SELECT ts, id, concat(
                   '{"id":"', id, '","ts":"', to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                   'Z","kind":"', kind, '","quantity":', quantity,
                   ',"unit_cost_cents":', (unit_cost_microcents + 999999) / 1000000,
                   ',"total_cents":', (total_microcents + 999999) / 1000000,
                   ',"ref_kind":', coalesce('"' || ref_kind || '"', 'null'),
                   ',"ref_id":', coalesce('"' || ref_id || '"', 'null'), ',"metadata":', metadata, E'}\n') AS line
               FROM usage_rows
               WHERE org_id = $1 AND ts >= $2 AND (ts, id) < ($3, $4) AND ($5::text IS NULL OR kind = $5)
               ORDER BY ts DESC, id DESC LIMIT $6) u""",
        org_id,
        window.begins_at,
        window.before_at,
        window.before_id,
        kind,
        limit,
    )
    return row or (b"", 0, None, None)


def _ledger_row(row_id: UUID, ts: datetime, kind: str, *columns: Any) -> LedgerRow:
    return LedgerRow(row_id, ts, LedgerKind(kind), *columns)


def _lines(
    text: str | None, number: int, last_at: datetime | None, last_id: UUID | None
) -> tuple[bytes, int, datetime | None, UUID | None]:
    return (text or "").encode(), number, last_at, last_id
