"""What becomes of released numbers, and what months and given-up campaigns ask for."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage.billing import queries as billing_queries
from agentmessage.carriers.protocols import Accepted, Answer, NumberPage, Unknown
from agentmessage.kernel.db import Cells
from agentmessage.numbers.orders import purchase_jobs, renewals
from agentmessage.outbox.events import enqueue
from agentmessage.outbox.job_runner import JobRunner
from tests.conftest import Client
from tests.make.accounts import Account, key_with, open_account
from tests.make.campaigns import insert_campaign
from tests.numbers.harness import Floor, balance_cents, event_types, states, stock

A, B, C = "+14155550101", "+14155550102", "+14155550103"


class Calendar:
    """A clock that a test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


async def cells_at(dsn: str, moment: datetime) -> Cells:
    """The same database under another clock."""
    return Cells(dsn, pool_size=4, clock=Calendar(moment))


async def ordered(shop: Client, *numbers: str, **given: Any) -> list[str]:
    """Ids of numbers that the customer has just got."""
    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": list(numbers), **given})
    assert reply.status == 201, reply.json
    return [row["id"] for row in reply.data]


async def unbound(floor: Floor) -> None:
    """What the reconciler writes when the carrier surely has no campaign on any number."""
    await floor.db.run(
        """UPDATE line_options l SET phase = 'unbound', observed = 'absent', observed_campaign = NULL,
               op_order_id = NULL, applied_generation = p.generation, op_seq = 5, due_at = NULL
           FROM phone_numbers p WHERE p.id = l.phone_number_id"""
    )


# ── quarantine ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_released_number_is_for_sale_again_after_thirty_days(floor: Floor, shop: Client, dsn: str) -> None:
    await stock(floor.db, A)
    (number_id,) = await ordered(shop, A)
    await shop.delete(f"/v1/phone-numbers/{number_id}")
    await unbound(floor)
    before = await cells_at(dsn, floor.db.now + timedelta(days=29, hours=23))
    after = await cells_at(dsn, floor.db.now + timedelta(days=30))

    assert await renewals.run_end_quarantine(before) == 0
    assert await states(floor.db) == {A: "quarantined"}
    assert await renewals.run_end_quarantine(after) == 1

    assert await states(floor.db) == {A: "available"}
    assert await floor.db.value("SELECT count(*) FROM phone_numbers") == 0
    await before.close()
    await after.close()


async def test_generation_and_submissions_of_a_number_outlive_its_owner(
    floor: Floor, shop: Client, other_shop: Client, dsn: str
) -> None:
    """A late answer about the last owner must never look current."""
    await stock(floor.db, A, generation=3)
    (number_id,) = await ordered(shop, A)
    await shop.delete(f"/v1/phone-numbers/{number_id}")
    await unbound(floor)
    later = await cells_at(dsn, floor.db.now + timedelta(days=31))
    await renewals.run_end_quarantine(later)
    await later.close()

    await ordered(other_shop, A)

    found = await floor.db.one(
        lambda *row: row,
        """SELECT p.generation, l.op_seq, l.applied_generation FROM phone_numbers p
           JOIN line_options l ON l.phone_number_id = p.id""",
    )
    assert found == (6, 5, 6)


@pytest.mark.parametrize(
    "still",
    [
        "phase = 'bound', observed = 'present', observed_campaign = 'C1ABCDE'",
        "phase = 'unbinding', op_order_id = gen_random_uuid()",
        "phase = 'unbound', op_order_id = gen_random_uuid()",
        "phase = 'unknown', op_order_id = NULL",
    ],
)
async def test_a_number_that_is_not_surely_unbound_stays_in_quarantine(
    floor: Floor, shop: Client, dsn: str, still: str
) -> None:
    await stock(floor.db, A)
    (number_id,) = await ordered(shop, A)
    await shop.delete(f"/v1/phone-numbers/{number_id}")
    await unbound(floor)
    async with floor.db.connection() as connection:
        await connection.execute(f"UPDATE line_options SET {still}")  # noqa: S608 - of this file
    later = await cells_at(dsn, floor.db.now + timedelta(days=31))

    assert await renewals.run_end_quarantine(later) == 0

    assert await states(floor.db) == {A: "quarantined"}
    await later.close()


async def test_an_imported_number_that_was_not_read_yet_stays_unread_in_the_pool(
    floor: Floor, shop: Client, dsn: str
) -> None:
    await stock(floor.db, A, is_observed=False)
    (number_id,) = await ordered(shop, A)
    await shop.delete(f"/v1/phone-numbers/{number_id}")
    later = await cells_at(dsn, floor.db.now + timedelta(days=31))

    assert await renewals.run_end_quarantine(later) == 1

    assert await floor.db.value("SELECT is_observed FROM directory.inventory") is False
    await later.close()


# ── back to the carrier ─────────────────────────────────────────────────────────────────────────────────────


async def leaving(floor: Floor, shop: Client, account: Account) -> None:
    """A bought number that the operator has released to the carrier."""
    async with floor.working():
        (number_id,) = await ordered(shop, A)
    key = await key_with(floor.cells, account.tenant, ["numbers:write", "platform:inventory:write"])
    reply = await Client(floor.api, key).delete(f"/v1/phone-numbers/{number_id}?return_to_carrier=true")
    assert reply.status == 200


def disconnections(floor: Floor) -> list[Any]:
    return [order for order in floor.wire.control("oracle")["number_orders"] if order["kind"] == "disconnects"]


async def test_a_returned_number_is_disconnected_once_it_is_unbound(
    floor: Floor, shop: Client, account: Account, dsn: str
) -> None:
    await leaving(floor, shop, account)
    await floor.db.run("UPDATE line_options SET phase = 'bound', observed = 'present', observed_campaign = 'C1ABCDE'")
    for _ in range(3):
        await floor.turn()
    assert disconnections(floor) == []
    later = await cells_at(dsn, floor.db.now + timedelta(days=31))
    assert await renewals.run_end_quarantine(later) == 0
    await later.close()

    await unbound(floor)
    await floor.settle()

    assert await states(floor.db) == {A: "retired"}
    assert floor.wire.in_service() == set()
    assert await floor.db.value("SELECT count(*) FROM phone_numbers") == 0
    assert await floor.db.value("SELECT (generation, op_seq) = (2, 5) FROM directory.inventory")


@pytest.mark.parametrize("fault", ["timeout_after", "error_after", "timeout_before", "rate_limited", "order_failed"])
async def test_a_returned_number_is_gone_in_the_end_whatever_the_line_does(
    floor: Floor, shop: Client, account: Account, fault: str
) -> None:
    await leaving(floor, shop, account)
    await unbound(floor)
    floor.wire.once(fault, operation="numbers.disconnect")

    await floor.settle()

    assert await states(floor.db) == {A: "retired"}
    assert floor.wire.in_service() == set()


class ShiftingPages:
    """A carrier whose list of numbers leaves one out at the first reading, and that never receives a disconnection."""

    def __init__(self) -> None:
        self.readings = 0

    async def disconnect(self, order_key: str, numbers: object) -> Answer[str]:
        del order_key, numbers
        return Unknown("lost")

    async def read_in_service(self, page: str | None = None) -> Answer[NumberPage]:
        del page
        self.readings += 1
        return Accepted(NumberPage(() if self.readings == 1 else (A,), None))


async def test_a_number_that_one_reading_misses_is_not_taken_for_gone(
    floor: Floor, shop: Client, account: Account
) -> None:
    await leaving(floor, shop, account)
    await unbound(floor)
    source: Any = ShiftingPages()
    runner = JobRunner(floor.db, purchase_jobs.handlers({"live": source}))

    for _ in range(4):
        await floor.hurry()
        await runner.run_due()

    assert source.readings >= 2
    assert await states(floor.db) == {A: "quarantined"}


# ── months ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_number_is_charged_on_each_anniversary_once(
    floor: Floor, shop: Client, account: Account, dsn: str
) -> None:
    await stock(floor.db, A, B)
    await ordered(shop, A, B)
    await floor.db.run(
        """UPDATE phone_numbers SET created_at = '2026-01-31T10:00:00Z', charged_until = '2026-02-28T10:00:00Z'"""
    )
    paid = await balance_cents(floor.db, account.org_id)
    march_30 = await cells_at(dsn, datetime.fromisoformat("2026-03-31T09:59:59Z"))
    may_1 = await cells_at(dsn, datetime.fromisoformat("2026-05-01T00:00:00Z"))

    rounds = [
        sum(await asyncio.gather(*(renewals.run_renewals(march_30) for _ in range(4)))),
        await renewals.run_renewals(march_30),
        await renewals.run_renewals(may_1),
    ]

    assert rounds == [2, 0, 4]
    assert await balance_cents(floor.db, account.org_id) == paid - 6 * 94
    until = await floor.db.value("SELECT min(charged_until) FROM phone_numbers")
    assert until == datetime.fromisoformat("2026-05-31T10:00:00Z")
    assert await billing_queries.list_unbalanced(floor.db) == []
    await march_30.close()
    await may_1.close()


async def test_a_month_may_overdraw_the_wallet(floor: Floor, dsn: str) -> None:
    poor = await open_account(floor.cells, name="Poor", cents=94)
    await stock(floor.db, A)
    await ordered(Client(floor.api, poor.key), A)
    later = await cells_at(dsn, floor.db.now + timedelta(days=32))

    assert await renewals.run_renewals(later) == 1

    assert await balance_cents(floor.db, poor.org_id) == -94
    await later.close()


async def test_a_released_number_costs_nothing_more(floor: Floor, shop: Client, account: Account, dsn: str) -> None:
    await stock(floor.db, A)
    (number_id,) = await ordered(shop, A)
    await shop.delete(f"/v1/phone-numbers/{number_id}")
    later = await cells_at(dsn, floor.db.now + timedelta(days=62))

    assert await renewals.run_renewals(later) == 0

    assert await balance_cents(floor.db, account.org_id) == 100_000 - 94
    await later.close()


# ── a campaign is given up ──────────────────────────────────────────────────────────────────────────────────


async def test_a_given_up_campaign_loses_all_its_numbers_in_its_owners_name(
    floor: Floor, shop: Client, account: Account
) -> None:
    """One that is still being ordered leaves as soon as it is assigned."""
    campaign_id = await insert_campaign(floor.db, account.org_id)
    await stock(floor.db, A, B)
    await ordered(shop, A, B, campaign_id=str(campaign_id))
    floor.be_impatient()
    pending = await shop.post("/v1/phone-numbers/orders", {"numbers": [C], "campaign_id": str(campaign_id)})
    assert pending.status == 202
    await floor.db.run("UPDATE campaigns SET status = 'EXPIRED'")
    arguments = {"org_id": str(account.org_id), "campaign_id": str(campaign_id), "actor_kind": "customer"}
    await enqueue(floor.db, "numbers.detach_campaign", str(campaign_id), {**arguments, "actor_label": "key test"})

    await floor.settle()

    assert await floor.db.value("SELECT count(*) FROM phone_numbers WHERE campaign_id IS NOT NULL") == 0
    assert (await event_types(floor.db, account.org_id)).count("phone_number.campaign.detached") == 3
    actors = await floor.db.all(str, "SELECT actor_label FROM audit_log WHERE action = 'phone_number.campaign.detach'")
    assert actors == ["key test"] * 3


async def test_a_strangers_number_is_not_detached(
    floor: Floor, account: Account, other_shop: Client, stranger: Account
) -> None:
    campaign_id = await insert_campaign(floor.db, stranger.org_id)
    await stock(floor.db, A)
    (number_id,) = await ordered(other_shop, A, campaign_id=str(campaign_id))

    await renewals.detach_campaign(floor.db, {"org_id": str(account.org_id), "campaign_id": str(campaign_id)})

    held = await floor.db.value("SELECT campaign_id FROM phone_numbers WHERE id = $1", UUID(number_id))
    assert held == campaign_id
