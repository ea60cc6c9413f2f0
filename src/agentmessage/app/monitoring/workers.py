"""The carrier connections of live workers."""

from collections.abc import Sequence

from msgspec import Struct

from agentmessage.app.monitoring import queries as monitoring_queries
from agentmessage.app.monitoring.connections import WORKER_SILENCE, LineState
from agentmessage.kernel.db import Cells


class WorkerConnection(Struct, frozen=True, kw_only=True):
    """One carrier connection of one live worker. `capacity`: messages that it would accept now."""

    worker: str
    account: str
    carrier: str
    channels: Sequence[str]
    is_up: bool | None
    capacity: int


async def live_connections(cells: Cells) -> list[WorkerConnection]:
    """Every carrier connection of every worker with a recent heartbeat."""
    directory = await cells.directory()
    return [
        _connection(worker, state)
        for worker, states in await monitoring_queries.list_lines(directory, directory.now - WORKER_SILENCE)
        for state in states
    ]


def _connection(worker: str, state: LineState) -> WorkerConnection:
    return WorkerConnection(
        worker=worker,
        account=state.account,
        carrier=state.carrier,
        channels=state.channels,
        is_up=state.is_up,
        capacity=state.room,
    )
