"""Texts all the way: accepted, handed to the simulated carrier over SMPP, told delivered by its receipt.

API, worker, simulator and Postgres are processes of their own on whatever core is free, as they are for every peer.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import asyncpg
import uvloop

from bench.cpu import resident_mib, spent_s
from bench.fixture import Postgres, Server
from bench.load import send_all
from bench.paced import paced
from bench.peers import jasmin, kannel
from bench.simulated import Simulator
from bench.text_fixture import Texting, post, serving, settings, texting

API_PORT = 8651
PATIENCE_S = 180.0
LOOK_S = 0.1
PART = 0.7
"""Of the peak: what must be sustained."""


class Worker:
    """A worker process."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = {**os.environ, **environment}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "agentmessage", "work"], env=self._environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid


class Platform:
    """API and simulator, and a worker when it is started; all stopped at the end of the block."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        self.made: Texting = texting(postgres, name)
        self.postgres = postgres
        self.worker: Worker | None = None

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        directory = self._stack.enter_context(tempfile.TemporaryDirectory())
        self.simulator = self._stack.enter_context(Simulator(Path(directory)))
        self._line = {
            "AGENTMESSAGE_SIMULATOR_URL": self.simulator.url,
            "AGENTMESSAGE_SIMULATOR_SMPP_PORT": str(self.simulator.smpp_port),
        }
        self.api: Server = self._stack.enter_context(serving(self.made, API_PORT, core=None, **self._line))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start_worker(self) -> None:
        """One worker, with the window of 100 that it has by default."""
        self.worker = self._stack.enter_context(Worker(settings(self.made, API_PORT, **self._line)))

    def requests(self, count: int, *, skip: int = 0) -> list[bytes]:
        """One POST for each of the next pairs; beyond all who agreed it begins again."""
        pairs = self.made.pairs
        return [post(*pairs[n % len(pairs)]) for n in range(skip, skip + count)]


async def _until_delivered(dsn: str, texts: int) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "cell_00"})
    deadline = time.monotonic() + PATIENCE_S
    queued = "SELECT EXISTS (SELECT FROM message_queue)"
    try:
        while await connection.fetchval(queued) and time.monotonic() < deadline:  # noqa: ASYNC110 - seen in tables only
            await asyncio.sleep(LOOK_S)  # counting is dear, so not before the end
        while (done := await connection.fetchval("SELECT count(*) FROM messages WHERE status = 'delivered'")) < texts:
            if time.monotonic() > deadline:
                states = await connection.fetch("SELECT status, count(*) FROM messages GROUP BY 1")
                raise SystemExit(f"only {done:,} of {texts:,} are delivered: {[tuple(row) for row in states]}")
            await asyncio.sleep(LOOK_S)
    finally:
        await connection.close()


async def _all_the_way(platform: Platform, requests: list[bytes], *, before: int) -> float:
    began = time.perf_counter()
    figures = await send_all(platform.api.port, requests, connections=64)
    assert set(figures.statuses) == {202}, figures.statuses
    await _until_delivered(platform.made.dsn, before + len(requests))
    return len(requests) / (time.perf_counter() - began)


async def _carried(platform: Platform, texts: int) -> float:
    """The worker alone: everything is accepted before it starts."""
    await send_all(platform.api.port, platform.requests(texts), connections=64)
    platform.start_worker()
    connection = await asyncpg.connect(platform.made.dsn, server_settings={"search_path": "cell_00"})
    begun = "SELECT EXISTS (SELECT FROM messages WHERE status <> 'queued')"
    while not await connection.fetchval(begun):  # noqa: ASYNC110 - another process's doing, seen in its tables only
        await asyncio.sleep(0.005)
    began = time.perf_counter()
    await connection.close()
    await _until_delivered(platform.made.dsn, texts)
    return texts / (time.perf_counter() - began)


def deliver(postgres: Postgres, *, texts: int, rounds: int, jasmin_venv: Path | None) -> None:
    """Ours in turn with Kannel: texts per second from the first request to the last receipt; then Jasmin."""
    ours: list[float] = []
    with Platform(postgres, "bench_deliver") as platform:
        alone = uvloop.run(_carried(platform, texts))
        print(f"deliver  ours, accepted before {texts:,} texts {alone:7,.0f}/s from the first hand-over to delivered")
        peers: list[float] = []
        for number in range(1, rounds + 1):
            before = cpu(platform)
            requests = platform.requests(texts, skip=number * texts)
            ours.append(uvloop.run(_all_the_way(platform, requests, before=number * texts)))
            each = {name: (spent - before[name]) / texts * 1e6 for name, spent in cpu(platform).items()}
            print(f"deliver  ours                  {texts:,} texts {ours[-1]:7,.0f}/s   {_words(each)}", flush=True)
            peers += _kannel(texts)
    if peers:
        ratios = sorted(a / b for a, b in zip(ours, peers, strict=True))
        print(
            f"deliver  ours {statistics.median(ours):,.0f}/s   Kannel, spool {statistics.median(peers):,.0f}/s   "
            f"ratio {statistics.median(ratios):.0%} ({ratios[0]:.0%}..{ratios[-1]:.0%})",
            flush=True,
        )
    if jasmin_venv is not None:
        _jasmin(jasmin_venv, texts, statistics.median(ours))


def _jasmin(venv: Path, texts: int, ours: float) -> None:
    """To the carrier only, for want of receipts; a quarter of the texts, since it takes so long."""
    if not jasmin.can_run(venv):
        print(jasmin.ABSENT)
        return
    with (
        tempfile.TemporaryDirectory() as directory,
        Simulator(Path(directory)) as simulator,
        jasmin.Jasmin(venv, Path(directory), simulator.smpp_port) as peer,
    ):
        per_s = jasmin.carried(peer, simulator, texts=texts // 4)
    print(
        f"deliver  Jasmin, to the carrier {texts // 4:,} texts {per_s:7,.0f}/s   ratio {ours / per_s:.1f} x", flush=True
    )


def _kannel(texts: int) -> list[float]:
    if kannel.BEARERBOX is None or kannel.SMSBOX is None:
        print(kannel.ABSENT)
        return []
    with tempfile.TemporaryDirectory() as directory, Simulator(Path(directory)) as simulator:
        rates = {}
        for store in ("none", "file", "spool"):
            with kannel.Kannel(Path(directory), store, simulator.smpp_port) as peer:
                rates[store] = kannel.end_to_end(peer, texts=texts)
                print(f"deliver  Kannel, {store:<5}         {texts:,} texts {rates[store]:7,.0f}/s", flush=True)
    return [rates["spool"]]


def cpu(platform: Platform) -> dict[str, float]:
    """Seconds of processor time that each process has taken."""
    return {name: spent_s(pid) for name, pid in {**pids(platform), "Postgres": platform.postgres.pid}.items()}


def pids(platform: Platform) -> dict[str, int]:
    """Our processes by name."""
    found = {"API": platform.api.pid, "simulator": platform.simulator.pid}
    if platform.worker is not None:
        found["worker"] = platform.worker.pid
    return found


def _words(each: dict[str, float]) -> str:
    return "processor: " + ", ".join(f"{name} {us:.0f}" for name, us in each.items()) + " us each"


def soak(postgres: Postgres, *, seconds: float, texts: int) -> None:
    """70 % of the peak for so long: the first quarter against the last."""
    with Platform(postgres, "bench_soak") as platform:
        platform.start_worker()
        peak = uvloop.run(_all_the_way(platform, platform.requests(texts), before=0))
        per_s = peak * PART
        print(f"soak     peak {peak:,.0f}/s to delivered; {per_s:,.0f}/s for {seconds:.0f} s", flush=True)
        requests = platform.requests(int(per_s * seconds), skip=texts)
        samples, latencies = uvloop.run(_soak(platform, requests, per_s=per_s))
        _report_soak(samples, latencies)


async def _soak(
    platform: Platform, requests: list[bytes], *, per_s: float
) -> tuple[list[dict[str, float]], list[float]]:
    connection = await asyncpg.connect(platform.made.dsn, server_settings={"search_path": "cell_00"})
    samples: list[dict[str, float]] = []
    load = asyncio.create_task(paced(platform.api.port, requests, per_s=per_s, connections=64))
    while not load.done():
        await asyncio.wait({load}, timeout=1.0)
        memory = {f"{name} MiB": resident_mib(pid) for name, pid in pids(platform).items()}
        queued = await connection.fetchval("SELECT count(*) FROM message_queue")
        open_ = await connection.fetchval("SELECT count(*) FROM messages WHERE finished_at IS NULL")
        samples.append({"queued": queued, "not delivered": open_, **memory})
    await connection.close()
    return samples, await load


def _report_soak(samples: list[dict[str, float]], latencies: list[float]) -> None:
    """The first quarter's and the last quarter's medians side by side."""
    quarter = max(1, len(samples) // 4)
    for name in samples[0]:
        first = statistics.median(sample[name] for sample in samples[:quarter])
        last = statistics.median(sample[name] for sample in samples[-quarter:])
        print(f"soak     {name:<16} first quarter {first:10,.1f}   last quarter {last:10,.1f}")
    part = len(latencies) // 4
    for name, share in (("p50 ms", 0.5), ("p99 ms", 0.99)):
        first, last = (sorted(some)[int(len(some) * share)] * 1e3 for some in (latencies[:part], latencies[-part:]))
        print(f"soak     {name:<16} first quarter {first:10,.2f}   last quarter {last:10,.2f}", flush=True)
