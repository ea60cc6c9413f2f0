"""Brands and campaigns with the simulated registry behind them, on one clock that only tests move."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage.brands import jobs as brand_jobs
from agentmessage.brands import operations as brands
from agentmessage.brands.routes import routes as brand_routes
from agentmessage.campaigns import jobs as campaign_jobs
from agentmessage.campaigns import operations as campaigns
from agentmessage.campaigns.page_checks import PageChecker
from agentmessage.campaigns.routes import routes as campaign_routes
from agentmessage.carriers.protocols import BrandHint, CampaignHint, ForgedCallback, UnreadableCallback
from agentmessage.carriers.tcr import TcrCallbacks
from agentmessage.carriers.tcr.client import TcrClient
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.encryption import parse_keys
from agentmessage.organizations.routes import routes as organization_routes
from agentmessage.outbox.job_runner import JobRunner
from tests.carriers.world_line import HOOKS, REGISTRY, START, Caller
from tests.conftest import ENCRYPTION_KEY, Client
from tests.make.accounts import Account
from tests.make.clock import TestClock
from tests.make.rooms import RoomsApp

SECRET_BOX = parse_keys(ENCRYPTION_KEY)

BRAND: dict[str, Any] = {
    "entity_type": "PRIVATE_PROFIT",
    "brand_relationship": "BASIC_ACCOUNT",
    "display_name": "Acme Dental",
    "country": "US",
}
CAMPAIGN: dict[str, Any] = {
    "usecase": "CUSTOMER_CARE",
    "description": "Appointment reminders to patients of the practice who asked for them.",
    "message_flow": "Patients tick an unchecked box on the booking form and agree to reminders by text.",
    "sample1": "Acme Dental: your appointment is on Monday at 9. Reply STOP to opt out.",
}


class Registrar:
    """A worker that runs the two rooms' jobs against a simulated registry."""

    def __init__(self, db: CellDb, clock: TestClock) -> None:
        self.db = db
        self.clock = clock
        self.caller = Caller()
        self.runner = self.runner_for(self.caller.registry)

    def runner_for(self, registry: Any) -> JobRunner:
        """A worker that speaks to another registry."""
        registries = {"live": registry}
        handlers = brand_jobs.handlers(registries, SECRET_BOX) | campaign_jobs.handlers(registries)
        return JobRunner(self.db, handlers)

    async def run(self) -> None:
        """Do everything that is due at this moment."""
        self.caller.line.now = self.clock.moment
        while await self.runner.run_due():
            self.caller.line.now = self.clock.moment

    async def live(self, seconds: float, *, step_s: float = 1.0) -> None:
        """Let time pass for everybody, and do what becomes due."""
        await self.run()
        for _ in range(max(1, round(seconds / step_s))):
            self.clock.moment += timedelta(seconds=step_s)
            self.caller.line.now = self.clock.moment
            self.caller.line.world.advance(self.clock.moment)
            await self.run()

    async def subscribe(self) -> None:
        """Have the registry call back."""
        await self.caller.registry_subscriptions.subscribe(f"{HOOKS}/tcr")

    async def deliver(self) -> int:
        """Hand over the callbacks that are due, as hints; answers how many named something that we know."""
        reader, known = TcrCallbacks(REGISTRY), 0
        for callback in self.caller.line.delivered():
            try:
                hints = reader.read(callback)
            except (ForgedCallback, UnreadableCallback):
                continue
            for hint in hints:
                match hint:
                    case BrandHint(tcr_brand_id):
                        known += await brands.hint(self.db, tcr_brand_id)
                    case CampaignHint(tcr_campaign_id):
                        known += await campaigns.hint(self.db, tcr_campaign_id)
                    case _:
                        pytest.fail(f"not the registry's: {hint}")
        return known

    async def registered(self, path: str, our_id: str) -> Any:
        """A brand (`/brand`) or campaign (`/campaign`) of ours as the registry shows it; None when it has none."""
        client = TcrClient(REGISTRY, self.caller.line)
        listed: Any = await client.read(path, dict[str, Any], referenceId=UUID(our_id).hex)
        rows = listed.value["records"]
        assert len(rows) <= 1, rows
        found: Any = await client.read(f"{path}/{rows[0][path[1:] + 'Id']}", dict[str, Any]) if rows else None
        return getattr(found, "value", None)

    async def event_types(self, org_id: UUID, family: str) -> list[str]:
        """The types of the events of a family, oldest first."""
        return await self.db.all(
            str, "SELECT type FROM events WHERE org_id = $1 AND family = $2 ORDER BY xid, id", org_id, family
        )

    async def balance_cents(self, org_id: UUID) -> int:
        """What the wallet holds, by its entries."""
        total: int = await self.db.value(
            "SELECT sum(amount_microcents)::bigint FROM ledger_entries WHERE org_id = $1 AND account = 'wallet'", org_id
        )
        return total // 1_000_000

    async def jobs(self, kind: str) -> int:
        """How many jobs of a kind wait."""
        count: int = await self.db.value("SELECT count(*) FROM jobs WHERE kind = $1", kind)
        return count


@pytest.fixture
def clock() -> TestClock:
    """The one clock."""
    return TestClock(START)


@pytest.fixture
async def cells(dsn: str, clock: TestClock) -> AsyncIterator[Cells]:
    """The pools of a fresh database, on that clock."""
    opened = Cells(dsn, pool_size=8, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def app(cells: Cells, clock: TestClock) -> RoomsApp:
    """Organizations, brands and campaigns, as served."""
    services = {"secret_box": SECRET_BOX, "pages": PageChecker(allow_private=True)}
    return RoomsApp(cells, organization_routes, brand_routes, campaign_routes, clock=clock, services=services)


@pytest.fixture
def registrar(db: CellDb, clock: TestClock) -> Registrar:
    """The worker and its registry."""
    return Registrar(db, clock)


async def create_brand(api: Client, **changes: Any) -> Any:
    """A brand as the API accepted it."""
    answer = await api.post("/v1/brands", {**BRAND, **changes})
    assert answer.status == 202, answer.body
    return answer.data


async def create_campaign(api: Client, brand_id: object, **changes: Any) -> Any:
    """A campaign as the API accepted it."""
    answer = await api.post("/v1/campaigns", {**CAMPAIGN, "brand_id": str(brand_id), **changes})
    assert answer.status == 202, answer.body
    return answer.data


async def verified_brand(api: Client, registrar: Registrar, **changes: Any) -> Any:
    """A brand that the registry has verified."""
    made = await create_brand(api, **changes)
    await registrar.live(10)
    brand = (await api.get(f"/v1/brands/{made['id']}")).data
    assert brand["identity_status"] == "VERIFIED"
    return brand


async def approved_campaign(api: Client, registrar: Registrar, **changes: Any) -> Any:
    """A campaign that the operators have approved, of a brand of its own."""
    brand = await verified_brand(api, registrar)
    made = await create_campaign(api, brand["id"], **changes)
    await registrar.live(30)
    campaign = (await api.get(f"/v1/campaigns/{made['id']}")).data
    assert campaign["status"] == "ACTIVE"
    return campaign


async def allow_reselling(db: CellDb, account: Account) -> None:
    """Make the organization a reseller: it may have any number of brands."""
    await db.run("UPDATE organizations SET is_reseller = true WHERE id = $1", account.org_id)


__all__ = ["BRAND", "CAMPAIGN", "Registrar", "app", "cells", "clock", "registrar"]
