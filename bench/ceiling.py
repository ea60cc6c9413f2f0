"""The ceiling: a bare ASGI application with one route, the same SQL through the same driver, the same JSON.

No authentication, no validation, no scopes, no envelope logic, no metrics: what is left is what nobody can avoid. It
imports the very functions that hold the SQL, so that the two cannot drift apart.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from agentmessage.campaigns import queries as campaigns
from agentmessage.kernel.ids import new_id, new_ulid
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers import queries
from agentmessage.web.types import Enveloped

ORG_ID = UUID(os.environ["BENCH_ORG_ID"])
TENANT = Tenant(
    ORG_ID, "cell_00", "live", "customer", "api_key:bench (bench)", "01JTBQH2FZ8K1RXC0WJ4Z9P3VM", frozenset()
)
CAMPAIGN_ID = UUID(os.environ["BENCH_CAMPAIGN_ID"])
HEADERS = [(b"content-type", b"application/json")]

_encode = msgspec.json.Encoder().encode
_db: Any = None


class Plain:
    """Statements straight on the driver's own pool, with nothing to reset between them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @property
    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    async def one(self, row: Callable[..., Any], sql: str, *args: object) -> Any:
        """The only row."""
        record = await self._pool.fetchrow(sql, *args)
        return None if record is None else row(*record)


async def _open() -> Plain:
    async def prepare(connection: asyncpg.Connection) -> None:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=lambda value: _encode(value).decode(), decoder=msgspec.json.decode
        )

    async def keep(_: asyncpg.Connection) -> None: ...

    pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=0,
        max_size=16,
        init=prepare,
        reset=keep,
        server_settings={"search_path": "cell_00", "timezone": "UTC"},
    )
    return Plain(pool)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Detach on DELETE, attach on POST; the id is taken as it comes."""
    global _db  # noqa: PLW0603 - a benchmark's one pool
    if scope["type"] != "http":
        return
    if _db is None:
        _db = await _open()
    number_id = UUID(scope["path"][18:54])
    if scope["method"] == "DELETE":
        result = await queries.detach(_db, TENANT, number_id, event_id=new_id(), audit_id=new_ulid())
    else:
        await receive()
        campaign = await campaigns.find_for_binding(_db, ORG_ID, CAMPAIGN_ID)
        assert campaign is not None
        result = await queries.attach(_db, TENANT, number_id, CAMPAIGN_ID, event_id=new_id(), audit_id=new_ulid())
    body = _encode(Enveloped(success=True, data=result.number))
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [*HEADERS, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})
