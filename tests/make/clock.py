"""The clock of tests: time passes when a test says so."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 7, 1, 17, tzinfo=UTC)
"""One in the afternoon in New York: nobody's quiet hours."""


class TestClock:
    """Time stands still until it is moved, but for a microsecond with every look."""

    __test__ = False

    def __init__(self, start: datetime = START) -> None:
        self.moment = start

    def now(self) -> datetime:
        """The present instant."""
        self.moment += timedelta(microseconds=1)
        return self.moment
