"""The metrics routes alone, over sums that a test writes itself."""

from datetime import datetime
from typing import Any

import pytest

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.metrics.routes import routes as metric_routes
from agentmessage.rollups import operations as rollups
from agentmessage.rollups.model import Count
from tests.make.accounts import Account
from tests.make.clock import TestClock
from tests.make.rooms import RoomsApp

NOW = datetime.fromisoformat("2026-04-26T12:30:30+00:00")


@pytest.fixture
async def cells(dsn: str) -> Any:
    """Pools whose clock stands still at NOW."""
    opened = Cells(dsn, pool_size=8, clock=TestClock(NOW))
    yield opened
    await opened.close()


@pytest.fixture
def app(cells: Cells) -> RoomsApp:
    """Metrics, as served."""
    return RoomsApp(cells, metric_routes, clock=TestClock(NOW))


class Sums:
    """Writes the sums of one organization."""

    def __init__(self, db: CellDb, account: Account) -> None:
        self.db = db
        self.account = account

    async def add(self, metric: str, at: str, value: int, **labels: str) -> None:
        """Something that happened at an instant of 2026."""
        moment = datetime.fromisoformat(f"2026-{at}+00:00")
        await rollups.add(self.db, [Count(self.account.org_id, metric, moment, labels, value)])

    async def as_of(self, moment: datetime) -> None:
        """Everything until then has been counted."""
        await self.db.run("UPDATE event_cursors SET as_of = $1 WHERE name = 'metrics'", moment)

    async def plan(self, name: str) -> None:
        """Put the organization on a plan."""
        await self.db.run("UPDATE organizations SET plan = $2 WHERE id = $1", self.account.org_id, name)


@pytest.fixture
async def sums(db: CellDb, account: Account) -> Sums:
    """Of the account; everything up to NOW has been counted."""
    written = Sums(db, account)
    await written.as_of(NOW)
    return written
