"""The whole platform as real processes, and customers who keep asking until they know."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp

from agentmessage.embedded.ports import free_port
from tests.make import storage

# ruff: noqa: S603, ASYNC220 - commands are our own, and starting one takes a moment only

POLL_S = 0.05


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 30.0, what: str = "it") -> Any:
    """Wait for a condition; answers what it answered."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (found := await condition()):
        assert loop.time() < deadline, f"{what} did not come true within {seconds:g} s"
        await asyncio.sleep(POLL_S)
    return found


def clean_environment(**settings: str) -> dict[str, str]:
    """The environment of a child: no setting but these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AGENTMESSAGE_")}
    return {**inherited, **settings}


class Answer:
    """Status and body of one HTTP answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def data(self) -> Any:
        """`data` of a success."""
        answer = json.loads(self.body)
        assert answer["success"] is True, answer
        return answer["data"]


class Customer:
    """HTTP with a key. `ask` raises OSError, TimeoutError or aiohttp.ClientError when nobody answers."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, key: str) -> None:
        self._session = session
        self.base_url = base_url
        self.key = key

    def using(self, key: str) -> "Customer":
        """The same connection pool with another key."""
        return Customer(self._session, self.base_url, key)

    def at(self, base_url: str) -> "Customer":
        """The same customer at another process."""
        return Customer(self._session, base_url, self.key)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request."""
        sent = {"authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        timeout = aiohttp.ClientTimeout(total=30)
        async with self._session.request(
            method, self.base_url + path, json=body, headers=sent, timeout=timeout
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def insist(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Ask until somebody answers something else than 5xx."""
        for _ in range(600):
            try:
                answer = await self.ask(method, path, body, **headers)
            except (OSError, TimeoutError, aiohttp.ClientError):
                await asyncio.sleep(POLL_S)
                continue
            if answer.status < 500:
                return answer
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"{method} {path}: nobody answers")


class Running:
    """One `agentmessage up` in a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *options: str, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(self.root / "data"), "--port", "0"]
        command += ["--ready-file", str(self.root / "ready.json"), *options]
        with (self.root / "out").open("w") as out:
            self._process = subprocess.Popen(
                command, stdout=out, stderr=out, env=clean_environment(**(environment or {}))
            )

        async def is_ready() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, (self.root / "out").read_text()
            return (self.root / "ready.json").exists()

        await until(is_ready, seconds=60, what="start")
        self.ready = json.loads((self.root / "ready.json").read_bytes())

    def pids(self) -> dict[str, int]:
        """Who runs now."""
        return json.loads((self.root / "data" / "processes.json").read_bytes())

    async def kill(self, name: str) -> None:
        """Kill (-9) one process, and wait until the supervisor has started it again."""
        victim = self.pids()[name]
        os.kill(victim, signal.SIGKILL)

        async def is_back() -> bool:
            return self.pids().get(name, victim) != victim

        await until(is_back, seconds=30, what=f"{name} is back")

    def stop(self) -> None:
        """End everything and forget it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.root, ignore_errors=True)


@asynccontextmanager
async def platform(*options: str, environment: Mapping[str, str] | None = None) -> AsyncGenerator[Running]:
    """A platform of one test."""
    running = Running(Path(tempfile.mkdtemp(prefix="agentmessage-proof-", dir=storage.place())))
    try:
        await running.start(*options, environment=environment)
        yield running
    finally:
        running.stop()


@asynccontextmanager
async def customer(running: Running, key: str = "api_key") -> AsyncGenerator[Customer]:
    """A customer of a platform, by the name of a key in its ready file."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        yield Customer(session, running.ready["base_url"], running.ready[key])


async def own_numbers(one: Customer, count: int) -> list[str]:
    """Ids of so many numbers, bought just now."""
    found = await one.insist("POST", "/v1/phone-numbers/search", {"area_code": "415", "quantity": count})
    numbers = [row["number"] for row in found.data]
    ordered = await one.insist("POST", "/v1/phone-numbers/orders", {"numbers": numbers})
    assert ordered.status == 201, ordered.body
    return [row["id"] for row in ordered.data]


BRAND = {
    "entity_type": "PRIVATE_PROFIT",
    "brand_relationship": "BASIC_ACCOUNT",
    "display_name": "Acme",
    "country": "US",
}
CAMPAIGN = {
    "usecase": "CUSTOMER_CARE",
    "description": "Appointment reminders to patients of the practice who asked for them.",
    "message_flow": "Patients tick an unchecked box on the booking form and agree to reminders by text.",
    "sample1": "Acme Dental: your appointment is on Monday at 9. Reply STOP to opt out.",
}


async def own_campaigns(one: Customer, count: int) -> list[tuple[str, str]]:
    """Id and registry id of so many approved campaigns, filed just now under one brand."""
    made = await one.insist("POST", "/v1/brands", BRAND)
    assert made.status == 202, made.body
    brand_id = made.data["id"]

    async def is_verified() -> bool:
        return (await one.insist("GET", f"/v1/brands/{brand_id}")).data["identity_status"] == "VERIFIED"

    await until(is_verified, what="verification")
    ids = []
    for _ in range(count):
        filed = await one.insist("POST", "/v1/campaigns", {"brand_id": brand_id, **CAMPAIGN})
        assert filed.status in (201, 202), filed.body
        ids.append(filed.data["id"])

    async def are_active() -> list[tuple[str, str]]:
        shown = [(await one.insist("GET", f"/v1/campaigns/{some_id}")).data for some_id in ids]
        return [(c["id"], c["tcr_campaign_id"]) for c in shown] if all(c["status"] == "ACTIVE" for c in shown) else []

    return await until(are_active, what="approval")


async def control(one: Customer, running: Running, path: str, body: Any = None) -> Any:
    """A word with the simulator itself."""
    simulator = one.at(running.ready["simulator_url"])
    answer = await simulator.insist("GET" if body is None else "POST", f"/_control/{path}", body)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


async def ids_by_number(one: Customer) -> dict[str, UUID]:
    """Every number that the customer holds."""
    rows = (await one.insist("GET", "/v1/phone-numbers?limit=100")).data
    return {row["number"]: UUID(row["id"]) for row in rows}


class Beside:
    """One more process of a running platform's parts: `serve` on a port of its own, or `work`."""

    def __init__(self, running: Running, *command: str, **settings: str) -> None:
        self._log = running.root / f"beside-{len(list(running.root.glob('beside-*')))}"
        environment = {
            **clean_environment(),
            "DATABASE_URL": running.ready["database_url"],
            "AGENTMESSAGE_ENCRYPTION_KEY": (running.root / "data" / "encryption.key").read_text().strip(),
            "AGENTMESSAGE_SIMULATOR_URL": running.ready["simulator_url"],
            "AGENTMESSAGE_PUBLIC_URL": running.ready["base_url"],
            **settings,
        }
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agentmessage", *command], stdout=log, stderr=log, env=environment
            )

    def said(self) -> str:
        """What it printed."""
        return self._log.read_text()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@asynccontextmanager
async def beside(running: Running, *command: str, **settings: str) -> AsyncGenerator[Beside]:
    """One more process while the block runs."""
    process = Beside(running, *command, **settings)
    try:
        yield process
    finally:
        process.stop()


@asynccontextmanager
async def second_api(running: Running, one: Customer, **settings: str) -> AsyncGenerator[Customer]:
    """The same customer at a second API process."""
    port = free_port("127.0.0.1", None)
    async with beside(running, "serve", "--port", str(port), **settings):
        other = one.at(f"http://127.0.0.1:{port}")
        assert (await other.insist("GET", "/healthz")).status == 200
        yield other


async def is_up(one: Customer) -> None:
    """Wait until everything is well."""

    async def is_ready() -> bool:
        return (await one.insist("GET", "/readyz")).status == 200

    await until(is_ready, what="readiness")
