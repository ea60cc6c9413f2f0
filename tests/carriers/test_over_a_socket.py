"""The same story over real sockets and the real clock: our transport, the simulator, callbacks to a receiver."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import aiohttp
import msgspec
import pytest
from aiohttp import web

from agentmessage.carriers.bandwidth import (
    BandwidthCallbacks,
    BandwidthLines,
    BandwidthNumbers,
    BandwidthSubscriptions,
)
from agentmessage.carriers.callbacks import CallbackReader
from agentmessage.carriers.http import AiohttpTransport
from agentmessage.carriers.protocols import (
    Accepted,
    Callback,
    Deferred,
    ForgedCallback,
    Hint,
    LineChange,
    OrderHint,
    Unknown,
)
from agentmessage.carriers.tcr import TcrCallbacks, TcrRegistry, TcrSubscriptions
from agentmessage.simulator.server import SimulatorConfig, running
from tests.carriers.test_against_the_world import BRAND, campaign_filing
from tests.carriers.world_line import ACCOUNT, REGISTRY

A = "+14155550123"
T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[object]], is_so: Callable[[T], bool]) -> T:
    """Ask until the accepted value is as wanted; fails after ten seconds."""
    async with asyncio.timeout(10):
        while True:
            answer = await ask()
            if isinstance(answer, Accepted) and is_so(answer.value):
                return answer.value
            await asyncio.sleep(0.02)


class Receiver:
    """What our callback route does: challenge the nameless, count the forged, keep the hints."""

    def __init__(self) -> None:
        self.url = ""
        self.hints: list[Hint] = []
        self.challenged = 0

    def reader(self, path: str) -> CallbackReader:
        if path == "/tcr":
            return TcrCallbacks(msgspec.structs.replace(REGISTRY, callback_url=self.url + path))
        return BandwidthCallbacks(ACCOUNT)

    async def receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        callback = Callback(headers, str(request.url), await request.read(), datetime.now(UTC))
        try:
            self.hints += self.reader(request.path).read(callback)
        except ForgedCallback:
            self.challenged += 1
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="agentmessage"'})
        return web.Response(status=200)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    app = web.Application()
    runner = web.AppRunner(app)
    receiver = Receiver()
    app.router.add_post("/{vendor}", receiver.receive)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Wired:
    """Everything on one real transport."""

    def __init__(self, url: str, transport: AiohttpTransport) -> None:
        account = msgspec.structs.replace(ACCOUNT, base_url=url, timeout_s=1.0)
        registry = msgspec.structs.replace(REGISTRY, base_url=url)
        self.url = url
        self.lines = BandwidthLines(account, transport)
        self.numbers = BandwidthNumbers(account, transport)
        self.registry = TcrRegistry(registry, transport)
        self.subscriptions = BandwidthSubscriptions(account, transport)
        self.registry_subscriptions = TcrSubscriptions(registry, transport)

    async def control(self, path: str, body: object) -> None:
        async with aiohttp.ClientSession() as session, session.post(f"{self.url}/_control/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()


@pytest.fixture
async def wired() -> AsyncIterator[Wired]:
    transport = AiohttpTransport()
    async with running(
        SimulatorConfig(port=0, profile="demo", time_scale=20.0, seed=3, prints_ready_line=False)
    ) as simulator:
        yield Wired(simulator.url, transport)
        await transport.close()


async def test_the_whole_story_over_a_socket(wired: Wired) -> None:
    brand = await wired.registry.file_brand(BRAND)
    assert isinstance(brand, Accepted)
    brand_id = brand.value.tcr_brand_id
    await until(lambda: wired.registry.read_brand(brand_id), lambda seen: seen.identity_status == "VERIFIED")
    campaign = await wired.registry.file_campaign(campaign_filing(brand_id))
    assert isinstance(campaign, Accepted)
    campaign_id = campaign.value.tcr_campaign_id
    await until(lambda: wired.registry.read_campaign(campaign_id), lambda seen: seen.status == "ACTIVE")
    bought = await wired.numbers.buy("buy-1", [A])
    assert isinstance(bought, Accepted)
    await until(lambda: wired.numbers.read_purchase(bought.value), lambda seen: seen.is_final and seen.done == (A,))
    await until(lambda: wired.lines.read_campaign(campaign_id), lambda page: page.next_page is None)

    bound = await wired.lines.submit("line-1", [LineChange(A, campaign_id)])
    assert isinstance(bound, Accepted)
    await until(lambda: wired.lines.read_order(bound.value), lambda seen: seen.is_final and not seen.refused)
    await until(
        lambda: wired.lines.read_campaign(campaign_id),
        lambda page: [(one.number, one.is_settled) for one in page.readings] == [(A, True)],
    )

    unbound = await wired.lines.submit("line-2", [LineChange(A, None)])
    assert isinstance(unbound, Accepted)
    await until(lambda: wired.lines.read_order(unbound.value), lambda seen: seen.is_final and not seen.refused)
    await until(
        wired.lines.read_all, lambda page: [(one.campaign, one.is_settled) for one in page.readings] == [(None, True)]
    )


async def test_callbacks_arrive_after_a_challenge(wired: Wired) -> None:
    """The carrier shows its credentials only to whoever asks for them."""
    async with receiving() as receiver:
        assert await wired.subscriptions.subscribe(receiver.url + "/bandwidth") == Accepted(None)
        assert await wired.registry_subscriptions.subscribe(receiver.url + "/tcr") == Accepted(None)

        brand = await wired.registry.file_brand(BRAND)
        assert isinstance(brand, Accepted)
        bought = await wired.numbers.buy("buy-1", [A])
        assert isinstance(bought, Accepted)

        async with asyncio.timeout(10):
            while not {type(hint).__name__ for hint in receiver.hints} >= {"OrderHint", "BrandHint"}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    assert receiver.challenged > 0
    assert any(isinstance(hint, OrderHint) and hint.order_key == "buy-1" for hint in receiver.hints)


@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after", "reset_after"])
async def test_a_broken_line_is_unknown_for_a_write_and_deferred_for_a_read(wired: Wired, fault: str) -> None:
    await wired.control("faults", {"once": [{"fault": fault, "count": 2}]})

    assert isinstance(await wired.numbers.buy("buy-1", [A]), Unknown)
    assert isinstance(await wired.lines.read_all(), Deferred)
    found = await wired.numbers.find_purchase("buy-1")
    assert isinstance(found, Accepted)
    assert (found.value is None) == (fault == "timeout_before")


async def test_the_wrong_password_gets_nowhere(wired: Wired) -> None:
    transport = AiohttpTransport()
    account = msgspec.structs.replace(ACCOUNT, base_url=wired.url, password="wrong")

    answer = await BandwidthLines(account, transport).read_all()
    await transport.close()

    assert getattr(answer, "code", None) == "401"
