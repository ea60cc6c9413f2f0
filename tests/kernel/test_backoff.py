"""A backoff grows from its first delay to its maximum and stays there."""

from agentmessage.kernel.backoff import backoff_s


def test_the_delay_doubles_up_to_the_maximum() -> None:
    assert [backoff_s(attempt, first_s=0.5, max_s=3.0) for attempt in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_the_delay_stays_finite_for_any_number_of_attempts() -> None:
    assert backoff_s(10**6, first_s=0.5, max_s=60.0, growth=1.5) == 60.0


def test_jitter_takes_a_share_but_never_all_of_the_delay() -> None:
    assert backoff_s(2, first_s=1.0, max_s=60.0, jitter=0.5) == 2.0
    assert backoff_s(2, first_s=1.0, max_s=60.0, jitter=0.0) == 0.1
