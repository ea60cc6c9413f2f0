"""Campaigns over HTTP: every status, every charge, every event."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from agentmessage.campaigns import operations
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, open_account
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.make.registration import CAMPAIGN, Registrar, approved_campaign, create_campaign

RESOURCE_KEYS = {
    "id", "org_id", "brand_id", "tcr_campaign_id", "status", "is_suspended", "usecase", "sub_usecases", "description",
    "message_flow", "sample1", "sample2", "sample3", "sample4", "sample5", "optin_keywords", "optin_message",
    "optout_keywords", "optout_message", "help_keywords", "help_message", "privacy_policy_link",
    "terms_and_conditions_link", "embedded_link_sample", "embedded_link", "embedded_phone", "terms_and_conditions",
    "number_pool", "age_gated", "direct_lending", "subscriber_optin", "subscriber_optout", "subscriber_help",
    "number_cap", "mno_metadata", "monthly_fee", "submitted_at", "billed_date", "next_renewal_or_expiration_date",
    "expiration_date", "rejection_reasons", "rejected_at", "created_at", "updated_at",
}  # fmt: skip
WHOLE = {
    **CAMPAIGN,
    "usecase": "MIXED",
    "sub_usecases": ["2FA", "CUSTOMER_CARE"],
    "sample2": "Acme Dental: your code is 123456. It is good for ten minutes.",
    "optin_keywords": "START,JOIN",
    "optin_message": "Acme Dental: you are in. Reply HELP for help, STOP to opt out.",
    "optout_keywords": "STOP,UNSUBSCRIBE",
    "optout_message": "Acme Dental: you are unsubscribed and get no more messages.",
    "help_keywords": "HELP",
    "help_message": "Acme Dental: write to help@acme.example or reply STOP.",
    "privacy_policy_link": "https://acme.example/privacy",
    "terms_and_conditions_link": "https://acme.example/terms",
    "embedded_link_sample": "https://acme.example/a/1",
    "embedded_link": True,
    "number_pool": True,
    "subscriber_optin": True,
    "subscriber_optout": True,
    "subscriber_help": True,
    "terms_and_conditions": True,
}


@pytest.fixture
async def brand_id(db: CellDb, account: Account) -> UUID:
    """A verified brand."""
    return await insert_brand(db, account.org_id)


async def insert_number(db: CellDb, org_id: UUID, campaign_id: UUID) -> UUID:
    """A number whose desired campaign is given."""
    number_id = new_id()
    await db.run(
        """INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, campaign_id, generation,
                                      desired_at, created_at, updated_at)
           VALUES ($1, $2, 'live', $3, 'local', 'assigned', $4, 1, $5, $5, $5)""",
        number_id,
        org_id,
        f"+1415555{int(number_id.hex[-3:], 16):04d}",
        campaign_id,
        db.now,
    )
    return number_id


@pytest.mark.covers("createCampaign", 202)
async def test_202_a_campaign_is_accepted_with_every_field_and_paid_for_a_month(
    api: Client, account: Account, brand_id: UUID, registrar: Registrar
) -> None:
    before = await registrar.balance_cents(account.org_id)

    answer = await api.post("/v1/campaigns", {**WHOLE, "brand_id": str(brand_id)})

    campaign = answer.data
    assert answer.status == 202
    assert set(campaign) == RESOURCE_KEYS
    assert {name: campaign[name] for name in WHOLE} == WHOLE
    assert (campaign["status"], campaign["tcr_campaign_id"], campaign["mno_metadata"]) == ("PENDING", None, {})
    assert (campaign["number_cap"], campaign["monthly_fee"]) == (5000, 10)
    assert await registrar.balance_cents(account.org_id) == before - 1000
    assert await registrar.event_types(account.org_id, "campaign") == ["campaign.created"]
    assert await registrar.jobs("campaigns.file") == 1


@pytest.mark.covers("createCampaign", 202)
@pytest.mark.parametrize(
    ("changes", "cents", "cap"),
    [
        ({}, 1000, 49),
        ({"usecase": "LOW_VOLUME", "sub_usecases": ["2FA"]}, 150, 49),
        ({"usecase": "LOW_VOLUME_MIXED", "sub_usecases": ["2FA"]}, 150, 49),
        ({"usecase": "AGENTS_FRANCHISES", "number_pool": True}, 3000, 5000),
    ],
)
async def test_202_the_use_case_sets_the_fee_and_the_number_of_numbers(
    api: Client, brand_id: UUID, changes: Mapping[str, Any], cents: int, cap: int
) -> None:
    campaign = await create_campaign(api, brand_id, **changes)

    assert (campaign["monthly_fee"], campaign["number_cap"]) == (cents / 100, cap)


@pytest.mark.covers("createCampaign", 402)
async def test_402_without_enough_credit_no_campaign_is_stored(app: Any, cells: Cells, db: CellDb) -> None:
    poor = await open_account(cells, cents=999)
    brand_id = await insert_brand(db, poor.org_id)

    answer = await Client(app, poor.key).post("/v1/campaigns", {**CAMPAIGN, "brand_id": str(brand_id)})

    assert (answer.status, answer.error["code"]) == (402, "INSUFFICIENT_CREDIT")
    assert await db.value("SELECT count(*) FROM campaigns") == 0


@pytest.mark.covers("createCampaign", 404)
async def test_404_the_brand_must_be_the_organizations_own(api: Client, stranger: Account, db: CellDb) -> None:
    theirs = await insert_brand(db, stranger.org_id)

    answers = [await api.post("/v1/campaigns", {**CAMPAIGN, "brand_id": str(some)}) for some in (theirs, NOWHERE)]

    assert [answer.status for answer in answers] == [404, 404]
    assert len({answer.error["message"] for answer in answers}) == 1


@pytest.mark.covers("createCampaign", 409)
@pytest.mark.parametrize(
    "brand",
    [
        {"identity_status": None, "status": "PENDING"},
        {"identity_status": None},
        {"identity_status": "UNVERIFIED"},
        {"identity_status": "SELF_DECLARED"},
        {"status": "DELETED"},
    ],
)
async def test_409_the_brand_must_be_verified(
    api: Client, account: Account, db: CellDb, brand: Mapping[str, Any]
) -> None:
    brand_id = await insert_brand(db, account.org_id, **brand)

    answer = await api.post("/v1/campaigns", {**CAMPAIGN, "brand_id": str(brand_id)})

    assert (answer.status, answer.error["code"]) == (409, "BRAND_NOT_VERIFIED")


@pytest.mark.covers("createCampaign", 409)
async def test_409_a_sole_proprietor_has_one_campaign_at_a_time(api: Client, account: Account, db: CellDb) -> None:
    brand_id = await insert_brand(db, account.org_id, entity_type="SOLE_PROPRIETOR")
    body = {**CAMPAIGN, "brand_id": str(brand_id), "usecase": "SOLE_PROPRIETOR"}

    answers = await asyncio.gather(*(api.post("/v1/campaigns", body) for _ in range(3)))

    assert sorted(answer.status for answer in answers) == [202, 409, 409]
    kept = next(answer.data for answer in answers if answer.status == 202)
    assert {answer.error["code"] for answer in answers if answer.status == 409} == {"SOLE_PROPRIETOR_LIMIT"}
    assert kept["number_cap"] == 1
    await api.delete(f"/v1/campaigns/{kept['id']}")
    assert (await api.post("/v1/campaigns", body)).status == 202


FAULTS: list[tuple[Mapping[str, Any], Mapping[str, str]]] = [
    (
        {"usecase": "SPAM", "description": "short", "message_flow": "x" * 2049, "sample1": "tiny"},
        {
            "usecase": "must be one of the registry's use cases, such as MARKETING",
            "description": "must be 40..4096 characters",
            "message_flow": "must be 40..2048 characters",
            "sample1": "must be 20..1024 characters",
        },
    ),
    (
        {
            "sample1": None, "usecase": "MIXED", "sub_usecases": ["2FA"],
            "subscriber_optout": True, "subscriber_help": True,
        },
        {
            "sample1": "is required: at least one of sample1..sample5",
            "sub_usecases": "must be 2..5 for MIXED",
            "optout_keywords": "is required with subscriber_optout",
            "help_keywords": "is required with subscriber_help",
        },
    ),
    ({"sub_usecases": ["2FA"]}, {"sub_usecases": "must be left out"}),
    ({"usecase": "MIXED", "sub_usecases": ["2FA", "2FA"]}, {"sub_usecases": "must be distinct"}),
    ({"usecase": "LOW_VOLUME"}, {"sub_usecases": "must be 1..5 for LOW_VOLUME"}),
    ({"usecase": "SOLE_PROPRIETOR"}, {"usecase": "must not be SOLE_PROPRIETOR for this brand"}),
    (
        {"optout_keywords": "STOP, END", "help_message": "help", "privacy_policy_link": "ftp://acme.example"},
        {
            "optout_keywords": "must be keywords separated by commas without spaces, at most 320 characters",
            "help_message": "must be 20..320 characters",
            "privacy_policy_link": "must be an http or https URL of at most 255 characters, without user and password",
        },
    ),
    ({"brand_id": "acme"}, {"brand_id": "must be a UUID"}),
    ({"message_flow": "\x00" * 50}, {"message_flow": "must be 40..2048 characters"}),
]  # fmt: skip


@pytest.mark.covers("createCampaign", 422)
@pytest.mark.parametrize(("changes", "details"), FAULTS)
async def test_422_every_invalid_field_is_named(
    api: Client, brand_id: UUID, changes: Mapping[str, Any], details: Mapping[str, str]
) -> None:
    answer = await api.post("/v1/campaigns", {**CAMPAIGN, "brand_id": str(brand_id), **changes})

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert answer.error["details"] == details


async def test_a_sole_proprietors_brand_has_only_its_own_use_case(api: Client, account: Account, db: CellDb) -> None:
    brand_id = await insert_brand(db, account.org_id, entity_type="SOLE_PROPRIETOR")

    answer = await api.post("/v1/campaigns", {**CAMPAIGN, "brand_id": str(brand_id)})

    assert (answer.status, set(answer.error["details"])) == (422, {"usecase"})


@pytest.mark.parametrize("sample", ["sample2", "sample5"])
async def test_any_of_the_five_samples_is_enough(api: Client, brand_id: UUID, sample: str) -> None:
    campaign = await create_campaign(api, brand_id, **{"sample1": None, sample: CAMPAIGN["sample1"]})

    assert (campaign["sample1"], campaign[sample]) == (None, CAMPAIGN["sample1"])


@pytest.mark.covers("getCampaign", 200, 404)
async def test_200_and_404_a_campaign_can_be_read_by_its_organization_only(
    app: Any, api: Client, stranger: Account, brand_id: UUID
) -> None:
    made = await create_campaign(api, brand_id)

    mine = await api.get(f"/v1/campaigns/{made['id']}")
    theirs = await Client(app, stranger.key).get(f"/v1/campaigns/{made['id']}")
    nothing = await api.get(f"/v1/campaigns/{NOWHERE}")

    assert (mine.status, mine.data) == (200, made)
    assert (theirs.status, nothing.status) == (404, 404)
    assert {**theirs.error, "request_id": ""} == {**nothing.error, "request_id": ""}


@pytest.mark.covers("listCampaigns", 200)
async def test_200_the_list_is_newest_first_and_its_pages_neither_skip_nor_repeat(
    api: Client, account: Account, db: CellDb, brand_id: UUID
) -> None:
    moment = db.now
    made = [
        await insert_campaign(db, account.org_id, brand_id=brand_id, created_at=moment, activated_at=None)
        for _ in range(7)
    ]

    seen: list[str] = []
    cursor = ""
    while True:
        page = await api.get(f"/v1/campaigns?limit=3{cursor}")
        assert page.json["meta"]["next_cursor"] is None
        assert page.json["meta"]["total"] == 0  # as the reference prints it: only `offset` counts
        seen += [campaign["id"] for campaign in page.data]
        if "x-next-cursor" not in page.headers:
            break
        cursor = f"&cursor={page.headers['x-next-cursor']}"

    assert seen == sorted(map(str, made), reverse=True)


@pytest.mark.covers("listCampaigns", 200)
async def test_200_filters_combine_and_an_offset_counts(
    api: Client, account: Account, stranger: Account, db: CellDb, brand_id: UUID
) -> None:
    made = [str(await insert_campaign(db, account.org_id, brand_id=brand_id)) for _ in range(3)]
    await insert_campaign(db, account.org_id)
    await insert_campaign(db, account.org_id, brand_id=brand_id, status="EXPIRED")
    await insert_campaign(db, stranger.org_id)

    page = await api.get(f"/v1/campaigns?brand_id={brand_id}&status=ACTIVE&limit=1&offset=2")

    assert [campaign["id"] for campaign in page.data] == [made[0]]
    assert page.json["meta"] == {"total": 3, "limit": 1, "offset": 2, "next_cursor": None, "last_event_at": None}


@pytest.mark.covers("listCampaigns", 422)
@pytest.mark.parametrize(
    ("query", "field"),
    [("status=DEAD", "status"), ("brand_id=acme", "brand_id"), ("limit=101", "limit"), ("cursor=x", "cursor")],
)
async def test_422_an_invalid_query(api: Client, query: str, field: str) -> None:
    answer = await api.get(f"/v1/campaigns?{query}")

    assert (answer.status, set(answer.error["details"])) == (422, {field})


@pytest.mark.covers("deactivateCampaign", 200)
async def test_200_a_campaign_is_deactivated_once_here_and_at_the_registry(
    api: Client, account: Account, registrar: Registrar
) -> None:
    made = await approved_campaign(api, registrar)

    first = await api.delete(f"/v1/campaigns/{made['id']}")
    again = await api.delete(f"/v1/campaigns/{made['id']}")
    await registrar.run()

    assert (first.status, first.data["status"]) == (200, "EXPIRED")
    assert first.data["expiration_date"] == "2026-07-01"
    assert (again.status, again.data) == (200, first.data)
    assert (await registrar.event_types(account.org_id, "campaign")).count("campaign.expired") == 1
    assert (await registrar.registered("/campaign", made["id"]))["status"] == "EXPIRED"


@pytest.mark.covers("deactivateCampaign", 404, 422)
async def test_404_and_422_reject_a_deactivation(api: Client, stranger: Account, db: CellDb) -> None:
    theirs = await insert_campaign(db, stranger.org_id)

    answers = [await api.delete(f"/v1/campaigns/{some}") for some in (theirs, uuid4())]
    senseless = await api.delete(f"/v1/campaigns/{theirs}?detach_numbers=perhaps")

    assert [answer.status for answer in answers] == [404, 404]
    assert (senseless.status, set(senseless.error["details"])) == (422, {"detach_numbers"})


@pytest.mark.covers("deactivateCampaign", 409)
async def test_409_a_campaign_with_numbers_is_deactivated_only_if_they_may_be_detached(
    api: Client, account: Account, db: CellDb, registrar: Registrar
) -> None:
    campaign_id = await insert_campaign(db, account.org_id)
    await insert_number(db, account.org_id, campaign_id)

    refused = await api.delete(f"/v1/campaigns/{campaign_id}")
    still = (await api.get(f"/v1/campaigns/{campaign_id}")).data
    done = await api.delete(f"/v1/campaigns/{campaign_id}?detach_numbers=true")

    assert (refused.status, refused.error["code"]) == (409, "CAMPAIGN_HAS_NUMBERS")
    assert refused.error["details"] == {"number_count": "1"}
    assert still["status"] == "ACTIVE"
    assert (done.status, done.data["status"]) == (200, "EXPIRED")
    assert await registrar.jobs("numbers.detach_campaign") == 1
    arguments = await db.value("SELECT arguments FROM jobs WHERE kind = 'numbers.detach_campaign'")
    assert arguments["campaign_id"] == str(campaign_id)
    assert arguments["actor_label"] == f"api_key:{account.key_id} (test)"


async def test_a_concurrent_attach_delays_a_deactivation(api: Client, account: Account, db: CellDb) -> None:
    """An attach locks the campaign until the commit, so the deactivation counts the new number."""
    campaign_id = await insert_campaign(db, account.org_id)
    async with db.transaction() as tx:
        held = await operations.lock_for_binding(tx, account.tenant, campaign_id)
        deactivating = asyncio.create_task(api.delete(f"/v1/campaigns/{campaign_id}"))
        await waiting_for_a_lock(db)
        assert held is not None
        assert not deactivating.done()
        await tx.run(
            """INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, campaign_id, generation,
                                          desired_at, created_at, updated_at)
               VALUES ($1, $2, 'live', '+14155550100', 'local', 'assigned', $3, 1, $4, $4, $4)""",
            new_id(),
            account.org_id,
            campaign_id,
            tx.now,
        )

    assert (await deactivating).error["code"] == "CAMPAIGN_HAS_NUMBERS"


async def waiting_for_a_lock(db: CellDb) -> None:
    """Until some statement of this database waits for a row."""
    async with asyncio.timeout(10):
        while not await db.value(  # noqa: ASYNC110 - nothing of this process waits, so there is no event to await
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)


async def test_every_action_on_a_campaign_is_audited(api: Client, db: CellDb, brand_id: UUID) -> None:
    made = await create_campaign(api, brand_id)
    await api.delete(f"/v1/campaigns/{made['id']}")

    rows = await db.all(
        lambda *row: row,
        "SELECT action, resource_id FROM audit_log WHERE resource_type = 'campaign' ORDER BY id",
    )

    assert rows == [("campaign.create", made["id"]), ("campaign.deactivate", made["id"])]
