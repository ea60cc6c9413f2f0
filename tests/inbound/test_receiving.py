"""Texts in: stored once, whole, charged, told of; whatever they are and however often they come."""

from typing import Any

from agentmessage.kernel.db import CellDb
from tests.conftest import Client
from tests.inbound.handset import Handset, heard
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender


async def test_a_text_is_stored_charged_and_told_of(
    db: CellDb, api: Client, account: Account, sender: Sender, handset: Handset
) -> None:
    await handset.texts("Is Monday at 9 free?")

    (shown,) = (await api.get("/v1/inbound-messages")).data
    assert (shown["from"], shown["to"], shown["body"]) == (CONTACT, sender.number, "Is Monday at 9 free?")
    assert (shown["channel"], shown["segment_count"], shown["phone_number_id"]) == ("sms", 1, str(sender.id))
    assert shown["opt_out"] == {"detected": False, "keyword": None, "method": None}
    events = (await api.get("/v1/events?type=inbound_message.received")).data
    assert [event["data"] for event in events] == [shown]
    charged = await db.value("SELECT kind || ' ' || quantity FROM usage_rows WHERE org_id = $1", account.org_id)
    assert charged == "inbound_sms 1"
    assert set(handset.rung) == {
        "cell_00/events",
        f"cell_00/inbound:{sender.number}",
        f"cell_00/inbound:{account.org_id}",
    }


async def test_a_repeated_delivery_changes_nothing(db: CellDb, api: Client, handset: Handset, sender: Sender) -> None:
    text = heard("Hello", to=sender.number)
    await handset.tells(text)
    before = await state(db)

    await handset.tells(text, text)

    assert await state(db) == before
    assert len((await api.get("/v1/inbound-messages")).data) == 1


async def state(db: CellDb) -> Any:
    tables = ("inbound_raw", "inbound_messages", "conversations", "conversation_entries", "usage_rows", "events")
    return [
        await db.all(str, f"SELECT t::text FROM {table} t ORDER BY 1")  # noqa: S608 - names of our own
        for table in tables
    ]
