"""What arrives while a batch is being done is the next batch."""

import asyncio
from collections.abc import Sequence

import pytest

from agentmessage.kernel.batching import Batcher
from agentmessage.kernel.errors import Unavailable


class Slow:
    """Work that begins and ends when the test says so."""

    def __init__(self) -> None:
        self.begun: list[Sequence[int]] = []
        self.gates: list[asyncio.Event] = []
        self.lets_next_begin = False
        self.batcher: Batcher[int, int] = Batcher(self._work, most=10, bound=20)

    async def _work(self, items: Sequence[int]) -> Sequence[int | Exception]:
        gate = asyncio.Event()
        self.begun.append(items)
        self.gates.append(gate)
        if self.lets_next_begin:
            self.batcher.let_next_begin(at=len(items))
        await gate.wait()
        return [item * 10 for item in items]

    def put(self, *items: int) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.batcher.put(item)) for item in items]


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_lone_item_waits_for_nothing_and_those_behind_it_are_one_batch() -> None:
    slow = Slow()

    asked = slow.put(1)
    await turns()
    asked += slow.put(2, 3)
    await turns()
    slow.gates[0].set()
    await turns()
    slow.gates[1].set()

    assert await asyncio.gather(*asked) == [10, 20, 30]
    assert slow.begun == [[1], [2, 3]]


async def test_the_next_batch_begins_beside_the_one_under_work_once_it_is_as_large() -> None:
    slow = Slow()
    slow.lets_next_begin = True
    asked = slow.put(1, 2)
    await turns()

    asked += slow.put(3)
    await turns()
    few = list(slow.begun)
    asked += slow.put(4)
    await turns()
    enough = list(slow.begun)
    for gate in slow.gates:
        gate.set()

    assert few == [[1, 2]]
    assert enough == [[1, 2], [3, 4]]
    assert await asyncio.gather(*asked) == [10, 20, 30, 40]


async def test_what_came_too_late_for_the_batch_beside_is_done_all_the_same() -> None:
    slow = Slow()
    slow.lets_next_begin = True

    asked = slow.put(1, 2)
    await turns()
    asked += slow.put(3)
    await turns()
    for _ in range(3):
        for gate in slow.gates:
            gate.set()
        await turns()

    assert await asyncio.gather(*asked) == [10, 20, 30]


async def test_beyond_the_bound_newcomers_are_told_to_come_back() -> None:
    slow = Slow()
    asked = slow.put(0)
    await turns()
    asked += slow.put(*range(1, 21))
    await turns()

    with pytest.raises(Unavailable):
        await slow.batcher.put(21)

    for _ in range(4):
        for gate in slow.gates:
            gate.set()
        await turns()
    await asyncio.gather(*asked)
