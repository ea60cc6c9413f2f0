"""Writes a whole answer at once: its head and its body in one call of the system, which is a tenth of a request."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

BODILESS = frozenset({204, 304})
"""Statuses without a body and without its length (RFC 9110, 15.3.5 and 15.4.5)."""

_pass_on = cast(
    "Callable[[RequestResponseCycle, MutableMapping[str, Any]], Awaitable[None]]", RequestResponseCycle.send
)


class OnePiece:
    """The `send` of one request in place of uvicorn's, which writes as soon as it has the head.

    The head waits for what follows it, as ASGI asks. An answer that goes on, or that does not tell its length, is
    uvicorn's business from then on.
    """

    __slots__ = ("_cycle", "_start")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._start: MutableMapping[str, Any] | None = None

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Take one ASGI message."""
        cycle, start = self._cycle, self._start
        if start is None:
            if message["type"] == "http.response.start" and not cycle.response_started:
                self._start = message
            else:
                await _pass_on(cycle, message)
            return
        self._start = None
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        body: bytes = message.get("body", b"")
        is_head = cycle.scope["method"] == "HEAD"
        if message.get("more_body") or not _tells_length(start, body, is_head=is_head):
            await _pass_on(cycle, start)
            await _pass_on(cycle, message)
            return
        self._write(start, b"" if is_head else body)

    def _write(self, start: MutableMapping[str, Any], body: bytes) -> None:
        cycle = self._cycle
        head = _head(start["status"], [*cycle.default_headers, *start["headers"]], keeps_alive=cycle.keep_alive)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(head + body)
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


def _tells_length(start: MutableMapping[str, Any], body: bytes, *, is_head: bool) -> bool:
    for name, value in start["headers"]:
        if name == b"content-length":
            return is_head or int(value) == len(body)
    return start["status"] in BODILESS and not body


def _head(status: int, headers: list[tuple[bytes, bytes]], *, keeps_alive: bool) -> bytes:
    """The status line and the headers. Raises ValueError where a value would begin a line of its own."""
    lines = [STATUS_LINE[status]]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    if not keeps_alive:
        lines.append(b"connection: close\r\n")
    lines.append(b"\r\n")
    head = b"".join(lines)
    expected = len(headers) + (2 if keeps_alive else 3)
    if head.count(b"\n") != expected or head.count(b"\r") != expected or b"\0" in head:
        raise ValueError("a header's value holds a line break")
    return head
