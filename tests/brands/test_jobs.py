"""The jobs of brands: one filing after any fault, state only by reads, one event for each change."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from agentmessage.brands import operations, queries, registry_results, rules
from agentmessage.brands.jobs import BrandJobs
from agentmessage.carriers.protocols import BrandFiling, RegisteredBrand, Unknown
from agentmessage.kernel.db import CellDb
from agentmessage.outbox.job_runner import Done, Snooze
from agentmessage.registration import filings
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.registration import SECRET_BOX, Registrar, approved_campaign, create_brand


async def read(api: Client, brand_id: str) -> Any:
    return (await api.get(f"/v1/brands/{brand_id}")).data


def ids_of(brand: Any) -> tuple[UUID, UUID]:
    return UUID(brand["org_id"]), UUID(brand["id"])


def keys_of(brand: Any) -> dict[str, str]:
    return {"org_id": brand["org_id"], "brand_id": brand["id"]}


async def test_a_brand_is_registered_then_verified_with_one_event_each(
    api: Client, account: Account, registrar: Registrar
) -> None:
    made = await create_brand(api, ein="12-3456789")

    await registrar.run()
    registered = await read(api, made["id"])
    await registrar.live(30)
    verified = await read(api, made["id"])

    assert (registered["status"], registered["identity_status"]) == ("ACTIVE", None)
    assert registered["tcr_brand_id"].startswith("B")
    assert registered["submitted_at"] is not None
    assert verified["identity_status"] == "VERIFIED"
    assert verified["verified_at"] is not None
    assert await registrar.event_types(account.org_id, "brand") == ["brand.created", "brand.updated", "brand.vetted"]
    filed = await registrar.registered("/brand", made["id"])
    assert (filed["ein"], filed["einIssuingCountry"]) == ("123456789", "US")
    assert await registrar.jobs("brands.check") == 0


@pytest.mark.parametrize(
    ("identity", "event"), [("VETTED_VERIFIED", "brand.vetted"), ("UNVERIFIED", "brand.vetting_failed")]
)
async def test_the_registry_decides_the_identity_of_a_brand(
    api: Client, account: Account, registrar: Registrar, identity: str, event: str
) -> None:
    made = await create_brand(api, display_name="Acme " + identity.removesuffix("_VERIFIED"))
    await registrar.live(30)

    brand = await read(api, made["id"])

    assert (brand["status"], brand["identity_status"]) == ("ACTIVE", identity)
    assert bool(brand["failure_reasons"]) == (identity == "UNVERIFIED")
    assert (await registrar.event_types(account.org_id, "brand"))[-1] == event


async def test_a_sole_proprietor_is_declared_and_read_again(api: Client, registrar: Registrar) -> None:
    names = {"first_name": "Ada", "last_name": "Lovelace", "mobile_phone": "+14155550123"}
    made = await create_brand(api, entity_type="SOLE_PROPRIETOR", **names)

    await registrar.live(30)

    assert (await read(api, made["id"]))["identity_status"] == "SELF_DECLARED"
    assert await registrar.jobs("brands.check") == 1


async def test_a_brand_that_could_not_be_verified_can_be_corrected(
    api: Client, account: Account, registrar: Registrar
) -> None:
    made = await create_brand(api, display_name="Acme FIXABLE")
    await registrar.live(30)
    before = await registrar.balance_cents(account.org_id)

    await api.patch(f"/v1/brands/{made['id']}", {"company_name": "Acme Dental LLC"})
    await registrar.live(30)

    brand = await read(api, made["id"])
    assert (brand["identity_status"], brand["failure_reasons"]) == ("VERIFIED", [])
    events = await registrar.event_types(account.org_id, "brand")
    assert events[2:] == ["brand.vetting_failed", "brand.updated", "brand.updated", "brand.vetted"]
    assert await registrar.balance_cents(account.org_id) == before


async def test_a_refused_brand_has_the_reason_and_is_filed_again_after_a_change(
    api: Client, account: Account, registrar: Registrar
) -> None:
    made = await create_brand(api, ein="00-0000004")
    await registrar.live(60)
    before = await registrar.balance_cents(account.org_id)
    refused = await read(api, made["id"])

    await api.patch(f"/v1/brands/{made['id']}", {"ein": "12-3456789"})
    await registrar.live(30)

    assert (refused["status"], refused["failure_reasons"]) == ("PENDING", ["ein ein is invalid"])
    assert await registrar.event_types(account.org_id, "brand") == [
        "brand.created",
        "brand.vetting_failed",
        "brand.updated",
        "brand.updated",
        "brand.vetted",
    ]
    assert await registrar.balance_cents(account.org_id) == before - 500
    assert (await read(api, made["id"]))["failure_reasons"] == []


@pytest.mark.parametrize(
    "fault", ["timeout_before", "timeout_after", "error_before", "error_after", "reset_after", "garbled"]
)
async def test_the_registry_has_a_brand_once_after_any_fault_of_the_filing(
    api: Client, registrar: Registrar, fault: str
) -> None:
    registrar.caller.line.control("faults", {"once": [{"fault": fault, "operation": "brands.create"}]})
    made = await create_brand(api)

    await registrar.live(60)

    assert (await read(api, made["id"]))["identity_status"] == "VERIFIED"
    await registrar.registered("/brand", made["id"])


async def test_a_brand_waits_while_the_registry_fails(api: Client, account: Account, registrar: Registrar) -> None:
    registrar.caller.line.control("faults", {"probabilities": {"error_before": 1.0}})
    made = await create_brand(api)
    await registrar.live(120)
    waiting = await read(api, made["id"])

    registrar.caller.line.control("reset", {})
    await registrar.live(60)

    assert (waiting["status"], waiting["failure_reasons"]) == ("PENDING", [])
    assert (await read(api, made["id"]))["identity_status"] == "VERIFIED"
    assert await registrar.event_types(account.org_id, "brand") == ["brand.created", "brand.updated", "brand.vetted"]


async def test_an_unparsed_response_is_stored(api: Client, registrar: Registrar, db: CellDb) -> None:
    registrar.caller.line.control("faults", {"once": [{"fault": "garbled", "operation": "brands.create"}]})
    await create_brand(api)

    await registrar.run()

    assert await db.value("SELECT raw FROM directory.unparsed_responses")
    assert await db.value("SELECT tcr_brand_id IS NULL FROM brands")


async def test_a_worker_that_died_after_filing_looks_the_brand_up(
    api: Client, registrar: Registrar, db: CellDb
) -> None:
    """The process ends between the registry's answer and the commit: nothing shows that the call was made."""
    made = await create_brand(api)
    async with db.transaction() as tx:
        _, brand = await filings.begin_filing(tx, queries, *ids_of(made))
    assert brand is not None
    jobs = BrandJobs({"live": registrar.caller.registry}, SECRET_BOX)
    await registrar.caller.registry.file_brand(rules.filing(brand, None))

    outcome = await jobs.file(db, keys_of(made))

    assert outcome == Done()
    assert (await read(api, made["id"]))["status"] == "ACTIVE"


async def test_a_brand_that_is_not_found_twice_is_filed(api: Client, registrar: Registrar, db: CellDb) -> None:
    """Killed after the intent was written and before the call: two misses mean that it was never made."""
    made = await create_brand(api)
    await db.run("UPDATE brands SET filed_at = $1", db.now)
    jobs = BrandJobs({"live": registrar.caller.registry}, SECRET_BOX)

    outcomes = [await jobs.file(db, keys_of(made)) for _ in range(3)]

    assert outcomes == [Snooze(2.0), Snooze(2.0), Done()]
    assert (await read(api, made["id"]))["status"] == "ACTIVE"


class Mute:
    """A registry at which every line breaks."""

    async def file_brand(self, *_: object) -> Unknown:
        return Unknown("the line broke")

    find_brand = file_brand


async def test_nothing_is_filed_again_while_the_outcome_is_unknown(api: Client, db: CellDb) -> None:
    made = await create_brand(api)
    jobs: Any = BrandJobs({"live": Mute()}, SECRET_BOX)  # type: ignore[dict-item]

    await jobs.file(db, keys_of(made))
    before = await db.value("SELECT filed_at FROM brands")
    for _ in range(5):
        await jobs.file(db, keys_of(made))

    assert await db.value("SELECT filed_at FROM brands") == before


async def test_running_every_job_again_changes_nothing(
    api: Client, account: Account, registrar: Registrar, db: CellDb
) -> None:
    made = await create_brand(api)
    await registrar.live(30)
    before, events = await read(api, made["id"]), await registrar.event_types(account.org_id, "brand")
    jobs = BrandJobs({"live": registrar.caller.registry}, SECRET_BOX)

    for job in (jobs.file, jobs.check, jobs.update, jobs.delete):
        assert await job(db, keys_of(made)) == Done()

    assert await read(api, made["id"]) == before
    assert await registrar.event_types(account.org_id, "brand") == events


async def test_a_callback_makes_the_next_read_due_now(api: Client, registrar: Registrar, db: CellDb) -> None:
    await registrar.subscribe()
    made = await create_brand(api)
    await registrar.run()
    await db.run("UPDATE jobs SET run_at = run_at + interval '1 day' WHERE kind = 'brands.check'")
    await registrar.live(10)
    before = await read(api, made["id"])

    known = await registrar.deliver()
    await registrar.run()

    assert before["identity_status"] is None
    assert known > 0
    assert (await read(api, made["id"]))["identity_status"] == "VERIFIED"


async def test_a_callback_about_an_unknown_brand_enqueues_nothing(db: CellDb, registrar: Registrar) -> None:
    assert await operations.hint(db, "BNOBODY") is False
    assert await registrar.jobs("brands.check") == 0


async def test_a_brand_deleted_during_its_filing_is_deleted_at_the_registry(
    api: Client, registrar: Registrar, db: CellDb
) -> None:
    """The registry's answer arrives after the customer has changed their mind."""
    registrar.caller.line.control("faults", {"once": [{"fault": "timeout_after", "operation": "brands.create"}]})
    made = await create_brand(api)
    await registrar.run()

    await api.delete(f"/v1/brands/{made['id']}")
    await registrar.live(20)

    assert await registrar.registered("/brand", made["id"]) is None
    assert (await read(api, made["id"]))["status"] == "DELETED"
    assert await db.value("SELECT count(*) FROM jobs WHERE kind LIKE 'brands.%'") == 0


class Interrupted:
    """A registry that answers a filing only after something else has happened."""

    def __init__(self, registry: Any, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self.registry = registry
        self.meanwhile = meanwhile

    async def file_brand(self, filing: BrandFiling) -> Any:
        await self.meanwhile()
        return await self.registry.file_brand(filing)


async def test_a_brand_registered_after_its_deletion_is_deleted_at_the_registry(
    api: Client, registrar: Registrar, db: CellDb
) -> None:
    """The deletion finds nothing at the registry, twice, and ends; the filing's answer comes later still."""
    made = await create_brand(api)
    jobs = BrandJobs({"live": registrar.caller.registry}, SECRET_BOX)

    async def delete() -> None:
        await api.delete(f"/v1/brands/{made['id']}")
        assert [await jobs.delete(db, keys_of(made)) for _ in range(2)] == [Snooze(2.0), Done()]
        await db.run("DELETE FROM jobs")

    slow: Any = Interrupted(registrar.caller.registry, delete)
    await BrandJobs({"live": slow}, SECRET_BOX).file(db, keys_of(made))
    await registrar.run()

    assert await registrar.registered("/brand", made["id"]) is None
    assert (await read(api, made["id"]))["status"] == "DELETED"


async def test_a_brand_deleted_before_it_was_filed_never_reaches_the_registry(
    api: Client, registrar: Registrar, db: CellDb
) -> None:
    made = await create_brand(api)
    await api.delete(f"/v1/brands/{made['id']}")

    await registrar.live(20)

    assert await registrar.registered("/brand", made["id"]) is None
    assert await db.value("SELECT count(*) FROM jobs WHERE kind LIKE 'brands.%'") == 0


async def test_a_change_during_the_filing_reaches_the_registry_afterwards(api: Client, registrar: Registrar) -> None:
    registrar.caller.line.control("faults", {"once": [{"fault": "timeout_after", "operation": "brands.create"}]})
    made = await create_brand(api, city="Oakland")
    await registrar.run()

    await api.patch(f"/v1/brands/{made['id']}", {"city": "Berkeley"})
    await registrar.live(20)

    assert (await registrar.registered("/brand", made["id"]))["city"] == "Berkeley"


async def test_a_brand_is_deleted_at_the_registry_once_its_campaign_has_ended_there(
    api: Client, registrar: Registrar, db: CellDb
) -> None:
    """Both ended here in one breath; over there the deletion comes first and is refused."""
    campaign = await approved_campaign(api, registrar)
    await api.delete(f"/v1/campaigns/{campaign['id']}")
    await api.delete(f"/v1/brands/{campaign['brand_id']}")
    jobs = BrandJobs({"live": registrar.caller.registry}, SECRET_BOX)

    first = await jobs.delete(db, {"org_id": campaign["org_id"], "brand_id": campaign["brand_id"]})
    await registrar.live(20)

    assert first == Snooze(10.0)
    assert await registrar.registered("/brand", campaign["brand_id"]) is None


async def test_only_the_registry_gets_the_tax_id(api: Client, registrar: Registrar, db: CellDb) -> None:
    await create_brand(api, ein="98-7654321")
    await registrar.live(30)

    for table in ("brands", "events", "jobs", "audit_log", "idempotency_keys"):
        text: str = await db.value(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")  # type: ignore[arg-type]  # noqa: S608
        assert "7654321" not in text, table


async def test_a_registered_brand_is_recorded_once(db: CellDb, api: Client, registrar: Registrar) -> None:
    """Two workers that both received the answer: the second changes nothing."""
    made = await create_brand(api)
    await registrar.run()
    brand = await db.one(lambda *row: row, "SELECT tcr_brand_id, submitted_at FROM brands")
    async with db.transaction() as tx:
        stored = await queries.find(tx, *ids_of(made))
        assert stored is not None
        await registry_results.record_registered(tx, stored, RegisteredBrand("BOTHER1", "", None), revision=1)

    assert await db.one(lambda *row: row, "SELECT tcr_brand_id, submitted_at FROM brands") == brand
