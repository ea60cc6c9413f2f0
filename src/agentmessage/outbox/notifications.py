"""Wake-up calls between processes: LISTEN/NOTIFY on a channel of the cell's Postgres, coalesced, never relied on.

A request never notifies in its own transaction (technology notes, section 4: that cut throughput to a third). The
process rings once for all requests that ended within the same few milliseconds.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import structlog

from agentmessage.kernel.db import DATABASE_UNAVAILABLE, Cells
from agentmessage.kernel.tasks import require_not_cancelled
from agentmessage.outbox import queries

log = structlog.get_logger("agentmessage.outbox")

CHANNEL = "agentmessage"
RELISTEN_S = 1.0
COALESCE_S = 0.005


class Ringer:
    """Rings bells for a process; rings of the same bell within a few milliseconds become one."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._pending: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def ring(self, cell: str, bell: str) -> None:
        """Ask for a ring; returns at once and never fails."""
        self._pending.add(f"{cell}/{bell}")
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._ring())

    async def close(self) -> None:
        """Drop what is still to be rung: hearers look by themselves."""
        self._pending.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ring(self) -> None:
        while self._pending:
            await asyncio.sleep(COALESCE_S)
            bells, self._pending = self._pending, set()
            directory = await self._cells.directory()
            with contextlib.suppress(*DATABASE_UNAVAILABLE):
                for bell in sorted(bells):
                    await queries.ring(directory, bell)


class Bells:
    """Hears the bells of every cell and lets loops wait for theirs."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._events: dict[str, list[asyncio.Event]] = {}

    def hear(self, cell: str, bell: str) -> asyncio.Event:
        """An event that is set at every ring of the bell; the hearer clears it."""
        event = asyncio.Event()
        self._events.setdefault(f"{cell}/{bell}", []).append(event)
        return event

    def unhear(self, cell: str, bell: str, event: asyncio.Event) -> None:
        """Stop hearing."""
        hearers = self._events.get(f"{cell}/{bell}", [])
        if event in hearers:
            hearers.remove(event)
        if not hearers:
            self._events.pop(f"{cell}/{bell}", None)

    def strike(self, cell: str, bell: str) -> None:
        """Ring inside this process only."""
        for event in self._events.get(f"{cell}/{bell}", ()):
            event.set()

    async def listen(self) -> None:
        """Listen until cancelled; when the database goes away, come back and ring everything once."""
        while True:
            try:
                await self._listen_once()
            except DATABASE_UNAVAILABLE as error:
                log.debug("notification listener disconnected", error=str(error) or type(error).__name__)
            require_not_cancelled()
            await asyncio.sleep(RELISTEN_S)

    async def _listen_once(self) -> None:
        directory = await self._cells.directory()
        lost = asyncio.Event()
        async with directory.connection() as connection:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._heard)
            self.strike_all()
            try:
                await lost.wait()
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(CHANNEL, self._heard)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        for event in self._events.get(str(payload), ()):
            event.set()

    def strike_all(self) -> None:
        """Have every hearer in this process look."""
        for hearers in self._events.values():
            for event in hearers:
                event.set()


async def wait_for(event: asyncio.Event, timeout_s: float) -> None:
    """Wait for a bell, at most so long; then clear it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):  # wait_for of Python 3.11 can swallow a cancellation
            await event.wait()
    event.clear()


Ring = Callable[[str, str], None]
