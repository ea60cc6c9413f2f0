"""The database's clock, measured: what this machine's clock says and whoever sets it changes nothing."""

from datetime import UTC, datetime, timedelta

from agentmessage.kernel.clock import DatabaseClock

TRUE = datetime(2026, 7, 1, 17, tzinfo=UTC)


class Machine:
    """A machine whose clock is wrong by `ahead`, and whose seconds are right. `asked` is a question's round trip."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead
        self.elapsed_s = 1_000.0
        self.clock = DatabaseClock(self, lambda: self.elapsed_s)

    def now(self) -> datetime:
        return self.true_time + self.ahead

    @property
    def true_time(self) -> datetime:
        return TRUE + timedelta(seconds=self.elapsed_s - 1_000)

    def ask(self, *, there_s: float = 0.001, back_s: float = 0.001) -> None:
        asked_at = self.elapsed_s
        self.elapsed_s += there_s
        told = self.true_time
        self.elapsed_s += back_s
        self.clock.learn(told, asked_at=asked_at)

    @property
    def error_s(self) -> float:
        return abs((self.clock.now() - self.true_time).total_seconds())


def test_a_machine_that_is_wrong_tells_the_right_time_once_it_has_asked() -> None:
    machine = Machine(timedelta(seconds=30))
    assert machine.error_s == 30

    machine.ask()

    assert machine.error_s <= 0.001
    assert abs(machine.clock.skew_s - 30) <= 0.001


def test_setting_the_machines_clock_moves_nothing() -> None:
    machine = Machine()
    machine.ask()

    machine.ahead = timedelta(hours=-1)
    machine.elapsed_s += 60

    assert machine.error_s <= 0.001
    assert abs(machine.clock.skew_s + 3_600) <= 0.001


def test_a_slow_answer_teaches_nothing_where_a_quick_one_is_known() -> None:
    machine = Machine()
    machine.ask()

    machine.ask(there_s=0.001, back_s=20)

    assert machine.error_s <= 0.001


def test_a_slow_answer_is_believed_where_it_shows_that_the_clock_is_wrong() -> None:
    machine = Machine()
    machine.ask()
    machine.elapsed_s += (
        1_000_000  # seconds that this machine counts wrongly, as after a change of the database's clock
    )
    moved = machine.true_time + timedelta(seconds=90)

    asked_at = machine.elapsed_s
    machine.elapsed_s += 1
    machine.clock.learn(moved, asked_at=asked_at)

    assert abs((machine.clock.now() - moved).total_seconds()) <= 1
