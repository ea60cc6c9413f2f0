"""Locks are taken in one order (law, wallets, everything else), so that no two transactions wait for each other."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from agentmessage.billing import operations as billing
from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState
from agentmessage.consent import operations as consent
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.messages import operations as messages
from agentmessage.messages.model import Cause, Message
from tests.delivery.harness import PATIENCE_S, admit, open_worker, ready_sender, status_of
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender


@asynccontextmanager
async def wallet_held(db: CellDb, account: Account, work: Coroutine[Any, Any, Any]) -> AsyncGenerator[Tx]:
    """Somebody holds the wallet, and the work has come to wait for it; the work is done when the block ends."""
    async with db.transaction() as tx:
        await billing.lock(tx, [account.org_id])
        task = asyncio.create_task(work)
        async with asyncio.timeout(PATIENCE_S):
            while not await db.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                assert not task.done()
        yield tx
    await task


async def _cancel(db: CellDb, account: Account, message_id: UUID) -> None:
    async with db.transaction() as tx:
        await messages.cancel(tx, account.tenant, message_id)


async def _cancel_pair(db: CellDb, account: Account, sender: Sender) -> None:
    async with db.transaction() as tx:
        await consent.lock_law(tx, account.org_id)
        await messages.cancel_pair(tx, account.org_id, sender.id, CONTACT, Cause.OPTED_OUT)


@pytest.mark.parametrize("way", ["one", "pair"])
async def test_a_cancellation_holds_no_text_while_it_waits_for_the_wallet(
    db: CellDb, account: Account, way: str
) -> None:
    """Who holds the wallet may want the text: an erasure, or a STOP whose own text is being charged."""
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    work = _cancel(db, account, message.id) if way == "one" else _cancel_pair(db, account, sender)

    async with wallet_held(db, account, work) as tx:
        free = await tx.all(_id, "SELECT message_id FROM message_queue FOR UPDATE NOWAIT")

    assert free == [message.id]
    assert await status_of(db, message.id) == ("canceled", None)


def _id(value: UUID) -> UUID:
    return value


async def test_a_late_receipt_holds_no_text_while_it_waits_for_the_wallet(db: CellDb, account: Account) -> None:
    """Who holds the wallet may want the text: an erasure, or a worker that records."""
    message = await _unknown(db, account)
    told = ReceiptHeard(
        carrier="smpp",
        carrier_message_id="b000",
        message_id=message.id,
        state=ReceiptState.DELIVERED,
        happened_at=datetime.now(UTC),
        raw="raw",
    )

    async with wallet_held(db, account, receipts.apply(db, "live", [told])) as tx:
        free = await tx.all(_id, "SELECT id FROM messages FOR NO KEY UPDATE NOWAIT")

    assert free == [message.id]
    assert await status_of(db, message.id) == ("delivered", None)
    assert await db.value("SELECT is_charged FROM messages")


async def _unknown(db: CellDb, account: Account) -> Message:
    """A text that the carrier never answered for."""
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db, response_timeout_s=0.1) as (smsc, worker):
        smsc.decide = lambda _: None
        await worker.turn()
    assert await status_of(db, message.id) == ("undelivered", "unknown")
    return message
