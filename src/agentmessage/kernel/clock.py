"""Time as an argument: the one place that reads the machine's clocks, so that everything else can be run under another.

Processes on several machines share leases, due times and schedules, so they share one clock: the database's. Each
process measures it with statements of its own and counts on from there by a clock that nobody sets.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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


def elapsed_s() -> float:
    """Seconds since some moment, also those in which the machine slept."""
    return time.clock_gettime(_STEADY)


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class DatabaseClock:
    """The database's clock as this process measured it; the machine's own until it has.

    `wall` is only compared with it: `skew_s` says how far the machine's clock is ahead.
    """

    def __init__(self, wall: Clock | None = None, elapsed: Callable[[], float] = elapsed_s) -> None:
        self._wall = wall or WallClock()
        self._elapsed = elapsed
        self._told: datetime | None = None
        self._told_at = 0.0
        self._doubt_s = 0.0

    def now(self) -> datetime:
        """The present instant."""
        if self._told is None:
            return self._wall.now()
        return self._told + timedelta(seconds=self._elapsed() - self._told_at)

    @property
    def is_measured(self) -> bool:
        """The database was asked."""
        return self._told is not None

    @property
    def skew_s(self) -> float:
        """Seconds that this machine's clock is ahead of the database's; negative when it is behind, 0 if not known."""
        return 0.0 if self._told is None else (self._wall.now() - self.now()).total_seconds()

    def learn(self, told: datetime, *, asked_at: float) -> None:
        """Take what the database said to a question asked at that moment of `elapsed`.

        It was said between question and answer. So a slow answer teaches nothing, unless it shows that we are wrong.
        """
        heard_at = self._elapsed()
        took_s = heard_at - asked_at
        earliest = told - timedelta(seconds=1e-6)
        if (
            self._told is None
            or took_s <= self._doubt_s
            or not earliest <= self.now() <= told + timedelta(seconds=took_s)
        ):
            self._told, self._told_at, self._doubt_s = told, heard_at - took_s / 2, took_s

    def read_steady(self) -> float:
        """The moment to give to `learn`."""
        return self._elapsed()
