"""The real server on a real socket: slow, broken, oversized and odd requests, and a clean way out."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from agentmessage.embedded.ports import free_port
from agentmessage.kernel.db import CellDb
from tests.conftest import ENCRYPTION_KEY
from tests.make.accounts import Account
from tests.numbers.virtual_clock import add_number
from tests.proofs.running import clean_environment, until

# ruff: noqa: ASYNC220 - our own command, and starting it takes a moment only

pytestmark = pytest.mark.processes


class Served:
    """One `agentmessage serve`."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(self, *parts: bytes, pause_s: float = 0.0) -> bytes:
        """Send these bytes, pausing between them; answers all that comes back until the server closes."""
        reader, writer = await self.connect()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
            async with asyncio.timeout(15):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@pytest.fixture
async def served(dsn: str) -> AsyncIterator[Served]:
    """A server on the test's database."""
    port = free_port("127.0.0.1", None)
    environment = clean_environment(
        DATABASE_URL=dsn, AGENTMESSAGE_ENCRYPTION_KEY=ENCRYPTION_KEY, AGENTMESSAGE_PORT=str(port)
    )
    process = subprocess.Popen([sys.executable, "-m", "agentmessage", "serve"], env=environment)
    server = Served(process, port)
    async with asyncio.timeout(30):
        while True:
            assert process.poll() is None, "the server does not start"
            try:
                _, writer = await server.connect()
            except ConnectionError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            break
    yield server
    process.terminate()
    process.wait(20)


def request(method: str, path: str, key: str, body: bytes = b"", *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: x", f"authorization: Bearer {key}", "connection: close", *more]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


async def test_requests_that_come_strangely_are_answered_as_if_they_came_well(
    served: Served, db: CellDb, account: Account
) -> None:
    number = await add_number(db, account.org_id, "+14155550101")
    path = f"/v1/phone-numbers/{number}"
    whole = request("PATCH", path, account.key, b'{"label": "one"}')

    byte_by_byte = await served.say(*(whole[n : n + 1] for n in range(len(whole))), pause_s=0.001)
    head = request("PATCH", path, account.key, b"", "content-type: application/json", "transfer-encoding: chunked")
    chunked = await served.say(head, b'7\r\n{"label\r\n', b'9\r\n": "two"}\r\n0\r\n\r\n', pause_s=0.05)
    continued = await served.say(request("PATCH", path, account.key, b'{"label": "three"}', "expect: 100-continue"))

    assert [status(byte_by_byte), status(chunked)] == [200, 200]
    assert json.loads(chunked.rpartition(b"\r\n")[2])["data"]["label"] == "two"
    assert b'"label":"three"' in continued


async def test_what_only_looks_like_a_request_with_a_key_is_answered_once(served: Served, account: Account) -> None:
    """A key as trailer is none; what follows an upgrade is never another request; an odd method is told the others."""
    post = b"POST /v1/brands HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    trailer = b"2\r\n{}\r\n0\r\nauthorization: Bearer " + account.key.encode() + b"\r\n\r\n"
    late = await served.say(post + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n" + trailer)
    head = post + b"connection: Upgrade\r\nupgrade: x\r\ncontent-length: 34\r\n\r\n"
    smuggled = await served.say(head, b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n", pause_s=0.2)
    odd = await served.say(request("BREW", "/v1/brands", account.key))

    assert [status(late), status(smuggled), status(odd)] == [401, 400, 405]
    assert [answer.count(b"HTTP/1.1 ") for answer in (late, smuggled, odd)] == [1, 1, 1]
    assert all(b"x-request-id: " in answer and b'"success":false' in answer for answer in (late, smuggled, odd))


async def test_requests_on_one_connection_are_answered_in_turn(served: Served, account: Account) -> None:
    """Pipelined, with a refusal in the middle."""
    keep = request("GET", "/v1/organization", account.key).replace(b"connection: close\r\n", b"")
    wrong = keep.replace(account.key.encode(), b"am_live_wrong")

    answer = await served.say(keep, wrong, request("GET", "/v1/organization", account.key))

    assert [int(part.split(b" ")[0]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [200, 401, 200]


async def test_half_a_body_changes_nothing_and_holds_up_nobody(served: Served, db: CellDb, account: Account) -> None:
    number = await add_number(db, account.org_id, "+14155550101")
    body = b'{"label": "x"}'
    cut = request("PATCH", f"/v1/phone-numbers/{number}", account.key, body)[: -len(body)] + body[:-1]
    readers = [await served.connect() for _ in range(50)]
    for _, writer in readers:
        writer.write(cut)
        await writer.drain()

    other = await served.say(request("GET", f"/v1/phone-numbers/{number}", account.key))
    for _, writer in readers:
        writer.close()
    after = await served.say(request("GET", f"/v1/phone-numbers/{number}", account.key))

    assert (status(other), status(after)) == (200, 200)
    assert b'"label":null' in after


async def test_what_is_too_large_is_refused_in_time(served: Served, account: Account) -> None:
    """A body that never ends is not read to its end; a header that never ends neither."""
    head = request("POST", "/v1/brands", account.key, b"", "content-type: application/json", "content-length: 99999999")
    body = await served.say(head, *([b" " * 65_536] * 20))
    start = b"GET /v1/organization HTTP/1.1\r\nhost: x\r\nx: "
    header = await served.say(start, *([b"a" * 30_000] * 4), pause_s=0.05)

    assert status(body) in (413, 0)
    assert status(header) in (400, 0)
    assert status(await served.say(request("GET", "/v1/organization", account.key))) == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v1/phone-numbers HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/brands HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=["nul", "no target", "no such version", "TLS", "negative length", "no chunk"],
)
async def test_what_is_not_http_is_refused_and_the_next_caller_is_served(
    raw: bytes, served: Served, account: Account
) -> None:
    reader, writer = await served.connect()
    writer.write(raw)
    writer.write_eof()
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()

    assert status(answer) in (0, 400, 401, 505)
    assert status(await served.say(request("GET", "/v1/organization", account.key))) == 200


async def test_sigterm_lets_a_request_under_way_end_and_takes_no_more(
    served: Served, db: CellDb, account: Account
) -> None:
    """The request waits for a lock when the signal comes; it is answered, and the process ends with status 0."""
    number: UUID = await add_number(db, account.org_id, "+14155550101")
    async with db.transaction() as tx:
        await tx.run("SELECT 1 FROM phone_numbers WHERE id = $1 FOR UPDATE", number)
        asking = asyncio.create_task(
            served.say(request("PATCH", f"/v1/phone-numbers/{number}", account.key, b'{"label": "x"}'))
        )
        async with asyncio.timeout(10):
            while not await db.value("SELECT count(*) FROM pg_locks, pg_sleep(0.005) WHERE NOT granted"):
                pass
        served.process.send_signal(signal.SIGTERM)
        await until(lambda: refuses(served), what="refusal")
    answer = await asking

    assert status(answer) == 200
    assert await asyncio.to_thread(served.process.wait, 20) == 0
    assert await db.value("SELECT label FROM phone_numbers") == "x"


async def refuses(served: Served) -> bool:
    """Nobody new is let in."""
    try:
        _, writer = await served.connect()
    except ConnectionError:
        return True
    writer.close()
    return False
