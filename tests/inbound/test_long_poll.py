"""Waiting for a text: at once when it is there, as soon as it comes, in bounds, and never for longer than asked."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agentmessage.conversations.routes import routes as conversation_routes
from agentmessage.inbound import long_poll
from agentmessage.inbound.long_poll import Waits
from agentmessage.inbound.routes import routes
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.keys.routes import routes as key_routes
from agentmessage.web.key_watch import POLL_S
from tests.conftest import Client, Reply
from tests.inbound.handset import Handset
from tests.make.accounts import Account, key_with
from tests.make.rooms import RoomsApp
from tests.make.texts import CONTACT, Sender, insert_sender

PATIENCE_S = 10.0
OTHER = "+12125550177"


@pytest.fixture
def app(cells: Cells) -> RoomsApp:
    """The room behind the edge; its bells ring in this process. Two waits of one key at most."""
    return RoomsApp(cells, routes, conversation_routes, services={"waits": Waits(most=2)})


@pytest.fixture
def handset(app: RoomsApp, cells: Cells, sender: Sender) -> Handset:
    """A phone whose texts ring the application's bells."""
    phone = Handset(cells, sender.number)
    phone.ring = app.bells.strike  # type: ignore[method-assign]
    return phone


@pytest.fixture
def path(sender: Sender) -> str:
    """A wait for the contact's next text to the number, for as long as it takes."""
    return f"/v1/inbound-messages/wait?from=%2B{CONTACT[1:]}&to=%2B{sender.number[1:]}&timeout_s=60"


@asynccontextmanager
async def waiting_for(api: Client, path: str, *, hearers: int = 1) -> AsyncIterator[asyncio.Task[Reply]]:
    """A request that waits by now."""
    task = asyncio.create_task(api.get(path))
    await until_waiting(api.app.bells, hearers)
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until_waiting(bells: Any, hearers: int) -> None:
    """Until so many requests have looked and wait for a bell."""
    async with asyncio.timeout(PATIENCE_S):
        # Nobody tells when a request begins to wait.
        while sum(len(event._waiters) for events in bells._events.values() for event in events) < hearers:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def answered(task: asyncio.Task[Reply]) -> Reply:
    async with asyncio.timeout(PATIENCE_S):
        return await task


@pytest.mark.covers("waitForInboundMessage", 200)
async def test_200_a_wait_ends_when_the_text_comes(
    monkeypatch: pytest.MonkeyPatch, api: Client, handset: Handset, path: str
) -> None:
    monkeypatch.setattr(long_poll, "BACKSTOP_S", 3600.0)
    async with waiting_for(api, path) as task:
        await handset.texts("Hello")
        reply = await answered(task)

    assert (reply.status, reply.data["body"]) == (200, "Hello")


async def test_200_a_wait_that_is_over_answers_null(api: Client, path: str) -> None:
    began = time.monotonic()

    reply = await api.get(path.replace("timeout_s=60", "timeout_s=1"))

    assert (reply.status, reply.json) == (200, {"success": True, "data": None})
    assert 0.9 < time.monotonic() - began < PATIENCE_S


async def test_texts_of_before_the_request_are_not_waited_for(api: Client, handset: Handset, path: str) -> None:
    await handset.texts("Before")

    async with waiting_for(api, path) as task:
        await handset.texts("After")
        reply = await answered(task)

    assert reply.data["body"] == "After"


async def test_with_since_a_loop_misses_none(api: Client, handset: Handset, path: str) -> None:
    await handset.texts("1")
    seen = [(await api.get("/v1/inbound-messages")).data[0]]
    for text in ("2", "3", "4"):
        await handset.texts(text)

    while seen[-1]["body"] != "4":
        reply = await api.get(f"{path}&since={seen[-1]['received_at']}")
        seen.append(reply.data)

    assert [text["body"] for text in seen] == ["1", "2", "3", "4"]


@pytest.fixture
async def elsewhere(db: CellDb, cells: Cells, account: Account, handset: Handset) -> Handset:
    """The same contact's phone, texting another number of the account."""
    second = await insert_sender(db, account.tenant, "+14155550124")
    phone = Handset(cells, second.number)
    phone.ring = handset.ring  # type: ignore[method-assign]
    return phone


async def test_a_wait_does_not_end_with_a_text_that_does_not_fit(
    api: Client, handset: Handset, elsewhere: Handset, path: str
) -> None:
    async with waiting_for(api, path) as task:
        await handset.texts("From another", sender=OTHER)
        await elsewhere.texts("To another")
        assert not task.done()
        await handset.texts("This one")
        reply = await answered(task)

    assert reply.data["body"] == "This one"


async def test_without_filters_any_text_of_the_organization_ends_it_and_no_strangers(
    db: CellDb, cells: Cells, api: Client, handset: Handset, stranger: Account
) -> None:
    theirs = await insert_sender(db, stranger.tenant, "+14155550124")
    phone = Handset(cells, theirs.number)
    phone.ring = handset.ring  # type: ignore[method-assign]

    async with waiting_for(api, "/v1/inbound-messages/wait?timeout_s=60") as task:
        await phone.texts("To the stranger")
        assert not task.done()
        await handset.texts("To us", sender=OTHER)
        reply = await answered(task)

    assert reply.data["body"] == "To us"


async def test_a_wait_finds_a_text_that_no_bell_told_of(
    monkeypatch: pytest.MonkeyPatch, api: Client, cells: Cells, sender: Sender, path: str
) -> None:
    monkeypatch.setattr(long_poll, "BACKSTOP_S", 0.05)
    async with waiting_for(api, path) as task:
        await Handset(cells, sender.number).texts("Hello")
        reply = await answered(task)

    assert reply.data["body"] == "Hello"


@pytest.mark.covers("waitForInboundMessage", 429)
async def test_429_a_key_waits_so_often_at_once_and_no_more(
    cells: Cells, account: Account, api: Client, handset: Handset, path: str
) -> None:
    other_key = await key_with(cells, account.tenant, ["messages:read"], label="another")

    async with waiting_for(api, path) as one, waiting_for(api, path, hearers=2) as two:
        refused = await api.get(path)
        assert (refused.status, refused.error["code"]) == (429, "RATE_LIMITED")
        assert refused.headers["retry-after"] == "1"
        async with waiting_for(api.using(other_key), path, hearers=3) as third:
            await handset.texts("Hello")
            assert [(await answered(task)).status for task in (one, two, third)] == [200, 200, 200]
    assert (await api.get(f"{path}&since=2020-01-01T00:00:00Z")).status == 200


async def test_a_wait_ends_at_once_when_the_process_is_to_end(app: RoomsApp, api: Client, path: str) -> None:
    async with waiting_for(api, path) as task:
        app.is_draining = True
        app.bells.strike_all()
        reply = await answered(task)

    assert (reply.status, reply.json["data"]) == (200, None)


async def test_many_waits_hold_no_connection(cells: Cells, account: Account, db: CellDb, sender: Sender) -> None:
    app = RoomsApp(cells, routes, services={"waits": Waits(most=50)})
    api = Client(app, account.key)
    path = f"/v1/inbound-messages/wait?to=%2B{sender.number[1:]}&timeout_s=60"
    async with waiting_for(api, path):
        others = [asyncio.create_task(api.get(path)) for _ in range(39)]
        await until_waiting(app.bells, 40)
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.gather(*(db.value("SELECT pg_backend_pid()") for _ in range(8)))
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    assert app.bells._events == {}


async def test_a_minute_is_answered_before_a_proxy_gives_up(
    api: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As nginx does after 60 s without a byte, unless told otherwise."""
    assert long_poll.LONGEST_S + long_poll.BACKSTOP_S <= 55
    monkeypatch.setattr(long_poll, "LONGEST_S", 0.1)

    async with asyncio.timeout(PATIENCE_S):
        reply = await api.get(path)

    assert (reply.status, reply.data) == (200, None)


@pytest.mark.covers("waitForInboundMessage", 422)
@pytest.mark.parametrize(
    ("query", "field"),
    [("timeout_s=61", "timeout_s"), ("timeout_s=-1", "timeout_s"), ("from=%2B12", "from"), ("since=now", "since")],
)
async def test_422_names_what_cannot_be_waited_for(api: Client, query: str, field: str) -> None:
    reply = await api.get(f"/v1/inbound-messages/wait?{query}")

    assert (reply.status, list(reply.error["details"])) == (422, [field])


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_a_wait_ends_with_its_key(app: RoomsApp, cells: Cells, account: Account, path: str, where: str) -> None:
    """Within a second, though no bell is rung: half of it passes between two looks at the directory."""
    key = await key_with(cells, account.tenant, ["messages:read"], label="reader")
    there = app if where == "here" else RoomsApp(cells)
    keys = RoomsApp(cells, key_routes, services={"authenticator": there.authenticator})
    keys.api_app._authenticator = there.authenticator
    admin = Client(keys, account.key)
    key_id = next(each["id"] for each in (await admin.get("/v1/api-keys")).data if each["label"] == "reader")

    async with waiting_for(Client(app, key), path) as task:
        await admin.delete(f"/v1/api-keys/{key_id}")
        revoked_at = time.monotonic()
        reply = await answered(task)

    assert (reply.status, reply.error["code"]) == (401, "UNAUTHORIZED")
    assert time.monotonic() - revoked_at < 2 * POLL_S + 1
    assert app.authenticator.watch._watched == {}
