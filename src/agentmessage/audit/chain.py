"""The chain of an organization's audit log: what a seal is made of; pure.

A seal is HMAC-SHA256, under a key that is not in the database, of the seal before, the row's position and every column
of the row. So a row cannot be changed, taken out, moved or slipped in without breaking its own seal or the next one;
and the end of the chain is signed together with its length, so that rows cannot be cut off there unseen.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct, structs

from agentmessage.kernel.encryption import derive, every_key

BEGINNING = b"\x00" * 32
"""What the first seal of a chain follows."""


class Row(Struct, frozen=True):
    """An audit row as sealed: time in microseconds since 1970, `payload` as Postgres prints its jsonb."""

    org_id: UUID
    id: str
    occurred_us: int
    actor_kind: str
    actor_label: str
    action: str
    resource_type: str
    resource_id: str
    reason: str | None
    request_id: str | None
    payload: str | None


class Seal(Struct, frozen=True):
    """What is kept for one row."""

    org_id: UUID
    position: int
    row_id: str
    hash: bytes


class End(Struct, frozen=True):
    """How long a chain is and how it ends."""

    org_id: UUID
    length: int
    head: bytes
    signature: bytes


def chain_keys(encryption_key_setting: str) -> Sequence[bytes]:
    """The keys of chains, newest first: sealed with the first, proven with any. Raises InvalidEncryptionKey."""
    return [derive(key, "audit chain") for key in every_key(encryption_key_setting)]


def seal_rows(key: bytes, rows: Iterable[Row], ends: Mapping[UUID, End]) -> tuple[Sequence[Seal], Sequence[End]]:
    """Seals for rows in their order, behind the ends of their chains, and how these chains end then."""
    seals: list[Seal] = []
    ended: dict[UUID, End] = {}
    for row in rows:
        end = ended.get(row.org_id) or ends.get(row.org_id) or End(row.org_id, 0, BEGINNING, b"")
        position = end.length + 1
        seal = hash_of(key, end.head, position, row)
        seals.append(Seal(row.org_id, position, row.id, seal))
        ended[row.org_id] = End(row.org_id, position, seal, b"")
    return seals, [signed(key, end) for end in ended.values()]


def hash_of(key: bytes, before: bytes, position: int, row: Row) -> bytes:
    """The seal of a row at a position; every column with its length, so that no two rows read alike."""
    columns = (None if column is None else str(column).encode() for column in structs.astuple(row))
    body = b"".join(b"-" if column is None else b"%d:%s" % (len(column), column) for column in columns)
    return hmac.digest(key, before + position.to_bytes(8) + body, hashlib.sha256)


def signed(key: bytes, end: End) -> End:
    """The end of a chain with its signature."""
    return End(end.org_id, end.length, end.head, _signature(key, end))


def is_signed(keys: Iterable[bytes], end: End) -> bool:
    """Whether the end of a chain is as it was written, under any of the keys."""
    return any(hmac.compare_digest(_signature(key, end), end.signature) for key in keys)


def _signature(key: bytes, end: End) -> bytes:
    return hmac.digest(key, b"end" + end.org_id.bytes + end.length.to_bytes(8) + end.head, hashlib.sha256)
