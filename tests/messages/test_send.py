"""POST /v1/messages: what is accepted, what is refused and in which order, and what is written."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.messages.model import displayed_text
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number that may text CONTACT."""
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await set_throughput(db, account.tenant)
    return sender


def message_from(sender: Sender, **changes: Any) -> Mapping[str, Any]:
    return {"from": sender.number, "to": CONTACT, "text": "Acme: you are next.", **changes}


@pytest.mark.covers("sendMessage", 202)
async def test_202_an_accepted_text_is_stored_and_queued(db: CellDb, api: Client, sender: Sender) -> None:
    reply = await api.post("/v1/messages", message_from(sender, tag="reminder", metadata={"visit": "8841"}))

    assert reply.status == 202, reply.body
    data = reply.data
    assert (data["from"], data["to"], data["text"]) == (sender.number, CONTACT, "Acme: you are next.")
    assert (data["channel"], data["priority"], data["status"], data["tag"]) == ("sms", "default", "queued", "reminder")
    assert (data["segment_count"], data["encoding"], data["metadata"]) == (1, "gsm7", {"visit": "8841"})
    assert await db.value("SELECT count(*) FROM message_queue WHERE message_id = $1", data["id"]) == 1
    assert (await api.get(f"/v1/messages/{data['id']}")).data == data


async def test_a_message_is_held_but_not_charged_before_the_carrier_takes_it(
    db: CellDb, api: Client, account: Account, sender: Sender
) -> None:
    before = await db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", account.org_id)

    await api.post("/v1/messages", message_from(sender, text="a" * 161))

    assert await db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", account.org_id) == before
    held = await db.value("SELECT admitted_microcents FROM send_accounts WHERE org_id = $1", account.org_id)
    assert held == await db.value("SELECT sum(price_microcents)::bigint FROM message_queue")
    assert await db.value("SELECT segments FROM messages") == 2


OPTIONAL = ("media", "smart_encoding", "priority", "tag", "scheduled_at", "validity_s", "metadata")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/guardrails/preflight"])
async def test_null_is_as_good_as_left_out(api: Client, sender: Sender, path: str) -> None:
    """Resources print null for what is unset, and typed clients send it back."""
    plain = await api.post(path, message_from(sender))
    nulls = await api.post(path, message_from(sender, **dict.fromkeys(OPTIONAL)))

    assert (plain.status, nulls.status) == ((202, 202) if path == "/v1/messages" else (200, 200)), nulls.body
    fields = ("media", "priority", "validity_s", "segment_count", "can_submit")
    assert [nulls.data.get(name) for name in fields] == [plain.data.get(name) for name in fields]


BLANK = [
    " ",
    "\n\t ",
    "\u00a0",
    "\u200b",
    "\u200d\ufeff\u2060",
    "\u00ad",
    "\u2800\u2800",
    "\u3164",
    "\u115f\u1160\uffa0",
    "\u202e\u202c",
    "\u034f\ufe0f",
    "\u0007\u001b",
    "\U000e0020",
    "\u3000\u180e",
]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/guardrails/preflight"])
@pytest.mark.parametrize("text", BLANK, ids=ascii)
async def test_422_a_message_that_shows_nothing_is_no_message(
    api: Client, sender: Sender, path: str, text: str
) -> None:
    reply = await api.post(path, message_from(sender, text=text))

    assert (reply.status, list(reply.error["details"])) == (422, ["text"])


@pytest.mark.parametrize(
    "text", ["\u200b.", "\u2764\ufe0f", "\U0001f469\u200d\U0001f4bb", "\u0639", "e\u0301", "\u2588"], ids=ascii
)
async def test_a_message_that_shows_anything_is_sent(api: Client, sender: Sender, text: str) -> None:
    assert (await api.post("/v1/messages", message_from(sender, text=text))).status == 202


async def test_with_media_a_message_may_show_nothing(api: Client, sender: Sender) -> None:
    asked = message_from(sender, text=" ", media=["https://customer.example/a.png"])

    assert (await api.post("/v1/messages", asked)).status == 202


async def test_422_of_a_batch_the_blank_text_is_refused_alone(api: Client, sender: Sender) -> None:
    reply = await api.post(
        "/v1/messages/batch", {"messages": [message_from(sender), message_from(sender, text="\u3164")]}
    )

    assert [result["status"] for result in reply.data["results"]] == [202, 422]


@pytest.mark.parametrize(
    "tag",
    ["order 7421", "a/b", "\u00fcmlaut", "\u6ce8\u6587", "100 %", "\U0001f469\u200d\U0001f4bb", "x" * 64, "'; --"],
    ids=ascii,
)
async def test_any_printable_characters_are_a_tag_and_find_the_message(api: Client, sender: Sender, tag: str) -> None:
    sent = await api.post("/v1/messages", message_from(sender, tag=tag))

    assert (sent.status, sent.data["tag"]) == (202, tag)
    listed = await api.get(f"/v1/messages?tag={quote(tag, safe='')}")
    assert [row["id"] for row in listed.data] == [sent.data["id"]]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/guardrails/preflight"])
@pytest.mark.parametrize(
    "tag",
    ["", "x" * 65, "a\nb", "a\n", "\u0000", "\u001b[2J", "\u009b2J", "\u202eb", "\u2028", "\u200b", " ", "\u3164"],
    ids=ascii,
)
async def test_422_what_cannot_be_printed_is_no_tag(api: Client, sender: Sender, path: str, tag: str) -> None:
    reply = await api.post(path, message_from(sender, tag=tag))

    assert (reply.status, reply.error["details"]) == (422, {"tag": "must be 1..64 printable characters"})


async def test_a_hundred_at_once_are_admitted_each_in_its_place(db: CellDb, api: Client, sender: Sender) -> None:
    messages = [message_from(sender, text=f"Acme: ticket {index}") for index in range(100)]
    replies = await asyncio.gather(*(api.post("/v1/messages", text) for text in messages))

    assert [reply.data["text"] for reply in replies] == [text["text"] for text in messages]
    assert await db.value("SELECT count(*) FROM messages") == 100


async def test_one_refused_message_among_many_is_refused_alone(api: Client, sender: Sender) -> None:
    messages = [message_from(sender, to="+12125550177" if index == 3 else CONTACT) for index in range(6)]
    replies = await asyncio.gather(*(api.post("/v1/messages", text) for text in messages))

    assert [reply.status for reply in replies] == [202, 202, 202, 453, 202, 202]


@pytest.mark.covers("sendMessage", 453)
@pytest.mark.covers("sendMessage", 422)
@pytest.mark.parametrize(
    ("number", "consent", "refusal"),
    [
        ({"wish": None}, {}, (422, "SENDER_NOT_REGISTERED")),
        ({"line_option_status": "pending"}, {}, (422, "SENDER_NOT_REGISTERED")),
        ({}, {"suppressed_by": "keyword", "opted_in": False}, (453, "RECIPIENT_OPTED_OUT")),
        ({}, {"suppressed_by": "revocation", "opted_in": False}, (453, "RECIPIENT_OPTED_OUT")),
        ({}, {"opted_in": False}, (453, "CONSENT_REQUIRED")),
        ({}, None, (453, "CONSENT_REQUIRED")),
        ({"state": "quarantined"}, {}, (422, "VALIDATION_FAILED")),
    ],
)
async def test_refused_by_law(
    db: CellDb, api: Client, account: Account, *, number: Any, consent: Any, refusal: tuple[int, str]
) -> None:
    sender = await insert_sender(db, account.tenant, **number)
    if consent is not None:
        await insert_consent(db, account.tenant, sender, **consent)

    reply = await api.post("/v1/messages", message_from(sender))

    assert (reply.status, reply.error["code"]) == refusal
    assert await db.value("SELECT count(*) FROM messages") == 0


async def test_422_another_organizations_number_is_not_a_sender(db: CellDb, api: Client, stranger: Account) -> None:
    theirs = await insert_sender(db, stranger.tenant)

    reply = await api.post("/v1/messages", message_from(theirs))

    assert reply.error["details"] == {"from": "must be one of your assigned numbers"}


@pytest.mark.covers("sendMessage", 402)
async def test_402_two_messages_that_together_exceed_the_credit_are_not_both_accepted(
    db: CellDb, api: Client, account: Account, sender: Sender
) -> None:
    await db.run("UPDATE wallets SET balance_microcents = 3000000 WHERE org_id = $1", account.org_id)

    replies = await asyncio.gather(*(api.post("/v1/messages", message_from(sender)) for _ in range(10)))

    assert sorted(reply.status for reply in replies) == [202] * 3 + [402] * 7


@pytest.mark.covers("sendMessage", 429)
async def test_429_beyond_the_tiers_pace_with_the_seconds_to_wait(
    db: CellDb, api: Client, account: Account, sender: Sender
) -> None:
    await set_throughput(db, account.tenant, per_sec=5, per_min=2)

    replies = await asyncio.gather(*(api.post("/v1/messages", message_from(sender)) for _ in range(4)))

    assert sorted(reply.status for reply in replies) == [202, 202, 429, 429]
    refused = next(reply for reply in replies if reply.status == 429)
    assert refused.headers["retry-after"] == "30"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": None}, "text"),
        ({"text": "\ud83d"}, "body"),
        ({"text": "a" * 1601}, "text"),
        ({"to": "212"}, "to"),
        ({"validity_s": 59}, "validity_s"),
        ({"tag": "a\nb"}, "tag"),
        ({"metadata": {"a": {"b": 1}}}, "metadata"),
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, "scheduled_at"),
        ({"mood": "happy"}, "mood"),
    ],
)
async def test_422_names_the_faulty_field(api: Client, sender: Sender, changes: Any, field: str) -> None:
    reply = await api.post("/v1/messages", message_from(sender, **changes))

    assert reply.status in (400, 422)
    assert reply.status == 400 or field in reply.error["details"]


async def test_smart_encoding_saves_parts_and_keeps_the_customers_words(api: Client, sender: Sender) -> None:
    words = (
        "Acme: \N{LEFT DOUBLE QUOTATION MARK}tomorrow\N{RIGHT DOUBLE QUOTATION MARK} at nine \N{EN DASH} " + "x" * 60
    )
    plain = (await api.post("/v1/messages", message_from(sender, text=words))).data
    smart = (await api.post("/v1/messages", message_from(sender, text=words, smart_encoding=True))).data
    preflight = await api.post("/v1/guardrails/preflight", message_from(sender, text=words, smart_encoding=True))

    assert (plain["segment_count"], plain["encoding"], plain["smart_encoding"]) == (2, "ucs2", False)
    assert (smart["segment_count"], smart["encoding"], smart["smart_encoding"]) == (1, "gsm7", True)
    assert smart["text"] == words
    assert preflight.data["segment_count"] == 1
    assert displayed_text(words, None, is_smart=True).startswith('Acme: "tomorrow" at nine - ')


async def test_a_scheduled_message_waits_and_can_be_canceled(db: CellDb, api: Client, sender: Sender) -> None:
    due = (db.now + timedelta(hours=1)).isoformat()
    sent = (await api.post("/v1/messages", message_from(sender, scheduled_at=due))).data
    assert sent["status"] == "queued"
    assert sent["scheduled_at"] is not None

    canceled = await api.delete(f"/v1/messages/{sent['id']}")
    again = await api.delete(f"/v1/messages/{sent['id']}")

    assert (canceled.status, canceled.data["status"]) == (200, "canceled")
    assert again.data == canceled.data
    assert await db.value("SELECT count(*) FROM message_queue") == 0
    moves = (await api.get(f"/v1/messages/{sent['id']}/events")).data
    assert [(move["status"], move["cause"]) for move in moves] == [
        ("queued", "accepted"),
        ("canceled", "canceled_by_customer"),
    ]


async def test_what_was_held_for_a_canceled_message_is_free_again(
    db: CellDb, api: Client, account: Account, sender: Sender
) -> None:
    await db.run("UPDATE wallets SET balance_microcents = 1000000 WHERE org_id = $1", account.org_id)
    first = (await api.post("/v1/messages", message_from(sender))).data
    assert (await api.post("/v1/messages", message_from(sender))).status == 402

    await api.delete(f"/v1/messages/{first['id']}")

    assert (await api.post("/v1/messages", message_from(sender))).status == 202


@pytest.mark.covers("getMessage", 200)
async def test_200_a_message_is_read_as_it_was_accepted(api: Client, sender: Sender) -> None:
    sent = (await api.post("/v1/messages", message_from(sender))).data

    reply = await api.get(f"/v1/messages/{sent['id']}")

    assert (reply.status, reply.data) == (200, sent)


@pytest.mark.covers("listMessageEvents", 200)
async def test_200_a_fresh_text_has_moved_once(api: Client, sender: Sender) -> None:
    sent = (await api.post("/v1/messages", message_from(sender))).data

    reply = await api.get(f"/v1/messages/{sent['id']}/events")

    assert reply.status == 200
    assert reply.data == [
        {"status": "queued", "cause": "accepted", "at": sent["created_at"], "code": None, "text": None}
    ]


@pytest.mark.covers("cancelMessage", 200)
async def test_200_a_queued_message_is_canceled_once_with_one_event(db: CellDb, api: Client, sender: Sender) -> None:
    sent = (await api.post("/v1/messages", message_from(sender))).data

    replies = [await api.delete(f"/v1/messages/{sent['id']}") for _ in range(2)]

    assert [(reply.status, reply.data["status"]) for reply in replies] == [(200, "canceled")] * 2
    assert await db.value("SELECT count(*) FROM events WHERE type = 'message.canceled'") == 1


@pytest.mark.covers("getMessage", 404)
@pytest.mark.covers("listMessageEvents", 404)
@pytest.mark.covers("cancelMessage", 404)
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "/events"), ("DELETE", "")])
async def test_404_a_strangers_text_is_nothing(
    db: CellDb, app: Any, api: Client, *, sender: Sender, stranger: Account, method: str, tail: str
) -> None:
    """The same error as for an unknown id, and the message stays as it was."""
    theirs = (await api.post("/v1/messages", message_from(sender))).data["id"]
    spying = Client(app, stranger.key)

    replies = [await spying.request(method, f"/v1/messages/{asked}{tail}") for asked in (theirs, NOWHERE)]

    assert [reply.status for reply in replies] == [404, 404]
    assert len({reply.error["message"] for reply in replies}) == 1
    assert await db.value("SELECT status FROM messages WHERE id = $1", theirs) == "queued"
    assert await db.value("SELECT count(*) FROM message_queue") == 1


@pytest.mark.covers("cancelMessage", 409)
async def test_409_a_message_that_a_worker_has_claimed_cannot_be_canceled(
    db: CellDb, api: Client, sender: Sender
) -> None:
    sent = (await api.post("/v1/messages", message_from(sender))).data
    await db.run("UPDATE message_queue SET claimed_at = now()")

    assert (await api.get(f"/v1/messages/{sent['id']}")).data["status"] == "sending"
    assert (await api.delete(f"/v1/messages/{sent['id']}")).error["code"] == "MESSAGE_NOT_CANCELABLE"


async def test_the_same_idempotency_key_sends_once(db: CellDb, api: Client, sender: Sender) -> None:
    headers = {"Idempotency-Key": "one"}
    first = await api.post("/v1/messages", message_from(sender), headers=headers)
    second = await api.post("/v1/messages", message_from(sender), headers=headers)

    assert first.data == second.data
    assert await db.value("SELECT count(*) FROM messages") == 1


async def test_the_same_idempotency_key_many_times_at_once_sends_once(db: CellDb, api: Client, sender: Sender) -> None:
    def send(key: str) -> Any:
        return api.post("/v1/messages", message_from(sender), headers={"Idempotency-Key": key})

    replies = await asyncio.gather(*(send(f"key-{index % 3}") for index in range(30)))

    assert {reply.status for reply in replies} == {202}
    assert len({reply.data["id"] for reply in replies}) == 3
    assert await db.value("SELECT count(*) FROM messages") == 3


@pytest.mark.covers("sendMessage", 409)
async def test_409_a_key_that_another_message_was_sent_with(db: CellDb, api: Client, sender: Sender) -> None:
    headers = {"Idempotency-Key": "one"}
    pair = (message_from(sender), message_from(sender, text="Acme: something else."))
    replies = await asyncio.gather(*(api.post("/v1/messages", text, headers=headers) for text in pair))
    later = await api.post("/v1/messages", message_from(sender, text="Acme: a third."), headers=headers)

    assert sorted(reply.status for reply in replies) == [202, 409]
    assert later.error["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await db.value("SELECT count(*) FROM messages") == 1


async def test_a_refused_message_leaves_its_key_free(db: CellDb, api: Client, account: Account) -> None:
    sender = await insert_sender(db, account.tenant)
    headers = {"Idempotency-Key": "one"}
    assert (await api.post("/v1/messages", message_from(sender), headers=headers)).status == 453

    await insert_consent(db, account.tenant, sender)

    assert (await api.post("/v1/messages", message_from(sender), headers=headers)).status == 202


@pytest.mark.covers("sendMessageBatch", 207)
async def test_207_each_message_of_a_batch_stands_alone(db: CellDb, api: Client, sender: Sender) -> None:
    faulty = [message_from(sender, text=None), message_from(sender, to="212", tag="two\nlines"), "not a text"]
    messages = [message_from(sender), message_from(sender, to="+12125550177"), *faulty]

    reply = await api.post("/v1/messages/batch", {"messages": messages})

    assert reply.status == 207
    assert [result["status"] for result in reply.data["results"]] == [202, 453, 422, 422, 422]
    assert (reply.data["accepted"], reply.data["refused"]) == (1, 4)
    assert set(reply.data["results"][3]["error"]["details"]) == {"to", "tag"}
    assert reply.data["results"][1]["error"]["code"] == "CONSENT_REQUIRED"
    assert await db.value("SELECT count(*) FROM messages") == 1


@pytest.mark.covers("sendMessageBatch", 422)
@pytest.mark.parametrize("messages", ["[]", "null", '"all of them"', f"[{'{},' * 1000}{{}}]"])
async def test_422_a_batch_of_the_wrong_shape_sends_nothing(db: CellDb, api: Client, messages: str) -> None:
    reply = await api.post("/v1/messages/batch", {"messages": json.loads(messages)})

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    assert await db.value("SELECT count(*) FROM messages") == 0


@pytest.mark.covers("listMessages", 422)
@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("status=asleep", "status"), ("cursor=x", "cursor"), ("to=212", "to")]
)
async def test_422_names_the_faulty_filter(api: Client, query: str, field: str) -> None:
    reply = await api.get(f"/v1/messages?{query}")

    assert reply.status == 422
    assert field in reply.error["details"]


@pytest.mark.covers("listMessages", 200)
async def test_200_lists_are_paged_newest_first_and_filtered(api: Client, sender: Sender) -> None:
    sent = [(await api.post("/v1/messages", message_from(sender, tag=f"t{index}"))).data["id"] for index in range(5)]

    first = await api.get("/v1/messages?limit=3")
    second = await api.get(f"/v1/messages?limit=3&cursor={first.headers['x-next-cursor']}")

    assert [row["id"] for row in (*first.data, *second.data)] == sent[::-1]
    assert [row["id"] for row in (await api.get("/v1/messages?tag=t2")).data] == [sent[2]]
    assert (await api.get("/v1/messages?status=delivered")).data == []
