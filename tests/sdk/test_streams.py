"""What goes on for longer than a request: events, replies, exports, uploads; over connections that break."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from agentmessage.billing import operations as billing
from agentmessage.sdk import APIConnectionError, AsyncAgentMessage, InvalidResponseError, errors, models
from tests.inbound.handset import Handset
from tests.make.texts import CONTACT, insert_consent, insert_sender
from tests.sdk.conftest import Both, Clients
from tests.sdk.faults import Canned, Fault, Wire
from tests.sdk.served import Served

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture(scope="module")
def number(platform: Served) -> str:
    """A number that may text CONTACT."""

    async def insert() -> Any:
        db = await platform.cells.cell("cell_00")
        found = await insert_sender(db, platform.account.tenant, "+14155550166")
        await insert_consent(db, platform.account.tenant, found, CONTACT)
        return found.number

    return platform.do(insert())


def handset_of(platform: Served, number: str) -> Handset:
    """CONTACT's phone, which texts a number."""
    handset = Handset(platform.cells, number)
    handset.ring = platform.api._ringer.ring  # type: ignore[method-assign]
    return handset


@pytest.fixture
def handset(platform: Served, number: str) -> Handset:
    """CONTACT's phone."""
    return handset_of(platform, number)


@pytest.fixture
def mark() -> str:
    """A name that no other test gives the organization."""
    return f"Acme {uuid4()}"


async def rename(both: Both, *names: str) -> None:
    """Make an event of each name."""
    for name in names:
        await both(both.client.organization.update(name=name))


class Later:
    """Does something a moment from now in a thread: the sync client may not be waited for."""

    def __init__(self) -> None:
        self._threads: list[threading.Timer] = []

    def __call__(self, act: Any) -> None:
        self._threads.append(threading.Timer(0.3, act))
        self._threads[-1].start()

    def join(self) -> None:
        for one in self._threads:
            one.join()


@pytest.fixture
def later() -> Iterator[Later]:
    """Acts of another thread."""
    acts = Later()
    yield acts
    acts.join()


def named(events: list[models.Event], mark: str) -> list[str]:
    """What the events of a test call the organization, without the test's own mark."""
    return [event.data["name"].removeprefix(mark) for event in events if event.data["name"].startswith(mark)]


async def test_a_stream_gives_what_happened_and_what_happens(both: Both, mark: str) -> None:
    since = (await both(both.client.events.list(limit=1))).http.served_at
    await rename(both, mark + "1", mark + "2")

    stream = both.client.events.stream(type="organization.updated", since=since)
    seen = [await both.next(stream)]
    while named(seen, mark)[-1:] != ["2"]:
        seen.append(await both.next(stream))
    await rename(both, mark + "3")
    seen.append(await both.next(stream))
    await both.close(stream)

    assert named(seen, mark) == ["1", "2", "3"]
    assert stream.last_event_id == seen[-1].id
    assert seen[-1].type is models.EventType.ORGANIZATION_UPDATED


async def test_a_stream_goes_on_behind_a_cut_without_loss_or_repetition(
    clients: Clients, line: Wire, mark: str
) -> None:
    both = clients(base_url=line.base_url)
    names = [str(index) for index in range(12)]
    start = (await both(both.client.events.list(limit=200))).data[-1:]
    line.faults.extend([Fault.CUT_STREAM, Fault.CUT_BEFORE, Canned.answer(503), Fault.CUT_STREAM])
    ours = clients()
    stream = both.client.events.stream(last_event_id=start[0].id if start else None)

    seen: list[models.Event] = []
    for name in names:
        await rename(ours, mark + name)
        while named(seen, mark)[-1:] != [name]:
            seen.append(await both.next(stream))
        if name in {"5", "9"}:
            line.cut()
    await both.close(stream)

    assert named(seen, mark) == names
    assert len({event.id for event in seen}) == len(seen)
    assert line.faults == type(line.faults)()


async def test_a_stream_from_now_skips_the_past(both: Both, platform: Served, mark: str) -> None:
    await rename(both, mark + "past")
    past = (await both(both.client.events.list(limit=200))).data[-1]

    async def age() -> None:
        db = await platform.cells.cell("cell_00")
        await db.run("UPDATE events SET created_at = created_at - interval '1 minute' WHERE true")

    platform.do(age())
    stream = both.client.events.stream(from_now=True)
    await rename(both, mark + "future")
    seen = await both.next(stream)
    await both.close(stream)

    assert seen.id != past.id
    assert named([seen], mark) == ["future"]


async def test_a_stream_waits_as_long_as_it_is_asked_to(clients: Clients, line: Wire, mark: str) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Canned.answer(503, Retry_After="1"))
    await rename(clients(), mark + "1")
    began = time.monotonic()

    await both.next(both.client.events.stream())

    assert time.monotonic() - began >= 1


async def test_an_event_that_is_none_is_an_unreadable_answer(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Canned.answer(200, body=b"data: [1]\n\n", Content_Type="text/event-stream"))

    with pytest.raises(InvalidResponseError, match="cannot be parsed"):
        await both.next(both.client.events.stream())


async def test_a_stream_that_is_refused_is_not_tried_for_ever(clients: Clients) -> None:
    both = clients(api_key="am_live_wrong")

    with pytest.raises(errors.UnauthorizedError):
        await both.next(both.client.events.stream())


async def test_a_stream_from_nobody_ends_with_an_error(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url, max_retries=1)
    line.faults.extend([Fault.CUT_BEFORE, Fault.CUT_BEFORE])

    with pytest.raises(APIConnectionError):
        await both.next(both.client.events.stream())


async def test_a_page_is_not_taken_for_a_stream(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Canned.answer(200, body=b"<html>", Content_Type="text/html"))

    with pytest.raises(InvalidResponseError):
        await both.next(both.client.events.stream())


async def test_a_reply_that_came_before_the_wait_is_found(
    both: Both, platform: Served, number: str, handset: Handset
) -> None:
    sent = await both(both.client.messages.send(from_=number, to=CONTACT, text="Monday?"))
    platform.do(handset.texts("Yes"))

    reply = await both(both.client.messages.wait_for_reply(sent, timeout_s=20))

    assert isinstance(reply, models.InboundMessage)
    assert (reply.from_, reply.to, reply.body) == (CONTACT, number, "Yes")


async def test_a_reply_that_comes_during_the_wait_ends_it(
    clients: Clients, line: Wire, number: str, later: Later, platform: Served
) -> None:
    """Also when the connection is cut meanwhile."""
    both, phone = clients(base_url=line.base_url), handset_of(platform, number)
    sent = await both(both.client.messages.send(from_=number, to=CONTACT, text="Tuesday?"))
    later(line.cut)
    later(lambda: platform.do(phone.texts("No")))

    reply = await both(both.client.messages.wait_for_reply(sent, timeout_s=20))

    assert reply.body == "No"


async def test_a_wait_without_a_reply_ends_in_time_with_nothing(both: Both) -> None:
    began = time.monotonic()

    assert await both(both.client.messages.wait_for_reply(from_="+14155550100", timeout_s=1)) is None
    assert 0.9 < time.monotonic() - began < 5


async def test_a_wait_goes_on_where_the_last_text_was(
    both: Both, platform: Served, number: str, handset: Handset
) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    for text in ("One", "Two"):
        platform.do(handset.texts(text))

    first = await both(both.client.messages.wait_for_reply(to=number, from_=CONTACT, since=began, timeout_s=20))
    second = await both(
        both.client.messages.wait_for_reply(to=number, from_=CONTACT, since=first.received_at, timeout_s=20)
    )

    assert (first.body, second.body) == ("One", "Two")


async def test_a_file_is_uploaded_and_can_be_sent(both: Both, number: str) -> None:
    upload = await both(both.client.messages.upload_media(PNG, mime_type="image/png"))

    sent = await both(both.client.messages.send(from_=number, to=CONTACT, media=[upload.media_id]))

    assert sent.channel == "mms"


async def test_a_file_that_is_not_what_it_is_said_to_be_is_refused(both: Both) -> None:
    with pytest.raises(errors.ValidationFailedError):
        await both(both.client.messages.upload_media(b"plain words", mime_type="image/png"))


async def test_an_export_comes_line_by_line(both: Both, platform: Served) -> None:
    async def charge() -> None:
        db = await platform.cells.cell("cell_00")
        async with db.transaction() as tx:
            for _ in range(3):
                await billing.charge(
                    tx,
                    platform.account.tenant,
                    kind="outbound_sms",
                    quantity=1,
                    unit_cost_microcents=1_000_000,
                    source="outbound",
                    source_ref=str(uuid4()),
                )

    platform.do(charge())

    rows = await both.every(both.client.billing.stream_usage())
    page = await both(both.client.billing.list_usage())

    assert rows == page.data
    assert len(rows) >= 3


async def test_an_export_that_breaks_off_says_so(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Canned(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 999\r\n\r\n"))

    with pytest.raises(APIConnectionError):
        await both.every(both.client.billing.stream_usage())


async def test_only_a_line_feed_ends_a_row_of_an_export(clients: Clients, line: Wire) -> None:
    """JSON holds U+2028, U+2029, U+0085 and the like unescaped; other readers of lines break rows there."""
    both = clients(base_url=line.base_url)
    words = "a\u2028b\u2029c\u0085d\x7fe"
    row = {"id": "1", "ts": "2026-04-26T12:00:00Z", "kind": "lookup", "quantity": 1, "unit_cost_cents": 1}
    row |= {"total_cents": 1, "ref_kind": words, "metadata": {}}
    body = "\n".join([json.dumps(row, ensure_ascii=False), "", json.dumps(row, ensure_ascii=False)]).encode()
    line.faults.append(Canned.answer(200, body=body, Content_Type="application/x-ndjson"))

    rows = await both.every(both.client.billing.stream_usage())

    assert [one.ref_kind for one in rows] == [words, words]


async def test_many_tasks_share_one_client(platform: Served) -> None:
    async with AsyncAgentMessage(api_key=platform.account.key, base_url=platform.base_url) as client:
        shown = await asyncio.gather(*(client.organization.get() for _ in range(50)))

    assert len({one.http.request_id for one in shown}) == 50
