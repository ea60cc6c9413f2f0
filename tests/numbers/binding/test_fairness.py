"""One tenant's flood does not delay another tenant's single attach."""

from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import carrier_order_queries, reconciler
from tests.make.campaigns import insert_campaign
from tests.numbers.virtual_clock import Story, VirtualClock, add_number

FLOOD = 60


async def open_organization(db: CellDb) -> UUID:
    """An organization without keys or money."""
    org_id = new_id()
    await db.run("INSERT INTO directory.organizations (id, cell, mode) VALUES ($1, 'cell_00', 'live')", org_id)
    await db.run(
        """INSERT INTO organizations (id, mode, name, quiet_hours, auto_replies, created_at, updated_at)
           VALUES ($1, 'live', 'Fair', '{}', '{}', now(), now())""",
        org_id,
    )
    return org_id


async def attach(db: CellDb, org_id: UUID, first: int, count: int) -> None:
    """So many numbers that want a campaign, due since long ago."""
    campaign_id = await insert_campaign(db, org_id, number_cap=1000)
    for number in range(first, first + count):
        await add_number(db, org_id, f"+1212555{number:04d}")
    await db.run(
        "UPDATE phone_numbers SET campaign_id = $2, generation = 2, line_option_status = 'pending' WHERE org_id = $1",
        org_id,
        campaign_id,
    )
    await db.run("UPDATE line_options SET due_at = $2 WHERE org_id = $1", org_id, db.now)


async def test_a_single_attach_is_in_the_first_plan_next_to_a_flood(
    db: CellDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "PLAN_LIMIT", 20)
    flooding, single = await open_organization(db), await open_organization(db)
    await attach(db, flooding, 100, FLOOD)
    await attach(db, single, 900, 1)
    story = Story(db, VirtualClock(), seed=1)

    planned = await reconciler.plan(story.reconciling())

    asked = await db.all(str, "SELECT number FROM line_options WHERE op_order_id IS NOT NULL AND org_id = $1", single)
    assert asked == ["+12125550900"]
    assert planned.lines == 11


async def test_planning_pauses_while_orders_pile_up_and_goes_on_afterwards(db: CellDb) -> None:
    flooding = await open_organization(db)
    await attach(db, flooding, 100, FLOOD)
    story = Story(db, VirtualClock(), seed=1)
    planned = await reconciler.plan(story.reconciling())
    assert planned.lines == FLOOD
    await attach(db, await open_organization(db), 900, 1)

    paused = await reconciler.plan(story.reconciling())
    await db.run("UPDATE carrier_orders SET state = 'done', due_at = NULL")
    resumed = await reconciler.plan(story.reconciling())

    assert await carrier_order_queries.backlogged_accounts(db, min_orders=1) == ["live"]
    assert (paused.lines, resumed.lines) == (0, 1)
