"""The simulator on a real socket: broken connections, real callbacks, storage over restarts."""

import asyncio
import base64
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from customer import basic, line_order, numbers_from, subscription

from agentmessage.simulator.core.callbacks import sign
from agentmessage.simulator.core.http_types import HttpRequest
from agentmessage.simulator.server import Running, Simulator, SimulatorConfig, running
from agentmessage.simulator.storage import Storage

NUMBERS = numbers_from(100, 20)
ORDERS = "/api/accounts/9900001/tnoptions"


@pytest.fixture
async def simulator() -> AsyncIterator[Running]:
    async with running(SimulatorConfig(port=0, profile="instant", prints_ready_line=False)) as up:
        yield up


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


async def _control(http: aiohttp.ClientSession, url: str, path: str, body: object = None) -> Any:
    method = "GET" if body is None else "POST"
    async with http.request(method, f"{url}/_control/{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def _prepare(http: aiohttp.ClientSession, url: str) -> None:
    await _control(http, url, "numbers", {"numbers": NUMBERS})
    await _control(http, url, "campaigns/CTEST01", {"create": True})


async def _order(http: aiohttp.ClientSession, url: str, key: str, numbers: list[str]) -> int:
    body = line_order(key, ("CTEST01", numbers))
    async with http.post(url + ORDERS, data=body, headers=basic("simulator")) as answer:
        await answer.read()
        return answer.status


async def test_a_socket_carries_the_responses_of_the_world(simulator: Running, http: aiohttp.ClientSession) -> None:
    await _prepare(http, simulator.url)

    assert await _order(http, simulator.url, "k", NUMBERS[:3]) == 201

    truth = await _control(http, simulator.url, "oracle")
    assert [truth["bindings"][number]["campaign"] for number in NUMBERS[:4]] == ["CTEST01"] * 3 + [None]


@pytest.mark.parametrize(("fault", "orders"), [("timeout_before", 0), ("timeout_after", 1)])
async def test_a_request_may_have_no_response(
    simulator: Running, http: aiohttp.ClientSession, fault: str, orders: int
) -> None:
    await _prepare(http, simulator.url)
    await _control(http, simulator.url, "faults", {"once": [{"fault": fault}]})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await _order(http, simulator.url, "k", NUMBERS[:1])

    assert (await _control(http, simulator.url, "oracle"))["orders"] == orders


async def test_a_reset_breaks_the_response_off(simulator: Running, http: aiohttp.ClientSession) -> None:
    await _prepare(http, simulator.url)
    await _control(http, simulator.url, "faults", {"once": [{"fault": "reset_after"}]})

    with pytest.raises(aiohttp.ClientError):
        await _order(http, simulator.url, "k", NUMBERS[:1])

    assert (await _control(http, simulator.url, "oracle"))["orders"] == 1


async def test_a_slow_response_is_late(simulator: Running, http: aiohttp.ClientSession) -> None:
    await _prepare(http, simulator.url)
    await _control(http, simulator.url, "faults", {"once": [{"fault": "slow", "seconds": 0.3}]})
    started = asyncio.get_running_loop().time()

    assert await _order(http, simulator.url, "k", NUMBERS[:1]) == 201

    assert asyncio.get_running_loop().time() - started >= 0.3


async def test_a_body_that_is_too_large_is_rejected(simulator: Running, http: aiohttp.ClientSession) -> None:
    async with http.post(simulator.url + ORDERS, data=io.BytesIO(b"x" * (16 * 1024 * 1024 + 1))) as answer:
        assert answer.status == 413


# ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────


class Receiver:
    """Our side of the callbacks: remembers each request, and asks for credentials as the carrier expects."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[tuple[str, dict[str, str], bytes]] = asyncio.Queue()
        self.refusals = 0
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        status, more = "200 OK", ""
        if self.refusals:
            self.refusals -= 1
            status = "503 Busy"
        elif "authorization" not in headers and "x-registry-signature" not in headers:
            status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="us"\r\n'
        await self.seen.put((first, headers, body))
        writer.write(f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def next(self) -> tuple[str, dict[str, str], bytes]:
        async with asyncio.timeout(5):
            return await self.seen.get()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    ours = Receiver()
    server = await asyncio.start_server(ours.answer, "127.0.0.1", 0)
    ours.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callbacks?x=1"
    async with server:
        yield ours


async def test_the_carrier_sends_credentials_only_after_a_challenge(
    simulator: Running, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    await _prepare(http, simulator.url)
    path = "/api/accounts/9900001/subscriptions"
    async with http.post(simulator.url + path, data=subscription(receiver.url), headers=basic("simulator")) as answer:
        assert answer.status == 201

    await _order(http, simulator.url, "k", NUMBERS[:1])
    requests = [await receiver.next() for _ in range(6)]

    assert {first for first, _, _ in requests} == {"POST /callbacks?x=1 HTTP/1.1"}
    bare = [body for _, headers, body in requests if "authorization" not in headers]
    shown = [body for _, headers, body in requests if "authorization" in headers]
    assert sorted(bare) == sorted(shown)
    credentials = {headers["authorization"] for _, headers, _ in requests if "authorization" in headers}
    assert credentials == {f"Basic {base64.b64encode(b'us:hook').decode()}"}


async def test_the_registry_retries(simulator: Running, http: aiohttp.ClientSession, receiver: Receiver) -> None:
    receiver.refusals = 1
    hook = {"eventCategory": "BRAND", "webhookEndpoint": receiver.url}
    async with http.put(f"{simulator.url}/v2/webhook/subscription", json=hook, headers=basic("simulator")) as answer:
        assert answer.status == 200
    brand = {"entityType": "PRIVATE_PROFIT", "displayName": "Acme", "country": "US"}
    async with http.post(f"{simulator.url}/v2/brand/nonBlocking", json=brand, headers=basic("simulator")) as answer:
        assert answer.status == 200

    requests = [await receiver.next() for _ in range(4)]

    assert len({body for _, _, body in requests}) == 3
    for _, headers, body in requests:
        assert headers["x-registry-signature"] == sign("simulator", receiver.url, body)


# ── processes ───────────────────────────────────────────────────────────────────────────────────────────────


class Process:
    """A simulator in a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        program = (
            "import asyncio, pathlib, sys\n"
            "from agentmessage.simulator.server import SimulatorConfig, serve\n"
            "config = SimulatorConfig(port=0, profile='demo', data_dir=pathlib.Path(sys.argv[1]))\n"
            "asyncio.run(serve(config))\n"
        )
        self._process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-c", program, str(data_dir)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert self._process.stdout is not None
        self.ready_line = self._process.stdout.readline()
        self.url = self.ready_line.split(" ")[3]

    def memory_kib(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        code = self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


@pytest.fixture
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulator")


async def test_the_changes_of_a_request_are_stored_before_its_response(tmp_path: Path) -> None:
    simulator = Simulator(SimulatorConfig(profile="demo", data_dir=tmp_path))

    simulator.respond(HttpRequest("POST", "/_control/numbers", "", {}, b'{"numbers": ["+14155550100"]}'))
    simulator.respond(HttpRequest("POST", ORDERS, "", basic("simulator"), line_order("k", (None, NUMBERS[:1]))))
    simulator.close()

    storage = Storage(tmp_path)
    kept = [type(entity).__name__ for _, entity in storage.entities()]
    storage.close()
    assert kept == ["NumberLine", "LineOptionOrder"]


@pytest.mark.processes
async def test_a_killed_simulator_keeps_every_order_that_it_has_answered(
    data_dir: Path, http: aiohttp.ClientSession
) -> None:
    answered: list[str] = []
    for round_ in range(3):
        process = Process(data_dir)
        await _prepare(http, process.url)
        enough = asyncio.Event()

        async def submit(worker: int, url: str, round_: int, enough: asyncio.Event) -> None:
            with contextlib.suppress(aiohttp.ClientError):
                for index in range(1000):
                    key = f"k-{round_}-{worker}-{index}"
                    if await _order(http, url, key, [NUMBERS[worker]]) == 201:
                        answered.append(key)
                    if index == 20:
                        enough.set()

        workers = [asyncio.create_task(submit(worker, process.url, round_, enough)) for worker in range(8)]
        await enough.wait()
        process.end(signal.SIGKILL)
        await asyncio.gather(*workers)

    process = Process(data_dir)
    truth = await _control(http, process.url, "oracle")
    process.end(signal.SIGTERM)

    assert len(answered) >= 60
    assert set(answered) <= {order["key"] for order in truth["order_list"]}
    assert truth["duplicate_keys"] == {}


async def _settled(http: aiohttp.ClientSession, url: str) -> Any:
    async with asyncio.timeout(15):
        for _ in range(1000):
            truth = await _control(http, url, "oracle")
            if all(truth["bindings"][number]["settled"] for number in NUMBERS):
                return truth
            await asyncio.sleep(0.1)
    raise AssertionError("never settled")


@pytest.mark.processes
async def test_orders_in_progress_continue_after_a_kill(data_dir: Path, http: aiohttp.ClientSession) -> None:
    first = Process(data_dir)
    await _prepare(http, first.url)
    await _order(http, first.url, "k", NUMBERS[:5])
    first.end(signal.SIGKILL)

    second = Process(data_dir)
    truth = await _settled(http, second.url)
    second.end(signal.SIGTERM)

    assert [truth["bindings"][number]["campaign"] for number in NUMBERS[:6]] == ["CTEST01"] * 5 + [None]


@pytest.mark.processes
async def test_a_simulator_prints_its_address_and_stays_small(data_dir: Path, http: aiohttp.ClientSession) -> None:
    process = Process(data_dir)
    health = await _control(http, process.url, "health")
    memory_kib = process.memory_kib()
    process.end(signal.SIGTERM)

    assert process.ready_line.startswith("simulator ready on http://127.0.0.1:")
    assert json.dumps(health["alive"]) == "true"
    assert memory_kib < 60 * 1024
