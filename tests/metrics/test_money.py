"""What the series say of money is what the ledger says, however it moved."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage.billing import operations as billing
from agentmessage.billing.model import Charge
from agentmessage.kernel.db import Cells
from agentmessage.metrics.routes import routes as metric_routes
from tests.conftest import Client
from tests.make.accounts import open_account
from tests.make.clock import TestClock
from tests.make.rooms import RoomsApp
from tests.metrics.conftest import NOW

DAYS = 12
CENT = 1_000_000


@pytest.mark.parametrize("seed", range(4))
async def test_balances_debits_and_credits_are_a_recount_of_the_ledger(dsn: str, seed: int) -> None:
    rng, clock = random.Random(seed), TestClock(NOW - timedelta(days=DAYS))
    cells = Cells(dsn, pool_size=4, clock=clock)
    account, db = await open_account(cells), await cells.cell("cell_00")
    charged: list[str] = []
    for number in range(40):
        clock.moment += timedelta(hours=rng.randint(0, 14))
        clock.moment = min(clock.moment, NOW)
        async with db.transaction() as tx:
            what = rng.choice(["charge", "charge", "refund", "credit"])
            if what == "credit":
                await billing.credit(
                    tx,
                    account.tenant,
                    amount_microcents=rng.randint(1, 9 * CENT),
                    source="test",
                    source_ref=str(number),
                )
            elif what == "refund" and charged:
                await billing.refund(tx, account.tenant, source="test", source_ref=rng.choice(charged))
            else:
                one = Charge(
                    kind=rng.choice(["outbound", "number_month"]),
                    quantity=1,
                    unit_cost_microcents=rng.randint(1, 3 * CENT),
                    source="test",
                    source_ref=str(number),
                )
                await billing.charge_many(tx, account.tenant, [one])
                charged.append(str(number))
    clock.moment = NOW
    await db.run("UPDATE event_cursors SET as_of = $1 WHERE name = 'metrics'", NOW)
    await db.run("UPDATE organizations SET plan = 'growth'")
    api = Client(RoomsApp(cells, metric_routes, clock=clock), account.key)

    for length, step in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        window = f"granularity={length}&from={NOW - timedelta(days=DAYS):%Y-%m-%dT%H:%M:%SZ}"
        for metric in ("balance_end_cents", "debit_cents", "credit_cents"):
            found = (await api.get(f"/v1/metrics/wallet?metric={metric}&{window}")).data["buckets"]
            for bucket in found:
                start = datetime.fromisoformat(bucket["bucket_start"])
                is_over = start + step <= NOW
                expected = await _recounted(db, account.org_id, metric, start, start + step) if is_over else None
                assert bucket["value"] == expected, bucket
    await cells.close()


async def _recounted(db: Any, org_id: UUID, metric: str, start: datetime, end: datetime) -> int:
    """The same from the ledger's own rows, in cents as they are printed."""
    if metric == "balance_end_cents":
        return await db.value(
            """SELECT floor(coalesce(sum(amount_microcents), 0) / 1000000) FROM ledger_transactions
               WHERE org_id = $1 AND ts < $2""",
            org_id,
            end,
        )
    sign = -1 if metric == "debit_cents" else 1
    return await db.value(
        """SELECT round(coalesce(sum(abs(amount_microcents)), 0) / 1000000.0) FROM ledger_transactions
           WHERE org_id = $1 AND ts >= $2 AND ts < $3 AND sign(amount_microcents) = $4""",
        org_id,
        start,
        end,
        sign,
    )
