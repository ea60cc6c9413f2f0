"""Whether the sums that metrics read are right, and making them anew: for the operator."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.app.maintenance import EVENTS_KEPT
from agentmessage.kernel.db import Cells
from agentmessage.organizations import operations as organizations
from agentmessage.rollups import aggregator


class DifferenceLine(Struct, frozen=True, kw_only=True):
    """A day whose sum of texts is not what a recount of the events says."""

    cell: str
    org_id: UUID
    metric: str
    day: datetime
    labels: Mapping[str, str]
    counted: int
    recounted: int


class Rebuilt(Struct, frozen=True, kw_only=True):
    """How many sums a cell has of texts after all were made anew."""

    cell: str
    sums: int


async def check(cells: Cells) -> list[DifferenceLine]:
    """Every difference between sums of texts and a recount of the events that are kept, over all cells."""
    found: list[DifferenceLine] = []
    for name in await cells.names():
        found += [
            DifferenceLine(
                cell=name,
                org_id=one.org_id,
                metric=one.metric,
                day=one.bucket_start,
                labels=one.labels,
                counted=one.counted,
                recounted=one.recounted,
            )
            for one in await aggregator.check(await cells.cell(name), events_kept=EVENTS_KEPT)
        ]
    return found


async def rebuild(cells: Cells) -> list[Rebuilt]:
    """Count all texts anew from the events that are kept, in every cell; audited as the installation's."""
    rebuilt = [
        Rebuilt(cell=name, sums=await aggregator.rebuild(await cells.cell(name), events_kept=EVENTS_KEPT))
        for name in await cells.names()
    ]
    directory = await cells.directory()
    async with directory.transaction() as tx:
        await organizations.record_for_installation(
            tx,
            action="metrics.rebuild",
            resource_type="installation",
            resource_id="metrics",
            payload={one.cell: one.sums for one in rebuilt},
        )
    return rebuilt
