"""Detach of nothing, and attach/detach alternating: ours against the ceiling, A/B in one run.

    python -m bench.binding [--numbers 100000] [--many 1000000] [--seconds 5] [--rounds 3]

Every pair is measured in turn, several rounds, so that a noisy moment hits both; the figure is the median of the
rounds' ratios. Server on core 0, client and Postgres on core 1 where there are two.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.fixture import KEY, Filled, Postgres, Server, ceiling, ours
from bench.load import Figures, in_turn, measure, request

CONNECTIONS = (16, 64)


def detach_of_none(filled: Filled) -> Callable[[], bytes]:
    """DELETE for numbers that have no campaign."""
    paths = [
        f"/v1/phone-numbers/{number_id}/campaign" for number_id in filled.number_ids[: len(filled.number_ids) // 2]
    ]
    return in_turn([request("DELETE", path, key=KEY) for path in paths])


def alternating(filled: Filled) -> Callable[[], bytes]:
    """POST then DELETE for each number in turn; another half of the numbers than `detach_of_none`."""
    body = f'{{"campaign_id":"{filled.campaign_id}"}}'.encode()
    requests: list[bytes] = []
    numbers = filled.number_ids[len(filled.number_ids) // 2 :]
    for start in range(0, len(numbers) - 100, 100):
        part = [f"/v1/phone-numbers/{number_id}/campaign" for number_id in numbers[start : start + 100]]
        requests += [request("POST", path, key=KEY, body=body) for path in part]
        requests += [request("DELETE", path, key=KEY) for path in part]
    return in_turn(requests)


WORK = (("detach of none", detach_of_none), ("attach/detach", alternating))


def compare(filled: Filled, *, seconds: float, rounds: int) -> None:
    """Print every pair of ours and the ceiling."""
    with ours(filled, 8601) as api, ceiling(filled, 8602) as bare:
        for title, make in WORK:
            for connections in CONNECTIONS:
                pairs = alternate(
                    (api, make(filled)), (bare, make(filled)), connections=connections, seconds=seconds, rounds=rounds
                )
                report(f"{title:<15} c={connections:<3}", ("ours", "ceiling"), pairs)


def compare_sizes(small: Filled, large: Filled, *, seconds: float, rounds: int) -> None:
    """Print ours on the large tables against ours on the small ones."""
    with ours(large, 8603) as big, ours(small, 8604) as little:
        for title, make in WORK:
            for connections in CONNECTIONS:
                pairs = alternate(
                    (big, make(large)), (little, make(small)), connections=connections, seconds=seconds, rounds=rounds
                )
                report(f"{title:<15} c={connections:<3}", ("large", "small"), pairs)


Side = tuple[Server, Callable[[], bytes]]


def alternate(
    first: Side, second: Side, *, connections: int, seconds: float, rounds: int
) -> list[tuple[Figures, Figures]]:
    """Measure both in turn, so that a noisy moment hits both."""
    pairs: list[tuple[Figures, Figures]] = []
    for _ in range(rounds):
        theirs = measure(second[0].port, second[1], connections=connections, seconds=seconds)
        mine = measure(first[0].port, first[1], connections=connections, seconds=seconds)
        pairs.append((mine, theirs))
    return pairs


def report(title: str, names: tuple[str, str], pairs: list[tuple[Figures, Figures]]) -> None:
    """One line: both rates, the median of the rounds' ratios, and how the p99 compare."""
    for pair in pairs:
        for figures in pair:
            assert set(figures.statuses) == {200}, figures.statuses
    ratio = statistics.median(a.per_s / b.per_s for a, b in pairs)
    tail = statistics.median(a.p99_ms / b.p99_ms for a, b in pairs)
    first, second = statistics.median(a.per_s for a, _ in pairs), statistics.median(b.per_s for _, b in pairs)
    p99_ms = statistics.median(a.p99_ms for a, _ in pairs)
    print(
        f"{title} {names[0]} {first:7,.0f}/s   {names[1]} {second:7,.0f}/s   ratio {ratio:4.0%}"
        f"   p99 {p99_ms:5.1f} ms = {tail:.2f} x {names[1]}",
        flush=True,
    )


def run(postgres: Postgres, *, numbers: int, many: int, seconds: float, rounds: int) -> None:
    """Ours against the ceiling, then ours on large tables against ours on small ones."""
    small = postgres.filled("bench_small", numbers=numbers)
    print(f"{numbers:,} numbers of one organization, one API worker, all routes mounted")
    compare(small, seconds=seconds, rounds=rounds)
    large = postgres.filled("bench_large", numbers=many, organizations=10_000, of_first=numbers // 2)
    print(f"{many:,} numbers of 10,000 organizations against {numbers:,} of one")
    compare_sizes(small, large, seconds=seconds, rounds=rounds)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres:
        run(postgres, numbers=options.numbers, many=options.many, seconds=options.seconds, rounds=options.rounds)


if __name__ == "__main__":
    main()
