"""A served platform for each module, and the client in both its forms behind one face."""

import inspect
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import pytest
import pytest_asyncio

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.sdk import AgentMessage, AsyncAgentMessage, _retries
from agentmessage.settings import Settings
from tests.conftest import ENCRYPTION_KEY, TEMPLATE
from tests.sdk.faults import Wire, wire
from tests.sdk.served import Served, served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    name = f"sdk_{uuid4().hex[:12]}"
    yield await postgres.create_database(name, template=TEMPLATE)
    await postgres.drop_database(name)


@pytest.fixture(scope="module")
def platform(_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The API on a socket over a fresh database, with an account."""
    settings = Settings(
        database_url=_database,
        encryption_key=ENCRYPTION_KEY,
        callback_password="callback-secret",
        order_wait_seconds=1,
        media_dir=str(tmp_path_factory.mktemp("media")),
    )
    with served(settings) as running:
        yield running


@pytest.fixture
def line(platform: Served) -> Iterator[Wire]:
    """A wire to the platform that breaks on demand."""
    with wire(platform.base_url) as one:
        yield one


class Both:
    """The sync or the async client; what it gives is awaited if it has to be."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def __call__(self, given: Any) -> Any:
        """The result of a method."""
        return await given if inspect.isawaitable(given) else given

    async def every(self, rows: Any) -> list[Any]:
        """All that an iterator gives."""
        return [row async for row in rows] if hasattr(rows, "__aiter__") else list(rows)

    async def next(self, rows: Any) -> Any:
        """What an iterator gives next."""
        return await anext(rows) if hasattr(rows, "__anext__") else next(rows)

    async def close(self, what: Any = None) -> None:
        """Close the client, or something else of its kind."""
        what = what or self.client
        await self(what.aclose() if hasattr(what, "aclose") else what.close())


class Clients:
    """Makes clients of one form, and closes them in the end."""

    def __init__(self, kind: type[Any], key: str, base_url: str) -> None:
        self._kind = kind
        self._given = {"api_key": key, "base_url": base_url}
        self._made: list[Both] = []

    def __call__(self, **options: Any) -> Both:
        """A client of the platform; options go before what it would have."""
        self._made.append(Both(self._kind(**{**self._given, **options})))
        return self._made[-1]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._made:
            await one.close()


@pytest.fixture(params=[AgentMessage, AsyncAgentMessage], ids=["sync", "async"])
async def clients(
    request: pytest.FixtureRequest, platform: Served, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Clients]:
    """Makes clients, once of each form, with short pauses between their tries."""
    monkeypatch.setattr(_retries, "FIRST_PAUSE_S", 0.02)
    async with Clients(request.param, platform.account.key, platform.base_url) as made:
        yield made


@pytest.fixture
def both(clients: Clients) -> Both:
    """A client of the platform, once of each form."""
    return clients()
