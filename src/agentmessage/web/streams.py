"""Server-Sent Events: an answer that goes on until the reader leaves or the process drains."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from agentmessage.web.responses import Receive, Send

HEARTBEAT_S = 15.0


class EventStream:
    """A stream of ready-made SSE frames; a comment line keeps idle connections open."""

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        self._frames = frames

    async def serve(self, receive: Receive, send: Send, request_id: str, *, head_only: bool = False) -> None:
        """Send frames until the reader disconnects."""
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if head_only:
            await send({"type": "http.response.body", "body": b""})
            return
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, gone):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await pump
            await self._frames.aclose()

    async def _pump(self, send: Send) -> None:
        async for frame in self._frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
