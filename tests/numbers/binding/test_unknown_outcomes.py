"""An order whose outcome is unknown: looked up, found or proven absent, then sent again under the same key."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from agentmessage.carriers.protocols import Refused, Trouble, Unknown
from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import Cells
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers import operations
from agentmessage.numbers.binding import carrier_order_queries, carrier_orders, reconciler
from tests.conftest import TEMPLATE
from tests.make.accounts import open_account
from tests.make.campaigns import insert_campaign
from tests.numbers.virtual_clock import Fuse, Story, VirtualClock, add_number

NUMBER = "+14155550101"
TCR_ID = "CAAAAAA"


class Doubtful(Story):
    """A story of one number and one campaign."""

    tenant: Tenant
    number_id: UUID
    campaign_id: UUID

    async def attach(self) -> None:
        await operations.attach(self.db, self.tenant, self.number_id, self.campaign_id)

    async def live(self, seconds: float) -> None:
        """Let everybody do what they have to do for so long."""
        for _ in range(round(seconds / 0.5)):
            await self.work()
            self.pass_time(0.5)

    def repeated(self) -> int:
        """How often the carrier got a key that it had already."""
        return self.control("oracle")["repeated_submissions"].get("line_key", 0)

    async def order_states(self) -> list[str]:
        return await self.db.all(str, "SELECT state FROM carrier_orders ORDER BY created_at")


@pytest.fixture
async def story(postgres: EmbeddedPostgres) -> AsyncIterator[Doubtful]:
    """Everything quiet, the number on no campaign."""
    clock = VirtualClock()
    name = f"doubt_{new_id().hex[-12:]}"
    cells = Cells(await postgres.create_database(name, template=TEMPLATE), pool_size=4, clock=clock)
    db = await cells.cell("cell_00")
    story = Doubtful(db, clock, seed=1, profile="instant")
    account = await open_account(cells)
    story.tenant = account.tenant
    story.control("numbers", {"numbers": [NUMBER]})
    story.control(f"campaigns/{TCR_ID}", {"status": "ACTIVE", "create": True})
    story.number_id = await add_number(db, account.org_id, NUMBER)
    story.campaign_id = await insert_campaign(db, account.org_id, tcr_campaign_id=TCR_ID)
    yield story
    await cells.close()
    await postgres.drop_database(name)


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "error_after"])
async def test_an_order_that_was_done_though_no_answer_came_is_found_and_not_sent_again(
    fault: str, story: Doubtful
) -> None:
    story.control("faults", {"once": [{"fault": fault, "operation": "lines.submit"}]})
    await story.attach()

    await story.live(10)

    assert story.bindings() == {NUMBER: TCR_ID}
    assert (await story.order_states(), story.repeated(), len(story.submissions)) == (["done"], 0, 1)
    assert (await story.rows())[0]["line_option_status"] == "propagated"


@pytest.mark.parametrize("fault", ["timeout_before", "error_before"])
async def test_an_order_that_never_arrived_is_sent_again_under_its_own_key(fault: str, story: Doubtful) -> None:
    story.control("faults", {"once": [{"fault": fault, "operation": "lines.submit"}]})
    await story.attach()

    await story.live(15)

    assert story.bindings() == {NUMBER: TCR_ID}
    assert len({key for key, _ in story.submissions}) == 1
    assert (await story.order_states(), story.repeated()) == (["done"], 0)


async def test_one_look_up_that_misses_proves_nothing(story: Doubtful) -> None:
    """The order was done, no answer came, and the first look-up does not see it yet."""
    once = [
        {"fault": "timeout_after", "operation": "lines.submit"},
        {"fault": "order_hidden", "operation": "lines.find"},
    ]
    story.control("faults", {"once": once})
    await story.attach()

    await story.live(10)

    assert story.bindings() == {NUMBER: TCR_ID}
    assert (len(story.submissions), story.repeated()) == (1, 0)


@pytest.mark.parametrize("awaits", range(24))
async def test_a_worker_that_dies_anywhere_on_the_way_leaves_an_order_that_another_one_ends(
    awaits: int, story: Doubtful
) -> None:
    """Before and after each statement, each commit and each request of the first pass."""
    await story.attach()

    await story.work(Fuse(awaits))
    story.pass_time(story.pace.lease_s)
    await story.live(15)

    assert story.bindings() == {NUMBER: TCR_ID}
    assert story.repeated() == 0
    assert (await story.rows())[0]["line_option_status"] == "propagated"
    assert set(await story.order_states()) == {"done"}


async def test_a_worker_that_lost_its_lease_writes_nothing(story: Doubtful) -> None:
    """Its answer comes when another worker has taken the order over and ended it: every outcome falls on deaf ears."""
    await story.attach()
    await reconciler.plan(story.reconciling())
    slow = await carrier_order_queries.claim_orders(
        story.db,
        accounts=["live"],
        now=story.db.now,
        lease_token=new_id(),
        until=story.db.now + timedelta(seconds=story.pace.lease_s),
        limit=1,
    )
    story.pass_time(story.pace.lease_s)
    await story.live(15)
    before = [await story.rows(), await story.order_states()]

    step = carrier_orders.Step(story.reconciling(), slow[0])
    await step._refused_whole(Refused(Trouble.CAMPAIGN_DEAD, "4773", "late"))
    await step._submitted("late")
    await step._in_doubt(Unknown("late"))
    await step._later("written", 0.0)

    assert [await story.rows(), await story.order_states()] == before
    assert before[1] == ["done"]


async def test_a_number_is_not_withdrawn_from_an_order_that_is_being_handed_over(story: Doubtful) -> None:
    """The desired campaign changes while a worker is about to call: the order ends, and the next one undoes it."""
    await story.attach()
    await reconciler.plan(story.reconciling())
    claimed = await carrier_order_queries.claim_orders(
        story.db, accounts=["live"], now=story.db.now, lease_token=new_id(), until=story.db.now, limit=1
    )
    await operations.detach(story.db, story.tenant, story.number_id)

    assert not await carrier_order_queries.withdraw_member(story.db, claimed[0].id, story.number_id)
    await story.live(20)

    assert story.bindings() == {NUMBER: None}
    assert await story.order_states() == ["done", "done"]


async def test_a_flap_before_the_order_was_sent_collapses_to_nothing(story: Doubtful) -> None:
    """Trap 4: nothing was asked of the carrier, so nothing is."""
    await story.attach()
    await reconciler.plan(story.reconciling())
    await operations.detach(story.db, story.tenant, story.number_id)
    await reconciler.plan(story.reconciling())

    await story.live(5)

    assert story.submissions == []
    assert (await story.rows())[0]["line_option_status"] is None
