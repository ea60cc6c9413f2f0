"""Where texts stand, over all cells and workers, and how fast organizations may hand them in: for the operator."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.admin.organizations import tenant_of
from agentmessage.app.monitoring import message_queries
from agentmessage.app.monitoring.message_queries import LaneRow, StrayRow, UnknownRow
from agentmessage.app.monitoring.receipts import stray_receipts
from agentmessage.app.monitoring.workers import WorkerLine, living_lines
from agentmessage.delivery import held_message_queries, held_messages
from agentmessage.delivery.held_message_queries import HeldRow
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.messages.operations import TOPIC
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import queries as outbox

UNKNOWN_LOOK = timedelta(hours=24)


class TextReport(Struct, frozen=True):
    """Where texts stand: lanes, the longest waiting first; lines of living workers; unknown ones of the last day.

    `stray_receipts` of the last day match no message.
    """

    lanes: Sequence[LaneRow]
    lines: Sequence[WorkerLine]
    unknown: Sequence[UnknownRow]
    stray_receipts: Sequence[StrayRow]


class HeldOutcome(Struct, frozen=True, kw_only=True):
    """How many messages were released, dropped (as of unknown outcome) or held."""

    released: int = 0
    dropped: int = 0
    held: int = 0


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
        lanes += await message_queries.list_lanes(cell, limit=limit)
        unknown += await message_queries.list_unknown(cell, cell.now - UNKNOWN_LOOK, limit=limit)
    return TextReport(lanes, await living_lines(cells), unknown, await stray_receipts(cells, limit=limit))


async def list_held(cells: Cells, org_id: UUID | None, *, limit: int) -> list[HeldRow]:
    """Messages that are held since a restore, or an organization's; at most so many of each cell."""
    return [
        row
        for name in await cells.names()
        for row in await held_message_queries.list_held(await cells.cell(name), org_id, limit=limit)
    ]


async def release_held(cells: Cells, org_id: UUID | None) -> HeldOutcome:
    """Send what is held, or an organization's, after all; audited. Raises Impossible for an unknown organization."""
    released = too_late = 0
    for cell in await _cells_of(cells, org_id):
        in_time, late = await held_messages.release(cell, org_id)
        released, too_late = released + in_time, too_late + late
        await outbox.ring(await cells.directory(), f"{cell.name}/{TOPIC}")
    outcome = HeldOutcome(released=released, dropped=too_late)
    await _record_held(cells, org_id, "messages.release_held", outcome)
    return outcome


async def drop_held(cells: Cells, org_id: UUID | None) -> HeldOutcome:
    """Give up what is held, or an organization's, as of unknown outcome; audited. Raises Impossible."""
    outcome = HeldOutcome(
        dropped=sum([await held_messages.drop(cell, org_id) for cell in await _cells_of(cells, org_id)])
    )
    await _record_held(cells, org_id, "messages.drop_held", outcome)
    return outcome


async def hold_queued(cells: Cells, org_id: UUID | None) -> HeldOutcome:
    """Hold what waits, or an organization's, as after a restore; audited. Raises Impossible."""
    cells_of = await _cells_of(cells, org_id)
    outcome = HeldOutcome(held=sum([await held_message_queries.hold_waiting(cell, org_id) for cell in cells_of]))
    await _record_held(cells, org_id, "messages.hold", outcome)
    return outcome


async def _cells_of(cells: Cells, org_id: UUID | None) -> list[CellDb]:
    if org_id is not None:
        return [await cells.cell((await tenant_of(cells, org_id)).cell)]
    return [await cells.cell(name) for name in await cells.names()]


async def _record_held(cells: Cells, org_id: UUID | None, action: str, outcome: HeldOutcome) -> None:
    directory = await cells.directory()
    payload = msgspec.to_builtins(outcome)
    if org_id is None:
        async with directory.transaction() as tx:
            await organizations.record_for_installation(
                tx, action=action, resource_type="installation", resource_id="messages", payload=payload
            )
        return
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        await organizations.record(
            tx, tenant, action=action, resource_type="organization", resource_id=org_id, payload=payload
        )


async def set_throughput(
    cells: Cells, org_id: UUID, *, per_second: int | None, per_minute: int | None
) -> ThroughputLine:
    """How many texts an organization may hand in from now on; None: as its tier has it. Raises Impossible, audited."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        await organizations.set_throughput(tx, tenant, per_second=per_second, per_minute=per_minute)
    return ThroughputLine(org_id=org_id, per_second=per_second, per_minute=per_minute)
