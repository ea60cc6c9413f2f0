"""Asks a local HTTP server whether it answers, without a client library: one GET, one status."""

import asyncio
import contextlib

PATIENCE_S = 5.0


async def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET of the path is answered with 200 within five seconds."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _status(host, port, path) == b"200"
    except (OSError, TimeoutError):
        return False


async def _status(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        return line.split(b" ")[1] if line.startswith(b"HTTP/1.") else b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
