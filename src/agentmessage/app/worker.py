"""The worker process: jobs, reconciliation, sweeps and housekeeping of every cell, until told to stop.

Each loop is independent: one that fails (the database goes away, a bug) is logged, waits a moment and goes on. Any
number of worker processes run side by side; rows are shared out by locks and leases, never by configuration.
"""

import asyncio
import os
import random
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog

from agentmessage.app import maintenance, rollup_worker
from agentmessage.app.area_codes import use_area_codes
from agentmessage.app.job_handlers import job_handlers, limits, line_carriers
from agentmessage.app.logging import configure_log
from agentmessage.app.message_worker import Texting
from agentmessage.app.monitoring import gauges
from agentmessage.app.monitoring import queries as monitoring_queries
from agentmessage.app.providers.carriers import CarrierSet, carrier_sets
from agentmessage.app.providers.media import media_store
from agentmessage.app.providers.payments import close_providers, payment_providers
from agentmessage.app.sandbox import Beginning
from agentmessage.app.startup import require_migrated, say_started
from agentmessage.app.webhook_worker import WebhookWorker
from agentmessage.app.worker_watch import WorkerWatch
from agentmessage.carriers.http import AiohttpTransport
from agentmessage.kernel.clock import Clock
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Cells
from agentmessage.kernel.tasks import AFTER_FAILURE_S, require_not_cancelled, run_forever
from agentmessage.numbers.binding import carrier_order_queries, carrier_orders, drift, observations, reconciler
from agentmessage.numbers.binding import queries as binding_queries
from agentmessage.numbers.binding.call_budget import Budget
from agentmessage.numbers.binding.reconciler import Reconciling, RefreshRequest
from agentmessage.organizations.model import Mode
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.outbox.notifications import Bells, Ringer, wait_for
from agentmessage.settings import Settings

log = structlog.get_logger("agentmessage.worker")

BACKSTOP_S = 1.0
HEARTBEAT_S = 5.0
SWEEP_LOOK_S = 0.5
HOUSEKEEPING_S = 30.0
OVERDUE_S = 0.2
"""Between looks at what is due but not for us to take: others hold it, or its carrier's breaker is open."""
NEW_CELLS_S = 10.0
ORDER_LOOPS = 3
"""Loops that hand orders over: one that waits for a slow answer does not hold up the others."""


async def work(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C."""
    configure_log(settings.log_level, process="worker", form=settings.log_format)
    await require_migrated(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    worker = Worker(settings)
    await worker.say_started()
    running = asyncio.create_task(worker.run())
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await worker.close()
    log.info("process stopped")


class Worker:
    """All loops of one process."""

    def __init__(
        self,
        settings: Settings,
        *,
        carriers: Mapping[str, CarrierSet] | None = None,
        clock: Clock | None = None,
    ) -> None:
        use_area_codes(settings)
        self._settings = settings
        self._transport = AiohttpTransport()
        self._cells = Cells(settings.database_url, pool_size=settings.worker_pool_size, clock=clock)
        self._carriers = carriers or carrier_sets(settings, self._transport, clock=self._cells.clock)
        self._payments = payment_providers(settings)
        self._media_store = media_store(settings)
        self._bells = Bells(self._cells)
        self._ringer = Ringer(self._cells)
        lines = {account: carrier.text_lines for account, carrier in self._carriers.items()}
        self._texting = Texting(settings, self._cells, lines, bells=self._bells, ring=self._ringer.ring)
        self._telling = WebhookWorker(settings, self._bells, clock=self._cells.clock)
        self._watch = WorkerWatch(self._cells, self._texting.line_states)
        self._rng = random.Random()  # noqa: S311 - jitter, not a secret
        self._name = f"{socket.gethostname()}/{os.getpid()}"

    async def run(self) -> None:
        """Run every loop of every cell; a cell that appears later is taken up within ten seconds."""
        self._texting.start()
        try:
            await self._run()
        finally:
            await asyncio.gather(self._texting.stop(), self._telling.stop())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bells.listen())
            group.create_task(self._watch.run())
            group.create_task(run_forever("heartbeat", self._beat))
            group.create_task(run_forever("subscriptions", self._subscribe))
            for account in self._carriers:  # one loop each: a long account does not hold up the other
                group.create_task(run_forever(f"sweep {account}", self._sweep))
            group.create_task(run_forever("housekeeping", self._keep_house))
            group.create_task(run_forever("retention", self._forget_content))
            known: set[str] = set()
            while True:
                for name in await self._cell_names():
                    if name not in known:
                        known.add(name)
                        await self._start_cell(group, name)
                require_not_cancelled()
                await asyncio.sleep(NEW_CELLS_S if known else AFTER_FAILURE_S)

    async def say_started(self) -> None:
        """The one line at start."""
        await say_started(self._cells, self._settings, self._carriers)

    async def close(self) -> None:
        """Close pools and connections."""
        await self._transport.close()
        await self._media_store.close()
        await close_providers(self._payments)
        await self._ringer.close()
        await self._cells.close()

    async def _cell_names(self) -> Sequence[str]:
        try:
            return await self._cells.names()
        except DATABASE_UNAVAILABLE:
            return []

    async def _start_cell(self, group: asyncio.TaskGroup, name: str) -> None:
        db = await self._cells.cell(name)
        reconciling = await self._reconciling(db)
        handlers = job_handlers(
            self._settings, self._carriers, reconciling.budget, self._ringer.ring, payments=self._payments
        )
        sandboxes = Beginning(self._carriers[Mode.SANDBOX].bandwidth, self._transport, self._ringer.ring)
        handlers = {**handlers, **sandboxes.handlers()}
        loops = CellLoops(db, reconciling, self._bells, JobRunner(db, handlers, rng=self._rng))
        for title, once in (*loops.all(), *rollup_worker.turns(db, self._settings)):
            group.create_task(run_forever(f"{name} {title}", once))
        self._texting.take_up(db)
        self._telling.take_up(db)

    async def _reconciling(self, db: CellDb) -> Reconciling:
        budget = Budget(await self._cells.directory(), limits(self._carriers))
        return Reconciling(db, line_carriers(self._carriers, self._settings), budget, self._rng)

    async def _beat(self) -> None:
        directory = await self._cells.directory()
        await monitoring_queries.beat(directory, self._name, self._texting.line_states(), skew_s=self._watch.skew_s)
        await asyncio.sleep(HEARTBEAT_S)

    async def _subscribe(self) -> None:
        is_done = await maintenance.subscribe_all(self._carriers, self._settings)
        await asyncio.sleep(maintenance.SUBSCRIBE_EVERY_S if is_done else maintenance.SUBSCRIBE_AGAIN_S)

    async def _sweep(self) -> None:
        cells = [await self._cells.cell(name) for name in await self._cells.names()]
        reconciling = await self._reconciling(cells[0])
        result = await drift.sweep_due(reconciling, cells, heal_percent=self._settings.reconcile_max_repair_percent)
        if result is None:
            await asyncio.sleep(SWEEP_LOOK_S)
        elif result.healed or result.stopped:
            log.info("drift sweep finished", **{name: getattr(result, name) for name in result.__struct_fields__})

    async def _forget_content(self) -> None:
        await maintenance.forget_content(self._cells, self._media_store)
        await asyncio.sleep(HOUSEKEEPING_S)

    async def _keep_house(self) -> None:
        await maintenance.tidy(self._cells, self._settings)
        await gauges.count_if_due(self._cells)
        await asyncio.sleep(HOUSEKEEPING_S)


class CellLoops:
    """The loops of one cell. They meet only in the database, and in the glances that planning leaves to looking."""

    def __init__(self, db: CellDb, reconciling: Reconciling, bells: Bells, jobs: JobRunner) -> None:
        self._db = db
        self._reconciling = reconciling
        self._jobs = jobs
        self._refreshes: dict[str, set[RefreshRequest]] = {account: set() for account in reconciling.carriers}
        self._has_refreshes = {account: asyncio.Event() for account in reconciling.carriers}
        self._orders_written = [asyncio.Event() for _ in range(ORDER_LOOPS)]
        self._numbers_bell = bells.hear(db.name, "numbers")
        self._orders_bells = [bells.hear(db.name, "numbers") for _ in range(ORDER_LOOPS)]
        self._jobs_bell = bells.hear(db.name, "jobs")

    def all(self) -> Sequence[tuple[str, Callable[[], Awaitable[None]]]]:
        """Every loop's turn, by title."""
        orders = [(f"orders {index}", self._orders_turn(index)) for index in range(ORDER_LOOPS)]
        looks = [(f"look {account}", self._look_turn(account)) for account in self._refreshes]
        return [("plan", self._plan), ("jobs", self._run_jobs), *looks, *orders]

    async def _plan(self) -> None:
        planned = await reconciler.plan(self._reconciling)
        for request in planned.refreshes:
            self._refreshes[request.account].add(request)
            self._has_refreshes[request.account].set()
        if planned.lines:
            for event in self._orders_written:
                event.set()
            return
        await wait_for(self._numbers_bell, self._wait_s(await binding_queries.next_due_at(self._db)))

    def _wait_s(self, moment: datetime | None) -> float:
        """Until the next line or order is due, at most the backstop."""
        if moment is None:
            return BACKSTOP_S
        left_s = (moment - self._db.now).total_seconds()
        return min(BACKSTOP_S, left_s) if left_s > 0 else OVERDUE_S

    def _orders_turn(self, index: int) -> Callable[[], Awaitable[None]]:
        async def turn() -> None:
            if await carrier_orders.advance(self._reconciling):
                return
            wait_s = self._wait_s(await carrier_order_queries.next_due_at(self._db))
            await _either(self._orders_written[index], self._orders_bells[index], wait_s)

        return turn

    def _look_turn(self, account: str) -> Callable[[], Awaitable[None]]:
        async def turn() -> None:
            await self._has_refreshes[account].wait()
            self._has_refreshes[account].clear()
            refreshes, self._refreshes[account] = self._refreshes[account], set()
            await observations.refresh(self._reconciling, refreshes)
            self._numbers_bell.set()

        return turn

    async def _run_jobs(self) -> None:
        if not await self._jobs.run_due():
            await wait_for(self._jobs_bell, await self._jobs.wait_s())


async def _either(first: asyncio.Event, second: asyncio.Event, timeout_s: float) -> None:
    """Wait for one of two events, at most so long; then clear both."""
    waits = [asyncio.create_task(first.wait()), asyncio.create_task(second.wait())]
    await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for task in waits:
        task.cancel()
    first.clear()
    second.clear()
