"""Consents, questions and the form as served, one number that may text, and a browser without a key."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from agentmessage.consent.routes import routes as consent_routes
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.optin import jobs, operations, tokens
from agentmessage.optin.hosted_form import ConsentPage
from agentmessage.optin.routes import routes
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.settings import Settings
from agentmessage.sms.segments import USUAL_LAYOUTS
from agentmessage.web.responses import send_response
from tests.conftest import ENCRYPTION_KEY, Client, Reply, _exchange
from tests.make.accounts import Account
from tests.make.clock import TestClock
from tests.make.rooms import RoomsApp
from tests.make.texts import CONTACT, Sender, insert_sender, set_throughput

AGREEMENT = "I agree to appointment reminders from Acme Dental.\nReply STOP to end."
PUBLIC_URL = "https://sms.example.com"


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
    """The two rooms, as served; 20 captures a minute."""
    services = {
        "settings": Settings(max_consent_captures_per_minute=20),
        "public_url": PUBLIC_URL,
        "form_signer": tokens.signer(ENCRYPTION_KEY, life_s=3600),
        "layouts": USUAL_LAYOUTS,
    }
    return RoomsApp(cells, consent_routes, routes, clock=clock, services=services)


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number that may text, at any pace."""
    await set_throughput(db, account.tenant)
    return await insert_sender(db, account.tenant)


class OptInHarness:
    """The account's own requests, what its contacts answer, and what that left in the database."""

    def __init__(self, api: Client, db: CellDb, account: Account, sender: Sender, clock: TestClock) -> None:
        self.api = api
        self.db = db
        self.account = account
        self.sender = sender
        self.clock = clock
        self.runner = JobRunner(db, jobs.HANDLERS)

    def body(self, **changes: Any) -> dict[str, Any]:
        """A question that is in order but for what is given."""
        return {
            "phone_number_id": str(self.sender.id),
            "contact_number": CONTACT,
            "confirmation_text": "Acme Dental: reply YES to get reminders.",
            "agreement_text": AGREEMENT,
            **changes,
        }

    async def ask(self, **changes: Any) -> Reply:
        """A question over the API."""
        return await self.api.post("/v1/consent/double-opt-in", self.body(**changes))

    async def answer(self, keyword: str = "YES") -> bool:
        """The contact answers; True: that was a confirmation."""
        async with self.db.transaction() as tx:
            return await operations.confirm(
                tx, self.account.org_id, self.sender.id, CONTACT, keyword=keyword, raw_event_id=str(new_id())
            )

    async def mint(self, **changes: Any) -> Any:
        """A link to the form."""
        body = {name: value for name, value in self.body(**changes).items() if name != "confirmation_text"}
        reply = await self.api.post("/v1/consent/hosted", body)
        assert reply.status == 200, reply.body
        return reply.json

    async def consent(self) -> Any:
        """The contact's consent as the API shows it; None: there is none."""
        listed = (await self.api.get("/v1/consent")).data
        return listed[0] if listed else None

    async def history(self) -> list[Any]:
        """What happened to the contact's consent, newest first."""
        return (await self.api.get(f"/v1/consent/{(await self.consent())['id']}/history")).data

    async def facts(self) -> list[str]:
        """Types of the facts about consents and questions, oldest first."""
        return await self.db.all(
            str,
            "SELECT type FROM events WHERE org_id = $1 AND family IN ('contact', 'consent_pending') ORDER BY xid, id",
            self.account.org_id,
        )

    async def texts(self) -> list[tuple[str, str]]:
        """Recipient and words of every text that was admitted, oldest first."""
        return await self.db.all(lambda *row: row, "SELECT recipient, text FROM messages ORDER BY id")

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and do what becomes due."""
        self.clock.moment += type(self.clock.moment - self.clock.moment)(seconds=seconds)
        while await self.runner.run_due():
            pass


@pytest.fixture
def harness(api: Client, db: CellDb, account: Account, sender: Sender, clock: TestClock) -> OptInHarness:
    """See Desk."""
    return OptInHarness(api, db, account, sender, clock)


class Browser:
    """A contact's browser: no key, an address, and a name of its own."""

    def __init__(self, page: ConsentPage, *, address: str = "198.51.100.4") -> None:
        self._page = page
        self.address = address

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        reply = await self._page.answer(scope, receive)
        await send_response(send, reply, "request", head_only=scope["method"] == "HEAD")

    async def open(self, token: str, method: str = "GET", body: bytes = b"", **headers: str) -> Reply:
        """One request to the page of a token."""
        sent = {"user-agent": "TestBrowser/1.0", **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": f"/consent/{token}",
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": (self.address, 50_000),
        }
        return await _exchange(self, scope, body)

    async def submit(self, token: str, fields: Mapping[str, str] | None = None, **headers: str) -> Reply:
        """The form, sent; with the box ticked unless said otherwise."""
        body = urlencode({"agree": "yes"} if fields is None else fields).encode()
        return await self.open(token, "POST", body, content_type="application/x-www-form-urlencoded", **headers)


@pytest.fixture
def browser(cells: Cells) -> Browser:
    """See Browser."""
    page = ConsentPage(cells, tokens.signer(ENCRYPTION_KEY, life_s=3600), public_url=PUBLIC_URL, trusted_proxy_count=0)
    return Browser(page)
