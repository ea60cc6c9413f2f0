"""Every statement on keys, in the cell and in the directory."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.keys.model import ApiKey


async def insert(tx: Executor, key: ApiKey, key_hash: bytes) -> None:
    """Store a key in its cell; this row stays for ever."""
    await tx.run(
        """INSERT INTO api_keys (id, org_id, label, prefix, hash, scopes, created_at, parent_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        key.id,
        key.org_id,
        key.label,
        key.prefix,
        key_hash,
        key.scopes,
        key.created_at,
        key.parent_id,
    )


async def insert_usable(tx: Executor, key: ApiKey, key_hash: bytes) -> None:
    """Let a key be used: authentication looks here and nowhere else."""
    await tx.run(
        "INSERT INTO directory.api_keys (hash, key_id, org_id, label, scopes) VALUES ($1, $2, $3, $4, $5)",
        key_hash,
        key.id,
        key.org_id,
        key.label,
        key.scopes,
    )


async def find(db: Executor, org_id: UUID, key_id: UUID) -> ApiKey | None:
    """One key of the organization, revoked or not."""
    return await db.one(
        ApiKey,
        """SELECT id, org_id, label, prefix, scopes, created_at, last_used_at, revoked_at, parent_id FROM api_keys
           WHERE org_id = $1 AND id = $2""",
        org_id,
        key_id,
    )


async def revoke(tx: Executor, org_id: UUID, key_id: UUID) -> ApiKey | None:
    """Mark a living key as revoked; None when it is not there or already was."""
    return await tx.one(
        ApiKey,
        """UPDATE api_keys SET revoked_at = $3 WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL
           RETURNING id, org_id, label, prefix, scopes, created_at, last_used_at, revoked_at, parent_id""",
        org_id,
        key_id,
        tx.now,
    )


async def revoke_descendants(tx: Executor, org_id: UUID, key_id: UUID) -> list[ApiKey]:
    """Mark as revoked what a key made, what that made, and so on; answers those that were alive."""
    return await tx.all(
        ApiKey,
        """WITH RECURSIVE made AS (
               SELECT id FROM api_keys WHERE org_id = $1 AND parent_id = $2
               UNION
               SELECT k.id FROM api_keys k JOIN made m ON k.parent_id = m.id WHERE k.org_id = $1)
           UPDATE api_keys SET revoked_at = $3 WHERE org_id = $1 AND id IN (SELECT id FROM made) AND revoked_at IS NULL
           RETURNING id, org_id, label, prefix, scopes, created_at, last_used_at, revoked_at, parent_id""",
        org_id,
        key_id,
        tx.now,
    )


async def hand_over_children(tx: Executor, org_id: UUID, key_id: UUID, successor_id: UUID) -> None:
    """Name the key that takes another's place as the parent of what that made."""
    await tx.run(
        "UPDATE api_keys SET parent_id = $3 WHERE org_id = $1 AND parent_id = $2", org_id, key_id, successor_id
    )


async def delete_usable(tx: Executor, org_id: UUID, key_ids: Sequence[UUID]) -> None:
    """Let keys no longer be used."""
    await tx.run("DELETE FROM directory.api_keys WHERE org_id = $1 AND key_id = ANY ($2::uuid[])", org_id, key_ids)


async def list_keys(
    db: Executor,
    org_id: UUID,
    *,
    before: tuple[datetime, UUID] | None,
    include_revoked: bool,
    limit: int,
    parent_id: UUID | None = None,
) -> list[ApiKey]:
    """Keys, newest first, below a place in the list; served by api_keys_list_idx."""
    before_at, before_id = before or (None, None)
    return await db.all(
        ApiKey,
        """SELECT id, org_id, label, prefix, scopes, created_at, last_used_at, revoked_at, parent_id FROM api_keys
           WHERE org_id = $1
             AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                     coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND ($4 OR revoked_at IS NULL) AND ($6::uuid IS NULL OR parent_id = $6)
           ORDER BY created_at DESC, id DESC LIMIT $5""",
        org_id,
        before_at,
        before_id,
        include_revoked,
        limit,
        parent_id,
    )


async def find_usable_owner(db: Executor, key_hash: bytes) -> UUID | None:
    """The organization of a living key, by the hash of its plaintext."""
    owner: UUID | None = await db.value("SELECT org_id FROM directory.api_keys WHERE hash = $1", key_hash)
    return owner
