"""Erasing a contact: nothing that was said is left anywhere, and everything else is."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage import conversations
from agentmessage.contacts import operations, rules
from agentmessage.delivery.model import Claim
from agentmessage.delivery.status_queries import Move, move
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.messages import operations as messages
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.said import OUR_NUMBER, PICTURE, SECRET, Said, content, queue, say
from tests.make.texts import insert_consent, insert_sender
from tools.house_rules import tenant_tables

CONTACT, OTHER = "+14155550177", "+14155550178"
ERASE = f"/v1/contacts/{CONTACT}/erase"
GONE, WHOLE = (None, [], True), (SECRET, [], False)
NUMBER = new_id()


@pytest.fixture
def org_id(account: Account) -> UUID:
    return account.org_id


async def everything_said(db: CellDb, org_id: UUID) -> list[Said]:
    """Texts with the contact in every direction and condition."""
    given: list[dict[str, Any]] = [
        {"with_media": True},
        {"is_inbound": True, "with_media": True},
        {"is_inbound": True, "age": timedelta(days=364)},
        {"age": timedelta(days=364)},
        {"was_sent": False},
        {"with_media": True, "with_text": False},
        {"with_labels": True},
    ]
    return [await say(db, org_id, NUMBER, contact=CONTACT, **one) for one in given]


async def rows_that_say(db: CellDb, org_id: UUID, what: str) -> dict[str, int]:
    """Rows of the organization, in any table, in which some words stand."""
    found: dict[str, int] = {}
    for table in sorted(tenant_tables()):
        count = await db.value(
            f"SELECT count(*) FROM {table} t WHERE org_id = $1 AND strpos(t::text, $2) > 0",  # noqa: S608 - names from our migrations
            org_id,
            what,
        )
        if count:
            found[table] = count
    return found


@pytest.mark.covers("eraseContact", 200)
async def test_200_nothing_that_was_said_is_left_in_any_table(api: Client, db: CellDb, org_id: UUID) -> None:
    texts = await everything_said(db, org_id)
    before = await rows_that_say(db, org_id, SECRET)

    answer = await api.post(ERASE)

    assert answer.status == 200
    assert set(answer.data) == {
        "contact_number", "inbound_redacted", "outbound_redacted", "erased_at", "audit_log_id",
    }  # fmt: skip
    assert (answer.data["contact_number"], answer.data["inbound_redacted"], answer.data["outbound_redacted"]) == (
        CONTACT,
        2,
        5,
    )
    assert set(before) == {"conversations", "events", "inbound_messages", "messages"}
    assert await rows_that_say(db, org_id, SECRET) == {}
    assert await rows_that_say(db, org_id, PICTURE) == {}
    assert [await content(db, text) for text in texts] == [GONE] * len(texts)
    labels = "SELECT count(*) FROM messages WHERE tag IS NOT NULL OR metadata IS NOT NULL"
    assert await db.value(labels) == 0
    assert await db.value("SELECT last_preview FROM conversations") == "[redacted]"


@pytest.mark.covers("eraseContact", 200)
async def test_200_erasing_again_or_nobody_counts_zeros_and_is_written_down_each_time(
    api: Client, db: CellDb, account: Account
) -> None:
    await say(db, account.org_id, NUMBER, contact=CONTACT)

    answers = [await api.request("POST", path) for path in (ERASE, ERASE, f"/v1/contacts/{OTHER}/erase")]

    assert [answer.status for answer in answers] == [200, 200, 200]
    counts = [(answer.data["inbound_redacted"], answer.data["outbound_redacted"]) for answer in answers]
    assert counts == [(0, 1), (0, 0), (0, 0)]
    log = (await api.get("/v1/audit-log?action=contact.erase&include=payload")).data
    assert [row["id"] for row in reversed(log)] == [answer.data["audit_log_id"] for answer in answers]
    assert [row["resource"]["id"] for row in reversed(log)] == [CONTACT, CONTACT, OTHER]
    assert log[-1]["payload"] == {"inbound_redacted": 0, "outbound_redacted": 1}


@pytest.mark.covers("eraseContact", 400)
@pytest.mark.parametrize("number", ["4155550177a", "+1", "+0123456789", "12", "x", f"{CONTACT}x", "%2B1"])
async def test_400_what_is_no_number_is_refused(api: Client, number: str) -> None:
    answer = await api.post(f"/v1/contacts/{number}/erase")

    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_FAILED")
    assert list(answer.error["details"]) == ["contact_number"]


@pytest.mark.covers("eraseContact", 429)
async def test_429_a_hundred_an_hour(api: Client, db: CellDb, org_id: UUID) -> None:
    first = await api.post(ERASE)
    await db.run("UPDATE api_rate_buckets SET tokens = 0, refilled_at = $1", db.now)

    answer = await api.post(ERASE)

    assert first.status == 200
    assert (answer.status, answer.error["code"]) == (429, "RATE_LIMITED")
    assert 30 <= int(answer.headers["retry-after"]) <= 36
    assert await db.value("SELECT count(*) FROM audit_log WHERE org_id = $1 AND action = 'contact.erase'", org_id) == 1


async def test_other_contacts_and_other_organizations_are_not_touched(
    api: Client, db: CellDb, org_id: UUID, stranger: Account
) -> None:
    others = [
        await say(db, org_id, NUMBER, contact=OTHER),
        await say(db, org_id, NUMBER, contact=OTHER, is_inbound=True),
        await say(db, stranger.org_id, new_id(), contact=CONTACT),
        await say(db, stranger.org_id, new_id(), contact=CONTACT, is_inbound=True),
    ]
    await say(db, org_id, NUMBER, contact=CONTACT)

    await api.post(ERASE)

    assert [await content(db, text) for text in others] == [WHOLE] * 4
    assert await db.value("SELECT count(*) FROM conversations WHERE last_preview = $1", SECRET) == 3


async def test_what_waits_to_be_sent_is_canceled_and_what_a_worker_holds_goes_its_way(
    api: Client, db: CellDb, org_id: UUID, account: Account
) -> None:
    waiting, held = [await say(db, org_id, NUMBER, contact=CONTACT, was_sent=False) for _ in range(2)]
    await queue(db, org_id, waiting.id)
    await queue(db, org_id, held.id, is_claimed=True)

    await api.post(ERASE)

    canceled, sending = [await messages.get(db, account.tenant, one.id) for one in (waiting, held)]
    assert (canceled.status, canceled.text, canceled.history[-1]["cause"]) == ("canceled", None, "erased")
    assert (sending.status, sending.text) == ("sending", None)
    assert await rows_that_say(db, org_id, SECRET) == {}


async def test_consent_and_its_history_stay(api: Client, db: CellDb, account: Account) -> None:
    sender = await insert_sender(db, account.tenant)
    consent_id = await insert_consent(db, account.tenant, sender, CONTACT)
    before = await db.value("SELECT t::text FROM consents t WHERE id = $1", consent_id)

    await api.post(ERASE)

    assert await db.value("SELECT t::text FROM consents t WHERE id = $1", consent_id) == before


async def test_what_carriers_delivered_is_emptied_but_what_has_yet_to_be_applied_may_be_a_stop(
    api: Client, db: CellDb, account: Account
) -> None:
    await insert_sender(db, account.tenant, OUR_NUMBER)
    for problem in (None, "failed"):
        await db.run(
            """INSERT INTO inbound_raw (id, org_id, account, carrier, carrier_message_id, from_number, to_number, raw,
                   parsed, problem, received_at)
               VALUES ($1, $2, 'live', 'smpp', $1::uuid::text, $3, $4, $5, $6, $7, $8)""",
            new_id(),
            account.org_id,
            CONTACT,
            OUR_NUMBER,
            SECRET.encode(),
            {"text": SECRET},
            problem,
            db.now,
        )
    for number in (CONTACT, OTHER):
        await db.run(
            """INSERT INTO inbound_parts (account, carrier, from_number, to_number, reference, parts, part, body,
                   carrier_message_id, received_at) VALUES ('live', 'smpp', $1, $2, 7, 2, 1, $3, 'x', $4)""",
            number,
            OUR_NUMBER,
            SECRET.encode(),
            db.now,
        )

    await api.post(ERASE)

    raws = await db.all(lambda *row: row, "SELECT problem, raw, parsed FROM inbound_raw ORDER BY problem NULLS FIRST")
    assert raws == [(None, b"", None), ("failed", SECRET.encode(), {"text": SECRET})]
    assert await db.all(lambda number: number, "SELECT from_number FROM inbound_parts") == [OTHER]


async def test_a_key_still_gets_its_answer_without_what_was_erased(api: Client, db: CellDb, account: Account) -> None:
    sender = await insert_sender(db, account.tenant)
    await db.run("UPDATE organizations SET throughput_per_sec = 100, throughput_per_min = 100")
    headers = {"idempotency-key": "text"}
    for contact in (CONTACT, OTHER):
        await insert_consent(db, account.tenant, sender, contact)
    text = {"from": sender.number, "to": CONTACT, "text": SECRET, "tag": SECRET, "metadata": {"note": SECRET}}
    other = {"from": sender.number, "to": OTHER, "text": SECRET}
    first = await api.post("/v1/messages", text, headers=headers)
    await api.post("/v1/messages/batch", {"messages": [text, other]}, headers={"idempotency-key": "batch"})
    assert first.status == 202, first.json

    await api.post(ERASE)
    again = await api.post("/v1/messages", text, headers=headers)
    batch = await api.post("/v1/messages/batch", {"messages": [text, other]}, headers={"idempotency-key": "batch"})

    assert (again.status, again.data["id"], again.data["text"]) == (202, first.data["id"], None)
    assert (again.data["tag"], again.data["metadata"]) == (None, None)
    assert SECRET.encode() not in again.body
    assert [result["message"]["text"] for result in batch.data["results"]] == [None, SECRET]


def test_an_answer_is_blanked_wherever_the_contact_stands_in_it() -> None:
    body = b'{"data":[{"from":"+1","to":"+2","text":"a","media":["b"],"id":1},{"from":"+2","to":"+1","body":"c"}]}'

    assert rules.blank(body, "+2") == (
        b'{"data":[{"from":"+1","to":"+2","text":null,"media":[],"id":1},{"from":"+2","to":"+1","body":null}]}'
    )
    assert rules.blank(body, "+3") is None
    assert rules.blank(b"sealed \xff +2", "+2") is None


async def test_two_erasures_at_once_count_each_text_once(db: CellDb, account: Account) -> None:
    for _ in range(20):
        await say(db, account.org_id, NUMBER, contact=CONTACT)
        await say(db, account.org_id, NUMBER, contact=CONTACT, is_inbound=True)

    async def erase() -> tuple[int, int]:
        async with db.transaction() as tx:
            erased = await operations.erase(tx, account.tenant, CONTACT)
        return erased.inbound_redacted, erased.outbound_redacted

    counts = await asyncio.gather(*(erase() for _ in range(4)))

    assert sorted(counts) == [(0, 0)] * 3 + [(20, 20)]


async def test_a_text_that_was_erased_while_a_worker_held_it_is_not_shown_again(
    api: Client, db: CellDb, account: Account
) -> None:
    held = await say(db, account.org_id, NUMBER, contact=CONTACT, was_sent=False)
    await queue(db, account.org_id, held.id, is_claimed=True)
    claim = Claim(
        message_id=held.id,
        org_id=account.org_id,
        phone_number_id=NUMBER,
        queue_id=NUMBER,
        brand_id=None,
        kind="customer",
        sender=OUR_NUMBER,
        recipient=CONTACT,
        text=SECRET,
        media=(),
        channel="sms",
        segments=1,
        priority=1,
        price_microcents=1_000_000,
        expires_at=db.now,
        attempts=0,
    )
    await api.post(ERASE)

    async with db.transaction() as tx:
        await conversations.add_sent(tx, [claim])
        await move(tx, [Move(message_id=held.id, org_id=account.org_id, status="sent", cause="accepted_by_carrier")])

    assert await rows_that_say(db, account.org_id, SECRET) == {}
    shown = await db.all(lambda *row: row, "SELECT last_preview, redacted_at IS NOT NULL FROM conversations")
    assert shown == [("[redacted]", True)]


async def test_no_text_to_anybody_is_admitted_while_an_erasure_is_under_way(
    api: Client, db: CellDb, account: Account
) -> None:
    """Else one that was being admitted would be missed by the erasure, and be sent with its words."""
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender, CONTACT)
    async with db.transaction() as tx:
        await operations.erase(tx, account.tenant, CONTACT)
        sending = asyncio.create_task(api.post("/v1/messages", {"from": sender.number, "to": CONTACT, "text": SECRET}))
        waited, _ = await asyncio.wait({sending}, timeout=0.5)

    answer = await sending

    assert waited == set()
    assert (answer.status, answer.data["text"]) == (202, SECRET)
