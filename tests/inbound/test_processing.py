"""Texts in: stored once, whole, charged, told of; whatever they are and however often they come."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from agentmessage.app.monitoring import gauges
from agentmessage.carriers.messaging import InboundHeard
from agentmessage.inbound import jobs, operations
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.outbox.job_runner import JobRunner
from tests.conftest import Client
from tests.inbound.handset import Handset, heard
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender


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


async def test_the_parts_of_a_long_text_are_one_text_in_whatever_order_they_come(
    api: Client, handset: Handset, sender: Sender
) -> None:
    parts = [part(sender, number, text) for number, text in enumerate(("Dear Acme, ", "may I come ", "on Monday?"), 1)]

    await handset.tells(parts[2], parts[0])
    assert (await api.get("/v1/inbound-messages")).data == []
    await handset.tells(parts[1])

    (shown,) = (await api.get("/v1/inbound-messages")).data
    assert (shown["body"], shown["segment_count"]) == ("Dear Acme, may I come on Monday?", 3)
    assert shown["carrier_message_id"] == parts[0].carrier_message_id


def part(to: Sender, number: int, text: str, *, parts: int = 3, reference: int = 7, **given: Any) -> InboundHeard:
    return heard(text, to=to.number, part=number, parts=parts, reference=reference, **given)


async def test_repeated_parts_change_nothing_before_and_after_the_last(
    db: CellDb, api: Client, handset: Handset, sender: Sender
) -> None:
    first, second = part(sender, 1, "Hello ", parts=2), part(sender, 2, "there", parts=2)

    await handset.tells(first, first)
    await handset.tells(second, first, second)
    await handset.tells(first)

    assert [shown["body"] for shown in (await api.get("/v1/inbound-messages")).data] == ["Hello there"]
    assert await db.value("SELECT count(*) FROM inbound_parts") == 0


async def test_last_parts_that_come_at_the_same_moment_make_one_text(
    db: CellDb, handset: Handset, sender: Sender
) -> None:
    for reference in range(20):
        parts = [part(sender, number, f"{number} ", parts=3, reference=reference) for number in (1, 2, 3)]
        await asyncio.gather(*(handset.tells(one) for one in parts))

    assert await db.all(str, "SELECT body FROM inbound_messages") == ["1 2 3 "] * 20
    assert await db.value("SELECT count(*) FROM inbound_parts") == 0


async def test_parts_of_others_and_of_other_texts_are_kept_apart(api: Client, handset: Handset, sender: Sender) -> None:
    await handset.tells(
        part(sender, 1, "a", parts=2),
        part(sender, 2, "b", parts=2, reference=8),
        part(sender, 2, "c", parts=2, sender="+12125550177"),
        part(sender, 2, "d", parts=3),
    )

    assert (await api.get("/v1/inbound-messages")).data == []


async def test_a_character_that_was_cut_in_two_is_whole_again(api: Client, handset: Handset, sender: Sender) -> None:
    await handset.tells(part(sender, 1, "Yes \ud83d", parts=2), part(sender, 2, "\ude00!", parts=2))

    assert [shown["body"] for shown in (await api.get("/v1/inbound-messages")).data] == ["Yes \N{GRINNING FACE}!"]


async def test_a_long_text_whose_parts_stay_away_is_shown_without_them(
    db: CellDb, api: Client, handset: Handset, sender: Sender
) -> None:
    await handset.tells(part(sender, 1, "Dear Acme, "), part(sender, 3, "on Monday?"))
    await operations.tidy(db, requires_propagation=True)
    assert (await api.get("/v1/inbound-messages")).data == []

    await db.run("UPDATE inbound_parts SET received_at = received_at - interval '11 minutes'")
    await operations.tidy(db, requires_propagation=True)

    (shown,) = (await api.get("/v1/inbound-messages")).data
    assert (shown["body"], shown["segment_count"]) == ("Dear Acme, …on Monday?", 2)
    assert await db.value("SELECT count(*) FROM inbound_parts") == 0


async def test_a_part_that_has_just_come_keeps_the_others_waiting(
    db: CellDb, api: Client, handset: Handset, sender: Sender
) -> None:
    await handset.tells(part(sender, 1, "Dear Acme, "))
    await db.run("UPDATE inbound_parts SET received_at = received_at - interval '11 minutes'")
    await handset.tells(part(sender, 3, "on Monday?"))

    await operations.tidy(db, requires_propagation=True)

    assert (await api.get("/v1/inbound-messages")).data == []


@pytest.mark.parametrize(("parts", "number"), [(3, 0), (3, 4), (0, 0), (-1, 1), (300, 2)])
async def test_a_part_that_cannot_be_one_is_a_text_by_itself(
    parts: int, number: int, api: Client, handset: Handset, sender: Sender
) -> None:
    await handset.tells(part(sender, number, "Hello", parts=parts))

    assert [shown["body"] for shown in (await api.get("/v1/inbound-messages")).data] == ["Hello"]


@pytest.mark.parametrize("state", [None, "quarantined", "ordering"])
async def test_a_text_for_a_number_that_nobody_holds_is_kept_and_counted_only(
    state: str | None, db: CellDb, cells: Cells, account: Account
) -> None:
    number = "+14155550124"
    if state is not None:
        await insert_sender(db, account.tenant, number, state=state)
    text = heard("STOP", to=number)

    await Handset(cells, number).tells(text, text)

    kept = await db.all(lambda *row: row, "SELECT problem, org_id, raw FROM inbound_raw")
    assert kept == [("not_ours", None, b"STOP")]
    assert await db.value("SELECT count(*) FROM inbound_messages") == 0
    assert await gauges.count_if_due(cells)
    assert b'agentmessage_inbound_messages_unprocessed{cell="cell_00",problem="not_ours"} 1.0' in await gauges.show(
        cells
    )


async def test_the_same_digits_in_the_sandbox_are_another_number(
    db: CellDb, cells: Cells, account: Account, sender: Sender
) -> None:
    twin = await insert_sender(db, account.sandbox, sender.number)

    await Handset(cells, sender.number, account="sandbox").texts("Hello")

    assert await db.all(str, "SELECT phone_number_id FROM inbound_messages") == [str(twin.id)]


async def test_media_make_it_an_mms_of_one_charge(db: CellDb, api: Client, account: Account, handset: Handset) -> None:
    urls = ["https://media.carrier.example/1.png", "https://media.carrier.example/2.png"]

    await handset.texts("", media=urls)

    (shown,) = (await api.get("/v1/inbound-messages?channel=mms")).data
    assert (shown["body"], shown["media_urls"], shown["segment_count"]) == (None, urls, 1)
    charged = await db.value("SELECT kind || ' ' || quantity FROM usage_rows WHERE org_id = $1", account.org_id)
    assert charged == "inbound_mms 1"
    assert (await api.get("/v1/inbound-messages?channel=sms")).data == []


async def test_a_text_that_cannot_be_stored_as_it_is_is_stored_nearly(
    api: Client, handset: Handset, sender: Sender
) -> None:
    await handset.tells(heard("a\x00b\ud800c" + "x" * 70_000, to=sender.number, raw=b"\x00" * 100_000))

    (shown,) = (await api.get("/v1/inbound-messages")).data
    assert shown["body"][:5] == "a\ufffdb\ufffdc"
    assert len(shown["body"]) == 65_536


async def test_a_text_that_a_fault_of_ours_stops_holds_up_no_other_and_is_applied_later(
    db: CellDb, api: Client, handset: Handset, sender: Sender
) -> None:
    await db.run(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a fault of ours'; END $$"
    )
    await db.run(
        """CREATE TRIGGER fault BEFORE INSERT ON inbound_messages FOR EACH ROW WHEN (NEW.body = 'STOP')
           EXECUTE FUNCTION fail()"""
    )
    await handset.tells(
        heard("Before", to=sender.number), heard("STOP", to=sender.number), heard("After", to=sender.number)
    )
    assert [shown["body"] for shown in (await api.get("/v1/inbound-messages")).data] == ["After", "Before"]
    assert await db.value("SELECT count(*) FROM consents") == 0
    assert await operations.count_problems(db, db.now - timedelta(hours=1)) == {"failed": 1}

    await db.run("DROP TRIGGER fault ON inbound_messages")
    await db.run("UPDATE jobs SET run_at = now() - interval '1 minute' WHERE kind = 'inbound.apply'")
    assert await JobRunner(db, jobs.handlers(requires_propagation=True)).run_due() == 1

    assert [shown["body"] for shown in (await api.get("/v1/inbound-messages")).data] == ["STOP", "After", "Before"]
    assert await db.value("SELECT suppressed_by FROM consents") == "keyword"
    assert await operations.count_problems(db, db.now - timedelta(hours=1)) == {}
    assert await db.value("SELECT count(*) FROM jobs WHERE kind = 'inbound.apply'") == 0


async def test_a_text_is_charged_though_the_wallet_is_empty(
    db: CellDb, api: Client, account: Account, handset: Handset
) -> None:
    await db.run("UPDATE wallets SET balance_microcents = 0 WHERE org_id = $1", account.org_id)

    await handset.texts("Hello")

    assert len((await api.get("/v1/inbound-messages")).data) == 1
    assert await db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", account.org_id) == -1_000_000


async def test_raw_texts_are_forgotten_after_thirty_days(db: CellDb, api: Client, handset: Handset) -> None:
    await handset.texts("Old")
    await db.run("UPDATE inbound_raw SET received_at = received_at - interval '31 days'")
    await handset.texts("New")

    await operations.forget_raw(db)

    assert await db.all(bytes, "SELECT raw FROM inbound_raw") == [b"New"]
    assert len((await api.get("/v1/inbound-messages")).data) == 2


async def test_a_repetition_that_comes_after_the_raw_text_was_forgotten_changes_nothing(
    db: CellDb, api: Client, handset: Handset, sender: Sender
) -> None:
    text = heard("STOP", to=sender.number)
    await handset.tells(text)
    await db.run("DELETE FROM inbound_raw")

    await handset.tells(text)

    assert len((await api.get("/v1/inbound-messages")).data) == 1
    assert await db.value("SELECT count(*) FROM messages") == 1


async def test_a_hundred_texts_at_once_are_each_kept_in_the_order_of_their_conversation(
    db: CellDb, handset: Handset, sender: Sender
) -> None:
    contacts = [f"+1212555{number:04d}" for number in range(100, 110)]
    texts = [heard(f"{turn}", to=sender.number, sender=contact) for turn in range(10) for contact in contacts]

    await handset.tells(*texts)

    for contact in contacts:
        bodies = await db.all(
            str, "SELECT body FROM inbound_messages WHERE from_number = $1 ORDER BY received_at, id", contact
        )
        assert bodies == [str(turn) for turn in range(10)]
    assert await db.value("SELECT sum(message_count)::int FROM conversations") == 100


async def test_a_stop_is_obeyed_and_confirmed_whatever_the_wallet_holds_and_no_text_takes_it_below_its_floor(
    db: CellDb, api: Client, account: Account, sender: Sender, handset: Handset
) -> None:
    """Anybody can text a number for ever: that must not cost its owner any sum."""
    await insert_consent(db, account.tenant, sender)
    await db.run("UPDATE wallets SET balance_microcents = -995000000 WHERE org_id = $1", account.org_id)

    for _ in range(20):
        await handset.texts("hello")
    await handset.texts("STOP")
    await handset.texts("HELP")

    assert await db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", account.org_id) >= -1_000_000_000
    assert await db.value("SELECT count(*) FROM inbound_messages") == 22
    assert await db.value("SELECT suppressed_by FROM consents") == "keyword"
    (answer,) = await db.all(str, "SELECT text FROM messages WHERE kind = 'auto_reply'")
    assert "unsubscribed" in answer
    assert (await api.get("/v1/inbound-messages?limit=1")).data[0]["body"] == "HELP"
