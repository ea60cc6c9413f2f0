"""A worker's loops are quiet when there is nothing for them to do."""

import random
import time
from datetime import timedelta

from agentmessage.app.job_handlers import limits, line_carriers
from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.app.worker import OVERDUE_S, CellLoops
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import call_budget_queries, carrier_order_queries
from agentmessage.numbers.binding.call_budget import Budget
from agentmessage.numbers.binding.reconciler import Reconciling
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.outbox.notifications import Bells
from agentmessage.settings import Settings
from tests.make.accounts import Account
from tests.numbers.harness import Wire
from tests.numbers.virtual_clock import add_number


def _loops(cells: Cells, db: CellDb, settings: Settings) -> CellLoops:
    carriers = carrier_sets(settings, Wire("instant"))
    reconciling = Reconciling(db, line_carriers(carriers, settings), Budget(db, limits(carriers)), random.Random(1))
    return CellLoops(db, reconciling, Bells(cells), JobRunner(db, {}))


async def _seconds(loops: CellLoops, title: str) -> float:
    turn = dict(loops.all())[title]
    began = time.monotonic()
    await turn()
    return time.monotonic() - began


async def test_orders_that_are_due_at_a_carrier_that_is_left_alone_do_not_keep_a_worker_busy(
    cells: Cells, db: CellDb, settings: Settings
) -> None:
    async with db.transaction() as tx:
        await carrier_order_queries.insert_order(tx, new_id(), account="live", order_key="am-line-1", size=1)
    await call_budget_queries.open_breaker(db, "live", 5, db.now + timedelta(hours=1))

    assert await _seconds(_loops(cells, db, settings), "orders 0") >= OVERDUE_S


async def test_lines_that_are_due_but_not_yet_assigned_do_not_keep_a_worker_busy(
    cells: Cells, db: CellDb, settings: Settings, account: Account
) -> None:
    await add_number(db, account.org_id, "+14155550100")
    await db.run("UPDATE phone_numbers SET state = 'ordering'")
    await db.run("UPDATE line_options SET due_at = $1", db.now)

    assert await _seconds(_loops(cells, db, settings), "plan") >= OVERDUE_S
