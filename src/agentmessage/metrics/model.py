"""What a series is: its metric, its buckets, and the question it answers."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from agentmessage.organizations.model import Plan
from agentmessage.rollups.model import HOURS_KEPT, MINUTES_KEPT


class Granularity(StrEnum):
    """How long a bucket is. Days, hours and minutes are those of UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        """Of one bucket."""
        return LENGTHS[self]


LENGTHS = {
    Granularity.MINUTE: timedelta(minutes=1),
    Granularity.HOUR: timedelta(hours=1),
    Granularity.DAY: timedelta(days=1),
}
KEPT = {Granularity.MINUTE: MINUTES_KEPT, Granularity.HOUR: HOURS_KEPT}
"""How long sums are kept; days for ever."""

DEFAULT_SPAN = {
    Granularity.MINUTE: timedelta(hours=1),
    Granularity.HOUR: timedelta(days=1),
    Granularity.DAY: timedelta(days=30),
}
"""The window of a question that names none."""

MAX_BUCKETS = 10_000

FINEST: dict[str, Granularity] = {
    Plan.PAYG: Granularity.DAY,
    Plan.STARTER: Granularity.DAY,
    Plan.GROWTH: Granularity.HOUR,
    Plan.SCALE: Granularity.MINUTE,
    Plan.CUSTOM: Granularity.MINUTE,
}
"""The shortest buckets of each plan (the hosted service ties finer ones to its tiers)."""

BALANCE = "wallet.balance_end_cents"


class Window(Struct, frozen=True):
    """Whole buckets from `start` until before `end`, both in UTC."""

    start: datetime
    end: datetime
    granularity: Granularity

    @property
    def count(self) -> int:
        """How many buckets there are."""
        return (self.end - self.start) // self.granularity.length

    def starts(self, at: datetime, most: int) -> list[datetime]:
        """The starts of at most so many buckets, from the one at `at` on."""
        length = self.granularity.length
        return [at + length * step for step in range(min(most, (self.end - at) // length))]

    @property
    def prior(self) -> "Window":
        """As many buckets, immediately before."""
        return Window(self.start - (self.end - self.start), self.start, self.granularity)


class Question(Struct, frozen=True):
    """A question as it is answered over all its pages: `metric` is the dotted name, `group_by` the label or None."""

    metric: str
    window: Window
    group_by: str | None
    is_compared: bool


class Point(Struct, frozen=True):
    """The sum of one bucket under one label; money in microcents."""

    label: str | None
    bucket_start: datetime
    value: int


class Known(Struct, frozen=True):
    """The instants between which sums are whole: a bucket that is not within them has no value."""

    kept_from: datetime | None
    as_of: datetime
    length: timedelta

    def has(self, bucket_start: datetime) -> bool:
        """Whether a bucket has a value: a number that is shown once never changes."""
        ends_at = bucket_start + self.length
        return ends_at <= self.as_of and (self.kept_from is None or bucket_start >= self.kept_from)
