"""Whose turn it is: nobody waits for a receiver that fails or is slow, but others of its kind."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from agentmessage.kernel.ids import new_id
from agentmessage.webhooks import endpoint_queues as limits
from agentmessage.webhooks.endpoint_queues import Delivery, EndpointQueue, EndpointQueues, Kind

AT = datetime(2026, 7, 1, tzinfo=UTC)


def waiting(queue_id: UUID) -> Delivery:
    return Delivery(
        queue_id=queue_id,
        org_id=new_id(),
        is_number=False,
        url="https://customer.example",
        secrets=(),
        due_at=AT,
        id=new_id(),
        event_id=new_id(),
        public_event_id=new_id(),
        attempts=0,
        type="organization.updated",
        happened_at=AT,
        data="{}",
    )


def held(queues: EndpointQueues, count: int, *, org_id: UUID | None = None) -> list[EndpointQueue]:
    """So many new lanes: of one organization, or each of another."""
    ids = [new_id() for _ in range(count)]
    queues.add_taken((one, org_id or new_id()) for one in ids)
    return [queue for one in ids if (queue := queues.get(one)) is not None]


def give(queues: EndpointQueues, queue: EndpointQueue, count: int, *, now: float = 0.0) -> None:
    for _ in range(count):
        queues.add(waiting(queue.id), now)


def tell(queues: EndpointQueues, *, now: float = 0.0) -> list[Delivery]:
    return list(queues.next_to_send(now))


def land(queues: EndpointQueues, result: Iterable[Delivery], *, now: float = 0.0, is_success: bool = True) -> None:
    for one in result:
        queues.finished(one, now, is_success=is_success, at=AT)
        queues.recorded(one, next_at=None)


def test_an_allowance_grows_with_success_to_two_hundred() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    give(queues, queue, 2_000)

    first = tell(queues)
    assert len(first) == limits.FIRST_CONCURRENCY
    land(queues, first)
    for _ in range(30):
        land(queues, tell(queues))
    give(queues, queue, 500)

    assert len(tell(queues)) == limits.MAX_CONCURRENCY == 200


def test_a_receiver_that_keeps_failing_is_asked_twice_at_a_time() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    give(queues, queue, 100)

    land(queues, tell(queues), is_success=False)

    assert len(tell(queues)) == limits.FAILING_CONCURRENCY == 2
    assert queue.failing_since == AT


def test_one_success_makes_a_receiver_well_again() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    queue.learn(AT)
    give(queues, queue, 100)
    (one, other) = tell(queues)

    land(queues, [one])
    land(queues, [other])

    assert queue.failing_since is None
    assert len(tell(queues)) > 2


def test_one_failure_among_many_successes_costs_little() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    give(queues, queue, 1_000)
    for _ in range(5):
        land(queues, tell(queues))

    (one, *others) = tell(queues)
    land(queues, [one], is_success=False)
    land(queues, others)

    assert queue.kind is Kind.HEALTHY
    assert queue.limit > 100


def test_however_many_fail_the_slots_of_the_others_stay_theirs() -> None:
    queues = EndpointQueues()
    for queue in held(queues, 400):
        queue.learn(AT)
        give(queues, queue, 2, now=1_000.0)
    failing = tell(queues, now=1_000.0)
    (well,) = held(queues, 1)
    give(queues, well, 3, now=1_000.0)

    assert 0 < len(failing) <= limits.FAILING_SLOTS
    assert len(tell(queues, now=1_000.0)) == 3


def test_all_that_fail_together_are_asked_only_so_often() -> None:
    queues = EndpointQueues()
    failing = held(queues, 100)
    for queue in failing:
        queue.learn(AT)
        give(queues, queue, 100, now=1_000.5)
    asked = 0
    for tick in range(100):  # one second, in which every answer comes at once
        result = tell(queues, now=1_000.0 + tick / 100)
        asked += len(result)
        land(queues, result, is_success=False)

    assert (
        limits.MAX_FAILING_PER_S <= asked <= 2 * limits.MAX_FAILING_PER_S + 1
    )  # what had been saved up, and what came


def test_a_process_that_is_behind_asks_those_that_fail_less_often() -> None:
    queues = EndpointQueues()
    (failing, well) = held(queues, 2)
    failing.learn(AT)
    queues.lag(1.0)
    asked = 0
    for tick in range(200):
        now = 1_000.0 + tick / 100
        give(queues, failing, 2, now=now)
        give(queues, well, 2, now=now)
        result = tell(queues, now=now)
        asked += sum(one.queue_id == failing.id for one in result)
        assert sum(one.queue_id == well.id for one in result) == 2
        land(queues, [one for one in result if one.queue_id == failing.id], is_success=False)
        land(queues, [one for one in result if one.queue_id == well.id])

    assert 0 < asked <= 2 * limits.MAX_FAILING_PER_S / 5


def test_a_receiver_whose_answer_takes_long_leaves_the_slots_of_the_others() -> None:
    queues = EndpointQueues()
    slow = held(queues, limits.HEALTHY_SLOTS // limits.FIRST_CONCURRENCY)
    for queue in slow:
        give(queues, queue, limits.FIRST_CONCURRENCY)
    assert len(tell(queues)) == limits.HEALTHY_SLOTS
    (well,) = held(queues, 1)
    give(queues, well, 3, now=1.1)
    assert tell(queues, now=1.1) == []

    queues.watch(limits.SLOW_S + 0.1)

    assert len(tell(queues, now=1.1)) == 3


def test_a_slow_receiver_is_well_again_once_it_answers_soon() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    give(queues, queue, 3)
    late = tell(queues)
    queues.watch(2.0)
    assert queue.kind is Kind.SLOW
    land(queues, late, now=2.0)
    queues.watch(2.0)
    assert queue.kind is Kind.SLOW

    give(queues, queue, 1, now=2.0)
    land(queues, tell(queues, now=2.0), now=2.1)
    queues.watch(2.1)

    assert queue.kind is Kind.HEALTHY
    assert queues.in_flight == 0


def test_those_that_fail_at_once_do_not_wait_for_those_that_hang() -> None:
    queues = EndpointQueues()
    for queue in held(queues, limits.FAILING_SLOTS // 2):
        queue.learn(AT)
        give(queues, queue, 2, now=1_000.0)
    assert len(tell(queues, now=1_000.0)) == limits.FAILING_SLOTS
    (quick,) = held(queues, 1)
    quick.learn(AT)
    give(queues, quick, 2, now=1_002.0)
    assert quick.id not in {one.queue_id for one in tell(queues, now=1_002.0)}

    queues.watch(1_002.0)

    assert quick.id in {one.queue_id for one in tell(queues, now=1_002.0)}


def test_lanes_take_turns() -> None:
    """One with a long queue does not go before one with a short one."""
    queues = EndpointQueues()
    long, short = held(queues, 2)
    give(queues, long, 100)
    give(queues, short, 2)

    order = [one.queue_id for one in tell(queues)]

    assert order[:4] == [long.id, short.id, long.id, short.id]


def test_what_waited_too_long_in_memory_is_read_again() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    queue.has_more = False
    give(queues, queue, 3)

    assert tell(queues, now=limits.FRESH_S + 0.1) == []
    assert queue.has_more
    assert queue.held == set()


def test_a_failing_lane_is_not_read_ahead_of_its_wire() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    queue.learn(AT)
    give(queues, queue, 2)
    tell(queues)

    assert queues.to_pull(0.0) == []


def test_a_lane_is_idle_only_when_nothing_of_it_is_in_memory_or_due_at_once() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    queue.has_more = False
    give(queues, queue, 1)
    assert queues.idle(0.0, within_s=1.0) == []
    result = tell(queues)
    assert queues.idle(0.0, within_s=1.0) == []
    queues.finished(result[0], 0.0, is_success=False, at=AT)
    assert queues.idle(0.0, within_s=1.0) == []

    queues.recorded(result[0], next_at=0.5)

    assert queues.idle(0.0, within_s=1.0) == []
    assert queues.idle(0.0, within_s=0.1) == [queue.id]


def test_a_lane_that_was_lost_leaves_no_trace() -> None:
    queues = EndpointQueues()
    (queue,) = held(queues, 1)
    give(queues, queue, 20)
    result = tell(queues)

    queues.lose(queue.id)
    land(queues, result)

    assert (len(queues), queues.in_flight) == (0, 0)
    assert not queues.is_busy
    assert tell(queues) == []
    assert queues.to_pull(0.0) == []


def test_what_was_read_is_bounded() -> None:
    queues = EndpointQueues()
    many = held(queues, 1_000)
    room = sum(room for _, room in queues.to_pull(0.0))

    assert room == limits.MAX_IN_MEMORY
    for queue in many:
        give(queues, queue, limits.MAX_IN_MEMORY // 1_000)
    assert queues.to_pull(0.0) == []


def test_one_organizations_receivers_leave_slots_to_others_of_every_kind() -> None:
    for since in (None, AT):
        queues = EndpointQueues()
        hog = new_id()
        for queue in held(queues, 400, org_id=hog):
            queue.learn(since)
            give(queues, queue, 4, now=1_000.0)
        slots = limits.HEALTHY_SLOTS if since is None else limits.FAILING_SLOTS
        assert len(tell(queues, now=1_000.0)) == slots // 2
        for others in range(1, 4):
            (queue,) = held(queues, 1)
            queue.learn(since)
            give(queues, queue, 4, now=1_000.0)
            result = tell(queues, now=1_000.0)
            assert {one.queue_id for one in result} == {queue.id}, others
            assert len(result) == queue.limit


def test_organizations_take_turns_however_many_lanes_they_have() -> None:
    queues = EndpointQueues()
    hog = new_id()
    for queue in held(queues, 50, org_id=hog):
        give(queues, queue, 4)
    (single,) = held(queues, 1)
    give(queues, single, 4)

    order = [one.queue_id for one in tell(queues)]

    assert [place for place, queue_id in enumerate(order) if queue_id == single.id] == [1, 3, 5, 7]


def test_one_organization_leaves_memory_to_others() -> None:
    """Its receivers answered well until they were read far ahead, and then hang."""
    queues = EndpointQueues()
    hog = new_id()
    for queue in held(queues, 100, org_id=hog):
        queue.concurrency_limit, queue.depth = limits.MAX_CONCURRENCY, limits.MAX_DEPTH
    for queue, room in queues.to_pull(0.0):
        give(queues, queue, room)
    (other,) = held(queues, 1)

    assert [(queue.id, room) for queue, room in queues.to_pull(0.0) if queue.org_id != hog] == [
        (other.id, other.room())
    ]
    assert sum(room for queue, room in queues.to_pull(0.0) if queue.org_id == hog) == 0


def test_an_organization_with_many_lanes_holds_half_of_what_one_dispatcher_holds() -> None:
    queues = EndpointQueues()
    hog = new_id()
    held(queues, limits.MAX_QUEUES // 2, org_id=hog)

    assert queues.full() == [hog]
    assert queues.room == limits.MAX_QUEUES // 2
    for queue_id in queues.held()[:2]:
        queues.lose(queue_id)
    assert queues.full() == []
