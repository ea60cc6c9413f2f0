"""Every statement on lookups."""

from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.lookups.model import Lookup, Outcome


async def insert(
    tx: Executor, lookup: Lookup, *, idempotency_key: str | None = None, fingerprint: bytes | None = None
) -> None:
    """Store a lookup that is about to be asked, and under which Idempotency-Key of which request."""
    await tx.run(
        """INSERT INTO lookups (id, org_id, account, phone_number, lookup_type, status, cost_cents, requested_at,
               idempotency_key, fingerprint)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        lookup.id,
        lookup.org_id,
        lookup.account,
        lookup.phone_number,
        lookup.lookup_type,
        lookup.status,
        lookup.cost_cents,
        lookup.requested_at,
        idempotency_key,
        fingerprint,
    )


async def find_by_key(tx: Executor, org_id: UUID, key: str) -> tuple[UUID, bytes] | None:
    """The lookup that was asked under an Idempotency-Key, and by which request; served by lookups_key_idx."""
    return await tx.one(
        _keyed, "SELECT id, fingerprint FROM lookups WHERE org_id = $1 AND idempotency_key = $2", org_id, key
    )


def _keyed(lookup_id: UUID, fingerprint: bytes) -> tuple[UUID, bytes]:
    return lookup_id, fingerprint


async def find(db: Executor, org_id: UUID, lookup_id: UUID) -> Lookup | None:
    """One lookup."""
    return await db.one(
        Lookup,
        """SELECT id, org_id, account, phone_number, lookup_type, status, line_type, result, result_redacted_at,
                  error_code, error_message, cost_cents, requested_at, completed_at
           FROM lookups WHERE org_id = $1 AND id = $2""",
        org_id,
        lookup_id,
    )


async def lock(tx: Executor, org_id: UUID, lookup_id: UUID) -> Lookup | None:
    """One lookup, kept from changing until the commit: of two who asked, one records."""
    return await tx.one(
        Lookup,
        """SELECT id, org_id, account, phone_number, lookup_type, status, line_type, result, result_redacted_at,
                  error_code, error_message, cost_cents, requested_at, completed_at
           FROM lookups WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        org_id,
        lookup_id,
    )


async def finish(tx: Executor, org_id: UUID, lookup_id: UUID, outcome: Outcome) -> None:
    """Write how a locked lookup ended."""
    await tx.run(
        """UPDATE lookups SET status = $3, line_type = $4, result = $5, error_code = $6, error_message = $7,
               cost_cents = CASE WHEN $8 THEN 0 ELSE cost_cents END, completed_at = $9
           WHERE org_id = $1 AND id = $2""",
        org_id,
        lookup_id,
        outcome.status,
        outcome.line_type,
        outcome.result,
        outcome.error_code,
        outcome.error_message,
        outcome.is_ours,
        tx.now,
    )


async def list_(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    phone_number: str | None,
    status: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> list[Lookup]:
    """Lookups, newest first, below a place in the list; served by lookups_list_idx."""
    return await db.all(
        Lookup,
        """SELECT id, org_id, account, phone_number, lookup_type, status, line_type, result, result_redacted_at,
                  error_code, error_message, cost_cents, requested_at, completed_at
           FROM lookups
           WHERE org_id = $1
             AND (requested_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                       coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND ($4::text IS NULL OR phone_number = $4) AND ($5::text IS NULL OR status = $5)
             AND requested_at >= coalesce($6::timestamptz, '-infinity')
             AND requested_at < coalesce($7::timestamptz, 'infinity')
           ORDER BY requested_at DESC, id DESC LIMIT $8""",
        org_id,
        before_at,
        before_id,
        phone_number,
        status,
        since,
        until,
        limit,
    )


async def redact(db: Executor, before: datetime, *, limit: int) -> int:
    """Forget results past their retention, for everybody; at most `limit` at a time, by lookups_age_idx."""
    return await db.run(
        """UPDATE lookups SET result = NULL, result_redacted_at = $2
           WHERE id IN (SELECT id FROM lookups WHERE completed_at < $1 AND result IS NOT NULL
                        ORDER BY completed_at LIMIT $3)""",
        before,
        db.now,
        limit,
    )
