"""Where the carrier side of a number stands, as the API says it."""

from enum import StrEnum


class LineOptionStatus(StrEnum):
    """What the customer sees of the carrier side; null when no campaign is wanted and none is there."""

    PENDING = "pending"  # carrier and wish differ, in either direction
    PROPAGATED = "propagated"  # the carrier has what we want
    FAILED = "failed"  # blocked: needs a person or a change
