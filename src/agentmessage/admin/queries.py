"""Statements on the inventory and on single numbers for the operator; they cross tenants on purpose."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor


class InventoryRow(Struct, frozen=True):
    """One number that the installation knows of, whoever has it."""

    account: str
    number: str
    number_type: str
    state: str
    org_id: UUID | None
    updated_at: datetime


class RungLine(Struct, frozen=True):
    """A number that will be looked at again at once: where it stood, and what held it up."""

    org_id: UUID
    account: str
    number: str
    phase: str
    trouble: str | None
    error_code: str | None
    error_text: str | None


async def list_inventory(
    db: Executor, *, account: str | None, state: str | None, after: str, limit: int
) -> list[InventoryRow]:
    """Numbers in order, from the one after `after`."""
    return await db.all(
        InventoryRow,
        """SELECT account, number, number_type, state, org_id, updated_at FROM directory.inventory
           WHERE ($1::text IS NULL OR account = $1) AND ($2::text IS NULL OR state = $2) AND number > $3
           ORDER BY number, account LIMIT $4""",
        account,
        state,
        after,
        limit,
    )


async def ring_number(db: Executor, number: str) -> list[RungLine]:
    """Have one number of the cell looked at now and forget its attempts, on whichever account it is."""
    return await db.all(
        RungLine,
        """UPDATE line_options SET due_at = $2, attempts = 0 WHERE number = $1
           RETURNING org_id, account, number, phase, trouble, error_code, error_text""",
        number,
        db.now,
    )
