"""What the tests of numbers share."""

from collections.abc import AsyncIterator

import pytest

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.make.accounts import Account
from tests.numbers.harness import Floor


@pytest.fixture
async def floor(cells: Cells, db: CellDb, settings: Settings) -> AsyncIterator[Floor]:
    """API, carrier and worker of one test."""
    built = Floor(cells, settings, db)
    await built.api.start()
    yield built
    await built.api.stop()


@pytest.fixture
def shop(floor: Floor, account: Account) -> Client:
    """A customer of that API."""
    return Client(floor.api, account.key)


@pytest.fixture
def other_shop(floor: Floor, stranger: Account) -> Client:
    """Another customer of it."""
    return Client(floor.api, stranger.key)
