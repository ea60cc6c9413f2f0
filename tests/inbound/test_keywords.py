"""Stories of STOP, START, HELP and YES, told by a handset and seen by the customer."""

from datetime import timedelta
from typing import Any

import pytest

from agentmessage.carriers.smpp import GsmForm, decode
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.smpp.pdu import DeliverSm
from tests.conftest import Client
from tests.inbound.handset import Handset
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput

IN, OUT, STOPPED = "in", "out", "stopped"

STOP_WORDS = [
    "STOP",
    "stop",
    "Stop.",
    " STOP! ",
    "\N{FULLWIDTH LATIN CAPITAL LETTER S}TOP",
    "unsubscribe",
    "END",
    "quit",
]
STORIES: dict[str, tuple[list[str], str, list[str]]] = {
    "a text like any other changes nothing": (["Is Monday free?"], IN, []),
    "STOP": (["STOP"], STOPPED, ["stop"]),
    "STOP again is not confirmed again": (["STOP", "STOP", "Stop!"], STOPPED, ["stop"]),
    "a phrase": (["please stop texting me"], STOPPED, ["stop"]),
    "a phrase, then the word": (["please stop texting me", "STOP"], STOPPED, ["stop"]),
    "not to stop": (["please don't stop"], IN, []),
    "to stop by": (["Stop by anytime"], IN, []),
    "START after STOP": (["STOP", "START"], IN, ["stop", "start"]),
    "UNSTOP after a phrase": (["remove me", "unstop"], IN, ["stop", "start"]),
    "START twice": (["STOP", "START", "START"], IN, ["stop", "start"]),
    "START from somebody who is in": (["START"], IN, []),
    "a reaction to our own words": (["Liked “Acme: sale. Reply STOP to unsubscribe.”", "> STOP\nyes"], IN, []),
    "a quote, then STOP": (["> Reply STOP to unsubscribe\nSTOP"], STOPPED, ["stop"]),
    "a quoted START does not undo STOP": (["STOP", "> START", "Loved “START”"], STOPPED, ["stop"]),
    "every word of the law alike": (["Cancel. Thank you"], STOPPED, ["stop"]),
    "words that run together": (["STOP2END"], STOPPED, ["stop"]),
    "STOP after START": (["STOP", "START", "STOP"], STOPPED, ["stop", "start", "stop"]),
    "HELP": (["HELP"], IN, ["help"]),
    "HELP twice": (["HELP", "help?"], IN, ["help", "help"]),
    "HELP from somebody who said STOP": (["STOP", "INFO"], STOPPED, ["stop", "help"]),
    "YES that nobody asked for": (["YES"], IN, []),
    "YES does not undo STOP": (["STOP", "YES"], STOPPED, ["stop"]),
    "nobody is opted in by a guess": (["STOP", "please start again"], STOPPED, ["stop"]),
}

REPLIES = {
    "stop": "Acme: You are unsubscribed",
    "start": "Acme: You are subscribed",
    "help": "Acme: You asked for messages from this number.",
}


@pytest.fixture
async def standing(db: CellDb, sender: Sender) -> Any:
    """What is on record about the contact."""

    async def read() -> str:
        row = await db.one(
            lambda *columns: columns,
            "SELECT opted_in, suppressed_by FROM consents WHERE phone_number_id = $1 AND contact_number = $2",
            sender.id,
            CONTACT,
        )
        return OUT if row is None else IN if row[0] else STOPPED if row[1] else OUT

    return read


@pytest.fixture
async def agreed(db: CellDb, account: Account, sender: Sender) -> Sender:
    """The number, which the contact has agreed to."""
    await insert_consent(db, account.tenant, sender)
    return sender


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.usefixtures("agreed")
async def test_a_story_ends_as_the_law_says(story: str, handset: Handset, standing: Any, inbox: Any) -> None:
    texts, end, replies = STORIES[story]

    for text in texts:
        await handset.texts(text)

    assert await standing() == end
    told = await inbox()
    assert [kind for kind, _ in told] == ["auto_reply"] * len(replies)
    assert all(text.startswith(REPLIES[name]) for name, (_, text) in zip(replies, told, strict=True))


@pytest.mark.parametrize("word", STOP_WORDS)
async def test_stop_is_noted_on_the_text_that_said_it(word: str, api: Client, handset: Handset) -> None:
    await handset.texts(word)

    (shown,) = (await api.get("/v1/inbound-messages?opt_out=true")).data
    assert shown["opt_out"]["detected"]
    assert shown["opt_out"]["method"] == "keyword"
    assert (await api.get("/v1/inbound-messages?opt_out=false")).data == []


async def test_a_phrase_is_noted_as_one(api: Client, handset: Handset) -> None:
    await handset.texts("Please stop texting me, thanks")

    (shown,) = (await api.get("/v1/inbound-messages")).data
    assert shown["opt_out"] == {"detected": True, "keyword": "STOP TEXTING ME", "method": "natural_language"}


@pytest.mark.parametrize(("ton", "source"), [(2, "3235550143"), (0, "3235550143"), (1, "13235550143")])
async def test_stop_binds_the_one_who_sent_it_however_the_carrier_writes_their_number(
    ton: int, source: str, db: CellDb, handset: Handset, sender: Sender
) -> None:
    """+3235550143 is somebody in Belgium."""
    ours = sender.number.removeprefix("+1")
    pdu = DeliverSm(source_ton=ton, source=source, destination_ton=ton % 2, destination=ours, short_message=b"STOP")

    await handset.tells(decode.text(pdu, GsmForm.UNPACKED, now=db.now))

    assert await db.all(str, "SELECT contact_number FROM consents WHERE suppressed_by = 'keyword'") == ["+13235550143"]


async def test_stop_without_any_consent_suppresses_and_is_confirmed(
    api: Client, handset: Handset, sender: Sender, standing: Any, inbox: Any
) -> None:
    await handset.texts("STOP")

    assert await standing() == STOPPED
    assert len(await inbox()) == 1
    refused = await api.post("/v1/messages", {"from": sender.number, "to": CONTACT, "text": "Offer"})
    assert (refused.status, refused.error["code"]) == (453, "RECIPIENT_OPTED_OUT")


async def test_start_of_a_stranger_is_an_opt_in_by_keyword(
    db: CellDb, api: Client, handset: Handset, standing: Any, inbox: Any
) -> None:
    await handset.texts("Start")

    assert await standing() == IN
    assert len(await inbox()) == 1
    (consent,) = (await api.get("/v1/consent")).data
    assert (consent["source"], await db.value("SELECT consent_method FROM consents")) == (
        "inbound_reply",
        "sms_keyword",
    )
    (inbound,) = (await api.get("/v1/inbound-messages")).data
    assert await db.value("SELECT raw_event_id FROM consent_history") == inbound["id"]


async def test_start_does_not_undo_a_revocation_by_the_customer(
    db: CellDb, agreed: Sender, handset: Handset, standing: Any, inbox: Any
) -> None:
    await db.run(
        "UPDATE consents SET opted_in = false, suppressed_by = 'revocation' WHERE phone_number_id = $1", agreed.id
    )

    await handset.texts("START")

    assert await standing() == STOPPED
    assert await inbox() == []


async def test_stop_takes_back_what_is_queued_and_scheduled_for_the_pair_and_nothing_else(
    db: CellDb, api: Client, account: Account, sender: Sender, handset: Handset
) -> None:
    other = "+12125550177"
    await set_throughput(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await insert_consent(db, account.tenant, sender, other)
    tomorrow = (db.now + timedelta(days=1)).isoformat()
    for to, scheduled_at in ((CONTACT, None), (CONTACT, tomorrow), (other, None)):
        body = {"from": sender.number, "to": to, "text": "Offer", "scheduled_at": scheduled_at}
        assert (await api.post("/v1/messages", body)).status == 202

    await handset.texts("STOP")

    listed = (await api.get("/v1/messages")).data
    assert {(one["to"], one["status"]) for one in listed if one["kind"] == "customer"} == {
        (CONTACT, "canceled"),
        (other, "queued"),
    }
    assert [one["status"] for one in listed if one["kind"] == "auto_reply"] == ["queued"]


async def test_the_customer_hears_of_an_opt_out_and_an_opt_in_once_each(api: Client, handset: Handset) -> None:
    for text in ("STOP", "STOP", "START", "START"):
        await handset.texts(text)

    events = [event["type"] for event in (await api.get("/v1/events?limit=200")).data]
    assert [kind for kind in events if kind.startswith("contact.")] == ["contact.opted_out", "contact.opted_in"]


async def test_own_words_of_the_campaign_count_beside_the_list(
    db: CellDb, account: Account, handset: Handset, sender: Sender, standing: Any
) -> None:
    await set_fields(db, sender, optout_keywords="BASTA,NOMORE", optin_keywords="JOIN")
    await insert_consent(db, account.tenant, sender)

    await handset.texts("no-more")
    assert await standing() == IN
    await handset.texts("NoMore!")
    assert await standing() == STOPPED
    await handset.texts("join")
    assert await standing() == IN


async def test_what_was_filed_with_the_campaign_is_sent_with_the_terms_that_it_lacks(
    db: CellDb, handset: Handset, sender: Sender, inbox: Any
) -> None:
    await set_fields(
        db,
        sender,
        optout_message="You will get no more texts of ours.",
        optin_message="Acme offers, 4 msgs/month.",
        help_message="Call +1 415 555 0123.",
    )

    for text in ("STOP", "START", "HELP"):
        await handset.texts(text)

    assert [text for _, text in await inbox()] == [
        "Acme: You will get no more texts of ours.",
        "Acme offers, 4 msgs/month. Msg & data rates may apply. Reply HELP for help. Reply STOP to opt out.",
        "Acme: Call +1 415 555 0123. Msg & data rates may apply. Reply STOP to opt out.",
    ]


async def set_fields(db: CellDb, sender: Sender, **fields: str) -> None:
    await db.run("UPDATE campaigns SET fields = $2 WHERE id = $1", sender.campaign_id, fields)


async def test_the_organizations_own_texts_are_sent_word_for_word(api: Client, handset: Handset, inbox: Any) -> None:
    own = {"stop_text": "Bye.", "start_text": "Welcome back.", "help_text": "Ask at the desk."}
    assert (await api.patch("/v1/organization", {"auto_replies": own})).status == 200

    for text in ("STOP", "START", "HELP"):
        await handset.texts(text)

    assert [text for _, text in await inbox()] == ["Bye.", "Welcome back.", "Ask at the desk."]


async def test_stop_suppresses_though_automatic_replies_are_off(
    api: Client, handset: Handset, standing: Any, inbox: Any
) -> None:
    off = {"auto_replies": {"enabled": False, "attestation": "We answer by ourselves."}}
    assert (await api.patch("/v1/organization", off)).status == 200

    await handset.texts("STOP")
    await handset.texts("HELP")

    assert await standing() == STOPPED
    assert await inbox() == []


async def test_a_stop_holds_though_its_confirmation_cannot_be_sent(
    db: CellDb, account: Account, cells: Cells, inbox: Any
) -> None:
    """Without a campaign nothing may be texted; without money neither. The STOP counts all the same."""
    poor = await insert_sender(db, account.tenant, "+14155550124", wish=None)
    await db.run("UPDATE wallets SET balance_microcents = 0 WHERE org_id = $1", account.org_id)

    await Handset(cells, poor.number).texts("STOP")

    assert await inbox() == []
    assert await db.value("SELECT suppressed_by FROM consents WHERE phone_number_id = $1", poor.id) == "keyword"
    assert await db.value("SELECT balance_microcents < 0 FROM wallets WHERE org_id = $1", account.org_id)


async def test_two_machines_that_answer_each_other_end_after_ten(handset: Handset, inbox: Any) -> None:
    for _ in range(15):
        await handset.texts("HELP")

    assert len(await inbox()) == 10


async def test_a_stop_at_one_number_leaves_the_others_alone(
    db: CellDb, account: Account, sender: Sender, handset: Handset
) -> None:
    second = await insert_sender(db, account.tenant, "+14155550124")
    await insert_consent(db, account.tenant, sender)
    await insert_consent(db, account.tenant, second)

    await handset.texts("STOP")

    assert await db.value("SELECT opted_in FROM consents WHERE phone_number_id = $1", second.id) is True


async def test_a_short_code_gets_no_answer_but_its_stop_counts(db: CellDb, handset: Handset, inbox: Any) -> None:
    await handset.texts("STOP", sender="72345")

    assert await inbox() == []
    assert await db.value("SELECT suppressed_by FROM consents WHERE contact_number = '72345'") == "keyword"


async def test_yes_to_a_double_opt_in_is_a_consent_and_is_welcomed(
    api: Client, handset: Handset, sender: Sender, standing: Any, inbox: Any
) -> None:
    question = {
        "phone_number_id": str(sender.id),
        "contact_number": CONTACT,
        "confirmation_text": "Acme: reply YES to get appointment reminders.",
        "agreement_text": "I agree to get appointment reminders by text.",
    }
    asked = await api.post("/v1/consent/double-opt-in", question)
    assert asked.status == 202, asked.body

    await handset.texts("Yes!")
    await handset.texts("yes")

    assert await standing() == IN
    assert [kind for kind, _ in await inbox()] == ["confirmation", "auto_reply"]
    events = [event["type"] for event in (await api.get("/v1/events?limit=200")).data]
    assert events.count("consent_pending.confirmed") == 1
    assert len((await api.get("/v1/inbound-messages")).data) == 2


async def test_stop_voids_the_question_so_that_a_later_yes_is_just_a_text(
    api: Client, handset: Handset, sender: Sender, standing: Any
) -> None:
    question = {
        "phone_number_id": str(sender.id),
        "contact_number": CONTACT,
        "confirmation_text": "Acme: reply YES to get appointment reminders.",
        "agreement_text": "I agree to get appointment reminders by text.",
    }
    assert (await api.post("/v1/consent/double-opt-in", question)).status == 202

    await handset.texts("STOP")
    await handset.texts("YES")

    assert await standing() == STOPPED


async def test_a_yes_that_nobody_asked_for_does_not_hold_up_sends(
    db: CellDb, account: Account, handset: Handset
) -> None:
    """It changes no law, so it takes no turn with admissions; agents get many a yes."""
    await handset.texts("YES")

    assert (
        await db.value("SELECT count(*) FROM send_accounts WHERE org_id = $1 AND state_version > 0", account.org_id)
        == 0
    )
