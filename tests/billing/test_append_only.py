"""The database itself keeps the ledger: nothing in it is changed, taken away, or booked on one side only."""

from uuid import uuid4

import asyncpg
import pytest

from agentmessage.billing import operations
from agentmessage.billing.model import UsageKind
from agentmessage.kernel.db import CellDb
from tests.make.accounts import Account

TABLES = ["ledger_transactions", "ledger_entries", "usage_rows"]


@pytest.fixture(autouse=True)
async def booked(db: CellDb, account: Account) -> None:
    """One charge."""
    async with db.transaction() as tx:
        await operations.charge(
            tx,
            account.tenant,
            kind=UsageKind.LOOKUP,
            quantity=1,
            unit_cost_microcents=5,
            source="test",
            source_ref="a",
        )


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "act",
    ["UPDATE {} SET org_id = org_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
    ids=["update", "delete", "truncate"],
)
async def test_what_is_booked_is_final_for_the_owner_of_the_tables_too(
    db: CellDb, table: str, act: str, role: str
) -> None:
    """A session that calls itself a replica fires no ordinary trigger; these it fires."""
    before = await db.value(f"SELECT count(*) FROM {table}")  # noqa: S608

    async with db.connection() as connection:
        await connection.execute(f"SET session_replication_role = {role}")
        with pytest.raises(asyncpg.exceptions.RestrictViolationError, match="append-only"):
            await connection.execute(act.format(table))

    assert await db.value(f"SELECT count(*) FROM {table}") == before > 0  # noqa: S608


async def insert_entries(db: CellDb, account: Account, *entries: tuple[str, int]) -> None:
    """A movement of the wallet by 7, and these entries for it."""
    async with db.transaction() as tx:
        transaction_id = uuid4()
        await tx.run(
            """INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents,
                   source, source_ref) VALUES ($1, $2, now(), 'adjustment', 7, 0, 'test', 'b')""",
            transaction_id,
            account.org_id,
        )
        await tx.run(
            """INSERT INTO ledger_entries (transaction_id, org_id, account, amount_microcents)
               SELECT $1, $2, e.* FROM unnest($3::text[], $4::bigint[]) e""",
            transaction_id,
            account.org_id,
            [side for side, _ in entries],
            [amount for _, amount in entries],
        )


async def test_entries_that_cancel_each_other_are_booked(db: CellDb, account: Account) -> None:
    await insert_entries(db, account, ("wallet", 7), ("funding", -7))

    assert await db.value("SELECT count(*) FROM ledger_entries WHERE amount_microcents = 7") == 1


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([("wallet", 7)], id="one side only"),
        pytest.param([("wallet", 7), ("funding", -6)], id="a rest"),
        pytest.param([("wallet", 8), ("funding", -8)], id="not what the wallet was moved by"),
        pytest.param([("revenue", 7), ("funding", -7)], id="past the wallet"),
    ],
)
async def test_entries_that_do_not_balance_are_refused(
    db: CellDb, account: Account, entries: list[tuple[str, int]]
) -> None:
    with pytest.raises(asyncpg.exceptions.IntegrityConstraintViolationError, match="must cancel each other"):
        await insert_entries(db, account, *entries)


async def test_entries_without_a_movement_are_refused(db: CellDb, account: Account) -> None:
    with pytest.raises(asyncpg.exceptions.IntegrityConstraintViolationError, match="must cancel each other"):
        await db.run(
            """INSERT INTO ledger_entries (transaction_id, org_id, account, amount_microcents)
               SELECT $1, $2, e.* FROM (VALUES ('wallet', 7), ('funding', -7)) e""",
            uuid4(),
            account.org_id,
        )
