"""The webhooks of a worker: fans out events and sends deliveries, in every cell, until it is stopped."""

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
"""Seconds that a stop waits for responses and for their records. A delivery without a record is sent again."""


class WebhookWorker:
    """All webhooks of one worker process."""

    def __init__(
        self, settings: Settings, bells: Bells, *, names: Names | None = None, clock: Clock | None = None
    ) -> None:
        self._secret_box = parse_keys(settings.encryption_key) if settings.encryption_key else None
        self._sender = Sender(allow_private=settings.webhook_allow_private, names=names, clock=clock)
        self._bells = bells
        self._dispatchers: list[Dispatcher] = []
        self._sending: list[asyncio.Task[None]] = []
        self._background: list[asyncio.Task[None]] = []
        _allow_many_connections()

    def take_up(self, db: CellDb) -> None:
        """Deliver one cell's webhooks from now on; does nothing without an encryption key, which signing needs."""
        if self._secret_box is None:
            return
        dispatcher = Dispatcher(db, self._sender, self._secret_box)
        self._dispatchers.append(dispatcher)
        title = f"{db.name} webhooks"
        self._sending.append(asyncio.create_task(_until_stopped(dispatcher), name=f"{title} send"))
        self._background += [
            start_forever(f"{title} fan out", self._fan_out(db, dispatcher)),
            start_forever(f"{title} notifications", self._notified(db, dispatcher)),
            start_forever(f"{title} free", lambda: _every(FREE_S, dispatcher.free_of_dead)),
            start_forever(f"{title} bound", lambda: _every(BOUND_S, lambda: fanout.bound_queues(db))),
        ]

    async def stop(self) -> None:
        """Begin nothing new, end what is under way, and let go of everything."""
        for task in self._background:
            task.cancel()
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        if self._sending:
            await asyncio.wait(self._sending, timeout=LANDING_S)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, *self._background, return_exceptions=True)
        await self._sender.close()

    def _fan_out(self, db: CellDb, dispatcher: Dispatcher) -> Callable[[], Awaitable[None]]:
        bell = self._bells.hear(db.name, fanout.BELL)

        async def turn() -> None:
            deliveries, wait_s = await fanout.run_once(db)
            if deliveries:
                dispatcher.wake()
            if wait_s:
                await wait_for(bell, wait_s)

        return turn

    def _notified(self, db: CellDb, dispatcher: Dispatcher) -> Callable[[], Awaitable[None]]:
        bell = self._bells.hear(db.name, BELL)

        async def turn() -> None:
            await bell.wait()
            bell.clear()
            dispatcher.wake()

        return turn


async def _until_stopped(dispatcher: Dispatcher) -> None:
    """A dispatcher that lost the database lives again; one that was stopped does not."""
    ended = asyncio.Event()

    async def run() -> None:
        await dispatcher.run()
        ended.set()
        await asyncio.Event().wait()

    living = start_forever("webhooks", run)
    try:
        await ended.wait()
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(seconds)
    await work()


def _allow_many_connections() -> None:
    """Raise the limit of open files to what the system allows: each request under way holds one."""
    _, max_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max_files, max_files))
