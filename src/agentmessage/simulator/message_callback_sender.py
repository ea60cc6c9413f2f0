"""Carries callbacks of texts to the customer: a few connections at a time, again and again until he answers 2xx."""

import asyncio
import time
from collections.abc import Callable, Sequence

import aiohttp

from agentmessage.simulator.bandwidth.messaging_routes import callback_body, callback_headers
from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.entities import Application
from agentmessage.simulator.messaging.model import Inbound, Telling, Via
from agentmessage.simulator.world import World

AT_ONCE = 16
TIMEOUT_S = 10.0
"""How long the customer may take to answer."""

_SUCCESS_CLASS = 2
_GARBLE = b'[{"type":"message-delivered"'


class TextPost:
    """Delivers what waits for HTTP."""

    def __init__(self, world: World, *, wake: Callable[[], None]) -> None:
        self._world = world
        self._wake = wake
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begin; needs a running loop."""
        connector = aiohttp.TCPConnector(limit=AT_ONCE, resolver=aiohttp.ThreadedResolver())
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Give up what is under way; it is told again after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def pump(self) -> None:
        """Begin to deliver what waits, as far as there are free connections."""
        desk = self._world.texts
        for account in self._world.accounts:
            waiting = desk.waiting[account.id, Via.BANDWIDTH]
            while waiting and account.applications and self._session and len(self._tasks) < AT_ONCE:
                application = _application_of(account, waiting[0])
                batch: list[Telling] = []
                while waiting and len(batch) < desk.settings.callback_batch:
                    if _application_of(account, waiting[0]) is not application:
                        break
                    batch.append(waiting.popleft())
                task = asyncio.create_task(self._deliver(self._session, account, application, batch))
                self._tasks.add(task)
                task.add_done_callback(self._delivered)

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self.pump()
            self._wake()

    async def _deliver(
        self, session: aiohttp.ClientSession, account: Account, application: Application, batch: Sequence[Telling]
    ) -> None:
        body = callback_body(batch, application)
        if not self._world.is_quiet:
            await self._disturb(session, account, application, body)
        is_taken = await _post(session, application.url, callback_headers(application), body)
        for telling in batch:
            if is_taken:
                self._world.texts.acknowledge(telling)
            else:
                self._world.texts.give_back(telling, at=time.time())

    async def _disturb(
        self, session: aiohttp.ClientSession, account: Account, application: Application, body: bytes
    ) -> None:
        """Before the real callback: one from a stranger, or one that makes no sense."""
        if self._world.strikes("callback_forged", operation="carrier.messages", account=account.id):
            await _post(session, application.url, callback_headers(application, is_forged=True), body)
        if self._world.strikes("callback_garbled", operation="carrier.messages", account=account.id):
            await _post(session, application.url, callback_headers(application), _GARBLE)


def _application_of(account: Account, telling: Telling) -> Application:
    """That of the text, else the account's first, which also takes the texts of handsets."""
    first = next(iter(account.applications.values()))
    return first if isinstance(telling, Inbound) else account.applications.get(telling.handed.text.application, first)


async def _post(session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether the customer took it: any status of the 200s."""
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            return answer.status // 100 == _SUCCESS_CLASS
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
