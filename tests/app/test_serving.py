"""A connection is held for whoever sends, not for whoever might."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from agentmessage.app import serving
from tests.proofs.running import until

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers when the body is here."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that waits 0.3 s for a request to arrive."""
    monkeypatch.setattr(serving, "RECEIVE_S", 0.3)
    config = uvicorn.Config(echo, http=serving.BoundedRequests, lifespan="off", log_config=None, port=0)
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
