"""A question about 30 days over ten million texts: what it takes, whole, over HTTP.

python -m bench.metrics [--texts 10000000]

The texts lie as events, one for each, spread evenly over 30 days and two channels; the sums are made from them by the
code that mends sums (`counting.rebuild`). Then one process answers, and every question is asked many times.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import asyncpg

from agentmessage.kernel.db import open_cell
from agentmessage.rollups import aggregator
from bench.fixture import KEY, Filled, Postgres, Server, ours

MOST_MS = 50.0
"""What the issue asks."""

EVENTS_KEPT = 90
TIMES = 400
QUESTIONS = {
    "30 days": "/v1/metrics/messages?metric=sent",
    "30 days by channel, compared": "/v1/metrics/messages?metric=sent&group_by=channel&compare_to=prior_period",
    "720 hours": "/v1/metrics/messages?metric=sent&granularity=hour&{window}",
    "720 hours by channel": "/v1/metrics/messages?metric=sent&granularity=hour&group_by=channel&limit=5000&{window}",
    "5,000 minutes of 10,000": "/v1/metrics/messages?metric=sent&granularity=minute&limit=5000&{minutes}",
    "balance of 30 days": "/v1/metrics/wallet",
}


async def _fill(filled: Filled, texts: int) -> tuple[float, float]:
    """Texts as events, then their sums; answers the seconds that each took."""
    connection = await asyncpg.connect(filled.dsn, server_settings={"search_path": "cell_00", "timezone": "UTC"})
    await connection.execute("UPDATE directory.api_keys SET scopes = scopes || 'metrics:read'::text")
    await connection.execute("UPDATE organizations SET plan = 'growth'")
    began = time.perf_counter()
    for index in ("order", "tail", "family", "content", "unknown"):  # nothing asks by these here
        await connection.execute(f"DROP INDEX events_{index}_idx")
    await connection.execute(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           SELECT lpad(to_hex(n), 32, '0')::uuid, $1, 'message.sent', 'message', $1,
                  CASE WHEN n % 20 = 0 THEN '{"channel": "mms"}'::jsonb ELSE '{"channel": "sms"}' END,
                  now() - interval '30 days' + n * (interval '30 days' / $2)
           FROM generate_series(1, $2::int) n""",
        filled.org_id,
        texts,
        timeout=3600,
    )
    await connection.execute(
        """UPDATE event_cursors SET xid = pg_current_xact_id(), id = 'ffffffff-ffff-ffff-ffff-ffffffffffff',
               as_of = now() WHERE name = 'metrics'"""
    )
    await connection.execute("VACUUM ANALYZE events")
    stored_s = time.perf_counter() - began
    began = time.perf_counter()
    db = await open_cell(filled.dsn, "cell_00", pool_size=1)
    await aggregator.rebuild(db, events_kept=aggregator.DAY * EVENTS_KEPT)
    await connection.execute("VACUUM ANALYZE metric_buckets")
    found = await connection.fetchval(
        "SELECT sum(value)::bigint FROM metric_buckets WHERE span = 'day' AND metric = 'messages.outbound.sent'"
    )
    assert found == texts, found
    await db.close()
    await connection.close()
    return stored_s, time.perf_counter() - began


def _ask(server: Server, path: str) -> tuple[list[float], int]:
    """Milliseconds of each of many questions, and how many buckets the last answer had."""
    took: list[float] = []
    body = b""
    for _ in range(TIMES):
        wanted = urllib.request.Request(
            f"http://127.0.0.1:{server.port}{path}", headers={"Authorization": f"Bearer {KEY}"}
        )
        began = time.perf_counter()
        with urllib.request.urlopen(wanted, timeout=30) as answer:  # noqa: S310 - loopback
            body = answer.read()
        took.append((time.perf_counter() - began) * 1000)
    data = json.loads(body)["data"]
    series = [data["buckets"]] if data["groups"] is None else [group["buckets"] for group in data["groups"]]
    return took, sum(map(len, series))


def _windows() -> dict[str, str]:
    """The last 30 days in hours, and the last 10,000 minutes."""
    now = int(time.time())
    form = "%Y-%m-%dT%H:00:00Z"

    def window(seconds: int) -> str:
        end = now // 3600 * 3600
        return f"from={time.strftime(form, time.gmtime(end - seconds))}&to={time.strftime(form, time.gmtime(end))}"

    return {"window": window(720 * 3600), "minutes": window(166 * 3600)}


def measure(filled: Filled, texts: int) -> None:
    """Fill, ask, print the percentiles of every question."""
    stored_s, summed_s = asyncio.run(_fill(filled, texts))
    print(f"metrics   {texts:,} texts stored in {stored_s:.0f} s, counted anew in {summed_s:.1f} s")
    with ours(filled, 8613) as server:
        for title, path in QUESTIONS.items():
            took, buckets = _ask(server, path.format(**_windows()))
            took.sort()
            p50, p99 = statistics.median(took), took[int(len(took) * 0.99)]
            verdict = "ok" if p99 < MOST_MS else f"OVER {MOST_MS:.0f} ms"
            print(f"metrics   {title:<30} {buckets:>6,} buckets   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   {verdict}")


def run(*, texts: int = 10_000_000) -> None:
    """Fill, measure, print."""
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres:
        measure(postgres.filled("bench_metrics", numbers=1, take=1), texts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000_000)
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    run(texts=parser.parse_args().texts)
