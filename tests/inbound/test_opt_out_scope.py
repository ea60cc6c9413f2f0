"""A STOP to one of an organization's numbers reaches as far as the organization says: by default the brand."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.organizations.model import OptOutScope
from tests.conftest import Client
from tests.inbound.handset import Handset, heard
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput

NUMBERS = ("+14155550123", "+14155550124", "+14155550125", "+14155550126")


class House(Struct):
    """Numbers of one organization: two of one campaign, one of another of the same brand, one of another brand."""

    db: CellDb
    api: Client
    cells: Cells
    account: Account
    told: Sender
    same_campaign: Sender
    same_brand: Sender
    other_brand: Sender

    @property
    def senders(self) -> list[Sender]:
        return [self.told, self.same_campaign, self.same_brand, self.other_brand]

    async def texts(self, word: str, to: Sender | None = None) -> None:
        """The contact texts a number."""
        await Handset(self.cells, (to or self.told).number).texts(word)

    async def open(self) -> list[bool]:
        """From which numbers a text to the contact is accepted."""
        return [(await self.send(sender)).status == 202 for sender in self.senders]

    async def send(self, sender: Sender, **changes: Any) -> Any:
        body = {"from": sender.number, "to": CONTACT, "text": "Acme: hi", **changes}
        return await self.api.post("/v1/messages", body)

    async def scope(self, scope: str) -> None:
        assert (await self.api.patch("/v1/organization", {"opt_out_scope": scope})).status == 200

    async def consent(self, sender: Sender) -> Any:
        (record,) = (await self.api.get(f"/v1/consent?phone_number_id={sender.id}")).data
        return record

    async def facts(self) -> list[tuple[str, str]]:
        """What was told of contacts, by number."""
        return await self.db.all(
            lambda kind, number_id: (kind, number_id),
            "SELECT type, data ->> 'phone_number_id' FROM events WHERE family = 'contact' ORDER BY xid, id",
        )


@pytest.fixture
async def house(db: CellDb, cells: Cells, api: Client, account: Account) -> House:
    """All four may text the contact."""
    await set_throughput(db, account.tenant)
    first = await insert_campaign(db, account.org_id)
    brand_id = await db.value("SELECT brand_id FROM campaigns WHERE id = $1", first)
    second = await insert_campaign(db, account.org_id, brand_id=brand_id)
    campaigns = (first, first, second, await insert_campaign(db, account.org_id))
    senders: list[Sender] = []
    for number, campaign_id in zip(NUMBERS, campaigns, strict=True):
        senders.append(await insert_sender(db, account.tenant, number, campaign_id=campaign_id))
        await insert_consent(db, account.tenant, senders[-1])
    return House(db, api, cells, account, *senders)


@pytest.mark.parametrize(
    ("scope", "open_afterwards"),
    [
        ("number", [False, True, True, True]),
        ("campaign", [False, False, True, True]),
        ("brand", [False, False, False, True]),
        ("organization", [False, False, False, False]),
    ],
)
@pytest.mark.parametrize("word", ["STOP", "please stop texting me"])
async def test_a_stop_suppresses_within_the_scope_and_start_lifts_what_it_set(
    house: House, scope: str, open_afterwards: list[bool], word: str
) -> None:
    await house.scope(scope)

    await house.texts(word)
    assert await house.open() == open_afterwards

    await house.texts("START")
    assert await house.open() == [True] * 4


async def test_unless_the_organization_says_else_it_is_the_brand(house: House) -> None:
    assert (await house.api.get("/v1/organization")).data["opt_out_scope"] == "brand"

    await house.texts("STOP")

    assert await house.open() == [False, False, False, True]


async def test_the_refusal_preflight_consents_conversations_and_events_say_which_number_and_when(house: House) -> None:
    await house.texts("STOP")
    await house.texts("hello", house.same_brand)

    at = (await house.consent(house.told))["opted_out_at"]
    refusal = (await house.send(house.same_brand)).error
    assert (refusal["code"], refusal["details"]) == (
        "RECIPIENT_OPTED_OUT",
        {"opted_out_number": NUMBERS[0], "opt_out_scope": "brand", "opted_out_at": at[:19] + "Z"},
    )
    body = {"from": house.same_brand.number, "to": CONTACT, "text": "hi"}
    preflight = (await house.api.post("/v1/guardrails/preflight", body)).data
    (finding,) = [one for one in preflight["findings"] if one["severity"] == "block"]
    assert (finding["check"], finding["details"]) == ("suppression", refusal["details"])
    said = {"opted_out_number": NUMBERS[0], "opt_out_scope": "brand", "opted_out_at": at}
    record = await house.consent(house.same_brand)
    assert record | said == record
    assert (record["opted_in"], record["suppressed_by"]) == (False, "keyword")
    conversations = {one["phone_number"]: one["consent"] for one in (await house.api.get("/v1/conversations")).data}
    assert conversations[NUMBERS[2]] | said == conversations[NUMBERS[2]]
    assert conversations[NUMBERS[2]]["opted_in"] is False
    told = await house.db.all(
        lambda data: data, "SELECT data FROM events WHERE type = 'contact.opted_out' ORDER BY xid, id"
    )
    assert [one | said for one in told] == told
    assert {one["phone_number_id"] for one in told} == {str(sender.id) for sender in house.senders[:3]}


async def test_the_list_of_those_who_are_out_holds_whom_another_number_s_stop_reaches(house: House) -> None:
    await house.texts("STOP")

    out = (await house.api.get("/v1/consent?opted_in=false")).data
    into = (await house.api.get("/v1/consent?opted_in=true")).data
    talked = (await house.api.get("/v1/conversations?opted_in=false")).data

    assert {one["phone_number_id"] for one in out} == {str(sender.id) for sender in house.senders[:3]}
    assert [one["phone_number_id"] for one in into] == [str(house.other_brand.id)]
    assert [one["phone_number"] for one in talked] == [NUMBERS[0]]


async def test_a_list_in_pages_of_one_holds_each_of_them_once(house: House) -> None:
    await house.texts("STOP")

    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await house.api.get(f"/v1/consent?opted_in=false&limit=1{cursor and f'&cursor={cursor}'}")
        seen += [one["phone_number_id"] for one in page.data]
        cursor = page.json["meta"]["next_cursor"]

    assert sorted(seen) == sorted(str(sender.id) for sender in house.senders[:3])


async def test_what_is_queued_and_scheduled_within_the_scope_is_canceled_and_one_answer_goes_out(house: House) -> None:
    soon = (house.db.now + timedelta(hours=2)).isoformat()
    for sender in house.senders:
        assert (await house.send(sender)).status == 202
        assert (await house.send(sender, scheduled_at=soon)).status == 202

    await house.texts("STOP")

    left = "SELECT sender FROM messages WHERE kind = 'customer' AND status = 'queued'"
    assert await house.db.all(str, left) == [NUMBERS[3]] * 2
    (answer,) = await house.db.all(str, "SELECT text FROM messages WHERE kind = 'auto_reply'")
    assert "no more messages." in answer
    assert await house.db.value("SELECT count(*) FROM message_queue WHERE kind = 'auto_reply'") == 1


async def test_a_number_that_joins_the_brand_later_is_reached_and_one_that_leaves_is_not_let_go(house: House) -> None:
    await house.texts("STOP")
    there, here = house.other_brand.campaign_id, house.told.campaign_id

    await move(house, house.other_brand, here)
    assert await house.open() == [False] * 4

    await move(house, house.told, there)
    await move(house, house.other_brand, there)
    assert await house.open() == [False, False, False, True]


async def was_sent(house: House) -> None:
    """The contact has been sent a message from `told`."""
    await house.db.run(
        """INSERT INTO messages (id, org_id, account, phone_number_id, campaign_id, brand_id, kind, sender, recipient,
               text, channel, media, encoding, segments, priority, status, unit_price_microcents, expires_at,
               created_at, updated_at)
           SELECT gen_random_uuid(), $1, 'live', $2, c.id, c.brand_id, 'customer', $3, $4, 'hi', 'sms', '{}', 'gsm7',
                  1, 1, 'sent', 1, $5, $5, $5 FROM campaigns c WHERE c.id = $6""",
        house.account.org_id,
        house.told.id,
        house.told.number,
        CONTACT,
        house.db.now,
        house.told.campaign_id,
    )
    await house.db.run(
        """INSERT INTO conversation_entries (org_id, contact_number, phone_number_id, at, message_id, direction)
           SELECT org_id, recipient, phone_number_id, created_at, id, 'outbound' FROM messages"""
    )


async def test_a_stop_reaches_whom_the_number_texted_for_when_it_has_moved_since(house: House) -> None:
    await was_sent(house)
    await move(house, house.told, house.other_brand.campaign_id)

    await house.texts("STOP")

    assert await house.open() == [False] * 4


async def test_a_narrower_scope_lets_nobody_go_and_a_wider_one_reaches_from_the_next_stop_on(house: House) -> None:
    await house.texts("STOP")
    await house.scope("number")
    assert await house.open() == [False, False, False, True]

    await house.scope("organization")
    assert await house.open() == [False, False, False, True]
    await house.texts("STOP")
    assert await house.open() == [False] * 4

    await house.scope("number")
    await house.texts("START")
    assert await house.open() == [True] * 4


async def test_start_to_another_number_opens_that_number_alone_until_the_next_stop(house: House) -> None:
    await house.texts("STOP")

    await house.texts("START", house.same_brand)
    assert await house.open() == [False, False, True, True]

    await house.texts("STOP")
    assert await house.open() == [False, False, False, True]


async def test_of_two_stops_start_lifts_the_one_that_was_told_to_its_number(house: House) -> None:
    await house.texts("STOP")
    await house.texts("STOP", house.same_campaign)

    await house.texts("START")
    assert await house.open() == [True, False, False, True]

    await house.texts("START", house.same_campaign)
    assert await house.open() == [True] * 4


async def test_a_stop_says_nothing_about_what_the_customer_revoked(house: House) -> None:
    revoked = await house.consent(house.same_brand)
    assert (await house.api.delete(f"/v1/consent/{revoked['id']}")).status == 200
    await house.texts("STOP")

    await house.texts("START")

    assert await house.open() == [True, True, False, True]


async def test_a_revocation_is_of_its_number_alone(house: House) -> None:
    record = await house.consent(house.told)
    assert (await house.api.delete(f"/v1/consent/{record['id']}")).status == 200

    assert await house.open() == [False, True, True, True]
    assert (await house.consent(house.told))["opted_out_number"] is None


async def test_nobody_but_the_contact_takes_it_back_for_a_number_that_it_reaches(house: House) -> None:
    await house.texts("STOP")
    wish = {
        "phone_number_id": str(house.same_brand.id),
        "contact_number": CONTACT,
        "evidence": {
            "captured_at": house.db.now.isoformat(),
            "agreement_text": "I agree to texts.",
            "consent_method": "checkbox",
        },
    }
    asked = {key: wish[key] for key in ("phone_number_id", "contact_number")} | {"agreement_text": "I agree."}

    attested = await house.api.post("/v1/consent", wish)
    bulk = await house.api.post("/v1/consent/bulk", {"records": [wish]})
    question = await house.api.post("/v1/consent/double-opt-in", asked | {"confirmation_text": "Reply YES."})
    link = (await house.api.post("/v1/consent/hosted", asked)).json["url"]
    page = await house.api.request("POST", link[link.index("/consent/") :], headers=FORM, content=b"agree=yes")

    assert (attested.status, attested.error["code"]) == (409, "CONTACT_OPTED_OUT")
    assert bulk.data["rejected"][0]["code"] == "CONTACT_OPTED_OUT"
    assert (question.status, question.error["code"]) == (409, "CONTACT_OPTED_OUT")
    assert (page.status, b"START" in page.body) == (409, True)
    assert await house.open() == [False, False, False, True]


async def test_open_questions_of_all_numbers_within_the_scope_are_void(house: House) -> None:
    await house.db.run("DELETE FROM consents")
    for sender in house.senders[1:]:
        asked = {"phone_number_id": str(sender.id), "contact_number": CONTACT}
        texts = {"confirmation_text": "Acme: reply YES.", "agreement_text": "I agree to texts."}
        assert (await house.api.post("/v1/consent/double-opt-in", asked | texts)).status == 202

    await house.texts("STOP")
    await house.texts("YES", house.same_brand)

    pending = "SELECT phone_number_id FROM consent_challenges WHERE status = 'pending'"
    assert await house.db.all(lambda one: one, pending) == [house.other_brand.id]
    assert (await house.send(house.same_brand)).error["code"] == "RECIPIENT_OPTED_OUT"


async def test_every_change_is_told_once_and_stands_in_the_history(house: House) -> None:
    await house.texts("STOP")
    await house.texts("STOP")
    await house.texts("START")

    names = {str(sender.id): place for place, sender in enumerate(house.senders)}
    told = [(kind, names[number_id]) for kind, number_id in await house.facts()]
    assert sorted(told) == [
        *(("contact.opted_in", place) for place in range(3)),
        *(("contact.opted_out", place) for place in range(3)),
    ]
    record = await house.consent(house.same_brand)
    history = (await house.api.get(f"/v1/consent/{record['id']}/history")).data
    assert [(one["event"], one["keyword"], one["source"]) for one in history] == [
        ("opt_in", "START", "inbound_reply"),
        ("opt_out", "STOP", "inbound_reply"),
    ]
    assert len({one["raw_event_id"] for one in history}) == 2


async def test_stops_and_starts_of_one_delivery_are_obeyed_in_its_order(house: House) -> None:
    """A carrier may tell several texts at once; they are of one transaction and of one instant."""
    told, other = NUMBERS[0], NUMBERS[2]
    handset = Handset(house.cells, told)

    await handset.tells(heard("STOP", to=told), heard("START", to=other))
    assert await house.open() == [False, False, True, True]

    await handset.tells(heard("START", to=other), heard("STOP", to=told))
    assert await house.open() == [False, False, False, True]


async def test_a_number_that_comes_back_after_its_release_is_still_told_stop(house: House) -> None:
    """It has a new row, and to the contact it is the same number."""
    await house.scope("number")
    await house.texts("STOP")
    await house.db.run("DELETE FROM phone_numbers WHERE id = $1", house.told.id)
    await house.db.run("DELETE FROM directory.inventory WHERE number = $1", house.told.number)

    again = await insert_sender(
        house.db, house.account.tenant, house.told.number, campaign_id=house.other_brand.campaign_id
    )
    await insert_consent(house.db, house.account.tenant, again)

    assert (await house.send(again)).error["code"] == "RECIPIENT_OPTED_OUT"
    await house.texts("START")
    assert (await house.send(again)).status == 202


async def test_another_organization_s_numbers_are_not_reached(house: House, stranger: Account) -> None:
    await set_throughput(house.db, stranger.tenant)
    theirs = await insert_sender(house.db, stranger.tenant, "+14155550199")
    await insert_consent(house.db, stranger.tenant, theirs)
    await house.scope("organization")

    await house.texts("STOP")

    body = {"from": theirs.number, "to": CONTACT, "text": "Stranger: hi"}
    assert (await house.api.using(stranger.key).post("/v1/messages", body)).status == 202


async def test_of_stops_among_sends_from_all_numbers_nothing_is_left_queued(house: House) -> None:
    """Whichever comes first, the STOP to one number or a send from another."""
    for round_number in range(8):
        contact = f"+1212556{round_number:04d}"
        for sender in house.senders:
            await insert_consent(house.db, house.account.tenant, sender, contact)
        sending = [house.send(sender, to=contact) for sender in house.senders[:3] for _ in range(6)]

        stop = Handset(house.cells, NUMBERS[0], number=contact).texts("STOP")
        await asyncio.gather(*sending[:9], stop, *sending[9:])

        left = "SELECT count(*) FROM message_queue WHERE recipient = $1 AND kind = 'customer'"
        assert await house.db.value(left, contact) == 0
        assert (await house.send(house.same_brand, to=contact)).error["code"] == "RECIPIENT_OPTED_OUT"


@pytest.mark.covers("patchOrganization", 422)
@pytest.mark.parametrize("scope", ["all", "BRAND", None, "", 1])
async def test_422_a_scope_is_one_of_four(house: House, scope: Any) -> None:
    reply = await house.api.patch("/v1/organization", {"opt_out_scope": scope})

    assert (reply.status, list(reply.error["details"])) == (422, ["opt_out_scope"])


async def test_a_change_of_the_scope_is_audited(house: House) -> None:
    await house.scope(OptOutScope.ORGANIZATION)

    (row,) = (await house.api.get("/v1/audit-log?action=organization.update&include=payload")).data
    assert row["payload"] == {
        "before": {"opt_out_scope": "brand"},
        "after": {"opt_out_scope": "organization"},
    }


FORM = {"content-type": "application/x-www-form-urlencoded"}


async def move(house: House, sender: Sender, campaign_id: UUID) -> None:
    """A number goes to another campaign, as once its carrier has confirmed it."""
    await house.db.run("UPDATE phone_numbers SET campaign_id = $2 WHERE id = $1", sender.id, campaign_id)


@pytest.mark.parametrize("scope", OptOutScope)
async def test_a_stop_to_a_number_that_was_released_reaches_as_far(house: House, scope: OptOutScope) -> None:
    """Releasing the number is no way round the contact's word; nothing else of the text is the last owner's."""
    await house.scope(scope)
    await was_sent(house)
    assert (await house.api.delete(f"/v1/phone-numbers/{house.told.id}")).status == 200

    await house.texts("Thanks!")
    before = await house.open()
    await house.texts("STOP")

    reached = {"number": 0, "campaign": 1, "brand": 2, "organization": 3}[scope]
    assert before == [False, True, True, True]
    assert await house.open() == [False, *(index > reached for index in (1, 2, 3))]
    assert (await house.api.get("/v1/inbound-messages")).data == []
    assert await house.db.value("SELECT count(*) FROM messages WHERE kind = 'auto_reply'") == 0
    assert await house.db.value("SELECT count(*) FROM inbound_raw WHERE problem = 'not_ours'") == 2
    assert await house.db.value("SELECT count(*) FROM usage_rows WHERE kind = 'inbound_sms'") == 0


async def test_only_a_stop_is_heard_of_a_number_that_was_released(house: House) -> None:
    await was_sent(house)
    await house.texts("STOP")
    assert (await house.api.delete(f"/v1/phone-numbers/{house.told.id}")).status == 200

    await house.texts("START")

    assert await house.open() == [False, False, False, True]
