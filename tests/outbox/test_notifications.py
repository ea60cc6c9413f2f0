"""Bells: rung in one process and heard in another, coalesced, and back after the database was away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog.testing

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import Cells
from agentmessage.migrations.runner import migrate
from agentmessage.outbox.notifications import Bells, Ringer, wait_for
from tests.make import storage

PATIENCE_S = 10.0


@pytest.fixture
async def hearing(dsn: str) -> AsyncIterator[Bells]:
    """Bells of a process of its own."""
    cells = Cells(dsn, pool_size=2)
    bells = Bells(cells)
    listening = asyncio.create_task(bells.listen())
    yield bells
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await cells.close()


async def heard(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await event.wait()
    event.clear()


async def test_a_ring_in_one_process_is_heard_in_another(cells: Cells, hearing: Bells) -> None:
    numbers, jobs = hearing.hear("cell_00", "numbers"), hearing.hear("cell_00", "jobs")
    elsewhere = hearing.hear("cell_01", "numbers")
    for event in (numbers, jobs, elsewhere):
        await heard(event)  # everything rings once when listening begins

    Ringer(cells).ring("cell_00", "numbers")

    await heard(numbers)
    assert not jobs.is_set()
    assert not elsewhere.is_set()


async def test_a_thousand_rings_are_one(cells: Cells, hearing: Bells, monkeypatch: pytest.MonkeyPatch) -> None:
    event = hearing.hear("cell_00", "numbers")
    await heard(event)
    sent: list[str] = []
    real = hearing._heard
    monkeypatch.setattr(hearing, "_heard", lambda *said: (sent.append(said[-1]), real(*said)))
    hearing._cells._open["cell_00"]._pool.terminate()  # listen anew, through the counting ear
    hearing._cells._open.clear()
    await heard(event)

    ringer = Ringer(cells)
    for _ in range(1000):
        ringer.ring("cell_00", "numbers")
    await heard(event)
    await ringer._task

    assert sent == ["cell_00/numbers"]


async def test_a_ring_never_fails_and_never_waits(dsn: str) -> None:
    """The caller has its answer already; workers look by themselves."""
    gone = Cells(dsn.replace("127.0.0.1", "127.0.0.2"), pool_size=1)
    ringer = Ringer(gone)

    ringer.ring("cell_00", "numbers")

    assert ringer._task is not None
    await ringer._task
    await ringer.close()
    await gone.close()


async def test_an_unheard_bell_is_forgotten(cells: Cells) -> None:
    bells = Bells(cells)
    event = bells.hear("cell_00", "numbers")
    bells.unhear("cell_00", "numbers", event)
    bells.unhear("cell_00", "numbers", event)

    bells.strike("cell_00", "numbers")

    assert not event.is_set()


async def test_waiting_for_a_bell_ends_by_itself_and_clears_it() -> None:
    event = asyncio.Event()
    await wait_for(event, 0.01)
    event.set()
    await wait_for(event, PATIENCE_S)

    assert not event.is_set()


async def test_bells_come_back_after_the_database_restarts_and_everything_rings_once() -> None:
    """What was rung meanwhile is unknown, so everybody looks."""
    with storage.directory("agentmessage-bells-") as data_dir:
        server = EmbeddedPostgres(data_dir, is_durable=False)
        dsn = await server.start()
        await migrate(dsn)
        cells = Cells(dsn, pool_size=2)
        bells = Bells(cells)
        with structlog.testing.capture_logs() as logs:
            listening = asyncio.create_task(bells.listen())
            event = bells.hear("cell_00", "numbers")
            await heard(event)

            server.kill()
            await server.wait()
            await server.start()
            await heard(event)
            Ringer(cells).ring("cell_00", "numbers")
            await heard(event)

            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await cells.close()
        await server.stop()
    assert {entry["event"] for entry in logs} <= {"notification listener disconnected"}
