"""What every test may ask for: a real Postgres, a database of its own, the API in this process, an account to use."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import pytest

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.migrations.runner import migrate
from agentmessage.settings import CLIENT_VARIABLES, PREFIX, Settings
from tests.make import storage
from tests.make.accounts import Account, open_account

TEMPLATE = "agentmessage_template"
ENCRYPTION_KEY = "c2VhbGluZy1rZXktZm9yLXRlc3RzLTMyLWJ5dGVzISE="


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One Postgres per test process; data is not synced to disk, since it dies with the tests."""
    with storage.directory("agentmessage-tests-") as data_dir:
        server = EmbeddedPostgres(data_dir, is_durable=False)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(server.start())
        loop.run_until_complete(_make_template(server))
        yield server
        loop.run_until_complete(server.stop())
        loop.close()


async def _make_template(server: EmbeddedPostgres) -> None:
    await migrate(await server.create_database(TEMPLATE))


@pytest.fixture
async def dsn(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh, migrated database."""
    name = f"test_{uuid4().hex[:12]}"
    yield await postgres.create_database(name, template=TEMPLATE)
    with contextlib.suppress(Exception):
        await postgres.drop_database(name)


@pytest.fixture
async def cells(dsn: str) -> AsyncIterator[Cells]:
    """The pools of that database."""
    opened = Cells(dsn, pool_size=8)
    yield opened
    await opened.close()


@pytest.fixture
async def db(cells: Cells) -> CellDb:
    """The default cell."""
    return await cells.cell("cell_00")


@pytest.fixture
def settings(dsn: str) -> Settings:
    """Settings as tests need them."""
    return Settings(
        database_url=dsn, encryption_key=ENCRYPTION_KEY, callback_password="callback-secret", order_wait_seconds=5
    )


class Reply:
    """What the API answered."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """`data` of a success."""
        assert self.json["success"] is True, self.json
        return self.json["data"]

    @property
    def error(self) -> Any:
        """`error` of a failure."""
        assert self.json["success"] is False, self.json
        return self.json["error"]


class Client:
    """Speaks to an ASGI application in this process; `key` is sent as the bearer."""

    def __init__(self, app: Any, key: str | None = None) -> None:
        self.app = app
        self.key = key

    def using(self, key: str | None) -> "Client":
        """The same application with another key."""
        return Client(self.app, key)

    async def request(
        self,
        method: str,
        path: str,
        json_body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Reply:
        """One request."""
        body = content if content is not None else b"" if json_body is None else json.dumps(json_body).encode()
        sent = {k.lower(): v for k, v in (headers or {}).items()}
        if self.key is not None:
            sent.setdefault("authorization", f"Bearer {self.key}")
        if json_body is not None:
            sent.setdefault("content-type", "application/json")
        target, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in sent.items()],
        }
        return await _exchange(self.app, scope, body)

    async def get(self, path: str, **kwargs: Any) -> Reply:
        """GET."""
        return await self.request("GET", path, **kwargs)

    async def post(self, path: str, json_body: Any = None, **kwargs: Any) -> Reply:
        """POST with a JSON body."""
        return await self.request("POST", path, {} if json_body is None else json_body, **kwargs)

    async def patch(self, path: str, json_body: Any = None, **kwargs: Any) -> Reply:
        """PATCH with a JSON body."""
        return await self.request("PATCH", path, {} if json_body is None else json_body, **kwargs)

    async def delete(self, path: str, **kwargs: Any) -> Reply:
        """DELETE."""
        return await self.request("DELETE", path, **kwargs)


async def _exchange(app: Any, scope: dict[str, Any], body: bytes) -> Reply:
    sent: list[Any] = []
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if pending:
            return pending.pop()
        await asyncio.Event().wait()
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return Reply(sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:]))


@pytest.fixture
async def app(settings: Settings, cells: Cells) -> AsyncIterator[Any]:
    """The whole API in this process."""
    from agentmessage.app.api import Api  # noqa: PLC0415 - tests of single rooms need not import everything

    api = Api(settings, cells=cells)
    await api.start()
    yield api
    await api.stop()


@pytest.fixture
async def account(cells: Cells) -> Account:
    """A live organization with credit and a key that carries every customer scope."""
    return await open_account(cells)


@pytest.fixture
async def stranger(cells: Cells) -> Account:
    """Another live organization."""
    return await open_account(cells, name="Stranger")


@pytest.fixture
async def api(app: Any, account: Account) -> Client:
    """A client of the API with the account's key."""
    return Client(app, account.key)


NOWHERE = UUID("00000000-0000-7000-8000-000000000000")
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", ".hypothesis")

# A developer's shell may hold settings of a platform and the key of a login: no test may depend on either.
for _name in {"DATABASE_URL", *CLIENT_VARIABLES, *(f"{PREFIX}{name.upper()}" for name in Settings.__struct_fields__)}:
    os.environ.pop(_name, None)
hypothesis.settings.register_profile(  # a busy machine is no failure, nor are fifty unlucky draws in a row
    "house",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much],
)
hypothesis.settings.load_profile("house")
