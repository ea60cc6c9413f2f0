"""What a worker writes up behind everybody, and how the operator sees that it does."""

import asyncio

from agentmessage.app import rollup_worker
from agentmessage.app.monitoring import gauges
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.settings import Settings
from tests.make.accounts import Account
from tests.proofs.running import until


async def _send(db: CellDb, account: Account) -> None:
    await db.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           VALUES ($1, $2, 'message.sent', 'message', $1, '{"channel": "sms"}', $3)""",
        new_id(),
        account.org_id,
        db.now,
    )


async def _shown(db: CellDb, cells: Cells) -> dict[str, float]:
    """The gauges of the books, counted anew."""
    await db.run("UPDATE directory.installation SET updated_at = '-infinity' WHERE name = 'gauges'")
    assert await gauges.count_if_due(cells)
    lines = (await gauges.show(cells)).decode().splitlines()
    return {
        name: float(line.split()[-1])
        for name in ("rollup_lag_seconds", "audit_seal_lag_seconds")
        for line in lines
        if line.startswith(f"agentmessage_{name}{{")
    }


async def test_a_worker_counts_and_seals_and_gauges_tell_how_far_it_is_behind(
    db: CellDb, cells: Cells, settings: Settings, account: Account
) -> None:
    await db.run("UPDATE event_cursors SET as_of = $1::timestamptz - interval '1 hour' WHERE name = 'metrics'", db.now)
    await _send(db, account)
    before = await _shown(db, cells)

    async def forever(turn: rollup_worker.Turn) -> None:
        while True:
            await turn()

    async def is_written_up() -> bool:
        return bool(
            await db.value(
                """SELECT EXISTS (SELECT FROM metric_buckets WHERE org_id = $1 AND metric = 'messages.outbound.sent')
                      AND (SELECT count(*) FROM audit_seals) = (SELECT count(*) FROM audit_log)""",
                account.org_id,
            )
        )

    loops = [asyncio.create_task(forever(turn)) for _, turn in rollup_worker.turns(db, settings)]
    await until(is_written_up)
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    after = await _shown(db, cells)

    assert before["rollup_lag_seconds"] > 3_600
    assert before["audit_seal_lag_seconds"] > 0
    assert after["rollup_lag_seconds"] < 60
    assert after["audit_seal_lag_seconds"] == 0


async def test_the_books_are_quiet_when_there_is_nothing_to_write(db: CellDb, settings: Settings) -> None:
    loop = asyncio.get_running_loop()

    for _, turn in rollup_worker.turns(db, settings):
        began = loop.time()
        await turn()
        assert loop.time() - began >= rollup_worker.LOOK_S / 2
