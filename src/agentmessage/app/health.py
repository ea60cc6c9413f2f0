"""Is it alive, is it ready, what does it count: the three pages that an operator's machinery reads."""

import contextlib

import msgspec
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from agentmessage.app import gauges, queries
from agentmessage.app.line_states import WORKER_SILENCE
from agentmessage.kernel.db import DATABASE_AWAY, Cells
from agentmessage.kernel.release import VERSION, commit
from agentmessage.migrations.runner import pending_on
from agentmessage.web.responses import Reply


class Readiness(Struct, frozen=True):
    """What readiness hangs on, each true when it is well."""

    database: bool
    migrations: bool
    worker: bool

    @property
    def is_ready(self) -> bool:
        """Everything is well."""
        return self.database and self.migrations and self.worker


class Liveness(Struct, frozen=True):
    """That the process answers, and which release it is. The commit is null where nothing says it."""

    status: str
    version: str
    commit: str | None


def alive() -> Reply:
    """The process answers."""
    return Reply(200, msgspec.json.encode(Liveness("alive", VERSION, commit())))


async def ready(cells: Cells) -> Reply:
    """200 when all of it is well, else 503 saying which part is not."""
    try:
        readiness = await _readiness(cells)
    except DATABASE_AWAY:
        readiness = Readiness(database=False, migrations=False, worker=False)
    return Reply(200 if readiness.is_ready else 503, msgspec.json.encode(readiness))


async def _readiness(cells: Cells) -> Readiness:
    directory = await cells.directory()
    async with directory.connection() as connection:
        missing = await pending_on(connection)
    if missing:
        return Readiness(database=True, migrations=False, worker=False)
    beat = await queries.newest_heartbeat(directory)
    is_beating = beat is not None and directory.now - beat < WORKER_SILENCE
    return Readiness(database=True, migrations=True, worker=is_beating)


async def metrics(registry: CollectorRegistry, cells: Cells) -> Reply:
    """Prometheus text: this process's own counters, then the installation's last gauges if the database answers."""
    text = generate_latest(registry)
    with contextlib.suppress(*DATABASE_AWAY):
        text += await gauges.show(cells)
    return Reply(200, text, content_type=CONTENT_TYPE_LATEST)
