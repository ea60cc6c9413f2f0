"""Time as an argument: the one place that reads the wall clock, so that everything else can be run under another."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, always UTC with microseconds."""

    def now(self) -> datetime:
        """The present instant."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)
