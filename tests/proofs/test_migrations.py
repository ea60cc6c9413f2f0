"""Migrations: from nothing, twice, by several processes at once, over an edited file, and with a cell more."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.migrations import runner
from agentmessage.migrations.runner import ChangedMigration, migrate, migrations, pending
from tests.proofs.running import clean_environment

EVERYTHING = [f"directory/{one.name}" for one in migrations("directory")] + [
    f"cell_00/{one.name}" for one in migrations("cell")
]


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"empty_{uuid4().hex[:12]}"
    yield await postgres.create_database(name)
    await postgres.drop_database(name)


async def shape(dsn: str) -> list[Any]:
    """Every column, index and constraint of our schemas, as Postgres tells them."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            """SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default
               FROM information_schema.columns WHERE table_schema IN ('directory', 'cell_00')
               UNION ALL SELECT schemaname, tablename, indexname, indexdef, '', '' FROM pg_indexes
               WHERE schemaname IN ('directory', 'cell_00')
               UNION ALL SELECT n.nspname, conrelid::regclass::text, conname, pg_get_constraintdef(c.oid), '', ''
               FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
               WHERE n.nspname IN ('directory', 'cell_00')
               ORDER BY 1, 2, 3, 4"""
        )
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


async def applied_rows(dsn: str) -> list[tuple[str, int]]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT schema, number FROM directory.migrations ORDER BY 1, 2")
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


async def test_an_empty_database_gets_everything_in_order(empty: str) -> None:
    before = await pending(empty)

    applied = await migrate(empty)

    assert before == [name for name in EVERYTHING if name.startswith("directory/")]
    assert applied == EVERYTHING
    assert await pending(empty) == []


async def test_a_second_run_applies_nothing_and_changes_nothing(empty: str) -> None:
    await migrate(empty)
    before = await shape(empty)

    assert await migrate(empty) == []

    assert await shape(empty) == before


async def test_several_processes_at_once_apply_each_file_once(empty: str, postgres: EmbeddedPostgres) -> None:
    alone = await postgres.create_database(f"alone_{uuid4().hex[:12]}")
    await migrate(alone)
    environment = clean_environment(DATABASE_URL=empty)

    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agentmessage", "migrate", env=environment, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    outputs = [(await process.communicate())[0].decode() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    told = [line.removeprefix("applied ") for output in outputs for line in output.splitlines() if "applied" in line]
    assert sorted(told) == sorted(EVERYTHING)
    assert sum("The database is current." in output for output in outputs) == 2
    assert await shape(empty) == await shape(alone)


async def test_tasks_at_once_on_one_database_take_turns(empty: str) -> None:
    answers = await asyncio.gather(*(migrate(empty) for _ in range(5)))

    assert sorted(answers, key=len) == [[], [], [], [], EVERYTHING]


async def test_a_file_that_was_changed_after_it_ran_is_refused(empty: str) -> None:
    await migrate(empty)
    connection = await asyncpg.connect(empty)
    await connection.execute(
        "UPDATE directory.migrations SET checksum = 'other' WHERE schema = 'cell_00' AND number = 1"
    )
    await connection.close()

    with pytest.raises(ChangedMigration, match="cell_00/0001_baseline was changed after it ran"):
        await migrate(empty)


async def test_a_migration_that_fails_leaves_nothing_of_itself_and_can_be_run_again(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [runner.Migration(9001, "9001_broken", "CREATE TABLE half (x int); SELECT nothing_like_this()")]
    monkeypatch.setattr(runner, "migrations", lambda part: [*migrations(part), *(broken if part == "cell" else [])])

    with pytest.raises(asyncpg.exceptions.UndefinedFunctionError):
        await runner.migrate(empty)

    monkeypatch.undo()
    assert not [row for row in await shape(empty) if row[1] == "half"]
    assert await migrate(empty) == []


@pytest.mark.parametrize("name", ["cell_1", "CELL_01", 'cell_01"; DROP SCHEMA directory CASCADE; --', ""])
async def test_a_cell_must_have_a_cells_name(name: str, empty: str) -> None:
    with pytest.raises((asyncpg.exceptions.CheckViolationError, ValueError)):
        await migrate(empty, new_cells=[name])

    assert await pending(empty) == [name for name in EVERYTHING if name.startswith("cell")]


async def test_another_cell_has_the_same_tables_and_is_kept_up_with_the_first(empty: str) -> None:
    await migrate(empty)

    applied = await migrate(empty, new_cells=["cell_01"])

    assert applied == [name.replace("cell_00", "cell_01") for name in EVERYTHING if name.startswith("cell_00")]
    numbers = [number for schema, number in await applied_rows(empty) if schema == "cell_01"]
    assert numbers == [one.number for one in migrations("cell")]
    assert await migrate(empty, new_cells=["cell_01"]) == []


def test_migrations_are_numbered_without_gaps() -> None:
    for part in ("directory", "cell"):
        assert [one.number for one in migrations(part)] == list(range(1, len(migrations(part)) + 1))
