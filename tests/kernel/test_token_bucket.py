"""A token bucket holds at most its capacity, earns by time, and never gives what it has not."""

import pytest

from agentmessage.kernel.token_bucket import TokenBucket, refill, wait_s


def test_a_new_bucket_is_full() -> None:
    assert TokenBucket().refill(0.0, capacity=3.0, per_second=1.0) == 3.0


def test_an_empty_bucket_returns_the_wait_and_takes_nothing() -> None:
    bucket = TokenBucket()
    taken = [bucket.take(10.0, capacity=2.0, per_second=0.5) for _ in range(4)]

    assert taken == [0.0, 0.0, 2.0, 2.0]
    assert bucket.take(11.0, capacity=2.0, per_second=0.5) == 1.0
    assert bucket.take(12.0, capacity=2.0, per_second=0.5) == 0.0


def test_time_that_runs_backwards_earns_nothing_and_nothing_twice() -> None:
    bucket = TokenBucket(0.0, refilled_at=100.0)

    assert bucket.refill(90.0, capacity=50.0, per_second=1.0) == 0.0
    assert bucket.refill(101.0, capacity=50.0, per_second=1.0) == 1.0


@pytest.mark.parametrize(
    ("tokens", "passed_s", "expected"), [(0.0, 2.0, 1.0), (9.0, 60.0, 10.0), (-3.0, 2.0, -2.0), (12.0, 0.0, 10.0)]
)
def test_a_bucket_earns_by_time_up_to_its_capacity(tokens: float, passed_s: float, expected: float) -> None:
    assert refill(tokens, passed_s, capacity=10.0, per_second=0.5) == expected


def test_the_wait_is_none_once_the_tokens_are_there() -> None:
    assert wait_s(1.0, 3.0, per_second=0.5) == 4.0
    assert wait_s(3.0, 3.0, per_second=0.5) == 0.0
