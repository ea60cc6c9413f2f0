"""Usage without end: read in short looks, so that a slow reader holds neither a connection nor a snapshot."""

import asyncio
import time
from collections.abc import AsyncGenerator
from uuid import UUID

import structlog
from msgspec import Struct, json
from msgspec.structs import replace

from agentmessage.billing import report_queries
from agentmessage.billing.model import FREQUENT_USAGE, UsageKind, Window
from agentmessage.billing.schemas import UsageResource
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, Executor

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
    kind: UsageKind | None = None


async def read(db: Executor, org_id: UUID, window: Window, kind: UsageKind | None = None) -> Chunk:
    """The next lines of a window, of one kind or of all."""
    if kind is None or kind is FREQUENT_USAGE:
        lines, number, last_at, last_id = await report_queries.list_usage_lines(
            db, org_id, window, kind=kind, limit=CHUNK
        )
    else:
        rows = await report_queries.list_rare_usage(db, org_id, window, kind=kind, limit=CHUNK)
        lines = b"".join(json.encode(UsageResource.of(row)) + b"\n" for row in rows)
        number, last_at, last_id = len(rows), rows[-1].ts if rows else None, rows[-1].id if rows else None
    if number < CHUNK or last_at is None or last_id is None:
        return Chunk(lines, None)
    return Chunk(lines, replace(window, before_at=last_at, before_id=last_id), kind)


async def lines(db: Executor, org_id: UUID, first: Chunk) -> AsyncGenerator[bytes]:
    """The first lines and all behind them. A database that is away makes them late, or breaks the stream off."""
    chunk = first
    while True:
        if chunk.lines:
            yield chunk.lines
        if chunk.rest is None:
            return
        chunk = await _read_patiently(db, org_id, chunk.rest, chunk.kind)


async def _read_patiently(db: Executor, org_id: UUID, window: Window, kind: UsageKind | None) -> Chunk:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await read(db, org_id, window, kind)
        except DATABASE_UNAVAILABLE as error:
            if time.monotonic() >= give_up_at:
                raise
            log.warning("export delayed", error=str(error) or type(error).__name__)
        await asyncio.sleep(PAUSE_S)
