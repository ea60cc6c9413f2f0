"""Texts: how fast they are accepted, carried to their end, and for how long.

    python -m bench.texting accept  [--seconds 4] [--rounds 3] [--stored 10000000]
    python -m bench.texting deliver [--texts 20000] [--jasmin DIRECTORY]
    python -m bench.texting soak    [--seconds 60]

Every pair is measured in turn, several rounds, so that a noisy moment hits both; the figure is the median of the
rounds' ratios.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from bench.cpu import spent_s
from bench.fixture import Postgres, Server
from bench.load import Figures, measure
from bench.peers import kannel
from bench.simulated import Simulator
from bench.text_delivery import deliver, soak
from bench.text_fixture import Texting, bare, own_core, sending, serving, texting

CONNECTIONS = (64, 1, 16, 256)
Side = tuple[Server, Callable[[], bytes]]


class Turn(Struct, frozen=True):
    """One side's turn: what the client saw, and microseconds of processor time per text of server and Postgres."""

    figures: Figures
    server_us: float
    postgres_us: float

    @property
    def values(self) -> tuple[float, ...]:
        """What is printed of it."""
        return (self.figures.per_s, self.figures.p50_ms, self.figures.p99_ms, self.server_us, self.postgres_us)


def turn(postgres: Postgres, side: Side, *, connections: int, seconds: float) -> Turn:
    """Load one side; every answer must be 202."""
    server, requests = side
    sent = 0

    def counted() -> bytes:
        nonlocal sent
        sent += 1
        return requests()

    before = spent_s(server.pid), spent_s(postgres.pid)
    figures = measure(server.port, counted, connections=connections, seconds=seconds)
    after = spent_s(server.pid), spent_s(postgres.pid)
    assert set(figures.statuses) == {202}, figures.statuses
    server_us, postgres_us = [(b - a) / sent * 1e6 for a, b in zip(before, after, strict=True)]
    return Turn(figures, server_us, postgres_us)


def turns(
    postgres: Postgres, first: Side, second: Side, *, connections: int, seconds: float, rounds: int
) -> list[tuple[Turn, Turn]]:
    """Both sides in turn, several rounds."""
    pairs: list[tuple[Turn, Turn]] = []
    for _ in range(rounds):
        theirs = turn(postgres, second, connections=connections, seconds=seconds)
        pairs.append((turn(postgres, first, connections=connections, seconds=seconds), theirs))
    return pairs


def report(title: str, names: tuple[str, str], pairs: list[tuple[Turn, Turn]]) -> float:
    """Both sides' medians, and the median of the rounds' ratios, which is answered, with its range."""
    for name, side in zip(names, zip(*pairs, strict=True), strict=True):
        per_s, p50, p99, server, postgres = [statistics.median(v) for v in zip(*[t.values for t in side], strict=True)]
        print(
            f"{title:<14} {name:<8} {per_s:8,.0f}/s   p50 {p50:6.2f}   p99 {p99:6.1f} ms"
            f"   processor: server {server:4.0f}, Postgres {postgres:4.0f} us each"
        )
    ratios = sorted(a.figures.per_s / b.figures.per_s for a, b in pairs)
    ratio = statistics.median(ratios)
    slower = statistics.median(a.figures.p50_ms / b.figures.p50_ms for a, b in pairs)
    dearer = statistics.median(a.server_us / b.server_us for a, b in pairs)
    print(
        f"{title:<14} ratio {ratio:4.0%} ({ratios[0]:.0%}..{ratios[-1]:.0%})   p50 {slower:.2f} x"
        f"   the server's processor time {dearer:.2f} x",
        flush=True,
    )
    return ratio


def accept(
    postgres: Postgres, made: Texting, *, seconds: float, rounds: int, connections: tuple[int, ...] = CONNECTIONS
) -> None:
    """Ours with every guardrail on against the bare ceiling."""
    requests = sending(made)
    with serving(made, 8631) as api, bare(made.dsn, 8632) as ceiling:
        for count in connections:
            sides = (api, requests), (ceiling, requests)
            pairs = turns(postgres, *sides, connections=count, seconds=seconds, rounds=rounds)
            report(f"accept c={count}", ("ours", "ceiling"), pairs)


def accept_beside_kannel(postgres: Postgres, made: Texting, *, seconds: float, rounds: int) -> None:
    """Ours, which is on disk when it answers, in turn with Kannel with each store; 64 connections."""
    if kannel.BEARERBOX is None or kannel.SMSBOX is None:
        print(kannel.ABSENT)
        return
    requests = sending(made)
    with (
        serving(made, 8635) as api,
        tempfile.TemporaryDirectory() as directory,
        Simulator(Path(directory)) as simulator,
    ):
        for store in kannel.STORES:
            ours: list[Figures] = []
            theirs: list[Figures] = []
            with kannel.Kannel(Path(directory), store, simulator.smpp_port) as peer:
                for _ in range(rounds):
                    theirs.append(kannel.accepted(peer, connections=64, seconds=seconds))
                    ours.append(turn(postgres, (api, requests), connections=64, seconds=seconds).figures)
            report_peer(f"Kannel, {store}", ours, theirs)


def report_peer(name: str, ours: Sequence[Figures], theirs: Sequence[Figures]) -> None:
    """One line: both medians, and the median of the rounds' ratios with its range."""
    ratios = sorted(a.per_s / b.per_s for a, b in zip(ours, theirs, strict=True))
    words: list[str] = []
    for title, side in (("ours", ours), (name, theirs)):
        per_s, p99_ms = statistics.median(f.per_s for f in side), statistics.median(f.p99_ms for f in side)
        words.append(f"{title} {per_s:7,.0f}/s p99 {p99_ms:6.1f} ms")
    spread = f"({ratios[0]:.0%}..{ratios[-1]:.0%})"
    print(f"accept c=64    {'   '.join(words)}   ratio {statistics.median(ratios):4.0%} {spread}", flush=True)


def accept_beside(postgres: Postgres, full: Texting, empty: Texting, *, seconds: float, rounds: int) -> None:
    """Ours beside millions of stored texts against ours beside none."""
    with serving(full, 8633) as big, serving(empty, 8634) as small:
        sides = (big, sending(full)), (small, sending(empty))
        for count in (64, 1):
            pairs = turns(postgres, *sides, connections=count, seconds=seconds, rounds=rounds)
            report(f"stored c={count}", ("full", "empty"), pairs)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What is to be measured, and how long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("accept", "deliver", "soak"))
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stored", type=int, default=0, help="texts that are stored already")
    parser.add_argument("--texts", type=int, default=20_000, help="to deliver, or to find the peak by")
    parser.add_argument("--jasmin", type=Path, help="a virtual environment for Jasmin; made where there is none")
    parser.add_argument("--numbers", type=int, default=1_000)
    parser.add_argument("--consents", type=int, default=100_000)
    parser.add_argument("--connections", type=int, nargs="*", default=CONNECTIONS)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Fill, measure, print."""
    options = arguments(words)
    with tempfile.TemporaryDirectory() as directory:
        if options.what == "accept":
            own_core(1)
        with Postgres(Path(directory)) as postgres:
            match options.what:
                case "accept":
                    run_accept(postgres, options)
                case "deliver":
                    deliver(postgres, texts=options.texts, rounds=options.rounds, jasmin_venv=options.jasmin)
                case _:
                    soak(postgres, seconds=options.seconds, texts=options.texts)


def run_accept(postgres: Postgres, options: argparse.Namespace) -> None:
    """Ours against the ceiling, beside Kannel, and full against empty; this process is kept to core 1."""
    sizes = {"numbers": options.numbers, "consents": options.consents}
    empty = texting(postgres, "bench_empty", **sizes)
    pace = {"seconds": options.seconds, "rounds": options.rounds}
    accept(postgres, empty, connections=tuple(options.connections), **pace)
    accept_beside_kannel(postgres, empty, **pace)
    if options.stored:
        full = texting(postgres, "bench_full", stored=options.stored, **sizes)
        accept_beside(postgres, full, empty, **pace)


if __name__ == "__main__":
    main()
