"""What a worker writes up behind everybody: the sums that metrics read, and the seals of the audit log."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agentmessage.audit import sealer
from agentmessage.audit.chain import chain_keys
from agentmessage.kernel.db import CellDb
from agentmessage.rollups import aggregator
from agentmessage.settings import Settings

LOOK_S = 1.0
"""Between looks at what has happened since; a reader that has much to catch up with does not wait."""

Turn = Callable[[], Awaitable[None]]


def turns(db: CellDb, settings: Settings) -> Sequence[tuple[str, Turn]]:
    """The loops of one cell, by title; any number of workers may run them, and one of them does the work."""
    keys = chain_keys(settings.encryption_key)

    async def count() -> None:
        if not await aggregator.turn(db):
            await asyncio.sleep(LOOK_S)

    async def seal() -> None:
        if not await sealer.turn(db, keys):
            await asyncio.sleep(LOOK_S)

    return [("count", count), ("seal", seal)]
