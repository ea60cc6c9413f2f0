"""The one statement that moves texts and tells of it: row, history and event together."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id


class Move(Struct, frozen=True, kw_only=True):
    """One text's next state. What is None stays as it was, but for `error`, which a text without one loses."""

    message_id: UUID
    org_id: UUID
    status: str
    cause: str
    error: str | None = None
    code: str | None = None
    text: str | None = None
    carrier_message_id: str | None = None
    is_charged: bool = False


async def move(tx: Executor, moves: Sequence[Move]) -> None:
    """Move texts whose place in time the caller has checked; each leaves a line in its history and an event.

    `= ANY` beside the join keeps the planner to the primary key, however small it believes the table to be.
    """
    await tx.run(
        """WITH moved AS (
               UPDATE messages m
               SET status = g.status, error_code = g.error, carrier_code = coalesce(g.code, m.carrier_code),
                   carrier_text = coalesce(g.text, m.carrier_text),
                   carrier_message_id = coalesce(m.carrier_message_id, g.carrier_message_id),
                   is_charged = m.is_charged OR g.is_charged,
                   sent_at = coalesce(m.sent_at, CASE WHEN g.status IN ('sent', 'delivered') THEN $1::timestamptz END),
                   delivered_at = CASE WHEN g.status = 'delivered' THEN $1::timestamptz END,
                   finished_at = CASE WHEN g.status <> 'sent' THEN $1::timestamptz END, updated_at = $1,
                   history = m.history || jsonb_build_array(jsonb_build_object(
                       'at', $1::timestamptz, 'status', g.status, 'cause', g.cause, 'code', g.code, 'text', g.text))
               FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                           $9::text[], $10::bool[], $11::uuid[])
                    g (id, org_id, status, cause, error, code, text, carrier_message_id, is_charged, event_id)
               WHERE m.id = ANY ($2) AND m.id = g.id AND m.org_id = g.org_id
               RETURNING g.event_id, m.org_id, 'message.' || g.status AS type, m.id, message_resource(m) AS resource)
           INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           SELECT event_id, org_id, type, 'message', id, resource, $1 FROM moved""",
        tx.now,
        [one.message_id for one in moves],
        [one.org_id for one in moves],
        [one.status for one in moves],
        [one.cause for one in moves],
        [one.error for one in moves],
        [one.code for one in moves],
        [one.text for one in moves],
        [one.carrier_message_id for one in moves],
        [one.is_charged for one in moves],
        [new_id() for _ in moves],
    )
