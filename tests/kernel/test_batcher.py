"""What arrives while a batch is being done is the next batch."""

import asyncio
from collections.abc import Sequence

import pytest

from agentmessage.kernel.batcher import Batcher
from agentmessage.kernel.errors import Unavailable


class Slow:
    """Work that begins and ends when the test says so."""

    def __init__(self) -> None:
        self.begun: list[Sequence[int]] = []
        self.gates: list[asyncio.Event] = []
        self.starts_next = False
        self.batcher: Batcher[int, int] = Batcher(self._work, max_batch=10, max_waiting=20)

    async def _work(self, items: Sequence[int]) -> Sequence[int | Exception]:
        gate = asyncio.Event()
        self.begun.append(items)
        self.gates.append(gate)
        if self.starts_next:
            self.batcher.start_next_when(len(items))
        await gate.wait()
        return [item * 10 for item in items]

    def put(self, *items: int) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.batcher.submit(item)) for item in items]


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
    slow.starts_next = True
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
    slow.starts_next = True

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
        await slow.batcher.submit(21)

    for _ in range(4):
        for gate in slow.gates:
            gate.set()
        await turns()
    await asyncio.gather(*asked)


async def test_one_bad_item_fails_alone_and_results_come_in_order() -> None:
    async def work(items: Sequence[int]) -> Sequence[int | Exception]:
        if 3 in items:
            raise ValueError("three")
        return [item * 10 for item in items]

    batcher: Batcher[int, int] = Batcher(work, max_batch=10)

    outcomes = [batcher.submit_nowait(item) for item in (1, 2, 3, 4)]
    await asyncio.wait([outcomes[-1]])

    assert all(outcome.done() for outcome in outcomes)
    assert await asyncio.gather(*outcomes[:2], outcomes[3]) == [10, 20, 40]
    with pytest.raises(ValueError, match="three"):
        await outcomes[2]


async def test_what_is_not_done_when_it_closes_fails() -> None:
    slow = Slow()
    asked = slow.put(1)
    await turns()
    asked += slow.put(2)
    await turns()

    await slow.batcher.close()

    assert [type(outcome) for outcome in await asyncio.gather(*asked, return_exceptions=True)] == [Unavailable] * 2
