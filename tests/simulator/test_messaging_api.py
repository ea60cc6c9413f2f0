"""Bandwidth's Messaging v2 as simulated, and its callbacks over real sockets."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from customer import LIVE, basic
from messaging_customer import HANDSET, SENDER, MessagingCustomer, handset

from agentmessage.simulator.core.http_types import HttpRequest, HttpResponse
from agentmessage.simulator.messaging.model import Via
from agentmessage.simulator.server import SimulatorConfig, running

PATH = f"/api/v2/users/{LIVE}/messages"
HEADERS = {**basic("simulator"), "content-type": "application/json"}


class Poster(MessagingCustomer):
    """Sends over HTTP, in a world that stands still."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.control("applications", {"id": "app-1", "url": "http://us.test", "username": "us", "password": "hook"})

    def post(self, headers: dict[str, str] | None = None, /, **changes: Any) -> HttpResponse:
        body = {"applicationId": "app-1", "to": [HANDSET], "from": SENDER, "text": "hello", **changes}
        raw = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        return self.world.handle(HttpRequest("POST", PATH, "", headers or HEADERS, raw), self.now)


def faulty(response: HttpResponse) -> set[str]:
    assert response.status == 400, response.body
    return {fault["fieldName"] for fault in json.loads(response.body)["fieldErrors"]}


def test_a_message_is_accepted_and_delivered_with_callbacks() -> None:
    poster = Poster()

    response = poster.post(tag="ours", priority="high")
    poster.wait(1)

    answer = json.loads(response.body)
    assert (response.status, answer["segmentCount"], answer["tag"], answer["priority"]) == (202, 1, "ours", "high")
    assert poster.receipts(Via.BANDWIDTH) == [(answer["id"], "ACCEPTD"), (answer["id"], "DELIVRD")]
    assert [text["reference"] for text in poster.inbox()] == ["ours"]


def test_media_are_one_segment_and_reach_the_handset() -> None:
    poster = Poster()

    response = poster.post(text="x" * 500, media=["https://us.test/a.png"])
    poster.wait(1)

    assert json.loads(response.body)["segmentCount"] == 1
    assert [stat for _, stat in poster.receipts(Via.BANDWIDTH)] == ["ENROUTE", "ACCEPTD", "DELIVRD"]
    assert [text["media"] for text in poster.inbox()] == [["https://us.test/a.png"]]


def test_a_long_message_counts_its_segments() -> None:
    poster = Poster()

    assert json.loads(poster.post(text="ж" * 71).body)["segmentCount"] == 2


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"applicationId": None}, {"applicationId"}),
        ({"applicationId": "app-2"}, {"applicationId"}),
        ({"from": "14155550100"}, {"from"}),
        ({"from": "+14155550199"}, {"from"}),
        ({"to": ["+1"]}, {"to"}),
        ({"to": []}, {"to"}),
        ({"to": [HANDSET, "+12125550113"]}, {"to"}),
        ({"to": [handset(60)]}, {"to"}),
        ({"text": ""}, {"text"}),
        ({"text": "x" * 2049}, {"text"}),
        ({"tag": "x" * 1025}, {"tag"}),
        ({"media": ["not a url"]}, {"media"}),
        ({"priority": "urgent"}, {"priority"}),
        ({"expiration": "tomorrow"}, {"expiration"}),
        ({"expiration": "2020-01-01T00:00:00Z"}, {"expiration"}),
        ({"expiration": "2030-01-01T00:00:00"}, {"expiration"}),
        ({"text": "", "tag": "x" * 1025}, {"text", "tag"}),
    ],
)
def test_an_invalid_request_lists_every_invalid_field(changes: dict[str, Any], fields: set[str]) -> None:
    poster = Poster()

    assert faulty(poster.post(**changes)) == fields
    assert poster.counts().get("parts", 0) == 0


def test_only_json_is_accepted() -> None:
    assert Poster().post({**HEADERS, "content-type": "text/plain"}).status == 415


def test_messages_above_the_rate_get_a_retry_after() -> None:
    poster = Poster()
    poster.set(max_messages_per_second=1)

    statuses = [poster.post().status for _ in range(2)]
    response = poster.post()

    assert statuses == [202, 429]
    assert response.headers["retry-after"] == "1"


# ── over sockets ────────────────────────────────────────────────────────────────────────────────────────────


class Receiver:
    """Our side: answers each callback with the next status, the last of which repeats."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.seen: asyncio.Queue[tuple[str | None, bytes]] = asyncio.Queue()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        await self.seen.put((request.headers.get("authorization"), await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status)

    async def next(self) -> tuple[str | None, list[dict[str, Any]]]:
        async with asyncio.timeout(5):
            shown, body = await self.seen.get()
        return shown, json.loads(body)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    ours = Receiver()
    app = web.Application()
    app.router.add_post("/callbacks", ours.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ours.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks"
    yield ours
    await runner.cleanup()


class Line:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def control(self, path: str, body: object = None) -> Any:
        method = "GET" if body is None else "POST"
        async with self._http.request(method, f"{self._url}/_control/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, to: str = HANDSET, text: str = "hello") -> str:
        body = {"applicationId": "app-1", "to": [to], "from": SENDER, "text": text, "tag": "ours"}
        async with self._http.post(self._url + PATH, json=body, headers=basic("simulator")) as answer:
            assert answer.status == 202, await answer.text()
            return str((await answer.json())["id"])

    async def settled(self) -> None:
        async with asyncio.timeout(5):
            while (await self.control("messages"))["counts"]["open"]:
                pass


@asynccontextmanager
async def simulation(receiver: Receiver, data_dir: Path | None = None) -> AsyncIterator[Line]:
    config = SimulatorConfig(port=0, profile="instant", prints_ready_line=False, data_dir=data_dir)
    async with running(config) as up, aiohttp.ClientSession() as http:
        line = Line(http, up.url)
        await line.control("campaigns/CTEST01", {"create": True})
        await line.control("numbers", {"numbers": [SENDER]})
        await line.control("numbers", {"numbers": [SENDER], "campaign": "CTEST01"})
        await line.control("applications", {"id": "app-1", "url": receiver.url, "username": "us", "password": "hook"})
        yield line


async def test_callbacks_are_arrays_with_the_credentials_of_the_application(receiver: Receiver) -> None:
    async with simulation(receiver) as line:
        message_id = await line.post()
        received = [await receiver.next() for _ in range(2)]
        await line.settled()

    assert {shown for shown, _ in received} == {f"Basic {base64.b64encode(b'us:hook').decode()}"}
    events = {event["type"]: event for _, events in received for event in events}
    assert set(events) == {"message-sent", "message-delivered"}
    assert {event["message"]["id"] for event in events.values()} == {message_id}
    assert {event["message"]["tag"] for event in events.values()} == {"ours"}


async def test_a_failure_has_the_vendors_code(receiver: Receiver) -> None:
    async with simulation(receiver) as line:
        await line.post(handset(65))
        received = [event for _ in range(2) for event in (await receiver.next())[1]]

    (failed,) = [event for event in received if event["type"] == "message-failed"]
    assert (failed["errorCode"], failed["description"]) == (4770, "destination-spam-detected")


async def test_a_callback_is_repeated_until_it_is_accepted(receiver: Receiver) -> None:
    receiver.statuses = [503, 200]
    async with simulation(receiver) as line:
        await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "media": ["https://handset.test/a.png"]})
        first, second = await receiver.next(), await receiver.next()
        await line.settled()

    assert first == second
    assert first[1][0]["message"]["media"] == ["https://handset.test/a.png"]


async def test_a_callback_may_have_several_events(receiver: Receiver) -> None:
    async with simulation(receiver) as line:
        await line.control("messages/settings", {"callback_batch": 50, "via": "bandwidth"})
        await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "hi", "count": 120})
        sizes = [len((await receiver.next())[1]) for _ in range(3)]

    assert sorted(sizes) == [20, 50, 50]


@pytest.mark.parametrize("fault", ["callback_forged", "callback_garbled"])
async def test_a_forged_or_garbled_callback_precedes_the_real_one(receiver: Receiver, fault: str) -> None:
    async with simulation(receiver) as line:
        await line.control("messages/settings", {"via": "bandwidth"})
        await line.control("faults", {"once": [{"fault": fault, "operation": "carrier.messages"}]})
        await line.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "hi"})
        async with asyncio.timeout(5):
            bad, good = await receiver.seen.get(), await receiver.seen.get()

    assert bad != good
    assert json.loads(good[1])[0]["message"]["text"] == "hi"


async def test_a_callback_that_was_not_accepted_is_sent_after_a_restart(receiver: Receiver, tmp_path: Path) -> None:
    receiver.statuses = [503]
    async with simulation(receiver, tmp_path) as line:
        message_id = await line.post()
        await receiver.next()
    while not receiver.seen.empty():
        receiver.seen.get_nowait()
    receiver.statuses = [200]

    async with simulation(receiver, tmp_path) as line:
        _, events = await receiver.next()
        await line.settled()

    assert (events[0]["type"], events[0]["message"]["id"]) == ("message-delivered", message_id)
