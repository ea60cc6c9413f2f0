"""Requests at a steady pace, whether or not the earlier ones are answered; waiting for a free connection counts."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import cast

from typing_extensions import override

from bench.load import HEADER_END

TICK_S = 0.002


class _Line(asyncio.Protocol):
    """One connection; `on_answer` is told when it is free again."""

    def __init__(self, paced: "_Paced") -> None:
        self._paced = paced
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._paced.free.append(self)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(HEADER_END)
        if not separator:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        if len(rest) >= length:
            self._buffer = b""
            self._paced.answered(self, int(head[9:12]), self._place)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._paced.lost = True

    def ask(self, request: bytes, place: int) -> None:
        """Send one request."""
        self._place = place
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class _Paced:
    def __init__(self, requests: Sequence[bytes], per_s: float) -> None:
        self.free: deque[_Line] = deque()
        self.lost = False
        self.latencies = [0.0] * len(requests)
        self._requests = requests
        self._per_s = per_s
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._next = 0
        self._answered = 0
        self.ended = asyncio.Event()

    def answered(self, line: _Line, status: int, place: int) -> None:
        assert status == 202, status
        self.latencies[place] = self._loop.time() - (self._began + place / self._per_s)
        self.free.append(line)
        self._answered += 1
        if self._answered == len(self._requests):
            self.ended.set()

    async def run(self) -> None:
        self._began = self._loop.time()
        while not self.ended.is_set():
            due = min(len(self._requests), int((self._loop.time() - self._began) * self._per_s) + 1)
            while self._next < due and self.free:
                self.free.popleft().ask(self._requests[self._next], self._next)
                self._next += 1
            await asyncio.sleep(TICK_S)
            assert not self.lost, "a connection was lost"


async def paced(port: int, requests: Sequence[bytes], *, per_s: float, connections: int) -> list[float]:
    """Send so many a second; seconds from when each was due to its answer, in their order."""
    run = _Paced(requests, per_s)
    loop = asyncio.get_running_loop()
    lines = [await loop.create_connection(lambda: _Line(run), "127.0.0.1", port) for _ in range(connections)]
    await run.run()
    for _, line in lines:
        line.close()
    return run.latencies
