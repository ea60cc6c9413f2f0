"""A served platform, accounts on it, and terminals that are set to them."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
import structlog

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.settings import Settings
from tests.cli.terminal import Terminal
from tests.conftest import ENCRYPTION_KEY, TEMPLATE
from tests.make.accounts import Account, open_account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender
from tests.sdk.served import Served, served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    name = f"cli_{uuid4().hex[:12]}"
    yield await postgres.create_database(name, template=TEMPLATE)
    await postgres.drop_database(name)


@pytest.fixture(scope="module")
def platform(_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The API on a socket over a fresh database."""
    settings = Settings(
        database_url=_database,
        encryption_key=ENCRYPTION_KEY,
        callback_password="callback-secret",
        order_wait_seconds=1,
        webhook_allow_private=True,
        simulator_url="http://127.0.0.1:9",  # nobody's: a simulator that happens to run here must not be asked
        media_dir=str(tmp_path_factory.mktemp("media")),
    )
    # The platform runs in this process, too: its log shall not be taken for what a command says.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    with served(settings) as running:
        yield running
    structlog.reset_defaults()


class Customer:
    """One organization of the platform, with what it owns."""

    def __init__(self, platform: Served, account: Account) -> None:
        self.platform = platform
        self.account = account

    def number(self, number: str, **given: Any) -> Sender:
        """A number that may text, unless `given` says otherwise."""
        return self.platform.do(self._number(number, given))

    def consents(self, sender: Sender, contact: str = CONTACT, **given: Any) -> None:
        """The contact's consent, unless `given` says otherwise."""
        self.platform.do(self._consents(sender, contact, given))

    def run(self, sql: str, *values: object) -> int:
        """A statement on the cell, for what only a carrier or an operator does."""
        return self.platform.do(self._run(sql, values))

    async def _number(self, number: str, given: dict[str, Any]) -> Sender:
        db = await self.platform.cells.cell("cell_00")
        return await insert_sender(db, self.account.tenant, number, **given)

    async def _consents(self, sender: Sender, contact: str, given: dict[str, Any]) -> None:
        db = await self.platform.cells.cell("cell_00")
        await insert_consent(db, self.account.tenant, sender, contact, **given)

    async def _run(self, sql: Any, values: tuple[object, ...]) -> int:
        db = await self.platform.cells.cell("cell_00")
        return await db.run(sql, *values)


@pytest.fixture
def open_customer(platform: Served) -> Callable[..., Customer]:
    """Makes organizations."""

    def make(**given: Any) -> Customer:
        return Customer(platform, platform.do(open_account(platform.cells, **given)))

    return make


@pytest.fixture
def customer(open_customer: Callable[..., Customer]) -> Customer:
    """An organization of this test's own."""
    return open_customer()


@pytest.fixture
def terminal(platform: Served, customer: Customer, tmp_path: Path) -> Terminal:
    """A terminal whose environment names the platform and the customer's key."""
    return Terminal(tmp_path, AGENTMESSAGE_API_KEY=customer.account.key, AGENTMESSAGE_BASE_URL=platform.base_url)


@pytest.fixture
def bare(tmp_path: Path) -> Terminal:
    """A terminal that knows of no platform."""
    return Terminal(tmp_path)
