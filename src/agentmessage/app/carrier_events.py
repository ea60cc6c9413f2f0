"""What carriers of texts tell by themselves, to the rooms that it is for; returns when it is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agentmessage.carriers.messaging import Heard, InboundHeard, ReceiptHeard
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.delivery.receipts.message_ids import ReceiptIds
from agentmessage.inbound import operations as inbound
from agentmessage.inbound.processing import FLOOR_CENTS
from agentmessage.kernel.db import Cells
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import unparsed_responses
from agentmessage.outbox.notifications import Ring

UntilRecorded = Callable[[str], Awaitable[None]]
"""Waits until what a line of the account has answered so far is in the books."""


class Hearing:
    """The ear of one process. `until_recorded` is the worker's: a receipt often comes before its text is recorded.

    It may be told the same thing twice, by several processes at once, and in any order.
    """

    def __init__(
        self,
        cells: Cells,
        *,
        ring: Ring,
        requires_propagation: bool,
        floor_cents: int = FLOOR_CENTS,
        until_recorded: UntilRecorded | None = None,
    ) -> None:
        self._cells = cells
        self._ring = ring
        self._requires_propagation = requires_propagation
        self._floor_cents = floor_cents
        self._until_recorded = until_recorded
        self._ids = ReceiptIds(cells)

    async def hear(self, account: str, heard: Sequence[Heard]) -> None:
        """Keep what was told. Raises what the database raises when it is away: then the carrier tells it again."""
        told = [one for one in heard if isinstance(one, ReceiptHeard)]
        texts = [one for one in heard if isinstance(one, InboundHeard)]
        work: list[Awaitable[None]] = []
        if told:
            work.append(self._receipts(account, told))
        if texts:
            work.append(self._texts(account, texts))
        for ended in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _texts(self, account: str, texts: Sequence[InboundHeard]) -> None:
        await inbound.receive(
            self._cells,
            account,
            texts,
            ring=self._ring,
            requires_propagation=self._requires_propagation,
            floor_cents=self._floor_cents,
        )
        await unparsed_responses.store_unreadable(await self._cells.directory(), account, texts)

    async def _receipts(self, account: str, told: Sequence[ReceiptHeard]) -> None:
        """Offer receipts to each cell in turn; what is nobody's yet is kept in all: matched there, or forgotten."""
        if self._until_recorded is not None:
            await self._until_recorded(account)
        await unparsed_responses.store_unrecognized(await self._cells.directory(), account, told)
        await self._apply(account, await self._ids.read(account, told))

    async def look_again(self) -> int:
        """Apply receipts whose ids were not clear when they came; returns how many were looked at."""
        return await self._ids.look_again(self._apply)

    async def tidy(self) -> None:
        """Forget receipts whose ids never became clear."""
        await self._ids.tidy()

    async def _apply(self, account: str, told: Sequence[ReceiptHeard]) -> None:
        names = await self._cells.names()
        unmatched = told
        for name in names:
            if unmatched:
                unmatched = await receipts.apply(await self._cells.cell(name), account, unmatched)
        ids = [new_id() for _ in unmatched]
        for name in names:
            await receipts.keep(await self._cells.cell(name), account, unmatched, ids)
