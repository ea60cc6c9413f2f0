"""What a database raises that cannot do its work just now: callers are told to come back, and workers wait."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from agentmessage.app.api import Api
from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Cells
from agentmessage.migrations.runner import migrate
from agentmessage.settings import Settings
from tests.conftest import ENCRYPTION_KEY, Client
from tests.make import storage
from tests.make.accounts import open_account

STATEMENT_S = 2
POOL = 4
READY_S = 2


@pytest.mark.parametrize("state", ["25006", "53100", "53200", "53300", "57014", "57P01", "57P02", "57P03", "58030"])
async def test_states_that_pass_are_known(db: CellDb, state: str) -> None:
    """Raised by a real server; 57P01 and its like as far as a function may."""
    with pytest.raises(DATABASE_UNAVAILABLE):
        await db.run(f"DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '{state}'; END $$")  # type: ignore[arg-type]
    assert await db.value("SELECT 1") == 1


@pytest.mark.parametrize("state", ["23505", "42P01", "22001", "40001"])
async def test_our_own_faults_are_not_taken_for_it(db: CellDb, state: str) -> None:
    with pytest.raises(asyncpg.PostgresError) as raised:
        await db.run(f"DO $$ BEGIN RAISE EXCEPTION 'ours' USING ERRCODE = '{state}'; END $$")  # type: ignore[arg-type]
    assert not isinstance(raised.value, DATABASE_UNAVAILABLE)


def test_a_connection_that_broke_in_the_middle_of_an_answer_is_known() -> None:
    assert isinstance(
        asyncpg.exceptions.InternalClientError("got result for unknown protocol state 0"), DATABASE_UNAVAILABLE
    )
    assert isinstance(asyncpg.exceptions.ProtocolError("cannot switch to state"), DATABASE_UNAVAILABLE)


async def test_a_read_only_database_is_503_and_not_ready(api: Client, db: CellDb, postgres: EmbeddedPostgres) -> None:
    """As during a failover; what can be read is read."""
    async with read_only(postgres, db):
        refused = await api.patch("/v1/organization", {"name": "Acme 2"})
        ready = await until_lost(api, "writes")

        assert (refused.status, refused.error["code"], refused.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
        assert (ready.status, ready.json["database"], ready.json["writes"]) == (503, True, False)
        assert (await api.get("/v1/organization")).status == 200


async def test_a_full_disk_is_not_ready_even_where_rows_can_be_changed(
    settings: Settings, cells: Cells, db: CellDb
) -> None:
    await db.run(
        """CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"""
    )
    await db.run(
        "CREATE TRIGGER no_room BEFORE INSERT ON directory.disk_space_probe FOR EACH ROW EXECUTE FUNCTION no_room()"
    )
    api = Api(settings, cells=cells)

    ready = await Client(api).get("/readyz")

    assert (ready.status, ready.json["database"], ready.json["writes"]) == (503, True, False)
    assert await db.value("SELECT count(*) FROM directory.disk_space_probe") == 0
    await api.stop()


@contextlib.asynccontextmanager
async def read_only(server: EmbeddedPostgres, db: CellDb) -> AsyncIterator[None]:
    """A server that takes no writes, and every session of the pool knows it."""
    await administer(server, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        await until_all_say(db, "on")
        yield
    finally:
        await administer(server, "ALTER SYSTEM RESET default_transaction_read_only")
        await until_all_say(db, "off")


async def administer(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    await connection.execute(statement)
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


async def until_all_say(db: CellDb, wanted: str) -> None:
    """Asked at the same time, so that each session of the pool is."""
    ask = "SELECT current_setting('default_transaction_read_only') FROM pg_sleep(0.02)"
    async with asyncio.timeout(20):
        while set(await asyncio.gather(*(db.value(ask) for _ in range(8)))) != {wanted}:
            pass


@pytest.fixture
async def apart() -> AsyncIterator[EmbeddedPostgres]:
    """A server of its own, which a test may freeze."""
    with storage.directory("agentmessage-frozen-") as directory:
        async with EmbeddedPostgres(directory, is_durable=False) as server:
            await migrate(server.dsn())
            yield server


@contextlib.contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    """A server whose every process stands still: connections are accepted by the kernel, and nothing answers."""
    assert server.pid is not None
    family = [server.pid, *children_of(server.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(family):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def children_of(parent: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.parent.name))
    return found


async def test_a_frozen_database_is_503_in_time_and_nothing_is_left_of_it_afterwards(apart: EmbeddedPostgres) -> None:
    """Everybody is answered, also those who wait for a connection and those who come later; then all is as before."""
    settings = Settings(
        database_url=apart.dsn(),
        encryption_key=ENCRYPTION_KEY,
        api_pool_size=POOL,
        statement_timeout_seconds=STATEMENT_S,
    )
    api = Api(settings)
    await api.start()
    account = await open_account(api.cells)
    client = Client(api, account.key)
    warm = await asyncio.gather(*(client.get("/v1/phone-numbers") for _ in range(POOL * 2)))
    assert {reply.status for reply in warm} == {200}

    with frozen(apart):
        loop = asyncio.get_running_loop()
        began = loop.time()
        readiness = asyncio.create_task(until_lost(client, "database"))
        replies = await asyncio.gather(*(client.get("/v1/phone-numbers") for _ in range(POOL * 5)))
        took_s = loop.time() - began
        ready = await readiness
        assert ready.age_s < READY_S * 2
        began = loop.time()
        late = await client.get("/v1/phone-numbers")
        late_s = loop.time() - began

    assert {(reply.status, reply.headers.get("retry-after")) for reply in replies} == {(503, "1")}
    assert took_s < STATEMENT_S * 2.5
    assert (late.status, late_s < STATEMENT_S * 1.5) == (503, True)
    assert ready.status == 503
    await until_ok(client)
    assert (await client.get("/readyz")).json["database"] is True
    assert await connections_of(apart) <= POOL + 4
    await api.stop()


class Lost(NamedTuple):
    """What readyz said when it said that a part is lost, and how soon that was."""

    status: int
    json: Any
    age_s: float


async def until_lost(client: Client, part: str) -> Lost:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(20):
        while True:
            reply = await client.get("/readyz")
            if not reply.json[part]:
                return Lost(reply.status, reply.json, loop.time() - began)
            await asyncio.sleep(0.05)


async def until_ok(client: Client) -> None:
    async with asyncio.timeout(20):
        while (await client.get("/v1/phone-numbers")).status != 200:  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.05)


async def connections_of(server: EmbeddedPostgres) -> Any:
    """How many sessions the server has once it has noticed who hung up."""
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        async with asyncio.timeout(20):
            while True:
                count = await connection.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'agentmessage/%'"
                )
                if count <= POOL + 4:
                    return count
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
