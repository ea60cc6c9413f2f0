"""The real transport over real sockets: what surely was not sent, and what may have been."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from agentmessage.carriers.http import MAX_ANSWER_BYTES, AiohttpTransport, LineBroke, NotSent

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    opened = AiohttpTransport()
    yield opened
    await opened.close()


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    """A server on a free port whose handler gets each connection after the head of its request was read."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await handler(reader, writer)
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(raw: bytes) -> Handler:
    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return handle


async def test_a_whole_answer_comes_back_with_lower_case_names(transport: AiohttpTransport) -> None:
    raw = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwait"

    async with server(answers(raw)) as url:
        answer = await transport.request("POST", url, headers={"x": "y"}, body=b"<a/>")

    assert (answer.status, answer.headers["retry-after"], answer.body) == (429, "7", b"wait")


async def test_a_closed_port_surely_heard_nothing(transport: AiohttpTransport) -> None:
    with pytest.raises(NotSent):
        await transport.request("POST", f"http://127.0.0.1:{free_port()}/", headers={})


@pytest.mark.parametrize(
    "raw",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b"not http at all\r\n\r\n"],
    ids=["nothing", "half an answer", "another protocol"],
)
async def test_a_line_that_breaks_after_we_spoke_is_no_refusal(transport: AiohttpTransport, raw: bytes) -> None:
    async with server(answers(raw)) as url:
        with pytest.raises(LineBroke):
            await transport.request("POST", url, headers={}, body=b"<a/>")


async def test_silence_breaks_the_line_after_the_time_out(transport: AiohttpTransport) -> None:
    done = asyncio.Event()

    async def never(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await done.wait()

    async with server(never) as url:
        with pytest.raises(LineBroke):
            await transport.request("POST", url, headers={}, timeout_s=0.2)
        done.set()


async def test_an_endless_answer_is_cut_off(transport: AiohttpTransport) -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
        try:
            for _ in range(2 * MAX_ANSWER_BYTES // 65536):
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            pass  # what the other side does when it has had enough

    async with server(endless) as url:
        with pytest.raises(LineBroke, match="larger"):
            await transport.request("GET", url, headers={}, timeout_s=30)


async def test_a_redirect_is_an_answer_and_a_cookie_is_not_kept(transport: AiohttpTransport) -> None:
    heads: list[bytes] = []

    async def redirect(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(b"seen")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with server(redirect) as url:
        answer = await transport.request("GET", url, headers={})

    assert (answer.status, heads) == (302, [b"seen"])
