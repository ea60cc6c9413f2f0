"""A number that can send, and a handset that texts it."""

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
    """A phone that texts it."""
    return Handset(cells, sender.number)
