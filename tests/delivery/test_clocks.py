"""A worker on a machine whose clock is wrong works as any other: leases and due times go by the database's clock."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from agentmessage.app.api import Api
from agentmessage.app.monitoring import queries as monitoring_queries
from agentmessage.kernel.clock import DatabaseClock
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.delivery.harness import admit, hand_over, open_worker, ready_sender, status_of
from tests.make.accounts import Account


class Ahead:
    """A machine's clock that is ahead, or behind."""

    def __init__(self, by_s: float) -> None:
        self._by = timedelta(seconds=by_s)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by


@pytest.fixture(params=[30, -30])
async def wrong(dsn: str, request: pytest.FixtureRequest) -> AsyncIterator[CellDb]:
    """The database as a worker on such a machine has it."""
    cells = Cells(dsn, pool_size=4, clock=DatabaseClock(Ahead(request.param)))
    await cells.names()
    yield await cells.cell("cell_00")
    await cells.close()


async def test_living_claims_stay_and_what_is_not_due_waits(db: CellDb, wrong: CellDb, account: Account) -> None:
    """One worker has a message in flight while the other, whose machine is wrong, sweeps and message_queue."""
    sender = await ready_sender(db, account)
    (flying,) = await admit(db, account.tenant, sender, "Acme: on its way.")
    (later,) = await admit(
        db, account.tenant, sender, "Acme: in a minute.", scheduled_at=db.now + timedelta(seconds=20)
    )
    async with open_worker(db) as (smsc, worker), open_worker(wrong) as (other_smsc, other):
        smsc.decide = lambda _: None
        await hand_over(smsc, worker)

        await other.sweep()
        await other.turn()

        assert other_smsc.asked == []
        assert await status_of(db, later.id) == ("queued", None)
        smsc.speak.set()
        await worker.settle()
    assert await status_of(db, flying.id) == ("sent", None)


async def test_what_it_claims_is_not_taken_from_it(db: CellDb, wrong: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (flying,) = await admit(db, account.tenant, sender, "Acme: on its way.")
    async with open_worker(wrong) as (smsc, worker), open_worker(db) as (_, other):
        smsc.decide = lambda _: None
        await hand_over(smsc, worker)

        await other.sweep()

        smsc.speak.set()
        await worker.settle()
    assert await status_of(db, flying.id) == ("sent", None)
    moment = await db.value("SELECT sent_at FROM messages WHERE id = $1", flying.id)
    assert abs((moment - datetime.now(UTC)).total_seconds()) < 15


async def readiness(settings: Settings, ahead_s: float) -> tuple[int, Any, str]:
    """Status and body of readyz, and the metrics, of an API process on such a machine."""
    api = Api(settings, clock=DatabaseClock(Ahead(ahead_s)))
    client = Client(api)
    ready, metrics = await client.get("/readyz"), await client.get("/metrics")
    await api.stop()
    return ready.status, json.loads(ready.body), metrics.body.decode()


@pytest.mark.parametrize(("ahead_s", "is_ready", "is_logged"), [(1, True, False), (-3, True, True), (11, False, True)])
async def test_a_wrong_clock_is_counted_and_logged_and_at_last_not_ready(
    settings: Settings, cells: Cells, *, ahead_s: float, is_ready: bool, is_logged: bool
) -> None:
    directory = await cells.directory()
    await monitoring_queries.beat(directory, "host/1", [], skew_s=0.0)

    with structlog.testing.capture_logs() as lines:
        status, parts, metrics = await readiness(settings, ahead_s)

    assert (status, parts["clock"]) == (200 if is_ready else 503, is_ready)
    (line,) = [line for line in metrics.splitlines() if line.startswith("agentmessage_clock_skew_seconds ")]
    assert abs(float(line.split()[1]) - ahead_s) < 0.5
    assert any(line["event"] == "clock skew detected" for line in lines) is is_logged


async def test_a_worker_whose_clock_is_wrong_does_not_make_the_api_ready(settings: Settings, cells: Cells) -> None:
    directory = await cells.directory()
    await monitoring_queries.beat(directory, "host/1", [], skew_s=11.5)

    status, parts, metrics = await readiness(settings, 0)

    assert (status, parts["worker"]) == (503, False)
    assert 'agentmessage_worker_clock_skew_seconds{worker="host/1"} 11.5' in metrics
