"""Carriers that give several parts or messages one id, or none: all are recorded and charged."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState, TextError
from agentmessage.kernel.db import CellDb
from agentmessage.smpp.receipts import State
from agentmessage.sms.traces import pair_trace
from tests.delivery.harness import admit, open_worker, ready_sender, status_of
from tests.make.accounts import Account
from tests.make.texts import insert_consent

LONG = "Acme: " + "a" * 400


@pytest.mark.parametrize("name", [lambda _: "", lambda _: "7", lambda number: str(number % 3), lambda n: "7" * (n % 2)])
async def test_messages_are_recorded_and_charged_once_whatever_ids_their_parts_have(
    db: CellDb, account: Account, name: Callable[[int], str]
) -> None:
    sender = await ready_sender(db, account)
    messages = await admit(db, account.tenant, sender, *[LONG] * 5, *["Acme: hi."] * 5)
    async with open_worker(db) as (smsc, worker):
        smsc.name = name
        await worker.turn()

        assert [await status_of(db, message.id) for message in messages] == [("sent", None)] * 10
        assert await db.value("SELECT sum(quantity)::int FROM usage_rows") == 5 * 3 + 5
        assert await db.value("SELECT count(DISTINCT message_id) FROM message_parts") == 10
        await db.run("UPDATE message_parts SET created_at = $1", db.now - timedelta(hours=73))
        await worker.sweeper.give_up()

    assert await db.value("SELECT count(*) FROM messages WHERE error_code = 'receipt_timeout'") == 10


async def test_one_id_for_all_parts_is_one_part(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    async with open_worker(db) as (smsc, worker):
        smsc.name = lambda number: f"b{number // 3}"
        (first,) = await admit(db, account.tenant, sender, LONG)
        await worker.turn()
        (second,) = await admit(db, account.tenant, sender, LONG)
        await worker.turn()
        for carrier_id, state in (("b0", State.DELIVERED), ("b0", State.DELIVERED), ("b1", State.UNDELIVERABLE)):
            await smsc.tell(carrier_id, state)

    assert await status_of(db, first.id) == ("delivered", None)
    assert await status_of(db, second.id) == ("undelivered", "destination_unreachable")


async def test_an_id_that_comes_again_means_the_newest_message_and_the_older_waits_no_less(
    db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    async with open_worker(db) as (smsc, worker):
        smsc.name = lambda _: "7"
        (older,) = await admit(db, account.tenant, sender, "Acme: older.")
        await worker.turn()
        (newer,) = await admit(db, account.tenant, sender, "Acme: newer.")
        await worker.turn()
        await smsc.tell("7", State.DELIVERED)
        await db.run("UPDATE message_parts SET created_at = $1", db.now - timedelta(hours=73))
        await worker.sweeper.give_up()

    assert await status_of(db, newer.id) == ("delivered", None)
    assert await status_of(db, older.id) == ("undelivered", "receipt_timeout")


async def test_a_receipt_that_comes_before_its_answer_is_not_that_of_an_older_message_with_its_id(
    db: CellDb, account: Account
) -> None:
    """The older one has ended, and the receipt repeats other numbers."""
    sender = await ready_sender(db, account)
    async with open_worker(db) as (smsc, worker):
        smsc.name = lambda _: "7"
        (older,) = await admit(db, account.tenant, sender, "Acme: older.")
        await worker.turn()
        await smsc.tell("7", State.DELIVERED)
        await insert_consent(db, account.tenant, sender, "+12125550177")
        (newer,) = await admit(db, account.tenant, sender, "Acme: newer.", to="+12125550177")
        early = ReceiptHeard(
            carrier="smpp",
            carrier_message_id="7",
            state=ReceiptState.UNDELIVERED,
            error=TextError.RECIPIENT_OPTED_OUT,
            pair=pair_trace(newer.sender, newer.recipient),
            raw="raw",
            happened_at=db.now,
        )
        await worker.hear("live", [early, early])
        await worker.sweep()
        await worker.turn()

    assert await status_of(db, older.id) == ("delivered", None)
    assert await status_of(db, newer.id) == ("undelivered", "recipient_opted_out")
    assert await db.all(str, "SELECT DISTINCT contact_number FROM opt_outs") == [newer.recipient]
    assert await db.value("SELECT count(*) FROM unmatched_receipts") == 0
