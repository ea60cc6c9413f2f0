"""Texts: how fast they are accepted, carried to their end, and for how long.

    python -m bench.texting accept  [--seconds 4] [--rounds 3] [--stored 0] [--fresh]
    python -m bench.texting deliver [--texts 20000]
    python -m bench.texting soak    [--seconds 60]

Every pair is measured in turn, several rounds, so that a noisy moment hits both; the figure is the median of the
rounds' ratios.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.fixture import Postgres, Server
from bench.load import Figures, measure
from bench.text_fixture import Texting, bare, own_core, sending, serving, texting

CONNECTIONS = (64, 1, 16, 256)
Side = tuple[Server, Callable[[], bytes]]


def turns(first: Side, second: Side, *, connections: int, seconds: float, rounds: int) -> list[tuple[Figures, Figures]]:
    """Measure both in turn; every answer must be 202."""
    pairs: list[tuple[Figures, Figures]] = []
    for _ in range(rounds):
        theirs = measure(second[0].port, second[1], connections=connections, seconds=seconds)
        mine = measure(first[0].port, first[1], connections=connections, seconds=seconds)
        for figures in (mine, theirs):
            assert set(figures.statuses) == {202}, figures.statuses
        pairs.append((mine, theirs))
    return pairs


def report(title: str, names: tuple[str, str], pairs: list[tuple[Figures, Figures]]) -> float:
    """One line: both rates and latencies, and the median of the rounds' ratios, which is answered."""
    ratios = sorted(a.per_s / b.per_s for a, b in pairs)
    first = [statistics.median(value) for value in zip(*[(a.per_s, a.p50_ms, a.p99_ms) for a, _ in pairs], strict=True)]
    second = [
        statistics.median(value) for value in zip(*[(b.per_s, b.p50_ms, b.p99_ms) for _, b in pairs], strict=True)
    ]
    ratio, slower = statistics.median(ratios), statistics.median(a.p50_ms / b.p50_ms for a, b in pairs)
    print(
        f"{title:<16} {names[0]} {first[0]:7,.0f}/s p50 {first[1]:5.2f} p99 {first[2]:5.1f} ms"
        f"   {names[1]} {second[0]:7,.0f}/s p50 {second[1]:5.2f} p99 {second[2]:5.1f} ms"
        f"   ratio {ratio:4.0%} ({ratios[0]:.0%}..{ratios[-1]:.0%})   p50 {slower:.2f} x",
        flush=True,
    )
    return ratio


def accept(made: Texting, *, seconds: float, rounds: int, connections: tuple[int, ...] = CONNECTIONS) -> None:
    """Ours with every guardrail on against the bare ceiling."""
    requests = sending(made)
    with serving(made, 8631) as api, bare(made.dsn, 8632) as ceiling:
        for count in connections:
            pairs = turns((api, requests), (ceiling, requests), connections=count, seconds=seconds, rounds=rounds)
            report(f"accept c={count}", ("ours", "ceiling"), pairs)


def accept_beside(full: Texting, empty: Texting, *, seconds: float, rounds: int) -> None:
    """Ours beside millions of stored texts against ours beside none."""
    with serving(full, 8633) as big, serving(empty, 8634) as small:
        sides = (big, sending(full)), (small, sending(empty))
        for count in (64, 1):
            pairs = turns(*sides, connections=count, seconds=seconds, rounds=rounds)
            report(f"stored c={count}", ("full", "empty"), pairs)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("accept", "deliver", "soak"))
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stored", type=int, default=0, help="texts that are stored already")
    parser.add_argument("--numbers", type=int, default=1_000)
    parser.add_argument("--consents", type=int, default=100_000)
    parser.add_argument("--connections", type=int, nargs="*", default=CONNECTIONS)
    options = parser.parse_args()
    own_core(1)
    sizes = {"numbers": options.numbers, "consents": options.consents}
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres:
        empty = texting(postgres, "bench_empty", **sizes)
        accept(empty, seconds=options.seconds, rounds=options.rounds, connections=tuple(options.connections))
        if options.stored:
            full = texting(postgres, "bench_full", stored=options.stored, **sizes)
            accept_beside(full, empty, seconds=options.seconds, rounds=options.rounds)


if __name__ == "__main__":
    main()
