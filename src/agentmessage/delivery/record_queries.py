"""Statements that record what carriers answered. They go by message id, whoever's text it is: one flush, one commit."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.delivery.claims import Ending
from agentmessage.kernel.db import Statements


async def drop_claims(tx: Statements, token: UUID, message_ids: Sequence[UUID]) -> list[UUID]:
    """Take texts out of the queue; answers those that this worker still held."""
    return await tx.all(
        _id,
        "DELETE FROM dispatches WHERE message_id = ANY ($1) AND claim_token = $2 RETURNING message_id",
        message_ids,
        token,
    )


async def insert_parts(tx: Statements, account: str, carrier: str, endings: Sequence[Ending]) -> None:
    """What receipts will name. A carrier that ran through its ids begins again: then the newest text is meant."""
    rows = [
        (carrier_id, ending.claim.message_id, ending.claim.org_id, part, len(ending.carrier_message_ids))
        for ending in endings
        for part, carrier_id in enumerate(ending.carrier_message_ids, start=1)
    ]
    ids, message_ids, org_ids, part_numbers, counts = zip(*rows, strict=True)
    await tx.run(
        """INSERT INTO carrier_parts AS c
               (account, carrier, carrier_message_id, message_id, org_id, part, parts, created_at)
           SELECT $1, $2, p.*, $3
           FROM unnest($4::text[], $5::uuid[], $6::uuid[], $7::smallint[], $8::smallint[]) p
           ON CONFLICT (account, carrier, carrier_message_id) DO UPDATE
           SET message_id = excluded.message_id, org_id = excluded.org_id, part = excluded.part, parts = excluded.parts,
               outcome = CASE WHEN c.message_id = excluded.message_id THEN c.outcome END,
               created_at = excluded.created_at""",
        account,
        carrier,
        tx.now,
        ids,
        message_ids,
        org_ids,
        part_numbers,
        counts,
    )


async def settle(tx: Statements, org_ids: Sequence[UUID], amounts_microcents: Sequence[int]) -> None:
    """What was held for texts that are decided is held no more: it was charged, or given up."""
    await tx.run(
        """UPDATE wallets w SET settled_microcents = w.settled_microcents + s.amount
           FROM unnest($1::uuid[], $2::bigint[]) s (org_id, amount) WHERE w.org_id = s.org_id""",
        org_ids,
        amounts_microcents,
    )


async def put_back(
    tx: Statements, token: UUID, message_ids: Sequence[UUID], ready_at: Sequence[datetime | None]
) -> None:
    """Let go of claims that were surely not sent; a text without a new time keeps its place in the queue."""
    await tx.run(
        """UPDATE dispatches d
           SET claimed_at = NULL, claim_token = NULL, claim_until = NULL, ready_at = coalesce(b.ready_at, d.ready_at),
               attempts = d.attempts + CASE WHEN b.ready_at IS NOT NULL THEN 1 ELSE 0 END
           FROM unnest($2::uuid[], $3::timestamptz[]) b (id, ready_at)
           WHERE d.message_id = b.id AND d.claim_token = $1""",
        token,
        message_ids,
        ready_at,
    )


async def pause_lanes(tx: Statements, account: str, scopes: Sequence[str], until: Sequence[datetime]) -> None:
    """The carrier asked for patience with these lanes; the longest asked for holds."""
    await tx.run(
        """INSERT INTO pace_buckets AS b (account, scope, tokens, refilled_at, paused_until)
           SELECT $1, p.scope, 0, $2, p.until FROM unnest($3::text[], $4::timestamptz[]) p (scope, until)
           ORDER BY p.scope
           ON CONFLICT (account, scope) DO UPDATE SET paused_until = greatest(b.paused_until, excluded.paused_until)""",
        account,
        tx.now,
        scopes,
        until,
    )


def _id(value: UUID) -> UUID:
    return value
