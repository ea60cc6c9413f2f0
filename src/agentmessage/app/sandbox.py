"""What a sandbox begins with: a number on an approved campaign, and one recipient who has agreed to messages.

The job `sandbox.begin` makes both sides of it. At the simulator the number is put in service with its campaign, by the
control plane; then brand, campaign, number and consent are written in one transaction. The number is read at the
carrier like an imported one, and can send as soon as the reading has confirmed its campaign.

Running the job twice, also at once, is harmless: the simulator puts nothing in service twice, and the second writer
finds the brand, under the organization's lock.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from agentmessage.app.monitoring import queries as monitoring_queries
from agentmessage.brands import operations as brands
from agentmessage.campaigns import operations as campaigns
from agentmessage.carriers.bandwidth import BandwidthAccount
from agentmessage.carriers.http import HttpAnswer, HttpTransport
from agentmessage.carriers.http_request import Request, ask, is_yes
from agentmessage.consent import operations as consent
from agentmessage.consent.model import ConsentMethod, Evidence, Grant, Pair, Source
from agentmessage.kernel.db import CellDb, Cells, Tx
from agentmessage.kernel.tenant import Tenant, operator
from agentmessage.numbers.orders import inventory
from agentmessage.numbers.orders import operations as orders
from agentmessage.organizations import operations as organizations
from agentmessage.organizations.model import Mode
from agentmessage.outbox.events import enqueue
from agentmessage.outbox.job_runner import Done, Handler, Snooze
from agentmessage.outbox.notifications import Ring

JOB = "sandbox.begin"
RECIPIENT = "+13235550141"
"""The simulated handset that has agreed to messages from every sandbox's first number."""

AREA_CODES = ("500", "521", "522", "533", "544", "566", "577", "588")
"""Codes that belong to no place, and that the simulator does not sell from: 10,000 numbers at 555 in each."""

CANDIDATES = 40
AGAIN_S = 5.0
LOOK_S = 0.1
AGREEMENT = "The sandbox's test recipient agrees to every message: it is a simulated handset."


async def schedule(tx: Tx, sandbox: Tenant) -> None:
    """Have a new sandbox get its number, in the transaction that makes it."""
    await enqueue(tx, JOB, str(sandbox.org_id), {"org_id": str(sandbox.org_id)})


class Beginning:
    """The job, over the simulator's control plane."""

    def __init__(self, account: BandwidthAccount, transport: HttpTransport, ring: Ring) -> None:
        self._account = account
        self._transport = transport
        self._ring = ring

    def handlers(self) -> dict[str, Handler]:
        """The job by its name."""
        return {JOB: self.begin}

    async def begin(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Give a sandbox its number, once. May run twice, see the module."""
        org_id = UUID(arguments["org_id"])
        tenant = operator(org_id, db.name, Mode.SANDBOX)
        if await brands.has_starter(db, tenant):
            return Done()
        free = await inventory.list_unknown(db, tenant.account, candidates(org_id))
        if not free:
            return Snooze(AGAIN_S)
        tcr_campaign_id = f"C{org_id.hex[-12:].upper()}"
        if not await self._put_in_service(free[0], tcr_campaign_id):
            return Snooze(AGAIN_S)
        async with db.transaction() as tx:
            await consent.lock_law(tx, org_id)
            if not await brands.has_starter(tx, tenant):
                await _write(tx, tenant, number=free[0], tcr_campaign_id=tcr_campaign_id)
        self._ring(db.name, "numbers")
        return Done()

    async def _put_in_service(self, number: str, tcr_campaign_id: str) -> bool:
        whose = {"account": self._account.account_id}
        return await self._control(f"campaigns/{tcr_campaign_id}", {"create": True, **whose}) and await self._control(
            "numbers", {"numbers": [number], "campaign": tcr_campaign_id, **whose}
        )

    async def _control(self, path: str, order: object) -> bool:
        request = Request(
            method="POST",
            url=f"{self._account.base_url.rstrip('/')}/_control/{path}",
            headers={"content-type": "application/json"},
            body=msgspec.json.encode(order),
            timeout_s=self._account.timeout_s,
        )
        answer = await ask(self._transport, request)
        return isinstance(answer, HttpAnswer) and is_yes(answer)


async def _write(tx: Tx, tenant: Tenant, *, number: str, tcr_campaign_id: str) -> None:
    brand_id = await brands.add_starter(tx, tenant, tcr_brand_id=f"B{tenant.org_id.hex[-12:].upper()}")
    campaign_id = await campaigns.add_starter(tx, tenant, brand_id, tcr_campaign_id=tcr_campaign_id)
    number_id = await orders.grant(tx, tenant, number=number, campaign_id=campaign_id, label="sandbox")
    grant = Grant(
        pair=Pair(number_id, RECIPIENT),
        method=ConsentMethod.ATTESTED,
        source=Source.API,
        occurred_at=tx.now,
        evidence=Evidence(agreement_text=AGREEMENT),
    )
    await consent.capture(tx, tenant, [grant])


async def first_number(dsn: str, live_org_id: UUID, *, patience_s: float) -> str:
    """The number that the sandbox of an organization begins with, once it can send; empty when it takes too long."""
    cells = Cells(dsn, pool_size=1)
    try:
        directory = await cells.directory()
        sandbox = await organizations.twin_in(directory, live_org_id)
        db = await cells.cell(sandbox.cell)
        give_up_at = time.monotonic() + patience_s
        while (number := await monitoring_queries.find_first_number(db, sandbox.org_id)) is None:
            if time.monotonic() >= give_up_at:
                return ""
            await asyncio.sleep(LOOK_S)
        return number
    finally:
        await cells.close()


def candidates(org_id: UUID) -> Sequence[str]:
    """Numbers that a sandbox may get, always the same for one organization."""
    rng = random.Random(org_id.int)  # noqa: S311 - where to begin to look, not a secret
    return [f"+1{rng.choice(AREA_CODES)}555{rng.randrange(10_000):04d}" for _ in range(CANDIDATES)]
