"""The platform is no superuser of the Postgres that comes along: it owns its schemas, and that is all."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from agentmessage.embedded import EmbeddedPostgres, known_dsn
from agentmessage.embedded.application_role import ROLE
from agentmessage.kernel.db import Cells
from agentmessage.migrations.runner import migrate
from tests.make import storage
from tests.make.accounts import open_account

OWNED_BY_OTHERS = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname = 'directory' OR n.nspname LIKE 'cell%') AND c.relkind <> 'i' AND c.relowner <> $1::regrole
    UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE (n.nspname = 'directory' OR n.nspname LIKE 'cell%') AND p.proowner <> $1::regrole
    UNION ALL SELECT t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE (n.nspname = 'directory' OR n.nspname LIKE 'cell%') AND t.typowner <> $1::regrole
    UNION ALL SELECT nspname FROM pg_namespace
    WHERE (nspname = 'directory' OR nspname LIKE 'cell%') AND nspowner <> $1::regrole
"""


@pytest.fixture
async def upgraded() -> AsyncIterator[EmbeddedPostgres]:
    """A directory in which an earlier release made everything as the superuser, started by this one."""
    with storage.directory("agentmessage-role-") as directory:
        async with EmbeddedPostgres(directory, is_durable=False) as server:
            await migrate(server.dsn(), new_cells=["cell_01"])
        async with EmbeddedPostgres(directory, is_durable=False) as server:
            yield server


async def test_what_an_earlier_release_made_is_the_platforms_after_a_start(upgraded: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(upgraded.application_dsn)

    assert await connection.fetchval("SELECT current_user") == ROLE
    assert [record[0] for record in await connection.fetch(OWNED_BY_OTHERS, ROLE)] == []
    await connection.close()
    assert await migrate(upgraded.application_dsn, new_cells=["cell_02"]) != [], "it can make what is new"
    cells = Cells(upgraded.application_dsn, pool_size=2)
    await open_account(cells)
    assert await cells.names() == ["cell_00", "cell_01", "cell_02"]
    await cells.close()
    assert known_dsn(upgraded.data_dir) == upgraded.application_dsn


async def test_the_platform_may_do_nothing_but_its_work(upgraded: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(upgraded.application_dsn)
    for beyond in (
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
        "CREATE ROLE another SUPERUSER",
        "CREATE DATABASE another",
        "ALTER SYSTEM SET max_connections = 1",
        "SELECT rolpassword FROM pg_authid",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(beyond)
    assert await connection.fetchval("SHOW statement_timeout") == "1min"
    assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
    assert await connection.fetchval("SELECT system_identifier FROM pg_control_system()") > 0
    await connection.close()
