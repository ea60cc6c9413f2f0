"""Every statement on the inventory: the numbers that the installation knows of, in the directory, across organizations.

No two organizations hold one number: its row is taken here, in the transaction that gives it to an organization.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers.orders.model import Claimed


class Stock(Struct, frozen=True):
    """A number of the inventory, as the operator sees it."""

    account: str
    number: str
    number_type: str
    state: str
    org_id: UUID | None
    available_at: datetime | None
    updated_at: datetime


async def search(
    db: Executor, account: str, *, number_type: str, prefix: str, pattern: str, limit: int
) -> list[tuple[str, str]]:
    """Numbers of the pool with their type; served by inventory_available_idx."""
    return await db.all(
        _typed,
        """SELECT number, number_type FROM directory.inventory
           WHERE account = $1 AND state = 'available' AND number_type = $2
             AND number ~>=~ $3 AND number ~<=~ ($3 || '~') AND strpos(number, $4) > 0
           ORDER BY number LIMIT $5""",
        account,
        number_type,
        prefix,
        pattern,
        limit,
    )


async def list_known(db: Executor, account: str, numbers: Sequence[str]) -> list[str]:
    """Which of these are ours in any way: in the pool, with an organization, or in quarantine."""
    return await db.all(
        str,
        "SELECT number FROM directory.inventory WHERE account = $1 AND number = ANY($2) AND state <> 'retired'",
        account,
        numbers,
    )


async def claim_named(tx: Executor, tenant: Tenant, numbers: Sequence[str]) -> list[Claimed]:
    """Take these numbers, as far as they are in the pool or were given back to the carrier, waiting for who has them.

    Locks only such rows, in order, so that no two orders wait for each other; one that is taken meanwhile drops out.
    """
    return await tx.all(
        Claimed,
        """WITH free AS (
               SELECT account, number, state FROM directory.inventory
               WHERE account = $1 AND number = ANY($2) AND state IN ('available', 'retired')
               ORDER BY number FOR UPDATE)
           UPDATE directory.inventory i
           SET state = 'ordering', org_id = $3, cell = $4, available_at = NULL, updated_at = $5
           FROM free WHERE i.account = free.account AND i.number = free.number
           RETURNING i.number, i.number_type, i.generation, free.state = 'available', i.is_observed""",
        tenant.account,
        numbers,
        tenant.org_id,
        tenant.cell,
        tx.now,
    )


async def claim_matching(
    tx: Executor, tenant: Tenant, *, number_type: str, prefix: str, pattern: str, limit: int
) -> list[Claimed]:
    """Take what fits from the pool, skipping what others are taking; served by inventory_available_idx."""
    return await tx.all(
        Claimed,
        """WITH free AS (
               SELECT account, number FROM directory.inventory
               WHERE account = $1 AND state = 'available' AND number_type = $2
                 AND number ~>=~ $3 AND number ~<=~ ($3 || '~') AND strpos(number, $4) > 0
               ORDER BY number LIMIT $5 FOR UPDATE SKIP LOCKED)
           UPDATE directory.inventory i
           SET state = 'ordering', org_id = $6, cell = $7, available_at = NULL, updated_at = $8
           FROM free WHERE i.account = free.account AND i.number = free.number
           RETURNING i.number, i.number_type, i.generation, true, i.is_observed""",
        tenant.account,
        number_type,
        prefix,
        pattern,
        limit,
        tenant.org_id,
        tenant.cell,
        tx.now,
    )


async def claim_unknown(
    tx: Executor, tenant: Tenant, numbers: Sequence[str], number_types: Sequence[str]
) -> list[Claimed]:
    """Take numbers that have no row yet; of two that do so at once the primary key lets one."""
    return await tx.all(
        Claimed,
        """INSERT INTO directory.inventory (account, number, number_type, state, org_id, cell, created_at, updated_at)
           SELECT $1, u.number, u.kind, 'ordering', $4, $5, $6, $6 FROM unnest($2::text[], $3::text[]) u (number, kind)
           ORDER BY u.number ON CONFLICT DO NOTHING
           RETURNING number, number_type, generation, false, is_observed""",
        tenant.account,
        numbers,
        number_types,
        tenant.org_id,
        tenant.cell,
        tx.now,
    )


async def free(tx: Executor, account: str, numbers: Sequence[str]) -> int:
    """Put numbers that an order held into the pool."""
    return await tx.run(
        """UPDATE directory.inventory SET state = 'available', org_id = NULL, cell = NULL, updated_at = $3
           WHERE account = $1 AND number = ANY($2) AND state = 'ordering'""",
        account,
        numbers,
        tx.now,
    )


async def forget(tx: Executor, account: str, numbers: Sequence[str]) -> None:
    """Let go of numbers that could not be bought. One that was ours before keeps its row, for its generation."""
    await tx.run(
        """WITH gone AS (
               DELETE FROM directory.inventory
               WHERE account = $1 AND number = ANY($2) AND state = 'ordering' AND generation = 0 AND op_seq = 0)
           UPDATE directory.inventory SET state = 'retired', org_id = NULL, cell = NULL, updated_at = $3
           WHERE account = $1 AND number = ANY($2) AND state = 'ordering' AND (generation > 0 OR op_seq > 0)""",
        account,
        numbers,
        tx.now,
    )


async def import_numbers(tx: Executor, account: str, numbers: Sequence[str], number_types: Sequence[str]) -> int:
    """Put numbers into the pool that the carrier account holds already; existing rows stay. Returns how many are new.

    What the carrier has on them was not read yet, hence `is_observed` false. One that was given back comes back.
    """
    return await tx.run(
        """INSERT INTO directory.inventory AS i (account, number, number_type, state, is_observed, created_at,
               updated_at)
           SELECT DISTINCT ON (u.number) $1, u.number, u.kind, 'available', false, $4, $4
           FROM unnest($2::text[], $3::text[]) u (number, kind) ORDER BY u.number
           ON CONFLICT (account, number) DO UPDATE SET state = 'available', is_observed = false, updated_at = $4
               WHERE i.state = 'retired'""",
        account,
        numbers,
        number_types,
        tx.now,
    )


async def list_stock(db: Executor, *, account: str | None, state: str | None, after: str, limit: int) -> list[Stock]:
    """The inventory in the order of its numbers, from the one after `after`."""
    return await db.all(
        Stock,
        """SELECT account, number, number_type, state, org_id, available_at, updated_at FROM directory.inventory
           WHERE ($1::text IS NULL OR account = $1) AND ($2::text IS NULL OR state = $2) AND number > $3
           ORDER BY number, account LIMIT $4""",
        account,
        state,
        after,
        limit,
    )


def _typed(number: str, number_type: str) -> tuple[str, str]:
    return number, number_type
