"""The list of numbers: its first page against page 1,000 of a million rows.

python -m bench.lists [--numbers 1000000]
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.fixture import KEY, Filled, Postgres, Server, ours

PAGE = 20
DEEP_PAGE = 1000
MOST_OVER = 1.20
"""What the issue asks: the medians within 20 % of each other."""


def timed(server: Server, path: str, *, times: int) -> tuple[float, bytes]:
    """Median milliseconds of one GET over one connection each, and the last body."""
    took: list[float] = []
    body = b""
    for _ in range(times):
        wanted = urllib.request.Request(
            f"http://127.0.0.1:{server.port}{path}", headers={"Authorization": f"Bearer {KEY}"}
        )
        began = time.perf_counter()
        with urllib.request.urlopen(wanted, timeout=30) as answer:  # noqa: S310 - loopback
            body = answer.read()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), body


def walk(server: Server) -> str:
    """The cursor of page 1,000, by walking there in pages of the greatest size."""
    cursor = ""
    for _ in range(DEEP_PAGE * PAGE // 100):
        _, body = timed(server, f"/v1/phone-numbers?limit=100{cursor}", times=1)
        cursor = "&cursor=" + json.loads(body)["meta"]["next_cursor"]
    return cursor


def compare(filled: Filled) -> None:
    """Print both medians and their ratio."""
    with ours(filled, 8611) as server:
        deep = walk(server)
        rounds: list[tuple[float, float]] = []
        for _ in range(5):
            first, _ = timed(server, f"/v1/phone-numbers?limit={PAGE}", times=200)
            far, _ = timed(server, f"/v1/phone-numbers?limit={PAGE}{deep}", times=200)
            rounds.append((first, far))
        ratio = statistics.median(far / first for first, far in rounds)
        first, far = statistics.median(a for a, _ in rounds), statistics.median(b for _, b in rounds)
        print(
            f"list of numbers   first page p50 {first:.2f} ms   page {DEEP_PAGE:,} p50 {far:.2f} ms   ratio {ratio:.2f}"
        )


def run(*, numbers: int = 1_000_000) -> None:
    """Fill, measure, print."""
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres:
        compare(postgres.filled("bench_lists", numbers=numbers, take=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=1_000_000)
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    run(numbers=parser.parse_args().numbers)
