"""Answers that go on: Server-Sent Events until the reader leaves or the process drains, and exports line by line."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

import structlog
from typing_extensions import override

from agentmessage.kernel.errors import Unauthorized
from agentmessage.kernel.tenant import Tenant
from agentmessage.web.key_watch import KeyWatch
from agentmessage.web.negotiation import preferred
from agentmessage.web.responses import JSON, Receive, Send

log = structlog.get_logger("agentmessage.web")

HEARTBEAT_S = 15.0
STALL_S = 120.0
"""How long a reader may take nothing of what waits for it before it is hung up on."""

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"


class Stream:
    """An answer in parts, each made when the reader has taken the one before. `on_end` is called once, at its end."""

    def __init__(
        self, frames: AsyncGenerator[bytes], content_type: str, on_end: Callable[[], None] | None = None
    ) -> None:
        self._frames = frames
        self._content_type = content_type
        self._on_end = on_end

    async def serve(self, receive: Receive, send: Send, request_id: str, *, head_only: bool = False) -> None:
        """Send frames until there are no more or the reader disconnects.

        A stream that breaks is left without its end, so that the server hangs up and the reader can tell.
        """
        try:
            await self._serve(receive, send, request_id, head_only=head_only)
        finally:
            if self._on_end is not None:
                self._on_end()

    async def _serve(self, receive: Receive, send: Send, request_id: str, *, head_only: bool) -> None:
        headers = [
            (b"content-type", self._content_type.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if head_only:
            await send({"type": "http.response.body", "body": b""})
            await self._frames.aclose()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": True})  # the head need not wait for a frame
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done() and (fault := pump.exception()) is not None:
                log.warning("stream interrupted", request_id=request_id, error=str(fault) or type(fault).__name__)
        finally:
            for task in (pump, gone):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await pump
            await self._frames.aclose()

    async def _pump(self, send: Send) -> None:
        async for frame in self._frames:
            async with asyncio.timeout(STALL_S):
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class EventStream(Stream):
    """A stream of ready-made SSE frames; a comment line keeps idle connections open."""

    def __init__(self, frames: AsyncGenerator[bytes], on_end: Callable[[], None] | None = None) -> None:
        super().__init__(frames, EVENTS, on_end)


class LineStream(Stream):
    """A stream of JSON values, each on a line of its own, without an envelope; a frame holds whole lines."""

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        super().__init__(frames, LINES)
        self._while: tuple[KeyWatch, Tenant] | None = None

    def end_with(self, watch: KeyWatch, tenant: Tenant) -> None:
        """Break off, without an end, within a second of the end of the key that asks."""
        self._while = (watch, tenant)

    @override
    async def serve(self, receive: Receive, send: Send, request_id: str, *, head_only: bool = False) -> None:
        serving = super().serve(receive, send, request_id, head_only=head_only)
        if self._while is None:
            return await serving
        watch, tenant = self._while
        with contextlib.suppress(Unauthorized):
            await watch.run_while_valid(tenant, serving)
        return None


def prefers(accept: str | None, content_type: str) -> bool:
    """Whether a caller likes a kind of stream better than JSON."""
    return preferred(accept, (JSON, content_type)) == content_type


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
