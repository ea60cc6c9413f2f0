"""The whole house under a clock that a history sets."""

from collections.abc import AsyncIterator

import pytest

from agentmessage.app.api import Api
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.make.clock import TestClock


@pytest.fixture
def clock() -> TestClock:
    """Everybody's clock: the API's, the database's and the worker's."""
    return TestClock()


@pytest.fixture
async def cells(dsn: str, clock: TestClock) -> AsyncIterator[Cells]:
    """The pools of the test's database, under its clock."""
    opened = Cells(dsn, pool_size=8, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def app(settings: Settings, cells: Cells, clock: TestClock) -> AsyncIterator[Api]:
    """The whole API under the test's clock."""
    api = Api(settings, cells=cells, clock=clock)
    await api.start()
    yield api
    await api.stop()
