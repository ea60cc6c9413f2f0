"""The audit log is a chain: whatever is done to it behind our back is found and named."""

import asyncio
import contextlib
import random
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentmessage.audit import seal_queries, sealer, verification
from agentmessage.audit.chain import chain_keys
from agentmessage.audit.verification import Harm, Proof
from agentmessage.kernel.db import CellDb, Executor
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import operator
from agentmessage.organizations import operations
from tests.conftest import ENCRYPTION_KEY
from tests.make.accounts import Account
from tests.proofs.running import until

KEYS = chain_keys(ENCRYPTION_KEY)
NEWER_ENCRYPTION_KEY = "YW5vdGhlci1zZWFsaW5nLWtleS1mb3ItdGVzdHMtMzI="
ORG = UUID(int=7)
TABLES = ("audit_log", "audit_seals", "audit_chains")


async def act(tx: Executor, number: int = 0, *, org_id: UUID = ORG, **payload: object) -> str:
    return await operations.record(
        tx,
        operator(org_id, "cell_00", "live"),
        action="thing.change",
        resource_type="thing",
        resource_id=number,
        payload=payload or None,
    )


async def seal(db: CellDb, keys: Any = KEYS, *, batch: int = 500) -> None:
    """Seal all there is; Postgres's own housekeeping can hold the order of rows open for a moment."""

    async def is_done() -> bool:
        await sealer.turn(db, keys, batch=batch)
        return not await db.value(
            "SELECT EXISTS (SELECT FROM audit_log a, audit_cursor p WHERE (a.xid, a.id) > (p.xid, p.id))"
        )

    await until(is_done)


async def prove(db: CellDb, org_id: UUID = ORG, **given: Any) -> Proof:
    proofs = {proof.org_id: proof for proof in await verification.prove(db, given.pop("keys", KEYS), **given)}
    return proofs[org_id]


def found(proof: Proof) -> tuple[Harm | None, int | None, str | None]:
    return proof.harm, proof.position, proof.row_id


async def tamper(db: CellDb, sql: LiteralString, *args: object) -> None:
    """As the owner of the tables can who means harm."""
    for table in TABLES:
        await db.run(f"ALTER TABLE {table} DISABLE TRIGGER ALL")  # pyright: ignore[reportArgumentType]
    assert await db.run(sql, *args) >= 1
    for table in TABLES:
        await db.run(f"ALTER TABLE {table} ENABLE TRIGGER ALL")  # pyright: ignore[reportArgumentType]


@pytest.fixture
async def rows(db: CellDb) -> list[str]:
    """The ids of five sealed rows, in order."""
    written = [await act(db, number, before=None, after={"text": "é\u2028", "n": 1.5}) for number in range(5)]
    await seal(db)
    return written


@pytest.mark.usefixtures("rows")
async def test_a_chain_that_nobody_touched_proves_and_goes_on(db: CellDb, account: Account) -> None:
    first = await prove(db)
    await act(db)
    await seal(db)
    second = await prove(db, kept={ORG: first})

    assert (found(first), first.length) == ((None, None, None), 5)
    assert (found(second), second.length) == ((None, None, None), 6)
    assert {proof.harm for proof in await verification.prove(db, KEYS)} == {None}
    assert account.org_id in {proof.org_id for proof in await verification.prove(db, KEYS)}


COLUMNS = {
    "occurred_at": "occurred_at + interval '1 microsecond'",
    "actor_kind": "'customer'",
    "actor_label": "'somebody else'",
    "action": "'thing.nothing'",
    "resource_type": "'organization'",
    "resource_id": "'9'",
    "reason": "''",
    "request_id": "'01JTBQH2FZ8K1RXC0WJ4Z9P3VM'",
    "payload": "jsonb_set(payload, '{after,n}', '2')",
}


@pytest.mark.parametrize("column", COLUMNS)
async def test_an_altered_row_is_named_whichever_column_it_is(db: CellDb, rows: list[str], column: str) -> None:
    await tamper(db, f"UPDATE audit_log SET {column} = {COLUMNS[column]} WHERE id = $1", rows[2])  # pyright: ignore[reportArgumentType]  # noqa: S608

    assert found(await prove(db)) == (Harm.ALTERED, 3, rows[2])


async def test_what_stands_in_a_neighbouring_column_is_not_the_same_row(db: CellDb) -> None:
    row = await act(db)
    await seal(db)
    await tamper(db, "UPDATE audit_log SET action = 'thing.changething', resource_type = '' WHERE id = $1", row)

    assert (await prove(db)).harm is Harm.ALTERED


async def test_a_removed_row_is_named(db: CellDb, rows: list[str]) -> None:
    await tamper(db, "DELETE FROM audit_log WHERE id = $1", rows[1])

    assert found(await prove(db)) == (Harm.REMOVED, 2, rows[1])


async def test_a_row_removed_with_its_seal_leaves_a_gap_or_breaks_the_next_one(db: CellDb, rows: list[str]) -> None:
    await tamper(db, "DELETE FROM audit_log WHERE id = $1", rows[1])
    await tamper(db, "DELETE FROM audit_seals WHERE position = 2 AND org_id = $1", ORG)

    assert found(await prove(db))[:2] == (Harm.REMOVED, 2)

    await tamper(db, "UPDATE audit_seals SET position = position - 1 WHERE position > 2 AND org_id = $1", ORG)
    await tamper(db, "UPDATE audit_chains SET length = 4 WHERE org_id = $1", ORG)
    assert found(await prove(db)) == (Harm.ALTERED, 2, rows[2])


async def test_two_rows_that_changed_places_are_found(db: CellDb, rows: list[str]) -> None:
    await tamper(
        db,
        """UPDATE audit_seals a SET row_id = b.row_id FROM audit_seals b
           WHERE a.org_id = $1 AND b.org_id = $1 AND a.position + b.position = 5 AND a.position IN (2, 3)""",
        ORG,
    )

    assert found(await prove(db)) == (Harm.ALTERED, 2, rows[2])


async def test_a_row_slipped_in_among_sealed_ones_is_named(db: CellDb, rows: list[str]) -> None:
    forged = "0" * 26
    await db.run(
        """INSERT INTO audit_log SELECT org_id, $1, occurred_at, actor_kind, actor_label, 'thing.forged', resource_type,
               resource_id, reason, request_id, payload, xid FROM audit_log WHERE id = $2""",
        forged,
        rows[2],
    )
    await seal(db)

    assert found(await prove(db)) == (Harm.INSERTED, None, forged)


async def test_a_cut_tail_is_found_also_when_the_end_is_written_anew(db: CellDb, rows: list[str]) -> None:
    await tamper(db, "DELETE FROM audit_log WHERE id = ANY ($1)", rows[3:])
    await tamper(db, "DELETE FROM audit_seals WHERE position > 3 AND org_id = $1", ORG)
    assert found(await prove(db)) == (Harm.CUT, 4, None)

    await tamper(
        db,
        """UPDATE audit_chains c SET length = 3, head = s.hash FROM audit_seals s
           WHERE c.org_id = $1 AND s.org_id = $1 AND s.position = 3""",
        ORG,
    )
    assert found(await prove(db)) == (Harm.CUT, 3, None)


async def test_a_chain_put_back_to_an_earlier_copy_is_found_by_the_head_that_was_kept(db: CellDb) -> None:
    await act(db, 1)
    await seal(db)
    early = await seal_queries.list_ends(db, [ORG])
    await act(db, 2)
    await seal(db)
    kept = await prove(db)
    await tamper(db, "DELETE FROM audit_log WHERE resource_id = '2' AND org_id = $1", ORG)
    await tamper(db, "DELETE FROM audit_seals WHERE position = 2 AND org_id = $1", ORG)
    await tamper(
        db,
        "UPDATE audit_chains SET length = 1, head = $2, signature = $3 WHERE org_id = $1",
        ORG,
        early[0].head,
        early[0].signature,
    )

    assert (await prove(db)).harm is None
    assert found(await prove(db, kept={ORG: kept})) == (Harm.REWOUND, 2, None)
    await act(db, 3)
    await seal(db)
    assert (await prove(db, kept={ORG: kept})).harm is Harm.REWOUND


async def test_a_chain_that_is_gone_altogether_is_missed(db: CellDb, account: Account) -> None:
    await seal(db)
    kept = await prove(db, account.org_id)
    for table in TABLES:
        await tamper(db, f"DELETE FROM {table} WHERE org_id = $1", account.org_id)  # pyright: ignore[reportArgumentType]  # noqa: S608

    assert (await prove(db, account.org_id, kept={account.org_id: kept})).harm is Harm.MISSING
    await db.run("UPDATE organizations SET created_at = created_at - interval '2 minutes'")
    assert (await prove(db, account.org_id)).harm is Harm.MISSING


async def test_a_row_without_a_seal_is_named_after_a_minute(db: CellDb) -> None:
    await act(db)
    assert ORG not in {proof.org_id for proof in await verification.prove(db, KEYS)}
    old = new_id().hex[:26]
    await db.run(
        """INSERT INTO audit_log (org_id, id, occurred_at, actor_kind, actor_label, action, resource_type, resource_id)
           VALUES ($1, $2, $3, 'platform', 'platform', 'thing.change', 'thing', '1')""",
        ORG,
        old,
        db.now - timedelta(seconds=61),
    )

    assert found(await prove(db)) == (Harm.UNSEALED, None, old)


async def test_a_chain_proves_across_a_change_of_the_encryption_key_while_the_old_one_is_configured(
    db: CellDb, rows: list[str]
) -> None:
    both = chain_keys(f"{NEWER_ENCRYPTION_KEY},{ENCRYPTION_KEY}")
    await act(db)
    await seal(db, both)

    assert (await prove(db, keys=both)).harm is None
    assert found(await prove(db, keys=chain_keys(NEWER_ENCRYPTION_KEY))) == (Harm.ALTERED, 1, rows[0])
    assert (await prove(db)).harm is Harm.ALTERED


REWRITINGS = [
    *(f"{verb} {table}" for table in TABLES for verb in ("DELETE FROM", "TRUNCATE")),
    "UPDATE audit_log SET action = action",
    "UPDATE audit_seals SET hash = hash",
]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("sql", REWRITINGS)
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_the_database_refuses_to_rewrite_the_log_its_owner_too(db: CellDb, sql: str, role: str) -> None:
    async with db.transaction() as tx:
        await tx.run(f"SET LOCAL session_replication_role = {role}")  # pyright: ignore[reportArgumentType]
        await tx.run("SAVEPOINT before")
        with pytest.raises(asyncpg.exceptions.RestrictViolationError, match="append-only"):
            await tx.run(sql)  # pyright: ignore[reportArgumentType]
        await tx.run("ROLLBACK TO before")

    assert (await prove(db)).harm is None


@pytest.mark.usefixtures("rows")
async def test_writing_a_row_does_not_wait_for_sealing(db: CellDb) -> None:
    async with db.transaction() as tx:
        await seal_queries.lock_place(tx)
        await tx.run("UPDATE audit_chains SET length = length WHERE org_id = $1", ORG)

        async with asyncio.timeout(5):
            await act(db)
        assert await sealer.turn(db, KEYS) is False
    await seal(db)

    assert (await prove(db)).length == 6


async def test_a_row_that_commits_late_is_sealed_behind_and_never_before_a_sealed_one(db: CellDb) -> None:
    async with db.transaction() as late:
        first = await act(late)
        await act(db)
        await sealer.turn(db, KEYS)
        assert await seal_queries.list_ends(db, [ORG]) == []
    await seal(db)

    proof = await prove(db)
    assert (proof.harm, proof.length) == (None, 2)
    links = await seal_queries.list_links(db, ORG, after=0, limit=1)
    assert links[0].seal.row_id == first


async def test_rows_are_sealed_in_the_order_of_numbers_not_of_digits(db: CellDb) -> None:
    for xid in ("9", "10", "99", "100"):
        await db.run(
            """INSERT INTO audit_log (org_id, id, occurred_at, actor_kind, actor_label, action, resource_type,
                   resource_id, xid)
               VALUES ($1, $2, $3, 'platform', 'platform', 'made', 'thing', '1', $2::text::xid8)""",
            ORG,
            xid,
            db.now,
        )

    await seal(db, batch=1)

    links = await seal_queries.list_links(db, ORG, after=0, limit=9)
    assert [link.seal.row_id for link in links] == ["9", "10", "99", "100"]
    assert (await prove(db)).harm is None


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_chains_prove_after_any_history_and_hold_each_row_once(db: CellDb, seed: int) -> None:
    """Writers of three organizations that commit in any order or not at all, two sealers, sealers that die."""
    rng = random.Random(seed)

    async def write() -> None:
        with contextlib.suppress(InterruptedError):
            async with db.transaction() as tx:
                for number in range(rng.randint(1, 4)):
                    await act(tx, number, org_id=UUID(int=rng.randint(1, 3)), text="x" * rng.randint(0, 9))
                    await asyncio.sleep(rng.choice([0, 0.002]))
                if rng.random() < 0.2:
                    raise InterruptedError

    async def seal_and_die() -> None:
        for _ in range(6):
            turn = asyncio.create_task(sealer.turn(db, KEYS, batch=rng.randint(1, 5)))
            if rng.random() < 0.3:
                await asyncio.sleep(rng.random() * 0.004)
                turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)

    await asyncio.gather(*(write() for _ in range(6)), seal_and_die(), seal_and_die())
    await seal(db, batch=3)

    assert {proof.harm for proof in await verification.prove(db, KEYS)} <= {None}
    assert await db.value("SELECT count(*) FROM audit_seals") == await db.value("SELECT count(*) FROM audit_log")
    assert await db.value("SELECT count(DISTINCT (org_id, row_id)) FROM audit_seals") == await db.value(
        "SELECT count(*) FROM audit_log"
    )
