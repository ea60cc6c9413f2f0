"""The API and its jobs with Stripe behind them, under a clock that tests move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec

from agentmessage.app.api import Api
from agentmessage.app.providers.payments import close_providers, payment_providers
from agentmessage.billing import operations
from agentmessage.billing.model import UsageKind
from agentmessage.billing.payments import jobs as payment_jobs
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.settings import Settings
from tests.billing.stripe_wire import SECRET, StripeWire, event, signed
from tests.conftest import Client, Reply
from tests.make.accounts import Account

HOOK = "/callbacks/stripe"


class PaymentsHarness:
    """Everything that takes money."""

    def __init__(self, wire: StripeWire, settings: Settings, cells: Cells, db: CellDb) -> None:
        self.wire = wire
        self.db = db
        self.cells = cells
        self.app = Api(settings, cells=cells)
        self.providers = payment_providers(settings)
        self.jobs = JobRunner(db, payment_jobs.handlers(self.providers))
        self.posted = 0

    async def post(self, body: bytes) -> Reply:
        """Stripe posts."""
        return await Client(self.app).request("POST", HOOK, content=body, headers=signed(body))

    async def work(self) -> int:
        """Run what is due, until nothing is."""
        ran = 0
        while done := await self.jobs.run_due():
            ran += done
        return ran

    async def later(self, seconds: float) -> None:
        """Time passes for jobs and for the pauses of automatic top-up."""
        await self.db.run("UPDATE jobs SET run_at = run_at - make_interval(secs => $1), lease_until = NULL", seconds)
        await self.db.run(
            "UPDATE auto_topups SET next_attempt_at = next_attempt_at - make_interval(secs => $1)", seconds
        )

    async def spend(self, tenant: Tenant, cents: int, ref: str) -> None:
        """Use something that costs so much."""
        async with self.db.transaction() as tx:
            await operations.charge(
                tx,
                tenant,
                kind=UsageKind.LOOKUP,
                quantity=1,
                unit_cost_microcents=microcents(cents),
                source="test",
                source_ref=ref,
                may_overdraw=True,
            )

    async def balance(self, org_id: UUID) -> int:
        """Cents in the wallet."""
        balance: int = await self.db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", org_id)
        return balance // 1_000_000

    async def events(self, org_id: UUID, kind: str) -> list[Any]:
        """What was told of one kind."""
        return await self.db.all(
            lambda data: data, "SELECT data FROM events WHERE org_id = $1 AND type = $2 ORDER BY id", org_id, kind
        )

    async def acts(self, org_id: UUID, action: str) -> int:
        """How often something is in the audit log."""
        count: int = await self.db.value(
            "SELECT count(*) FROM audit_log WHERE org_id = $1 AND action = $2", org_id, action
        )
        return count

    async def odd(self) -> list[str]:
        """Why notices were kept for the operator."""
        return await self.db.all(str, "SELECT reason FROM directory.unparsed_responses ORDER BY received_at")


@asynccontextmanager
async def open_payments(settings: Settings, cells: Cells, **changed: Any) -> AsyncIterator[PaymentsHarness]:
    """A till with a Stripe account in test mode, unless `changed` says otherwise."""
    async with StripeWire() as wire:
        given = {
            "stripe_secret_key": "sk_test_123",
            "stripe_webhook_secret": SECRET,
            "stripe_url": wire.url,
            "stripe_portal_return_origins": "https://app.example",
            **changed,
        }
        payments = PaymentsHarness(wire, msgspec.structs.replace(settings, **given), cells, await cells.cell("cell_00"))
        await payments.app.start()
        try:
            yield payments
        finally:
            await close_providers(payments.providers)
            await payments.app.stop()


PAGES = {"success_url": "https://app.example/paid?s={CHECKOUT_SESSION_ID}", "cancel_url": "https://app.example/no"}


async def check_out(api: Client, product: str = "topup_2000", **kwargs: Any) -> Reply:
    """Ask for a page to pay at."""
    return await api.post("/v1/billing/topup", {"stripe_product_id": product, **PAGES}, **kwargs)


async def pay_once(
    payments: PaymentsHarness, account: Account, product: str = "topup_2000"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A whole top-up, whose card is saved; answers session and payment."""
    session = (await check_out(Client(payments.app, account.key), product)).data
    paid, intent = payments.wire.pay(session["checkout_session_id"])
    payments.posted += 1
    reply = await payments.post(event("checkout.session.completed", paid, number=90_000 + payments.posted))
    assert reply.status == 200
    return paid, intent
