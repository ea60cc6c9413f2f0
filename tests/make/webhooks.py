"""Endpoints, facts and attempts, put into the database as the platform would."""

from datetime import datetime
from typing import Any
from uuid import UUID

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.webhooks import attempt_queries
from agentmessage.webhooks.model import Attempt, DestinationKind, Outcome

URL = "https://customer.example/webhooks"


async def insert_endpoint(
    db: CellDb, org_id: UUID, *, url: str = URL, events: tuple[str, ...] = ("api_key.created",), active: bool = True
) -> UUID:
    """An endpoint with its lane; its secret is never opened."""
    endpoint_id = new_id()
    await db.run(
        """INSERT INTO webhook_endpoints (id, org_id, url, events, active, api_version, encrypted_secret, created_at,
                                          updated_at)
           VALUES ($1, $2, $3, $4, $5, '2026-04-01', 'sealed', $6, $6)""",
        endpoint_id,
        org_id,
        url,
        events,
        active,
        db.now,
    )
    await db.run("INSERT INTO webhook_queues (id, org_id, created_at) VALUES ($1, $2, $3)", endpoint_id, org_id, db.now)
    return endpoint_id


async def insert_number_lane(db: CellDb, org_id: UUID, url: str, *, disabled_at: datetime | None = None) -> UUID:
    """The lane of a URL that numbers name."""
    queue_id = new_id()
    await db.run(
        """INSERT INTO webhook_queues (id, org_id, number_url, failing_since, disabled_at, created_at)
           VALUES ($1, $2, $3, $4, $4, $5)""",
        queue_id,
        org_id,
        url,
        disabled_at,
        db.now,
    )
    return queue_id


async def insert_delivery(db: CellDb, org_id: UUID, queue_id: UUID) -> None:
    """Something that waits on a lane."""
    await db.run(
        """INSERT INTO webhook_deliveries (queue_id, due_at, id, org_id, event_id, public_event_id, created_at)
           VALUES ($1, $4, $2, $3, $2, $2, $4)""",
        queue_id,
        new_id(),
        org_id,
        db.now,
    )


async def waiting(db: CellDb, queue_id: UUID) -> int:
    """How much waits on a lane."""
    count: int = await db.value("SELECT count(*) FROM webhook_deliveries WHERE queue_id = $1", queue_id)
    return count


async def insert_event(db: CellDb, org_id: UUID, *, kind: str = "api_key.created", data: Any = None) -> UUID:
    """A fact that is kept."""
    event_id = new_id()
    await db.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           VALUES ($1, $2, $3, split_part($3, '.', 1), $1, $5, $4)""",
        event_id,
        org_id,
        kind,
        db.now,
        data or {},
    )
    return event_id


async def insert_attempt(db: CellDb, org_id: UUID, queue_id: UUID, **other: Any) -> Attempt:
    """An attempt that succeeded, but for what `other` says."""
    source = other.pop("source_event_id", None) or new_id()
    attempt = Attempt(
        **{
            "id": new_id(),
            "org_id": org_id,
            "queue_id": queue_id,
            "kind": DestinationKind.ENDPOINT,
            "source_event_id": source,
            "event_id": source,
            "event_type": "api_key.created",
            "url": URL,
            "attempt": 1,
            "outcome": Outcome.SUCCESS,
            "response_status": 200,
            "response_time_ms": 12,
            "request_body_sha256": b"\x01" * 32,
            "request_body_bytes": 321,
            "response_body_excerpt": "ok",
            "request_headers": {"webhook-id": f"evt_{source}"},
            "error": None,
            "occurred_at": db.now,
        }
        | other
    )
    await attempt_queries.insert(db, attempt)
    return attempt


async def audited(db: CellDb, org_id: UUID, resource_type: str) -> list[tuple[str, Any, Any]]:
    """What the audit log says of webhooks: action, resource, payload; oldest first."""
    return await db.all(
        lambda *row: row,
        """SELECT action, resource_id, payload FROM audit_log WHERE org_id = $1 AND resource_type = $2
           ORDER BY occurred_at, id""",
        org_id,
        resource_type,
    )
