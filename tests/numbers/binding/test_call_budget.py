"""A carrier that is ill: left alone, then tried by one read, and called again once that was answered."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from agentmessage.carriers.bandwidth import BandwidthLines
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.numbers import operations
from agentmessage.numbers.binding import carrier_orders, reconciler
from agentmessage.numbers.binding.call_budget import FAILURES_THAT_OPEN, UNLIMITED, Budget, Limits
from agentmessage.numbers.binding.model import SIMULATED
from agentmessage.numbers.binding.observations import Interrupted, pages_of
from agentmessage.numbers.binding.reconciler import LineCarrier, Reconciling
from tests.carriers.world_line import ACCOUNT
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.numbers.harness import Wire
from tests.numbers.virtual_clock import VirtualClock, add_number

BREAK_S = 30.0


class Ward:
    """A carrier that can be down, and any number of workers that call it."""

    def __init__(self, db: CellDb, clock: VirtualClock) -> None:
        self.db = db
        self.clock = clock
        self.wire = Wire("instant")

    def worker(self) -> Reconciling:
        """Another worker, which remembers nothing."""
        carrier = LineCarrier(BandwidthLines(ACCOUNT, self.wire), SIMULATED, 1)
        budget = Budget(self.db, {"live": Limits(UNLIMITED, UNLIMITED, BREAK_S)})
        return Reconciling(self.db, {"live": carrier}, budget, random.Random(1))

    async def fall_ill(self, account: Account) -> None:
        """Orders are due and the breaker has just opened."""
        campaign_id = await insert_campaign(self.db, account.org_id)
        for index in range(FAILURES_THAT_OPEN + 3):
            number_id = await add_number(self.db, account.org_id, f"+1415555010{index}")
            await operations.attach(self.db, account.tenant, number_id, campaign_id)
        worker = self.worker()
        await reconciler.plan(worker)
        self.wire.is_down = True
        await carrier_orders.advance(worker)
        self.wire.asked.clear()

    def pass_time(self, seconds: float) -> None:
        """Let the world go on."""
        self.clock.moment += timedelta(seconds=seconds)


@pytest.fixture
async def ward(dsn: str) -> AsyncIterator[Ward]:
    """Under a clock that only the test moves."""
    clock = VirtualClock()
    clock.moment = datetime.now(clock.moment.tzinfo)
    cells = Cells(dsn, pool_size=2, clock=clock)
    yield Ward(await cells.cell("cell_00"), clock)
    await cells.close()


async def test_no_worker_calls_a_carrier_whose_breaker_is_open_not_even_to_read(ward: Ward, account: Account) -> None:
    await ward.fall_ill(account)

    await carrier_orders.advance(ward.worker())
    with pytest.raises(Interrupted):
        _ = [page async for page in pages_of(ward.worker(), "live", None)]

    assert ward.wire.asked == []


async def test_after_its_time_one_worker_tries_one_read_and_no_order_while_it_fails(
    ward: Ward, account: Account
) -> None:
    await ward.fall_ill(account)
    ward.pass_time(BREAK_S + 1)

    for _ in range(3):
        await carrier_orders.advance(ward.worker())

    assert [method for method, _ in ward.wire.asked] == ["GET"]


async def test_orders_go_on_once_the_read_was_answered(ward: Ward, account: Account) -> None:
    await ward.fall_ill(account)
    ward.pass_time(BREAK_S + 1)
    ward.wire.is_down = False

    await carrier_orders.advance(ward.worker())

    methods = [method for method, _ in ward.wire.asked]
    assert methods[0] == "GET"
    assert "POST" in methods
