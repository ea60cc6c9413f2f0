"""Orders that wait for the budget fill up, so that few calls do for many numbers."""

import random
from collections.abc import Sequence
from uuid import UUID

from agentmessage.carriers.bandwidth import BandwidthLines
from agentmessage.kernel.db import CellDb
from agentmessage.numbers import operations
from agentmessage.numbers.binding import reconciler
from agentmessage.numbers.binding.call_budget import UNLIMITED, Budget, Limits
from agentmessage.numbers.binding.model import SIMULATED
from agentmessage.numbers.binding.reconciler import LineCarrier, Reconciling
from tests.carriers.world_line import ACCOUNT
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.numbers.harness import Wire
from tests.numbers.virtual_clock import add_number

BATCH = 3


def _reconciling(db: CellDb) -> Reconciling:
    carrier = LineCarrier(BandwidthLines(ACCOUNT, Wire("instant")), SIMULATED, BATCH)
    budget = Budget(db, {"live": Limits(UNLIMITED, UNLIMITED, 1.0)})
    return Reconciling(db, {"live": carrier}, budget, random.Random(1))


async def _attached_one_by_one(db: CellDb, account: Account, numbers: int) -> Sequence[UUID]:
    """Numbers that are attached and planned each on its own, while no worker hands orders over."""
    campaign_id = await insert_campaign(db, account.org_id)
    ids = [await add_number(db, account.org_id, f"+1415555010{index}") for index in range(numbers)]
    for number_id in ids:
        await operations.attach(db, account.tenant, number_id, campaign_id)
        await reconciler.plan(_reconciling(db))
    return ids


async def _orders(db: CellDb) -> list[tuple[int, int]]:
    """Size as it is counted, and members as they are, of every order."""
    return await db.all(
        _pair,
        """SELECT o.size, (SELECT count(*) FROM carrier_order_items m WHERE m.order_id = o.id)
           FROM carrier_orders o ORDER BY o.created_at, o.id""",
    )


def _pair(size: int, members: int) -> tuple[int, int]:
    return size, members


async def test_numbers_that_change_one_by_one_share_the_order_that_waits_until_it_is_full(
    db: CellDb, account: Account
) -> None:
    await _attached_one_by_one(db, account, 5)

    assert await _orders(db) == [(3, 3), (2, 2)]


async def test_an_order_that_was_handed_over_once_takes_no_more_members(db: CellDb, account: Account) -> None:
    await _attached_one_by_one(db, account, 1)
    await db.run("UPDATE carrier_orders SET submissions = 1")  # proven absent since: to go again under its key

    other = await add_number(db, account.org_id, "+14155550199")
    await operations.attach(db, account.tenant, other, await insert_campaign(db, account.org_id))
    await reconciler.plan(_reconciling(db))

    assert await _orders(db) == [(1, 1), (1, 1)]


async def test_a_place_that_a_change_of_mind_left_free_is_taken_by_another_number(db: CellDb, account: Account) -> None:
    ids = await _attached_one_by_one(db, account, BATCH)
    await operations.detach(db, account.tenant, ids[0])
    await reconciler.plan(_reconciling(db))

    other = await add_number(db, account.org_id, "+14155550199")
    await operations.attach(db, account.tenant, other, await insert_campaign(db, account.org_id))
    await reconciler.plan(_reconciling(db))

    assert await _orders(db) == [(3, 3)]
