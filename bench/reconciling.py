"""The reconciler against the simulator: 10,000 attaches without delays or limits, and a sweep of 100,000 numbers.

    python -m bench.reconciling [--attaches 10000] [--swept 100000]

Everything is real: a durable Postgres, the simulator in its own process on a socket, the worker in its own process.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

import asyncpg

from bench.fixture import ENCRYPTION_KEY, Filled, Postgres, Server

SIMULATOR_PORT = 8621
API_PORT = 8622
BATCH = 500


def control(path: str, body: object | None = None) -> Any:
    """A word with the simulator."""
    raw = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{SIMULATOR_PORT}/_control/{path}", data=raw, timeout=60) as answer:
        return json.load(answer)


def simulator(directory: str) -> Server:
    """The simulated carrier, instant and without limits."""
    command = [sys.executable, "-m", "agentmessage", "simulate", "--profile", "instant"]
    command += ["--port", str(SIMULATOR_PORT), "--data-dir", directory]
    return Server(command, SIMULATOR_PORT, {}, path="/_control/health", core=None)


def environment(filled: Filled) -> dict[str, str]:
    """What API and worker are told."""
    return {
        "DATABASE_URL": filled.dsn,
        "AGENTMESSAGE_PORT": str(API_PORT),
        "AGENTMESSAGE_SIMULATOR_URL": f"http://127.0.0.1:{SIMULATOR_PORT}",
        "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY,
        "AGENTMESSAGE_LOG_LEVEL": "error",
        "AGENTMESSAGE_RECONCILE_BATCH_SIZE": str(BATCH),
    }


class Worker:
    """A worker process, and its memory."""

    def __init__(self, filled: Filled) -> None:
        self._environment = {**os.environ, **environment(filled)}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "agentmessage", "work"], env=self._environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def resident_mib(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def _value(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "cell_00"})
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def value(filled: Filled, sql: str) -> Any:
    """One figure from the database."""
    return asyncio.run(_value(filled.dsn, sql))


def attaches(postgres: Postgres, count: int) -> None:
    """Wish for everything at once, start the worker, wait until every number is propagated."""
    filled = postgres.filled("bench_attach", numbers=count, attached=True, take=1)
    with tempfile.TemporaryDirectory() as directory, simulator(directory):
        control("campaigns/CBENCH1", {"status": "ACTIVE", "create": True, "number_pool": True})
        control("numbers", {"first": "+12000000001", "count": count})
        before = requests()
        with api(filled), Worker(filled):
            seconds = wait_for_all(filled)
        calls = {name: made - before.get(name, 0) for name, made in requests().items() if name.startswith("lines.")}
        orders = calls.get("lines.submit", 0)
        allowed = count / BATCH * 1.10
        on_campaign = sum(1 for binding in control("oracle")["bindings"].values() if binding["campaign"] == "CBENCH1")
        assert on_campaign == count, f"{on_campaign} of {count} are really bound"
        print(
            f"reconcile {count:,} attaches   {count / seconds:,.0f} numbers/s to propagated ({seconds:.2f} s)\n"
            f"    orders {orders} (numbers / batch + 10 % = {allowed:.0f}), all calls about lines: {calls}"
        )


def requests() -> dict[str, int]:
    """Calls that the simulator has answered, by operation."""
    answered: dict[str, int] = control("oracle?account=9900002")["requests"]
    return answered


def api(filled: Filled) -> Server:
    """The API, which takes the carrier's callbacks."""
    return Server([sys.executable, "-m", "agentmessage", "serve"], API_PORT, environment(filled), core=None)


def wait_for_all(filled: Filled) -> float:
    """Seconds from the worker's first order to the last number that is shown as propagated."""
    deadline = time.monotonic() + 300
    left = "SELECT count(*) FROM phone_numbers WHERE line_option_status IS DISTINCT FROM 'propagated'"
    while value(filled, left):
        if time.monotonic() > deadline:
            raise SystemExit(f"{value(filled, left)} numbers are still not propagated")
        time.sleep(0.1)
    began_and_ended = """SELECT extract(epoch FROM (SELECT max(line_option_propagated_at) FROM phone_numbers)
                                - (SELECT min(created_at) FROM carrier_orders))::float8"""
    seconds: float = value(filled, began_and_ended)
    return seconds


def sweep(postgres: Postgres, count: int) -> None:
    """One drift sweep of so many numbers, and what it does to the worker's memory."""
    filled = postgres.filled("bench_sweep", numbers=count, take=1)
    with tempfile.TemporaryDirectory() as directory, simulator(directory):
        control("numbers", {"first": "+12000000001", "count": count})
        value(filled, "UPDATE directory.drift_sweeps SET due_at = 'infinity'")
        with Worker(filled) as worker:
            time.sleep(3)
            before = worker.resident_mib()
            value(filled, "UPDATE directory.drift_sweeps SET due_at = now() WHERE account = 'live'")
            result, peak = watch(filled, worker)
    assert result["seen"] == count, result
    print(
        f"drift sweep of {count:,} numbers   {result['seconds']:.1f} s   worker grew by {peak - before:.0f} MiB"
        f" (from {before:.0f})   found {result['differing']} differing, as planted: 0"
    )


def watch(filled: Filled, worker: Worker) -> tuple[dict[str, Any], float]:
    """The sweep's result and the worker's greatest memory while it ran."""
    deadline = time.monotonic() + 120
    peak = 0.0
    while time.monotonic() < deadline:
        peak = max(peak, worker.resident_mib())
        result = value(filled, "SELECT result::text FROM directory.drift_sweeps WHERE account = 'live'")
        if result:
            return json.loads(result), peak
        time.sleep(0.1)
    raise SystemExit("the sweep did not end")


def run(*, count: int = 10_000, swept: int = 100_000) -> None:
    """Both measurements."""
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres:
        attaches(postgres, count)
        sweep(postgres, swept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attaches", type=int, default=10_000)
    parser.add_argument("--swept", type=int, default=100_000)
    options = parser.parse_args()
    run(count=options.attaches, swept=options.swept)
