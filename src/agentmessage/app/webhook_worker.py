"""A worker's webhooks: facts fanned out and receivers told, in every cell, until stopped in its own order."""

import asyncio
import contextlib
import resource
from collections.abc import Awaitable, Callable

from agentmessage.kernel.clock import Clock
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.encryption import parse_keys
from agentmessage.kernel.names import Names
from agentmessage.kernel.tasks import start_forever
from agentmessage.outbox.notifications import Bells, wait_for
from agentmessage.settings import Settings
from agentmessage.webhooks import fanout
from agentmessage.webhooks.dispatcher import Dispatcher
from agentmessage.webhooks.http_sender import Sender
from agentmessage.webhooks.model import BELL

FREE_S = 0.2
BOUND_S = 30.0
LANDING_S = 8.0
"""How long a stop waits for receivers' answers and for the books; what is not in them by then is told again."""


class Telling:
    """All webhooks of one worker process."""

    def __init__(
        self, settings: Settings, bells: Bells, *, names: Names | None = None, clock: Clock | None = None
    ) -> None:
        self._sealer = parse_keys(settings.encryption_key) if settings.encryption_key else None
        self._sender = Sender(allow_private=settings.webhook_allow_private, names=names, clock=clock)
        self._bells = bells
        self._dispatchers: list[Dispatcher] = []
        self._telling: list[asyncio.Task[None]] = []
        self._beside: list[asyncio.Task[None]] = []
        _allow_many_connections()

    def take_up(self, db: CellDb) -> None:
        """Deliver one cell's webhooks from now on; does nothing without an encryption key, which signing needs."""
        if self._sealer is None:
            return
        dispatcher = Dispatcher(db, self._sender, self._sealer)
        self._dispatchers.append(dispatcher)
        title = f"{db.name} webhooks"
        self._telling.append(asyncio.create_task(_until_stopped(dispatcher), name=f"{title} tell"))
        self._beside += [
            start_forever(f"{title} fan out", self._fanning(db, dispatcher)),
            start_forever(f"{title} hear", self._hearing(db, dispatcher)),
            start_forever(f"{title} free", lambda: _every(FREE_S, dispatcher.free_of_dead)),
            start_forever(f"{title} bound", lambda: _every(BOUND_S, lambda: fanout.bound_queues(db))),
        ]

    async def stop(self) -> None:
        """Begin nothing new, end what is under way, and let go of everything."""
        for task in self._beside:
            task.cancel()
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        if self._telling:
            await asyncio.wait(self._telling, timeout=LANDING_S)
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, *self._beside, return_exceptions=True)
        await self._sender.close()

    def _fanning(self, db: CellDb, dispatcher: Dispatcher) -> Callable[[], Awaitable[None]]:
        bell = self._bells.hear(db.name, fanout.BELL)

        async def turn() -> None:
            deliveries, wait_s = await fanout.turn(db)
            if deliveries:
                dispatcher.ring()
            if wait_s:
                await wait_for(bell, wait_s)

        return turn

    def _hearing(self, db: CellDb, dispatcher: Dispatcher) -> Callable[[], Awaitable[None]]:
        bell = self._bells.hear(db.name, BELL)

        async def turn() -> None:
            await bell.wait()
            bell.clear()
            dispatcher.ring()

        return turn


async def _until_stopped(dispatcher: Dispatcher) -> None:
    """A dispatcher that lost the database lives again; one that was stopped does not."""
    ended = asyncio.Event()

    async def live() -> None:
        await dispatcher.live()
        ended.set()
        await asyncio.Event().wait()

    living = start_forever("webhooks", live)
    try:
        await ended.wait()
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(seconds)
    await work()


def _allow_many_connections() -> None:
    """As many open files as the system lets us have: each receiver that is being told is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
