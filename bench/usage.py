"""The export of usage: a million rows as lines, against the same rows in pages, and what the server grows by.

python -m bench.usage [--rows 1000000]
"""

import argparse
import asyncio
import http.client
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import asyncpg

from bench.fixture import KEY, Filled, Postgres, Server, ours

WANTED_PER_S = 100_000
MOST_GROWTH_MB = 20
PORT = 8612


class Peak:
    """The most memory that a process held of its own while this was open, in MB, above what it held before."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self.grown_mb = 0.0

    def __enter__(self) -> Self:
        self._before_mb = self._held_mb()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.02):
            self.grown_mb = max(self.grown_mb, self._held_mb() - self._before_mb)

    def _held_mb(self) -> float:
        for line in Path(f"/proc/{self._pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise SystemExit("the server is gone")


async def fill_usage(dsn: str, org_id: object, rows: int) -> None:
    """Texts of the last year, as the platform writes them."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "cell_00"})
    await connection.execute(
        """INSERT INTO usage_rows (id, org_id, ts, kind, quantity, unit_cost_microcents, total_microcents, ref_kind,
               ref_id, metadata)
           SELECT id, $1, now() - n * interval '31 seconds', 'outbound_sms', 1 + n % 3, 1000000, (1 + n % 3) * 1000000,
                  'message', id, jsonb_build_object('resource_id', id)
           FROM (SELECT gen_random_uuid() AS id, n FROM generate_series($2::int, 1, -1) n) r""",
        org_id,
        rows,
        timeout=600,
    )
    await connection.execute("UPDATE directory.api_keys SET scopes = scopes || '{billing:read}'")
    await connection.execute("VACUUM ANALYZE usage_rows")
    await connection.execute("CHECKPOINT")
    await connection.close()


def export(server: Server) -> tuple[int, float]:
    """Rows of one whole export, and the seconds it took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    began = time.perf_counter()
    connection.request(
        "GET",
        "/v1/billing/usage?from=2000-01-01T00:00:00Z",
        headers={"Authorization": f"Bearer {KEY}", "Accept": "application/x-ndjson"},
    )
    answer = connection.getresponse()
    rows = 0
    while part := answer.read(1 << 20):
        rows += part.count(b"\n")
    took = time.perf_counter() - began
    connection.close()
    return rows, took


def compare(filled: Filled, rows: int) -> None:
    """Print rows a second, and the growth of the server's memory."""
    with ours(filled, PORT) as server:
        paces: list[float] = []
        with Peak(server.pid) as peak:
            for _ in range(3):
                came, took = export(server)
                if came != rows:
                    raise SystemExit(f"{came:,} of {rows:,} rows came")
                paces.append(came / took)
        print(
            f"usage export      {rows:,} rows as NDJSON   {statistics.median(paces):,.0f} rows/s "
            f"(wanted {WANTED_PER_S:,})   server grew {peak.grown_mb:.1f} MB (at most {MOST_GROWTH_MB})"
        )


def run(*, rows: int = 1_000_000) -> None:
    """Fill, measure, print."""
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres:
        filled = postgres.filled("bench_usage", numbers=1, take=1)
        asyncio.new_event_loop().run_until_complete(fill_usage(filled.dsn, filled.org_id, rows))
        compare(filled, rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    run(rows=parser.parse_args().rows)
