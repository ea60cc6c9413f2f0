"""Statements on messages that were queued when a dump was taken and may have been sent since."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor

HOLDER = UUID(int=0)
"""Whose claim a held message is; written by migrations/restore.py."""


class HeldRow(Struct, frozen=True):
    """One held message."""

    message_id: UUID
    org_id: UUID
    organization: str
    account: str
    sender: str
    recipient: str
    created_at: datetime
    scheduled_at: datetime | None
    expires_at: datetime
    held_at: datetime


class HeldClaim(Struct, frozen=True):
    """What ending a held message needs to know."""

    message_id: UUID
    org_id: UUID
    price_microcents: int


async def list_held(db: Executor, org_id: UUID | None, *, limit: int) -> list[HeldRow]:
    """One cell's held messages, or an organization's, the oldest first; by message_queue_claim_idx."""
    return await db.all(
        HeldRow,
        """SELECT d.message_id, d.org_id, o.name, d.account, m.sender, d.recipient, m.created_at, m.scheduled_at,
                  d.expires_at, d.claimed_at
           FROM message_queue d
           JOIN messages m ON m.id = d.message_id AND m.org_id = d.org_id
           JOIN organizations o ON o.id = d.org_id
           WHERE d.claimed_at IS NOT NULL AND d.claim_until = 'infinity' AND ($1::uuid IS NULL OR d.org_id = $1)
           ORDER BY m.created_at, m.id LIMIT $2""",
        org_id,
        limit,
    )


async def pick_held(tx: Executor, org_id: UUID | None, *, expired_by: datetime | None, limit: int) -> list[HeldClaim]:
    """Some held messages, with `expired_by` only those whose validity is over by then."""
    return await tx.all(
        HeldClaim,
        """SELECT message_id, org_id, price_microcents FROM message_queue
           WHERE claimed_at IS NOT NULL AND claim_until = 'infinity' AND ($1::uuid IS NULL OR org_id = $1)
             AND ($2::timestamptz IS NULL OR expires_at <= $2)
           ORDER BY message_id LIMIT $3""",
        org_id,
        expired_by,
        limit,
    )


async def release(tx: Executor, org_id: UUID | None, *, limit: int) -> int:
    """Put held messages back in the queue, in their places; returns how many."""
    return await tx.run(
        """UPDATE message_queue SET claimed_at = NULL, claim_token = NULL, claim_until = NULL
           WHERE message_id IN (
               SELECT message_id FROM message_queue
               WHERE claimed_at IS NOT NULL AND claim_until = 'infinity' AND ($1::uuid IS NULL OR org_id = $1)
               ORDER BY message_id LIMIT $2 FOR UPDATE)""",
        org_id,
        limit,
    )


async def hold_waiting(tx: Executor, org_id: UUID | None) -> int:
    """Hold what waits unclaimed; returns how many messages that is."""
    return await tx.run(
        """UPDATE message_queue SET claimed_at = $2, claim_token = $3, claim_until = 'infinity'
           WHERE claimed_at IS NULL AND ($1::uuid IS NULL OR org_id = $1)""",
        org_id,
        tx.now,
        HOLDER,
    )
