"""A line into a simulated world in this very process, on a clock that only tests move."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from agentmessage.carriers.bandwidth import (
    BandwidthAccount,
    BandwidthCallbacks,
    BandwidthLines,
    BandwidthNumbers,
    BandwidthSubscriptions,
)
from agentmessage.carriers.http import HttpAnswer, LineBroke
from agentmessage.carriers.protocols import Callback
from agentmessage.carriers.tcr import TcrAccount, TcrCallbacks, TcrRegistry, TcrSubscriptions
from agentmessage.simulator.core.http_types import HttpRequest
from agentmessage.simulator.world import World

START = datetime(2026, 7, 1, tzinfo=UTC)
HOOKS = "http://us.test/callbacks"

ACCOUNT = BandwidthAccount(
    account_id="9900001",
    username="simulator",
    password="simulator",
    base_url="http://world.test",
    site_id="1",
    callback_username="agentmessage",
    callback_password="hook",
)
REGISTRY = TcrAccount(
    api_key="simulator", secret="simulator", base_url="http://world.test", callback_url=HOOKS + "/tcr"
)


class WorldLine:
    """HttpTransport that asks a World; a reply that is never delivered breaks the line."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = START
        self.requests = 0

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        self.requests += 1
        split = urlsplit(url)
        reply = self.world.handle(HttpRequest(method, split.path, split.query, dict(headers), body), self.now)
        if reply.breakage is not None or reply.delay_s > timeout_s:
            raise LineBroke(str(reply.breakage or "time-out"))
        return HttpAnswer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)

    def control(self, path: str, body: object | None = None) -> Any:
        """A word with the simulator itself."""
        method, raw = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        reply = self.world.handle(HttpRequest(method, f"/_control/{path}", "", {}, raw), self.now)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def pass_time(self, seconds: float = 60.0) -> None:
        """Let the world go on."""
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def delivered(self) -> list[Callback]:
        """Callbacks that are due by now, as they would arrive."""
        return [
            Callback({name.lower(): value for name, value in out.headers.items()}, out.url, out.body, self.now)
            for out in self.world.due_callbacks(self.now)
        ]


class Caller:
    """Both vendors' adapters on one line into one world."""

    def __init__(self, *, profile: str = "demo", seed: int = 7) -> None:
        self.line = line = WorldLine(World(seed=seed, profile=profile, started_at=START))
        self.numbers = BandwidthNumbers(ACCOUNT, line)
        self.lines = BandwidthLines(ACCOUNT, line)
        self.callbacks = BandwidthCallbacks(ACCOUNT)
        self.subscriptions = BandwidthSubscriptions(ACCOUNT, line)
        self.registry = TcrRegistry(REGISTRY, line)
        self.registry_callbacks = TcrCallbacks(REGISTRY)
        self.registry_subscriptions = TcrSubscriptions(REGISTRY, line)
