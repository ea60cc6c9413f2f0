"""Acquired connections are ready for use: after cancelled statements, dead backends, a full pool, a close."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from agentmessage.kernel import pool
from agentmessage.kernel.clock import WallClock
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.pool import ConnectionPool


@pytest.fixture
async def two(dsn: str) -> AsyncGenerator[ConnectionPool]:
    """Two connections at most, to a real Postgres."""
    connections = ConnectionPool(lambda: asyncpg.connect(dsn), size=2)
    yield connections
    await connections.close(within_s=1)


async def pid(connections: ConnectionPool) -> int:
    async with connections.acquire() as connection:
        return connection.get_server_pid()


async def test_the_connection_released_last_is_acquired_first(two: ConnectionPool) -> None:
    assert await pid(two) == await pid(two)


async def test_a_pool_opens_at_most_its_size_and_serves_every_waiter(two: ConnectionPool) -> None:
    seen: set[int] = set()
    inside = most = 0

    async def work() -> None:
        nonlocal inside, most
        async with two.acquire() as connection:
            inside += 1
            most = max(most, inside)
            seen.add(connection.get_server_pid())
            await connection.fetchval("SELECT pg_sleep(0.001)")
            inside -= 1

    await asyncio.gather(*(work() for _ in range(100)))

    assert most == 2
    assert len(seen) == 2


async def test_a_cancelled_statement_ends_and_its_connection_is_acquired_again(two: ConnectionPool) -> None:
    before = await pid(two)
    async with two.acquire() as watching:

        async def sleep() -> None:
            async with two.acquire() as connection:
                await connection.fetchval("SELECT pg_sleep(60)")

        asleep = asyncio.create_task(sleep())
        running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
        while not await watching.fetchval(running):  # noqa: ASYNC110 - another process's state has no event to await
            await asyncio.sleep(0)
        asleep.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asleep

        async with asyncio.timeout(10), two.acquire() as again:
            assert await again.fetchval("SELECT 1") == 1
            assert not await watching.fetchval(running)
            assert before in {again.get_server_pid(), watching.get_server_pid()}


async def test_a_transaction_left_open_is_rolled_back_before_the_connection_is_acquired_again(
    two: ConnectionPool,
) -> None:
    async with two.acquire() as connection:
        await connection.execute("CREATE TEMPORARY TABLE left_open (n int)")
        await connection.execute("BEGIN; INSERT INTO left_open VALUES (1)")

    async with two.acquire() as first, two.acquire() as second:
        counts = [
            await acquired.fetchval("SELECT count(*) FROM left_open")
            for acquired in (first, second)
            if await acquired.fetchval("SELECT to_regclass('left_open')") is not None
        ]
        assert counts == [0]


async def test_a_waiter_that_gives_up_loses_nothing_for_the_next(two: ConnectionPool) -> None:
    async with two.acquire(), two.acquire():
        waiting = [asyncio.create_task(pid(two)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()

    async with asyncio.timeout(10):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert all(isinstance(answer, int) for answer in answers[1:])


async def test_a_waiter_cancelled_as_it_is_served_passes_the_connection_on(two: ConnectionPool) -> None:
    first, second = await two.acquire(), await two.acquire()
    waiting = [asyncio.create_task(pid(two)) for _ in range(2)]
    await asyncio.sleep(0)

    two.release(first)
    waiting[0].cancel()
    async with asyncio.timeout(10):
        assert await waiting[1] == first.get_server_pid()
    two.release(second)


async def test_a_backend_that_died_in_use_or_idle_is_replaced(two: ConnectionPool, dsn: str) -> None:
    other = await asyncpg.connect(dsn)

    async def shot() -> None:
        async with two.acquire() as connection:
            await other.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
            await connection.fetchval("SELECT 1")

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await shot()
    idle = await pid(two)
    await other.execute("SELECT pg_terminate_backend($1, 5000)", idle)
    await other.close()

    assert await pid(two) != idle


async def test_a_database_that_cannot_be_reached_leaves_room_for_the_next_attempt() -> None:
    connections = ConnectionPool(lambda: asyncpg.connect("postgresql://nobody@127.0.0.1:1/none"), size=1)

    refused = await asyncio.gather(*(pid(connections) for _ in range(5)), return_exceptions=True)

    assert all(isinstance(answer, OSError) for answer in refused)


async def test_a_connection_whose_reset_fails_is_terminated(
    two: ConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RECOVERY_S", 0.0)
    first = await two.acquire()

    two.release(first, in_doubt=True)
    async with two.acquire(), two.acquire():
        assert first.is_closed()


async def test_closing_waits_for_work_under_way_and_refuses_new_work(two: ConnectionPool) -> None:
    acquired = await two.acquire()

    closing = asyncio.create_task(two.close(within_s=60))
    await asyncio.sleep(0)
    assert await acquired.fetchval("SELECT 1") == 1
    two.release(acquired)
    async with asyncio.timeout(10):
        await closing

    assert acquired.is_closed()
    with pytest.raises(asyncpg.InterfaceError, match="closed"):
        await two.acquire()


async def test_closing_does_not_wait_for_what_never_ends(dsn: str) -> None:
    db = CellDb("cell_00", ConnectionPool(lambda: asyncpg.connect(dsn), size=2), WallClock())
    async with db._pool.acquire() as stuck:
        await db._pool.close(within_s=0.01)
        assert stuck.is_closed()
