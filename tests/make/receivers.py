"""A receiver of webhooks on a real socket, that behaves as the path it is asked for says."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct


class Heard(Struct, frozen=True):
    """One request that was heard, and when its head was complete (monotonic seconds)."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> Any:
        return json.loads(self.body)


Answer = Callable[[Heard, asyncio.StreamWriter], Any]


class Receiver:
    """Answers every path with 200 unless told otherwise; keeps connections."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.connections = 0
        self.answers: dict[str, Answer] = {}
        self.port = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._news = asyncio.Event()

    def url(self, path: str = "/ok") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def on(self, path: str) -> list[Heard]:
        """What was heard on one path."""
        return [one for one in self.heard if one.path == path]

    async def until(self, count: int, path: str = "/ok", *, seconds: float = 20.0) -> list[Heard]:
        """What was heard on a path, once it is so many."""
        async with asyncio.timeout(seconds):
            while len(self.on(path)) < count:
                self._news.clear()
                await self._news.wait()
        return self.on(path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        heard = Heard(first.split(" ")[1], headers, body, time.monotonic())
        self.heard.append(heard)
        self._news.set()
        await self.answers.get(heard.path, status(200))(heard, writer)
        await writer.drain()
        return not writer.is_closing()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def status(code: int, body: bytes = b"ok", **headers: str) -> Answer:
    """Always the same answer."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {code} Said\r\n{extra}content-length: {len(body)}\r\n\r\n".encode()

    async def answer(_: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(head + body)

    return answer


async def hang(_: Heard, __: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def drip(_: Heard, writer: asyncio.StreamWriter) -> None:
    """A byte a second, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(1)


@asynccontextmanager
async def receiver(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    one = Receiver()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0, ssl=tls)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.close()
        await server.wait_closed()
