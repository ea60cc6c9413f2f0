"""Statements that record what carriers answered. They go by message id, whoever's text it is: one flush, one commit."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.delivery.model import TakenPart
from agentmessage.kernel.db import Executor


async def drop_claims(tx: Executor, token: UUID, message_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Take texts out of the queue; returns those that this worker still held, and when they were claimed."""
    return dict(
        await tx.all(
            _claimed,
            """DELETE FROM message_queue WHERE message_id = ANY ($1) AND claim_token = $2
               RETURNING message_id, claimed_at""",
            message_ids,
            token,
        )
    )


async def insert_parts(tx: Executor, account: str, carrier: str, parts: Sequence[TakenPart]) -> list[str]:
    """What receipts will name; returns the ids that were free. `parts` have one id each, in the order of the ids."""
    return await tx.all(
        str,
        """INSERT INTO message_parts (account, carrier, carrier_message_id, message_id, org_id, part, parts, created_at)
           SELECT $1, $2, p.*, $3
           FROM unnest($4::text[], $5::uuid[], $6::uuid[], $7::smallint[], $8::smallint[]) p
           ON CONFLICT DO NOTHING RETURNING carrier_message_id""",
        account,
        carrier,
        tx.now,
        *_columns(parts),
    )


async def take_ids_over(tx: Executor, account: str, carrier: str, parts: Sequence[TakenPart]) -> None:
    """Give these parts ids that others have. What another message had under one keeps its row, without a name."""
    await tx.run(
        """UPDATE message_parts c SET carrier_message_id = '~' || gen_random_uuid()
           FROM unnest($3::text[], $4::uuid[]) p (id, message_id)
           WHERE c.account = $1 AND c.carrier = $2 AND c.carrier_message_id = p.id AND c.message_id <> p.message_id""",
        account,
        carrier,
        [part.carrier_message_id for part in parts],
        [part.message_id for part in parts],
    )
    await tx.run(
        """INSERT INTO message_parts (account, carrier, carrier_message_id, message_id, org_id, part, parts, created_at)
           SELECT $1, $2, p.*, $3
           FROM unnest($4::text[], $5::uuid[], $6::uuid[], $7::smallint[], $8::smallint[]) p
           ON CONFLICT (account, carrier, carrier_message_id) DO UPDATE
           SET part = excluded.part, parts = excluded.parts, created_at = excluded.created_at""",
        account,
        carrier,
        tx.now,
        *_columns(parts),
    )


def _columns(parts: Sequence[TakenPart]) -> tuple[Sequence[object], ...]:
    return (
        [part.carrier_message_id for part in parts],
        [part.message_id for part in parts],
        [part.org_id for part in parts],
        [part.part for part in parts],
        [part.parts for part in parts],
    )


async def settle(tx: Executor, org_ids: Sequence[UUID], amounts_microcents: Sequence[int]) -> None:
    """What was held for texts that are decided is held no more: it was charged, or given up."""
    await tx.run(
        """UPDATE wallets w SET settled_microcents = w.settled_microcents + s.amount
           FROM unnest($1::uuid[], $2::bigint[]) s (org_id, amount) WHERE w.org_id = s.org_id""",
        org_ids,
        amounts_microcents,
    )


async def put_back(tx: Executor, token: UUID, message_ids: Sequence[UUID], ready_at: Sequence[datetime | None]) -> None:
    """Let go of claims that were surely not sent; a text without a new time keeps its place in the queue."""
    await tx.run(
        """UPDATE message_queue d
           SET claimed_at = NULL, claim_token = NULL, claim_until = NULL, ready_at = coalesce(b.ready_at, d.ready_at),
               attempts = d.attempts + CASE WHEN b.ready_at IS NOT NULL THEN 1 ELSE 0 END
           FROM unnest($2::uuid[], $3::timestamptz[]) b (id, ready_at)
           WHERE d.message_id = b.id AND d.claim_token = $1""",
        token,
        message_ids,
        ready_at,
    )


async def pause_lanes(tx: Executor, account: str, scopes: Sequence[str], until: Sequence[datetime]) -> None:
    """The carrier asked for patience with these lanes; the longest asked for holds."""
    await tx.run(
        """INSERT INTO send_rate_buckets AS b (account, scope, tokens, refilled_at, paused_until)
           SELECT $1, p.scope, 0, $2, p.until FROM unnest($3::text[], $4::timestamptz[]) p (scope, until)
           ORDER BY p.scope
           ON CONFLICT (account, scope) DO UPDATE SET paused_until = greatest(b.paused_until, excluded.paused_until)""",
        account,
        tx.now,
        scopes,
        until,
    )


def _claimed(message_id: UUID, claimed_at: datetime) -> tuple[UUID, datetime]:
    return message_id, claimed_at
