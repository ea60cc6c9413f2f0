"""Ids that carriers write in two forms: a receipt is never about another message than its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentmessage.app.carrier_events import Hearing
from agentmessage.app.message_worker import Texting
from agentmessage.app.providers.message_carriers import TextLine
from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState
from agentmessage.carriers.smpp import MessageIds, SmppTexts
from agentmessage.carriers.smpp.message_ids import plain, readings
from agentmessage.delivery.receipts import message_ids
from agentmessage.delivery.receipts.id_format_rules import AS_IS, Decision, Known, KnownPart, decide, learned
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.outbox.notifications import Bells
from agentmessage.settings import Settings
from agentmessage.smpp.pdu import SubmitSm
from agentmessage.smpp.receipts import State
from agentmessage.sms.traces import pair_trace, text_trace
from tests.delivery.harness import (
    PATIENCE_S,
    Smsc,
    account_at,
    admit,
    ready_sender,
    smsc_up,
    status_of,
    worker_on,
)
from tests.make.accounts import Account

Write = Callable[[int], str]
DECIMAL: Write = str
HEXADECIMAL: Write = "{:X}".format
SENDER, RECIPIENT, TEXT = "+14155550123", "+12125550188", "Acme: ticket 7 of today"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Counting(Smsc):
    """Gives ids of a counter from one, tells of each at once over any of its sessions, and fails every fifth."""

    def __init__(self, answers: Write, receipts: Write) -> None:
        super().__init__()
        self.name = lambda number: answers(number + 1)
        self._write = receipts
        self._telling: set[asyncio.Task[Any]] = set()
        self.told = 0

    def on_submit(self, session: Any, pdu: SubmitSm) -> Any:
        number = self.count + 1
        reply = super().on_submit(session, pdu)
        task = asyncio.create_task(self._tell(number))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return reply

    async def _tell(self, number: int) -> None:
        await asyncio.sleep(number % 7 * 0.001)  # some before their answer is recorded, by whichever worker
        assert self.server is not None
        sessions = sorted(self.server.sessions, key=id)
        self.session = sessions[number % len(sessions)]
        state = State.UNDELIVERABLE if number % 5 == 0 else State.DELIVERED
        about = self.taken[self.name(number - 1)]
        assert await self.say(f"id:{self._write(number)} stat:{_WORDS[state]} err:000", about=about) == 0
        self.told += 1


_WORDS = {State.DELIVERED: "DELIVRD", State.UNDELIVERABLE: "UNDELIV"}


@asynccontextmanager
async def workers(cells: Cells, settings: Settings, db: CellDb, port: int, count: int) -> AsyncIterator[None]:
    """Workers that share a queue and a carrier, all to the same account."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            lines = {"live": [TextLine(SmppTexts(account_at(port, window=20)), frozenset({"sms"}))]}
            running = Texting(settings, cells, lines, bells=Bells(cells), ring=lambda *_: None)
            running.start()
            running.take_up(db)
            stack.push_async_callback(running.stop)
        yield


@pytest.mark.parametrize(
    ("answers", "receipts"),
    [(DECIMAL, DECIMAL), (HEXADECIMAL, HEXADECIMAL), (HEXADECIMAL, DECIMAL), (DECIMAL, HEXADECIMAL)],
    ids=["decimal", "hexadecimal", "hex_answers", "hex_receipts"],
)
async def test_a_small_counter_confuses_no_messages(
    cells: Cells, db: CellDb, settings: Settings, account: Account, *, answers: Write, receipts: Write
) -> None:
    """All from one sender to one recipient with the same words, so that nothing but the id tells them apart."""
    count = 150
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, *["Acme: hi."] * count)
    smsc = Counting(answers, receipts)
    async with smsc_up(smsc), workers(cells, settings, db, smsc.port, 2), asyncio.timeout(3 * PATIENCE_S):
        while await db.value(  # noqa: ASYNC110
            """SELECT (SELECT count(*) FROM messages WHERE status IN ('queued', 'sent'))
                    + (SELECT count(*) FROM directory.undecided_receipts)"""
        ):
            await asyncio.sleep(0.05)

    became = await db.all(
        lambda *row: row,
        """SELECT p.carrier_message_id, m.status FROM messages m JOIN message_parts p ON p.message_id = m.id""",
    )
    written = {plain(answers(number)): number for number in range(1, count + 1)}
    wrong = [
        (carrier_id, status)
        for carrier_id, status in became
        if status != ("undelivered" if written[carrier_id] % 5 == 0 else "delivered")
    ]
    assert (len(became), wrong) == (count, [])


@pytest.mark.parametrize(
    ("in_answer", "in_receipt"),
    [("0a1b2c3d", "169552957"), ("1a1b2c3d", "437988413"), ("169552957", "0A1B2C3D"), ("00A1B2C3D4", "a1b2c3d4")],
)
async def test_an_id_in_another_form_finds_its_message_in_another_worker_s_time(
    cells: Cells, db: CellDb, account: Account, monkeypatch: pytest.MonkeyPatch, *, in_answer: str, in_receipt: str
) -> None:
    """The worker that was answered is gone; the one that hears the receipt has only the database."""
    monkeypatch.setattr(message_ids, "FIRST_LOOK", timedelta(0))
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with smsc_up(Smsc()) as smsc:
        smsc.name = lambda _: in_answer
        async with worker_on(db, SmppTexts(account_at(smsc.port))) as worker:
            await worker.turn()
        line = SmppTexts(account_at(smsc.port))
        hearing = Hearing(cells, ring=lambda *_: None, requires_propagation=True)
        running = asyncio.create_task(line.run(hearing.hear))
        await line.until_room()
        assert smsc.server is not None
        (smsc.session,) = smsc.server.sessions
        assert await smsc.say(f"id:{in_receipt} stat:DELIVRD") == 0
        running.cancel()
        await db.run("UPDATE directory.undecided_receipts SET received_at = received_at - interval '6 seconds'")
        await hearing.look_again()

    assert await status_of(db, message.id) == ("delivered", None)


# ---- the rules


def receipt(message_id: str, *, pair: str = pair_trace(SENDER, RECIPIENT), excerpt: str = "") -> ReceiptHeard:
    return ReceiptHeard(
        carrier="smpp",
        carrier_message_id=plain(message_id),
        readings=readings(message_id, MessageIds.AUTO),
        state=ReceiptState.DELIVERED,
        happened_at=NOW,
        raw="raw",
        pair=pair,
        excerpt=excerpt,
    )


def known(*ids: str, lengths: Sequence[int] | None = None, **changes: Any) -> Known:
    given = {"outcome": None, "sender": SENDER, "recipient": RECIPIENT, "text": TEXT} | changes
    parts = {one: KnownPart(carrier_message_id=one, message_id=new_id(), **given) for one in ids}
    return Known(parts, set(map(len, ids)) if lengths is None else lengths)


JUST_NOW, LONG_AGO = timedelta(0), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("message_id", "there", "waited", "found"),
    [
        ("169552957", known("a1b2c3d"), JUST_NOW, Decision("hex_answers", "a1b2c3d")),
        ("a1b2c3d", known("169552957"), JUST_NOW, Decision("hex_receipts", "169552957")),
        ("a1b2c3d", known("a1b2c3d"), JUST_NOW, Decision(AS_IS, "a1b2c3d")),
        ("16", known("10"), JUST_NOW, None),  # 16 itself may be on its way into the database
        ("16", known("10"), LONG_AGO, Decision("hex_answers", "10")),
        ("16", known("10", recipient="+12125550177"), LONG_AGO, None),
        ("16", known("10", outcome="undelivered"), LONG_AGO, None),
        ("100", known("64"), JUST_NOW, None),  # 100 may be the first id of three digits
        ("16", known("16", "10"), LONG_AGO, None),
        ("16", known("16", lengths=[2]), JUST_NOW, None),
        ("16", known("16"), LONG_AGO, Decision(AS_IS, "16")),
        ("16", known(), LONG_AGO, None),
    ],
)
def test_a_reading_is_taken_only_where_no_other_can_be_meant(
    message_id: str, there: Known, waited: timedelta, found: Decision | None
) -> None:
    assert decide(receipt(message_id), there, waited=waited) == found


def test_of_two_messages_the_receipt_s_own_words_choose_one() -> None:
    parts = known("16").parts | known("10", recipient="+12125550177").parts
    same_pair = known("16").parts | known("10", text="Acme: ticket 8 of today").parts
    words = text_trace("Acme: ticket 7 of to")

    assert decide(receipt("16"), Known(parts, {2}), waited=LONG_AGO) == Decision(AS_IS, "16")
    assert decide(receipt("16"), Known(same_pair, {2}), waited=LONG_AGO) is None
    assert decide(receipt("16", excerpt=words), Known(same_pair, {2}), waited=LONG_AGO) == Decision(AS_IS, "16")


@pytest.mark.parametrize(
    ("matches", "form"),
    [
        ({}, None),
        ({AS_IS: 1}, AS_IS),
        ({"hex_answers": 1}, "hex_answers"),
        ({AS_IS: 3, "hex_answers": 1}, None),
        ({AS_IS: 50, "hex_answers": 1}, AS_IS),
    ],
)
def test_a_form_is_the_carriers_where_ids_matched_one_way_and_never_the_other(
    matches: dict[str, int], form: str | None
) -> None:
    assert learned(matches) == form
