"""The desk that gateways tell receipts to: a raw HTTP server that answers 200 and counts."""

import asyncio
from collections.abc import Sequence
from typing import Self, cast

import uvloop
from typing_extensions import override

from bench.load import free_ports, send_all

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK"
PATIENCE_S = 120.0


class Desk:
    """Counts requests while a loop runs. `await until(n)` returns at the n-th."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}/receipt"
        self.told = 0
        self._wanted = 0
        self._enough = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.told = 0

    def note(self, count: int) -> None:
        """So many more were told."""
        self.told += count
        if self.told >= self._wanted:
            self._enough.set()

    async def open(self) -> asyncio.Server:
        """Listen."""
        return await asyncio.get_running_loop().create_server(lambda: _Listener(self), "127.0.0.1", self.port)

    async def until(self, wanted: int) -> None:
        """Wait until so many were told. Raises TimeoutError when none came for long."""
        self._wanted = wanted
        while self.told < wanted:
            self._enough.clear()
            before = self.told
            try:
                await asyncio.wait_for(self._enough.wait(), PATIENCE_S)
            except TimeoutError:
                if self.told == before:
                    raise


class _Listener(asyncio.Protocol):
    """Answers every whole request; they have no bodies."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        whole, separator, self._buffer = (self._buffer + data).rpartition(b"\r\n\r\n")
        if separator:
            count = whole.count(b"\r\n\r\n") + 1
            self._transport.write(ANSWER * count)
            self._desk.note(count)


def deliver(port: int, requests: Sequence[bytes], desk: Desk, *, connections: int) -> float:
    """Send everything once; texts per second from the first request to the last receipt."""
    return uvloop.run(_deliver(port, requests, desk, connections=connections))


async def _deliver(port: int, requests: Sequence[bytes], desk: Desk, *, connections: int) -> float:
    loop = asyncio.get_running_loop()
    server = await desk.open()
    began = loop.time()
    figures = await send_all(port, requests, connections=connections)
    assert set(figures.statuses) == {202}, figures.statuses
    await desk.until(len(requests))
    took_s = loop.time() - began
    server.close()
    return len(requests) / took_s
