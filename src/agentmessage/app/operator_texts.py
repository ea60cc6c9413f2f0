"""Where texts stand, over all cells and workers, and how fast organizations may hand them in: for the operator."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.app import operator_text_queries, queries
from agentmessage.app.line_states import WORKER_SILENCE, LineState
from agentmessage.app.operator import tenant_of
from agentmessage.app.operator_text_queries import LaneRow, StrayRow, UnknownRow
from agentmessage.kernel.db import Cells
from agentmessage.organizations import operations as organizations

UNKNOWN_LOOK = timedelta(hours=24)
STRAY_AFTER = timedelta(minutes=2)
"""By then a receipt's message is recorded, its id is clear, or its worker's death is noticed."""


class WorkerLine(Struct, frozen=True, kw_only=True):
    """One line of one living worker."""

    worker: str
    account: str
    carrier: str
    channels: Sequence[str]
    is_up: bool | None
    room: int


class TextReport(Struct, frozen=True):
    """Where texts stand: lanes, the longest waiting first; lines of living workers; unknown ones of the last day.

    `stray_receipts` of the last day match no message.
    """

    lanes: Sequence[LaneRow]
    lines: Sequence[WorkerLine]
    unknown: Sequence[UnknownRow]
    stray_receipts: Sequence[StrayRow]


class ThroughputLine(Struct, frozen=True, kw_only=True):
    """How many texts an organization may hand in; None: as its tier has it."""

    org_id: UUID
    per_second: int | None
    per_minute: int | None


async def report(cells: Cells, *, limit: int) -> TextReport:
    """Where texts stand, at most so many lanes and unknown texts of each cell."""
    lanes: list[LaneRow] = []
    unknown: list[UnknownRow] = []
    for name in await cells.names():
        cell = await cells.cell(name)
        lanes += await operator_text_queries.list_lanes(cell, limit=limit)
        unknown += await operator_text_queries.list_unknown(cell, cell.now - UNKNOWN_LOOK, limit=limit)
    return TextReport(lanes, await living_lines(cells), unknown, await stray_receipts(cells, limit=limit))


async def stray_receipts(cells: Cells, *, limit: int) -> Sequence[StrayRow]:
    """Receipts that no message of any cell is about: another platform's, or a message's whose id was lost."""
    directory = await cells.directory()
    before = directory.now - STRAY_AFTER
    undecided = await operator_text_queries.list_undecided(directory, before, limit=limit)
    first, *others = [await cells.cell(name) for name in await cells.names()]
    strays = await operator_text_queries.list_strays(first, before, limit=limit)
    for cell in others:  # they are kept in every cell until one has their message
        ids = set(await operator_text_queries.find_strays(cell, [stray.id for stray in strays]))
        strays = [stray for stray in strays if stray.id in ids]
    return [*undecided, *strays]


async def living_lines(cells: Cells) -> list[WorkerLine]:
    """Every line of every worker that was alive lately."""
    directory = await cells.directory()
    return [
        _line(worker, line)
        for worker, lines in await queries.list_lines(directory, directory.now - WORKER_SILENCE)
        for line in lines
    ]


async def set_throughput(
    cells: Cells, org_id: UUID, *, per_second: int | None, per_minute: int | None
) -> ThroughputLine:
    """How many texts an organization may hand in from now on; None: as its tier has it. Raises Impossible, audited."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        await organizations.set_throughput(tx, tenant, per_second=per_second, per_minute=per_minute)
    return ThroughputLine(org_id=org_id, per_second=per_second, per_minute=per_minute)


def _line(worker: str, line: LineState) -> WorkerLine:
    return WorkerLine(
        worker=worker,
        account=line.account,
        carrier=line.carrier,
        channels=line.channels,
        is_up=line.is_up,
        room=line.room,
    )
