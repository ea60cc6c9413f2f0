"""Webhooks: how many a worker tells, and how soon.

    python -m bench.webhooks [beside told soon] [--events 20000] [--rounds 3]

Told: one healthy receiver, 200 requests in flight, one worker, everything in the books; against a bare aiohttp loop
that signs and posts the same bodies and remembers nothing. Both in turn, worker and loop on core 0, Postgres and the
receiver on core 1. Soon: from just before an event's transaction begins to the first byte at the receiver, at rest,
all processes on any core.
Beside: `POST /v1/messages` while a worker tells as much as it can, all processes on any core, against the rate alone
times the share of the processors that webhooks (worker, receiver and their part of Postgres) leave to it.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from agentmessage.kernel.db import Cells
from agentmessage.kernel.encryption import parse_keys
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.notifications import Ringer
from bench.cpu import spent_s
from bench.fixture import ENCRYPTION_KEY, Filled, Postgres
from bench.load import measure
from bench.text_fixture import sending, serving, texting

SECRET = b"s" * 32
IN_FLIGHT = 200
PARTS = ("beside", "told", "soon")
PORT = 8641
API_PORT = 8642
EVENT = "message.delivered"
ROOT = Path(__file__).parent.parent


def message(n: int) -> dict[str, Any]:
    """A text as its event shows it."""
    return {
        "id": str(new_id()),
        "from": "+14155550100",
        "to": f"+1212555{n % 10_000:04}",
        "text": "Acme Dental: your appointment is on Monday at 9. Reply C to confirm, STOP to opt out.",
        "appended_text": None,
        "channel": "sms",
        "media": [],
        "priority": "normal",
        "status": "delivered",
        "error": None,
        "tag": None,
        "metadata": {"n": n},
        "phone_number_id": str(new_id()),
        "campaign_id": str(new_id()),
        "kind": "campaign",
        "segment_count": 1,
        "encoding": "GSM-7",
        "smart_encoding": False,
        "cost_cents": 1,
        "carrier_message_id": "bench-1",
        "bandwidth_message_id": "bench-1",
        "scheduled_at": None,
        "expires_at": "2026-11-24T18:00:00Z",
        "created_at": "2026-11-23T18:00:00Z",
        "sent_at": "2026-11-23T18:00:01Z",
        "delivered_at": "2026-11-23T18:00:02Z",
        "redacted_at": None,
    }


@contextmanager
def process(*words: str, core: int | None = None, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """One Python process, on one core or (None) on any that this one may use, ended with its block."""
    pin = ["taskset", "-c", str(core)] if core is not None and (os.cpu_count() or 1) > 1 else []
    child = subprocess.Popen([*pin, sys.executable, *words], env={**os.environ, **settings}, cwd=ROOT)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)


@contextmanager
def sink() -> Iterator[tuple[str, int]]:
    """The receiver's address and process."""
    with process("-m", "bench.webhook_sink", str(PORT)) as child:
        url = f"http://127.0.0.1:{PORT}"
        for _ in range(100):
            try:
                ask(url, "/forget")
                break
            except OSError:
                time.sleep(0.05)
        yield url, child.pid


def ask(url: str, path: str) -> bytes:
    """A word with the receiver."""
    with urllib.request.urlopen(url + path, timeout=30) as answer:  # noqa: S310 - our own
        return answer.read()


def worker(filled: Filled) -> Any:
    """One worker process."""
    return process(
        "-m",
        "agentmessage",
        "work",
        core=0,
        DATABASE_URL=filled.dsn,
        AGENTMESSAGE_ENCRYPTION_KEY=ENCRYPTION_KEY,
        AGENTMESSAGE_WEBHOOK_ALLOW_PRIVATE="true",
        AGENTMESSAGE_LOG_LEVEL="error",
    )


@contextmanager
def telling(filled: Filled) -> Iterator[subprocess.Popen[bytes]]:
    """A worker's webhooks and nothing else of it."""
    with process(
        "-m",
        "bench.webhook_worker",
        DATABASE_URL=filled.dsn,
        AGENTMESSAGE_ENCRYPTION_KEY=ENCRYPTION_KEY,
        AGENTMESSAGE_WEBHOOK_ALLOW_PRIVATE="true",
    ) as child:
        yield child


async def _prepare(filled: Filled, url: str) -> None:
    connection = await asyncpg.connect(filled.dsn, server_settings={"search_path": "cell_00"})
    await connection.execute("DELETE FROM webhook_endpoints")
    await connection.execute(
        """INSERT INTO webhook_endpoints (id, org_id, url, events, active, api_version, encrypted_secret, created_at,
               updated_at) VALUES ($1, $2, $3, $4, true, '2026-04-01', $5, now() - interval '1 hour', now())""",
        new_id(),
        filled.org_id,
        f"{url}/hook",
        [EVENT, "organization.updated"],
        parse_keys(ENCRYPTION_KEY).encrypt(SECRET),
    )
    await connection.execute("UPDATE directory.drift_sweeps SET due_at = 'infinity'")
    await connection.close()


async def _insert(filled: Filled, count: int) -> list[bytes]:
    """Write so many facts at once; answers the bodies that are told of them."""
    connection = await asyncpg.connect(filled.dsn, server_settings={"search_path": "cell_00"})
    texts = [json.dumps(message(n), separators=(", ", ": ")) for n in range(count)]
    rows = await connection.fetch(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           SELECT uuidv7(), $1, $2, 'message', gen_random_uuid(), u::jsonb, now() FROM unnest($3::text[]) u
           RETURNING id, data::text""",
        filled.org_id,
        EVENT,
        texts,
        timeout=600,
    )
    await connection.execute("VACUUM ANALYZE events")
    await connection.execute("CHECKPOINT")
    await connection.close()
    return [
        b'{"id":"evt_%b","type":"%b","api_version":"2026-04-01","created_at":"2026-11-23T18:00:02.000000Z",'
        b'"org_id":"%b","data":%b}'
        % (str(row[0]).encode(), EVENT.encode(), str(filled.org_id).encode(), row[1].encode())
        for row in rows
    ]


async def _recorded(filled: Filled) -> int:
    connection = await asyncpg.connect(filled.dsn, server_settings={"search_path": "cell_00"})
    try:
        return await connection.fetchval("SELECT count(*) FROM webhook_attempts WHERE outcome = 'success'")
    finally:
        await connection.close()


def heard(url: str) -> Mapping[str, Any]:
    """What the receiver heard."""
    return json.loads(ask(url, "/heard"))


def result(postgres: Postgres, filled: Filled, url: str, *, events: int) -> tuple[float, float]:
    """Deliveries per second: ours with everything in the books, and the bare loop's of the same bodies."""
    bodies = asyncio.run(_insert(filled, events))
    before = asyncio.run(_recorded(filled))
    ask(url, "/forget")
    with worker(filled) as working:
        cpu = (0.0, 0.0)
        while (now := asyncio.run(_recorded(filled))) < before + events:
            if not cpu[0] and now > before:
                cpu, at = (spent_s(working.pid), spent_s(postgres.pid)), now
            time.sleep(0.1)
        ended_at = time.monotonic()
        used = [
            (b - a) / (before + events - at) * 1e6
            for a, b in zip(cpu, (spent_s(working.pid), spent_s(postgres.pid)), strict=True)
        ]
    said = heard(url)
    ours = events / (ended_at - said["first_at"])
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(bodies))
        file.flush()
        pin = ["taskset", "-c", "0"] if (os.cpu_count() or 1) > 1 else []
        command = [*pin, sys.executable, "-m", "bench.webhook_loop", f"{url}/hook", file.name, str(IN_FLIGHT)]
        bare, bare_us = map(float, subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout.split())
    print(
        f"told           ours {ours:7,.0f}/s   bare loop {bare:7,.0f}/s   ratio {ours / bare:4.0%}"
        f"   processor: worker {used[0]:4.0f}, Postgres {used[1]:4.0f}, bare loop {bare_us:4.0f} us each"
        f"   heard {said['count']:,} of {events:,}",
        flush=True,
    )
    return ours, bare


async def _happen(filled: Filled, count: int) -> Mapping[UUID, float]:
    """So many facts, a moment apart; when the transaction of each began."""
    cells = Cells(filled.dsn)
    ringer = Ringer(cells)
    db = await cells.cell("cell_00")
    chance = random.Random(7)
    begun: dict[UUID, float] = {}
    for n in range(count):
        await asyncio.sleep(0.03 + chance.random() * 0.04)
        at = time.monotonic()
        async with db.transaction() as tx:
            event_id = await outbox_events.emit(tx, filled.org_id, EventType.MESSAGE_DELIVERED, new_id(), message(n))
        ringer.ring(db.name, "events")
        begun[event_id] = at
    await asyncio.sleep(1.5)
    await ringer.close()
    await cells.close()
    return begun


def soon(filled: Filled, url: str, *, events: int = 400) -> tuple[float, float]:
    """Milliseconds from an event to the first byte at the receiver, in the middle and at the worst hundredth."""
    with worker(filled):
        time.sleep(4)
        ask(url, "/forget")
        begun = asyncio.run(_happen(filled, events))
        arrived = heard(url)["events"]
    delays = sorted((arrived[str(event_id)] - at) * 1e3 for event_id, at in begun.items() if str(event_id) in arrived)
    assert len(delays) == events, f"{len(delays)} of {events} were heard"
    p50, p99 = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    print(f"soon           event to first byte, at rest: p50 {p50:.1f} ms   p99 {p99:.1f} ms   most {delays[-1]:.1f}")
    return p50, p99


def beside(postgres: Postgres, url: str, receiver: int, *, backlog: int, seconds: float, rounds: int) -> float:
    """What of the rate of `POST /v1/messages` is left beside webhooks at full load, processor time aside."""
    made = texting(postgres, "beside", numbers=200, consents=20_000)
    asyncio.run(_prepare(made.filled, url))
    requests = sending(made)
    cores = len(os.sched_getaffinity(0))
    left: list[float] = []
    with serving(made, API_PORT, core=None) as api:
        measure(api.port, requests, connections=64, seconds=2.0)
        for _ in range(rounds):
            at = spent_s(postgres.pid)
            alone = measure(api.port, requests, connections=64, seconds=seconds)
            postgres_s = (spent_s(postgres.pid) - at) / alone.per_s / seconds
            asyncio.run(_insert(made.filled, backlog))
            with telling(made.filled) as worker:
                time.sleep(3)
                pids = (worker.pid, receiver, postgres.pid)
                before, told_before = spent_s(*pids), asyncio.run(_recorded(made.filled))
                both = measure(api.port, requests, connections=64, seconds=seconds)
                told_each_s = (asyncio.run(_recorded(made.filled)) - told_before) / seconds
                taken = (spent_s(*pids) - before) / seconds - postgres_s * both.per_s
            asyncio.run(_drop(made.filled))
            fair = alone.per_s * (cores - taken) / cores
            left.append(both.per_s / fair)
            print(
                f"beside         texts alone {alone.per_s:6,.0f}/s   beside {told_each_s:5,.0f} webhooks/s "
                f"(which take {taken:.2f} of {cores} cores) {both.per_s:6,.0f}/s   "
                f"of what that leaves ({fair:,.0f}/s) {left[-1]:.0%}",
                flush=True,
            )
    print(f"beside         left {statistics.median(left):.0%}", flush=True)
    return statistics.median(left)


async def _drop(filled: Filled) -> None:
    connection = await asyncpg.connect(filled.dsn, server_settings={"search_path": "cell_00"})
    await connection.execute(
        "UPDATE event_cursors SET xid = pg_current_xact_id() WHERE name = 'webhooks'; TRUNCATE webhook_deliveries"
    )
    await connection.close()


def run(parts: Collection[str], *, events: int, rounds: int, seconds: float) -> None:
    """Measure what is asked for."""
    if "beside" in parts:
        with _house() as (postgres, url, receiver):
            beside(postgres, url, receiver, backlog=round(seconds * 4_000) + 20_000, seconds=seconds, rounds=rounds)
    if "told" in parts:
        with _house(core=1) as (postgres, url, _):
            filled = _filled(postgres, url)
            pairs = [result(postgres, filled, url, events=events) for _ in range(rounds)]
            print(f"told           ratio {statistics.median(a / b for a, b in pairs):4.0%}", flush=True)
    if "soon" in parts:
        with _house() as (postgres, url, _):
            soon(_filled(postgres, url), url)


@contextmanager
def _house(*, core: int | None = None) -> Iterator[tuple[Postgres, str, int]]:
    """A fresh Postgres and a receiver, its URL and process; all on one core, if there are several."""
    every_core = set(range(os.cpu_count() or 1))
    os.sched_setaffinity(0, {core} if core in every_core else every_core)
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres, sink() as (url, receiver):
        yield postgres, url, receiver
    os.sched_setaffinity(0, every_core)


def _filled(postgres: Postgres, url: str) -> Filled:
    filled = postgres.filled("webhooks", numbers=10, take=1)
    asyncio.run(_prepare(filled, url))
    return filled


def main(words: Sequence[str] | None = None) -> None:
    """Measure what the words ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args(words)
    run(options.parts, events=options.events, rounds=options.rounds, seconds=options.seconds)


if __name__ == "__main__":
    main()
