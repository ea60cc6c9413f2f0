"""Following events without loss: readers against late commits; streams that are left, drained or lose their key."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
import pytest

from agentmessage.events import stream as events_stream
from agentmessage.events import tails
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox import queries as outbox
from agentmessage.outbox.event_types import EventType
from tests.conftest import Client
from tests.make.accounts import Account, key_with
from tests.make.rooms import RoomsApp

PATIENCE_S = 10.0
ROLLED_BACK = 0.2


class Stream:
    """A reader of Server-Sent Events, parsed as the standard says."""

    def __init__(self, most_unread: int = 0) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue(most_unread)
        self.gone = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self._text = ""

    async def next(self) -> dict[str, Any]:
        """The next event or comment; raises when the stream ends instead."""
        async with asyncio.timeout(PATIENCE_S):
            while "\n\n" not in self._text:
                message = await self.sent.get()
                self._text += message["body"].decode()
                if not message.get("more_body"):
                    raise EOFError
        frame, self._text = self._text.split("\n\n", 1)
        found: dict[str, Any] = {}
        for line in frame.split("\n"):
            name, _, value = line.partition(": ")
            found[name or "comment"] = value
        return found

    async def next_event(self) -> dict[str, Any]:
        """The next event, whatever else is said before it."""
        while "id" not in (frame := await self.next()):
            pass
        return {**frame, "data": msgspec.json.decode(frame["data"])}

    async def until_end(self) -> bool:
        """Read on until the stream ends by itself."""
        try:
            while True:
                await self.next()
        except EOFError:
            return True


@asynccontextmanager
async def follow(
    app: RoomsApp,
    key: str,
    *,
    query: str = "",
    last_event_id: str | None = None,
    most_unread: int = 0,
    method: str = "GET",
) -> AsyncIterator[Stream]:
    stream = Stream(most_unread)
    headers = [(b"authorization", f"Bearer {key}".encode()), (b"accept", b"text/event-stream")]
    if last_event_id is not None:
        headers.append((b"last-event-id", last_event_id.encode()))
    scope = {
        "type": "http",
        "method": method,
        "path": "/v1/events",
        "raw_path": b"/v1/events",
        "query_string": query.encode(),
        "headers": headers,
    }
    requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        for message in requests:
            return message
        await stream.gone.wait()
        return {"type": "http.disconnect"}

    serving = asyncio.create_task(app(scope, receive, stream.sent.put))
    async with asyncio.timeout(PATIENCE_S):
        started = await stream.sent.get()
    stream.status = started["status"]
    stream.headers = {name.decode(): value.decode() for name, value in started["headers"]}
    yield stream
    stream.gone.set()
    async with asyncio.timeout(PATIENCE_S):
        await serving


async def emit(db: CellDb, account: Account, number: int) -> str:
    event_id = await outbox_events.emit(db, account.org_id, EventType.BRAND_UPDATED, new_id(), {"number": number})
    return f"evt_{event_id}"


async def test_a_reader_never_passes_a_place_where_a_late_commit_appears(db: CellDb, account: Account) -> None:
    """The older transaction commits last: until then the reader must wait in front of the younger one's event."""
    seen = (await outbox_events.read_after(db, account.org_id, after=None, since=None, kinds=None, limit=100))[-1].id
    async with db.transaction() as older:
        first = await outbox_events.emit(older, account.org_id, EventType.BRAND_UPDATED, new_id(), {})
        async with db.transaction() as younger:
            second = await outbox_events.emit(younger, account.org_id, EventType.BRAND_UPDATED, new_id(), {})
        during = await outbox_events.read_after(db, account.org_id, after=seen, since=None, kinds=None, limit=100)
    afterwards = await outbox_events.read_after(db, account.org_id, after=seen, since=None, kinds=None, limit=100)

    assert during == []
    assert [event.id for event in afterwards] == [first, second]


async def test_readers_of_many_writers_that_commit_out_of_order_miss_and_repeat_nothing(
    db: CellDb, account: Account
) -> None:
    """Writers hold their transactions open for random times, some roll back; one reader keeps resuming."""
    rng = random.Random(7)
    written: list[UUID] = []
    seen: list[UUID] = []
    place: UUID | None = None

    async def write(hold_turns: int) -> None:
        async with db.transaction() as tx:
            ids = [
                await outbox_events.emit(tx, account.org_id, EventType.BRAND_UPDATED, new_id(), {}) for _ in range(2)
            ]
            for _ in range(hold_turns):
                await tx.value("SELECT pg_sleep(0.002)")
            if rng.random() < ROLLED_BACK:
                await tx.run("SELECT 1 / 0")
        written.extend(ids)

    async def read() -> None:
        nonlocal place
        rows = await outbox_events.read_after(
            db, account.org_id, after=place, since=None, kinds=[EventType.BRAND_UPDATED], limit=rng.randint(1, 5)
        )
        seen.extend(row.id for row in rows)
        place = rows[-1].id if rows else place

    for _ in range(12):
        writers = [asyncio.create_task(write(rng.randint(0, 6))) for _ in range(rng.randint(1, 5))]
        while not all(writer.done() for writer in writers):
            await read()
        await asyncio.gather(*writers, return_exceptions=True)
    before = -1
    while before != len(seen):
        before = len(seen)
        await read()

    assert written
    assert len(seen) == len(set(seen))
    assert set(seen) == set(written)


async def test_a_stream_begins_with_what_was_and_goes_on_with_what_happens(
    app: RoomsApp, db: CellDb, account: Account
) -> None:
    was = await emit(db, account, 1)

    async with follow(app, account.key, query="type=brand.updated") as stream:
        first = await stream.next_event()
        happens = await emit(db, account, 2)
        app.bells.strike("cell_00", "events")
        second = await stream.next_event()

    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert [first["id"], second["id"]] == [was, happens]
    assert second["event"] == "brand.updated"
    assert (second["data"]["id"], second["data"]["data"]) == (happens, {"number": 2})


async def test_a_stream_hears_of_events_that_nobody_rang_for(app: RoomsApp, db: CellDb, account: Account) -> None:
    async with follow(app, account.key, query="type=brand.updated") as stream:
        await stream.next()
        happens = await emit(db, account, 1)

        assert (await stream.next_event())["id"] == happens


async def test_last_event_id_resumes_a_stream_without_loss(app: RoomsApp, db: CellDb, account: Account) -> None:
    ids = [await emit(db, account, number) for number in range(5)]

    async with follow(app, account.key, query="type=brand.updated") as stream:
        before = [(await stream.next_event())["id"] for _ in range(2)]
    ids.append(await emit(db, account, 5))
    async with follow(app, account.key, query="type=brand.updated", last_event_id=before[-1]) as stream:
        afterwards = [(await stream.next_event())["id"] for _ in range(4)]

    assert before + afterwards == ids


async def test_a_stream_of_more_than_a_page_is_complete(app: RoomsApp, db: CellDb, account: Account) -> None:
    async with db.transaction() as tx:
        for number in range(450):
            await outbox_events.emit(tx, account.org_id, EventType.BRAND_UPDATED, new_id(), {"number": number})

    async with follow(app, account.key, query="type=brand.updated") as stream:
        numbers = [(await stream.next_event())["data"]["data"]["number"] for _ in range(450)]

    assert numbers == list(range(450))


async def test_a_stream_ends_when_the_process_drains(app: RoomsApp, account: Account) -> None:
    async with follow(app, account.key) as stream:
        await stream.next()
        app.is_draining = True

        assert await stream.until_end()


async def test_a_stream_ends_with_its_key(app: RoomsApp, cells: Cells, account: Account) -> None:
    key = await key_with(cells, account.tenant, ["events:read"], label="reader")
    listed = (await Client(app, account.key).get("/v1/api-keys")).data
    key_id = next(each["id"] for each in listed if each["label"] == "reader")

    async with follow(app, key) as stream:
        await stream.next()
        await Client(app, account.key).delete(f"/v1/api-keys/{key_id}")

        assert await stream.until_end()


async def test_a_stream_ends_soon_after_its_key_was_revoked_in_another_process(
    app: RoomsApp, cells: Cells, account: Account
) -> None:
    key = await key_with(cells, account.tenant, ["events:read"], label="reader")
    directory = await cells.directory()

    async with follow(app, key) as stream, follow(app, account.key) as other:
        await stream.next()
        await other.next()
        await directory.run("DELETE FROM directory.api_keys WHERE label = 'reader'")
        async with asyncio.timeout(3):
            assert await stream.until_end()

        await emit(await cells.cell("cell_00"), account, 1)
        assert await other.next_event()


async def test_one_organizations_events_wake_its_own_streams_and_are_read_once(
    app: RoomsApp, db: CellDb, account: Account, stranger: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    waked: list[UUID] = []
    read, give = outbox.list_events_after_each, tails.Subscription.give

    async def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal looks
        looks += 1
        return await read(*args, **kwargs)

    def noted(self: tails.Subscription, frame: tails.Frame) -> None:
        waked.append(msgspec.json.decode(frame.body.split(b"data: ")[1])["org_id"])
        give(self, frame)

    monkeypatch.setattr(outbox, "list_events_after_each", counted)
    monkeypatch.setattr(tails.Subscription, "give", noted)
    async with AsyncExitStack() as stack:
        mine = [await stack.enter_async_context(follow(app, account.key)) for _ in range(20)]
        theirs = [await stack.enter_async_context(follow(app, stranger.key)) for _ in range(20)]
        last = [await emit(db, one, 0) for one in (account, stranger)]
        for streams, event_id in ((mine, last[0]), (theirs, last[1])):
            for stream in streams:
                while (await stream.next_event())["id"] != event_id:
                    pass
        before = looks
        waked.clear()
        ids = [await emit(db, account, number) for number in range(10)]
        app.bells.strike("cell_00", "events")
        seen = [[(await stream.next_event())["id"] for _ in ids] for stream in mine]

        assert seen == [ids] * 20
        assert looks - before <= 12
        assert waked == [str(account.org_id)] * 200
        assert all(stream.sent.empty() for stream in theirs)


async def test_streams_beside_writers_that_commit_out_of_order_miss_and_repeat_nothing(
    app: RoomsApp, db: CellDb, account: Account, stranger: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some begin in the middle, some lose what waits for them because it is too much."""
    monkeypatch.setattr(tails, "MAX_BUFFERED", 4)
    monkeypatch.setattr(tails, "BREATH_S", 0.001)
    rng = random.Random(11)
    written: list[str] = []

    async def write(hold_turns: int) -> None:
        async with db.transaction() as tx:
            for one in (account, stranger):
                ids = [
                    await outbox_events.emit(tx, one.org_id, EventType.BRAND_UPDATED, new_id(), {}) for _ in range(6)
                ]
                if one is account:
                    written.extend(f"evt_{event_id}" for event_id in ids)
            for _ in range(hold_turns):
                await tx.value("SELECT pg_sleep(0.002)")

    async with AsyncExitStack() as stack:
        streams: list[Stream] = []
        for _ in range(8):
            streams.append(await stack.enter_async_context(follow(app, account.key, query="type=brand.updated")))
            await asyncio.gather(*(write(rng.randint(0, 6)) for _ in range(rng.randint(1, 5))))
            app.bells.strike("cell_00", "events")
        seen = [[(await stream.next_event())["id"] for _ in written] for stream in streams]

        assert all(sorted(one) == sorted(written) for one in seen)
        assert all(one == seen[0] for one in seen)


async def test_a_reader_that_takes_nothing_holds_little_and_misses_nothing(
    app: RoomsApp, db: CellDb, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "MAX_BUFFERED", 5)
    async with follow(app, account.key, query="type=brand.updated", most_unread=1) as stream:
        ids = [await emit(db, account, number) for number in range(4)]
        subscription = next(iter(app.tails._readers["cell_00"].tails[account.org_id].subscriptions))
        async with asyncio.timeout(PATIENCE_S):
            while not subscription.is_live:  # noqa: ASYNC110 - it has no event that is not the stream's own
                await asyncio.sleep(0.01)
        ids += [await emit(db, account, number) for number in range(4, 40)]
        app.bells.strike("cell_00", "events")
        await emit(db, account, 40)
        assert len(subscription._waiting) <= 5

        assert [(await stream.next_event())["id"] for _ in ids] == ids


@pytest.mark.covers("listEvents", 429)
async def test_429_a_key_and_an_organization_have_so_many_streams(
    app: RoomsApp, cells: Cells, account: Account, stranger: Account
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(100):
            await stack.enter_async_context(follow(app, account.key))
        async with follow(app, account.key) as refused:
            assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        for label in ("second", "third"):
            key = await key_with(cells, account.tenant, ["events:read"], label=label)
            for _ in range(100 if label == "second" else 0):
                await stack.enter_async_context(follow(app, key))
        async with follow(app, key) as refused, follow(app, stranger.key) as other:
            assert (refused.status, other.status) == (429, 200)
        assert (await Client(app, account.key).get("/v1/events")).status == 200

    for method in ("GET", "HEAD"):
        async with follow(app, account.key, method=method) as stream:
            assert stream.status == 200
    assert len(app.streams) == 0


async def test_a_silent_stream_keeps_its_connection_open(
    app: RoomsApp, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_stream, "HEARTBEAT_S", 0.05)

    async with follow(app, account.key, query="since=9999-12-31T23:59:59Z") as stream:
        assert "retry" in await stream.next()

        assert (await stream.next()) == {"comment": "still here"}


async def test_a_reader_who_leaves_leaves_nothing_behind(app: RoomsApp, account: Account) -> None:
    async with follow(app, account.key) as stream:
        await stream.next()
        assert len(app.bells._events["cell_00/events"]) == 1

    assert "cell_00/events" not in app.bells._events
    assert stream.gone.is_set()
