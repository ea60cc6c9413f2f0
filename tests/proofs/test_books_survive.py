"""Workers are killed while facts and acts come in: each is counted and sealed once, and every chain proves."""

import asyncio
import random
from collections import Counter
from uuid import UUID

import pytest

from agentmessage.app.maintenance import EVENTS_KEPT
from agentmessage.audit import verification
from agentmessage.audit.chain import chain_keys
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import operator
from agentmessage.organizations import operations
from agentmessage.rollups import aggregator
from agentmessage.standalone.data_dir import DataDir
from tests.proofs.running import beside, platform, until

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("up")]

ORGANIZATIONS = [UUID(int=n) for n in range(1, 6)]
KINDS = {"message.sent": "messages.outbound.sent", "message.failed": "messages.outbound.failed"}
TRANSACTIONS = 300
WRITERS = 4


async def write(db: CellDb, seed: int, told: Counter[str]) -> None:
    """Facts and acts in transactions of a few milliseconds, so that they commit out of order."""
    rng = random.Random(seed)
    for _ in range(TRANSACTIONS):
        org_id, kind = rng.choice(ORGANIZATIONS), rng.choice(list(KINDS))
        async with db.transaction() as tx:
            await tx.run(
                """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
                   VALUES ($1, $2, $3, 'message', $1, '{"channel": "sms"}', $4)""",
                new_id(),
                org_id,
                kind,
                tx.now,
            )
            await asyncio.sleep(rng.random() * 0.01)
            await operations.record(
                tx, operator(org_id, db.name, "live"), action="made", resource_type="thing", resource_id=seed
            )
        told[KINDS[kind]] += 1


async def sums(db: CellDb) -> dict[str, int]:
    return dict(
        await db.all(
            lambda metric, value: (metric, value),
            """SELECT metric, sum(value)::bigint FROM metric_buckets
               WHERE org_id = ANY ($1) AND span = 'minute' GROUP BY 1""",
            ORGANIZATIONS,
        )
    )


async def test_kills_of_workers_leave_sums_that_are_a_recount_and_chains_that_prove() -> None:
    told: Counter[str] = Counter()
    async with platform("--profile", "instant", "--seed", "5") as running, beside(running, "work"):
        cells = Cells(running.ready["database_url"], pool_size=WRITERS + 1)
        db = await cells.cell("cell_00")
        writing = asyncio.gather(*(write(db, seed, told) for seed in range(WRITERS)))
        kills = 0
        while not writing.done():
            await running.kill("worker")
            kills += 1
        await writing

        async def is_written_up() -> bool:
            unsealed = await db.value("SELECT (SELECT count(*) FROM audit_log) - (SELECT count(*) FROM audit_seals)")
            return not unsealed and sum((await sums(db)).values()) >= told.total()

        await until(is_written_up, seconds=60, what="the books are written up")

        assert kills >= 1
        assert await sums(db) == dict(told)
        assert await aggregator.check(db, events_kept=EVENTS_KEPT) == []
        keys = chain_keys(DataDir(running.root / "data").encryption_key())
        proofs = await verification.prove(db, keys)
        assert {proof.harm for proof in proofs} == {None}
        assert sum(proof.length for proof in proofs if proof.org_id in ORGANIZATIONS) == WRITERS * TRANSACTIONS
        await cells.close()
