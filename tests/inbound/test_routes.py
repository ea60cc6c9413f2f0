"""Texts that came in, over HTTP."""

from typing import Any
from urllib.parse import quote

import pytest

from agentmessage.kernel.db import CellDb, Cells
from tests.conftest import NOWHERE, Client
from tests.inbound.handset import Handset
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_sender

OTHER = "+12125550177"


@pytest.fixture
async def second(db: CellDb, account: Account) -> Sender:
    """Another number of the account."""
    return await insert_sender(db, account.tenant, "+14155550124")


async def bodies(api: Client, query: str = "") -> list[str]:
    return [shown["body"] for shown in (await api.get(f"/v1/inbound-messages?{query}")).data]


@pytest.mark.covers("listInboundMessages", 200)
async def test_200_every_filter_narrows_the_list_and_all_must_hold(
    api: Client, cells: Cells, sender: Sender, second: Sender, handset: Handset
) -> None:
    elsewhere = Handset(cells, second.number)
    await handset.texts("a")
    await handset.texts("b", sender=OTHER, media=["https://media.carrier.example/1.png"])
    await elsewhere.texts("c")
    await elsewhere.texts("STOP", sender=OTHER)
    contact, other, to = CONTACT[1:], OTHER[1:], second.number[1:]
    middle = (await api.get("/v1/inbound-messages")).data[1]["received_at"]

    assert await bodies(api) == ["STOP", "c", "b", "a"]
    assert await bodies(api, f"from=%2B{contact}") == ["c", "a"]
    assert await bodies(api, f"to=%2B{to}") == ["STOP", "c"]
    assert await bodies(api, f"from=%2B{contact}&to=%2B{to}") == ["c"]
    assert await bodies(api, f"phone_number_id={sender.id}") == ["b", "a"]
    assert await bodies(api, f"phone_number_id={sender.id}&from=%2B{other}") == ["b"]
    assert await bodies(api, "channel=mms") == ["b"]
    assert await bodies(api, "opt_out=true") == ["STOP"]
    assert await bodies(api, "opt_out=false") == ["c", "b", "a"]
    assert await bodies(api, f"since={middle}") == ["STOP", "c"]
    assert await bodies(api, f"opt_out=true&phone_number_id={sender.id}") == []
    assert await bodies(api, f"phone_number_id={NOWHERE}") == []


async def test_200_pages_show_everything_once(api: Client, handset: Handset) -> None:
    for number in range(7):
        await handset.texts(str(number))

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        reply = await api.get("/v1/inbound-messages?limit=3" + (f"&cursor={cursor}" if cursor else ""))
        seen += [shown["body"] for shown in reply.data]
        cursor = reply.json["meta"]["next_cursor"]

    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


async def test_200_the_list_tells_when_the_last_text_came(api: Client, handset: Handset) -> None:
    assert (await api.get("/v1/inbound-messages")).json["meta"]["last_event_at"] is None
    await handset.texts("Hello")

    (event,) = (await api.get("/v1/events?type=inbound_message.received")).data
    assert (await api.get("/v1/inbound-messages")).json["meta"]["last_event_at"] == event["created_at"]


@pytest.mark.parametrize("name", ["Support", "72345", "6591234567", "A&B Info", "Caf\u00e9 1", "1A"])
async def test_200_whoever_texts_is_found_under_the_name_that_is_shown(
    api: Client, handset: Handset, sender: Sender, name: str
) -> None:
    """A business may text under a name; a number that cannot be read is kept as digits."""
    await handset.texts("Hello", sender=name)
    await handset.texts("Hello from another")
    asked = quote(name)

    (shown,) = (await api.get(f"/v1/inbound-messages?from={asked}")).data
    (conversation,) = (await api.get(f"/v1/conversations?contact_number={asked}")).data
    waited = await api.get(
        f"/v1/inbound-messages/wait?from={asked}&to={quote(sender.number)}&since=2020-01-01T00:00:00Z&timeout_s=5"
    )

    assert (shown["from"], conversation["contact_number"]) == (name, name)
    assert waited.data["id"] == shown["id"]


@pytest.mark.covers("listInboundMessages", 422)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=%2B12", "from"),
        ("from=12-34", "from"),
        ("from=" + "a" * 33, "from"),
        ("from=a%0A", "from"),
        ("to=4155550123456789", "to"),
        ("channel=fax", "channel"),
        ("opt_out=yes", "opt_out"),
        ("since=yesterday", "since"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("phone_number_id=1", "phone_number_id"),
    ],
)
async def test_422_names_the_faulty_filter(api: Client, query: str, field: str) -> None:
    reply = await api.get(f"/v1/inbound-messages?{query}")

    assert (reply.status, list(reply.error["details"])) == (422, [field])


@pytest.mark.covers("getInboundMessage", 200)
async def test_200_one_text_is_shown_as_in_the_list(api: Client, handset: Handset) -> None:
    await handset.texts("Hello")
    (shown,) = (await api.get("/v1/inbound-messages")).data

    assert (await api.get(f"/v1/inbound-messages/{shown['id']}")).data == shown


@pytest.mark.covers("getInboundMessage", 404)
async def test_404_what_is_unknown_or_a_strangers(app: Any, api: Client, stranger: Account, handset: Handset) -> None:
    await handset.texts("Hello")
    (shown,) = (await api.get("/v1/inbound-messages")).data
    theirs = Client(app, stranger.key)

    assert (await api.get(f"/v1/inbound-messages/{NOWHERE}")).status == 404
    assert (await theirs.get(f"/v1/inbound-messages/{shown['id']}")).status == 404
    assert (await theirs.get("/v1/inbound-messages")).data == []
    assert (await theirs.get(f"/v1/inbound-messages?phone_number_id={shown['phone_number_id']}")).data == []
