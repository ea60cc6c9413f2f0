"""Every statement on endpoints, their secrets, and the queues as the API touches them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.webhooks.model import Endpoint


class Counts(Struct, frozen=True):
    """How many endpoints an organization has."""

    active: int
    in_all: int


async def insert(tx: Executor, endpoint: Endpoint, encrypted_secret: bytes) -> None:
    """Store an endpoint and its queue, on which nothing waits yet."""
    await tx.run(
        """WITH endpoint AS (
               INSERT INTO webhook_endpoints (id, org_id, url, description, events, active, api_version,
                                              encrypted_secret, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9))
           INSERT INTO webhook_queues (id, org_id, created_at) VALUES ($1, $2, $9)""",
        endpoint.id,
        endpoint.org_id,
        endpoint.url,
        endpoint.description,
        endpoint.events,
        endpoint.active,
        endpoint.api_version,
        encrypted_secret,
        endpoint.created_at,
    )


async def count(tx: Executor, org_id: UUID) -> Counts:
    """How many endpoints there are, deleted ones left out; served by webhook_endpoints_list_idx."""
    found = await tx.one(
        Counts,
        """SELECT count(*) FILTER (WHERE active), count(*) FROM webhook_endpoints
           WHERE org_id = $1 AND deleted_at IS NULL""",
        org_id,
    )
    return found or Counts(0, 0)


async def find(db: Executor, org_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    """One endpoint that is not deleted."""
    return await db.one(
        Endpoint,
        """SELECT id, org_id, url, description, events, active, api_version, created_at, updated_at, deleted_at
           FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL""",
        org_id,
        endpoint_id,
    )


async def lock(tx: Executor, org_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    """As `find`, and it does not change until the commit."""
    return await tx.one(
        Endpoint,
        """SELECT id, org_id, url, description, events, active, api_version, created_at, updated_at, deleted_at
           FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE""",
        org_id,
        endpoint_id,
    )


async def list_(db: Executor, org_id: UUID, *, limit: int) -> list[Endpoint]:
    """Endpoints, newest first; served by webhook_endpoints_list_idx."""
    return await db.all(
        Endpoint,
        """SELECT id, org_id, url, description, events, active, api_version, created_at, updated_at, deleted_at
           FROM webhook_endpoints WHERE org_id = $1 AND deleted_at IS NULL
           ORDER BY created_at DESC, id DESC LIMIT $2""",
        org_id,
        limit,
    )


async def find_encrypted_secret(db: Executor, org_id: UUID, endpoint_id: UUID) -> bytes | None:
    """The secret that signs requests to an endpoint, encrypted."""
    encrypted: bytes | None = await db.value(
        "SELECT encrypted_secret FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL",
        org_id,
        endpoint_id,
    )
    return encrypted


async def update(tx: Executor, endpoint: Endpoint) -> None:
    """Store what of a locked endpoint can be changed."""
    await tx.run(
        """UPDATE webhook_endpoints SET url = $3, description = $4, events = $5, active = $6, updated_at = $7
           WHERE org_id = $1 AND id = $2""",
        endpoint.org_id,
        endpoint.id,
        endpoint.url,
        endpoint.description,
        endpoint.events,
        endpoint.active,
        endpoint.updated_at,
    )


async def replace_secret(tx: Executor, org_id: UUID, endpoint_id: UUID, encrypted_secret: bytes) -> Endpoint | None:
    """Give an endpoint another secret; None when it is not there."""
    return await tx.one(
        Endpoint,
        """UPDATE webhook_endpoints SET encrypted_secret = $3, updated_at = $4
           WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL
           RETURNING id, org_id, url, description, events, active, api_version, created_at, updated_at, deleted_at""",
        org_id,
        endpoint_id,
        encrypted_secret,
        tx.now,
    )


async def delete(tx: Executor, org_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    """Mark an endpoint as deleted, for good; None when it is not there. The secret is of no use any more and goes."""
    return await tx.one(
        Endpoint,
        """UPDATE webhook_endpoints SET deleted_at = $3, updated_at = $3, active = false, encrypted_secret = ''
           WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL
           RETURNING id, org_id, url, description, events, active, api_version, created_at, updated_at, deleted_at""",
        org_id,
        endpoint_id,
        tx.now,
    )


async def touch_queue(tx: Executor, org_id: UUID, queue_id: UUID, *, forgives: bool = False) -> None:
    """Have the dispatcher look at a queue at once; `forgives`: what failed so far counts no more."""
    await tx.run(
        """UPDATE webhook_queues SET due_at = least(due_at, $3),
               failing_since = CASE WHEN $4 THEN NULL ELSE failing_since END
           WHERE org_id = $1 AND id = $2""",
        org_id,
        queue_id,
        tx.now,
        forgives,
    )


async def abandon(tx: Executor, org_id: UUID, queue_id: UUID) -> int:
    """Forget what waits on a queue; returns how much.

    What is just being recorded is skipped rather than waited for: its recorder may be waiting for our queue. If it
    comes back to wait, the dispatcher finds the endpoint off and drops it.
    """
    return await tx.run(
        """DELETE FROM webhook_deliveries d USING (
               SELECT due_at, id FROM webhook_deliveries WHERE queue_id = $2 AND org_id = $1 FOR UPDATE SKIP LOCKED) w
           WHERE d.queue_id = $2 AND d.org_id = $1 AND d.due_at = w.due_at AND d.id = w.id""",
        org_id,
        queue_id,
    )


async def rotate_secret(
    tx: Executor, org_id: UUID, encrypted_secret: bytes, *, previous_valid_until: datetime
) -> datetime | None:
    """Give the organization another secret; answers until when the one before stays valid, None for the first."""
    until: datetime | None = await tx.value(
        """INSERT INTO webhook_secrets AS s (org_id, encrypted_secret, rotated_at) VALUES ($1, $2, $3)
           ON CONFLICT (org_id) DO UPDATE SET encrypted_secret = $2, rotated_at = $3,
               previous_encrypted_secret = s.encrypted_secret, previous_valid_until = $4
           RETURNING previous_valid_until""",
        org_id,
        encrypted_secret,
        tx.now,
        previous_valid_until,
    )
    return until


async def lock_receiver(tx: Executor, org_id: UUID, queue_id: UUID, *, event_id: UUID) -> bool | None:
    """Whether a queue's receiver listens to an event, which stays so until the commit; None when it is deleted.

    The URL of numbers listens while the number of the event names it, unless it was disabled.
    """
    is_listening: bool | None = await tx.value(
        """SELECT coalesce(e.active, l.disabled_at IS NULL AND EXISTS (
                      SELECT FROM events v
                      JOIN phone_numbers p ON p.id = (v.data ->> 'phone_number_id')::uuid AND p.org_id = $1
                      WHERE v.id = $3 AND v.org_id = $1 AND l.number_url IN (p.inbound_url, p.status_url)))
           FROM webhook_queues l
           LEFT JOIN webhook_endpoints e ON e.id = l.id AND e.org_id = $1 AND e.deleted_at IS NULL
           WHERE l.org_id = $1 AND l.id = $2 AND (e.id IS NOT NULL OR l.number_url IS NOT NULL)
           FOR NO KEY UPDATE OF l""",
        org_id,
        queue_id,
        event_id,
    )
    return is_listening


async def insert_delivery(
    tx: Executor, org_id: UUID, queue_id: UUID, *, delivery_id: UUID, event_id: UUID, public_event_id: UUID
) -> None:
    """Queue an event once more, under a new id; the dispatcher sends it at its next poll."""
    await tx.run(
        """INSERT INTO webhook_deliveries (queue_id, due_at, id, org_id, event_id, public_event_id, created_at)
           VALUES ($1, $6, $2, $3, $4, $5, $6)""",
        queue_id,
        delivery_id,
        org_id,
        event_id,
        public_event_id,
        tx.now,
    )


async def list_number_urls(db: Executor, org_id: UUID, number_id: UUID) -> list[str]:
    """The URLs that get a number's events."""
    return await db.all(
        str,
        """SELECT DISTINCT u.url FROM phone_numbers p, unnest(ARRAY[p.inbound_url, p.status_url]) u (url)
           WHERE p.org_id = $1 AND p.id = $2 AND p.state = 'assigned' AND u.url IS NOT NULL""",
        org_id,
        number_id,
    )


async def reopen_queues(tx: Executor, org_id: UUID, urls: Sequence[str]) -> int:
    """Enable disabled URLs of numbers; returns how many there were."""
    return await tx.run(
        """UPDATE webhook_queues SET disabled_at = NULL, failing_since = NULL
           WHERE org_id = $1 AND number_url = ANY ($2) AND disabled_at IS NOT NULL""",
        org_id,
        urls,
    )
