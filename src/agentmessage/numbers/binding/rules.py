"""Decisions of the reconciler; pure functions of a line, a chance and `now`.

`decide` says what to do next, whatever happened before: level-triggered, so that a lost callback, a crash or a change
of mind needs no case of its own. The other functions are what an answer makes of a line.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from agentmessage.carriers.protocols import LineReading, Refused, Trouble
from agentmessage.kernel.backoff import backoff_s
from agentmessage.numbers.binding.model import (
    Action,
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

NEEDS_A_CHANGE = frozenset(
    {Trouble.CAMPAIGN_DEAD, Trouble.CAPACITY, Trouble.OWNERSHIP, Trouble.CONFIGURATION, Trouble.MONEY}
)
"""Troubles that trying again does not cure: shown as failed, looked at again slowly."""

UNCOUNTED = frozenset({Trouble.CAMPAIGN_ASLEEP, Trouble.CAMPAIGN_NOT_READY})
"""Troubles that pass without a change and do not use up attempts."""

CONFIRMATIONS_OF_ABSENCE = 2
"""Looks in a row that must miss a number in a list of several pages, since pages shift while one turns them."""

LOCKS_UNTIL_READ = 2
"""Refusals for a lock after which our belief about the number is dropped and the account is read."""


def decide(line: Line, *, has_slot: bool, now: datetime) -> Action:
    """What to do about a line now. `has_slot`: the desired campaign has room for one more number."""
    if line.op_order_id is not None:
        return _decide_in_flight(line, now)
    return _decide_at_rest(line, has_slot=has_slot)


def _decide_in_flight(line: Line, now: datetime) -> Action:
    if not line.op_is_sent:
        wanted = _decide_at_rest(replace(line, op_order_id=None), has_slot=True)
        still_wanted = isinstance(wanted, Unbind) if line.is_unbind else wanted == Bind(line.op_campaign or "")
        return Wait() if still_wanted else Withdraw()
    if line.op_accepted_at is None:
        return Wait()
    if line.op_deadline_at is not None and now >= line.op_deadline_at:
        return GiveUp()
    return Refresh(line.op_campaign or line.observed_campaign or "")


def _decide_at_rest(line: Line, *, has_slot: bool) -> Action:
    if line.observed == Observed.UNREAD:
        return AwaitSweep()
    if line.desired_id is None:
        return Settle() if line.observed == Observed.ABSENT else Unbind()
    if line.observed == Observed.PRESENT and line.observed_campaign != line.desired_campaign:
        return Unbind()
    return _hindrance(line) or _decide_desired(line, has_slot=has_slot)


def _decide_desired(line: Line, *, has_slot: bool) -> Action:
    if line.observed == Observed.PRESENT:
        return _decide_present(line)
    if not has_slot:
        return Block(Trouble.CAPACITY, f"the campaign has its {line.number_cap} numbers")
    return Bind(line.desired_campaign or "")


def _decide_present(line: Line) -> Action:
    campaign = line.desired_campaign or ""
    match line.observed_status:
        case ObservationStatus.SETTLED:
            return Settle()
        case ObservationStatus.FAILED:
            return Bind(campaign)  # operators refused: only a new order sets them going again
        case _:
            return Refresh(campaign)


def _hindrance(line: Line) -> Block | None:
    """Why the desired campaign cannot take a number at present."""
    if line.campaign_status != "ACTIVE":
        return Block(Trouble.CAMPAIGN_DEAD, f"the campaign is {line.campaign_status}")
    if line.campaign_is_suspended:
        return Block(Trouble.CAMPAIGN_DEAD, "the campaign is suspended; it goes on when the suspension ends")
    if line.desired_campaign is None:
        return Block(Trouble.CAMPAIGN_NOT_READY, "the campaign is not registered yet")
    return None


def public_status(line: Line) -> str | None:
    """What the customer sees: null, pending, propagated or failed."""
    if line.phase == Phase.BLOCKED:
        return "failed"
    if line.applied_generation == line.generation:
        if line.phase == Phase.BOUND:
            return "propagated"
        if line.phase == Phase.UNBOUND:
            return None
    return "pending"


def settled(line: Line) -> Line:
    """The carrier has the desired campaign of the present generation."""
    return replace(
        line,
        phase=Phase.UNBOUND if line.desired_id is None else Phase.BOUND,
        applied_generation=line.generation,
        attempts=0,
        trouble=None,
        error_code=None,
        error_text=None,
        due_at=None,
    )


def blocked(line: Line, block: Block, *, now: datetime, pace: Pace) -> Line:
    """Cannot go on; looked at again slowly, or at once when the campaign, a slot or the desired campaign changes."""
    is_blocked = block.trouble in NEEDS_A_CHANGE
    delay_s = pace.not_ready_s if block.trouble in (Trouble.CAPACITY, Trouble.CAMPAIGN_NOT_READY) else pace.blocked_s
    return replace(
        line,
        phase=Phase.BLOCKED if is_blocked else Phase.BACKOFF,
        trouble=block.trouble,
        error_code=None,
        error_text=block.text,
        due_at=now + timedelta(seconds=delay_s),
    )


def at_rest(line: Line) -> Line:
    """No operation is under way any more. `op_generation` stays: it says whose attempts are counted."""
    return replace(
        line,
        op_order_id=None,
        op_campaign=None,
        op_submitted_at=None,
        op_accepted_at=None,
        op_deadline_at=None,
        op_is_sent=False,
    )


def accepted(line: Line, *, now: datetime, pace: Pace) -> Line:
    """The carrier's order is complete for this number. The operators may not have followed yet (trap 1)."""
    return replace(
        line,
        phase=Phase.UNBINDING if line.is_unbind else Phase.PROPAGATING,
        op_accepted_at=now,
        differs_count=0,
        differs_since=None,
        due_at=now + timedelta(seconds=pace.first_look_s),
    )


def refused(line: Line, refusal: Refused, *, now: datetime, pace: Pace, chance: float) -> Line:
    """The carrier would not. `chance` in 0..1 spreads the next attempts."""
    counted = 0 if refusal.trouble in UNCOUNTED else 1
    attempts = counted + (line.attempts if line.op_generation == line.generation else 0)
    is_blocked = refusal.trouble in NEEDS_A_CHANGE or (
        refusal.trouble == Trouble.UNCLASSIFIED and attempts >= pace.max_attempts
    )
    doubts = refusal.trouble == Trouble.LOCKED and attempts % LOCKS_UNTIL_READ == 0
    delay_s = pace.blocked_s if is_blocked else _delay_s(refusal.trouble, attempts, pace, chance)
    return replace(
        at_rest(line),
        phase=Phase.BLOCKED if is_blocked else Phase.BACKOFF,
        observed=Observed.UNREAD if doubts else line.observed,
        observed_campaign=None if doubts else line.observed_campaign,
        attempts=attempts,
        trouble=refusal.trouble,
        error_code=refusal.code or None,
        error_text=refusal.text,
        due_at=now + timedelta(seconds=delay_s),
    )


def _delay_s(trouble: Trouble, attempts: int, pace: Pace, chance: float) -> float:
    match trouble:
        case Trouble.LOCKED:
            return pace.locked_s * (0.5 + chance)
        case Trouble.CAMPAIGN_ASLEEP:
            return pace.asleep_s
        case Trouble.CAMPAIGN_NOT_READY | Trouble.CAPACITY:
            return pace.not_ready_s * (0.5 + chance)
        case _:
            return retry_delay_s(attempts, pace, chance)


def retry_delay_s(attempts: int, pace: Pace, chance: float) -> float:
    """Full jitter over a delay that doubles with every attempt."""
    return backoff_s(attempts, first_s=pace.backoff_first_s, max_s=pace.backoff_max_s, jitter=chance)


def given_up(line: Line, *, now: datetime, pace: Pace, text: str) -> Line:
    """Past its deadline: forget what was believed, read the number, try once more, then block."""
    attempts = line.attempts + 1
    is_blocked = attempts >= 2 and line.error_code == "DEADLINE"  # noqa: PLR2004 - the second time in a row
    return replace(
        at_rest(line),
        phase=Phase.BLOCKED if is_blocked else Phase.UNKNOWN,
        observed=Observed.UNREAD,
        observed_campaign=None,
        attempts=attempts,
        trouble=Trouble.TRANSIENT,
        error_code="DEADLINE",
        error_text=text,
        due_at=now + timedelta(seconds=pace.blocked_s if is_blocked else 0),
    )


def seen(
    line: Line, reading: LineReading | None, *, began_at: datetime, now: datetime, pace: Pace, is_whole: bool
) -> Line:
    """What a look makes of a line whose operation was accepted. `reading` None: the list did not have the number.

    `is_whole`: the list came in one page, so that a miss is a miss. A look that began before the operation was
    accepted says nothing about it (stale reads).
    """
    if line.op_accepted_at is None or began_at < line.op_accepted_at:
        return line
    campaign = reading.campaign if reading is not None else None
    if line.is_unbind:
        return _seen_unbinding(line, campaign, reading, began_at=began_at, now=now, pace=pace, is_whole=is_whole)
    if campaign != line.op_campaign:
        return _seen_undone(line, reading, began_at=began_at, now=now, pace=pace)
    if reading is None or not (reading.is_settled or reading.has_failed):
        return _look_again(replace(line, differs_count=0, differs_since=None), now=now, pace=pace)
    if reading.has_failed:
        refusal = Refused(Trouble.TRANSIENT, "OPERATORS", "an operator refused the number")
        failed = refused(sighted(line, reading, began_at=began_at), refusal, now=now, pace=pace, chance=1.0)
        floor = now + timedelta(seconds=pace.operator_floor_s)
        return replace(failed, due_at=max(failed.due_at or floor, floor))
    return replace(at_rest(sighted(line, reading, began_at=began_at)), due_at=now)


def _seen_undone(line: Line, reading: LineReading | None, *, began_at: datetime, now: datetime, pace: Pace) -> Line:
    """The order is complete, and the carrier shows no trace of it: once that lasts, nothing was done (1.6, trap 2).

    The same holds when an operator did not let the number go: only another order sets that going again. Seen again and
    for as long as drift must last to be believed, since a listing may be old or have shifted.
    """
    since = line.differs_since or began_at
    misses = line.differs_count + 1
    if misses < CONFIRMATIONS_OF_ABSENCE or (began_at - since).total_seconds() < pace.drift_grace_s:
        return _look_again(replace(line, differs_count=misses, differs_since=since), now=now, pace=pace)
    refusal = Refused(Trouble.TRANSIENT, "NOTHING_DONE", "the order was complete, but changed nothing")
    return refused(sighted(line, reading, began_at=began_at), refusal, now=now, pace=pace, chance=1.0)


def _seen_unbinding(
    line: Line,
    campaign: str | None,
    reading: LineReading | None,
    *,
    began_at: datetime,
    now: datetime,
    pace: Pace,
    is_whole: bool,
) -> Line:
    if campaign == line.observed_campaign:
        if reading is not None and (reading.is_settled or reading.has_failed):
            return _seen_undone(line, reading, began_at=began_at, now=now, pace=pace)
        return _look_again(replace(line, differs_count=0, differs_since=None), now=now, pace=pace)
    misses = line.differs_count + 1
    if reading is None and not is_whole and misses < CONFIRMATIONS_OF_ABSENCE:
        return _look_again(replace(line, differs_count=misses), now=now, pace=pace)
    return replace(at_rest(sighted(line, reading, began_at=began_at)), due_at=now)


def _look_again(line: Line, *, now: datetime, pace: Pace) -> Line:
    elapsed_s = (now - line.op_accepted_at).total_seconds() if line.op_accepted_at else 0.0
    delay_s = min(pace.max_look_s, max(pace.first_look_s, elapsed_s * 0.5))
    return replace(line, due_at=now + timedelta(seconds=delay_s))


def sighted(line: Line, reading: LineReading | None, *, began_at: datetime) -> Line:
    """Believe a reading, or its absence, as what the carrier has."""
    if reading is None or reading.campaign is None:
        return replace(
            line,
            observed=Observed.ABSENT,
            observed_campaign=None,
            observed_status=ObservationStatus.SETTLED,
            observed_at=began_at,
            operators={},
            differs_count=0,
            differs_since=None,
        )
    status = ObservationStatus.PROCESSING
    if reading.has_failed:
        status = ObservationStatus.FAILED
    elif reading.is_settled:
        status = ObservationStatus.SETTLED
    return replace(
        line,
        observed=Observed.PRESENT,
        observed_campaign=reading.campaign,
        observed_status=status,
        observed_at=began_at,
        operators=dict(reading.operators),
        differs_count=0,
        differs_since=None,
    )


def in_phase(line: Line, phase: Phase) -> Line:
    """The same line, further on its way."""
    return replace(line, phase=phase)
