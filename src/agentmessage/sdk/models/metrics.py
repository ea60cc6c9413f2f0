"""Values of `metrics`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime
from typing import Literal

from agentmessage.sdk._response import Model
from agentmessage.sdk.open_enum import OpenEnum


class Granularity(OpenEnum):
    """How long a bucket is. Days, hours and minutes are those of UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


GranularityWord = Literal["minute", "hour", "day"]


class Bucket(Model, frozen=True, kw_only=True):
    """One bucket, from `bucket_start` until before the next. Null: not counted yet (or no more kept), unlike 0.

    Of money the whole cents, rounded half up; of a balance, down.
    """

    bucket_start: datetime
    value: int | None = None


class Group(Model, frozen=True, kw_only=True):
    """The series of one value of `by`; a null value is what has none, such as a text that did not fail."""

    by: str
    value: str | None = None
    buckets: tuple[Bucket, ...]


class PriorPeriod(Model, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The window before: its n-th bucket on a page stands against the n-th of the page."""

    from_: datetime
    to: datetime
    buckets: tuple[Bucket, ...] | None = None
    groups: tuple[Group, ...] | None = None


class Series(Model, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One page of a series. With `group_by` there are `groups` and `buckets` is null; without, the other way round.

    `from` and `to` are the window of the whole series, rounded to buckets.
    """

    metric: str
    granularity: Granularity
    from_: datetime
    to: datetime
    buckets: tuple[Bucket, ...] | None = None
    groups: tuple[Group, ...] | None = None
    prior_period: PriorPeriod | None = None


class SeriesMeta(Model, frozen=True, kw_only=True):
    """`meta` of a series: everything before `as_of` has been counted."""

    as_of: datetime
    limit: int
    next_cursor: str | None = None
