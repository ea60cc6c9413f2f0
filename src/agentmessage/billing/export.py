"""Usage without end: read in short looks, so that a slow reader holds neither a connection nor a snapshot."""

import asyncio
import time
from collections.abc import AsyncGenerator
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from agentmessage.billing import read_queries
from agentmessage.billing.model import Window
from agentmessage.kernel.db import DATABASE_AWAY, Statements

log = structlog.get_logger("agentmessage.billing")

CHUNK = 2_000
"""Rows read at once: about 600 kB."""

PATIENCE_S = 30.0
"""How long a database may be away before an export that has begun is given up."""

PAUSE_S = 0.5


class Chunk(Struct, frozen=True):
    """Lines that are read, and the window of those behind them; None: they are the last."""

    lines: bytes
    rest: Window | None


async def read(db: Statements, org_id: UUID, window: Window) -> Chunk:
    """The next lines of a window."""
    lines, number, last_at, last_id = await read_queries.list_usage_lines(db, org_id, window, limit=CHUNK)
    if number < CHUNK or last_at is None or last_id is None:
        return Chunk(lines, None)
    return Chunk(lines, replace(window, before_at=last_at, before_id=last_id))


async def lines(db: Statements, org_id: UUID, first: Chunk) -> AsyncGenerator[bytes]:
    """The first lines and all behind them. A database that is away makes them late, or breaks the stream off."""
    chunk = first
    while True:
        if chunk.lines:
            yield chunk.lines
        if chunk.rest is None:
            return
        chunk = await _read_patiently(db, org_id, chunk.rest)


async def _read_patiently(db: Statements, org_id: UUID, window: Window) -> Chunk:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await read(db, org_id, window)
        except DATABASE_AWAY as error:
            if time.monotonic() >= give_up_at:
                raise
            log.warning("export waits for the database", error=str(error) or type(error).__name__)
        await asyncio.sleep(PAUSE_S)
