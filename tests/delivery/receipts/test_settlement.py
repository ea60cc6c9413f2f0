"""Messages whose id was lost with their worker: their receipts still say what became of them, where that is sure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState
from agentmessage.delivery import dispatch_queries
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.delivery.receipts.settlement_rules import Kept, Unnamed, settlements
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.messages.model import Message
from agentmessage.sms.segments import split
from agentmessage.sms.traces import pair_trace, text_trace
from tests.delivery.harness import admit, open_worker, ready_sender, status_of
from tests.make.accounts import Account

UNKNOWN = ("undelivered", "unknown")
HANDED = datetime(2026, 11, 23, 12, 0, 40, tzinfo=UTC)
LONG = "Acme: ticket 7 " + " ".join(str(number) for number in range(150))


async def lose(db: CellDb, worker: Any, *messages: Message) -> None:
    """The worker that handed them over dies after the carrier has taken them."""
    async with db.transaction() as tx:
        ids = [message.id for message in messages]
        await dispatch_queries.claim(tx, ids, token=new_id(), until=tx.now - timedelta(seconds=1))
    await worker.sweep()


def about(message: Message, name: str, text: str, **changes: Any) -> ReceiptHeard:
    values: dict[str, Any] = {
        "carrier": "smpp",
        "carrier_message_id": name,
        "state": ReceiptState.DELIVERED,
        "happened_at": datetime.now(UTC),
        "raw": "raw",
        "pair": pair_trace(message.recipient, message.sender),
        "excerpt": text_trace(text[:20]),
        "submitted_at": datetime.now(UTC).replace(second=0, microsecond=0),
    }
    return ReceiptHeard(**(values | changes))


async def settle(db: CellDb, worker: Any, *told: ReceiptHeard) -> int:
    await receipts.keep(db, "live", await receipts.apply(db, "live", told))
    await db.run("UPDATE unmatched_receipts SET received_at = received_at - interval '3 seconds'")
    return await worker.sweeper.settle()


async def test_a_receipt_that_fits_one_unknown_message_settles_and_charges_it(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    messages = await admit(db, account.tenant, sender, *(f"Acme: ticket {number} of today" for number in range(3)))
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: 0
        await lose(db, worker, *messages)
        before = [await status_of(db, message.id) for message in messages]
        told = [about(message, f"c{number}", f"Acme: ticket {number} of") for number, message in enumerate(messages)]
        settled = await settle(db, worker, *told)
        again = await settle(db, worker, *told)

    assert before == [UNKNOWN] * 3
    assert (settled, again) == (3, 0)
    assert [await status_of(db, message.id) for message in messages] == [("delivered", None)] * 3
    assert await db.value("SELECT sum(quantity)::int FROM usage_rows") == 3
    assert await db.value("SELECT count(*) FROM unmatched_receipts") == 0
    assert await db.value("SELECT count(*) FROM messages_without_carrier_id") == 0


async def test_of_two_messages_that_fit_neither_is_settled(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    messages = await admit(db, account.tenant, sender, "Acme: the same words.", "Acme: the same words.")
    async with open_worker(db) as (_, worker):
        await lose(db, worker, *messages)

        assert await settle(db, worker, about(messages[0], "c0", "Acme: the same words.")) == 0

    assert [await status_of(db, message.id) for message in messages] == [UNKNOWN] * 2
    assert await db.value("SELECT count(*) FROM unmatched_receipts") == 1


async def test_nothing_is_settled_while_another_message_to_the_same_number_is_on_its_way(
    db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    (lost,) = await admit(db, account.tenant, sender, "Acme: the same words.")
    async with open_worker(db) as (smsc, worker):
        await lose(db, worker, lost)
        (other,) = await admit(db, account.tenant, sender, "Acme: the same words.")
        smsc.decide = lambda _: None
        await worker.dispatcher.until_room()
        await worker.dispatcher.turn()
        early = await settle(db, worker, about(lost, "a000", "Acme: the same words."))
        smsc.speak.set()
        await worker.settle()

    assert early == 0
    assert await status_of(db, lost.id) == UNKNOWN
    assert await status_of(db, other.id) == ("delivered", None)


async def test_a_long_message_is_settled_by_the_receipts_of_all_its_parts(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, LONG)
    parts = split(LONG)
    told = [about(message, f"c{number}", part) for number, part in enumerate(parts)]
    async with open_worker(db) as (_, worker):
        await lose(db, worker, message)
        await settle(db, worker, *told[1:])
        halfway = await status_of(db, message.id)
        await settle(db, worker, told[0])

    assert len(parts) > 2
    assert halfway == UNKNOWN
    assert await status_of(db, message.id) == ("delivered", None)
    assert await db.value("SELECT sum(quantity)::int FROM usage_rows") == len(parts)


async def test_a_carrier_that_gives_no_ids_is_followed_by_what_its_receipts_repeat(
    db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    one, other = await admit(db, account.tenant, sender, "Acme: ticket 1 of today", "Acme: ticket 2 of today")
    async with open_worker(db) as (smsc, worker):
        smsc.name = lambda _: ""
        await worker.turn()
        await settle(
            db,
            worker,
            about(one, "", "Acme: ticket 1 of to"),
            about(other, "", "Acme: ticket 2 of to", state=ReceiptState.FAILED),
        )

    assert await status_of(db, one.id) == ("delivered", None)
    assert (await status_of(db, other.id))[0] == "failed"


# ---- the rules


def kept(text: str = "Acme: ticket 7 of to", *, name: str = "c0", at: datetime | None = HANDED) -> Kept:
    receipt = ReceiptHeard(
        carrier="smpp",
        carrier_message_id=name,
        state=ReceiptState.DELIVERED,
        happened_at=HANDED,
        raw="raw",
        excerpt=text_trace(text),
        submitted_at=at,
    )
    return Kept(new_id(), receipt)


SEVEN = Unnamed(new_id(), new_id(), HANDED, "Acme: ticket 7 of today")
EIGHT = Unnamed(new_id(), new_id(), HANDED, "Acme: ticket 8 of today")
CYRILLIC = Unnamed(new_id(), new_id(), HANDED, "Acme: Ж ticket 7 of today")


@pytest.mark.parametrize(
    ("receipt", "message", "fits"),
    [
        (kept(), SEVEN, True),
        (kept(), EIGHT, False),
        (kept(at=HANDED.replace(second=0)), SEVEN, True),
        (kept(at=HANDED + timedelta(hours=5, minutes=30)), SEVEN, True),  # a carrier in India
        (kept(at=HANDED - timedelta(hours=8)), SEVEN, True),
        (kept(at=HANDED + timedelta(minutes=7)), SEVEN, False),
        (kept(at=HANDED + timedelta(days=1)), SEVEN, False),
        (kept("", at=HANDED), SEVEN, True),
        (kept("Hi", at=HANDED), SEVEN, True),  # too little to say anything
        (kept("", at=None), SEVEN, False),
        (kept(at=None), SEVEN, True),
        (kept("", at=HANDED), Unnamed(new_id(), new_id(), HANDED, LONG), False),
        (kept(CYRILLIC.words.encode("utf-16-be")[:20].decode("latin-1")), CYRILLIC, True),
        (kept("Acme: ? ticket 7"), CYRILLIC, True),
    ],
)
def test_a_receipt_fits_a_message_by_time_and_words(receipt: Kept, message: Unnamed, *, fits: bool) -> None:
    assert bool(settlements([(receipt, message)])) is fits


def test_what_fits_twice_is_never_settled() -> None:
    wordless = kept("", name="c1")

    assert settlements([(kept(name="c0"), SEVEN), (kept(name="c1"), SEVEN)]) == []
    assert settlements([(wordless, SEVEN), (wordless, EIGHT)]) == []
    assert len(settlements([(kept(), SEVEN), (kept("Acme: ticket 8 of", name="c1"), EIGHT)])) == 2
