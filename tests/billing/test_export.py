"""Usage as a stream of lines: whole, at the reader's pace, and never cut short in silence."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
import pytest
import uvicorn

from agentmessage.app import protocol
from agentmessage.billing import export, rules
from agentmessage.billing.routes import routes as billing_routes
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.web import cursors, streams
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.rooms import RoomsApp
from tests.proofs.running import until

LINES = {"accept": "application/x-ndjson"}
USAGE = "/v1/billing/usage"
LONG_AGO = "from=2000-01-01T00:00:00Z"
PATIENCE_S = 20.0


async def insert_usage(db: CellDb, org_id: UUID, count: int) -> None:
    """So many rows, three of each second, newest first; every kind of column once filled and once not."""
    await db.run(
        """INSERT INTO usage_rows (id, org_id, ts, kind, quantity, unit_cost_microcents, total_microcents, ref_kind,
               ref_id, metadata)
           SELECT gen_random_uuid(), $1, $3::timestamptz - n / 3 * interval '1.5 seconds',
                  CASE n % 2 WHEN 0 THEN 'outbound_sms' ELSE 'number_month' END, n, 1500000, n * 1500000,
                  CASE n % 2 WHEN 0 THEN 'message' END, CASE n % 2 WHEN 0 THEN gen_random_uuid() END,
                  jsonb_build_object('resource_id', CASE n % 2 WHEN 0 THEN 'with "quotes" and ü' END)
           FROM generate_series(1, $2::bigint) n""",
        org_id,
        count,
        datetime.now(UTC) - timedelta(minutes=1),
    )


def rows_of(body: bytes) -> list[Any]:
    """Lines as values, instants in the form of pages."""
    rows = [json.loads(line) for line in body.splitlines()]
    return [row | {"ts": datetime.fromisoformat(row["ts"])} for row in rows]


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The application on a real socket; answers its URL."""
    config = uvicorn.Config(app, http=protocol.StrictProtocol, lifespan="off", log_config=None, port=0)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve())

    async def has_started() -> bool:
        return server.started

    await until(has_started, what="the start")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


class Wire:
    """The line between the application and Postgres, which can be cut and mended."""

    def __init__(self, dsn: str) -> None:
        found = re.search(r"@([^:]+):(\d+)/", dsn)
        assert found is not None
        self._to = (found[1], int(found[2]))
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        """Let connections through, on the port that was first given."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Cut every connection off and let none through."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        self._writers += [writer, far_writer]
        await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def through(wire: Wire, dsn: str) -> AsyncIterator[RoomsApp]:
    """The application with its database at the other end of the wire."""
    await wire.mend()
    cells = Cells(re.sub(r"@[^/]+/", f"@127.0.0.1:{wire.port}/", dsn), pool_size=2)
    yield RoomsApp(cells, billing_routes)
    await cells.close()
    await wire.cut()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows at once, and no time lost between two attempts."""
    monkeypatch.setattr(export, "CHUNK", 5)
    monkeypatch.setattr(export, "PAUSE_S", 0.01)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("count", [0, 4, 5, 6, 23])
async def test_200_lines_are_the_rows_of_the_pages_whatever_the_chunks(
    api: Client, db: CellDb, account: Account, count: int
) -> None:
    await insert_usage(db, account.org_id, count)

    answer = await api.get(USAGE, headers=LINES)
    pages = await api.get(f"{USAGE}?limit=500")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert rows_of(answer.body) == [row | {"ts": datetime.fromisoformat(row["ts"])} for row in pages.data]
    assert answer.body.count(b"\n") == count


async def test_an_export_has_no_longest_range(api: Client, db: CellDb, account: Account) -> None:
    await insert_usage(db, account.org_id, 3)

    lines = await api.get(f"{USAGE}?{LONG_AGO}", headers=LINES)
    page = await api.get(f"{USAGE}?{LONG_AGO}")

    assert (lines.status, len(rows_of(lines.body)), page.status) == (200, 3, 422)


@pytest.mark.usefixtures("small_chunks")
async def test_an_export_can_be_taken_up_behind_the_last_row_that_came(
    api: Client, db: CellDb, account: Account
) -> None:
    await insert_usage(db, account.org_id, 17)
    everything = rows_of((await api.get(USAGE, headers=LINES)).body)

    cursor = cursors.encode(everything[6]["ts"], everything[6]["id"])
    rest = await api.get(f"{USAGE}?cursor={cursor}", headers=LINES)

    assert rows_of(rest.body) == everything[7:]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/x-ndjson;q=0.9, application/json;q=0.1", "application/x-ndjson"),
        ("application/json, application/x-ndjson", "application/json"),
        ("*/*", "application/json"),
        ("text/event-stream", "application/json"),
    ],
)
async def test_lines_are_sent_to_who_names_them_first(api: Client, accept: str, content_type: str) -> None:
    answer = await api.get(USAGE, headers={"accept": accept})

    assert answer.headers["content-type"] == content_type


async def test_422_a_faulty_range_of_an_export_is_refused_in_the_envelope(api: Client) -> None:
    answer = await api.get(f"{USAGE}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", headers=LINES)

    assert (answer.status, answer.error["details"]) == (422, {"range": "must begin before it ends"})


async def test_head_tells_the_form_and_sends_nothing(api: Client, db: CellDb, account: Account) -> None:
    await insert_usage(db, account.org_id, 3)

    answer = await api.request("HEAD", USAGE, headers=LINES)

    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/x-ndjson", b"")


async def test_an_organization_exports_its_own_usage_only(
    app: RoomsApp, db: CellDb, account: Account, stranger: Account
) -> None:
    await insert_usage(db, account.org_id, 3)

    answer = await Client(app, stranger.key).get(USAGE, headers=LINES)

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.usefixtures("small_chunks")
async def test_a_reader_that_leaves_ends_the_work(app: RoomsApp, db: CellDb, account: Account) -> None:
    await insert_usage(db, account.org_id, 100)
    is_full, has_left = asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 4:
            is_full.set()
            await asyncio.Event().wait()

    async def receive() -> Any:
        if is_full.is_set():
            await has_left.wait()
            return {"type": "http.disconnect"}
        if not sent:
            return {"type": "http.request", "body": b"", "more_body": False}
        await has_left.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "GET",
        "path": USAGE,
        "raw_path": USAGE.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {account.key}".encode()), (b"accept", b"application/x-ndjson")],
    }
    serving_it = asyncio.create_task(app(scope, receive, send))
    async with asyncio.timeout(PATIENCE_S):
        await is_full.wait()
        has_left.set()
        await serving_it

    assert len(sent) == 4


async def test_a_slow_reader_holds_no_snapshot_and_gets_everything(app: RoomsApp, db: CellDb, account: Account) -> None:
    """Vacuum goes on beside an export that takes hours."""
    await insert_usage(db, account.org_id, 60_000)

    async with served(app) as url, aiohttp.ClientSession(read_bufsize=1024) as session:
        headers = {"authorization": f"Bearer {account.key}", **LINES}
        async with session.get(url + USAGE, headers=headers) as answer:
            await answer.content.readany()

            async def rests() -> bool:
                return not await db.value(
                    """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                         AND pid <> pg_backend_pid() AND (state <> 'idle' OR backend_xmin IS NOT NULL)"""
                )

            await until(rests, what="rest")
            rest = await answer.content.read()

    assert rest.endswith(b"\n")
    assert 50_000 < rest.count(b"\n") < 60_000


@pytest.mark.usefixtures("small_chunks")
async def test_a_database_that_comes_back_makes_an_export_late_and_nothing_else(
    dsn: str, db: CellDb, account: Account
) -> None:
    await insert_usage(db, account.org_id, 23)
    wire = Wire(dsn)

    async with through(wire, dsn) as app:
        expected = rows_of((await Client(app, account.key).get(USAGE, headers=LINES)).body)
        cell = await app.api_app._cells.cell("cell_00")
        first = await export.read(cell, account.org_id, rules.window(None, None, now=db.now, max_span=None))
        lines = export.lines(cell, account.org_id, first)
        body = await anext(lines)
        await wire.cut()
        mending = asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(wire.mend()))
        async for chunk in lines:
            body += chunk

    assert mending.when() < asyncio.get_running_loop().time()
    assert rows_of(body) == expected


@pytest.mark.usefixtures("small_chunks")
async def test_an_export_that_breaks_off_is_left_without_its_end(
    dsn: str, db: CellDb, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads to the end knows that it was the end."""
    await insert_usage(db, account.org_id, 60_000)
    monkeypatch.setattr(export, "CHUNK", 2_000)
    monkeypatch.setattr(export, "PATIENCE_S", 0.1)
    wire = Wire(dsn)

    async with (
        through(wire, dsn) as app,
        served(app) as url,
        aiohttp.ClientSession(read_bufsize=1024) as session,
    ):
        headers = {"authorization": f"Bearer {account.key}", **LINES}
        async with session.get(url + USAGE, headers=headers) as answer:
            await answer.content.readany()
            await wire.cut()

            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.content.read()


async def test_503_a_database_that_is_away_from_the_beginning_is_said_in_the_envelope(
    dsn: str, account: Account
) -> None:
    wire = Wire(dsn)
    async with through(wire, dsn) as app:
        api = Client(app, account.key)
        assert (await api.get(USAGE)).status == 200
        await wire.cut()

        answer = await api.get(USAGE, headers=LINES)

    assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")


async def test_a_reader_that_takes_nothing_is_hung_up_on(
    app: RoomsApp, db: CellDb, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STALL_S", 0.2)
    await insert_usage(db, account.org_id, 120_000)

    async with served(app) as url, aiohttp.ClientSession(read_bufsize=1024) as session:
        headers = {"authorization": f"Bearer {account.key}", **LINES}
        async with session.get(url + USAGE, headers=headers) as answer:

            async def is_stopped() -> bool:
                return not any("_pump" in repr(task) for task in asyncio.all_tasks())

            await until(is_stopped, what="the end")
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.content.read()
