"""What a process asks and says when it starts: whether the database is migrated, and what it is going to work on."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import structlog

from agentmessage.app.providers.carriers import CarrierSet
from agentmessage.app.sockets import CannotStart
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, Cells
from agentmessage.kernel.release import VERSION
from agentmessage.migrations.runner import pending
from agentmessage.settings import Settings

log = structlog.get_logger("agentmessage")

PATIENCE_S = 5.0
UNMIGRATED = 2
"""How a process ends that cannot work on its database as it is: the status of a wrong option."""


async def require_migrated(settings: Settings) -> None:
    """Refuse a database that lacks migrations; one that does not answer is waited for later. Raises CannotStart."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            missing = await pending(settings.database_url)
    except DATABASE_UNAVAILABLE:
        return
    if missing:
        words = f"The database at {shown_database(settings.database_url)} lacks {len(missing)} migrations"
        raise CannotStart(f"{words}, first {missing[0]}: run `agentmessage migrate`", status=UNMIGRATED)


async def say_started(
    cells: Cells, settings: Settings, carriers: Mapping[str, CarrierSet], *, address: str | None = None
) -> None:
    """The one line at start."""
    names: Sequence[str] | None
    try:
        async with asyncio.timeout(PATIENCE_S):
            names = await cells.names()
    except DATABASE_UNAVAILABLE:
        names = None
    log.info(
        "process started",
        version=VERSION,
        **({} if address is None else {"address": address}),
        database=shown_database(settings.database_url),
        cells=names,
        carriers={account: _carriers(found) for account, found in sorted(carriers.items())},
    )


def shown_database(url: str) -> str:
    """Where a database is, without who may use it."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{'' if parts.port is None else f':{parts.port}'}{parts.path}"


def _carriers(found: CarrierSet) -> Mapping[str, object]:
    lines = sorted({line.carrier.name for line in found.text_lines})
    return {"numbers": found.name, "messages": lines, "is_simulated": found.is_simulated}
