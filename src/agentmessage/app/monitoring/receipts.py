"""Receipts that match no message of any cell."""

from collections.abc import Sequence
from datetime import timedelta

from agentmessage.app.monitoring import message_queries
from agentmessage.app.monitoring.message_queries import StrayRow
from agentmessage.kernel.db import Cells

STRAY_AFTER = timedelta(minutes=2)
"""By then a receipt's message is recorded, its id is clear, or its worker's death is noticed."""


async def stray_receipts(cells: Cells, *, limit: int) -> Sequence[StrayRow]:
    """Receipts that no message of any cell is about: another platform's, or a message's whose id was lost."""
    directory = await cells.directory()
    before = directory.now - STRAY_AFTER
    undecided = await message_queries.list_undecided(directory, before, limit=limit)
    first, *others = [await cells.cell(name) for name in await cells.names()]
    strays = await message_queries.list_strays(first, before, limit=limit)
    for cell in others:  # they are kept in every cell until one has their message
        ids = set(await message_queries.find_strays(cell, [stray.id for stray in strays]))
        strays = [stray for stray in strays if stray.id in ids]
    return [*undecided, *strays]
