"""Writes a whole answer at once: its head and its body in one call of the system, which is a tenth of a request."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.ids import new_ulid
from agentmessage.web.responses import error_response, response_headers

BODILESS = frozenset({204, 304})
"""Statuses without a body and without its length (RFC 9110, 15.3.5 and 15.4.5)."""
SERVER_ERROR = 500
"""From here on uvicorn's own answers begin, to what the application raised; they end the connection."""

_pass_on = cast(
    "Callable[[RequestResponseCycle, MutableMapping[str, Any]], Awaitable[None]]", RequestResponseCycle.send
)


class OnePiece:
    """The `send` of one request in place of uvicorn's, which writes as soon as it has the head.

    The head waits for what follows it, as ASGI asks. An answer that goes on, or that does not tell its length, is
    uvicorn's business from then on. One that is given before the request is whole ends the connection with `hang_up`:
    what is left of the request must not be read as another.
    """

    __slots__ = ("_cycle", "_hang_up", "_start")

    def __init__(self, cycle: RequestResponseCycle, hang_up: Callable[[], None]) -> None:
        self._cycle = cycle
        self._hang_up = hang_up
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
        is_last = start["status"] >= SERVER_ERROR and (b"connection", b"close") in start["headers"]
        if message.get("more_body") or is_last or not _tells_length(start, body, is_head=is_head):
            if cycle.more_body:
                start["headers"] = [*start["headers"], (b"connection", b"close")]
            await _pass_on(cycle, start)
            await _pass_on(cycle, message)
            return
        self._write(start, b"" if is_head else body)

    def _write(self, start: MutableMapping[str, Any], body: bytes) -> None:
        cycle = self._cycle
        keeps_alive = cycle.keep_alive and not cycle.more_body
        head = _head(start["status"], [*cycle.default_headers, *start["headers"]], keeps_alive=keeps_alive)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(head + body)
        cycle.message_event.set()
        if not cycle.more_body and not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        if cycle.more_body:
            self._hang_up()


def whole_answer(error: ApiError, default_headers: Sequence[tuple[bytes, bytes]], *, head_only: bool) -> bytes:
    """A refusal, as bytes, of a request that does not reach the application; the last on its connection."""
    request_id = new_ulid()
    reply = error_response(error, request_id)
    head = _head(reply.status, [*default_headers, *response_headers(reply, request_id)], keeps_alive=False)
    return head if head_only else head + reply.body


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
