"""A sandbox begins with a number that can send, whatever way it came to be, and once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agentmessage.admin import organizations
from agentmessage.app import sandbox
from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.app.sandbox import RECIPIENT, Beginning
from agentmessage.brands.routes import EXAMPLE
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.outbox.job_runner import Done, JobRunner, Snooze
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.make.accounts import Account, key_with
from tests.numbers.harness import Floor, Wire


@pytest.fixture
async def floor(cells: Cells, db: CellDb, settings: Settings) -> AsyncIterator[Floor]:
    """API and simulated carrier of one test."""
    built = Floor(cells, settings, db)
    await built.api.start()
    yield built
    await built.api.stop()


def beginning(settings: Settings, wire: Wire) -> Beginning:
    """The job, over the simulator of the test."""
    return Beginning(carrier_sets(settings, wire)["sandbox"].bandwidth, wire, lambda _cell, _bell: None)


async def newcomer(floor: Floor, account: Account, settings: Settings) -> Client:
    """A client of a sandbox that has begun."""
    job = beginning(settings, floor.wire)
    assert isinstance(await job.begin(floor.db, {"org_id": str(account.sandbox.org_id)}), Done)
    key = await key_with(floor.cells, account.sandbox, sorted(account.tenant.scopes), label="sandbox")
    return Client(floor.api, key)


async def test_a_sandbox_has_a_number_an_approved_campaign_and_one_who_agreed(
    floor: Floor, account: Account, settings: Settings
) -> None:
    client = await newcomer(floor, account, settings)

    (number,) = (await client.get("/v1/phone-numbers")).data
    (campaign,) = (await client.get("/v1/campaigns")).data
    (brand,) = (await client.get("/v1/brands")).data
    (agreed,) = (await client.get("/v1/consent")).data

    assert (number["number_type"], number["campaign_id"], number["label"]) == ("local", campaign["id"], "sandbox")
    assert (campaign["status"], campaign["brand_id"], campaign["monthly_fee"]) == ("ACTIVE", brand["id"], 0)
    assert (brand["status"], brand["identity_status"]) == ("ACTIVE", "VERIFIED")
    assert (agreed["contact_number"], agreed["phone_number_id"], agreed["opted_in"]) == (RECIPIENT, number["id"], True)
    assert (await client.get("/v1/billing/wallet")).data["balance_cents"] == 100_000


async def test_the_brand_that_it_begins_with_keeps_nobody_from_registering_one(
    floor: Floor, account: Account, settings: Settings
) -> None:
    client = await newcomer(floor, account, settings)

    own = await client.post("/v1/brands", dict(EXAMPLE))
    second = await client.post("/v1/brands", dict(EXAMPLE))

    assert own.status == 202
    assert (second.status, second.error["code"]) == (422, "RESELLER_REQUIRED")


async def test_the_job_twice_at_once_and_again_gives_one_number(
    floor: Floor, account: Account, settings: Settings
) -> None:
    job, arguments = beginning(settings, floor.wire), {"org_id": str(account.sandbox.org_id)}

    await asyncio.gather(*(job.begin(floor.db, arguments) for _ in range(4)))
    await job.begin(floor.db, arguments)

    assert await floor.db.value("SELECT count(*) FROM phone_numbers") == 1
    assert await floor.db.value("SELECT count(*) FROM brands WHERE is_starter") == 1
    assert await floor.db.value("SELECT count(*) FROM consents") == 1


async def test_a_simulator_that_is_away_is_asked_again_and_nothing_is_promised_before(
    floor: Floor, account: Account, settings: Settings
) -> None:
    floor.wire.is_down = True
    job, arguments = beginning(settings, floor.wire), {"org_id": str(account.sandbox.org_id)}

    answer = await job.begin(floor.db, arguments)
    promised = await floor.db.value("SELECT count(*) FROM phone_numbers")
    floor.wire.is_down = False

    assert (isinstance(answer, Snooze), promised) == (True, 0)
    assert isinstance(await job.begin(floor.db, arguments), Done)


async def test_two_sandboxes_that_would_take_one_number_get_two(
    floor: Floor, account: Account, stranger: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "candidates", lambda _org_id: ["+15005550001", "+15005550002"])

    for whose in (account, stranger):
        await newcomer(floor, whose, settings)

    held = await floor.db.all(str, "SELECT number FROM phone_numbers ORDER BY number")
    assert held == ["+15005550001", "+15005550002"]


async def test_the_operators_new_organization_gets_its_sandbox_number(
    floor: Floor, cells: Cells, settings: Settings
) -> None:
    made = await organizations.create_organization(cells, settings, name="New", cell="cell_00")

    await JobRunner(floor.db, beginning(settings, floor.wire).handlers()).run_due()

    numbers = (await Client(floor.api, made.sandbox_api_key).get("/v1/phone-numbers")).data
    assert [one["label"] for one in numbers] == ["sandbox"]
    assert (await Client(floor.api, made.api_key).get("/v1/phone-numbers")).data == []
