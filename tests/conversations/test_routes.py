"""Conversations: what one of our numbers and one contact wrote to each other, whoever wrote."""

from datetime import timedelta
from typing import Any

import pytest

from agentmessage.conversations.routes import CONVERSATION_ID
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from tests.conftest import Client
from tests.inbound.handset import Handset
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender

OTHER = "+12125550177"


async def hand_over(db: CellDb, sender: Sender, account: Account, text: str, *, to: str = CONTACT) -> None:
    """What the dispatcher leaves behind a text that its carrier took."""
    message_id, now = new_id(), db.now
    await db.run(
        """INSERT INTO messages (id, org_id, account, phone_number_id, kind, sender, recipient, text, appended_text,
               channel, encoding, segments, priority, status, unit_price_microcents, expires_at, created_at, updated_at)
           VALUES ($1, $2, 'live', $3, 'customer', $4, $5, $6, ' STOP ends', 'sms', 'gsm7', 1, 1, 'sent', 1000000, $7,
               $8, $8)""",
        message_id,
        account.org_id,
        sender.id,
        sender.number,
        to,
        text,
        now + timedelta(hours=4),
        now - timedelta(days=2),
    )
    await db.run(
        """WITH entered AS (
               INSERT INTO conversation_entries (org_id, contact_number, phone_number_id, at, message_id, direction)
               VALUES ($1, $2, $3, $4, $5, 'outbound'))
           INSERT INTO conversations AS c (org_id, phone_number_id, contact_number, phone_number, last_message_at,
               last_direction, last_message_id, last_preview, message_count)
           VALUES ($1, $3, $2, $6, $4, 'outbound', $5, $7, 1)
           ON CONFLICT (org_id, contact_number, phone_number_id) DO UPDATE SET last_message_at = $4,
               last_direction = 'outbound', last_preview = $7, message_count = c.message_count + 1""",
        account.org_id,
        to,
        sender.id,
        now,
        message_id,
        sender.number,
        text,
    )


@pytest.mark.covers("listConversations", 200)
async def test_200_a_conversation_shows_what_was_last_said(
    db: CellDb, api: Client, account: Account, sender: Sender, handset: Handset
) -> None:
    await insert_consent(db, account.tenant, sender)
    await handset.texts("Is Monday free?")
    await hand_over(db, sender, account, "At nine.")
    await handset.texts("x" * 300)

    (shown,) = (await api.get("/v1/conversations")).data
    assert (shown["phone_number_id"], shown["phone_number"]) == (str(sender.id), sender.number)
    assert (shown["contact_number"], shown["message_count"]) == (CONTACT, 3)
    assert (shown["last_message_direction"], shown["last_message_preview"]) == ("inbound", "x" * 160)
    assert shown["last_message_body_redacted_at"] is None
    assert shown["consent"]["opted_in"] is True
    assert shown["consent"]["opted_in_at"]


@pytest.fixture
async def elsewhere(db: CellDb, cells: Cells, account: Account) -> Handset:
    """The contact's phone, texting another number of the account."""
    second = await insert_sender(db, account.tenant, "+14155550124")
    return Handset(cells, second.number)


@pytest.fixture
async def other_agreed(db: CellDb, account: Account, sender: Sender) -> None:
    """Another contact has agreed to texts from the number."""
    await insert_consent(db, account.tenant, sender, OTHER)


@pytest.mark.usefixtures("other_agreed")
async def test_200_the_last_spoken_in_is_first_and_every_filter_narrows(
    api: Client, sender: Sender, handset: Handset, elsewhere: Handset
) -> None:
    await handset.texts("a")
    await handset.texts("b", sender=OTHER)
    await elsewhere.texts("c")
    middle = (await api.get("/v1/conversations")).data[1]["last_message_at"]

    async def previews(query: str = "") -> list[str]:
        return [shown["last_message_preview"] for shown in (await api.get(f"/v1/conversations?{query}")).data]

    assert await previews() == ["c", "b", "a"]
    assert await previews(f"contact_number=%2B{CONTACT[1:]}") == ["c", "a"]
    assert await previews(f"phone_number_id={sender.id}") == ["b", "a"]
    assert await previews(f"phone_number_id={sender.id}&contact_number=%2B{OTHER[1:]}") == ["b"]
    assert await previews(f"since={middle}") == ["c", "b"]
    assert await previews("opted_in=true") == ["b"]
    assert await previews("opted_in=false") == ["c", "a"]
    await handset.texts("d")
    assert await previews() == ["d", "c", "b"]


async def test_200_pages_show_every_conversation_once_though_they_share_a_moment(
    db: CellDb, api: Client, handset: Handset
) -> None:
    contacts = [f"+1212555{number:04d}" for number in range(100, 111)]
    for contact in contacts:
        await handset.texts("Hello", sender=contact)
    await db.run("UPDATE conversations SET last_message_at = date_trunc('day', last_message_at)")

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        reply = await api.get("/v1/conversations?limit=4" + (f"&cursor={cursor}" if cursor else ""))
        seen += [shown["contact_number"] for shown in reply.data]
        cursor = reply.json["meta"]["next_cursor"]

    assert seen == contacts


async def test_200_past_retention_the_preview_says_so(db: CellDb, api: Client, handset: Handset) -> None:
    await handset.texts("Secret")
    await db.run("UPDATE conversations SET last_preview = NULL, redacted_at = last_message_at")

    (shown,) = (await api.get("/v1/conversations")).data
    assert (shown["last_message_preview"], shown["last_message_body_redacted_at"]) == (
        "[redacted]",
        shown["last_message_at"],
    )


@pytest.mark.covers("listConversations", 422)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("contact_number=%2B12", "contact_number"),
        ("opted_in=maybe", "opted_in"),
        ("limit=201", "limit"),
        ("cursor=eyJjcmVhdGVkX2F0IjoiMjAyNi0wNC0yNlQxMjowMDowMFoiLCJpZCI6IjEifQ", "cursor"),
    ],
)
async def test_422_names_the_faulty_filter(api: Client, query: str, field: str) -> None:
    reply = await api.get(f"/v1/conversations?{query}")

    assert (reply.status, list(reply.error["details"])) == (422, [field])


@pytest.mark.covers("listConversationMessages", 200)
async def test_200_a_conversation_is_told_in_both_directions_oldest_first(
    db: CellDb, api: Client, account: Account, sender: Sender, handset: Handset
) -> None:
    await handset.texts("Is Monday free?")
    await hand_over(db, sender, account, "At nine.")
    await handset.texts("Thanks", media=["https://media.carrier.example/1.png"])
    await handset.texts("Another's", sender=OTHER)
    conversation = (await api.get(f"/v1/conversations?contact_number=%2B{CONTACT[1:]}")).data[0]

    told = (await api.get(f"/v1/conversations/{conversation['id']}/messages")).data

    assert [(one["direction"], one["body"]) for one in told] == [
        ("inbound", "Is Monday free?"),
        ("outbound", "At nine. STOP ends"),
        ("inbound", "Thanks"),
    ]
    assert [(one["from_number"], one["to_number"]) for one in told] == [
        (CONTACT, sender.number),
        (sender.number, CONTACT),
        (CONTACT, sender.number),
    ]
    assert [one["channel"] for one in told] == ["sms", "sms", "mms"]
    assert told[2]["media_urls"] == ["https://media.carrier.example/1.png"]
    moments = [one["created_at"] for one in told]
    assert moments == sorted(moments)
    assert moments[-1] == conversation["last_message_at"]


async def test_200_pages_of_a_conversation_show_every_text_once(api: Client, handset: Handset) -> None:
    for number in range(7):
        await handset.texts(str(number))
    (conversation,) = (await api.get("/v1/conversations")).data

    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/v1/conversations/{conversation['id']}/messages?limit=3" + (f"&cursor={cursor}" if cursor else "")
        reply = await api.get(path)
        seen += [one["body"] for one in reply.data]
        cursor = reply.json["meta"]["next_cursor"]

    assert seen == ["0", "1", "2", "3", "4", "5", "6"]


async def test_200_a_conversation_keeps_its_id(api: Client, handset: Handset) -> None:
    await handset.texts("1")
    first = (await api.get("/v1/conversations")).data[0]["id"]
    await handset.texts("2")

    assert (await api.get("/v1/conversations")).data[0]["id"] == first


@pytest.mark.covers("listConversationMessages", 400)
@pytest.mark.parametrize("some_id", ["x", "x" * 30, "é" * 30, CONVERSATION_ID.example[:-1], "x" * 87])
async def test_400_an_id_that_no_conversation_can_have(api: Client, some_id: str) -> None:
    reply = await api.get(f"/v1/conversations/{some_id}/messages")

    assert (reply.status, reply.error["code"]) == (400, "INVALID_INPUT")
    assert list(reply.error["details"]) == ["id"]


@pytest.mark.covers("listConversationMessages", 404)
async def test_404_what_is_unknown_or_a_strangers(app: Any, api: Client, stranger: Account, handset: Handset) -> None:
    await handset.texts("Hello")
    (conversation,) = (await api.get("/v1/conversations")).data
    theirs = Client(app, stranger.key)

    assert (await api.get(f"/v1/conversations/{CONVERSATION_ID.example}/messages")).status == 404
    assert (await theirs.get(f"/v1/conversations/{conversation['id']}/messages")).status == 404
    assert (await theirs.get("/v1/conversations")).data == []


@pytest.mark.covers("listConversationMessages", 422)
@pytest.mark.parametrize("query", ["limit=0", "cursor=x"])
async def test_422_names_the_faulty_place(api: Client, handset: Handset, query: str) -> None:
    await handset.texts("Hello")
    (conversation,) = (await api.get("/v1/conversations")).data

    reply = await api.get(f"/v1/conversations/{conversation['id']}/messages?{query}")

    assert (reply.status, list(reply.error["details"])) == (422, [query.partition("=")[0]])
