"""The database: one pool per cell, literal SQL, rows straight into frozen values.

A cell is a schema that holds whole organizations (technology notes, section 2). SQL names a cell's tables without a
schema: the pool's `search_path` decides. Only `directory.…` tables are named with theirs. No statement names two cells.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString, Protocol, TypeVar

import asyncpg
import msgspec

from agentmessage.kernel.clock import Clock, WallClock
from agentmessage.kernel.connections import Connections

T = TypeVar("T")

DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
    OSError,
)
"""What a statement raises while Postgres is down, starting or stopping."""

UniqueViolation = asyncpg.exceptions.UniqueViolationError


class Statements(Protocol):
    """Something that runs one statement: a cell's pool (commits by itself) or an open transaction."""

    @property
    def now(self) -> datetime:
        """The instant of this piece of work; within a transaction always the same."""
        ...

    async def one(self, row: Callable[..., T], sql: LiteralString, *args: object) -> T | None:
        """The only row, built by `row` from its columns in order; None when there is none."""
        ...

    async def all(self, row: Callable[..., T], sql: LiteralString, *args: object) -> list[T]:
        """Every row, built by `row` from its columns in order."""
        ...

    async def value(self, sql: LiteralString, *args: object) -> Any:
        """The first column of the first row; None when there is none."""
        ...

    async def run(self, sql: LiteralString, *args: object) -> int:
        """Run for effect; answers how many rows were touched."""
        ...


class Tx:
    """An open transaction on one cell. Commits at the end of its `async with`, rolls back on an exception."""

    def __init__(self, connection: "asyncpg.Connection", now: datetime) -> None:
        self._connection = connection
        self.now = now

    async def one(self, row: Callable[..., T], sql: LiteralString, *args: object) -> T | None:
        """See Statements.one."""
        record = await self._connection.fetchrow(sql, *args)
        return None if record is None else row(*record)

    async def all(self, row: Callable[..., T], sql: LiteralString, *args: object) -> list[T]:
        """See Statements.all."""
        return [row(*record) for record in await self._connection.fetch(sql, *args)]

    async def value(self, sql: LiteralString, *args: object) -> Any:
        """See Statements.value."""
        return await self._connection.fetchval(sql, *args)

    async def run(self, sql: LiteralString, *args: object) -> int:
        """See Statements.run."""
        return _touched(await self._connection.execute(sql, *args))


class CellDb:
    """One cell's connections. Its own `one`, `all`, `value` and `run` are transactions of one statement."""

    def __init__(self, name: str, connections: Connections, clock: Clock) -> None:
        self.name = name
        self._connections = connections
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The present instant by this database's clock."""
        return self._clock.now()

    async def one(self, row: Callable[..., T], sql: LiteralString, *args: object) -> T | None:
        """See Statements.one."""
        async with self._connections.lend() as connection:
            record = await connection.fetchrow(sql, *args)
        return None if record is None else row(*record)

    async def all(self, row: Callable[..., T], sql: LiteralString, *args: object) -> list[T]:
        """See Statements.all."""
        async with self._connections.lend() as connection:
            records = await connection.fetch(sql, *args)
        return [row(*record) for record in records]

    async def value(self, sql: LiteralString, *args: object) -> Any:
        """See Statements.value."""
        async with self._connections.lend() as connection:
            return await connection.fetchval(sql, *args)

    async def run(self, sql: LiteralString, *args: object) -> int:
        """See Statements.run."""
        async with self._connections.lend() as connection:
            return _touched(await connection.execute(sql, *args))

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """Open a transaction; it commits when the block ends."""
        async with self._connections.lend() as connection, connection.transaction():
            yield Tx(connection, self._clock.now())

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator["asyncpg.Connection"]:
        """Borrow a bare connection, for what needs a session: LISTEN, advisory locks. It is reset afterwards."""
        connection = await self._connections.take()
        try:
            yield connection
        finally:
            self._connections.give_back(connection, in_doubt=True)

    async def close(self) -> None:
        """Close every connection, waiting for what is under way, but not for what will never end."""
        await self._connections.close(within_s=CLOSE_S)


class Cells:
    """The pools of every cell of one Postgres, opened when first asked for."""

    def __init__(self, dsn: str, *, pool_size: int = 16, clock: Clock | None = None) -> None:
        self._dsn = dsn
        self._pool_size = pool_size
        self._clock = clock or WallClock()
        self._open: dict[str, CellDb] = {}

    async def cell(self, name: str) -> CellDb:
        """The pool of one cell."""
        if name not in self._open:
            self._open[name] = await open_cell(self._dsn, name, pool_size=self._pool_size, clock=self._clock)
        return self._open[name]

    async def directory(self) -> CellDb:
        """A pool for statements that name only `directory.…` tables; the default cell's serves."""
        return await self.cell(DEFAULT_CELL)

    async def names(self) -> list[str]:
        """Every cell that the directory lists, in order."""
        directory = await self.directory()
        return await directory.all(str, "SELECT name FROM directory.cells ORDER BY name")

    async def close(self) -> None:
        """Close every pool."""
        for cell in self._open.values():
            await cell.close()
        self._open.clear()


CLOSE_S = 5.0
"""How long closing waits for connections in use before it cuts them off."""

DEFAULT_CELL = "cell_00"


async def open_cell(dsn: str, name: str, *, pool_size: int = 16, clock: Clock | None = None) -> CellDb:
    """Prepare up to `pool_size` connections whose `search_path` is one cell's schema; none is made before its need."""

    async def connect() -> "asyncpg.Connection":
        connection = await asyncpg.connect(
            dsn,
            command_timeout=60.0,
            server_settings={"search_path": name, "timezone": "UTC", "application_name": f"agentmessage/{name}"},
        )
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode, format="text"
        )
        return connection

    return CellDb(name, Connections(connect, size=pool_size), clock or WallClock())


def _encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _touched(tag: str) -> int:
    """The row count at the end of a command tag such as `UPDATE 3`."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
