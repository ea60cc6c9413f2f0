"""Every statement of the edge: who a key belongs to, what a key was answered with, how much is left in a bucket."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.token_bucket_queries import take_tokens

T = TypeVar("T")

_INSERT_FULL: LiteralString = """INSERT INTO api_rate_buckets AS b (org_id, bucket, tokens, refilled_at)
    VALUES ($1, $2, $3::float8 - $6::float8, $5) ON CONFLICT (org_id, bucket)"""


async def find_principal(db: Executor, row: Callable[..., T], key_hash: bytes) -> T | None:
    """Key id, organization, cell, mode, label and scopes behind a key's hash; the primary key of the directory."""
    return await db.one(
        row,
        """SELECT k.key_id, k.org_id, o.cell, o.mode, k.label, k.scopes
           FROM directory.api_keys k JOIN directory.organizations o ON o.id = k.org_id WHERE k.hash = $1""",
        key_hash,
    )


async def list_principals(db: Executor, row: Callable[..., T], key_hashes: Sequence[bytes]) -> list[tuple[bytes, T]]:
    """What `find_principal` finds, for many hashes at once, each with its hash; by the same primary key."""

    def with_hash(key_hash: bytes, *columns: Any) -> tuple[bytes, T]:
        return key_hash, row(*columns)

    return await db.all(
        with_hash,
        """SELECT k.hash, k.key_id, k.org_id, o.cell, o.mode, k.label, k.scopes
           FROM directory.api_keys k JOIN directory.organizations o ON o.id = k.org_id WHERE k.hash = ANY($1)""",
        key_hashes,
    )


async def list_key_scopes(db: Executor, row: Callable[..., T], key_ids: Sequence[UUID]) -> list[T]:
    """The living keys among some, with their scopes; by the unique index of the directory."""
    return await db.all(
        row,
        "SELECT key_id, scopes FROM directory.api_keys WHERE key_id = ANY($1)",
        key_ids,
    )


async def touch_keys(db: Executor, key_ids: list[UUID], org_ids: list[UUID], used_at: list[datetime]) -> None:
    """Record when keys were last used, never backwards."""
    await db.run(
        """UPDATE api_keys k SET last_used_at = u.at
           FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) u (id, org, at)
           WHERE k.id = u.id AND k.org_id = u.org AND (k.last_used_at IS NULL OR k.last_used_at < u.at)""",
        key_ids,
        org_ids,
        used_at,
    )


async def insert_key(tx: Executor, org_id: UUID, key: str, fingerprint: bytes, subject: UUID | None) -> bool:
    """Claim an idempotency key; waits for a transaction that is claiming the same one. False: it is taken."""
    return bool(
        await tx.run(
            """INSERT INTO idempotency_keys (org_id, key, fingerprint, subject, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
            org_id,
            key,
            fingerprint,
            subject,
            tx.now,
        )
    )


async def find_key(db: Executor, row: Callable[..., T], org_id: UUID, key: str) -> T | None:
    """A claimed key with its answer, if one is stored."""
    return await db.one(
        row,
        "SELECT fingerprint, status, headers, body, subject FROM idempotency_keys WHERE org_id = $1 AND key = $2",
        org_id,
        key,
    )


async def list_keys(db: Executor, row: Callable[..., T], org_ids: Sequence[UUID], keys: Sequence[str]) -> list[T]:
    """Claimed keys of several organizations with their answers."""
    return await db.all(
        row,
        """SELECT k.org_id, k.key, k.fingerprint, k.status, k.headers, k.body, k.subject
           FROM unnest($1::uuid[], $2::text[]) w (org_id, key)
           JOIN idempotency_keys k ON k.org_id = w.org_id AND k.key = w.key""",
        org_ids,
        keys,
    )


async def insert_responses(
    tx: Executor,
    org_ids: Sequence[UUID],
    keys: Sequence[str],
    fingerprints: Sequence[bytes],
    *,
    status: int,
    bodies: Sequence[bytes],
) -> None:
    """Keys with their answers at once. A key that was claimed meanwhile is a UniqueViolation."""
    await tx.run(
        """INSERT INTO idempotency_keys (org_id, key, fingerprint, status, headers, body, created_at)
           SELECT org_id, key, fingerprint, $4, '{}'::jsonb, body, $6
           FROM unnest($1::uuid[], $2::text[], $3::bytea[], $5::bytea[]) a (org_id, key, fingerprint, body)""",
        org_ids,
        keys,
        fingerprints,
        status,
        bodies,
        tx.now,
    )


async def store_response(
    db: Executor, org_id: UUID, key: str, *, status: int, headers: dict[str, Any], body: bytes
) -> None:
    """Keep an answer under its key; a stored one stays."""
    await db.run(
        """UPDATE idempotency_keys SET status = $3, headers = $4, body = $5
           WHERE org_id = $1 AND key = $2 AND status IS NULL""",
        org_id,
        key,
        status,
        headers,
        body,
    )


async def list_responses(tx: Executor, org_id: UUID, mentioned: bytes) -> list[tuple[str, bytes]]:
    """Keys of one organization whose answer holds some bytes, kept from changing; a day's keys are looked through."""
    return await tx.all(
        _answer,
        """SELECT key, body FROM idempotency_keys WHERE org_id = $1 AND position($2::bytea IN body) > 0
           ORDER BY key FOR UPDATE""",
        org_id,
        mentioned,
    )


async def replace_response(tx: Executor, org_id: UUID, key: str, body: bytes) -> int:
    """Write another answer under a key."""
    return await tx.run("UPDATE idempotency_keys SET body = $3 WHERE org_id = $1 AND key = $2", org_id, key, body)


async def delete_keys_before(db: Executor, before: datetime) -> int:
    """Forget old keys; served by idempotency_keys_age_idx."""
    return await db.run(
        """DELETE FROM idempotency_keys WHERE (org_id, key) IN
           (SELECT org_id, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT 10000)""",
        before,
    )


async def take_token(
    db: Executor,
    org_id: UUID,
    bucket: str,
    *,
    capacity: float,
    per_second: float,
    now: datetime,
    count: int = 1,
) -> float:
    """Takes `count` tokens of an organization's bucket, or none. Returns what is left; negative: what is missing."""
    return await take_tokens(
        db, _INSERT_FULL, org_id, bucket, capacity=capacity, per_second=per_second, count=float(count), now=now
    )


def _answer(key: str, body: bytes) -> tuple[str, bytes]:
    return key, body
