"""Brings a database to the schema of this release."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from msgspec import Struct

from agentmessage.kernel.database_queries import (
    find_table,
    read_identity,
    read_recorded_identity,
    record_identity,
)
from agentmessage.migrations import baseline_upgrade
from agentmessage.migrations.restore import hold_queued, must_shift_transaction_ids, shift_transaction_ids

ADVISORY_LOCK = 0x41674D65  # "AgMe"
FILES = Path(__file__).parent
CELL_NAME = re.compile(r"^cell_[0-9]{2}\Z")


class Migration(Struct, frozen=True):
    """One file: `0001_directory.sql` has number 1."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


class ChangedMigration(Exception):
    """A file was edited after it ran here; write a new one instead."""


def migrations(part: str) -> Sequence[Migration]:
    """The files of one part (`directory` or `cell`), in order."""
    return [
        Migration(int(path.name.split("_", 1)[0]), path.stem, path.read_text())
        for path in sorted((FILES / part).glob("[0-9]*.sql"))
    ]


class Migrated(Struct, frozen=True):
    """What `migrate` did. `is_restored`: the rows come from another cluster, and `held` messages are held."""

    applied: list[str]
    is_restored: bool
    held: int


async def migrate(dsn: str, *, new_cells: Sequence[str] = ()) -> list[str]:
    """As `migrate_and_hold`; returns only what was applied."""
    return (await migrate_and_hold(dsn, new_cells=new_cells)).applied


async def migrate_and_hold(dsn: str, *, new_cells: Sequence[str] = ()) -> Migrated:
    """Apply what is missing, in the directory and in every cell; after a restore, hold what may have been sent since.

    Idempotent; any number of processes may call it at once. `new_cells` are added to the directory first.
    Raises ChangedMigration, NotUpgradable.
    """
    connection = await asyncpg.connect(dsn, server_settings={"statement_timeout": "0"})
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
        await connection.execute(_RECORDS)
        applied = await _apply(connection, "directory", "directory")
        is_restored = await _is_moved(connection)
        held = 0
        for name in new_cells:
            await connection.execute("INSERT INTO directory.cells (name) VALUES ($1) ON CONFLICT DO NOTHING", name)
        for record in await connection.fetch("SELECT name FROM directory.cells ORDER BY name"):
            cell: str = record["name"]
            applied += await _apply(connection, cell, "cell")
            is_restored = is_restored or await must_shift_transaction_ids(connection, cell)
            if is_restored:
                held += await hold_queued(connection, cell)
            if await shift_transaction_ids(connection, cell):
                applied.append(f"{cell}: transaction ids shifted")
        await _record_identity(connection)
        return Migrated(applied, is_restored, held)
    finally:
        await connection.close()


async def _is_moved(connection: asyncpg.Connection) -> bool:
    """True if the database was migrated last in another cluster, or before it was copied."""
    table = await find_table(connection)
    recorded = await read_recorded_identity(connection)
    if table is None or recorded is None:
        return False
    return not recorded.is_same(await read_identity(connection, table))


async def _record_identity(connection: asyncpg.Connection) -> None:
    """The last step: after an interruption the next attempt detects the restore again."""
    table = await find_table(connection)
    if table is not None:
        await record_identity(connection, await read_identity(connection, table))


async def pending(dsn: str) -> list[str]:
    """What `migrate` would apply; empty when the database is current."""
    connection = await asyncpg.connect(dsn)
    try:
        return await pending_on(connection)
    finally:
        await connection.close()


async def pending_on(connection: asyncpg.Connection) -> list[str]:
    """As `pending`, on a connection that is already there."""
    if not await connection.fetchval("SELECT to_regclass('directory.migrations') IS NOT NULL"):
        return [f"directory/{m.name}" for m in migrations("directory")]
    cells = [r["name"] for r in await connection.fetch("SELECT name FROM directory.cells ORDER BY name")]
    missing: list[str] = []
    for schema, part in [("directory", "directory"), *((cell, "cell") for cell in cells)]:
        files = migrations(part)
        done: set[int] = set()
        if await baseline_upgrade.is_before_baseline(connection, schema, files[0]):
            missing.append(f"{schema}/{baseline_upgrade.NAME}")
            done.add(files[0].number)
        else:
            done |= set(await _checksums(connection, schema))
        missing += [f"{schema}/{migration.name}" for migration in files if migration.number not in done]
    return missing


async def _apply(connection: asyncpg.Connection, schema: str, part: str) -> list[str]:
    if schema != "directory" and not CELL_NAME.match(schema):
        raise ValueError(f"not a cell's name: {schema!r}")
    files = migrations(part)
    applied: list[str] = []
    if await baseline_upgrade.is_before_baseline(connection, schema, files[0]):
        applied.append(await baseline_upgrade.upgrade(connection, schema, part, files[0]))
    done = await _checksums(connection, schema)
    for migration in files:
        if migration.number in done:
            if done[migration.number] != migration.checksum:
                raise ChangedMigration(f"{schema}/{migration.name} was changed after it ran; write a new one instead")
            continue
        async with connection.transaction():
            # The name is one of ours, matched above: an identifier cannot be a parameter.
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{schema}\"")
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO directory.migrations (schema, number, name, checksum) VALUES ($1, $2, $3, $4)",
                schema,
                migration.number,
                migration.name,
                migration.checksum,
            )
        applied.append(f"{schema}/{migration.name}")
    return applied


async def _checksums(connection: asyncpg.Connection, schema: str) -> dict[int, str]:
    """The numbers that ran in a schema, each with its file's checksum at that time."""
    ran = await connection.fetch("SELECT number, checksum FROM directory.migrations WHERE schema = $1", schema)
    return {record["number"]: record["checksum"] for record in ran}


_RECORDS = """
CREATE SCHEMA IF NOT EXISTS directory;
CREATE TABLE IF NOT EXISTS directory.migrations (
    schema      text NOT NULL,
    number      integer NOT NULL,
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schema, number)
)
"""


__all__ = ["ChangedMigration", "Migration", "migrate", "migrations", "pending", "pending_on"]
