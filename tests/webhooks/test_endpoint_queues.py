"""Whose turn it is: nobody waits for a receiver that fails or is slow, but others of its kind."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from agentmessage.kernel.ids import new_id
from agentmessage.webhooks import endpoint_queues as limits
from agentmessage.webhooks.endpoint_queues import Delivery, Kind, Lane, Lanes

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


def held(lanes: Lanes, count: int, *, org_id: UUID | None = None) -> list[Lane]:
    """So many new lanes: of one organization, or each of another."""
    ids = [new_id() for _ in range(count)]
    lanes.took((one, org_id or new_id()) for one in ids)
    return [lane for one in ids if (lane := lanes.get(one)) is not None]


def give(lanes: Lanes, lane: Lane, count: int, *, now: float = 0.0) -> None:
    for _ in range(count):
        lanes.add(waiting(lane.id), now)


def tell(lanes: Lanes, *, now: float = 0.0) -> list[Delivery]:
    return list(lanes.next_to_tell(now))


def land(lanes: Lanes, told: Iterable[Delivery], *, now: float = 0.0, is_success: bool = True) -> None:
    for one in told:
        lanes.landed(one, now, is_success=is_success, at=AT)
        lanes.recorded(one, next_at=None)


def test_an_allowance_grows_with_success_to_two_hundred() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    give(lanes, lane, 2_000)

    first = tell(lanes)
    assert len(first) == limits.FIRST_ALLOWANCE
    land(lanes, first)
    for _ in range(30):
        land(lanes, tell(lanes))
    give(lanes, lane, 500)

    assert len(tell(lanes)) == limits.MOST_ALLOWANCE == 200


def test_a_receiver_that_keeps_failing_is_asked_twice_at_a_time() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    give(lanes, lane, 100)

    land(lanes, tell(lanes), is_success=False)

    assert len(tell(lanes)) == limits.SICK_ALLOWANCE == 2
    assert lane.failing_since == AT


def test_one_success_makes_a_receiver_well_again() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    lane.learn(AT)
    give(lanes, lane, 100)
    (one, other) = tell(lanes)

    land(lanes, [one])
    land(lanes, [other])

    assert lane.failing_since is None
    assert len(tell(lanes)) > 2


def test_one_failure_among_many_successes_costs_little() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    give(lanes, lane, 1_000)
    for _ in range(5):
        land(lanes, tell(lanes))

    (one, *others) = tell(lanes)
    land(lanes, [one], is_success=False)
    land(lanes, others)

    assert lane.kind is Kind.WELL
    assert lane.most > 100


def test_however_many_fail_the_slots_of_the_others_stay_theirs() -> None:
    lanes = Lanes()
    for lane in held(lanes, 400):
        lane.learn(AT)
        give(lanes, lane, 2, now=1_000.0)
    sick = tell(lanes, now=1_000.0)
    (well,) = held(lanes, 1)
    give(lanes, well, 3, now=1_000.0)

    assert 0 < len(sick) <= limits.SICK_SLOTS
    assert len(tell(lanes, now=1_000.0)) == 3


def test_all_that_fail_together_are_asked_only_so_often() -> None:
    lanes = Lanes()
    sick = held(lanes, 100)
    for lane in sick:
        lane.learn(AT)
        give(lanes, lane, 100, now=1_000.5)
    asked = 0
    for tick in range(100):  # one second, in which every answer comes at once
        told = tell(lanes, now=1_000.0 + tick / 100)
        asked += len(told)
        land(lanes, told, is_success=False)

    assert limits.SICK_PER_S <= asked <= 2 * limits.SICK_PER_S + 1  # what had been saved up, and what came


def test_a_process_that_is_behind_asks_those_that_fail_less_often() -> None:
    lanes = Lanes()
    (sick, well) = held(lanes, 2)
    sick.learn(AT)
    lanes.lag(1.0)
    asked = 0
    for tick in range(200):
        now = 1_000.0 + tick / 100
        give(lanes, sick, 2, now=now)
        give(lanes, well, 2, now=now)
        told = tell(lanes, now=now)
        asked += sum(one.queue_id == sick.id for one in told)
        assert sum(one.queue_id == well.id for one in told) == 2
        land(lanes, [one for one in told if one.queue_id == sick.id], is_success=False)
        land(lanes, [one for one in told if one.queue_id == well.id])

    assert 0 < asked <= 2 * limits.SICK_PER_S / 5


def test_a_receiver_whose_answer_takes_long_leaves_the_slots_of_the_others() -> None:
    lanes = Lanes()
    slow = held(lanes, limits.HEALTHY_SLOTS // limits.FIRST_ALLOWANCE)
    for lane in slow:
        give(lanes, lane, limits.FIRST_ALLOWANCE)
    assert len(tell(lanes)) == limits.HEALTHY_SLOTS
    (well,) = held(lanes, 1)
    give(lanes, well, 3, now=1.1)
    assert tell(lanes, now=1.1) == []

    lanes.watch(limits.SLOW_S + 0.1)

    assert len(tell(lanes, now=1.1)) == 3


def test_a_slow_receiver_is_well_again_once_it_answers_soon() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    give(lanes, lane, 3)
    late = tell(lanes)
    lanes.watch(2.0)
    assert lane.kind is Kind.SLOW
    land(lanes, late, now=2.0)
    lanes.watch(2.0)
    assert lane.kind is Kind.SLOW

    give(lanes, lane, 1, now=2.0)
    land(lanes, tell(lanes, now=2.0), now=2.1)
    lanes.watch(2.1)

    assert lane.kind is Kind.WELL
    assert lanes.flying == 0


def test_those_that_fail_at_once_do_not_wait_for_those_that_hang() -> None:
    lanes = Lanes()
    for lane in held(lanes, limits.SICK_SLOTS // 2):
        lane.learn(AT)
        give(lanes, lane, 2, now=1_000.0)
    assert len(tell(lanes, now=1_000.0)) == limits.SICK_SLOTS
    (quick,) = held(lanes, 1)
    quick.learn(AT)
    give(lanes, quick, 2, now=1_002.0)
    assert quick.id not in {one.queue_id for one in tell(lanes, now=1_002.0)}

    lanes.watch(1_002.0)

    assert quick.id in {one.queue_id for one in tell(lanes, now=1_002.0)}


def test_lanes_take_turns() -> None:
    """One with a long queue does not go before one with a short one."""
    lanes = Lanes()
    long, short = held(lanes, 2)
    give(lanes, long, 100)
    give(lanes, short, 2)

    order = [one.queue_id for one in tell(lanes)]

    assert order[:4] == [long.id, short.id, long.id, short.id]


def test_what_waited_too_long_in_memory_is_read_again() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    lane.has_more = False
    give(lanes, lane, 3)

    assert tell(lanes, now=limits.FRESH_S + 0.1) == []
    assert lane.has_more
    assert lane.held == set()


def test_a_failing_lane_is_not_read_ahead_of_its_wire() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    lane.learn(AT)
    give(lanes, lane, 2)
    tell(lanes)

    assert lanes.to_pull(0.0) == []


def test_a_lane_is_idle_only_when_nothing_of_it_is_in_memory_or_due_at_once() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    lane.has_more = False
    give(lanes, lane, 1)
    assert lanes.idle(0.0, patience_s=1.0) == []
    told = tell(lanes)
    assert lanes.idle(0.0, patience_s=1.0) == []
    lanes.landed(told[0], 0.0, is_success=False, at=AT)
    assert lanes.idle(0.0, patience_s=1.0) == []

    lanes.recorded(told[0], next_at=0.5)

    assert lanes.idle(0.0, patience_s=1.0) == []
    assert lanes.idle(0.0, patience_s=0.1) == [lane.id]


def test_a_lane_that_was_lost_leaves_no_trace() -> None:
    lanes = Lanes()
    (lane,) = held(lanes, 1)
    give(lanes, lane, 20)
    told = tell(lanes)

    lanes.lose(lane.id)
    land(lanes, told)

    assert (len(lanes), lanes.flying) == (0, 0)
    assert not lanes.is_busy
    assert tell(lanes) == []
    assert lanes.to_pull(0.0) == []


def test_what_was_read_is_bounded() -> None:
    lanes = Lanes()
    many = held(lanes, 1_000)
    room = sum(room for _, room in lanes.to_pull(0.0))

    assert room == limits.MOST_IN_MEMORY
    for lane in many:
        give(lanes, lane, limits.MOST_IN_MEMORY // 1_000)
    assert lanes.to_pull(0.0) == []


def test_one_organizations_receivers_leave_slots_to_others_of_every_kind() -> None:
    for since in (None, AT):
        lanes = Lanes()
        hog = new_id()
        for lane in held(lanes, 400, org_id=hog):
            lane.learn(since)
            give(lanes, lane, 4, now=1_000.0)
        slots = limits.HEALTHY_SLOTS if since is None else limits.SICK_SLOTS
        assert len(tell(lanes, now=1_000.0)) == slots // 2
        for others in range(1, 4):
            (lane,) = held(lanes, 1)
            lane.learn(since)
            give(lanes, lane, 4, now=1_000.0)
            told = tell(lanes, now=1_000.0)
            assert {one.queue_id for one in told} == {lane.id}, others
            assert len(told) == lane.most


def test_organizations_take_turns_however_many_lanes_they_have() -> None:
    lanes = Lanes()
    hog = new_id()
    for lane in held(lanes, 50, org_id=hog):
        give(lanes, lane, 4)
    (single,) = held(lanes, 1)
    give(lanes, single, 4)

    order = [one.queue_id for one in tell(lanes)]

    assert [place for place, queue_id in enumerate(order) if queue_id == single.id] == [1, 3, 5, 7]


def test_one_organization_leaves_memory_to_others() -> None:
    """Its receivers answered well until they were read far ahead, and then hang."""
    lanes = Lanes()
    hog = new_id()
    for lane in held(lanes, 100, org_id=hog):
        lane.allowance, lane.depth = limits.MOST_ALLOWANCE, limits.MOST_DEPTH
    for lane, room in lanes.to_pull(0.0):
        give(lanes, lane, room)
    (other,) = held(lanes, 1)

    assert [(lane.id, room) for lane, room in lanes.to_pull(0.0) if lane.org_id != hog] == [(other.id, other.room())]
    assert sum(room for lane, room in lanes.to_pull(0.0) if lane.org_id == hog) == 0


def test_an_organization_with_many_lanes_holds_half_of_what_one_dispatcher_holds() -> None:
    lanes = Lanes()
    hog = new_id()
    held(lanes, limits.MOST_LANES // 2, org_id=hog)

    assert lanes.full() == [hog]
    assert lanes.room == limits.MOST_LANES // 2
    for queue_id in lanes.held()[:2]:
        lanes.lose(queue_id)
    assert lanes.full() == []
