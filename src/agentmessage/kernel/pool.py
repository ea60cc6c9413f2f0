"""The open connections of one cell: lent to one piece of work at a time, the warmest first.

asyncpg's own pool gives a connection back through a shielded task with a time-out, which was a sixth of a request.
Here giving back is two list operations; only a connection that was left in doubt — its statement cut short, its
transaction still open — takes the slow way and proves itself before it is lent again.

A server can also stop answering without a word (frozen, or cut off by a network that drops packets). Then a statement
times out here, its connection is cut off, since asking the server to cancel would wait just as long, and the next
callers wait for one attempt to connect instead of one statement each.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType

import asyncpg

IDLE_S = 300.0
"""How long a connection may lie unused before it is closed."""

RECOVERY_S = 5.0
"""How long a connection in doubt has to come back to rest before it is cut off."""

PROOF_S = 1.5
"""How long a server that has left a statement unanswered has to accept a connection."""

UNSETTLING = (
    TimeoutError,
    OSError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
)
"""What may leave a connection in the middle of a statement or before its end; other errors leave it at rest."""


class Connections:
    """At most `size` connections, opened when first needed; who finds none free waits in line.

    Whoever has none after `patience_s` gets a TimeoutError.
    """

    def __init__(
        self, connect: Callable[[], Awaitable["asyncpg.Connection"]], *, size: int, patience_s: float = 60.0
    ) -> None:
        self._connect = connect
        self._size = size
        self._patience_s = patience_s
        self._proof: asyncio.Task[None] | None = None
        self._is_suspect = False
        self._idle: deque[tuple[asyncpg.Connection, float]] = deque()
        self._all: set[asyncpg.Connection] = set()
        self._reserved = 0
        self._line: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._recoveries: set[asyncio.Task[None]] = set()
        self._closing = False
        self._at_rest = asyncio.Event()

    def lend(self) -> "Loan":
        """Lend one connection for the length of an `async with`. Raises asyncpg.InterfaceError once closed."""
        return Loan(self)

    async def close(self, *, within_s: float) -> None:
        """Close every connection: those in use when they come back, or after `within_s` by force."""
        self._closing = True
        if self._proof is not None:
            self._proof.cancel()
        while self._line:
            _hand(self._line.popleft(), None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(connection.close() for connection, _ in self._idle), return_exceptions=True)
                self._idle.clear()
                await self._until_all_returned()
        self.terminate()

    def terminate(self) -> None:
        """Cut every connection off, in use or not, and forget them."""
        for connection in self._all:
            connection.terminate()
        self._idle.clear()
        self._all.clear()

    async def take(self) -> "asyncpg.Connection":
        """The warmest free connection, a new one, or the next that comes back. Raises TimeoutError."""
        if self._idle and not self._is_suspect and not self._closing:
            connection = self._idle.pop()[0]
            if not connection.is_closed():
                return connection
            self._all.discard(connection)
        async with asyncio.timeout(self._patience_s):
            return await self._take()

    def suspect(self) -> None:
        """A statement was not answered in time: nobody gets a connection before the server has accepted a new one."""
        self._is_suspect = True
        while self._idle:
            idle = self._idle.popleft()[0]
            idle.terminate()
            self._forget(idle)

    async def _take(self) -> "asyncpg.Connection":
        while not self._closing:
            if self._is_suspect:
                await self._prove()
            if self._idle:
                connection = self._idle.pop()[0]
                if not connection.is_closed():
                    return connection
                self._all.discard(connection)
            elif len(self._all) + self._reserved < self._size:
                return await self._open()
            elif (handed := await self._wait()) is not None:
                return handed
        raise _closed()

    def give_back(self, connection: "asyncpg.Connection", *, in_doubt: bool = False) -> None:
        """Take a connection back and hand it to whoever has waited longest."""
        if connection.is_closed():
            self._forget(connection)
        elif in_doubt or connection.is_in_transaction():
            recovery = asyncio.get_running_loop().create_task(self._recover(connection))
            self._recoveries.add(recovery)
            recovery.add_done_callback(self._recoveries.discard)
        else:
            self._lend_on(connection)

    async def _prove(self) -> None:
        """Wait for the one attempt to connect that is under way. Raises what became of it."""
        if self._proof is None or self._proof.done():
            self._proof = asyncio.get_running_loop().create_task(self._try())
            self._proof.add_done_callback(lambda proof: proof.cancelled() or proof.exception())  # nobody may be waiting
        await asyncio.shield(self._proof)

    async def _try(self) -> None:
        async with asyncio.timeout(PROOF_S):
            connection = await self._connect()
        self._is_suspect = False
        if len(self._all) + self._reserved < self._size and not self._closing:
            self._all.add(connection)
            self._lend_on(connection)
        else:
            connection.terminate()

    def _lend_on(self, connection: "asyncpg.Connection") -> None:
        while self._line:
            if _hand(self._line.popleft(), connection):
                return
        if self._closing:
            connection.terminate()
            self._forget(connection)
            return
        now = time.monotonic()
        self._idle.append((connection, now))
        if now - self._idle[0][1] > IDLE_S:
            coldest = self._idle.popleft()[0]
            coldest.terminate()
            self._forget(coldest)

    async def _open(self) -> "asyncpg.Connection":
        self._reserved += 1
        try:
            connection = await self._connect()
        except BaseException:
            self._reserved -= 1
            self._call_next()
            raise
        self._reserved -= 1
        if self._closing:
            connection.terminate()
            raise _closed()
        self._all.add(connection)
        return connection

    async def _wait(self) -> "asyncpg.Connection | None":
        """The connection that comes back, or None when there is room for a new one."""
        place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                handed = place.result()
                self._call_next() if handed is None else self._lend_on(handed)
            raise

    async def _recover(self, connection: "asyncpg.Connection") -> None:
        """Let a cut-short statement end, roll back what is open, and lend on; what does not answer is cut off."""
        try:
            async with asyncio.timeout(RECOVERY_S):
                await connection.reset()
        except (asyncpg.PostgresError, *UNSETTLING):
            connection.terminate()
            self._forget(connection)
        else:
            self.give_back(connection)

    def _forget(self, connection: "asyncpg.Connection") -> None:
        self._all.discard(connection)
        self._call_next()
        if not self._all:
            self._at_rest.set()

    def _call_next(self) -> None:
        """Wake the first in line: there is room for a new connection."""
        while self._line:
            if _hand(self._line.popleft(), None):
                return

    async def _until_all_returned(self) -> None:
        self._all = {connection for connection in self._all if not connection.is_closed()}
        self._at_rest.clear()
        if self._all:
            await self._at_rest.wait()


class Loan:
    """One connection for the length of an `async with`, given back at its end however it ends."""

    __slots__ = ("_connection", "_connections")

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def __aenter__(self) -> "asyncpg.Connection":
        self._connection = await self._connections.take()
        return self._connection

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if isinstance(error, TimeoutError):
            self._connections.suspect()
            self._connection.terminate()
        cut_short = error is not None and not isinstance(error, Exception)  # cancelled
        self._connections.give_back(self._connection, in_doubt=cut_short or isinstance(error, UNSETTLING))


def _closed() -> asyncpg.InterfaceError:
    return asyncpg.InterfaceError("the connections of this cell are closed")


def _hand(place: "asyncio.Future[asyncpg.Connection | None]", connection: "asyncpg.Connection | None") -> bool:
    """Answer one who waits, unless it has gone away meanwhile."""
    if place.done():
        return False
    place.set_result(connection)
    return True
