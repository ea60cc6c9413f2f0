"""Sends callbacks of messages to the customer: a few connections at a time, repeated until the response is 2xx."""

import asyncio
import time
from collections.abc import Callable, Sequence

import aiohttp

from agentmessage.simulator.bandwidth.messaging_routes import callback_body, callback_headers
from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.entities import MessagingApplication
from agentmessage.simulator.messaging.model import CustomerDelivery, InboundPart, Via
from agentmessage.simulator.world import World

CONCURRENCY = 16
TIMEOUT_S = 10.0
"""How long the customer may take to respond."""

_SUCCESS_CLASS = 2
_INVALID_BODY = b'[{"type":"message-delivered"'


class MessageCallbackSender:
    """Sends what is ready to be delivered over HTTP."""

    def __init__(self, world: World, *, wake: Callable[[], None]) -> None:
        self._world = world
        self._wake = wake
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Start; needs a running event loop."""
        connector = aiohttp.TCPConnector(limit=CONCURRENCY, resolver=aiohttp.ThreadedResolver())
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Cancel what is being sent; it is sent again after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def pump(self) -> None:
        """Start to send what is ready, as far as there are free connections."""
        carrier = self._world.messaging
        for account in self._world.accounts:
            waiting = carrier.waiting[account.id, Via.BANDWIDTH]
            while waiting and account.applications and self._session and len(self._tasks) < CONCURRENCY:
                application = _application_of(account, waiting[0])
                batch: list[CustomerDelivery] = []
                while waiting and len(batch) < carrier.settings.callback_batch:
                    if _application_of(account, waiting[0]) is not application:
                        break
                    batch.append(waiting.popleft())
                task = asyncio.create_task(self._deliver(self._session, account, application, batch))
                self._tasks.add(task)
                task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self.pump()
            self._wake()

    async def _deliver(
        self,
        session: aiohttp.ClientSession,
        account: SimulatedAccount,
        application: MessagingApplication,
        batch: Sequence[CustomerDelivery],
    ) -> None:
        body = callback_body(batch, application)
        if not self._world.is_quiet:
            await self._inject_faults(session, account, application, body)
        is_accepted = await _post(session, application.url, callback_headers(application), body)
        for delivery in batch:
            if is_accepted:
                self._world.messaging.acknowledge(delivery)
            else:
                self._world.messaging.redeliver(delivery, at=time.time())

    async def _inject_faults(
        self, session: aiohttp.ClientSession, account: SimulatedAccount, application: MessagingApplication, body: bytes
    ) -> None:
        """Send a forged or an invalid callback before the real one."""
        if self._world.fault_hits("callback_forged", operation="carrier.messages", account=account.id):
            await _post(session, application.url, callback_headers(application, is_forged=True), body)
        if self._world.fault_hits("callback_garbled", operation="carrier.messages", account=account.id):
            await _post(session, application.url, callback_headers(application), _INVALID_BODY)


def _application_of(account: SimulatedAccount, delivery: CustomerDelivery) -> MessagingApplication:
    """The application of the message; the account's first one for messages of handsets."""
    first = next(iter(account.applications.values()))
    return (
        first
        if isinstance(delivery, InboundPart)
        else account.applications.get(delivery.part.message.application, first)
    )


async def _post(session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether the customer accepted it: any 2xx status."""
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            await response.read()
            return response.status // 100 == _SUCCESS_CLASS
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
