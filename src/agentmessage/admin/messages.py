"""Operator commands on messages: queues, held messages, and the throughput of organizations."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.admin.organizations import tenant_of
from agentmessage.app.monitoring import message_queries
from agentmessage.app.monitoring.message_queries import QueueRow, UnknownRow, UnmatchedReceipt
from agentmessage.app.monitoring.receipts import unmatched_receipts
from agentmessage.app.monitoring.workers import WorkerConnection, live_connections
from agentmessage.delivery import held_message_queries, held_messages
from agentmessage.delivery.held_message_queries import HeldRow
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.messages.operations import TOPIC
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import queries as outbox

RECENT = timedelta(hours=24)


class MessageReport(Struct, frozen=True):
    """Send queues (longest waiting first), carrier connections of live workers, and the last day's irregularities.

    `unknown`: messages with unknown outcome. `unmatched_receipts`: receipts that match no message.
    """

    queues: Sequence[QueueRow]
    connections: Sequence[WorkerConnection]
    unknown: Sequence[UnknownRow]
    unmatched_receipts: Sequence[UnmatchedReceipt]


class HeldOutcome(Struct, frozen=True, kw_only=True):
    """Numbers of messages released, dropped (with unknown outcome) or held."""

    released: int = 0
    dropped: int = 0
    held: int = 0


class Throughput(Struct, frozen=True, kw_only=True):
    """How many messages an organization may submit. None: the throughput of its tier."""

    org_id: UUID
    per_second: int | None
    per_minute: int | None


async def report(cells: Cells, *, limit: int) -> MessageReport:
    """The report, with at most `limit` rows of each kind per cell."""
    queues: list[QueueRow] = []
    unknown: list[UnknownRow] = []
    for name in await cells.names():
        cell = await cells.cell(name)
        queues += await message_queries.list_queues(cell, limit=limit)
        unknown += await message_queries.list_unknown(cell, cell.now - RECENT, limit=limit)
    return MessageReport(queues, await live_connections(cells), unknown, await unmatched_receipts(cells, limit=limit))


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


async def set_throughput(cells: Cells, org_id: UUID, *, per_second: int | None, per_minute: int | None) -> Throughput:
    """How many texts an organization may hand in from now on; None: as its tier has it. Raises Impossible, audited."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        await organizations.set_throughput(tx, tenant, per_second=per_second, per_minute=per_minute)
    return Throughput(org_id=org_id, per_second=per_second, per_minute=per_minute)
