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

from agentmessage.kernel import database_queries
from agentmessage.kernel.clock import Clock, DatabaseClock
from agentmessage.kernel.database_queries import NotMigratedHere
from agentmessage.kernel.pool import Acquisition, ConnectionPool

T = TypeVar("T")

CLOSE_S = 5.0
"""How long `close` waits for connections in use before it terminates them."""

DEFAULT_CELL = "cell_00"
STATEMENT_S = 60.0
WATCH_STATEMENT_S = 2.0
CONNECT_S = 5.0
SERVER_SHARE = 0.9
"""A statement that is merely slow is ended by the server, a little before it would cost the connection here."""

IDLE_IN_TRANSACTION_S = 60.0
"""How long the server lets a transaction hold its locks between two statements."""

DATABASE_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.InternalClientError,  # the connection broke in the middle of an answer
    asyncpg.exceptions.InsufficientResourcesError,  # disk or memory is full, no connection is left
    asyncpg.exceptions.OperatorInterventionError,  # starting, stopping, or the statement took too long
    asyncpg.exceptions.ReadOnlySQLTransactionError,  # a failover is under way
    asyncpg.exceptions.PostgresSystemError,  # its disk fails
    NotMigratedHere,
    OSError,
)
"""Raised by a statement while Postgres is unavailable; the same statement may succeed later."""

StatementTooLong = asyncpg.exceptions.QueryCanceledError

UniqueViolation = asyncpg.exceptions.UniqueViolationError


class Executor(Protocol):
    """Runs one statement: a cell's pool, which commits it, or an open transaction."""

    @property
    def now(self) -> datetime:
        """The present time; within a transaction always the same."""
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
        """Returns how many rows were changed."""
        ...


class Tx:
    """An open transaction on one cell. Commits at the end of its `async with`, rolls back on an exception."""

    def __init__(self, connection: "asyncpg.Connection", now: datetime) -> None:
        self._connection = connection
        self.now = now

    async def one(self, row: Callable[..., T], sql: LiteralString, *args: object) -> T | None:
        """See Executor.one."""
        record = await self._connection.fetchrow(sql, *args)
        return None if record is None else row(*record)

    async def all(self, row: Callable[..., T], sql: LiteralString, *args: object) -> list[T]:
        """See Executor.all."""
        return [row(*record) for record in await self._connection.fetch(sql, *args)]

    async def value(self, sql: LiteralString, *args: object) -> Any:
        """See Executor.value."""
        return await self._connection.fetchval(sql, *args)

    async def run(self, sql: LiteralString, *args: object) -> int:
        """See Executor.run."""
        return _touched(await self._connection.execute(sql, *args))


class CellDb:
    """One cell's connections. Its own `one`, `all`, `value` and `run` are transactions of one statement."""

    def __init__(self, name: str, pool: ConnectionPool, clock: Clock) -> None:
        self.name = name
        self._pool = pool
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The present instant by this database's clock."""
        return self._clock.now()

    async def one(self, row: Callable[..., T], sql: LiteralString, *args: object) -> T | None:
        """See Executor.one."""
        async with self._pool.acquire() as connection:
            record = await connection.fetchrow(sql, *args)
        return None if record is None else row(*record)

    async def all(self, row: Callable[..., T], sql: LiteralString, *args: object) -> list[T]:
        """See Executor.all."""
        async with self._pool.acquire() as connection:
            records = await connection.fetch(sql, *args)
        return [row(*record) for record in records]

    async def value(self, sql: LiteralString, *args: object) -> Any:
        """See Executor.value."""
        async with self._pool.acquire() as connection:
            return await connection.fetchval(sql, *args)

    async def run(self, sql: LiteralString, *args: object) -> int:
        """See Executor.run."""
        async with self._pool.acquire() as connection:
            return _touched(await connection.execute(sql, *args))

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """Open a transaction; it commits when the block ends."""
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield Tx(connection, self._clock.now())
            except TimeoutError:  # a server that does not answer does not roll back either; hanging up makes it
                connection.terminate()
                raise
            except BaseException:
                await transaction.rollback()
                raise
            await transaction.commit()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator["asyncpg.Connection"]:
        """A bare connection for what needs a session, such as LISTEN. It is reset afterwards."""
        connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            self._pool.release(connection, in_doubt=True)

    def acquire(self) -> Acquisition:
        """A bare connection for the length of an `async with`, which must leave no transaction open."""
        return self._pool.acquire()

    async def close(self) -> None:
        """Closes every connection; waits `CLOSE_S` for those in use."""
        await self._pool.close(within_s=CLOSE_S)


class Cells:
    """The pools of every cell of one Postgres, opened when first asked for."""

    def __init__(
        self, dsn: str, *, pool_size: int = 16, clock: Clock | None = None, statement_s: float = STATEMENT_S
    ) -> None:
        self._dsn = dsn
        self._pool_size = pool_size
        self._statement_s = statement_s
        self.clock = clock or DatabaseClock()
        self._open: dict[str, CellDb] = {}

    async def cell(self, name: str) -> CellDb:
        """The pool of one cell."""
        if name not in self._open:
            cell = await open_cell(
                self._dsn, name, pool_size=self._pool_size, clock=self.clock, statement_s=self._statement_s
            )
            self._open.setdefault(name, cell)
        return self._open[name]

    async def measure(self) -> float:
        """Read the database's clock; returns how many seconds this machine's is ahead."""
        directory = await self.directory()
        if not isinstance(self.clock, DatabaseClock):
            return 0.0
        async with directory.acquire() as connection:
            await _read_clock(connection, self.clock)
        return self.clock.skew_s

    async def directory(self) -> CellDb:
        """A pool for statements that name only `directory.…` tables; the default cell's serves."""
        return await self.cell(DEFAULT_CELL)

    def for_watching(self) -> "Cells":
        """The same database and clock over a connection or two of its own, which work cannot use up; closed apart."""
        return Cells(self._dsn, pool_size=2, clock=self.clock, statement_s=WATCH_STATEMENT_S)

    async def names(self) -> list[str]:
        """Every cell that the directory lists, in order."""
        directory = await self.directory()
        return await directory.all(str, "SELECT name FROM directory.cells ORDER BY name")

    async def close(self) -> None:
        """Close every pool."""
        for cell in self._open.values():
            await cell.close()
        self._open.clear()


async def open_cell(
    dsn: str,
    name: str,
    *,
    pool_size: int = 16,
    clock: Clock | None = None,
    statement_s: float = STATEMENT_S,
) -> CellDb:
    """Prepare up to `pool_size` connections whose `search_path` is one cell's schema; none is made before its need.

    A statement that takes longer than `statement_s` fails, here as on the server; so does a wait for a connection.
    """
    shared_clock = clock or DatabaseClock()
    settings = {
        "search_path": name,
        "timezone": "UTC",
        "application_name": f"agentmessage/{name}",
        "statement_timeout": str(int(statement_s * SERVER_SHARE * 1000)),
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S:.0f}s",
    }

    async def connect() -> "asyncpg.Connection":
        connection = await asyncpg.connect(
            dsn, timeout=min(CONNECT_S, statement_s), command_timeout=statement_s, server_settings=settings
        )
        try:
            if isinstance(shared_clock, DatabaseClock):
                await _read_clock(connection, shared_clock)
            await database_queries.require_identity(connection)
            await connection.set_type_codec(
                "jsonb", schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode, format="text"
            )
        except BaseException:
            connection.terminate()
            raise
        return connection

    return CellDb(name, ConnectionPool(connect, size=pool_size, timeout_s=statement_s), shared_clock)


async def _read_clock(connection: "asyncpg.Connection", clock: DatabaseClock) -> None:
    asked_at = clock.read_steady()
    clock.learn(await database_queries.read_clock(connection), asked_at=asked_at)


def _encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _touched(tag: str) -> int:
    """The row count at the end of a command tag such as `UPDATE 3`."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
