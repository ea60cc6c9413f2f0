"""The clock of tests: time passes when a test says so."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class TestClock:
    """Time stands still until it is moved, but for a microsecond with every look."""

    __test__ = False

    def __init__(self, start: datetime = START) -> None:
        self.moment = start

    def now(self) -> datetime:
        """The present instant."""
        self.moment += timedelta(microseconds=1)
        return self.moment
