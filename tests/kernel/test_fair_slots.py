"""Slots are shared fairly: one owner leaves half, and those that wait take turns."""

import asyncio

import pytest

from agentmessage.kernel.slots import FairSlots, TooManyWaiting


async def test_busy_owners_always_leave_a_share_free() -> None:
    slots = FairSlots(60, per_owner=60, waiting_per_owner=1_000)
    tasks = [asyncio.create_task(slots.take(owner)) for owner in ("a", "b", "c") for _ in range(100)]
    await asyncio.sleep(0)

    assert [slots.held_by(owner) for owner in ("a", "b", "c")] == [30, 15, 8]
    assert slots.free == 7
    await asyncio.wait_for(slots.take("d"), 1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_owners_that_wait_take_turns() -> None:
    slots = FairSlots(2, per_owner=1, waiting_per_owner=10)
    order: list[str] = []

    async def use(owner: str) -> None:
        async with slots.hold(owner):
            order.append(owner)
            await asyncio.sleep(0)

    await asyncio.gather(*(use(owner) for owner in ("a", "a", "a", "b", "c")))

    assert sorted(order) == ["a", "a", "a", "b", "c"]
    assert order.index("c") < 4  # one of the three that came before it has waited for it
    assert slots.free == 2


async def test_more_than_may_wait_are_refused_at_once() -> None:
    slots = FairSlots(2, per_owner=1, waiting_per_owner=1)
    await slots.take("a")
    waiting = asyncio.create_task(slots.take("a"))
    await asyncio.sleep(0)

    with pytest.raises(TooManyWaiting):
        await slots.take("a")
    slots.give_back("a")
    await asyncio.wait_for(waiting, 1)


@pytest.mark.parametrize("is_granted", [True, False])
async def test_who_leaves_the_queue_takes_no_slot_along(*, is_granted: bool) -> None:
    slots = FairSlots(2, per_owner=1, waiting_per_owner=5)
    await slots.take("a")
    leaving, staying = (asyncio.create_task(slots.take("a")) for _ in range(2))
    await asyncio.sleep(0)

    if is_granted:  # it is given the slot and cancelled before it runs again
        slots.give_back("a")
        leaving.cancel()
    else:
        leaving.cancel()
        slots.give_back("a")
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.wait_for(staying, 1)
    slots.give_back("a")

    assert slots.free == 2
