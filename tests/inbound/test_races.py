"""A STOP beside sends: whichever comes first, nothing is left that could still be texted."""

import asyncio
from typing import Any

import pytest

from agentmessage.kernel.db import CellDb, Cells
from tests.conftest import Client
from tests.inbound.handset import Handset, heard
from tests.make.accounts import Account
from tests.make.texts import Sender, insert_consent, set_throughput

ROUNDS = 15
CLIENTS = 4
SENDS_EACH = 8


async def test_a_stop_among_sends_leaves_nothing_queued_and_lets_nothing_in_afterwards(
    db: CellDb, cells: Cells, api: Client, account: Account, sender: Sender
) -> None:
    await set_throughput(db, account.tenant)
    accepted = refused = 0
    for number in range(ROUNDS):
        contact = f"+1212555{number:04d}"
        await insert_consent(db, account.tenant, sender, contact)
        body = {"from": sender.number, "to": contact, "text": "Offer"}
        sending = [in_a_row(api, body) for _ in range(CLIENTS)]

        *told, _ = await asyncio.gather(*sending, Handset(cells, sender.number, number=contact).texts("STOP"))

        statuses = [status for row in told if row is not None for status in row]
        accepted += statuses.count(202)
        refused += statuses.count(453)
        left = await db.all(
            str,
            "SELECT status FROM messages WHERE recipient = $1 AND kind = 'customer' AND status <> 'canceled'",
            contact,
        )
        assert left == []
        assert (
            await db.value("SELECT count(*) FROM message_queue WHERE recipient = $1 AND kind = 'customer'", contact)
            == 0
        )
        assert (await api.post("/v1/messages", body)).error["code"] == "RECIPIENT_OPTED_OUT"
    assert accepted + refused == ROUNDS * CLIENTS * SENDS_EACH
    assert accepted
    assert refused


async def in_a_row(api: Client, body: Any) -> list[int]:
    """Texts one after the other, so that some come after the STOP; answers their statuses."""
    return [(await api.post("/v1/messages", body)).status for _ in range(SENDS_EACH)]


async def test_of_stops_and_starts_over_two_lines_the_one_that_is_shown_last_holds(
    db: CellDb, cells: Cells, sender: Sender
) -> None:
    """Two binds of one carrier may tell them at once: each is decided after the other, in the order that is shown."""
    one, two = Handset(cells, sender.number), Handset(cells, sender.number)

    for _ in range(10):
        await asyncio.gather(one.texts("STOP"), two.texts("START"), one.texts("HELP"), two.texts("STOP"))

        last = await db.value(
            "SELECT body FROM inbound_messages WHERE body <> 'HELP' ORDER BY received_at DESC, id DESC LIMIT 1"
        )
        assert await db.value("SELECT opted_in FROM consents") is (last == "START")
    assert await db.value("SELECT count(*) FROM inbound_messages") == 40
    assert await db.value("SELECT count(DISTINCT received_at) FROM inbound_messages") == 40
    assert await db.value("SELECT count(*) FROM inbound_raw WHERE problem IS NOT NULL") == 0


@pytest.mark.parametrize("lines", [2, 5])
async def test_one_text_that_several_lines_tell_at_once_is_one(
    lines: int, db: CellDb, cells: Cells, sender: Sender
) -> None:
    for _ in range(10):
        text = heard("STOP", to=sender.number)
        await asyncio.gather(*(Handset(cells, sender.number).tells(text) for _ in range(lines)))

    assert await db.value("SELECT count(*) FROM inbound_messages") == 10
    assert await db.value("SELECT count(*) FROM usage_rows WHERE kind = 'inbound_sms'") == 10
    assert await db.value("SELECT count(*) FROM messages") == 1
