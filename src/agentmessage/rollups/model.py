"""What is counted, and how far the counting of texts has come."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

MINUTES_KEPT = timedelta(days=35)
HOURS_KEPT = timedelta(days=400)
"""Days are kept for ever."""


class Count(Struct, frozen=True):
    """Something to add to a sum: `value` of `metric` at an instant, under labels it can later be grouped by.

    Money is in microcents. Labels are few and each takes few values: every combination is a row of each bucket.
    """

    org_id: UUID
    metric: str
    at: datetime
    labels: Mapping[str, str]
    value: int


class Place(Struct, frozen=True):
    """Up to which event texts are counted, in the order of events; `xid` is a transaction's number as text."""

    xid: str
    id: UUID


class Difference(Struct, frozen=True):
    """A day whose sum is not what a recount says; `counted` is the sum as stored."""

    org_id: UUID
    metric: str
    bucket_start: datetime
    labels: Mapping[str, str]
    counted: int
    recounted: int
