"""A worker's texts as a whole: lines, cells, what carriers tell, and a stop in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentmessage.app.carrier_events import Hearing
from agentmessage.app.message_worker import Texting
from agentmessage.app.providers.message_carriers import NoLine, TextLine, text_lines
from agentmessage.carriers.bandwidth import BandwidthAccount, BandwidthTexts
from agentmessage.carriers.http import AiohttpTransport
from agentmessage.carriers.messaging import InboundHeard, ReceiptHeard, ReceiptState
from agentmessage.carriers.smpp import GsmForm, SmppTexts, decode
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.migrations.runner import migrate
from agentmessage.outbox.notifications import Bells
from agentmessage.settings import Settings
from agentmessage.smpp.pdu import DeliverSm
from agentmessage.smpp.receipts import State
from tests.delivery.harness import (
    CLOCK,
    PATIENCE_S,
    Smsc,
    account_at,
    admit,
    open_worker,
    ready_sender,
    smsc_up,
    status_of,
    worker_on,
)
from tests.make.accounts import Account, open_account


def nobody(cell: str, bell: str) -> None:
    del cell, bell


@asynccontextmanager
async def texting(cells: Cells, settings: Settings, smsc: Smsc, db: CellDb) -> AsyncIterator[Texting]:
    """A worker's texts; the SMSC is the live account's line."""
    lines = {"live": [TextLine(SmppTexts(account_at(smsc.port)), frozenset({"sms"}))]}
    running = Texting(settings, cells, lines, bells=Bells(cells), ring=nobody)
    running.start()
    running.take_up(db)
    try:
        yield running
    finally:
        await running.stop()


async def _until(db: CellDb, message_id: object, status: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await db.value("SELECT status FROM messages WHERE id = $1", message_id) != status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_worker_sends_what_is_queued_and_hears_what_became_of_it(
    cells: Cells, db: CellDb, settings: Settings, account: Account
) -> None:
    sender = await ready_sender(db, account)
    async with smsc_up(Smsc()) as smsc, texting(cells, settings, smsc, db):
        (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
        await _until(db, message.id, "sent")
        await smsc.tell("a000", State.DELIVERED)
        await _until(db, message.id, "delivered")


async def test_a_receipt_that_overtakes_the_books_waits_for_them(
    cells: Cells, db: CellDb, settings: Settings, account: Account
) -> None:
    """The carrier tells at once; the worker records first and then believes, so nothing is kept as early."""
    sender = await ready_sender(db, account)
    async with smsc_up(Smsc()) as smsc, texting(cells, settings, smsc, db):
        messages = await admit(db, account.tenant, sender, *(f"Acme: {number}" for number in range(50)))
        told: set[str] = set()
        async with asyncio.timeout(PATIENCE_S):
            while len(told) < 50:
                for carrier_id in smsc.taken.keys() - told:
                    told.add(carrier_id)
                    assert await smsc.tell(carrier_id, State.DELIVERED) == 0
                await asyncio.sleep(0)
        for message in messages:
            await _until(db, message.id, "delivered")


async def test_a_stop_waits_for_what_is_in_flight_and_records_it(
    cells: Cells, db: CellDb, settings: Settings, account: Account
) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with smsc_up(Smsc()) as smsc:
        smsc.decide = lambda _: None
        async with texting(cells, settings, smsc, db) as running:
            async with asyncio.timeout(PATIENCE_S):
                await smsc.was_asked.wait()
            stopping = asyncio.create_task(running.stop())
            await asyncio.sleep(0)
            smsc.speak.set()
            await stopping

    assert await status_of(db, message.id) == ("sent", None)
    assert await db.value("SELECT count(*) FROM message_queue") == 0


async def test_a_stop_leaves_the_rest_of_the_queue_unclaimed(
    cells: Cells, db: CellDb, settings: Settings, account: Account
) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, *(f"Acme: {number}" for number in range(400)))
    async with smsc_up(Smsc()) as smsc, texting(cells, settings, smsc, db):
        async with asyncio.timeout(PATIENCE_S):
            await smsc.was_asked.wait()

    assert await db.value("SELECT count(*) FROM message_queue WHERE claimed_at IS NOT NULL") == 0
    assert await db.value("SELECT count(*) FROM messages WHERE status = 'sent'") == len(smsc.asked)
    assert await db.value("SELECT count(*) FROM message_queue") == 400 - len(smsc.asked)


async def test_a_receipt_finds_its_text_in_whichever_cell_it_is(cells: Cells, dsn: str, db: CellDb) -> None:
    await migrate(dsn, new_cells=["cell_01"])
    far = await open_account(cells, name="Far", cell="cell_01")
    other = await cells.cell("cell_01")
    sender = await ready_sender(other, far)
    (message,) = await admit(other, far.tenant, sender, "Far: hi.")
    hearing = Hearing(cells, ring=nobody, requires_propagation=True)
    async with open_worker(other) as (_, worker):
        await worker.turn()
        await hearing.hear("live", [_delivered("a000"), _delivered("nobody-s")])

    assert await status_of(other, message.id) == ("delivered", None)
    for cell in (db, other):
        assert await cell.all(str, "SELECT carrier_message_id FROM unmatched_receipts") == ["nobody-s"]


async def test_texts_and_receipts_are_heard_together(cells: Cells, db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    hearing = Hearing(cells, ring=nobody, requires_propagation=True)
    reply = InboundHeard(
        carrier="smpp",
        carrier_message_id="mo-1",
        sender=message.recipient,
        recipient=sender.number,
        text="Thanks",
        raw=b"Thanks",
    )
    async with smsc_up(Smsc()) as smsc, worker_on(db, SmppTexts(account_at(smsc.port))) as worker:
        await worker.turn()
        await hearing.hear("live", [_delivered("a000"), reply])

    assert await status_of(db, message.id) == ("delivered", None)
    assert await db.value("SELECT body FROM inbound_messages") == "Thanks"


async def test_a_state_that_nobody_knows_is_kept_as_it_came_and_ends_nothing(
    cells: Cells, db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    hearing = Hearing(cells, ring=nobody, requires_propagation=True)
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        await smsc.say("id:a000 stat:PARKED err:007")
        await hearing.hear("live", worker.heard)

    assert await status_of(db, message.id) == ("sent", None)
    assert await db.all(lambda *row: row, "SELECT operation, reason, raw FROM directory.unparsed_responses") == [
        ("receipt", "unrecognized state PARKED", "smpp id:a000 stat:PARKED err:007")
    ]


async def test_an_octet_that_is_no_septet_is_counted_without_what_was_said(cells: Cells, db: CellDb) -> None:
    hearing = Hearing(cells, ring=nobody, requires_propagation=True)
    pdu = DeliverSm(source="12125550188", destination="14155550123", short_message=b"my caf\xe9")
    heard = decode.text(pdu, GsmForm.UNPACKED, now=db.now)

    await hearing.hear("live", [heard])

    assert await db.all(lambda *row: row, "SELECT operation, reason, raw FROM directory.unparsed_responses") == [
        ("inbound_message", "unrecognized octets e9 under data_coding 0", f"smpp {heard.carrier_message_id}")
    ]


def _delivered(carrier_id: str) -> ReceiptHeard:
    return ReceiptHeard(
        carrier="smpp",
        carrier_message_id=carrier_id,
        state=ReceiptState.DELIVERED,
        happened_at=CLOCK.now(),
        raw="raw",
    )


async def test_every_channel_of_every_account_has_a_line(settings: Settings) -> None:
    bandwidth = BandwidthAccount(
        account_id="1",
        username="u",
        password="p",
        base_url="http://127.0.0.1",
        site_id="1",
        callback_username="u",
        callback_password="p",
    )
    changes = [{}, {"smpp_host": "smsc.example"}, {"live_message_carrier": "bandwidth"}, {"bandwidth_username": "u"}]
    for change in changes:
        configured = Settings(database_url=settings.database_url, **change)
        for account in ("live", "sandbox"):
            lines = text_lines(configured, account, bandwidth, AiohttpTransport())
            channels = [channel for line in lines for channel in line.channels]
            assert sorted(channels) == ["mms", "sms"]
    (over_http,) = text_lines(
        Settings(database_url=settings.database_url, bandwidth_username="u"), "live", bandwidth, AiohttpTransport()
    )
    assert isinstance(over_http.carrier, BandwidthTexts)
    sms, mms = text_lines(
        Settings(database_url=settings.database_url, smpp_host="smsc.example"), "live", bandwidth, AiohttpTransport()
    )
    assert isinstance(sms.carrier, SmppTexts)
    assert sms.carrier.account.bind.host == "smsc.example"
    assert isinstance(mms.carrier, NoLine)
