"""What a question asks for, which of it may be asked, and how sums become buckets; pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import UNSET, Struct

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.kernel.money import MICROCENTS_PER_CENT, balance_cents
from agentmessage.metrics.errors import GranularityNotAvailable, OtherQuestion, WindowTooLarge
from agentmessage.metrics.model import (
    BALANCE,
    DEFAULT_SPAN,
    FINEST,
    KEPT,
    LENGTHS,
    MAX_BUCKETS,
    Granularity,
    Known,
    Point,
    Question,
    Window,
)
from agentmessage.metrics.schemas import Bucket, SeriesQuery
from agentmessage.web import cursors
from agentmessage.web.types import in_utc

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
NO_GROUP = "-"


class Page(Struct, frozen=True):
    """A question, and the bucket that its page begins at."""

    question: Question
    at: datetime


def read(metric: str, query: SeriesQuery, group_by: str | None, *, now: datetime) -> Page:
    """The page that is asked for. Raises ValidationFailed, OtherQuestion, WindowTooLarge."""
    if metric == BALANCE and group_by is not None:
        raise ValidationFailed({"group_by": "must not be given with balance_end_cents"})
    is_compared = query.compare_to is not UNSET
    if query.cursor is UNSET:
        window = _window(query, None, now)
        return Page(Question(metric, window, group_by, is_compared), window.start)
    page = _unpinned(query.cursor)
    asked = page.question
    _require_same(
        metric=(metric, asked.metric),
        granularity=(query.granularity, asked.window.granularity),
        group_by=(group_by, asked.group_by),
        compare_to=(is_compared, asked.is_compared),
    )
    window = _window(query, asked.window, now)
    _require_same(**{"from": (window.start, asked.window.start), "to": (window.end, asked.window.end)})
    return page


def pin(question: Question, at: datetime) -> str:
    """The cursor of the page that begins at a bucket; it carries the whole question."""
    window = question.window
    parts = (
        question.metric,
        window.granularity,
        question.group_by or NO_GROUP,
        "prior_period" if question.is_compared else NO_GROUP,
        str(int(window.start.timestamp())),
        str(int(window.end.timestamp())),
    )
    return cursors.encode(at, "|".join(parts))


def require_granularity(plan: str, wanted: Granularity) -> None:
    """Refuse buckets that are shorter than the plan's. Raises GranularityNotAvailable."""
    finest = FINEST.get(plan, Granularity.DAY)
    if wanted.length < finest.length:
        raise GranularityNotAvailable(finest)


def known(granularity: Granularity, *, as_of: datetime, now: datetime) -> Known:
    """Which buckets of this length have a value."""
    kept = KEPT.get(granularity)
    kept_from = None if kept is None else _floor(now - kept, granularity) + granularity.length
    return Known(kept_from, as_of, granularity.length)


def buckets(metric: str, starts: Iterable[datetime], values: Mapping[datetime, int], known: Known) -> list[Bucket]:
    """Sums, in cents where they are money, as buckets: no row is 0, but for a bucket that is not known."""
    return [Bucket(start, _shown(metric, values.get(start, 0)) if known.has(start) else None) for start in starts]


def closing(balance_microcents: int, starts: Sequence[datetime], moved: Iterable[Point]) -> dict[datetime, int]:
    """The balance at the end of each bucket, told back from the present one by what moved since.

    `moved` holds the net movement of every bucket from the first start on, later ones included.
    """
    left = sorted(moved, key=lambda point: point.bucket_start, reverse=True)
    at_end: dict[datetime, int] = {}
    place = 0
    for start in sorted(starts, reverse=True):
        while place < len(left) and left[place].bucket_start > start:
            balance_microcents -= left[place].value
            place += 1
        at_end[start] = balance_microcents
    return at_end


def next_midnight(moment: datetime) -> datetime:
    """The first midnight in UTC that is not before an instant."""
    return _ceil(moment, Granularity.DAY)


def _shown(metric: str, value: int) -> int:
    """A sum as it is printed: of money whole cents, rounded half up; of a balance never more than there is."""
    if metric == BALANCE:
        return balance_cents(value)
    return (value + MICROCENTS_PER_CENT // 2) // MICROCENTS_PER_CENT if metric.endswith("_cents") else value


def _window(query: SeriesQuery, pinned: Window | None, now: datetime) -> Window:
    """The window in whole buckets; what a query with a cursor leaves out is as it was. Raises as `read`."""
    granularity = query.granularity
    if query.to is not UNSET:
        end = _ceil(_sane(query.to, "to"), granularity)
    else:
        end = pinned.end if pinned is not None else _ceil(now, granularity)
    if query.from_ is not UNSET:
        start = _floor(_sane(query.from_, "from"), granularity)
    else:
        start = pinned.start if pinned is not None else end - DEFAULT_SPAN[granularity]
    if start >= end:
        raise ValidationFailed({"from": "must be before to"})
    return _measured(Window(start, end, granularity))


def _measured(window: Window) -> Window:
    if window.count > MAX_BUCKETS:
        raise WindowTooLarge(window.count, MAX_BUCKETS)
    return window


def _sane(moment: datetime, field: str) -> datetime:
    """An instant that buckets can be laid around without leaving the calendar."""
    moment = in_utc(moment, field)
    if not EARLIEST <= moment < LATEST:
        raise ValidationFailed({field: f"must be within the years {EARLIEST.year}..{LATEST.year - 1}"})
    return moment


def _floor(moment: datetime, granularity: Granularity) -> datetime:
    return moment - (moment - EARLIEST) % LENGTHS[granularity]


def _ceil(moment: datetime, granularity: Granularity) -> datetime:
    return moment + (EARLIEST - moment) % LENGTHS[granularity]


def _unpinned(cursor: str) -> Page:
    """The page that a cursor leads to. Raises ValidationFailed for one that `pin` did not make."""
    place = cursors.decode(cursor)
    try:
        metric, granularity, group_by, compare_to, start, end = place.id.split("|")
        window = Window(_moment(start), _moment(end), Granularity(granularity))
    except (ValueError, OverflowError, OSError) as error:
        raise _foreign() from error
    if (
        not window.start <= place.created_at < window.end
        or (place.created_at - window.start) % window.granularity.length
    ):
        raise _foreign()
    group = None if group_by == NO_GROUP else group_by
    return Page(Question(metric, _measured(window), group, compare_to != NO_GROUP), place.created_at)


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def _foreign() -> ValidationFailed:
    return ValidationFailed({"cursor": "must be a cursor from an earlier page"})


def _require_same(**pairs: tuple[object, object]) -> None:
    for name, (asked, pinned) in pairs.items():
        if asked != pinned:
            raise OtherQuestion(name)
