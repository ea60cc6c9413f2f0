"""A load client: N keep-alive connections, each sends the next request when it has its answer.

Raw asyncio protocols on uvloop, so that the client costs little beside the server it measures.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable, Sequence

import uvloop
from msgspec import Struct

HEADER_END = b"\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"


class Figures(Struct, frozen=True):
    """What a run measured: requests per second, latencies in milliseconds, and answers by status."""

    per_s: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]


class Connection(asyncio.Protocol):
    """One connection that asks as long as the run lasts."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._buffer = bytearray()
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first time."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take an answer whole, then ask again."""
        self._buffer += data
        while (end := self._buffer.find(HEADER_END)) >= 0:
            head = bytes(self._buffer[:end]).lower()
            at = head.find(b"content-length: ")
            if at > 0:
                line_end = head.find(b"\r\n", at)
                length = int(head[at + 16 : line_end if line_end > 0 else None])
            elif b"transfer-encoding: chunked" in head:
                length = self._buffer.find(LAST_CHUNK, end + 2) + len(LAST_CHUNK) - end - 4
            else:
                length = 0
            if length < 0 or len(self._buffer) < end + 4 + length:
                return
            del self._buffer[: end + 4 + length]
            self._run.note(int(head[9:12]), time.perf_counter() - self._sent_at)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """A run whose connections are lost is not a measurement."""
        del exc
        self._run.lost()

    def _ask(self) -> None:
        if self._run.is_over:
            self._transport.close()
            return
        request = self._run.next_request()
        if not request:
            self._run.is_over = True
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class Run:
    """One measurement in the making."""

    def __init__(self, requests: Callable[[], bytes], connections: int) -> None:
        self._requests = requests
        self._open = connections
        self._latencies: list[float] = []
        self._statuses: dict[int, int] = {}
        self._failures = 0
        self.is_over = False
        self.ended = asyncio.Event()

    def next_request(self) -> bytes:
        """The next request's bytes; none: there are no more."""
        return self._requests()

    def note(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self._latencies.append(seconds)
        self._statuses[status] = self._statuses.get(status, 0) + 1

    def lost(self) -> None:
        """Count a connection that has ended."""
        self._open -= 1
        if not self.is_over:
            self._failures += 1
        if self._open == 0:
            self.ended.set()

    def restart(self) -> None:
        """Forget the warm-up."""
        self._latencies.clear()
        self._statuses.clear()

    def figures(self, seconds: float) -> Figures:
        """What was measured."""
        if self._failures:
            raise SystemExit(f"{self._failures} connections were lost")
        ordered = sorted(self._latencies)
        return Figures(
            len(ordered) / seconds,
            ordered[len(ordered) // 2] * 1000,
            ordered[int(len(ordered) * 0.99)] * 1000,
            dict(self._statuses),
        )


async def _measure(port: int, requests: Callable[[], bytes], *, connections: int, seconds: float) -> Figures:
    loop = asyncio.get_running_loop()
    run = Run(requests, connections)
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await asyncio.sleep(min(1.0, seconds / 3))
    run.restart()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    figures = run.figures(took)
    run.is_over = True
    await asyncio.wait_for(run.ended.wait(), 10)
    return figures


def measure(port: int, requests: Callable[[], bytes], *, connections: int, seconds: float) -> Figures:
    """Load the server on a local port for so long, after a warm-up."""
    return uvloop.run(_measure(port, requests, connections=connections, seconds=seconds))


async def send_all(port: int, requests: Iterable[bytes], *, connections: int) -> Figures:
    """Send every request once."""
    loop = asyncio.get_running_loop()
    left = iter(requests)
    run = Run(lambda: next(left, b""), connections)
    began = loop.time()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await run.ended.wait()
    return run.figures(loop.time() - began)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports


def wait_until_listening(port: int, *, within_s: float = 20.0) -> None:
    """Wait until somebody listens on a local port."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"nobody listens on port {port}") from None
            time.sleep(0.05)
        else:
            return


def request(method: str, path: str, *, key: str, body: bytes = b"") -> bytes:
    """One HTTP/1.1 request, ready to send."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def in_turn(requests: Sequence[bytes]) -> Callable[[], bytes]:
    """The requests one after the other, for ever."""
    at = 0

    def following() -> bytes:
        nonlocal at
        at = (at + 1) % len(requests)
        return requests[at]

    return following
