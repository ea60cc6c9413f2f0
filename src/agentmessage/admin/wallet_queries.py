"""What only the operator asks about one organization's money."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor


class Sum(Struct, frozen=True):
    """What one cause came to on one day; `reference` is that of a movement that is no debit."""

    day: datetime
    what: str
    source: str
    reference: str | None
    number: int
    amount_microcents: int


async def find_held(db: Executor, org_id: UUID) -> int:
    """Microcents that texts in the queue will cost."""
    held: int = await db.value(
        """SELECT coalesce((SELECT admitted_microcents FROM send_accounts WHERE org_id = $1), 0)
                  - coalesce((SELECT settled_microcents FROM wallets WHERE org_id = $1), 0)""",
        org_id,
    )
    return held


async def balance_before(db: Executor, org_id: UUID, moment: datetime) -> int:
    """What a wallet held just before an instant: one look at ledger_transactions_list_idx."""
    balance: int | None = await db.value(
        """SELECT balance_after_microcents FROM ledger_transactions WHERE org_id = $1 AND ts < $2
           ORDER BY ts DESC, id DESC LIMIT 1""",
        org_id,
        moment,
    )
    return balance or 0


async def sum_by_day(db: Executor, org_id: UUID, begins_at: datetime, ends_at: datetime) -> list[Sum]:
    """What moved a wallet within a range, in order: debits by day and kind of usage, everything else one by one."""
    return await db.all(
        Sum,
        """SELECT date_trunc('day', ts, 'UTC') AS day,
                  CASE kind WHEN 'debit' THEN metadata ->> 'usage_kind' ELSE kind END AS what, source,
                  CASE WHEN kind <> 'debit' THEN source_ref END AS reference, count(*), sum(amount_microcents)::bigint
           FROM ledger_transactions WHERE org_id = $1 AND ts >= $2 AND ts < $3
           GROUP BY 1, 2, 3, 4 ORDER BY 1, max(ts), 2, 3, 4""",
        org_id,
        begins_at,
        ends_at,
    )
