"""What a worker sees of its own parts: the database, its clock, lines to carriers; says what is lost and regained."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from agentmessage.app.clock_skew import SkewLog
from agentmessage.app.monitoring.connections import LineState
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, Cells
from agentmessage.kernel.tasks import require_not_cancelled

log = structlog.get_logger("agentmessage.worker")

WATCH_S = 1.0
PATIENCE_S = 2.0


class WorkerWatch:
    """Looks every second. `skew_s` is how far this machine's clock is ahead of the database's."""

    def __init__(self, cells: Cells, lines: Callable[[], Sequence[LineState]]) -> None:
        self._cells = cells.for_watching()
        self._lines = lines
        self._skew = SkewLog()
        self._told: dict[str, bool] = {}
        self.skew_s = 0.0

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                require_not_cancelled()
                await self.look()
                await asyncio.sleep(WATCH_S)
        finally:
            await self._cells.close()

    async def look(self) -> None:
        """Look once."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                self.skew_s = await self._cells.measure()
        except DATABASE_UNAVAILABLE as error:
            self._note("database", is_well=False, why=str(error) or type(error).__name__)
        else:
            self._note("database", is_well=True)
            self._skew.note(self.skew_s)
        for line in self._lines():
            if line.is_up is not None:
                self._note(f"carrier {line.account}/{line.carrier}", is_well=line.is_up)

    def _note(self, part: str, *, is_well: bool, **words: str) -> None:
        was = self._told.get(part)
        if is_well and was is False:
            log.info("component recovered", component=part)
        elif not is_well and was is not False:
            log.warning("component lost", component=part, **words)
        self._told[part] = is_well
