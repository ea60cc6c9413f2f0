"""Records the results of deliveries: many at once, by their ids, across organizations."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from agentmessage.kernel.db import Executor
from agentmessage.webhooks.endpoint_queues import Delivery
from agentmessage.webhooks.model import Attempt


async def insert_attempts(tx: Executor, attempts: Sequence[Attempt]) -> None:
    """Write attempts into the log."""
    columns = zip(*(msgspec.structs.astuple(attempt) for attempt in attempts), strict=True)
    await tx.run(
        """INSERT INTO webhook_attempts (id, org_id, queue_id, kind, source_event_id, event_id, event_type, url,
               attempt, outcome, response_status, response_time_ms, request_body_sha256, request_body_bytes,
               response_body_excerpt, request_headers, error, occurred_at)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[],
               $8::text[], $9::integer[], $10::text[], $11::integer[], $12::integer[], $13::bytea[], $14::integer[],
               $15::text[], $16::jsonb[], $17::text[], $18::timestamptz[])""",
        *columns,
    )


async def settle(tx: Executor, deliveries: Sequence[Delivery], next_at: Sequence[datetime | None]) -> None:
    """Forget deliveries that are over, and put the others (with an instant) off; one attempt more was made.

    One that another transaction is abandoning is left to it; one that is gone is left alone.
    """
    await tx.run(
        """WITH done AS MATERIALIZED (
               SELECT d.queue_id, d.due_at, d.id, u.next_at
               FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::timestamptz[])
                        u (queue_id, due_at, id, next_at)
               JOIN webhook_deliveries d ON d.queue_id = u.queue_id AND d.due_at = u.due_at AND d.id = u.id
               FOR UPDATE OF d SKIP LOCKED),
           put_off AS (
               UPDATE webhook_deliveries d SET due_at = o.next_at, attempts = d.attempts + 1 FROM done o
               WHERE o.next_at IS NOT NULL AND d.queue_id = o.queue_id AND d.due_at = o.due_at AND d.id = o.id)
           DELETE FROM webhook_deliveries d USING done o
           WHERE o.next_at IS NULL AND d.queue_id = o.queue_id AND d.due_at = o.due_at AND d.id = o.id""",
        [delivery.queue_id for delivery in deliveries],
        [delivery.due_at for delivery in deliveries],
        [delivery.id for delivery in deliveries],
        next_at,
    )


async def note_health(tx: Executor, queue_ids: Sequence[UUID], failing_since: Sequence[datetime | None]) -> None:
    """Since when nothing succeeds on queues, from an instant on if not from earlier; None: something did.

    Queues are locked in the order in which fan-out writes them: endpoints' by id, then those of numbers by URL.
    """
    await tx.run(
        """UPDATE webhook_queues l
           SET failing_since = CASE WHEN o.failing_since IS NOT NULL THEN coalesce(l.failing_since, o.failing_since) END
           FROM (SELECT w.id, u.failing_since
                 FROM unnest($1::uuid[], $2::timestamptz[]) u (id, failing_since) JOIN webhook_queues w ON w.id = u.id
                 ORDER BY w.number_url IS NOT NULL, CASE WHEN w.number_url IS NULL THEN w.id END, w.org_id, w.number_url
                 FOR UPDATE OF w) o
           WHERE l.id = o.id""",
        queue_ids,
        failing_since,
    )


async def close_endpoint(tx: Executor, queue_id: UUID) -> bool:
    """Switch an endpoint off; False when it was not on."""
    return bool(
        await tx.run(
            """UPDATE webhook_endpoints SET active = false, updated_at = $2
               WHERE id = $1 AND active AND deleted_at IS NULL""",
            queue_id,
            tx.now,
        )
    )


async def close_number_url(tx: Executor, queue_id: UUID) -> bool:
    """Disable a URL of numbers until it is set again; False when it was disabled already."""
    return bool(
        await tx.run(
            """UPDATE webhook_queues SET disabled_at = $2
               WHERE id = $1 AND number_url IS NOT NULL AND disabled_at IS NULL""",
            queue_id,
            tx.now,
        )
    )


async def abandon(tx: Executor, queue_id: UUID) -> int:
    """Delete what waits on a queue and reset its failures; returns how many deliveries there were."""
    await tx.run("UPDATE webhook_queues SET failing_since = NULL, full_at = NULL WHERE id = $1", queue_id)
    return await tx.run("DELETE FROM webhook_deliveries WHERE queue_id = $1", queue_id)
