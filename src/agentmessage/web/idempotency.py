"""Idempotency-Key: the same key gives the same answer, for two at once and across a crash.

The key is claimed in the transaction that does the work and the answer is stored in it too: either all of it happened
or none of it. A second request with the key waits at the unique index until the first has ended. A refusal rolls back
and is not stored: nothing happened, so the key may be tried again. Kept for 24 hours.

Two bodies are the same when they are the same JSON value. An answer is repeated only to the API key that caused it:
whoever else sends the request may lack what that key was allowed, and must not see a secret.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import ApiError, IdempotencyKeyOfAnother, IdempotencyKeyReused, ValidationFailed
from agentmessage.web import queries
from agentmessage.web.json_form import canonical_json
from agentmessage.web.types import END

MAX_KEY_LENGTH = 255
DIGEST_BYTES = 32
KEY_PATTERN = r"^[!-~]([ -~]*[!-~])?" + END
KEY_FORM = re.compile(KEY_PATTERN)


class IdempotencyKey(Struct, frozen=True):
    """A key as one request presents it.

    `fingerprint`: SHA-256 of method, path, query and the body's one form; and behind it the id of the API key.
    """

    value: str
    fingerprint: bytes


class StoredResponse(Struct, frozen=True):
    """An answer that was given before. `status` None: the work is done or under way, the answer was never stored."""

    fingerprint: bytes
    status: int | None
    headers: Mapping[str, str] | None
    body: bytes | None
    subject: UUID | None


class KeyAlreadyUsed(Exception):
    """The key has been used by this very request before."""

    def __init__(self, stored: StoredResponse) -> None:
        super().__init__()
        self.stored = stored


def read_key(header: bytes, method: str, target: bytes, body: bytes, api_key_id: UUID | None) -> IdempotencyKey:
    """The claim of a request by its Idempotency-Key. Raises ValidationFailed for a key that cannot be one."""
    key = header.decode("latin-1").strip(" \t")
    if len(key) > MAX_KEY_LENGTH or not KEY_FORM.fullmatch(key):
        raise ValidationFailed({"Idempotency-Key": f"must be 1..{MAX_KEY_LENGTH} printable ASCII characters"})
    digest = hashlib.sha256(b"\n".join((method.encode(), target, canonical_json(body)))).digest()
    return IdempotencyKey(key, digest + (api_key_id.bytes if api_key_id else b""))


def mismatch(fingerprint: bytes, claim: IdempotencyKey) -> ApiError | None:
    """Why what another claim was kept under is not this request's own, as a refusal; None when it is."""
    if fingerprint == claim.fingerprint:
        return None
    is_same_request = fingerprint[:DIGEST_BYTES] == claim.fingerprint[:DIGEST_BYTES]
    return IdempotencyKeyOfAnother() if is_same_request else IdempotencyKeyReused()


def require_same(fingerprint: bytes, claim: IdempotencyKey) -> None:
    """It was this very request. Raises IdempotencyKeyReused, IdempotencyKeyOfAnother."""
    if (refused := mismatch(fingerprint, claim)) is not None:
        raise refused


async def claim(tx: Tx, org_id: UUID, claim: IdempotencyKey, *, subject: UUID | None = None) -> None:
    """Take the key for this transaction. Raises AlreadyAnswered; for another request's key as `require_same`."""
    if await queries.insert_key(tx, org_id, claim.value, claim.fingerprint, subject):
        return
    stored = await queries.find_key(tx, StoredResponse, org_id, claim.value)
    if stored is None:
        raise IdempotencyKeyReused
    require_same(stored.fingerprint, claim)
    raise KeyAlreadyUsed(stored)


async def find(db: Executor, org_id: UUID, claim: IdempotencyKey) -> StoredResponse | None:
    """What the key was answered with before. Raises as `require_same`."""
    stored = await queries.find_key(db, StoredResponse, org_id, claim.value)
    if stored is not None:
        require_same(stored.fingerprint, claim)
    return stored


async def store(
    db: Executor, org_id: UUID, claim: IdempotencyKey, *, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Keep the answer beside the work."""
    await queries.store_response(db, org_id, claim.value, status=status, headers=dict(headers), body=body)


class _Row(Struct, frozen=True):
    org_id: UUID
    key: str
    fingerprint: bytes
    status: int | None
    headers: Mapping[str, str] | None
    body: bytes | None
    subject: UUID | None


async def find_many(
    db: Executor, claims: Sequence[tuple[UUID, IdempotencyKey]]
) -> Mapping[tuple[UUID, str], StoredResponse]:
    """What keys were answered with before, by organization and key; for work that is done many requests at once."""
    rows = await queries.list_keys(db, _Row, [org_id for org_id, _ in claims], [claim.value for _, claim in claims])
    return {
        (row.org_id, row.key): StoredResponse(row.fingerprint, row.status, row.headers, row.body, row.subject)
        for row in rows
    }


async def store_many(tx: Tx, answers: Sequence[tuple[UUID, IdempotencyKey, bytes]], *, status: int) -> None:
    """Claim keys and keep their answers, beside the work. A key claimed meanwhile raises kernel.db.UniqueViolation."""
    await queries.insert_responses(
        tx,
        [org_id for org_id, _, _ in answers],
        [claim.value for _, claim, _ in answers],
        [claim.fingerprint for _, claim, _ in answers],
        status=status,
        bodies=[body for _, _, body in answers],
    )


async def rewrite(tx: Tx, org_id: UUID, mentioned: str, change: Callable[[bytes], bytes | None]) -> int:
    """Change the kept answers of an organization that mention some text, where `change` gives new bytes for the old.

    For erasure: a key still gets its answer, without what was erased. Answers how many were changed.
    """
    changed = 0
    for key, body in await queries.list_responses(tx, org_id, mentioned.encode()):
        new = change(body)
        if new is not None:
            changed += await queries.replace_response(tx, org_id, key, new)
    return changed


async def delete_old(db: Executor, *, now: datetime, hours: int) -> int:
    """Delete keys older than their promise; at most 10,000 at a time."""
    return await queries.delete_keys_before(db, now - timedelta(hours=hours))
