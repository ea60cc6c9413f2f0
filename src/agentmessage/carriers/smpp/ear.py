"""Tells the house what a carrier says, in batches, and lets each telling know when it is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from agentmessage.carriers.text_port import Heard
from agentmessage.smpp.pdu import Status

log = structlog.get_logger("agentmessage.carriers")

MOST = 500


class Ear:
    """What arrives while the last batch is being kept is the next batch."""

    def __init__(self, keep: Callable[[Sequence[Heard]], Awaitable[None]]) -> None:
        self._keep = keep
        self._waiting: list[tuple[Heard, asyncio.Future[int]]] = []
        self._keeping: asyncio.Task[None] | None = None

    def tell(self, heard: Heard) -> "asyncio.Future[int]":
        """Ends with the command_status to answer: 0 once it is kept, a temporary error if it was not."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[int] = loop.create_future()
        self._waiting.append((heard, kept))
        if self._keeping is None:
            self._keeping = loop.create_task(self._until_empty())
        return kept

    async def close(self) -> None:
        """Stop; what was not kept is not acknowledged, so that the carrier tells it again."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def _until_empty(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._keep_batch(batch)
        finally:
            self._keeping = None

    async def _keep_batch(self, batch: "Sequence[tuple[Heard, asyncio.Future[int]]]") -> None:
        try:
            await self._keep([heard for heard, _ in batch])
            status = Status.OK
        except Exception:
            log.exception("what the carrier said was not kept", count=len(batch))
            status = Status.TEMPORARY_ERROR
        for _, kept in batch:
            if not kept.done():
                kept.set_result(status)
