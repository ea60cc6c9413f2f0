"""Sends callbacks over real sockets, one connection each; Basic credentials are sent only after a challenge."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from agentmessage.simulator.core.http_types import OutgoingCallback

TIMEOUT_S = 10.0
RETRY_AFTER_S = (1.0, 5.0, 15.0)
"""The registry retries; the carrier documents that it does not (docs/carriers/bandwidth.md, section 6)."""

_UNAUTHORIZED = 401
_SUCCESS_CLASS = 2
_MAX_HEADER_BYTES = 65_536


class CallbackSender:
    """Sends callbacks to their URLs, a few at a time."""

    def __init__(self, *, concurrency: int = 16) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self.delivered = 0
        self.failed = 0

    def send(self, callback: OutgoingCallback) -> None:
        """Start to send one callback."""
        task = asyncio.create_task(self._deliver(callback))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel the callbacks that are not sent yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, callback: OutgoingCallback) -> None:
        delays = (0.0, *RETRY_AFTER_S) if "x-registry-signature" in callback.headers else (0.0,)
        for delay_s in delays:
            await asyncio.sleep(delay_s)
            async with self._slots:
                if await _attempt(callback):
                    self.delivered += 1
                    return
        self.failed += 1


async def _attempt(callback: OutgoingCallback) -> bool:
    """Whether the receiver accepted it: any 2xx status."""
    without_credentials = {name: value for name, value in callback.headers.items() if name != "authorization"}
    try:
        async with asyncio.timeout(TIMEOUT_S):
            status, response_headers = await post(callback.url, without_credentials, callback.body)
            is_challenged = "basic" in response_headers.get("www-authenticate", "").lower()
            if status == _UNAUTHORIZED and is_challenged and "authorization" in callback.headers:
                status, _ = await post(callback.url, callback.headers, callback.body)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return False
    return status // 100 == _SUCCESS_CLASS


async def post(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str]]:
    """Send one request; returns status and headers, the body is not read. Raises OSError, ValueError."""
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=is_secure or None)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"POST {target} HTTP/1.1",
            f"host: {parts.netloc}",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        first, *rest = head[:_MAX_HEADER_BYTES].decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in rest if line)
        return int(first.split(" ")[1]), {name.strip().lower(): value.strip() for name, _, value in fields}
    finally:
        writer.close()
