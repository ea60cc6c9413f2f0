"""No stranger's address leads into our own network, whatever it looks like."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from agentmessage.kernel import safe_http
from agentmessage.kernel.names import Names
from agentmessage.kernel.safe_http import NotPublic, exact_url, is_public, public_connector


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "192.0.0.192",
        "168.63.129.16",
        "::127.0.0.1",
        "64:ff9b:1::1",
        "5f00::1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "localhost",
        "",
    ],
)
def test_what_is_not_of_the_internet_is_refused(host: str) -> None:
    assert not is_public(host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is_of_the_internet_is_allowed(host: str) -> None:
    assert is_public(host)


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    one = Names()
    yield one
    await one.close()


class Rebinding(AbstractResolver):
    """A name server that answers with whatever address it likes."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=self.address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
async def visits() -> AsyncIterator[tuple[int, list[str]]]:
    """A server of ours that nobody outside may reach; its port, and who came."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername")[0])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], seen
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "harmless.example"]
)
async def test_a_socket_is_never_connected_to_a_private_address(
    host: str, visits: tuple[int, list[str]], names: Names
) -> None:
    port, seen = visits
    resolver = Rebinding("127.0.0.1") if host == "harmless.example" else names
    connector = public_connector(allow_private=False, names=resolver, connections=4)

    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://{host}:{port}/", timeout=aiohttp.ClientTimeout(total=2))

    assert seen == []


async def test_for_development_private_addresses_may_be_allowed(visits: tuple[int, list[str]], names: Names) -> None:
    port, seen = visits
    connector = public_connector(allow_private=True, names=names, connections=4)

    async with aiohttp.ClientSession(connector=connector) as session:
        answer = await session.get(f"http://127.0.0.1:{port}/")

    assert (answer.status, seen) == (204, ["127.0.0.1"])


def test_the_socket_itself_refuses() -> None:
    with pytest.raises(NotPublic, match=r"10\.0\.0\.1"):
        safe_http._public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80)))


@pytest.mark.parametrize(
    ("behind", "line"),
    [
        ("", "/"),
        ("?", "/?"),
        ("?x=1", "/?x=1"),
        ("/p?", "/p?"),
        ("/p??", "/p??"),
        ("/in?x-signature=rX7A%2FXCC2w%3D", "/in?x-signature=rX7A%2FXCC2w%3D"),
        ("/a/../b/./c//d", "/a/../b/./c//d"),
        ("/%7Euser/%2e%2E/%41?%7e=%2c", "/%7Euser/%2e%2E/%41?%7e=%2c"),
        ("/[x]|{y}^`?[z]=\"'<>", "/[x]|{y}^`?[z]=\"'<>"),
        ("/a+b?c+d=%20&&=;&e", "/a+b?c+d=%20&&=;&e"),
        ("/%zz%?%%", "/%zz%?%%"),
        ("/a;b=c@d:e!$&()*,", "/a;b=c@d:e!$&()*,"),
        ("/?u=https://other.example/?a=b", "/?u=https://other.example/?a=b"),
        ("/x#part", "/x"),
    ],
)
async def test_the_request_line_is_byte_for_byte_what_was_given(behind: str, line: str, names: Names) -> None:
    lines: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connector = public_connector(allow_private=True, names=names, connections=4)
    async with aiohttp.ClientSession(connector=connector) as session:
        await session.get(exact_url(f"http://127.0.0.1:{port}{behind}"))
    server.close()

    assert lines == [f"GET {line} HTTP/1.1\r\n".encode()]


@pytest.mark.parametrize(
    "text", ["http://h/\u00e9", "http://h/a b", "http://h/\r\nx: y", "http://h:0/", "http://h:99999/", "http://h:x/"]
)
def test_what_fits_in_no_request_line_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)url|port"):
        exact_url(text)
