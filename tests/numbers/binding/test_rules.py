"""What `decide` and its companions promise for every line there can be."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentmessage.carriers.protocols import LineReading, Refused, Trouble
from agentmessage.numbers.binding import rules as binding_rules
from agentmessage.numbers.binding.model import (
    SIMULATED,
    AwaitSweep,
    Bind,
    Block,
    GiveUp,
    Line,
    ObservationStatus,
    Observed,
    Pace,
    Phase,
    Refresh,
    Settle,
    Unbind,
    Wait,
    Withdraw,
)

NOW = datetime(2026, 4, 26, 12, tzinfo=UTC)
PACE = Pace()
ORDER = UUID(int=7)
DESIRED_ID = UUID(int=8)
CAMPAIGNS = ["CAAAAAA", "CBBBBBB"]
NUMBER = "+14155550101"

moments = st.integers(-1000, 1000).map(lambda seconds: NOW + timedelta(seconds=seconds))
maybe_campaign = st.sampled_from([None, *CAMPAIGNS])
chances = st.floats(0, 1)
paces = st.sampled_from([PACE, SIMULATED])


@st.composite
def lines(draw: st.DrawFn, *, in_flight: bool | None = None) -> Line:
    """Any line that the tables can hold."""
    observed = draw(st.sampled_from(Observed))
    desired = draw(st.booleans())
    generation = draw(st.integers(1, 5))
    flies = draw(st.booleans()) if in_flight is None else in_flight
    is_sent = flies and draw(st.booleans())
    is_accepted = is_sent and draw(st.booleans())
    seen = draw(st.sampled_from(CAMPAIGNS)) if observed == Observed.PRESENT else None
    return Line(
        id=UUID(int=1),
        org_id=UUID(int=2),
        account="live",
        number=NUMBER,
        status=draw(st.sampled_from([None, "pending", "propagated", "failed"])),
        generation=generation,
        desired_id=DESIRED_ID if desired else None,
        desired_campaign=draw(maybe_campaign) if desired else None,
        campaign_status=draw(st.sampled_from(["PENDING", "ACTIVE", "REJECTED", "EXPIRED"])) if desired else None,
        campaign_is_suspended=draw(st.booleans()) if desired else None,
        number_cap=49 if desired else None,
        phase=draw(st.sampled_from(Phase)),
        observed=observed,
        observed_campaign=seen,
        observed_status=draw(st.sampled_from(ObservationStatus)) if seen else ObservationStatus.SETTLED,
        observed_at=draw(moments),
        operators={},
        applied_generation=draw(st.integers(0, generation)),
        op_seq=draw(st.integers(0, 9)),
        op_order_id=ORDER if flies else None,
        op_campaign=draw(maybe_campaign) if flies else None,
        op_generation=draw(st.integers(1, generation)),
        op_submitted_at=NOW if flies else None,
        op_accepted_at=draw(moments) if is_accepted else None,
        op_deadline_at=draw(moments) if flies else None,
        op_is_sent=is_sent,
        attempts=draw(st.integers(0, 12)),
        trouble=draw(st.sampled_from([None, *Trouble])),
        error_code=draw(st.sampled_from([None, "DEADLINE", "5146"])),
        error_text=None,
        differs_count=draw(st.integers(0, 3)),
        differs_since=None,
        due_at=draw(st.none() | moments),
    )


@st.composite
def readings(draw: st.DrawFn) -> LineReading | None:
    """What a carrier's list may say of the number; None: it is not in it."""
    if draw(st.booleans()):
        return None
    fields: Mapping[str, Any] = {"number": NUMBER, "campaign": draw(maybe_campaign)}
    is_settled = draw(st.booleans())
    return LineReading(**fields, is_settled=is_settled, has_failed=not is_settled and draw(st.booleans()), operators={})


def is_fit(line: Line) -> bool:
    """The desired campaign can take a number."""
    return line.campaign_status == "ACTIVE" and not line.campaign_is_suspended and line.desired_campaign is not None


def fit(line: Line) -> Line:
    """The same line, whose desired campaign can take a number."""
    return replace(
        line,
        desired_id=DESIRED_ID,
        desired_campaign=line.desired_campaign or "CAAAAAA",
        campaign_status="ACTIVE",
        campaign_is_suspended=False,
        number_cap=49,
    )


def accepted(line: Line) -> Line:
    """The same line, its operation accepted by the carrier."""
    return replace(line, op_is_sent=True, op_accepted_at=line.op_accepted_at or NOW)


# ── decide ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(lines(in_flight=True), st.booleans())
def test_an_operation_in_flight_is_never_joined_by_a_second(line: Line, has_slot: bool) -> None:  # noqa: FBT001
    """Invariant (b)."""
    action = binding_rules.decide(line, has_slot=has_slot, now=NOW)

    assert isinstance(action, Wait | Withdraw | Refresh | GiveUp)


@given(lines(in_flight=True))
def test_an_operation_is_withdrawn_only_while_its_order_was_surely_not_sent_and_only_when_the_campaign_has_changed(
    line: Line,
) -> None:
    action = binding_rules.decide(line, has_slot=False, now=NOW)

    at_rest = binding_rules.decide(binding_rules.at_rest(line), has_slot=True, now=NOW)
    same = at_rest == Unbind() if line.op_campaign is None else at_rest == Bind(line.op_campaign)
    assert isinstance(action, Withdraw) == (not line.op_is_sent and not same)


@given(lines(in_flight=True))
def test_a_sent_operation_waits_for_its_order_then_for_the_operators_and_not_beyond_its_deadline(line: Line) -> None:
    line = replace(line, op_is_sent=True)

    action = binding_rules.decide(line, has_slot=True, now=NOW)

    if line.op_accepted_at is None:
        assert action == Wait()
    elif line.op_deadline_at is not None and line.op_deadline_at <= NOW:
        assert action == GiveUp()
    else:
        assert isinstance(action, Refresh)


@given(lines(in_flight=False), st.booleans())
def test_a_line_is_settled_exactly_when_the_carrier_has_the_desired_campaign(line: Line, has_slot: bool) -> None:  # noqa: FBT001
    action = binding_rules.decide(line, has_slot=has_slot, now=NOW)

    if line.desired_id is None:
        has_it = line.observed == Observed.ABSENT
    else:
        is_on_it = line.observed == Observed.PRESENT and line.observed_campaign == line.desired_campaign
        has_it = is_on_it and line.observed_status == ObservationStatus.SETTLED and is_fit(line)
    assert (action == Settle()) == has_it


@given(lines(in_flight=False), st.booleans())
def test_a_bind_is_asked_for_only_with_a_fit_campaign_a_slot_and_no_other_campaign_in_the_way(
    line: Line,
    has_slot: bool,  # noqa: FBT001
) -> None:
    """Invariant (c) begins here: never a bind to a full campaign, but for a number that already counts there."""
    action = binding_rules.decide(line, has_slot=has_slot, now=NOW)

    if isinstance(action, Bind):
        assert line.desired_id is not None
        assert action.campaign == line.desired_campaign
        assert is_fit(line)
        assert line.observed == Observed.PRESENT or has_slot
        assert line.observed_campaign in (None, line.desired_campaign)
        assert line.observed != Observed.UNREAD
        assert line.observed != Observed.PRESENT or line.observed_status == ObservationStatus.FAILED


@given(lines(in_flight=False), st.booleans())
def test_an_unwanted_binding_is_taken_off_whatever_the_campaigns_state(line: Line, has_slot: bool) -> None:  # noqa: FBT001
    action = binding_rules.decide(line, has_slot=has_slot, now=NOW)

    is_unwanted = line.observed == Observed.PRESENT and (
        line.desired_id is None or line.observed_campaign != line.desired_campaign
    )
    assert (action == Unbind()) == is_unwanted


@given(lines(in_flight=False), st.booleans())
def test_nothing_is_done_about_a_number_that_was_not_read(line: Line, has_slot: bool) -> None:  # noqa: FBT001
    action = binding_rules.decide(
        replace(line, observed=Observed.UNREAD, observed_campaign=None), has_slot=has_slot, now=NOW
    )

    assert action == AwaitSweep()


@given(lines(in_flight=False))
def test_a_plain_line_is_never_parked(line: Line) -> None:
    """A fit campaign with room: always something to do, or nothing left to do."""
    plain = line if line.desired_id is None else fit(line)

    assert not isinstance(binding_rules.decide(plain, has_slot=True, now=NOW), Block)


@given(lines(in_flight=False))
def test_an_absent_number_whose_campaign_is_full_is_parked_for_capacity(line: Line) -> None:
    line = replace(fit(line), observed=Observed.ABSENT, observed_campaign=None)

    action = binding_rules.decide(line, has_slot=False, now=NOW)

    assert isinstance(action, Block)
    assert action.trouble == Trouble.CAPACITY
    assert "49" in action.text


@given(lines(), st.booleans())
def test_deciding_twice_is_deciding_once(line: Line, has_slot: bool) -> None:  # noqa: FBT001
    assert binding_rules.decide(line, has_slot=has_slot, now=NOW) == binding_rules.decide(
        line, has_slot=has_slot, now=NOW
    )


@given(lines(in_flight=False), paces)
def test_a_parked_line_is_failed_only_when_something_must_change_and_is_looked_at_again(line: Line, pace: Pace) -> None:
    action = binding_rules.decide(line, has_slot=False, now=NOW)
    assume(isinstance(action, Block))
    assert isinstance(action, Block)

    after = binding_rules.blocked(line, action, now=NOW, pace=pace)

    assert (binding_rules.public_status(after) == "failed") == (action.trouble in binding_rules.NEEDS_A_CHANGE)
    assert after.due_at is not None
    assert after.due_at > NOW
    assert after.op_order_id is None


def table(line: Line, *, has_slot: bool) -> type[Any]:
    """What is decided about a line at rest."""
    if line.observed == Observed.UNREAD:
        return AwaitSweep
    if line.observed == Observed.PRESENT and (
        line.desired_id is None or line.observed_campaign != line.desired_campaign
    ):
        return Unbind
    if line.desired_id is None:
        return Settle
    if not is_fit(line):
        return Block
    if line.observed == Observed.ABSENT:
        return Bind if has_slot else Block
    return {ObservationStatus.SETTLED: Settle, ObservationStatus.FAILED: Bind, ObservationStatus.PROCESSING: Refresh}[
        ObservationStatus(line.observed_status)
    ]


def test_every_line_at_rest_gets_the_action_of_the_table() -> None:
    """All of them, one by one."""
    observed_states = [
        (Observed.UNREAD, None),
        (Observed.ABSENT, None),
        *((Observed.PRESENT, seen) for seen in CAMPAIGNS),
    ]
    desires = [(None, None), (DESIRED_ID, None), *((DESIRED_ID, wanted) for wanted in CAMPAIGNS)]
    standings = itertools.product(["PENDING", "ACTIVE", "REJECTED", "EXPIRED"], [True, False])

    for observed, desired, standing, seen_status, has_slot in itertools.product(
        observed_states, desires, list(standings), ObservationStatus, [True, False]
    ):
        line = replace(
            line_with(None),
            observed=observed[0],
            observed_campaign=observed[1],
            observed_status=seen_status,
            desired_id=desired[0],
            desired_campaign=desired[1],
            campaign_status=standing[0],
            campaign_is_suspended=standing[1],
        )
        action = binding_rules.decide(line, has_slot=has_slot, now=NOW)
        assert type(action) is table(line, has_slot=has_slot), line


# ── what customers see ─────────────────────────────────────────────────────────────────────────────────────────


@given(lines())
def test_propagated_is_shown_only_of_the_present_generation(line: Line) -> None:
    """Invariant (d)."""
    if binding_rules.public_status(line) in ("propagated", None):
        assert line.applied_generation == line.generation
        assert line.phase in (Phase.BOUND, Phase.UNBOUND)


@given(lines(in_flight=False))
def test_a_settled_line_shows_the_desired_campaign(line: Line) -> None:
    after = binding_rules.settled(line)

    assert binding_rules.public_status(after) == (None if line.desired_id is None else "propagated")
    assert (after.applied_generation, after.attempts, after.trouble, after.due_at) == (line.generation, 0, None, None)


# ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────


@given(lines(in_flight=True), st.sampled_from(Trouble), paces, chances)
def test_a_refusal_ends_the_operation_and_says_when_to_try_again(
    line: Line, trouble: Trouble, pace: Pace, chance: float
) -> None:
    after = binding_rules.refused(line, Refused(trouble, "5146", "words"), now=NOW, pace=pace, chance=chance)

    assert after.op_order_id is None
    assert after.due_at is not None
    assert after.due_at > NOW
    assert (after.phase == Phase.BLOCKED) == (
        trouble in binding_rules.NEEDS_A_CHANGE
        or (trouble == Trouble.UNCLASSIFIED and after.attempts >= pace.max_attempts)
    )
    assert after.applied_generation == line.applied_generation
    assert (after.error_code, after.error_text, after.trouble) == ("5146", "words", trouble)


@given(lines(in_flight=True), st.sampled_from(sorted(binding_rules.UNCOUNTED)), paces, chances)
def test_troubles_that_are_nobodys_fault_use_up_no_attempt(
    line: Line, trouble: Trouble, pace: Pace, chance: float
) -> None:
    after = binding_rules.refused(line, Refused(trouble, "", ""), now=NOW, pace=pace, chance=chance)

    assert after.attempts == (line.attempts if line.op_generation == line.generation else 0)


@given(st.integers(0, 10_000), paces, chances)
def test_a_backoff_grows_to_its_limit_and_is_never_nothing(attempts: int, pace: Pace, chance: float) -> None:
    delay_s = binding_rules.retry_delay_s(attempts, pace, chance)

    assert 0 < delay_s <= max(pace.backoff_max_s, pace.backoff_first_s)
    assert binding_rules.retry_delay_s(attempts, pace, 1.0) <= binding_rules.retry_delay_s(attempts + 1, pace, 1.0)


@given(lines(in_flight=True), paces)
def test_an_acceptance_is_not_a_settlement(line: Line, pace: Pace) -> None:
    """Trap 1: complete at the carrier is not propagated at the operators."""
    after = binding_rules.accepted(line, now=NOW, pace=pace)

    assert after.applied_generation == line.applied_generation
    assert binding_rules.public_status(after) == "pending"
    assert after.op_order_id == line.op_order_id
    assert after.due_at is not None


@given(lines(in_flight=True), paces)
def test_an_abandoned_operation_is_never_submitted_again_before_the_number_was_read(line: Line, pace: Pace) -> None:
    after = binding_rules.given_up(line, now=NOW, pace=pace, text="late")

    assert binding_rules.decide(after, has_slot=True, now=NOW) == AwaitSweep()
    again = binding_rules.given_up(after, now=NOW, pace=pace, text="late")
    assert again.phase == Phase.BLOCKED


# ── sights ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(lines(in_flight=True), readings(), paces, st.booleans())
def test_a_look_that_began_before_the_acceptance_says_nothing(
    line: Line,
    reading: LineReading | None,
    pace: Pace,
    is_whole: bool,  # noqa: FBT001
) -> None:
    began_at = (line.op_accepted_at or NOW) - timedelta(microseconds=1)

    assert binding_rules.seen(line, reading, began_at=began_at, now=NOW, pace=pace, is_whole=is_whole) == line


@given(lines(in_flight=True), readings(), paces, st.booleans())
def test_an_observation_never_settles_alone_and_ends_an_operation_only_when_it_shows_its_outcome(
    line: Line,
    reading: LineReading | None,
    pace: Pace,
    is_whole: bool,  # noqa: FBT001
) -> None:
    line = accepted(line)

    after = binding_rules.seen(line, reading, began_at=NOW + timedelta(hours=1), now=NOW, pace=pace, is_whole=is_whole)

    assert after.applied_generation == line.applied_generation
    assert after.due_at is not None
    if after.op_order_id is None and after.error_code == "NOTHING_DONE":
        assert after.phase == Phase.BACKOFF
        assert (reading.campaign if reading else None) != line.op_campaign
    elif after.op_order_id is None and line.op_campaign is not None:
        assert reading is not None
        assert reading.campaign == line.op_campaign
        assert reading.is_settled or reading.has_failed
    elif after.op_order_id is None:
        observed_campaign = reading.campaign if reading else None
        assert observed_campaign != line.observed_campaign
        assert after.observed_campaign == observed_campaign


@given(lines(in_flight=True), readings(), paces)
def test_the_same_observation_again_changes_nothing_once_the_operation_has_ended(
    line: Line, reading: LineReading | None, pace: Pace
) -> None:
    """Invariant (e)."""
    when = NOW + timedelta(hours=1)
    once = binding_rules.seen(accepted(line), reading, began_at=when, now=NOW, pace=pace, is_whole=True)
    twice = binding_rules.seen(once, reading, began_at=when, now=NOW, pace=pace, is_whole=True)

    if once.op_order_id is None:
        assert twice == once
    else:
        assert (twice.op_order_id, twice.observed, twice.phase) == (once.op_order_id, once.observed, once.phase)


@given(lines(in_flight=True), paces)
def test_a_number_that_is_missing_in_a_list_of_pages_is_believed_absent_only_the_second_time(
    line: Line, pace: Pace
) -> None:
    line = replace(
        line,
        op_campaign=None,
        op_is_sent=True,
        op_accepted_at=NOW,
        observed=Observed.PRESENT,
        observed_campaign="CAAAAAA",
        differs_count=0,
    )

    once = binding_rules.seen(line, None, began_at=NOW, now=NOW, pace=pace, is_whole=False)
    twice = binding_rules.seen(once, None, began_at=NOW, now=NOW, pace=pace, is_whole=False)

    assert (once.op_order_id, once.observed) == (ORDER, Observed.PRESENT)
    assert (twice.op_order_id, twice.observed) == (None, Observed.ABSENT)


@given(lines(in_flight=True), paces, st.sampled_from(["nowhere", "elsewhere", "still there", "held back"]))
def test_an_order_that_is_complete_and_changed_nothing_is_tried_again_once_that_has_lasted(
    line: Line, pace: Pace, where: str
) -> None:
    """Not at the first look, which may be old, and not at the deadline."""
    is_unbind = where in ("still there", "held back")
    line = replace(
        binding_rules.accepted(replace(line, op_campaign=None if is_unbind else "CAAAAAA"), now=NOW, pace=pace),
        observed=Observed.PRESENT if is_unbind else Observed.ABSENT,
        observed_campaign="CBBBBBB" if is_unbind else None,
    )
    has_failed = where == "held back"
    found = LineReading(NUMBER, "CBBBBBB", is_settled=not has_failed, has_failed=has_failed, operators={})
    reading = found if where != "nowhere" else None

    def look(before: Line, after_s: float) -> Line:
        moment = NOW + timedelta(seconds=after_s)
        return binding_rules.seen(before, reading, began_at=moment, now=moment, pace=pace, is_whole=True)

    once = look(line, 0.1)
    early = look(once, pace.drift_grace_s)
    late = look(early, pace.drift_grace_s + 0.2)

    assert once.op_order_id == early.op_order_id == ORDER
    assert (late.op_order_id, late.phase, late.error_code) == (None, Phase.BACKOFF, "NOTHING_DONE")
    assert late.observed_campaign == (reading.campaign if reading else None)
    assert late.due_at is not None
    assert late.attempts >= 1


@given(lines(), readings())
def test_an_observation_is_present_with_a_campaign_or_absent_without_one(
    line: Line, reading: LineReading | None
) -> None:
    after = binding_rules.sighted(line, reading, began_at=NOW)

    assert (after.observed == Observed.PRESENT) == (after.observed_campaign is not None)
    assert after.observed in (Observed.PRESENT, Observed.ABSENT)
    assert (after.observed_at, after.differs_count, after.differs_since) == (NOW, 0, None)


@pytest.mark.parametrize("desired", [None, *CAMPAIGNS])
@pytest.mark.parametrize("start", [None, *CAMPAIGNS])
def test_against_a_perfect_carrier_every_desired_campaign_is_reached_in_at_most_two_orders(
    start: str | None, desired: str | None
) -> None:
    """From any observed to any desired campaign: unbind first when something else is there, then bind, then settle."""
    line = replace(
        line_with(start), desired_id=DESIRED_ID if desired else None, desired_campaign=desired, campaign_status="ACTIVE"
    )
    orders: list[str | None] = []

    while (action := binding_rules.decide(line, has_slot=True, now=NOW)) != Settle():
        assert isinstance(action, Bind | Unbind)
        target = action.campaign if isinstance(action, Bind) else None
        orders.append(target)
        reading = LineReading(number=NUMBER, campaign=target, is_settled=True, has_failed=False, operators={})
        line = binding_rules.sighted(line, reading if target else None, began_at=NOW)

    expected = [] if start == desired else [None] * (start is not None) + [desired] * (desired is not None)
    assert orders == expected


def line_with(campaign: str | None) -> Line:
    """A quiet line that the carrier has on a campaign, or on none."""
    return Line(
        id=UUID(int=1),
        org_id=UUID(int=2),
        account="live",
        number=NUMBER,
        status=None,
        generation=2,
        desired_id=None,
        desired_campaign=None,
        campaign_status=None,
        campaign_is_suspended=False,
        number_cap=49,
        phase=Phase.BOUND if campaign else Phase.UNBOUND,
        observed=Observed.PRESENT if campaign else Observed.ABSENT,
        observed_campaign=campaign,
        observed_status=ObservationStatus.SETTLED,
        observed_at=NOW,
        operators={},
        applied_generation=1,
        op_seq=0,
        op_order_id=None,
        op_campaign=None,
        op_generation=None,
        op_submitted_at=None,
        op_accepted_at=None,
        op_deadline_at=None,
        op_is_sent=False,
        attempts=0,
        trouble=None,
        error_code=None,
        error_text=None,
        differs_count=0,
        differs_since=None,
        due_at=NOW,
    )
