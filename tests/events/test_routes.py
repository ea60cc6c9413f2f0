"""GET /v1/events as a list: every status, order, pages, resuming."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from agentmessage.events import jobs
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.web import cursors
from agentmessage.web.scopes import CUSTOMER_SCOPES
from tests.conftest import Client
from tests.make.accounts import Account, open_account
from tests.make.rooms import RoomsApp

BODY_KEYS = {"id", "type", "api_version", "created_at", "org_id", "data"}


async def emit(db: CellDb, account: Account, number: int, kind: EventType = EventType.BRAND_UPDATED) -> str:
    event_id = await outbox_events.emit(db, account.org_id, kind, new_id(), {"number": number})
    return f"evt_{event_id}"


async def pages(api: Client, query: str = "") -> list[Any]:
    """Every event, page by page."""
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await api.get(f"/v1/events?{query}{cursor}")
        assert answer.status == 200, answer.body
        found += answer.data
        following = answer.json["meta"]["next_cursor"]
        cursor = f"&cursor={following}" if following else None
    return found


@pytest.mark.covers("listEvents", 200)
async def test_200_events_are_listed_oldest_first_in_the_form_of_webhooks(
    api: Client, db: CellDb, account: Account
) -> None:
    ids = [await emit(db, account, number) for number in range(3)]

    answer = await api.get("/v1/events?type=brand.updated")

    assert answer.status == 200
    assert [event["id"] for event in answer.data] == ids
    first = answer.data[0]
    assert set(first) == BODY_KEYS
    assert (first["type"], first["api_version"], first["data"]) == ("brand.updated", "2026-04-01", {"number": 0})
    assert first["org_id"] == str(account.org_id)
    meta = answer.json["meta"]
    assert (meta["total"], meta["offset"], meta["limit"], meta["next_cursor"]) == (0, 0, 50, None)
    assert meta["last_event_at"] == answer.data[-1]["created_at"]


@pytest.mark.covers("listEvents", 200)
async def test_200_type_and_since_narrow_the_list(api: Client, db: CellDb, account: Account) -> None:
    await emit(db, account, 1)
    wanted = await emit(db, account, 2, EventType.BRAND_VETTED)
    later = await emit(db, account, 3)
    since = quote((await pages(api, f"type={EventType.BRAND_VETTED}"))[0]["created_at"])

    assert [event["id"] for event in await pages(api, "type=brand.vetted")] == [wanted]
    assert [event["id"] for event in await pages(api, f"since={since}")] == [wanted, later]
    assert await pages(api, "since=9999-12-31T23:59:59Z") == []


async def test_pages_neither_skip_nor_repeat_while_events_happen(api: Client, db: CellDb, account: Account) -> None:
    async with db.transaction() as tx:
        before = [
            await outbox_events.emit(tx, account.org_id, EventType.BRAND_UPDATED, new_id(), {}) for _ in range(10)
        ]

    seen: list[str] = []
    during: list[str] = []
    cursor = ""
    while True:
        answer = await api.get(f"/v1/events?type=brand.updated&limit=3{cursor}")
        seen += [event["id"] for event in answer.data]
        if len(during) < 4:
            during.append(await emit(db, account, len(during)))
        if answer.json["meta"]["next_cursor"] is None:
            break
        cursor = f"&cursor={answer.json['meta']['next_cursor']}"

    assert seen == [f"evt_{event_id}" for event_id in before] + during


async def test_200_the_list_read_from_its_end_is_the_same_list(api: Client, db: CellDb, account: Account) -> None:
    """Also page by page while events happen, of one type, and when rows share a time."""
    for number in range(7):
        await emit(db, account, number, EventType.BRAND_UPDATED if number % 2 else EventType.BRAND_CREATED)
    oldest_first = [event["id"] for event in await pages(api)]

    first = await api.get("/v1/events?order=desc&limit=3")
    await emit(db, account, 7)
    rest = await api.get(f"/v1/events?order=desc&limit=9&cursor={first.json['meta']['next_cursor']}")
    created = await pages(api, "order=desc&limit=2&type=brand.created")

    assert [event["id"] for event in [*first.data, *rest.data]] == oldest_first[::-1]
    assert [event["data"]["number"] for event in created] == [6, 4, 2, 0]


@pytest.mark.covers("listEvents", 422)
async def test_422_a_stream_is_always_oldest_first(api: Client) -> None:
    answer = await api.get("/v1/events?order=desc", headers={"accept": "text/event-stream"})

    assert (answer.status, answer.error["details"]) == (422, {"order": "must be asc in a stream"})


async def test_200_last_event_id_resumes_a_list_and_wins_over_the_cursor(
    api: Client, db: CellDb, account: Account
) -> None:
    ids = [await emit(db, account, number) for number in range(4)]
    first = (await api.get("/v1/events?type=brand.updated&limit=1")).json["meta"]["next_cursor"]

    answer = await api.get(f"/v1/events?cursor={first}", headers={"last-event-id": ids[2]})

    assert [event["id"] for event in answer.data] == ids[3:]


async def test_events_of_another_organization_are_never_shown(api: Client, db: CellDb, stranger: Account) -> None:
    theirs = await emit(db, stranger, 1)

    assert theirs not in [event["id"] for event in await pages(api)]


async def test_events_are_forgotten_after_ninety_days_and_a_reader_from_before_begins_with_what_is_left(
    api: Client, db: CellDb, account: Account
) -> None:
    """A resuming client that was away for long gets everything that is kept, not an error and not silence."""
    long_ago = db.now - timedelta(days=91)
    old = UUID(int=(int(long_ago.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))
    kept = await emit(db, account, 1)
    await db.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           VALUES ($1, $2, 'brand.updated', 'brand', $1, '{}', $3)""",
        old,
        account.org_id,
        long_ago,
    )
    assert await jobs.sweep(db) == 1

    resumed = await api.get("/v1/events?type=brand.updated", headers={"last-event-id": f"evt_{old}"})
    paged = await api.get(f"/v1/events?type=brand.updated&cursor={cursors.encode(long_ago, old)}")

    assert [event["id"] for event in resumed.data] == [kept]
    assert [event["id"] for event in paged.data] == [kept]


@pytest.mark.covers("listEvents", 401)
async def test_401_without_a_key_nothing_is_told(app: RoomsApp) -> None:
    answer = await Client(app).get("/v1/events", headers={"accept": "text/event-stream"})

    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.covers("listEvents", 403)
async def test_403_without_the_scope_nothing_is_told(app: RoomsApp, cells: Cells) -> None:
    account = await open_account(cells, scopes=sorted(set(CUSTOMER_SCOPES) - {"events:read"}))

    answer = await Client(app, account.key).get("/v1/events")

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")


THEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.covers("listEvents", 422)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize(
    ("query", "headers", "field"),
    [
        ("limit=0", {}, "limit"),
        ("limit=201", {}, "limit"),
        ("type=brand.exploded", {}, "type"),
        ("since=yesterday", {}, "since"),
        ("since=0001-01-01T00:00:00%2B14:00", {}, "since"),
        ("cursor=x", {}, "cursor"),
        (f"cursor={cursors.encode(THEN, 'evt_7')}", {}, "cursor"),
        ("cursor=unknown", {}, "cursor"),
        ("", {"last-event-id": "7"}, "Last-Event-ID"),
        ("", {"last-event-id": "evt_00000000-0000-4000-8000-000000000000"}, "Last-Event-ID"),
        ("after=evt_1", {}, "after"),
    ],
)
async def test_422_a_bad_filter_is_named(
    api: Client, query: str, headers: dict[str, str], field: str, accept: str
) -> None:
    answer = await api.get(f"/v1/events?{query}", headers={**headers, "accept": accept})

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(answer.error["details"]) == {field}


@pytest.mark.covers("listEvents", 422)
async def test_422_a_place_in_anothers_events_is_no_place(api: Client, db: CellDb, stranger: Account) -> None:
    theirs = await emit(db, stranger, 1)

    answer = await api.get("/v1/events", headers={"last-event-id": theirs})
    invented = await api.get("/v1/events", headers={"last-event-id": f"evt_{new_id()}"})

    assert {**answer.error, "request_id": ""} == {**invented.error, "request_id": ""}
    assert answer.status == 422
