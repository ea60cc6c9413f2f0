"""One database, one application and three organizations for all contract tests of a module."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest_asyncio

from agentmessage.app.api import Api
from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.conftest import ENCRYPTION_KEY, TEMPLATE, Client
from tests.make.accounts import open_account


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(postgres: EmbeddedPostgres) -> AsyncIterator[Any]:
    """The API over a fresh database, with an owner, a stranger, and a client for each."""
    name = f"contract_{uuid4().hex[:12]}"
    dsn = await postgres.create_database(name, template=TEMPLATE)
    cells = Cells(dsn, pool_size=8)
    settings = Settings(
        database_url=dsn, encryption_key=ENCRYPTION_KEY, callback_password="callback-secret", order_wait_seconds=1
    )
    app = Api(settings, cells=cells)
    owner, stranger = await open_account(cells), await open_account(cells, name="Stranger")
    yield SimpleNamespace(
        app=app,
        cells=cells,
        db=await cells.cell("cell_00"),
        owner=owner,
        stranger=stranger,
        api=Client(app, owner.key),
        stranger_api=Client(app, stranger.key),
        settings=settings,
    )
    await app.stop()
    await postgres.drop_database(name)
