"""Upgrades: a database of version 0.1 gets the schema of a new one and keeps its rows; what ran is never edited."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from agentmessage.app.api import Api
from agentmessage.billing.queries import list_miscounted
from agentmessage.compliance.model import ContactHistory
from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.tenant import Tenant
from agentmessage.keys import operations as keys
from agentmessage.migrations import baseline_upgrade
from agentmessage.migrations.baseline_upgrade import NotUpgradable
from agentmessage.migrations.runner import migrate, migrate_and_hold, migrations, pending
from agentmessage.settings import Settings
from agentmessage.web.scopes import CUSTOMER_SCOPES
from tests.conftest import ENCRYPTION_KEY, Client
from tests.delivery.harness import open_worker
from tests.proofs.catalog import read_catalog
from tests.proofs.running import clean_environment

PUBLISHED = Path(__file__).with_name("published_migrations.txt")
VERSION_0_1 = Path(__file__).with_name("database_0_1.sql")
UPGRADES = ["directory/upgrade_to_baseline", "cell_00/upgrade_to_baseline"]

REWRITTEN = {
    "directory.migrations": "the baseline stands in the place of the old files",
    "directory.worker_heartbeats": "the upgrade drops them",
    "directory.installation": "every migration notes the cluster there",
    "cell_00.contact_send_history": "keys of its JSON are renamed; see the test below",
    "cell_00.send_rate_buckets": "a word in its scopes is replaced; see the test below",
}


@pytest.fixture
async def old(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database as version 0.1 left it."""
    name = f"old_{uuid4().hex[:12]}"
    dsn = await postgres.create_database(name)
    await execute(dsn, VERSION_0_1.read_text())
    yield dsn
    await postgres.drop_database(name)


@pytest.fixture
async def new(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database that the baseline made."""
    name = f"new_{uuid4().hex[:12]}"
    dsn = await postgres.create_database(name)
    await migrate(dsn)
    yield dsn
    await postgres.drop_database(name)


@pytest.fixture
async def upgraded(old: str) -> AsyncIterator[CellDb]:
    await migrate(old)
    cells = Cells(old, pool_size=1)
    yield await cells.cell("cell_00")
    await cells.close()


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def fetch(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def rows_by_table(dsn: str) -> dict[int, list[str]]:
    """Every row, as Postgres writes it, by the oid of its table: a table that is renamed keeps it."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            """SELECT c.oid, c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname IN ('directory', 'cell_00') AND c.relkind = 'r'"""
        )
        return {
            table["oid"]: sorted(row[0] for row in await connection.fetch(f"SELECT t::text FROM {table['name']} t"))  # noqa: S608 - names of the catalog
            for table in tables
        }
    finally:
        await connection.close()


async def names_of_tables(dsn: str) -> dict[int, str]:
    connection = await asyncpg.connect(dsn)
    try:
        return dict(await connection.fetch("SELECT oid, oid::regclass::text FROM pg_class WHERE relkind = 'r'"))
    finally:
        await connection.close()


def test_no_migration_that_was_published_is_edited() -> None:
    published = dict(line.split() for line in PUBLISHED.read_text().splitlines())
    present = {f"{part}/{m.name}": m.checksum for part in ("directory", "cell") for m in migrations(part)}
    present |= {
        f"upgrade/{file.stem}": hashlib.sha256(file.read_bytes()).hexdigest()
        for file in baseline_upgrade.FILES.glob("*.sql")
    }
    assert present == published, "write a new migration, and add its line to published_migrations.txt"


async def test_an_upgraded_database_has_the_schema_of_a_new_one(old: str, new: str) -> None:
    await migrate(old)

    upgraded, fresh = await read_catalog(old), await read_catalog(new)

    for part, rows in fresh.items():
        assert rows - upgraded[part] == set(), f"{part} of a new database"
        assert upgraded[part] - rows == set(), f"{part} of an upgraded database"


async def test_the_old_database_has_rows_in_every_table_that_keeps_any(old: str) -> None:
    names = await names_of_tables(old)
    assert [names[oid] for oid, rows in (await rows_by_table(old)).items() if not rows] == ["directory.space_proofs"]


async def test_every_row_is_kept_as_it_is(old: str) -> None:
    before = await rows_by_table(old)

    await migrate(old)

    names, after = await names_of_tables(old), await rows_by_table(old)
    assert {oid: rows for oid, rows in after.items() if names[oid] not in REWRITTEN} == {
        oid: rows for oid, rows in before.items() if names[oid] not in REWRITTEN
    }


async def test_words_inside_of_values_are_replaced(old: str) -> None:
    histories = await fetch(old, "SELECT org_id, contact_number, memory FROM cell_00.texted_contacts")
    buckets = await fetch(old, "SELECT account, scope, tokens, refilled_at, paused_until FROM cell_00.pace_buckets")

    await migrate(old)

    assert await fetch(old, "SELECT org_id, contact_number, history FROM cell_00.contact_send_history") == [
        (org_id, contact, {"sent": memory["texted"], "disclosed": memory["stamped"]})
        for org_id, contact, memory in histories
    ]
    assert await fetch(old, "SELECT * FROM cell_00.send_rate_buckets") == [
        (account, scope.replace("lane:", "queue:"), *rest) for account, scope, *rest in buckets
    ]
    assert await fetch(old, "SELECT * FROM directory.worker_heartbeats") == []


async def test_a_second_run_applies_nothing(old: str) -> None:
    assert await pending(old) == UPGRADES

    assert await migrate(old) == UPGRADES

    assert await pending(old) == []
    assert await migrate(old) == []


async def test_of_several_processes_at_once_one_upgrades(old: str) -> None:
    applied = await asyncio.gather(*(migrate(old) for _ in range(3)))

    assert sorted(applied) == [[], [], UPGRADES]


async def test_an_upgrade_that_cannot_get_a_lock_changes_nothing_and_can_be_run_again(old: str, new: str) -> None:
    busy = await asyncpg.connect(old)
    async with busy.transaction():
        await busy.execute("LOCK TABLE cell_00.drift_events")  # which is renamed among the last
        with pytest.raises(asyncpg.exceptions.LockNotAvailableError):
            await migrate(old)
    await busy.close()

    assert await pending(old) == ["cell_00/upgrade_to_baseline"]
    assert await migrate(old) == ["cell_00/upgrade_to_baseline"]
    assert await read_catalog(old) == await read_catalog(new)


async def test_every_cell_is_upgraded(old: str, new: str) -> None:
    again = VERSION_0_1.read_text().replace("cell_00", "cell_01")
    await execute(old, again.replace("directory.", "unused.").replace("SCHEMA directory", "SCHEMA unused") + OTHER_CELL)

    assert await migrate(old) == [*UPGRADES, "cell_01/upgrade_to_baseline"]

    await migrate(new, new_cells=["cell_01"])
    assert await read_catalog(old) == await read_catalog(new)


OTHER_CELL = """
    DROP SCHEMA unused CASCADE;
    INSERT INTO directory.cells (name) VALUES ('cell_01');
    INSERT INTO directory.migrations (schema, number, name, checksum)
    SELECT 'cell_01', number, name, checksum FROM directory.migrations WHERE schema = 'cell_00';
"""


@pytest.mark.parametrize(
    ("change", "schema", "name"),
    [
        (
            "DELETE FROM directory.migrations WHERE schema = 'cell_00' AND number = 27",
            "cell_00",
            "0026_sandboxes_begin",
        ),
        ("DELETE FROM directory.migrations WHERE schema = 'directory' AND number > 2", "directory", "0002_lines"),
        ("DELETE FROM directory.migrations WHERE schema = 'cell_00' AND number = 5", "cell_00", "0027_topup_ceiling"),
        ("UPDATE directory.migrations SET checksum = 'other' WHERE number = 27", "cell_00", "0027_topup_ceiling"),
        ("INSERT INTO directory.migrations VALUES ('cell_00', 28, '0028_other', 'x')", "cell_00", "0028_other"),
    ],
    ids=["older cell", "older directory", "a gap", "another file", "newer cell"],
)
async def test_another_history_than_that_of_version_0_1_is_rejected(
    old: str, change: str, schema: str, name: str
) -> None:
    await execute(old, change)

    with pytest.raises(NotUpgradable, match=f"the schema {schema} is at {name}, and this release upgrades from"):
        await migrate(old)

    names = set((await names_of_tables(old)).values())
    assert "cell_00.dispatches" in names
    assert f"{schema}/upgrade_to_baseline" in await pending(old)


async def test_migrate_says_in_a_sentence_which_version_must_run_first(old: str) -> None:
    await execute(old, "DELETE FROM directory.migrations WHERE schema = 'directory' AND number = 4")

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agentmessage", "migrate"),
        env=clean_environment(DATABASE_URL=old),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()

    assert process.returncode == 1
    assert "run `agentmessage migrate` of the last 0.1 version first" in " ".join(errors.decode().split())


async def test_a_restored_database_of_version_0_1_holds_its_messages(old: str) -> None:
    await execute(
        old,
        """INSERT INTO directory.installation (name, value)
           VALUES ('identity', '{"system": "another cluster", "table": "1"}')""",
    )

    done = await migrate_and_hold(old)

    assert (done.applied, done.is_restored, done.held) == (UPGRADES, True, 2)


async def test_what_was_stored_of_a_contact_is_known_after_the_upgrade(upgraded: CellDb) -> None:
    stored = await upgraded.value("SELECT history::text FROM contact_send_history")
    number_id = await upgraded.value("SELECT id FROM phone_numbers")
    org_id = await upgraded.value("SELECT org_id FROM phone_numbers")
    history = msgspec.json.decode(stored, type=ContactHistory, strict=True)
    assert (list(history.sent), len(history.sent[str(org_id)])) == ([str(org_id)], 5)
    assert list(history.disclosed) == [str(number_id)]


async def test_sums_agree_with_the_ledger_after_the_upgrade(upgraded: CellDb) -> None:
    assert await list_miscounted(upgraded) == []


async def test_a_queue_is_named_by_its_campaign_or_for_a_reply_by_its_number(upgraded: CellDb) -> None:
    queues = await upgraded.all(
        lambda *row: row,
        """SELECT q.queue_id = n.campaign_id, q.queue_id = n.id FROM message_queue q
           JOIN phone_numbers n ON n.id = q.phone_number_id ORDER BY q.ready_at""",
    )
    assert queues == [(True, False), (False, True)]


async def test_the_platform_goes_on_with_the_upgraded_database(old: str) -> None:
    """The API lists what was sent and admits more; the worker sends what was queued and what is new."""
    await migrate(old)
    cells = Cells(old, pool_size=4)
    db = await cells.cell("cell_00")
    key = await _live_key(db)
    await db.run("UPDATE message_queue SET ready_at = $1, expires_at = $1::timestamptz + interval '1 hour'", db.now)
    settings = Settings(database_url=old, encryption_key=ENCRYPTION_KEY, callback_password="callback-secret")
    api = Api(settings, cells=cells)
    await api.start()
    client = Client(api, key)

    listed = await client.get("/v1/messages")
    sent = await client.post("/v1/messages", {"from": "+14155550123", "to": "+12125550188", "text": "Acme: new"})
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
    taken = {pdu.short_message for pdu in smsc.taken.values()}

    await api.stop()
    await cells.close()
    assert [row["text"] for row in listed.data] == [
        "Acme: later",
        "Acme: waits",
        "Acme: three",
        "Acme: two",
        "Acme: one",
    ]
    assert sent.status == 202, sent.body
    assert taken == {b"Acme: later", b"Acme: waits", b"Acme: new"}


async def _live_key(db: CellDb) -> str:
    async with db.transaction() as tx:
        org_id: UUID = await tx.value("SELECT id FROM organizations WHERE mode = 'live'")
        tenant = Tenant(org_id, "cell_00", "live", "platform", "test", "test", frozenset(CUSTOMER_SCOPES))
        _, plaintext = await keys.issue(tx, tenant, label="upgraded", scopes=CUSTOMER_SCOPES)
    return plaintext
