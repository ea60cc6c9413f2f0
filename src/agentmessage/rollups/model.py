"""What is counted."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Count(Struct, frozen=True):
    """Something to add to a sum: `value` of `metric` at an instant, under labels it can later be grouped by.

    Money is in microcents. Labels are few and each takes few values: every combination is a row of each bucket.
    """

    org_id: UUID
    metric: str
    at: datetime
    labels: Mapping[str, str]
    value: int
