"""Every statement on the chain of the audit log, across tenants: a cell's rows are sealed in one order."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.audit.chain import End, Row, Seal
from agentmessage.kernel.db import Executor


class Place(Struct, frozen=True):
    """Up to which row all are sealed; `xid` is a transaction's number as text."""

    xid: str
    id: str


class Link(Struct, frozen=True):
    """A seal as stored and the row that it was made for; None: no such row is left."""

    seal: Seal
    row: Row | None


class Stray(Struct, frozen=True):
    """A row without a seal. `is_passed`: those behind it are sealed, so it came in otherwise than all others."""

    org_id: UUID
    id: str
    is_passed: bool


async def lock_place(tx: Executor) -> Place | None:
    """Up to where rows are sealed, for this transaction alone; None while another one is sealing."""
    return await tx.one(Place, "SELECT xid::text, id FROM audit_cursor FOR UPDATE SKIP LOCKED")


async def list_unsealed(tx: Executor, place: Place, *, limit: int) -> tuple[list[Row], Place]:
    """The next rows in the order that never changes, and the place of the last one; served by audit_log_order_idx.

    The text of `xid` has another name, or the rows would be ordered by it: 1000 before 999.
    """
    found = await tx.all(
        _placed,
        """SELECT org_id, id, (extract(epoch FROM occurred_at) * 1000000)::bigint, actor_kind, actor_label, action,
               resource_type, resource_id, reason, request_id, payload::text, xid::text AS written_by
           FROM audit_log WHERE (xid, id) > ($1::text::xid8, $2::text) AND xid < xid_horizon()
           ORDER BY xid, id LIMIT $3""",
        place.xid,
        place.id,
        limit,
    )
    return [row for row, _ in found], found[-1][1] if found else place


async def oldest_unsealed_at(db: Executor) -> datetime | None:
    """When the first row behind the place was written; served by audit_log_order_idx."""
    moment: datetime | None = await db.value(
        """SELECT occurred_at FROM audit_log
           WHERE (xid, id) > ((SELECT xid FROM audit_cursor), (SELECT id FROM audit_cursor)) ORDER BY xid, id LIMIT 1"""
    )
    return moment


async def list_ends(db: Executor, org_ids: Sequence[UUID]) -> list[End]:
    """How the chains of these organizations end."""
    return await db.all(
        End, "SELECT org_id, length, head, signature FROM audit_chains WHERE org_id = ANY ($1)", org_ids
    )


async def list_all_ends(db: Executor) -> list[End]:
    """How every chain of the cell ends, for the operator."""
    return await db.all(End, "SELECT org_id, length, head, signature FROM audit_chains ORDER BY org_id")


async def insert_seals(tx: Executor, seals: Sequence[Seal]) -> None:
    """Store seals."""
    await tx.run(
        """INSERT INTO audit_seals (org_id, position, row_id, hash)
           SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[])""",
        [seal.org_id for seal in seals],
        [seal.position for seal in seals],
        [seal.row_id for seal in seals],
        [seal.hash for seal in seals],
    )


async def save_ends(tx: Executor, ends: Sequence[End], place: Place) -> None:
    """Store how chains end now and up to where rows are sealed; the place is locked."""
    await tx.run(
        """WITH moved AS (UPDATE audit_cursor SET xid = $5::text::xid8, id = $6)
           INSERT INTO audit_chains (org_id, length, head, signature)
           SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[])
           ON CONFLICT (org_id) DO UPDATE SET length = excluded.length, head = excluded.head,
               signature = excluded.signature""",
        [end.org_id for end in ends],
        [end.length for end in ends],
        [end.head for end in ends],
        [end.signature for end in ends],
        place.xid,
        place.id,
    )


async def list_links(db: Executor, org_id: UUID, *, after: int, limit: int) -> list[Link]:
    """Seals of one chain behind a position, in order, with their rows; served by the primary keys."""
    return await db.all(
        _link,
        """SELECT s.org_id, s.position, s.row_id, s.hash, a.id, (extract(epoch FROM a.occurred_at) * 1000000)::bigint,
               a.actor_kind, a.actor_label, a.action, a.resource_type, a.resource_id, a.reason, a.request_id,
               a.payload::text
           FROM audit_seals s LEFT JOIN audit_log a ON a.org_id = s.org_id AND a.id = s.row_id
           WHERE s.org_id = $1 AND s.position > $2 ORDER BY s.position LIMIT $3""",
        org_id,
        after,
        limit,
    )


async def list_strays(db: Executor, org_id: UUID | None, *, before: datetime) -> list[Stray]:
    """The first row of each organization without a seal that should have one: passed by, or older than `before`."""
    return await db.all(
        Stray,
        """SELECT DISTINCT ON (a.org_id) a.org_id, a.id, (a.xid, a.id) <= (p.xid, p.id)
           FROM audit_log a CROSS JOIN audit_cursor p
           WHERE ($1::uuid IS NULL OR a.org_id = $1) AND ((a.xid, a.id) <= (p.xid, p.id) OR a.occurred_at < $2)
             AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.org_id = a.org_id AND s.row_id = a.id)
           ORDER BY a.org_id, 3 DESC, a.id""",
        org_id,
        before,
    )


async def list_unchained(db: Executor, org_id: UUID | None, *, before: datetime) -> list[UUID]:
    """Organizations older than `before` without a chain, though each began with a row."""
    return await db.all(
        _org_id,
        """SELECT o.id FROM organizations o
           WHERE ($1::uuid IS NULL OR o.id = $1) AND o.created_at < $2
             AND NOT EXISTS (SELECT FROM audit_chains c WHERE c.org_id = o.id) ORDER BY o.id""",
        org_id,
        before,
    )


def _placed(*columns: object) -> tuple[Row, Place]:
    *row, xid = columns
    made = Row(*row)  # pyright: ignore[reportArgumentType]
    return made, Place(str(xid), made.id)


def _link(org_id: UUID, position: int, row_id: str, seal: bytes, found_id: str | None, *columns: object) -> Link:
    row = None if found_id is None else Row(org_id, found_id, *columns)  # pyright: ignore[reportArgumentType]
    return Link(Seal(org_id, position, row_id, seal), row)


def _org_id(org_id: UUID) -> UUID:
    return org_id
