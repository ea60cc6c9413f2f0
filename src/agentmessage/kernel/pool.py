"""The connection pool of one cell. The connection that was released last is acquired first.

asyncpg's own pool releases a connection through a shielded task with a time-out, which took a sixth of a request. Here
a release is two list operations. Only a connection in doubt, whose statement was cut short or whose transaction is
still open, is reset before it is acquired again.

A server can also stop responding silently: it is frozen, or a network drops its packets. Then a statement times out
here and its connection is terminated, since a request to cancel would wait as long. Until one new connection succeeds,
all callers wait for that attempt instead of for one statement each.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any

import asyncpg

IDLE_S = 300.0
"""How long a connection may be idle before it is closed."""

RECOVERY_S = 5.0
"""How long the reset of a connection in doubt may take before it is terminated."""

PROBE_S = 1.5
"""How long a server that did not respond to a statement has to accept a connection."""

LEAVES_IN_DOUBT = (
    TimeoutError,
    OSError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
)
"""Errors that may leave a connection in the middle of a statement; it is ready again after any other error."""


class ConnectionPool:
    """At most `size` connections, opened when first needed. Callers that find none free wait in order.

    A caller that gets none within `timeout_s` gets a TimeoutError.
    """

    def __init__(
        self, connect: Callable[[], Awaitable["asyncpg.Connection"]], *, size: int, timeout_s: float = 60.0
    ) -> None:
        self._connect = connect
        self._size = size
        self._timeout_s = timeout_s
        self._probe: asyncio.Task[None] | None = None
        self._is_suspect = False
        self._idle: deque[tuple[asyncpg.Connection, float]] = deque()
        self._all: set[asyncpg.Connection] = set()
        self._reserved = 0
        self._waiters: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._recoveries: set[asyncio.Task[None]] = set()
        self._closing = False
        self._at_rest = asyncio.Event()

    def acquire(self) -> "Acquisition":
        """Returns what `async with` or `await` turns into a connection; after `await`, call `release`.

        Raises TimeoutError, and asyncpg.InterfaceError once closed.
        """
        return Acquisition(self)

    def release(self, connection: "asyncpg.Connection", *, in_doubt: bool = False) -> None:
        """Passes a connection to the caller that has waited longest."""
        if connection.is_closed():
            self._forget(connection)
        elif in_doubt or connection.is_in_transaction():
            recovery = asyncio.get_running_loop().create_task(self._recover(connection))
            self._recoveries.add(recovery)
            recovery.add_done_callback(self._recoveries.discard)
        else:
            self._pass_on(connection)

    async def close(self, *, within_s: float) -> None:
        """Closes every connection: those in use when they are released, or after `within_s` by force."""
        self._closing = True
        if self._probe is not None:
            self._probe.cancel()
        while self._waiters:
            _wake(self._waiters.popleft(), None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(connection.close() for connection, _ in self._idle), return_exceptions=True)
                self._idle.clear()
                await self._until_all_returned()
        self.terminate()

    def terminate(self) -> None:
        """Terminates every connection, in use or not."""
        for connection in self._all:
            connection.terminate()
        self._idle.clear()
        self._all.clear()

    async def next_connection(self) -> "asyncpg.Connection":
        """The connection that was released last, a new one, or the next that is released. Raises TimeoutError."""
        if self._idle and not self._is_suspect and not self._closing:
            connection = self._idle.pop()[0]
            if not connection.is_closed():
                return connection
            self._all.discard(connection)
        async with asyncio.timeout(self._timeout_s):
            return await self._acquire()

    def suspect(self) -> None:
        """A statement timed out: no caller gets a connection before the server has accepted a new one."""
        self._is_suspect = True
        while self._idle:
            idle = self._idle.popleft()[0]
            idle.terminate()
            self._forget(idle)

    async def _acquire(self) -> "asyncpg.Connection":
        while not self._closing:
            if self._is_suspect:
                await self._wait_for_probe()
            if self._idle:
                connection = self._idle.pop()[0]
                if not connection.is_closed():
                    return connection
                self._all.discard(connection)
            elif len(self._all) + self._reserved < self._size:
                return await self._open()
            elif (released := await self._wait()) is not None:
                return released
        raise _closed()

    async def _wait_for_probe(self) -> None:
        """Waits for the one attempt to connect that is in progress. Raises its error."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.get_running_loop().create_task(self._connect_once())
            self._probe.add_done_callback(lambda probe: probe.cancelled() or probe.exception())  # no caller may wait
        await asyncio.shield(self._probe)

    async def _connect_once(self) -> None:
        async with asyncio.timeout(PROBE_S):
            connection = await self._connect()
        self._is_suspect = False
        if len(self._all) + self._reserved < self._size and not self._closing:
            self._all.add(connection)
            self._pass_on(connection)
        else:
            connection.terminate()

    def _pass_on(self, connection: "asyncpg.Connection") -> None:
        while self._waiters:
            if _wake(self._waiters.popleft(), connection):
                return
        if self._closing:
            connection.terminate()
            self._forget(connection)
            return
        now = time.monotonic()
        self._idle.append((connection, now))
        if now - self._idle[0][1] > IDLE_S:
            oldest = self._idle.popleft()[0]
            oldest.terminate()
            self._forget(oldest)

    async def _open(self) -> "asyncpg.Connection":
        self._reserved += 1
        try:
            connection = await self._connect()
        except BaseException:
            self._reserved -= 1
            self._wake_next()
            raise
        self._reserved -= 1
        if self._closing:
            connection.terminate()
            raise _closed()
        self._all.add(connection)
        return connection

    async def _wait(self) -> "asyncpg.Connection | None":
        """The connection that is released, or None when there is room for a new one."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                released = waiter.result()
                self._wake_next() if released is None else self._pass_on(released)
            raise

    async def _recover(self, connection: "asyncpg.Connection") -> None:
        """Resets a connection in doubt and passes it on; terminates it if that fails."""
        try:
            async with asyncio.timeout(RECOVERY_S):
                await connection.reset()
        except (asyncpg.PostgresError, *LEAVES_IN_DOUBT):
            connection.terminate()
            self._forget(connection)
        else:
            self.release(connection)

    def _forget(self, connection: "asyncpg.Connection") -> None:
        self._all.discard(connection)
        self._wake_next()
        if not self._all:
            self._at_rest.set()

    def _wake_next(self) -> None:
        """Tells the first waiter that there is room for a new connection."""
        while self._waiters:
            if _wake(self._waiters.popleft(), None):
                return

    async def _until_all_returned(self) -> None:
        self._all = {connection for connection in self._all if not connection.is_closed()}
        self._at_rest.clear()
        if self._all:
            await self._at_rest.wait()


class Acquisition:
    """One connection for the length of an `async with`, released at its end in any case; or an awaitable of one."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def __await__(self) -> Generator[Any, Any, "asyncpg.Connection"]:
        return self._pool.next_connection().__await__()

    async def __aenter__(self) -> "asyncpg.Connection":
        self._connection = await self._pool.next_connection()
        return self._connection

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if isinstance(error, TimeoutError):
            self._pool.suspect()
            self._connection.terminate()
        cut_short = error is not None and not isinstance(error, Exception)  # cancelled
        self._pool.release(self._connection, in_doubt=cut_short or isinstance(error, LEAVES_IN_DOUBT))


def _closed() -> asyncpg.InterfaceError:
    return asyncpg.InterfaceError("the connections of this cell are closed")


def _wake(waiter: "asyncio.Future[asyncpg.Connection | None]", connection: "asyncpg.Connection | None") -> bool:
    """Gives a waiter its result; False if it no longer waits."""
    if waiter.done():
        return False
    waiter.set_result(connection)
    return True
