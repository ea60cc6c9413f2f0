"""What the operator asks of an installation as a whole; these statements cross tenants on purpose.

The inventory and the sweeps are in the directory, line options and drift in each cell.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from agentmessage.kernel.db import Executor


class PhaseCount(Struct, frozen=True):
    """How many numbers of a cell are in one phase; `due` of them are to be looked at now."""

    account: str
    phase: str
    numbers: int
    due: int
    oldest_desired_at: datetime | None


class OrderCount(Struct, frozen=True):
    """How many carrier orders of a cell are in one state."""

    account: str
    state: str
    orders: int
    oldest_at: datetime


class DriftRow(Struct, frozen=True):
    """Something that the carrier has and we did not order, or the other way round. `resolved_at` None: still open."""

    account: str
    number: str
    kind: str
    expected_campaign: str | None
    observed_campaign: str | None
    found_at: datetime
    resolved_at: datetime | None


class SweepRow(Struct, frozen=True):
    """The last comparison of one carrier account with what we believe."""

    account: str
    due_at: datetime
    finished_at: datetime | None
    result: Any


class BreakerRow(Struct, frozen=True):
    """One budget of carrier calls; while `open_until` lies ahead, nothing is called."""

    account: str
    kind: str
    failures: int
    open_until: datetime | None


async def count_phases(db: Executor) -> list[PhaseCount]:
    """One cell's numbers by phase. Wishes are only read of lines that are under way: the settled ones are millions."""
    return await db.all(
        PhaseCount,
        """SELECT line.account, line.phase, count(*), count(*) FILTER (WHERE line.due_at <= $1),
                  min(CASE WHEN line.due_at IS NOT NULL OR line.phase NOT IN ('bound', 'unbound') THEN (
                      SELECT held.desired_at FROM phone_numbers AS held
                      WHERE held.id = line.phone_number_id AND held.line_option_status = 'pending') END)
           FROM line_options AS line
           GROUP BY line.account, line.phase ORDER BY line.account, line.phase""",
        db.now,
    )


async def count_orders(db: Executor) -> list[OrderCount]:
    """One cell's carrier orders that are not over, by state."""
    return await db.all(
        OrderCount,
        """SELECT account, state, count(*), min(created_at) FROM carrier_orders
           WHERE state NOT IN ('done', 'refused') GROUP BY account, state ORDER BY account, state""",
    )


async def list_drift(db: Executor, *, is_open: bool, limit: int) -> list[DriftRow]:
    """One cell's drift, newest first; healed ones too unless `is_open`."""
    return await db.all(
        DriftRow,
        """SELECT account, number, kind, expected_campaign, observed_campaign, found_at, resolved_at FROM drift_events
           WHERE NOT $1 OR resolved_at IS NULL ORDER BY found_at DESC, id DESC LIMIT $2""",
        is_open,
        limit,
    )


async def list_sweeps(db: Executor) -> list[SweepRow]:
    """The sweep of every carrier account."""
    return await db.all(
        SweepRow, "SELECT account, due_at, finished_at, result FROM directory.drift_sweeps ORDER BY account"
    )


async def list_breakers(db: Executor) -> list[BreakerRow]:
    """The budget of every carrier account."""
    return await db.all(
        BreakerRow,
        "SELECT account, kind, failures, open_until FROM directory.carrier_budgets ORDER BY account, kind",
    )
