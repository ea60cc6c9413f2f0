"""A number that may text, and a handset that texts it."""

from typing import Any

import pytest

from agentmessage.kernel.db import CellDb, Cells
from tests.inbound.handset import Handset
from tests.make.accounts import Account
from tests.make.texts import Sender, insert_sender


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number of the account, on an active campaign."""
    return await insert_sender(db, account.tenant)


@pytest.fixture
def handset(cells: Cells, sender: Sender) -> Handset:
    """Somebody's phone that texts it."""
    return Handset(cells, sender.number)


@pytest.fixture
async def inbox(db: CellDb) -> Any:
    """What our numbers were to text, oldest first: kind and text."""

    async def read() -> list[tuple[str, str]]:
        return await db.all(lambda kind, text: (kind, text), "SELECT kind, text FROM messages ORDER BY created_at, id")

    return read
