"""The ceiling of admission: one route, the same batcher, one table. JSON is decoded, and that is all.

No key, no law, no money, no queue, no validation: 202 after the commit of one insert for all texts that arrived
together. At one connection it is what a single-row insert request costs.
"""

import gc
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from agentmessage.kernel.batcher import Batcher
from agentmessage.kernel.ids import new_id

TABLE = """
    CREATE TABLE IF NOT EXISTS bare_texts (
        id uuid PRIMARY KEY, org_id uuid NOT NULL, sender text NOT NULL, recipient text NOT NULL, text text NOT NULL,
        status text NOT NULL, segments integer NOT NULL, priority integer NOT NULL, tag text, metadata jsonb,
        expires_at timestamptz NOT NULL, created_at timestamptz NOT NULL);
    CREATE INDEX IF NOT EXISTS bare_texts_list_idx ON bare_texts (org_id, created_at, id);
"""
INSERT = """
    INSERT INTO bare_texts
    SELECT id, $1, sender, recipient, text, 'queued', 1, 1, NULL, NULL, $2, $3
    FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[]) g (id, sender, recipient, text)
"""
ORG_ID = new_id()
VALIDITY = timedelta(hours=4)
YOUNG_OBJECTS = 20_000


class Bare(Struct, frozen=True):
    """A text as it comes, and as it is answered."""

    from_: str = msgspec.field(name="from")
    to: str
    text: str
    id: UUID | None = None
    status: str | None = None
    created_at: datetime | None = None


_decode = msgspec.json.Decoder(Bare).decode
_encode = msgspec.json.Encoder().encode


class Door:
    """The one way in."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._batcher: Batcher[Bare, Bare] = Batcher(self._flush, max_batch=500, max_waiting=10_000)

    async def put(self, text: Bare) -> Bare:
        """Store a text beside whatever else arrives; returns after the commit."""
        return await self._batcher.submit(text)

    async def _flush(self, texts: Sequence[Bare]) -> Sequence[Bare | Exception]:
        now = datetime.now(UTC)
        stored = [Bare(text.from_, text.to, text.text, new_id(), "queued", now) for text in texts]
        await self._pool.execute(
            INSERT,
            ORG_ID,
            now + VALIDITY,
            now,
            [text.id for text in stored],
            [text.from_ for text in stored],
            [text.to for text in stored],
            [text.text for text in stored],
        )
        return stored


_door: Any = None


async def _open() -> Door:
    async def keep(_: asyncpg.Connection) -> None: ...

    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=4, reset=keep)
    await pool.execute(TABLE)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    return Door(pool)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Store on POST."""
    global _door  # noqa: PLW0603 - a benchmark's one door
    if scope["type"] == "lifespan":
        await receive()
        _door = await _open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    status, body = 200, b"{}"
    if scope["method"] == "POST":
        message = await receive()
        status, body = 202, _encode(await _door.put(_decode(message["body"])))
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
