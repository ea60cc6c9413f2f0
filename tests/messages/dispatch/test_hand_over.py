"""From the queue to the carrier and back: what is handed over, what is recorded, and what it costs."""

from agentmessage.kernel.db import CellDb
from agentmessage.smpp.receipts import State
from tests.make.accounts import Account
from tests.messages.dispatch.floor import admit, floor, history_of, ready_sender, status_of


async def test_a_text_is_sent_once_and_delivered_by_its_receipt(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: you are next.")
    async with floor(db) as (smsc, desk):
        await desk.turn()
        (carrier_id,) = smsc.taken
        sent = await status_of(db, message.id)

        assert await smsc.tell(carrier_id, State.DELIVERED) == 0

    assert sent == ("sent", None)
    assert await status_of(db, message.id) == ("delivered", None)
    assert await history_of(db, message.id) == [("sent", "accepted_by_carrier"), ("delivered", "receipt")]
    assert smsc.taken[carrier_id].short_message == b"Acme: you are next."
    assert await db.value("SELECT count(*) FROM dispatches") == 0
    assert await db.all(str, "SELECT type FROM events WHERE family = 'message' ORDER BY id") == [
        "message.sent",
        "message.delivered",
    ]
