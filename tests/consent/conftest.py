"""The room behind the edge, a number to text from, and a capture that is in order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from agentmessage.consent.routes import routes
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.clock import TestClock
from tests.make.numbers import insert_number
from tests.make.rooms import RoomsApp

CONTACT = "+14155550123"
AGREEMENT = "I agree to appointment reminders from Acme Dental. Reply STOP to end."


@pytest.fixture
def clock() -> TestClock:
    """The one clock."""
    return TestClock()


@pytest.fixture
async def cells(dsn: str, clock: TestClock) -> AsyncIterator[Cells]:
    """The pools of a fresh database, on that clock."""
    opened = Cells(dsn, pool_size=8, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def app(cells: Cells, clock: TestClock) -> RoomsApp:
    """Consents, as served; 100 captures a minute."""
    return RoomsApp(cells, routes, clock=clock, services={"settings": Settings(max_consent_captures_per_minute=100)})


@pytest.fixture
async def number(db: CellDb, account: Account) -> UUID:
    """A number of the account's."""
    return await insert_number(db, account.org_id, "+14155550199")


class ConsentHarness:
    """The account's own requests, and what they left in the database."""

    def __init__(self, api: Client, db: CellDb, account: Account, number: UUID, clock: TestClock) -> None:
        self.api = api
        self.db = db
        self.account = account
        self.number = number
        self.clock = clock

    def body(self, contact: str = CONTACT, **evidence: Any) -> dict[str, Any]:
        """A capture that is in order but for what is given."""
        shown = {
            "captured_at": self.clock.moment.isoformat(),
            "ip_address": "203.0.113.7",
            "user_agent": "Mozilla/5.0",
            "agreement_text": AGREEMENT,
            "form_url": "https://acme.example/book",
            "consent_method": "checkbox",
            **evidence,
        }
        return {
            "phone_number_id": str(self.number),
            "contact_number": contact,
            "opted_in": True,
            "evidence": shown,
        }

    async def capture(self, contact: str = CONTACT, **evidence: Any) -> Any:
        """What a capture that is in order is answered with."""
        reply = await self.api.post("/v1/consent", self.body(contact, **evidence))
        assert reply.status == 200, reply.body
        return reply.json

    async def facts(self) -> list[tuple[str, UUID]]:
        """Type and resource of every fact about contacts, oldest first."""
        return await self.db.all(
            lambda *row: row,
            "SELECT type, resource_id FROM events WHERE org_id = $1 AND family = 'contact' ORDER BY xid, id",
            self.account.org_id,
        )

    async def history(self, consent_id: str) -> list[Any]:
        """A consent's history, newest first."""
        return (await self.api.get(f"/v1/consent/{consent_id}/history")).data


@pytest.fixture
def harness(api: Client, db: CellDb, account: Account, number: UUID, clock: TestClock) -> ConsentHarness:
    """See Desk."""
    return ConsentHarness(api, db, account, number, clock)


async def both(*claims: Any) -> list[Any]:
    """Several at once."""
    return list(await asyncio.gather(*claims))
