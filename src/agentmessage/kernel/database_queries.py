"""What a new connection asks before it is used: the time, and whether this database is where it was migrated."""

from datetime import datetime

import asyncpg
from msgspec import Struct


class Identity(Struct, frozen=True):
    """Where a database is. A dump that is restored gets another `table`, and in another cluster another `system`.

    `system` is the cluster's identifier, kept by replicas and after a failover, changed by pg_upgrade; None where the
    service that hosts it does not say.
    """

    system: str | None
    table: str

    def is_same(self, other: "Identity") -> bool:
        """Both are one database."""
        is_same_cluster = self.system is None or other.system is None or self.system == other.system
        return is_same_cluster and self.table == other.table


async def read_clock(connection: "asyncpg.Connection") -> datetime:
    """The database's present instant."""
    moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return moment


async def find_table(connection: "asyncpg.Connection") -> str | None:
    """The object that `directory.installation` is; None before the first migration."""
    found: str | None = await connection.fetchval("SELECT to_regclass('directory.installation')::oid::text")
    return found


async def read_identity(connection: "asyncpg.Connection", table: str) -> Identity:
    """Where this database is now."""
    try:
        system = await connection.fetchval("SELECT system_identifier::text FROM pg_control_system()")
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError, asyncpg.FeatureNotSupportedError):
        system = None
    return Identity(system, table)


async def read_recorded_identity(connection: "asyncpg.Connection") -> Identity | None:
    """Where this database was when it was last migrated; None before it was first noted."""
    row = await connection.fetchrow(
        "SELECT value ->> 'system', value ->> 'table' FROM directory.installation WHERE name = 'identity'"
    )
    return None if row is None else Identity(*row)


async def record_identity(connection: "asyncpg.Connection", identity: Identity) -> None:
    """Note where this database is."""
    await connection.execute(
        """INSERT INTO directory.installation (name, value, updated_at)
           VALUES ('identity', jsonb_build_object('system', $1::text, 'table', $2::text), now())
           ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = now()""",
        identity.system,
        identity.table,
    )


async def require_identity(connection: "asyncpg.Connection") -> None:
    """Refuse a database that was restored or copied and not migrated since. Raises NotMigratedHere."""
    table = await find_table(connection)
    if table is None:
        return
    recorded = await read_recorded_identity(connection)
    if recorded is not None and not recorded.is_same(await read_identity(connection, table)):
        raise NotMigratedHere


class NotMigratedHere(Exception):
    """The database was restored from a dump, or its cluster upgraded, and `agentmessage migrate` has not run since."""

    def __init__(self) -> None:
        super().__init__(
            "this database was restored or moved to another cluster: run `agentmessage migrate`, which holds what may"
            " have been sent already"
        )
