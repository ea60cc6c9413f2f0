"""Is it alive, is it ready, what does it count: the three pages that an operator's machinery reads.

The process also looks by itself, so that the log says when a part is lost and when it is there again.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable

import msgspec
import structlog
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from agentmessage.app.clock_skew import MAX_SKEW_S, SkewLog
from agentmessage.app.monitoring import gauges, queries
from agentmessage.app.monitoring.connections import WORKER_SILENCE
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Cells, NotMigratedHere
from agentmessage.kernel.release import VERSION, commit
from agentmessage.kernel.tasks import require_not_cancelled
from agentmessage.migrations.runner import pending_on
from agentmessage.web.responses import HttpResponse

log = structlog.get_logger("agentmessage.health")

PATIENCE_S = 1.2
"""How long the database may take to answer everything that readiness asks."""

GOOD_FOR_S = 0.8
WATCH_S = 2.0
SPACE_EVERY_S = 10.0
FILLER_BYTES = 32 * 1024


class Readiness(Struct, frozen=True):
    """What readiness hangs on, each true when it is well.

    `database`: it answers. `writes`: it takes what is written, and its disk has room. `clock`: this machine's clock is
    near the database's.
    """

    database: bool = False
    writes: bool = False
    migrations: bool = False
    worker: bool = False
    clock: bool = False

    @property
    def is_ready(self) -> bool:
        """Everything is well."""
        return all(msgspec.structs.astuple(self))


class Liveness(Struct, frozen=True):
    """That the process answers, and which release it is. The commit is null where nothing says it."""

    status: str
    version: str
    commit: str | None


class Health:
    """Readiness of one API process, asked for by others and watched by itself."""

    def __init__(
        self, cells: Cells, registry: CollectorRegistry, *, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._cells = cells.for_watching()
        self._elapsed = elapsed
        self._skew = SkewLog()
        self._skew_s = 0.0
        self._known: Readiness | None = None
        self._told: dict[str, bool] = {}
        self._known_at = 0.0
        self._space_proved_at: float | None = None
        self._looking: asyncio.Task[Readiness] | None = None
        Gauge(
            "agentmessage_clock_skew_seconds",
            "Seconds that the clock of this process's machine is ahead of the database's.",
            registry=registry,
        ).set_function(lambda: self._skew_s)

    async def ready(self) -> HttpResponse:
        """200 when all of it is well, else 503 saying which part is not; what was seen within a second stands."""
        if self._known is None or self._elapsed() - self._known_at > GOOD_FOR_S:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.get_running_loop().create_task(self._look())
            readiness = await asyncio.shield(self._looking)
        else:
            readiness = self._known
        return HttpResponse(200 if readiness.is_ready else 503, msgspec.json.encode(readiness))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._cells.close()

    async def watch(self) -> None:
        """Look until cancelled, so that the log tells of a part that is lost though nobody asks."""
        while True:
            require_not_cancelled()
            await self.ready()
            await asyncio.sleep(WATCH_S)

    async def _look(self) -> Readiness:
        try:
            async with asyncio.timeout(PATIENCE_S):
                readiness = await self._ask()
        except NotMigratedHere:
            readiness = Readiness(database=True, clock=True)
        except DATABASE_UNAVAILABLE:
            readiness = Readiness()
        self._log_changes(readiness)
        self._known, self._known_at = readiness, self._elapsed()
        return readiness

    async def _ask(self) -> Readiness:
        self._skew_s = await self._cells.measure()
        self._skew.note(self._skew_s)
        is_clock_right = abs(self._skew_s) <= MAX_SKEW_S
        directory = await self._cells.directory()
        async with directory.acquire() as connection:
            missing = await pending_on(connection)
        if missing:
            return Readiness(database=True, clock=is_clock_right)
        takes_writes = await self._writes(directory)
        beat = await queries.newest_heartbeat(directory, max_skew_s=MAX_SKEW_S)
        is_beating = beat is not None and directory.now - beat < WORKER_SILENCE
        return Readiness(database=True, writes=takes_writes, migrations=True, worker=is_beating, clock=is_clock_right)

    async def _writes(self, directory: CellDb) -> bool:
        """Whether a row can be changed; now and then also whether the disk has room, which a change may not need."""
        try:
            await queries.prove_writing(directory)
            if self._space_proved_at is None or self._elapsed() - self._space_proved_at > SPACE_EVERY_S:
                self._space_proved_at = None
                await _prove_space(directory)
                self._space_proved_at = self._elapsed()
        except DATABASE_UNAVAILABLE:
            return False
        return True

    def _log_changes(self, readiness: Readiness) -> None:
        """One line for each part that is lost or regained; of what hangs on a part that is lost nothing is known."""
        for part in _known_parts(readiness):
            was, is_well = self._told.get(part), getattr(readiness, part)
            if not is_well and was is not False:
                log.warning("component lost", component=part)
            elif is_well and was is False:
                log.info("component recovered", component=part)
            self._told[part] = is_well


def _known_parts(readiness: Readiness) -> tuple[str, ...]:
    if not readiness.database:
        return ("database",)
    if not readiness.migrations:
        return ("database", "migrations", "clock")
    return Readiness.__struct_fields__


async def _prove_space(directory: CellDb) -> None:
    with contextlib.suppress(_TakeBack):
        async with directory.transaction() as tx:
            await queries.take_space(tx, os.urandom(FILLER_BYTES))
            raise _TakeBack


class _TakeBack(Exception):
    """What was written is not to stay."""


async def metrics(registry: CollectorRegistry, cells: Cells) -> HttpResponse:
    """Prometheus text: this process's own counters, then the installation's last gauges if the database answers."""
    text = generate_latest(registry)
    with contextlib.suppress(*DATABASE_UNAVAILABLE):
        async with asyncio.timeout(PATIENCE_S):
            text += await gauges.show(cells)
    return HttpResponse(200, text, content_type=CONTENT_TYPE_LATEST)


def alive() -> HttpResponse:
    """The process answers."""
    return HttpResponse(200, msgspec.json.encode(Liveness("alive", VERSION, commit())))
