"""Receipts that match no message of any cell."""

from collections.abc import Sequence
from datetime import timedelta

from agentmessage.app.monitoring import message_queries
from agentmessage.app.monitoring.message_queries import UnmatchedReceipt
from agentmessage.kernel.db import Cells

MATCH_TIMEOUT = timedelta(minutes=2)
"""After this time a receipt's message is recorded, or its worker is known to have crashed."""


async def unmatched_receipts(cells: Cells, *, limit: int) -> Sequence[UnmatchedReceipt]:
    """Receipts of another platform on the carrier account, or of messages whose carrier id was lost."""
    directory = await cells.directory()
    before = directory.now - MATCH_TIMEOUT
    undecided = await message_queries.list_undecided(directory, before, limit=limit)
    first, *others = [await cells.cell(name) for name in await cells.names()]
    receipts = await message_queries.list_unmatched(first, before, limit=limit)
    for cell in others:  # a receipt is stored in every cell until one has its message
        ids = set(await message_queries.find_unmatched(cell, [receipt.id for receipt in receipts]))
        receipts = [receipt for receipt in receipts if receipt.id in ids]
    return [*undecided, *receipts]
