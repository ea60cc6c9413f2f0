"""Cursors: whatever happens while one pages, no row is skipped and none is shown twice."""

import asyncio
import base64
import itertools
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentmessage.app.routes import all_routes
from agentmessage.conversations.model import Place
from agentmessage.kernel.db import CellDb, Cells, Tx
from agentmessage.kernel.ids import new_id, new_ulid
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, open_account
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.make.said import say
from tests.make.texts import CONTACT, insert_consent, insert_sender
from tests.numbers.virtual_clock import add_number

EXAMPLES = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
BASE = datetime(2026, 4, 26, 12, tzinfo=UTC)

SERIALS = itertools.count()

Insert = Callable[[CellDb, Account, datetime, int], Awaitable[str]]


async def a_number(db: CellDb, account: Account, at: datetime, _: int) -> str:
    number_id = await add_number(db, account.org_id, f"+1415{next(SERIALS):07d}")
    await db.run("UPDATE phone_numbers SET created_at = $2 WHERE id = $1", number_id, at)
    return str(number_id)


async def a_brand(db: CellDb, account: Account, at: datetime, _: int) -> str:
    return str(await insert_brand(db, account.org_id, created_at=at))


async def a_campaign(db: CellDb, account: Account, at: datetime, _: int) -> str:
    return str(await insert_campaign(db, account.org_id, created_at=at))


async def an_audit_row(db: CellDb, account: Account, at: datetime, serial: int) -> str:
    audit_id = new_ulid()
    await db.run(
        """INSERT INTO audit_log (org_id, id, occurred_at, actor_kind, actor_label, action, resource_type, resource_id)
           VALUES ($1, $2, $3, 'customer', 'test', 'test.act', 'test', $4)""",
        account.org_id,
        audit_id,
        at,
        str(serial),
    )
    return audit_id


LISTS: dict[str, Insert] = {
    "/v1/phone-numbers?": a_number,
    "/v1/phone-numbers?search=415": a_number,
    "/v1/brands?": a_brand,
    "/v1/campaigns?": a_campaign,
    "/v1/audit-log?action=test.act": an_audit_row,
}

moments = st.integers(0, 3).map(lambda seconds: BASE + timedelta(seconds=seconds))
acts = st.lists(st.one_of(st.just("page"), moments), max_size=12)


@pytest.mark.parametrize("path", LISTS)
@EXAMPLES
@given(story=st.tuples(st.lists(moments, max_size=9), acts, st.integers(1, 4)))
async def test_paging_shows_every_row_that_was_there_exactly_once_though_rows_share_timestamps_and_more_come(
    path: str, story: tuple[list[datetime], list[Any], int], api: Client, db: CellDb, cells: Cells
) -> None:
    """Rows that come meanwhile may be shown or not, depending on their place; but never twice."""
    before, during, limit = story
    account = await open_account(cells, cents=0)
    insert, pager = LISTS[path], Pager(api.using(account.key), f"{path}&limit={limit}")
    there = [await insert(db, account, at, serial) for serial, at in enumerate(before)]

    came = []
    for serial, act in enumerate(during, start=100):
        if act == "page":
            await pager.turn()
        else:
            came.append(await insert(db, account, act, serial))
    while not pager.is_over:
        await pager.turn()

    assert len(pager.seen) == len(set(pager.seen))
    assert set(there) <= set(pager.seen) <= set(there) | set(came)
    assert pager.places == sorted(pager.places, reverse=True)


class Pager:
    """Turns the pages of one list; `seen` and `places` are the ids and the order keys of what it saw."""

    def __init__(self, api: Client, path: str) -> None:
        self._api = api
        self._path = path
        self._cursor: str | None = None
        self.seen: list[str] = []
        self.places: list[tuple[str, str]] = []
        self.is_over = False

    async def turn(self) -> None:
        if self.is_over:
            return
        reply = await self._api.get(self._path + (f"&cursor={self._cursor}" if self._cursor else ""))
        assert reply.status == 200, reply.body
        for row in reply.data:
            self.seen.append(row["id"])
            self.places.append((row.get("created_at") or row["occurred_at"], row["id"]))
        self._cursor = reply.headers.get("x-next-cursor") or reply.json["meta"]["next_cursor"]
        self.is_over = self._cursor is None


ACTS = ["open", "write", "commit", "roll back", "read"]


@EXAMPLES
@given(story=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), max_size=16))
async def test_a_reader_of_events_sees_each_once_whatever_the_order_of_commits(
    story: list[tuple[str, int]], api: Client, db: CellDb, cells: Cells
) -> None:
    """Transactions write, wait, commit or roll back in any order while the reader goes on from where it was."""
    account = await open_account(cells, cents=0)
    reader = Follower(api.using(account.key))
    history = await db.value("SELECT count(*) FROM events WHERE org_id = $1", account.org_id)
    await reader.has_seen(history)
    writers: dict[int, Writer] = {}
    committed: list[str] = []

    for act, chosen in story:
        if act == "read":
            await reader.catch_up()
        elif act == "open" and chosen not in writers:
            writers[chosen] = await Writer.open(db, account)
        elif act == "write" and chosen in writers:
            await writers[chosen].write()
        elif act in ("commit", "roll back") and chosen in writers:
            committed += await writers.pop(chosen).end(commits=act == "commit")
    for writer in writers.values():
        committed += await writer.end(commits=True)
    await reader.has_seen(history + len(committed))

    assert sorted(reader.seen[history:]) == sorted(committed)


class Writer:
    """A transaction that stays open as long as the test wants."""

    def __init__(self, stack: AsyncExitStack, tx: Tx, account: Account) -> None:
        self._stack = stack
        self._tx = tx
        self._account = account
        self._written: list[str] = []

    @classmethod
    async def open(cls, db: CellDb, account: Account) -> "Writer":
        stack = AsyncExitStack()
        writer = cls(stack, await stack.enter_async_context(db.transaction()), account)
        await writer.write()
        return writer

    async def write(self) -> None:
        event_id = await outbox_events.emit(self._tx, self._account.org_id, EventType.BRAND_UPDATED, new_id(), {})
        self._written.append(f"evt_{event_id}")

    async def end(self, *, commits: bool) -> list[str]:
        """What has become true."""
        if commits:
            await self._stack.aclose()
            return self._written
        error = RuntimeError("rolled back")
        await self._stack.__aexit__(type(error), error, None)
        return []


class Follower:
    """Reads events page by page, and later goes on behind the last one it saw."""

    def __init__(self, api: Client) -> None:
        self._api = api
        self.seen: list[str] = []

    async def has_seen(self, count: int) -> None:
        """Read until there are so many: anybody's transaction in the same Postgres may hold the reader back."""
        async with asyncio.timeout(20):
            while len(self.seen) < count:
                await self.catch_up()

    async def catch_up(self) -> None:
        """Read until there is nothing more at present."""
        cursor: str | None = ""
        while cursor is not None:
            headers = {"last-event-id": self.seen[-1]} if self.seen else {}
            reply = await self._api.get("/v1/events?limit=2", headers=headers)
            self.seen += [event["id"] for event in reply.data]
            cursor = reply.json["meta"]["next_cursor"]


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


MOMENT = "2026-04-26T12:00:00Z"
MALFORMED = [
    "",
    "x",
    "====",
    "%C3%A9",
    "a" * 513,
    encoded(b"\xff\xfe"),
    encoded(b"{"),
    encoded([]),
    encoded(7),
    encoded({}),
    encoded({"created_at": MOMENT}),
    encoded({"id": str(NOWHERE)}),
    encoded({"created_at": MOMENT, "id": ""}),
    encoded({"created_at": MOMENT, "id": 7}),
    encoded({"created_at": MOMENT, "id": "not a row's id"}),
    encoded({"created_at": MOMENT, "id": "a\x00b"}),
    encoded({"created_at": "yesterday", "id": str(NOWHERE)}),
    encoded({"created_at": "2026-04-26T12:00:00", "id": str(NOWHERE)}),
    encoded({"created_at": MOMENT, "id": str(NOWHERE), "more": 1}),
    encoded({"created_at": MOMENT, "id": "' OR 1=1 --"}),
]
LIST_ROUTES = [route for route in all_routes() if route.is_list]


async def path_of(route: Any, db: CellDb, account: Account) -> str:
    """The list of a resource that is there: a campaign's numbers, a consent's history, a conversation's messages."""
    match route.path.split("/")[2]:
        case "consent":
            found = str(await insert_consent(db, account.tenant, await insert_sender(db, account.tenant)))
        case "conversations":
            sender = await insert_sender(db, account.tenant)
            await say(db, account.org_id, sender.id, contact=CONTACT, is_inbound=True)
            found = Place(sender.id, CONTACT).id
        case _:
            found = str(await insert_campaign(db, account.org_id))
    return route.path.replace("{id}", found)


@pytest.mark.parametrize("route", LIST_ROUTES, ids=lambda route: route.name)
async def test_what_is_no_cursor_is_named_as_the_fault(route: Any, api: Client, db: CellDb, account: Account) -> None:
    path = await path_of(route, db, account)

    for cursor in MALFORMED:
        reply = await api.get(f"{path}?cursor={cursor}")
        assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED"), (cursor, reply.body)
        assert set(reply.error["details"]) == {"cursor"}, cursor


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("route", LIST_ROUTES, ids=lambda route: route.name)
async def test_a_cursor_at_the_end_of_time_is_answered_without_a_fault_of_ours(
    route: Any, year: str, api: Client, db: CellDb, account: Account
) -> None:
    path = await path_of(route, db, account)

    for row_id in (str(UUID(int=0)), str(UUID(int=2**128 - 1)), new_ulid()):
        reply = await api.get(f"{path}?cursor={encoded({'created_at': year, 'id': row_id})}")
        assert reply.status in (200, 422), (row_id, reply.body)


async def test_another_organizations_cursor_shows_nothing_of_it(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    """A cursor is a place in time, not a key to rows."""
    for serial in range(3):
        await a_number(db, stranger, BASE, serial)
    mine = await a_number(db, account, BASE - timedelta(days=1), 7)
    theirs = (await api.using(stranger.key).get("/v1/phone-numbers?limit=1")).json["meta"]["next_cursor"]

    reply = await api.get(f"/v1/phone-numbers?cursor={theirs}")

    assert [row["id"] for row in reply.data] == [mine]


async def test_an_audited_act_and_its_row_are_one_transaction(db: CellDb, account: Account) -> None:
    """A row of the audit log is never there without what it tells of."""
    before = await db.value("SELECT count(*) FROM audit_log")

    async def act() -> None:
        async with db.transaction() as tx:
            await organizations.record(
                tx, account.tenant, action="test.act", resource_type="test", resource_id=NOWHERE, payload={}
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await act()

    assert await db.value("SELECT count(*) FROM audit_log") == before
