"""The connections of living workers."""

from collections.abc import Sequence

from msgspec import Struct

from agentmessage.app.monitoring import queries as monitoring_queries
from agentmessage.app.monitoring.connections import WORKER_SILENCE, LineState
from agentmessage.kernel.db import Cells


class WorkerLine(Struct, frozen=True, kw_only=True):
    """One line of one living worker."""

    worker: str
    account: str
    carrier: str
    channels: Sequence[str]
    is_up: bool | None
    room: int


async def living_lines(cells: Cells) -> list[WorkerLine]:
    """Every line of every worker that was alive lately."""
    directory = await cells.directory()
    return [
        _line(worker, line)
        for worker, lines in await monitoring_queries.list_lines(directory, directory.now - WORKER_SILENCE)
        for line in lines
    ]


def _line(worker: str, line: LineState) -> WorkerLine:
    return WorkerLine(
        worker=worker,
        account=line.account,
        carrier=line.carrier,
        channels=line.channels,
        is_up=line.is_up,
        room=line.room,
    )
