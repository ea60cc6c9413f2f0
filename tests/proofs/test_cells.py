"""A second cell in the same Postgres: an organization lives there, and its numbers' story is the same."""

from uuid import UUID

import aiohttp
import pytest

from agentmessage.kernel.db import Cells
from agentmessage.migrations.runner import migrate
from tests.make.accounts import open_account
from tests.proofs.running import Customer, Running, control, own_campaigns, own_numbers, platform, until

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("up")]

ELSEWHERE = "cell_01"


async def test_an_organization_in_another_cell_lives_the_whole_story_there() -> None:
    """Added while everything runs: the worker takes the cell up by itself, the API finds the way by the key."""
    async with platform("--profile", "instant", "--seed", "4") as running:
        await migrate(running.ready["database_url"], new_cells=[ELSEWHERE])
        cells = Cells(running.ready["database_url"], pool_size=4)
        try:
            account = await open_account(cells, name="Elsewhere", cell=ELSEWHERE)
            async with aiohttp.ClientSession() as session:
                one = Customer(session, running.ready["base_url"], account.key)
                await live_through_the_story(one, running)
                await require_everything_in_its_cell(cells, account.org_id)
        finally:
            await cells.close()


async def live_through_the_story(one: Customer, running: Running) -> None:
    """Buy a number, attach, see it propagated, detach, see it gone, release; the carrier agrees at every station."""
    number_id = (await own_numbers(one, 1))[0]
    path = f"/v1/phone-numbers/{number_id}"
    number = (await one.insist("GET", path)).data["number"]
    campaign_id, tcr_id = (await own_campaigns(one, 1))[0]

    async def at_the_carrier() -> str | None:
        return (await control(one, running, "oracle"))["bindings"][number]["campaign"]

    async def status() -> str | None:
        return (await one.insist("GET", path)).data["carrier_line_option_status"]

    async def is_propagated() -> bool:
        return await status() == "propagated"

    async def is_gone() -> bool:
        return await status() is None

    attached = await one.insist("POST", f"{path}/campaign", {"campaign_id": campaign_id})
    assert (attached.status, attached.data["carrier_line_option_status"]) == (200, "pending")
    await until(is_propagated, what="propagation")
    assert await at_the_carrier() == tcr_id
    detached = await one.insist("DELETE", f"{path}/campaign")
    assert (detached.status, detached.data["campaign_id"]) == (200, None)
    await until(is_gone, what="unbinding")
    assert await at_the_carrier() is None
    assert (await one.insist("DELETE", path)).data == {"status": "released"}
    kinds = [event["type"] for event in (await one.insist("GET", "/v1/events?limit=100")).data]
    story = [kind for kind in kinds if kind.startswith("phone_number")]
    assert story == [
        "phone_number.ordered",
        "phone_number.campaign.attached",
        "phone_number.campaign.assigned",
        "phone_number.campaign.detached",
        "phone_number.campaign.unassigned",
        "phone_number.released",
    ]


async def require_everything_in_its_cell(cells: Cells, org_id: UUID) -> None:
    """The other cell has the organization's rows, the first has none of them."""
    here, there = await cells.cell("cell_00"), await cells.cell(ELSEWHERE)
    tables = await there.all(
        str,
        """SELECT table_name::text FROM information_schema.columns
           WHERE table_schema = $1 AND column_name = 'org_id' ORDER BY 1""",
        ELSEWHERE,
    )
    assert "phone_numbers" in tables
    async with here.connection() as connection:
        for table in tables:
            count = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE org_id = $1", org_id)  # noqa: S608 - our own tables
            assert count == 0, table
    assert await there.value("SELECT count(*) FROM phone_numbers WHERE org_id = $1", org_id) == 1
    assert await there.value("SELECT count(*) FROM carrier_orders") >= 2
    assert await here.value("SELECT cell FROM directory.organizations WHERE id = $1", org_id) == ELSEWHERE
