"""When a recipient may be texted: every place they may be in, every jump of its clocks."""

import timeit
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentmessage.guardrails.quiet_hours import CONTIGUOUS, NEVER, STATUTES, Calendar, Closed, Open, Place, Statutes
from agentmessage.sms import numbers

EVENING, MORNING = 21 * 60, 8 * 60
CALIFORNIA, NEW_YORK, ARIZONA = "+14155550100", "+12125550100", "+16025550100"
TORONTO, SYDNEY, MOSCOW, TOLL_FREE = "+14165550100", "+61412345678", "+79161234567", "+18005550100"
IDAHO, TENNESSEE, TEXAS, ALABAMA, RHODE_ISLAND = (
    "+12085551212",
    "+14235550100",
    "+15125550100",
    "+12055550100",
    "+14015550100",
)
ST_JOHNS, LORD_HOWE, HONOLULU = "+17095550100", "+61267635555", "+18085550100"
EVERYWHERE = [
    CALIFORNIA, NEW_YORK, ARIZONA, TORONTO, SYDNEY, MOSCOW, TOLL_FREE, IDAHO, TENNESSEE, TEXAS, ALABAMA, RHODE_ISLAND,
    ST_JOHNS, LORD_HOWE, HONOLULU,
]  # fmt: skip


def at(text: str) -> datetime:
    """A UTC moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("number", "state"), [("+14365550143", "OH"), ("+16215550143", "TX"), ("+16795550143", "MI")])
def test_a_new_overlay_has_the_hours_of_its_state(number: str, state: str) -> None:
    """On a Sunday afternoon: as a number of nowhere it would wait for Monday."""
    found = Calendar()

    assert found.place(number).state == state
    assert isinstance(found.window(number, at("2026-11-29T18:30:00"), EVENING, MORNING), Open)


def is_open_by_hand(place: Place, now: datetime, start: int, end: int) -> bool:
    """The rule itself, told minute by minute: outside quiet hours and inside the state's, at every place at once."""
    for zone in place.zones:
        wall = now.astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        is_quiet = start <= minute < end if start <= end else minute >= start or minute < end
        statute = place.week[wall.weekday()]
        if is_quiet or statute is None or not statute[0] <= minute < statute[1]:
            return False
    return True


minutes = st.integers(0, 1439)
jumps = st.sampled_from(["2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2027-03-14", "2026-03-29"])
days = st.one_of(jumps, st.dates(date(2024, 1, 1), date(2030, 12, 31)).map(str))
moments = st.builds(
    lambda day, shift, microsecond: at(day) + timedelta(minutes=shift, microseconds=microsecond),
    days,
    st.integers(-24 * 60, 48 * 60),
    st.sampled_from([0, 1, 59_999_999]),
)


@given(st.sampled_from(EVERYWHERE), moments, minutes, minutes)
@settings(max_examples=500)
@example(NEW_YORK, at("2026-03-08T06:59:59"), 120, 150)  # quiet hours inside the hour that is skipped
@example(NEW_YORK, at("2026-11-01T05:30"), 60, 90)  # quiet hours inside the hour that comes twice
def test_the_answer_is_that_of_the_rule_told_minute_by_minute(
    recipient: str, now: datetime, start: int, end: int
) -> None:
    calendar = Calendar()
    place = calendar.place(recipient)

    verdict = calendar.window(recipient, now, start, end)

    assert isinstance(verdict, Open) is is_open_by_hand(place, now, start, end)


@given(st.sampled_from(EVERYWHERE), moments, minutes, minutes)
@settings(max_examples=120)
def test_nothing_changes_before_the_announced_moment_and_then_it_does(
    recipient: str, now: datetime, start: int, end: int
) -> None:
    """At the opening it is open, one minute before it is not, and nothing opens earlier; the same for closing."""
    calendar = Calendar()
    place = calendar.place(recipient)
    verdict = calendar.window(recipient, now, start, end)
    changes_at = verdict.until if isinstance(verdict, Open) else verdict.opens_at
    looked_until = min(changes_at, now + timedelta(days=13))

    between = now
    while between < looked_until:
        assert is_open_by_hand(place, between, start, end) is isinstance(verdict, Open)
        between = (between + timedelta(minutes=1)).replace(second=0, microsecond=0)

    if changes_at < now + timedelta(days=13):
        assert is_open_by_hand(place, changes_at, start, end) is isinstance(verdict, Closed)


def test_night_is_that_of_the_recipient() -> None:
    calendar = Calendar()
    evening_in_new_york = at("2026-06-11T01:30")

    assert calendar.window(NEW_YORK, evening_in_new_york, EVENING, MORNING) == Closed(at("2026-06-11T12:00"))
    assert calendar.window(CALIFORNIA, evening_in_new_york, EVENING, MORNING) == Open(at("2026-06-11T04:00"))


def test_the_opening_is_by_the_clock_of_its_own_day() -> None:
    """The night of the change to summer time is an hour shorter, that of the change back an hour longer."""
    calendar = Calendar()

    spring = calendar.window(NEW_YORK, at("2026-03-08T03:00"), EVENING, MORNING)
    autumn = calendar.window(NEW_YORK, at("2026-11-01T03:00"), EVENING, MORNING)

    assert spring == Closed(at("2026-03-08T12:00"))
    assert autumn == Closed(at("2026-11-01T13:00"))


def test_quiet_hours_inside_a_skipped_hour_do_not_happen() -> None:
    verdict = Calendar().window(NEW_YORK, at("2026-03-08T07:00"), 120, 150)

    assert verdict == Open(at("2026-03-09T06:00"))


def test_quiet_hours_inside_a_repeated_hour_happen_twice() -> None:
    calendar = Calendar()

    first = calendar.window(NEW_YORK, at("2026-11-01T05:10"), 60, 90)
    between = calendar.window(NEW_YORK, at("2026-11-01T05:45"), 60, 90)
    second = calendar.window(NEW_YORK, at("2026-11-01T06:10"), 60, 90)

    assert (first, between, second) == (
        Closed(at("2026-11-01T05:30")),
        Open(at("2026-11-01T06:00")),
        Closed(at("2026-11-01T06:30")),
    )


def test_a_number_that_may_be_in_two_zones_waits_for_the_later_one() -> None:
    """Area code 208 lies in Mountain and in Pacific time."""
    verdict = Calendar().window(IDAHO, at("2026-06-11T14:30"), EVENING, MORNING)

    assert verdict == Closed(at("2026-06-11T15:00"))


def test_a_number_that_tells_nothing_counts_as_anywhere_between_the_coasts() -> None:
    """Nine in the morning in Los Angeles until eight in the evening in New York, and not on Sundays."""
    calendar = Calendar()

    assert calendar.place(TOLL_FREE).zone_names == CONTIGUOUS
    assert calendar.window(TOLL_FREE, at("2026-06-11T15:59"), EVENING, MORNING) == Closed(at("2026-06-11T16:00"))
    assert calendar.window(TOLL_FREE, at("2026-06-11T16:00"), EVENING, MORNING) == Open(at("2026-06-12T00:00"))
    assert calendar.window(TOLL_FREE, at("2026-06-14T18:00"), EVENING, MORNING) == Closed(at("2026-06-15T16:00"))


def test_a_number_of_a_large_country_counts_as_anywhere_in_that_country() -> None:
    calendar = Calendar()

    assert numbers.zones(SYDNEY) == ()
    assert {"Australia/Sydney", "Australia/Perth"} <= set(calendar.place(SYDNEY).zone_names)
    assert isinstance(calendar.window(SYDNEY, at("2026-06-11T14:00"), EVENING, MORNING), Closed)
    assert isinstance(calendar.window(SYDNEY, at("2026-06-11T03:00"), EVENING, MORNING), Open)


def test_the_hours_of_a_state_narrow_those_of_the_organization() -> None:
    calendar = Calendar()
    sunday_ten = at("2026-06-14T15:00")

    assert calendar.window(TEXAS, sunday_ten, EVENING, MORNING) == Closed(at("2026-06-14T17:00"))
    assert calendar.window(ALABAMA, sunday_ten, EVENING, MORNING) == Closed(at("2026-06-15T13:00"))
    assert calendar.window(RHODE_ISLAND, at("2026-06-13T13:30"), EVENING, MORNING) == Closed(at("2026-06-13T14:00"))
    assert calendar.window(TORONTO, sunday_ten, EVENING, MORNING) == Open(at("2026-06-15T01:00"))


def test_an_opening_that_never_comes_is_called_never() -> None:
    """Fifty minutes a day cannot be common to Mountain and Pacific time."""
    verdict = Calendar().window(IDAHO, at("2026-06-11T14:30"), 10 * 60 + 50, 10 * 60)

    assert verdict == Closed(NEVER)


def test_quiet_hours_that_end_when_they_begin_are_none() -> None:
    assert isinstance(Calendar().window(CALIFORNIA, at("2026-06-11T10:00"), 600, 600), Open)


def test_a_moment_is_the_same_in_whatever_zone_it_is_written() -> None:
    moment = at("2026-06-11T01:30")
    in_hawaii = moment.astimezone(ZoneInfo("Pacific/Honolulu"))

    assert in_hawaii.date() != moment.date()
    assert Calendar().window(NEW_YORK, in_hawaii, EVENING, MORNING) == Closed(at("2026-06-11T12:00"))


def test_a_full_calendar_forgets_and_answers_on() -> None:
    calendar = Calendar(capacity=2)
    moment = at("2026-06-11T10:00")

    answers = [calendar.window(number, moment, EVENING, MORNING) for number in EVERYWHERE * 2]

    assert answers[: len(EVERYWHERE)] == answers[len(EVERYWHERE) :]
    assert len(calendar._days) <= 2
    assert len(calendar._by_number) <= 2


def test_the_file_names_states_that_exist() -> None:
    known = {numbers.state(f"+1{code}5550100") for code in range(200, 1000)}

    assert set(STATUTES.states) <= known
    assert date.fromisoformat(STATUTES.version)


@pytest.mark.parametrize("hours", ["20:00-08:00", "8-20", "08:00-24:30", "08:00-08:00"])
def test_a_faulty_file_is_refused(hours: str) -> None:
    row = {"every_day": hours}
    with pytest.raises(ValueError, match=r"stretch|invalid literal"):
        Calendar(Statutes("2026-01-01", STATUTES.nowhere, {"CA": type(STATUTES.nowhere)(**row)})).place(CALIFORNIA)


def test_five_hundred_answers_cost_less_than_five_microseconds_each() -> None:
    """What a flush of the admission asks; the places are known, as they are after the first texts."""
    calendar, now = Calendar(), at("2026-06-11T18:00")
    recipients = [f"+1{area}555{line:04}" for area in ("415", "212", "512", "205", "208") for line in range(100)]

    def flush() -> None:
        for recipient in recipients:
            calendar.window(recipient, now, EVENING, MORNING)

    flush()

    assert min(timeit.repeat(flush, number=1, repeat=9)) / len(recipients) < 5e-6


def test_every_zone_of_the_data_is_known_to_this_machine() -> None:
    names = {name for number in EVERYWHERE for name in Calendar().place(number).zone_names}

    assert all(ZoneInfo(name) for name in names)
