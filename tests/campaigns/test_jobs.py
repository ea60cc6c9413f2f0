"""The jobs of campaigns: one filing after any fault, one event for each change, one charge for each month."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage.campaigns import operations, registry_results
from agentmessage.campaigns.jobs import CampaignJobs
from agentmessage.carriers.protocols import Accepted, CampaignFiling, RegisteredCampaign
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.tenant import operator
from agentmessage.outbox.job_runner import Done, Snooze
from tests.conftest import Client
from tests.make.accounts import Account, open_account
from tests.make.registration import CAMPAIGN, Registrar, approved_campaign, create_campaign, verified_brand

APPROVED = ["campaign.created", "campaign.shared", "campaign.approved"]


async def read(api: Client, campaign_id: str) -> Any:
    return (await api.get(f"/v1/campaigns/{campaign_id}")).data


def ids_of(campaign: Any) -> tuple[UUID, UUID]:
    return UUID(campaign["org_id"]), UUID(campaign["id"])


def keys_of(campaign: Any) -> dict[str, str]:
    return {"org_id": campaign["org_id"], "campaign_id": campaign["id"]}


def described(word: str) -> str:
    """A description with a magic word of the simulator's."""
    return f"{CAMPAIGN['description']} {word}"


async def test_a_campaign_is_shared_and_approved_with_one_event_each(
    api: Client, account: Account, registrar: Registrar
) -> None:
    campaign = await approved_campaign(api, registrar)

    assert campaign["tcr_campaign_id"].startswith("C")
    assert campaign["submitted_at"] is not None
    assert set(campaign["mno_metadata"]) == {"10017", "10035", "10036", "10038"}
    assert campaign["mno_metadata"]["10017"]["tpm"] == 240
    assert campaign["next_renewal_or_expiration_date"] == "2026-08-01"
    assert await registrar.event_types(account.org_id, "campaign") == APPROVED
    filed = await registrar.registered("/campaign", campaign["id"])
    assert (filed["usecase"], filed["messageFlow"]) == (CAMPAIGN["usecase"], CAMPAIGN["message_flow"])
    assert (filed["numberPool"], filed["autoRenewal"]) == (False, True)


async def test_a_low_volume_mixed_campaign_is_the_registrys_low_volume(api: Client, registrar: Registrar) -> None:
    campaign = await approved_campaign(api, registrar, usecase="LOW_VOLUME_MIXED", sub_usecases=["2FA", "MARKETING"])

    filed = await registrar.registered("/campaign", campaign["id"])
    assert (filed["usecase"], filed["subUsecases"]) == ("LOW_VOLUME", ["2FA", "MARKETING"])
    assert campaign["usecase"] == "LOW_VOLUME_MIXED"


@pytest.mark.parametrize("word", ["DECLINED", "REJECTED"])
async def test_a_rejected_campaign_has_the_reasons_and_its_month_is_refunded(
    api: Client, account: Account, registrar: Registrar, word: str
) -> None:
    brand = await verified_brand(api, registrar)
    before = await registrar.balance_cents(account.org_id)
    made = await create_campaign(api, brand["id"], description=described(word))

    await registrar.live(30)

    campaign = await read(api, made["id"])
    assert (campaign["status"], len(campaign["rejection_reasons"])) == ("REJECTED", 1)
    assert campaign["rejected_at"] is not None
    assert (await registrar.event_types(account.org_id, "campaign"))[-1] == "campaign.rejected"
    assert await registrar.balance_cents(account.org_id) == before
    assert await registrar.jobs("campaigns.check") == 0


async def test_a_filing_that_the_registry_refuses_is_a_rejection(
    api: Client, account: Account, registrar: Registrar
) -> None:
    """The registry has lost the brand: nothing that we could wait for."""
    brand = await verified_brand(api, registrar)
    await registrar.caller.registry.delete_brand(brand["tcr_brand_id"])
    before = await registrar.balance_cents(account.org_id)
    made = await create_campaign(api, brand["id"])

    await registrar.run()

    campaign = await read(api, made["id"])
    assert (campaign["status"], campaign["rejection_reasons"]) == ("REJECTED", ["brandId Brand not found"])
    assert await registrar.event_types(account.org_id, "campaign") == ["campaign.created", "campaign.rejected"]
    assert await registrar.balance_cents(account.org_id) == before


async def test_a_suspended_campaign_is_resumed_with_one_event_each(
    api: Client, account: Account, registrar: Registrar
) -> None:
    await registrar.subscribe()
    campaign = await approved_campaign(api, registrar)
    path = f"campaigns/{campaign['tcr_campaign_id']}"

    registrar.caller.line.control(path, {"status": "SUSPENDED"})
    await registrar.live(5)
    await registrar.deliver()
    await registrar.run()
    suspended = await read(api, campaign["id"])
    registrar.caller.line.control(path, {"status": "ACTIVE"})
    await registrar.live(5)
    await registrar.deliver()
    await registrar.run()
    resumed = await read(api, campaign["id"])

    assert (suspended["status"], suspended["is_suspended"]) == ("ACTIVE", True)
    assert (resumed["status"], resumed["is_suspended"]) == ("ACTIVE", False)
    assert await registrar.event_types(account.org_id, "campaign") == [
        *APPROVED,
        "campaign.suspended",
        "campaign.resumed",
    ]


async def test_a_suspension_without_a_callback_is_found_within_the_hour(
    api: Client, account: Account, registrar: Registrar
) -> None:
    campaign = await approved_campaign(api, registrar)
    registrar.caller.line.control(f"campaigns/{campaign['tcr_campaign_id']}", {"status": "SUSPENDED"})

    await registrar.live(3600, step_s=300)

    assert (await read(api, campaign["id"]))["is_suspended"] is True
    assert (await registrar.event_types(account.org_id, "campaign"))[-1] == "campaign.suspended"


async def test_an_expired_campaign_stays_expired(api: Client, account: Account, registrar: Registrar) -> None:
    await registrar.subscribe()
    campaign = await approved_campaign(api, registrar)
    path = f"campaigns/{campaign['tcr_campaign_id']}"
    registrar.caller.line.control(path, {"status": "EXPIRED"})
    await registrar.live(5)
    await registrar.deliver()
    await registrar.run()
    expired = await read(api, campaign["id"])

    registrar.caller.line.control(path, {"status": "ACTIVE"})
    await operations.hint(registrar.db, campaign["tcr_campaign_id"])
    await registrar.live(5)

    assert (expired["status"], expired["next_renewal_or_expiration_date"]) == ("EXPIRED", None)
    assert await read(api, campaign["id"]) == expired
    assert await registrar.event_types(account.org_id, "campaign") == [*APPROVED, "campaign.expired"]
    assert await registrar.jobs("campaigns.check") == 0


@pytest.mark.parametrize(
    "fault", ["timeout_before", "timeout_after", "error_before", "error_after", "reset_after", "garbled"]
)
@pytest.mark.parametrize("operation", ["campaigns.create", "campaigns.share"])
async def test_the_registry_has_a_campaign_once_after_any_fault_of_the_filing(
    api: Client, registrar: Registrar, fault: str, operation: str
) -> None:
    brand = await verified_brand(api, registrar)
    registrar.caller.line.control("faults", {"once": [{"fault": fault, "operation": operation}]})
    made = await create_campaign(api, brand["id"])

    await registrar.live(90)

    assert (await read(api, made["id"]))["status"] == "ACTIVE"
    assert (await registrar.registered("/campaign", made["id"]))["status"] == "ACTIVE"


async def test_a_campaign_is_approved_after_temporary_faults(
    api: Client, account: Account, registrar: Registrar
) -> None:
    brand = await verified_brand(api, registrar)
    chances = dict.fromkeys(("timeout_before", "timeout_after", "error_before", "error_after", "garbled"), 0.15)
    registrar.caller.line.control("faults", {"probabilities": chances})
    made = await create_campaign(api, brand["id"])
    await registrar.live(60)

    registrar.caller.line.control("reset", {})
    await registrar.live(120)

    assert (await read(api, made["id"]))["status"] == "ACTIVE"
    assert await registrar.event_types(account.org_id, "campaign") == APPROVED
    await registrar.registered("/campaign", made["id"])


async def test_a_worker_that_died_after_filing_looks_the_campaign_up(
    api: Client, registrar: Registrar, db: CellDb
) -> None:
    brand = await verified_brand(api, registrar)
    made = await create_campaign(api, brand["id"])
    registrar.caller.line.control("faults", {"once": [{"fault": "timeout_after", "operation": "campaigns.create"}]})
    jobs = CampaignJobs({"live": registrar.caller.registry}, recheck_s=60)

    outcomes = [await jobs.file(db, keys_of(made)) for _ in range(2)]

    assert outcomes == [Snooze(2.0), Done()]
    assert (await registrar.registered("/campaign", made["id"]))["campaignId"]


async def test_a_campaign_that_is_not_found_twice_is_filed(api: Client, registrar: Registrar, db: CellDb) -> None:
    """Killed after the intent was written and before the call."""
    brand = await verified_brand(api, registrar)
    made = await create_campaign(api, brand["id"])
    await db.run("UPDATE campaigns SET filed_at = $1", db.now)
    jobs = CampaignJobs({"live": registrar.caller.registry}, recheck_s=60)

    outcomes = [await jobs.file(db, keys_of(made)) for _ in range(3)]

    assert outcomes == [Snooze(2.0), Snooze(2.0), Done()]
    assert (await read(api, made["id"]))["tcr_campaign_id"] is not None


async def test_a_campaign_deactivated_during_its_filing_ends_at_the_registry(
    api: Client, account: Account, registrar: Registrar
) -> None:
    brand = await verified_brand(api, registrar)
    before = await registrar.balance_cents(account.org_id)
    registrar.caller.line.control("faults", {"once": [{"fault": "timeout_after", "operation": "campaigns.create"}]})
    made = await create_campaign(api, brand["id"])
    await registrar.run()

    await api.delete(f"/v1/campaigns/{made['id']}")
    await registrar.live(20)

    assert (await registrar.registered("/campaign", made["id"]))["status"] == "EXPIRED"
    assert (await read(api, made["id"]))["status"] == "EXPIRED"
    assert await registrar.balance_cents(account.org_id) == before


class Interrupted:
    """A registry that answers a filing only after something else has happened."""

    def __init__(self, registry: Any, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self.registry = registry
        self.meanwhile = meanwhile

    async def file_campaign(self, filing: CampaignFiling) -> Any:
        await self.meanwhile()
        return await self.registry.file_campaign(filing)


async def test_a_campaign_registered_after_its_deactivation_ends_at_the_registry(
    api: Client, registrar: Registrar, db: CellDb
) -> None:
    """The deactivation finds nothing at the registry, twice, and ends; the filing's answer comes later still."""
    brand = await verified_brand(api, registrar)
    made = await create_campaign(api, brand["id"])
    jobs = CampaignJobs({"live": registrar.caller.registry}, recheck_s=60)

    async def deactivate() -> None:
        await api.delete(f"/v1/campaigns/{made['id']}")
        assert [await jobs.deactivate(db, keys_of(made)) for _ in range(2)] == [Snooze(2.0), Done()]
        await db.run("DELETE FROM jobs")

    slow: Any = Interrupted(registrar.caller.registry, deactivate)
    await CampaignJobs({"live": slow}, recheck_s=60).file(db, keys_of(made))
    await registrar.run()

    assert (await registrar.registered("/campaign", made["id"]))["status"] == "EXPIRED"


async def test_a_campaign_deactivated_before_it_was_filed_never_reaches_the_registry(
    api: Client, account: Account, registrar: Registrar
) -> None:
    brand = await verified_brand(api, registrar)
    before = await registrar.balance_cents(account.org_id)
    made = await create_campaign(api, brand["id"])
    await api.delete(f"/v1/campaigns/{made['id']}")

    await registrar.live(20)

    assert await registrar.registered("/campaign", made["id"]) is None
    assert await registrar.balance_cents(account.org_id) == before


async def test_running_every_job_again_changes_nothing(
    api: Client, account: Account, registrar: Registrar, db: CellDb
) -> None:
    campaign = await approved_campaign(api, registrar)
    events, cents = (
        await registrar.event_types(account.org_id, "campaign"),
        await registrar.balance_cents(account.org_id),
    )
    jobs = CampaignJobs({"live": registrar.caller.registry}, recheck_s=60)

    for job in (jobs.file, jobs.check, jobs.deactivate, jobs.renew, jobs.check):
        await job(db, keys_of(campaign))

    assert await read(api, campaign["id"]) == campaign
    assert await registrar.event_types(account.org_id, "campaign") == events
    assert await registrar.balance_cents(account.org_id) == cents


async def test_every_month_is_charged_once_on_its_day_also_after_an_outage(
    api: Client, account: Account, registrar: Registrar, db: CellDb
) -> None:
    """No worker runs for two months and a half; then two months are charged, and the third on its day."""
    campaign = await approved_campaign(api, registrar)
    before = await registrar.balance_cents(account.org_id)
    jobs = CampaignJobs({"live": registrar.caller.registry}, recheck_s=60)

    registrar.clock.moment += timedelta(days=75)
    outcomes = [await jobs.renew(db, keys_of(campaign)) for _ in range(4)]
    after_outage = await registrar.balance_cents(account.org_id)
    registrar.clock.moment += timedelta(days=17)
    await jobs.renew(db, keys_of(campaign))

    assert outcomes[0] == Snooze(0.0)
    assert after_outage == before - 2000
    assert await registrar.balance_cents(account.org_id) == before - 3000
    assert (await read(api, campaign["id"]))["next_renewal_or_expiration_date"] == "2026-11-01"
    assert await db.value("SELECT count(*) FROM usage_rows WHERE kind = 'campaign_month'") == 4


async def test_a_renewal_is_not_stopped_by_an_empty_wallet(app: Any, cells: Cells, registrar: Registrar) -> None:
    account = await open_account(cells, cents=1500)
    api = Client(app, account.key)
    campaign = await approved_campaign(api, registrar)

    registrar.clock.moment += timedelta(days=32)
    await registrar.run()

    assert await registrar.balance_cents(account.org_id) == -1000
    assert (await read(api, campaign["id"]))["status"] == "ACTIVE"


async def test_an_expired_campaign_is_not_charged(api: Client, account: Account, registrar: Registrar) -> None:
    campaign = await approved_campaign(api, registrar)
    await api.delete(f"/v1/campaigns/{campaign['id']}")
    before = await registrar.balance_cents(account.org_id)

    registrar.clock.moment += timedelta(days=40)
    await registrar.run()

    assert await registrar.balance_cents(account.org_id) == before
    assert await registrar.jobs("campaigns.renew") == 0


class Saying:
    """A registry with given answers, in any order."""

    def __init__(self, *statuses: str, is_shared: bool = True) -> None:
        self.statuses = list(statuses)
        self.is_shared = is_shared

    async def read_campaign(self, tcr_campaign_id: str) -> Accepted[RegisteredCampaign]:
        seen = RegisteredCampaign(tcr_campaign_id, "", self.statuses.pop(0), self.is_shared, {}, ("no",))
        return Accepted(seen)


async def test_a_successful_appeal_reactivates_and_charges_a_campaign(
    api: Client, account: Account, registrar: Registrar, db: CellDb
) -> None:
    brand = await verified_brand(api, registrar)
    made = await create_campaign(api, brand["id"])
    await registrar.run()
    before = await registrar.balance_cents(account.org_id)
    jobs = CampaignJobs({"live": Saying("REJECTED", "ACTIVE")}, recheck_s=60)  # type: ignore[dict-item]

    await jobs.check(db, keys_of(made))
    refunded = await registrar.balance_cents(account.org_id)
    await jobs.check(db, keys_of(made))

    campaign = await read(api, made["id"])
    assert refunded == before + 1000
    assert (campaign["status"], campaign["rejection_reasons"], campaign["rejected_at"]) == ("ACTIVE", [], None)
    assert await registrar.balance_cents(account.org_id) == before
    assert (await registrar.event_types(account.org_id, "campaign"))[-2:] == ["campaign.rejected", "campaign.approved"]


async def test_a_campaign_is_registered_once(api: Client, registrar: Registrar, db: CellDb) -> None:
    """Two workers that both received an answer: the second changes nothing."""
    campaign = await approved_campaign(api, registrar)
    async with db.transaction() as tx:
        org_id, campaign_id = ids_of(campaign)
        stored = await operations.get(tx, operator(org_id, "cell_00", "live"), campaign_id)
        seen = RegisteredCampaign("COTHER1", "", "PENDING", is_shared=True, mno_metadata={})
        await registry_results.record_registered(tx, stored, seen)

    assert await read(api, campaign["id"]) == campaign
