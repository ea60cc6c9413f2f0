"""One tenant behind a shared proxy can neither write nor read anything of another's request."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentmessage.settings import Settings
from tests.make.accounts import Account, open_account
from tests.proxies.running import PROXIES, found, in_front
from tests.sdk.served import Served, served

HOST = b"Host: sms.example\r\n"
VICTIMS = 4
"""Requests of others after each attack: more than a proxy has idle connections by then."""


@pytest.fixture
def platform(settings: Settings) -> AsyncIterator[Served]:
    """The platform on a socket."""
    with served(settings) as running:
        yield running  # type: ignore[misc]


def smuggled(key: str) -> list[bytes]:
    """What an attacker would have the platform take for a request: whole, or with the next one as its body."""
    bearer = b"Authorization: Bearer " + key.encode() + b"\r\n"
    return [
        b"GET /v1/organization HTTP/1.1\r\n" + HOST + bearer + b"\r\n",
        b"POST /v1/messages/media-upload HTTP/1.1\r\n" + HOST + bearer + b"Content-Length: 400\r\n\r\n",
    ]


def attacks(key: str) -> dict[str, tuple[bytes, ...]]:
    """Requests in parts, with a pause after each."""
    bearer = b"Authorization: Bearer " + key.encode() + b"\r\nContent-Type: application/json\r\n"
    post = b"POST /v1/messages HTTP/1.1\r\n" + HOST + bearer
    slow = post.replace(b"POST /v1/messages", b"GET /v1/inbound-messages/wait?timeout_s=1")
    made: dict[str, tuple[bytes, ...]] = {}
    for number, inner in enumerate(smuggled(key)):
        length = f"Content-Length: {len(inner)}\r\n\r\n".encode()
        chunks = b"Transfer-Encoding: chunked\r\n\r\n"
        chunk = f"{len(inner):x}\r\n".encode() + inner + b"\r\n0\r\n\r\n"
        for name in (b"x", b"h2c", b"websocket", b"TLS/1.2"):
            asks = b"Connection: Upgrade\r\nUpgrade: " + name + b"\r\n"
            label = f"{number} upgrade to {name.decode()}"
            made[f"{label}, length"] = (post + asks + length, inner)
            made[f"{label}, chunks"] = (post + asks + chunks, chunk)
            made[f"{label}, while it is answered"] = (slow + asks + length, inner)
            made[f"{label}, behind"] = (post.replace(b"POST", b"GET") + asks + b"\r\n", inner)
        wrong = post.replace(key.encode(), b"am_live_wrong")
        made[f"{number} unread after 401"] = (wrong + length, inner)
        made[f"{number} unread after 404"] = (post.replace(b"/v1/messages", b"/nothing") + length, inner)
        made[f"{number} unread after 413"] = (post + b"Content-Length: 2000000\r\n\r\n", b"x" * 1_100_000 + inner)
        made[f"{number} unread after 415"] = (post.replace(b"application/json", b"text/plain") + length, inner)
        made[f"{number} expected"] = (post + b"Expect: 100-continue\r\n" + length, inner)
        made[f"{number} expected, refused"] = (wrong + b"Expect: 100-continue\r\n" + length, inner)
        made[f"{number} two lengths"] = (post + b"Content-Length: 0\r\n" + length + inner,)
        made[f"{number} length and chunks"] = (post + length[:-2] + chunks + b"0\r\n\r\n" + inner,)
        made[f"{number} gzip, chunked"] = (post + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk,)
        made[f"{number} folded"] = (post + b"X: y\r\n Transfer-Encoding: chunked\r\n" + length + inner,)
        made[f"{number} bare line feed"] = (post + b"X: y\nContent-Length: 0\r\n" + length + inner,)
        made[f"{number} close as trailer"] = (post + chunks, b"1\r\nx\r\n0\r\nConnection: close\r\n\r\n", inner)
        made[f"{number} absolute"] = (post.replace(b" /v1", b" http://other.example/v1") + length, inner)
        made[f"{number} tunnel"] = (b"CONNECT sms.example:443 HTTP/1.1\r\n" + HOST + bearer + b"\r\n", inner)
        made[f"{number} HTTP/1.0"] = (post.replace(b"HTTP/1.1", b"HTTP/1.0") + length, inner)
    return made


async def attack(port: int, parts: tuple[bytes, ...]) -> bytes:
    """Send the parts, and listen for a while; answers all that came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.05)
        async with asyncio.timeout(1.2 if b"wait?" in parts[0] else 0.1):
            while got := await reader.read(65_536):
                told += got
    except (ConnectionError, TimeoutError):
        pass
    writer.close()
    return told


async def ask(port: int, key: str) -> str:
    """Which organization a key belongs to, by a request of its own through the proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asks = b"GET /v1/organization HTTP/1.1\r\n" + HOST + b"Authorization: Bearer " + key.encode()
    writer.write(asks + b"\r\nConnection: close\r\n\r\n")
    try:
        async with asyncio.timeout(10):
            told = await reader.read()
    except TimeoutError:
        return "no answer"
    finally:
        writer.close()
    try:
        return str(json.loads(told[told.index(b"{") : told.rindex(b"}") + 1])["data"]["name"])
    except (ValueError, KeyError):
        return repr(told)


@pytest.mark.parametrize("proxy", PROXIES)
async def test_nobody_behind_a_proxy_writes_the_beginning_of_anothers_request(
    proxy: str, platform: Served, tmp_path: Path
) -> None:
    """Whatever is sent, every request of the others gets its own answer, and the attacker no more than it asked for."""
    if found(proxy) is None:
        pytest.skip(f"{proxy} is not installed (Debian: apt-get install {proxy})")
    victim: Account = platform.do(open_account(platform.cells, name="Victim"))
    behind = int(platform.base_url.rpartition(":")[2])
    wrong: dict[str, object] = {}
    async with in_front(PROXIES[proxy], tmp_path, behind) as port:
        assert await ask(port, victim.key) == "Victim"
        for name, parts in attacks(platform.account.key).items():
            told = await attack(port, parts)
            names = [await ask(port, victim.key) for _ in range(VICTIMS)]
            answers = told.count(b"HTTP/1.1 ") - told.count(b"HTTP/1.1 100")
            if names != ["Victim"] * VICTIMS or b"Victim" in told or victim.key.encode() in told:
                wrong[name] = names, told
            elif answers > 2:  # its own two, where the proxy itself reads two
                wrong[name] = answers, told

    assert wrong == {}
