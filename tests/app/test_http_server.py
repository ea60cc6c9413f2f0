"""A connection is held for whoever sends, not for whoever might."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from agentmessage.app import protocol
from agentmessage.app.api import Api
from agentmessage.app.server import DrainingServer
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.proofs.running import until

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers when the body is here; as the path wants it."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await ANSWERS[scope["path"]](send)
        if scope["path"] == "/ever":
            await receive()


async def nothing(send: Any) -> None:
    """204."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def something(send: Any) -> None:
    """Six bytes, of which HEAD is told only the number."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"answer"})


async def too_little(send: Any) -> None:
    """Fewer bytes than announced."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
    await send({"type": "http.response.body", "body": b"answer"})


async def forged(send: Any) -> None:
    """A header's value with a line of its own."""
    headers = [(b"content-length", b"6"), (b"location", b"/x\r\nset-cookie: a=b")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"answer"})


async def for_ever(send: Any) -> None:
    """A head, and then nothing until the reader has gone."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": True})


ANSWERS = {"/": nothing, "/some": something, "/less": too_little, "/forged": forged, "/ever": for_ever}


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that waits 0.3 s for a request to arrive."""
    monkeypatch.setattr(protocol, "RECEIVE_S", 0.3)
    config = uvicorn.Config(echo, http=protocol.StrictProtocol, lifespan="off", log_config=None, port=0)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve())

    async def has_started() -> bool:
        return server.started

    await until(has_started, what="the start")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


@pytest.mark.parametrize("begun", [b"", b"POST / HT", HEAD, HEAD + b"ab"])
async def test_a_request_that_does_not_arrive_is_hung_up_on(port: int, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)

    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_a_line_end_behind_an_answer_holds_nothing_open(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asking("/"))
    async with asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\r\n")
        assert await reader.read() == b""
    writer.close()


async def test_one_that_keeps_dripping_is_too(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.replace(b"4", b"1000"))
    ended = asyncio.create_task(reader.read())
    async with asyncio.timeout(10):
        while not ended.done():
            writer.write(b"a")
            await asyncio.wait({ended}, timeout=0.05)
    assert isinstance(ended.exception(), ConnectionError) or ended.result() == b""
    writer.close()


async def test_requests_that_arrive_are_answered_however_long_the_connection_lives(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        for _ in range(3):
            writer.write(HEAD)
            await asyncio.sleep(0.2)  # within its time, and all three together beyond one request's
            writer.write(b"abcd")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
    writer.close()


def asking(path: str, *, method: str = "GET", more: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


async def test_an_answer_leaves_in_one_piece(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    made = protocol.StrictProtocol.connection_made

    def watched(self: protocol.StrictProtocol, transport: asyncio.Transport) -> None:
        made(self, transport)
        self.transport = Watched(transport, pieces)

    monkeypatch.setattr(protocol.StrictProtocol, "connection_made", watched)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asking("/some"))
    async with asyncio.timeout(10):
        await reader.readuntil(b"answer")
    assert len(pieces) == 1
    writer.close()


class Watched:
    """A transport that remembers what was written to it."""

    def __init__(self, transport: asyncio.Transport, pieces: list[bytes]) -> None:
        self._transport = transport
        self._pieces = pieces

    def write(self, data: bytes) -> None:
        """Remember, and pass on."""
        self._pieces.append(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_requests_that_come_together_are_answered_in_their_order(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asking("/some", method="HEAD") + asking("/") + asking("/some", more="Connection: close\r\n"))
    async with asyncio.timeout(10):
        told = await reader.read()
    writer.close()
    assert len(re.findall(rb"date: [^\r]+ GMT\r\n", told)) == 3, "every answer tells when it was served"
    told = re.sub(rb"(date|server): [^\r]+\r\n", b"", told)
    assert told == (
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nanswer"
    )


async def test_a_stream_begins_before_its_first_frame(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asking("/ever"))
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("path", ["/less", "/forged"])
async def test_an_answer_that_would_mislead_is_never_finished(port: int, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asking(path))
    async with asyncio.timeout(10):
        told = await reader.read()
    writer.close()
    assert b"set-cookie" not in told
    assert told.startswith(b"HTTP/1.1 500") or len(told.partition(b"\r\n\r\n")[2]) < len(b"answer!")


async def test_a_server_that_is_told_twice_to_stop_ends_its_application_too(settings: Settings, cells: Cells) -> None:
    """Left waiting, the application would be cancelled, and uvicorn would log that as an error."""
    api = Api(settings, cells=cells)
    config = uvicorn.Config(api, http=protocol.StrictProtocol, lifespan="on", log_config=None, port=0)
    server = DrainingServer(config, api)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve())

    async def has_started() -> bool:
        return server.started

    await until(has_started, what="the start")

    server._stop()
    server._stop()
    await running

    assert server.force_exit
    assert server.lifespan.shutdown_event.is_set()
