"""When a recipient may be texted: quiet hours at every place where they may be, and their state's own hours; pure.

A number tells a presumption only. Where it allows several time zones, texts pass while it
is no night in any of them. A number of the North American plan that tells nothing counts as anywhere from Eastern to
Pacific, within the hours that no state objects to; a number of another large country as anywhere in it.

Wall clocks jump. A UTC day is cut where a zone's offset changes, and within a piece wall time and UTC differ by a
constant; so what is computed is exact, in a gap as in a fold.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import phonenumbers
from msgspec import Struct
from phonenumbers import timezone

from agentmessage.guardrails.model import MINUTES_OF_DAY
from agentmessage.sms import numbers

CONTIGUOUS = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
"""Where a number that tells nothing may be."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The opening of a window that no moment fits: no two of its places are awake at once."""

HORIZON_DAYS = 14
"""How far ahead a change is looked for. What has not opened within two whole weeks never does."""

_DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_NANP_LENGTH = 12
_NANP_PREFIX = 8  # +1, area code, exchange: what the zones of such a number depend on, and no more

Span = tuple[int, int]
"""From, up to but not including; seconds since 1970, or minutes of a day."""

WHOLE_DAY: Span = (0, MINUTES_OF_DAY)


class Open(Struct, frozen=True):
    """A text may go out now, and until then."""

    until: datetime


class Closed(Struct, frozen=True):
    """No text may go out before then; NEVER where the window has no opening at all."""

    opens_at: datetime


Verdict = Open | Closed


class StatuteRow(Struct, frozen=True, forbid_unknown_fields=True):
    """One jurisdiction's hours as the file writes them: `HH:MM-HH:MM`, or `closed`."""

    every_day: str
    saturday: str | None = None
    sunday: str | None = None

    @property
    def week(self) -> tuple[Span | None, ...]:
        """The minutes allowed on each day, Monday first."""
        days = (*[self.every_day] * 5, self.saturday or self.every_day, self.sunday or self.every_day)
        return tuple(_span(day) for day in days)


class Statutes(Struct, frozen=True, forbid_unknown_fields=True):
    """The hours that states allow; `version` is the day on which the file was last checked."""

    version: str
    nowhere: StatuteRow
    states: dict[str, StatuteRow]


STATUTES = msgspec.toml.decode(Path(__file__).with_name("state_windows.toml").read_bytes(), type=Statutes)


class Place:
    """Where the holder of a number may be: zones, the state presumed, and the minutes that its law allows each day."""

    __slots__ = ("state", "week", "zone_names", "zones")

    def __init__(self, zone_names: Sequence[str], state: str | None, week: Sequence[Span | None] | None) -> None:
        self.zone_names = tuple(zone_names)
        self.zones = tuple(ZoneInfo(name) for name in zone_names)
        self.state = state
        self.week = tuple(week) if week is not None else (WHOLE_DAY,) * 7


class Calendar:
    """Answers when recipients may be texted, and remembers at most `capacity` places and days each.

    A remembered answer costs two look-ups; one is computed per place, window and day.
    """

    def __init__(self, statutes: Statutes = STATUTES, *, capacity: int = 65_536) -> None:
        self._statutes = statutes
        self._capacity = capacity
        self._nowhere = Place(CONTIGUOUS, None, statutes.nowhere.week)
        self._places: dict[tuple[tuple[str, ...], str | None], Place] = {}
        self._by_number: dict[str, Place] = {}
        self._days: dict[tuple[Place, int, int, int], Sequence[tuple[datetime, Verdict]]] = {}

    def window(self, recipient: str, now: datetime, start_minute: int, end_minute: int) -> Verdict:
        """Whether the recipient may be texted at `now`, with quiet hours between two minutes of local days.

        Quiet hours that end when they begin are none.
        """
        is_nanp = len(recipient) == _NANP_LENGTH and recipient[1] == "1"
        place = self._by_number.get(recipient[:_NANP_PREFIX] if is_nanp else recipient) or self.place(recipient)
        if now.tzinfo is not UTC:
            now = now.astimezone(UTC)
        key = (place, start_minute, end_minute, now.toordinal())
        verdicts = self._days.get(key) or self._day(key)
        for until, verdict in verdicts:
            if now < until:
                return verdict
        return verdicts[-1][1]

    def place(self, recipient: str) -> Place:
        """Where the recipient may be, from the number alone."""
        zones, state = numbers.zones(recipient), numbers.state(recipient)
        if not zones and not recipient.startswith("+1"):
            zones = _zones_abroad(recipient)
        place = self._interned(zones, state) if zones else self._nowhere
        is_nanp = len(recipient) == _NANP_LENGTH and recipient[1] == "1"
        self._make_room(self._by_number)
        self._by_number[recipient[:_NANP_PREFIX] if is_nanp else recipient] = place
        return place

    def _interned(self, zones: tuple[str, ...], state: str | None) -> Place:
        found = self._places.get((zones, state))
        if found is None:
            row = self._statutes.states.get(state) if state else None
            found = self._places[zones, state] = Place(zones, state, row.week if row else None)
        return found

    def _day(self, key: tuple[Place, int, int, int]) -> Sequence[tuple[datetime, Verdict]]:
        self._make_room(self._days)
        place, start_minute, end_minute, ordinal = key
        found = self._days[key] = _verdicts(place, _allowed(place, start_minute, end_minute), ordinal - _EPOCH_ORDINAL)
        return found

    def _make_room(self, remembered: dict[Any, Any]) -> None:
        """Forget everything at once when full: nothing here is dear, and keeping track of age would be."""
        if len(remembered) >= self._capacity:
            remembered.clear()


def _verdicts(place: Place, allowed: Sequence[Sequence[Span]], day: int) -> Sequence[tuple[datetime, Verdict]]:
    """What holds in the course of one UTC day (counted from 1970), piece by piece: until when, and what."""
    day_ends_s = (day + 1) * _DAY_S
    verdicts: list[tuple[datetime, Verdict]] = []
    at_s = day * _DAY_S
    spans = _open_spans(place, allowed, day)
    while at_s < day_ends_s:
        if spans and spans[0][0] <= at_s:
            until_s = _open_until(place, allowed, spans.pop(0)[1])
            verdict: Verdict = Open(_instant(until_s))
        elif spans:
            until_s = spans[0][0]
            verdict = Closed(_instant(until_s))
        else:
            until_s = day_ends_s
            verdict = Closed(_next_opening(place, allowed, day + 1))
        verdicts.append((_instant(until_s), verdict))
        at_s = until_s
    return verdicts


def _open_until(place: Place, allowed: Sequence[Sequence[Span]], until_s: int) -> int:
    """The end of a span, followed over midnight as long as the next day begins open."""
    for _ in range(HORIZON_DAYS):
        if until_s % _DAY_S:
            break
        following = _open_spans(place, allowed, until_s // _DAY_S)
        if not following or following[0][0] != until_s:
            break
        until_s = following[0][1]
    return until_s


def _next_opening(place: Place, allowed: Sequence[Sequence[Span]], day: int) -> datetime:
    for later in range(day, day + HORIZON_DAYS):
        if spans := _open_spans(place, allowed, later):
            return _instant(spans[0][0])
    return NEVER


def _open_spans(place: Place, allowed: Sequence[Sequence[Span]], day: int) -> list[Span]:
    """When it is allowed everywhere in the course of one UTC day, in order; seconds since 1970."""
    first, *others = [_zone_spans(zone, allowed, day) for zone in place.zones]
    for spans in others:
        first = _both(first, spans)
    return first


def _zone_spans(zone: ZoneInfo, allowed: Sequence[Sequence[Span]], day: int) -> list[Span]:
    spans: list[Span] = []
    for since_s, until_s, offset_s in _pieces(zone, day * _DAY_S):
        for wall_day in range((since_s + offset_s) // _DAY_S, (until_s + offset_s - 1) // _DAY_S + 1):
            midnight_s = wall_day * _DAY_S - offset_s
            for start, end in allowed[(wall_day + 3) % 7]:  # 1970 began on a Thursday, Monday is 0
                low, high = max(since_s, midnight_s + start * 60), min(until_s, midnight_s + end * 60)
                if low < high:
                    spans.append((low, high))
    return _joined(spans)


def _pieces(zone: ZoneInfo, since_s: int) -> list[tuple[int, int, int]]:
    """A UTC day cut where the zone's offset changes: from, to, offset; all in seconds. No zone changes twice a day."""
    until_s = since_s + _DAY_S
    before, after = _offset_s(zone, since_s), _offset_s(zone, until_s - 1)
    if before == after:
        return [(since_s, until_s, before)]
    low, high = since_s, until_s - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_s(zone, middle) == before else (low, middle)
    return [(since_s, high, before), (high, until_s, after)]


def _offset_s(zone: ZoneInfo, at_s: int) -> int:
    offset = _instant(at_s).astimezone(zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def _allowed(place: Place, start_minute: int, end_minute: int) -> Sequence[Sequence[Span]]:
    """The minutes of each local day, Monday first, that are outside quiet hours and inside the state's window."""
    if start_minute == end_minute:
        awake: list[Span] = [WHOLE_DAY]
    elif start_minute < end_minute:
        awake = [(0, start_minute), (end_minute, MINUTES_OF_DAY)]
    else:
        awake = [(end_minute, start_minute)]
    return [_both(awake, [day] if day is not None else []) for day in place.week]


def _both(left: Iterable[Span], right: Sequence[Span]) -> list[Span]:
    """Where two lists of spans overlap; both in order, and so is the answer."""
    found = [(max(a, c), min(b, d)) for a, b in left for c, d in right]
    return [(low, high) for low, high in found if low < high]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The same spans with those made one that touch."""
    joined: list[Span] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _zones_abroad(recipient: str) -> tuple[str, ...]:
    """Every zone of a country that has many: all of them must be awake."""
    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(recipient))
    except phonenumbers.NumberParseException:
        return ()
    return () if timezone.UNKNOWN_TIMEZONE in found else tuple(found)


def _instant(at_s: int) -> datetime:
    return _EPOCH + timedelta(seconds=at_s)


def _span(text: str) -> Span | None:
    """Minutes of a day written `HH:MM-HH:MM`; None where it says `closed`."""
    if text == "closed":
        return None
    first, _, last = text.partition("-")
    start, end = [int(time[:2]) * 60 + int(time[3:]) for time in (first, last)]
    if not 0 <= start < end <= MINUTES_OF_DAY:
        raise ValueError(f"not a stretch of one day: {text}")
    return start, end
