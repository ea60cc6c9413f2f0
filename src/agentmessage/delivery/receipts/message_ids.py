"""Reads ids in receipts in the form that their carrier writes, which is learned from the receipts that find a message.

Once it is learned, which is durable and holds for every worker, it costs nothing. Until then a receipt that may mean
two messages is kept and looked at again.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from agentmessage.carriers.messaging import ReceiptHeard
from agentmessage.delivery.receipts import id_format_queries
from agentmessage.delivery.receipts.id_format_queries import Undecided
from agentmessage.delivery.receipts.id_format_rules import (
    UNHEARD_OF,
    Known,
    KnownPart,
    candidates,
    decide,
    learned,
    read_as,
)
from agentmessage.kernel.db import CellDb, Cells

log = structlog.get_logger("agentmessage.messages")

Apply = Callable[[str, Sequence[ReceiptHeard]], Awaitable[None]]
"""Applies receipts of an account whose ids are sure."""

MAX_LOOKED_AT = 500
FIRST_LOOK = timedelta(seconds=1)
KEPT_FOR = timedelta(hours=24)
BELIEVED_S = 15.0
"""How long a worker believes that the form it has read is still the carrier's."""

Key = tuple[str, str]
"""Account and carrier."""


class ReceiptIds:
    """The ids in receipts of all accounts, as one process reads them."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._forms: dict[Key, tuple[float, str]] = {}

    async def read(self, account: str, receipts: Sequence[ReceiptHeard]) -> Sequence[ReceiptHeard]:
        """The receipts whose ids are sure; the others are kept."""
        sure = [receipt for receipt in receipts if not receipt.readings]
        for carrier in sorted({receipt.carrier for receipt in receipts if receipt.readings}):
            unread = [receipt for receipt in receipts if receipt.readings and receipt.carrier == carrier]
            decided = await self._decide(account, carrier, [(receipt, timedelta(0)) for receipt in unread])
            sure += [receipt for receipt in decided if receipt is not None]
            undecided = [receipt for receipt, found in zip(unread, decided, strict=True) if found is None]
            if undecided:
                directory = await self._cells.directory()
                await id_format_queries.keep_undecided(directory, account, undecided, wait=FIRST_LOOK)
        return sure

    async def look_again(self, apply: Apply) -> int:
        """Look at what is due; returns how many receipts that was. They stay locked until they are applied."""
        directory = await self._cells.directory()
        async with directory.transaction() as tx:
            rows = await id_format_queries.lock_undecided(tx, limit=MAX_LOOKED_AT)
            decided: list[UUID] = []
            later: list[Undecided] = []
            for account, carrier in sorted({(row.account, row.receipt.carrier) for row in rows}):
                mine = [row for row in rows if (row.account, row.receipt.carrier) == (account, carrier)]
                found = await self._decide(account, carrier, [(row.receipt, tx.now - row.received_at) for row in mine])
                await apply(account, [receipt for receipt in found if receipt is not None])
                decided += [row.id for row, receipt in zip(mine, found, strict=True) if receipt is not None]
                later += [row for row, receipt in zip(mine, found, strict=True) if receipt is None]
            if decided:
                await id_format_queries.delete_undecided(tx, decided)
            if later:
                due_at = [tx.now + max(FIRST_LOOK, (tx.now - row.received_at) / 4) for row in later]
                await id_format_queries.put_off(tx, [row.id for row in later], due_at)
        return len(rows)

    async def tidy(self) -> None:
        """Forget what nobody could read for a day."""
        directory = await self._cells.directory()
        await id_format_queries.forget_undecided(directory, directory.now - KEPT_FOR)

    async def _decide(
        self, account: str, carrier: str, receipts: Sequence[tuple[ReceiptHeard, timedelta]]
    ) -> Sequence[ReceiptHeard | None]:
        """Each receipt under the id that is meant; None where that is open."""
        form = await self._form(account, carrier)
        if form is None:
            ids = sorted({one.carrier_message_id for receipt, _ in receipts for one in candidates(receipt)})
            known = await self._known(account, carrier, ids)
            decisions = [decide(receipt, known, waited=waited) for receipt, waited in receipts]
            form = await self._learn(account, carrier, Counter(one.form for one in decisions if one is not None))
            if form is None:
                return [
                    receipt.under(decision.carrier_message_id)
                    if decision is not None
                    else _unheard_of(receipt, known, waited)
                    for (receipt, waited), decision in zip(receipts, decisions, strict=True)
                ]
        return [receipt.under(read_as(receipt, form)) for receipt, _ in receipts]

    async def _form(self, account: str, carrier: str) -> str | None:
        until, form = self._forms.get((account, carrier), (0.0, ""))
        if time.monotonic() < until:
            return form
        return self._believe(
            account, carrier, await id_format_queries.read_matches(await self._cells.directory(), account, carrier)
        )

    def _believe(self, account: str, carrier: str, matches: Mapping[str, int]) -> str | None:
        form = learned(matches)
        if form is None:
            self._forms.pop((account, carrier), None)
        else:
            self._forms[account, carrier] = time.monotonic() + BELIEVED_S, form
        return form

    async def _learn(self, account: str, carrier: str, matches: Mapping[str, int]) -> str | None:
        if not matches:
            return None
        directory = await self._cells.directory()
        await id_format_queries.add_matches(directory, account, carrier, matches)
        form = self._believe(account, carrier, await id_format_queries.read_matches(directory, account, carrier))
        if form is not None:
            log.info("message id format learned", account=account, carrier=carrier, form=form)
            await id_format_queries.look_now(directory, account, carrier)
        return form

    async def _known(self, account: str, carrier: str, ids: Sequence[str]) -> Known:
        parts: list[KnownPart] = []
        lengths: set[int] = set()
        for db in await self._all_cells():
            parts += await id_format_queries.find_parts(db, account, carrier, ids)
            lengths.update(await id_format_queries.list_lengths(db, account, carrier))
        return Known({part.carrier_message_id: part for part in parts}, lengths)

    async def _all_cells(self) -> Sequence[CellDb]:
        return [await self._cells.cell(name) for name in await self._cells.names()]


def _unheard_of(receipt: ReceiptHeard, known: Known, waited: timedelta) -> ReceiptHeard | None:
    """A receipt that no reading has found for long: from now on it is about a message that nobody knows."""
    is_known = any(one.carrier_message_id in known.parts for one in candidates(receipt))
    return None if is_known or waited < UNHEARD_OF else receipt.under(receipt.carrier_message_id)
