"""A dump is restored: what was queued in it may have been sent since, so nothing of it goes out by itself."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner, Result

from agentmessage.app.api import Api
from agentmessage.cli.main import app as command_line
from agentmessage.delivery import dispatch_queries
from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import CellDb, Cells, NotMigratedHere
from agentmessage.kernel.ids import new_id
from agentmessage.migrations.runner import migrate_and_hold
from agentmessage.settings import Settings
from tests.conftest import ENCRYPTION_KEY, Client
from tests.delivery.harness import MessageWorkerHarness, admit, open_worker, ready_sender, status_of
from tests.make.accounts import Account
from tests.proofs.test_restored import PROGRAMS


class Restored:
    """A database that was dumped and restored beside itself, and the command line on it."""

    def __init__(self, dsn: str, messages: dict[str, UUID]) -> None:
        self.dsn = dsn
        self.messages = messages

    async def run(self, *words: str) -> Result:
        environment = {"DATABASE_URL": self.dsn, "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY}
        return await asyncio.to_thread(CliRunner().invoke, command_line, [*words], env=environment)

    async def held(self) -> set[UUID]:
        result = await self.run("admin", "messages", "held", "--json")
        assert result.exit_code == 0, result.output
        return {UUID(row["message_id"]) for row in json.loads(result.stdout)}

    async def decide(self, *words: str) -> Any:
        result = await self.run("admin", "messages", *words, "--yes", "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
async def restored(postgres: EmbeddedPostgres, dsn: str, db: CellDb, account: Account) -> AsyncIterator[Restored]:
    """With a message that waits, one that is scheduled, one that a worker was handing over, and one too late."""
    await migrate_and_hold(dsn)  # the template's identity is that of its copies only by chance
    sender = await ready_sender(db, account)
    waiting, handed, late = await admit(db, account.tenant, sender, "Acme: 1", "Acme: 2", "Acme: 3")
    (scheduled,) = await admit(db, account.tenant, sender, "Acme: 4", scheduled_at=db.now + timedelta(hours=1))
    async with db.transaction() as tx:
        await dispatch_queries.claim(tx, [handed.id], token=new_id(), until=tx.now + timedelta(seconds=1))
    await db.run("UPDATE message_queue SET expires_at = now() - interval '1 minute' WHERE message_id = $1", late.id)
    name = f"restored_{uuid4().hex[:8]}"
    there = await postgres.create_database(name)
    dump = subprocess.run(  # noqa: S603, ASYNC221 - ours
        [PROGRAMS / "pg_dump", "--format=custom", dsn],
        check=True,
        capture_output=True,
        env={**os.environ, "PGTZ": "UTC"},
    )
    subprocess.run(  # noqa: S603, ASYNC221 - ours
        [PROGRAMS / "pg_restore", f"--dbname={there}"], input=dump.stdout, check=True
    )
    ids = {"waiting": waiting.id, "handed": handed.id, "late": late.id, "scheduled": scheduled.id}
    yield Restored(there, ids)
    await postgres.drop_database(name)


async def test_nobody_works_on_a_restored_database_before_it_is_migrated(restored: Restored, account: Account) -> None:
    """The API answers 503, and workers get no connection: nothing is sent and no event is delivered."""
    cells = Cells(restored.dsn, pool_size=2)
    api = Api(Settings(database_url=restored.dsn, encryption_key=ENCRYPTION_KEY), cells=cells)
    client = Client(api, account.key)
    with pytest.raises(NotMigratedHere):
        await cells.names()

    listed, ready = await client.get("/v1/messages"), await client.get("/readyz")

    assert (listed.status, listed.error["code"]) == (503, "UNAVAILABLE")
    assert (ready.status, ready.json["database"], ready.json["migrations"]) == (503, True, False)
    result = await restored.run("migrate")
    assert "ATTENTION" in result.stderr
    assert "4 queued and scheduled messages are held" in result.stderr
    assert "STOPs of that time" in result.stderr
    assert (await client.get("/v1/messages")).status == 200
    assert "ATTENTION" not in (await restored.run("migrate")).stderr, "once is enough"
    await api.stop()


async def test_what_was_queued_waits_for_the_operator_who_releases_it(restored: Restored) -> None:
    assert (await migrate_and_hold(restored.dsn)).held == 4
    cells = Cells(restored.dsn, pool_size=4)
    db = await cells.cell("cell_00")
    ids = restored.messages
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        await worker.sweep()
        assert smsc.asked == []
        assert await restored.held() == set(ids.values())

        outcome = await restored.decide("release", "--all")
        await _until_sent(worker, db, ids["waiting"], ids["handed"])

    assert outcome == {"released": 3, "dropped": 1, "held": 0}
    assert len(smsc.asked) == 2
    assert await status_of(db, ids["scheduled"]) == ("queued", None)
    assert await status_of(db, ids["late"]) == ("undelivered", "unknown"), "it may have been sent: not `expired`"
    assert await restored.held() == set()
    await cells.close()


async def test_what_is_dropped_is_of_unknown_outcome_and_costs_nothing(restored: Restored, account: Account) -> None:
    await migrate_and_hold(restored.dsn)
    cells = Cells(restored.dsn, pool_size=4)
    db = await cells.cell("cell_00")
    nothing = {"released": 0, "dropped": 0, "held": 0}
    assert await restored.decide("drop", "--org", str(account.sandbox.org_id)) == nothing

    outcome = await restored.decide("drop", "--org", str(account.org_id))

    assert outcome == {"released": 0, "dropped": 4, "held": 0}
    for message_id in restored.messages.values():
        assert await status_of(db, message_id) == ("undelivered", "unknown")
    assert await db.value("SELECT count(*) FROM messages WHERE is_charged") == 0
    reserved = """SELECT admitted_microcents - settled_microcents
                  FROM wallets JOIN send_accounts USING (org_id) WHERE org_id = $1"""
    assert await db.value(reserved, account.org_id) == 0
    assert "Give either --org ID or --all" in str((await restored.run("admin", "messages", "drop")).exception)
    await cells.close()


async def test_what_is_held_can_be_canceled_by_its_customer(restored: Restored, account: Account) -> None:
    await migrate_and_hold(restored.dsn)
    api = Api(Settings(database_url=restored.dsn, encryption_key=ENCRYPTION_KEY))
    client = Client(api, account.key)
    held = restored.messages["scheduled"]

    assert (await client.get(f"/v1/messages/{held}")).data["status"] == "queued"
    canceled = await client.delete(f"/v1/messages/{held}")

    assert (canceled.status, canceled.data["status"]) == (200, "canceled")
    assert held not in await restored.held()
    await api.stop()


async def _until_sent(worker: MessageWorkerHarness, db: CellDb, *message_ids: UUID) -> None:
    async with asyncio.timeout(20):
        while {(await status_of(db, one))[0] for one in message_ids} != {"sent"}:
            await worker.turn()
