"""An API that may tell receivers on this machine, and one such receiver."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from agentmessage.app.api import Api
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.receivers import Receiver, receiver


@pytest.fixture
async def near(settings: Settings, cells: Cells, account: Account) -> AsyncIterator[Client]:
    """The account's client of an API that may tell receivers on this machine."""
    api = Api(replace(settings, webhook_allow_private=True), cells=cells)
    await api.start()
    yield Client(api, account.key)
    await api.stop()


@pytest.fixture
async def sink() -> AsyncIterator[Receiver]:
    """A receiver that answers 200."""
    async with receiver() as one:
        yield one
