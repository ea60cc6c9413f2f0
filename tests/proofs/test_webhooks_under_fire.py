"""Two hundred receivers, eighty of them sick in four ways, and workers that are killed: the others notice nothing.

In CI some hundreds of facts; `make soak-webhooks` has 20,000 of them happen. Prints what it counted.
"""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from agentmessage.embedded.ports import free_port
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.notifications import Ringer
from agentmessage.settings import Settings
from agentmessage.webhooks.attempt_result import JITTER
from agentmessage.webhooks.model import RETRY_AFTER_S
from tests.conftest import ENCRYPTION_KEY
from tests.make.accounts import open_account
from tests.proofs.running import clean_environment, until
from tests.webhooks.receiving import endpoint

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("up")]

EVENTS = int(os.environ.get("EVENTS", "300"))
PER_S = float(os.environ.get("EVENTS_PER_S", "40"))
KILL_AFTER_S = 2.0
ORGANIZATIONS = 20
WORKERS = 3
BEHAVIORS = ("hang", "refuse", "fail", "drip", *["ok"] * 6)
"""Of each organization's ten receivers."""

MOST_DELAY_S = 2.0
MOST_DUPLICATES = 0.01
ENOUGH = 5_000
MOST_A_KILL = 60
"""Deliveries made again after a kill, where there are too few in all for a share of them to mean anything."""

MOST_LATE_S = 3.0


class Sinks:
    """All receivers that listen, at one port; told apart by the path, `/<behavior>/<endpoint>`."""

    def __init__(self) -> None:
        self.port = 0
        self.arrivals: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.connections: set[asyncio.Transport] = set()

    def url(self, behavior: str, endpoint_id: int, *, closed_port: int) -> str:
        port = closed_port if behavior == "refuse" else self.port
        return f"http://127.0.0.1:{port}/{behavior}/{endpoint_id}"


class Sink(asyncio.Protocol):
    """One connection to a receiver."""

    def __init__(self, sinks: Sinks) -> None:
        self._sinks = sinks
        self._buffer = b""
        self._dripping: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sinks.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._sinks.connections.discard(self._transport)
        if self._dripping is not None:
            self._dripping.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            _, behavior, endpoint_id = head.split(" ")[1].split("/")
            self._sinks.arrivals[endpoint_id, body[11:47].decode()].append(time.monotonic())
            self._answer(behavior)

    def _answer(self, behavior: str) -> None:
        if behavior == "ok":
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        elif behavior == "fail":
            self._transport.write(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")
        elif behavior == "drip":
            self._dripping = asyncio.get_running_loop().create_task(self._drip())

    async def _drip(self) -> None:
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"." * 1_000:
            self._transport.write(bytes([byte]))
            await asyncio.sleep(1)


class AttemptResult(Struct):
    """Who should have heard what: facts of each organization with the moment of their commit, and its receivers."""

    receivers: dict[UUID, list[tuple[str, UUID, int]]]
    facts: dict[UUID, dict[str, float]]


@asynccontextmanager
async def sinks() -> AsyncIterator[Sinks]:
    one = Sinks()
    server = await asyncio.get_running_loop().create_server(lambda: Sink(one), "127.0.0.1", 0, backlog=1024)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for transport in list(one.connections):
            transport.abort()
        await server.wait_closed()


class Workers:
    """Worker processes, one of which is killed and started anew now and then."""

    def __init__(self, dsn: str, root: Path) -> None:
        self._environment = clean_environment(
            DATABASE_URL=dsn,
            AGENTMESSAGE_ENCRYPTION_KEY=ENCRYPTION_KEY,
            AGENTMESSAGE_WEBHOOK_ALLOW_PRIVATE="true",
            AGENTMESSAGE_SIMULATOR_SMPP_PORT=str(free_port("127.0.0.1", None)),  # nobody's: no text is sent here
        )
        self._root = root
        self._processes: list[subprocess.Popen[bytes]] = []
        self.kills = 0

    def start(self) -> None:
        with (self._root / f"worker-{self.kills}-{len(self._processes)}").open("w") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "agentmessage", "work"], env=self._environment, stdout=log, stderr=log
                )
            )

    async def kill_one_after_another(self, db: CellDb) -> None:
        """One is killed a moment after all are up; two are there all the time."""
        rng = random.Random(4)
        while True:
            await until(lambda: are_up(db), what="workers")
            await asyncio.sleep(KILL_AFTER_S)
            victim = self._processes.pop(rng.randrange(len(self._processes)))
            victim.send_signal(signal.SIGKILL)
            await asyncio.to_thread(victim.wait)
            self.kills += 1
            self.start()

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


async def open_receivers(cells: Cells, db: CellDb, settings: Settings, sinks: Sinks, closed_port: int) -> AttemptResult:
    result = AttemptResult({}, {})
    count = 0
    for number in range(ORGANIZATIONS):
        account = await open_account(cells, name=f"Org {number}")
        result.receivers[account.org_id] = []
        result.facts[account.org_id] = {}
        for behavior in BEHAVIORS:
            url = sinks.url(behavior, count, closed_port=closed_port)
            endpoint_id = await endpoint(db, settings, account.org_id, url)
            result.receivers[account.org_id].append((behavior, endpoint_id, count))
            count += 1
    return result


async def let_happen(cells: Cells, db: CellDb, result: AttemptResult) -> None:
    """Facts of all organizations in turn, at a steady pace, each committed by itself."""
    ringer = Ringer(cells)
    organizations = list(result.facts)
    started = time.monotonic()
    for n in range(EVENTS):
        await asyncio.sleep(max(0.0, started + n / PER_S - time.monotonic()))
        org_id = organizations[n % len(organizations)]
        async with db.transaction() as tx:
            event_id = await outbox_events.emit(
                tx, org_id, EventType.ORGANIZATION_UPDATED, new_id(), {"n": n, "pad": "x" * 600}
            )
        result.facts[org_id][str(event_id)] = time.monotonic()
        ringer.ring(db.name, "events")
    await ringer.close()


def delays_of_healthy(result: AttemptResult, sinks: Sinks) -> tuple[list[float], int, int]:
    """Seconds from commit to first arrival; how many never arrived; how many arrived again."""
    delays: list[float] = []
    missing = again = 0
    for org_id, happened in result.facts.items():
        for behavior, _, number in result.receivers[org_id]:
            if behavior == "ok":
                for event_id, at in happened.items():
                    arrivals = sinks.arrivals.get((str(number), event_id), [])
                    delays += [arrivals[0] - at] if arrivals else []
                    missing += not arrivals
                    again += max(0, len(arrivals) - 1)
    return sorted(delays), missing, again


async def require_schedule(db: CellDb) -> Counter[str]:
    """No attempt before its time, nor long after it where a receiver fails at once; answers attempts by outcome."""
    rows: list[tuple[Any, ...]] = await db.all(
        lambda *columns: columns,
        """SELECT attempt, url, outcome, extract(epoch FROM occurred_at - lag(occurred_at) OVER w)::float8,
                  response_time_ms / 1000.0::float8
           FROM webhook_attempts WHERE org_id IS NOT NULL
           WINDOW w AS (PARTITION BY queue_id, event_id ORDER BY attempt, occurred_at)""",
    )
    late: list[float] = []
    for attempt, url, _, gap_s, time_s in rows:
        if attempt > 1 and gap_s is not None:
            nominal_s = RETRY_AFTER_S[attempt - 2]
            assert gap_s >= nominal_s * (1 - JITTER), (attempt, url, gap_s)
            if "/fail/" in url or "/refuse/" in url:
                late.append(gap_s - time_s - nominal_s * (1 + JITTER))
    late.sort()
    show(
        f"retries where failing is quick: half at most {late[len(late) // 2]:.1f} s after their time, of {len(late):,}"
    )
    assert late[len(late) // 2] < MOST_LATE_S
    return Counter(row[2] for row in rows)


async def require_silence(db: CellDb, result: AttemptResult) -> None:
    """After five days of failures the sick are told nothing more, and the others are."""
    failing = [one for all_of in result.receivers.values() for behavior, one, _ in all_of if behavior != "ok"]
    healthy = [one for all_of in result.receivers.values() for behavior, one, _ in all_of if behavior == "ok"]

    async def are_off() -> bool:
        """Five days pass for whoever has failed, and its next attempt comes at once."""
        await asyncio.sleep(1)
        await db.run(
            """UPDATE webhook_queues SET failing_since = now() - interval '6 days'
               WHERE failing_since > now() - interval '5 days' AND id = ANY ($1)""",
            failing,
        )
        await db.run(
            """UPDATE webhook_deliveries SET due_at = now() WHERE (queue_id, due_at, id) IN (
                   SELECT DISTINCT ON (queue_id) queue_id, due_at, id FROM webhook_deliveries
                   WHERE queue_id = ANY ($1) AND due_at > now() ORDER BY queue_id, due_at, id)""",
            failing,
        )
        await db.run("UPDATE webhook_queues SET due_at = now() WHERE id = ANY ($1) AND holder IS NULL", failing)
        return await db.value("SELECT count(*) FROM webhook_endpoints WHERE active AND id = ANY ($1)", failing) == 0

    await until(are_off, seconds=90, what="the end of the sick")
    assert await db.value("SELECT count(*) FROM webhook_endpoints WHERE active AND id = ANY ($1)", healthy) == len(
        healthy
    )
    assert await db.value("SELECT count(*) FROM events WHERE type = 'webhook_endpoint.disabled'") == len(failing)


async def test_the_healthy_notice_nothing_of_the_sick_nor_of_the_dead(
    dsn: str, cells: Cells, db: CellDb, settings: Settings, tmp_path: Path
) -> None:
    workers = Workers(dsn, tmp_path)
    async with sinks() as heard, asyncio.timeout(1800):
        refused = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
        closed_port = refused.sockets[0].getsockname()[1]
        refused.close()
        result = await open_receivers(cells, db, settings, heard, closed_port)
        for _ in range(WORKERS):
            workers.start()
        killing = None
        try:
            await until(lambda: are_up(db), what="workers")
            killing = asyncio.create_task(workers.kill_one_after_another(db))
            await let_happen(cells, db, result)
            wanted = EVENTS * BEHAVIORS.count("ok")
            await until(lambda: _all_heard(result, heard), seconds=60, what="every delivery to the healthy")
            killing.cancel()
            delays, missing, again = delays_of_healthy(result, heard)
            p50, p99 = [delays[int(len(delays) * share)] for share in (0.5, 0.99)]
            show(
                f"{EVENTS:,} facts, {workers.kills} kills: {wanted:,} deliveries to the healthy, {missing} missing, "
                f"{again} again ({again / wanted:.2%}); p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, "
                f"most {delays[-1]:.2f} s"
            )
            show(f"attempts: {dict(await require_schedule(db))}")
            await require_silence(db, result)
        finally:
            if killing is not None:
                killing.cancel()
            await asyncio.to_thread(workers.stop)
    assert missing == 0
    assert p99 < MOST_DELAY_S
    assert again <= max(MOST_DUPLICATES * wanted, 0 if EVENTS >= ENOUGH else MOST_A_KILL * workers.kills)


def show(words: str) -> None:
    """What the proof is for."""
    print(words, flush=True)  # noqa: T201


async def are_up(db: CellDb) -> bool:
    return await db.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") >= WORKERS


async def _all_heard(result: AttemptResult, heard: Sinks) -> bool:
    return delays_of_healthy(result, heard)[1] == 0
