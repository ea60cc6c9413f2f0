"""What the reconciler reads of a line under its lock is what the line has become, campaign and all."""

import asyncio
from uuid import UUID

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.numbers import operations
from agentmessage.numbers.binding import queries as binding_queries
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign

NUMBER = "+14155550100"


async def _assigned(db: CellDb, account: Account, number: str = NUMBER) -> UUID:
    number_id = new_id()
    await db.run(
        """WITH p AS (
               INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, generation, desired_at,
                                          created_at, updated_at)
               VALUES ($1, $2, 'live', $3, 'local', 'assigned', 1, $4, $4, $4))
           INSERT INTO line_options (phone_number_id, org_id, account, number, phase, observed, observed_at,
                                     applied_generation, due_at, updated_at)
           VALUES ($1, $2, 'live', $3, 'unbound', 'absent', $4, 1, $4, $4)""",
        number_id,
        account.org_id,
        number,
        db.now,
    )
    return number_id


async def _until_lock_waits(db: CellDb) -> None:
    for _ in range(500):
        if await db.value("SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' LIMIT 1"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no transaction waits for a lock")


async def test_a_line_that_was_waited_for_comes_with_the_campaign_it_was_attached_to_meanwhile(
    db: CellDb, account: Account
) -> None:
    number_id = await _assigned(db, account)
    campaign_id = await insert_campaign(db, account.org_id, tcr_campaign_id="CMEANT1")

    async def lock() -> list[str | None]:
        async with db.transaction() as tx:
            return [line.desired_campaign for line in await binding_queries.lock_by_number(tx, "live", [NUMBER])]

    async with db.transaction() as tx:
        await operations.attach(tx, account.tenant, number_id, campaign_id)
        waiting = asyncio.create_task(lock())
        await _until_lock_waits(db)

    assert await waiting == ["CMEANT1"]


async def test_a_line_claimed_in_a_race_with_an_attach_never_desires_a_campaign_that_is_not_there(
    db: CellDb, account: Account
) -> None:
    ids = [await _assigned(db, account, f"+1415555{index:04}") for index in range(300)]
    campaign_id = await insert_campaign(db, account.org_id)
    is_over = asyncio.Event()
    strange: list[UUID] = []

    async def change_minds(own: list[UUID]) -> None:
        while not is_over.is_set():
            for number_id in own:
                await operations.attach(db, account.tenant, number_id, campaign_id)
                await operations.detach(db, account.tenant, number_id)

    customers = [asyncio.create_task(change_minds(ids[start::4])) for start in range(4)]
    for _ in range(200):
        async with db.transaction() as tx:
            lines = await binding_queries.claim_due(tx, [account.org_id], ["live"], now=tx.now, share=1000)
            strange += [line.id for line in lines if line.desired_id is not None and line.campaign_status is None]
    is_over.set()
    await asyncio.gather(*customers)

    assert strange == []
