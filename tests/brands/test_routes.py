"""Brands over HTTP: every status, every charge, every event."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agentmessage.kernel.db import CellDb, Cells
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, open_account
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.make.registration import BRAND, Registrar, allow_reselling, create_brand

RESOURCE_KEYS = {
    "id", "org_id", "tcr_brand_id", "reference_id", "status", "identity_status", "entity_type", "brand_relationship",
    "display_name", "company_name", "ein_last4", "ein_issuing_country", "email", "phone", "street", "city", "state",
    "postal_code", "country", "vertical", "website", "stock_symbol", "stock_exchange", "first_name", "last_name",
    "mobile_phone", "alt_business_id", "alt_business_id_type", "failure_reasons", "submitted_at", "verified_at",
    "created_at", "updated_at",
}  # fmt: skip
WHOLE = {
    **BRAND,
    "company_name": "Acme Dental LLC",
    "ein": "12-3456789",
    "email": "compliance@acme.example",
    "phone": "+14155550123",
    "street": "1 Market Street",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94105",
    "vertical": "HEALTHCARE",
    "website": "https://acme.example",
    "reference_id": "internal-brand-7421",
    "alt_business_id": "150483782",
    "alt_business_id_type": "DUNS",
}


@pytest.mark.covers("createBrand", 202)
async def test_202_a_brand_is_accepted_with_every_field_and_shown_without_its_tax_id(
    api: Client, account: Account, db: CellDb, registrar: Registrar
) -> None:
    answer = await api.post("/v1/brands", WHOLE)

    brand = answer.data
    assert answer.status == 202
    assert set(brand) == RESOURCE_KEYS
    assert {name: brand[name] for name in WHOLE if name != "ein"} == {k: v for k, v in WHOLE.items() if k != "ein"}
    assert (brand["status"], brand["tcr_brand_id"], brand["identity_status"]) == ("PENDING", None, None)
    assert (brand["ein_last4"], brand["org_id"]) == ("6789", str(account.org_id))
    assert b"3456789" not in answer.body.replace(b"+14155550123", b"")
    stored = await db.value("SELECT brands::text FROM brands")
    assert "3456789" not in stored
    assert await registrar.event_types(account.org_id, "brand") == ["brand.created"]
    assert await registrar.jobs("brands.file") == 1


@pytest.mark.covers("createBrand", 202)
async def test_202_the_four_required_fields_are_enough(api: Client) -> None:
    brand = await create_brand(api)

    assert {name: brand[name] for name in BRAND} == BRAND
    assert brand["email"] is None


@pytest.mark.covers("createBrand", 202)
async def test_202_filing_costs_five_dollars_once(api: Client, account: Account, registrar: Registrar) -> None:
    before = await registrar.balance_cents(account.org_id)

    answers = [await api.post("/v1/brands", BRAND, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].body == answers[1].body
    assert await registrar.balance_cents(account.org_id) == before - 500


@pytest.mark.covers("createBrand", 402)
async def test_402_without_enough_credit_no_brand_is_stored(app: Any, cells: Cells, db: CellDb) -> None:
    poor = await open_account(cells, cents=499)

    answer = await Client(app, poor.key).post("/v1/brands", BRAND)

    assert (answer.status, answer.error["code"]) == (402, "INSUFFICIENT_CREDIT")
    assert await db.value("SELECT count(*) FROM brands") == 0
    assert await db.value("SELECT count(*) FROM events WHERE org_id = $1 AND family = 'brand'", poor.org_id) == 0


@pytest.mark.covers("createBrand", 422)
async def test_422_a_second_brand_needs_a_reseller(api: Client, account: Account, registrar: Registrar) -> None:
    await create_brand(api)
    before = await registrar.balance_cents(account.org_id)

    answer = await api.post("/v1/brands", BRAND)

    assert (answer.status, answer.error["code"]) == (422, "RESELLER_REQUIRED")
    assert await registrar.balance_cents(account.org_id) == before


@pytest.mark.covers("createBrand", 202)
async def test_202_a_reseller_has_many_brands(api: Client, account: Account, db: CellDb) -> None:
    await allow_reselling(db, account)

    ids = {(await create_brand(api))["id"] for _ in range(3)}

    assert len(ids) == 3


async def test_a_deleted_brand_makes_room_for_another(api: Client) -> None:
    first = await create_brand(api)
    await api.delete(f"/v1/brands/{first['id']}")

    second = await create_brand(api)

    assert second["status"] == "PENDING"


async def test_only_one_of_several_brands_created_concurrently_is_stored_and_paid(
    api: Client, account: Account, registrar: Registrar
) -> None:
    before = await registrar.balance_cents(account.org_id)

    answers = await asyncio.gather(*(api.post("/v1/brands", BRAND) for _ in range(6)))

    assert sorted(answer.status for answer in answers) == [202, 422, 422, 422, 422, 422]
    assert await registrar.balance_cents(account.org_id) == before - 500


FAULTS: list[tuple[Mapping[str, Any], Mapping[str, str]]] = [
    (
        {"entity_type": "LLC", "display_name": "", "country": "usa", "website": "acme.example", "email": "invalid"},
        {
            "entity_type": "must be one of PRIVATE_PROFIT, PUBLIC_PROFIT, NON_PROFIT, GOVERNMENT, SOLE_PROPRIETOR",
            "display_name": "must be 1..100 characters",
            "country": "must be two capital letters, ISO 3166-1 alpha-2",
            "website": "must be an http or https URL of at most 100 characters, without user and password",
            "email": "must be an email address of at most 100 characters",
        },
    ),
    (
        {"entity_type": "SOLE_PROPRIETOR"},
        {
            "first_name": "is required for SOLE_PROPRIETOR",
            "last_name": "is required for SOLE_PROPRIETOR",
            "mobile_phone": "is required for SOLE_PROPRIETOR",
        },
    ),
    (
        {"entity_type": "PUBLIC_PROFIT", "stock_exchange": "NONE"},
        {
            "stock_symbol": "is required for PUBLIC_PROFIT",
            "stock_exchange": "must name an exchange for PUBLIC_PROFIT",
        },
    ),
    (
        {"ein": "1234567", "state": "California", "alt_business_id": "1"},
        {
            "ein": "must be 9 digits when issued in the US",
            "state": "must be two capital letters in the US",
            "alt_business_id_type": "is required with alt_business_id",
        },
    ),
    ({"alt_business_id_type": "LEI"}, {"alt_business_id": "is required with alt_business_id_type"}),
    ({"ein_issuing_country": "CA"}, {"ein": "is required with ein_issuing_country"}),
    ({"display_name": "Ac\x00me"}, {"display_name": "must be 1..100 characters"}),
    ({"phone": "+14155550123\n"}, {"phone": "must be E.164"}),
    ({"vertical": "SHOPS"}, {"vertical": "must be one of the registry's verticals, such as TECHNOLOGY"}),
]


@pytest.mark.covers("createBrand", 422)
@pytest.mark.parametrize(("changes", "details"), FAULTS)
async def test_422_every_invalid_field_is_named_and_nothing_is_charged(
    api: Client, account: Account, registrar: Registrar, changes: Mapping[str, Any], details: Mapping[str, str]
) -> None:
    before = await registrar.balance_cents(account.org_id)

    answer = await api.post("/v1/brands", {**BRAND, **changes})

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert answer.error["details"] == details
    assert await registrar.balance_cents(account.org_id) == before


@pytest.mark.parametrize("changes", [{"country": "CA", "ein": "BN 123456", "state": "Ontario"}, {"ein": "123456789"}])
async def test_us_formats_are_required_in_the_us_only(api: Client, changes: Mapping[str, str]) -> None:
    brand = await create_brand(api, **changes)

    assert brand["ein_last4"] == changes["ein"].replace(" ", "")[-4:]


@pytest.mark.covers("getBrand", 200, 404)
async def test_200_and_404_a_brand_can_be_read_by_its_organization_only(
    app: Any, api: Client, stranger: Account
) -> None:
    made = await create_brand(api)

    mine = await api.get(f"/v1/brands/{made['id']}")
    theirs = await Client(app, stranger.key).get(f"/v1/brands/{made['id']}")
    nothing = await api.get(f"/v1/brands/{NOWHERE}")

    assert (mine.status, mine.data) == (200, made)
    assert (theirs.status, nothing.status) == (404, 404)
    assert {**theirs.error, "request_id": ""} == {**nothing.error, "request_id": ""}


@pytest.mark.covers("listBrands", 200)
async def test_200_the_list_is_newest_first_and_its_pages_neither_skip_nor_repeat(
    api: Client, account: Account, db: CellDb
) -> None:
    moment = db.now
    made = [await insert_brand(db, account.org_id, created_at=moment) for _ in range(7)]

    seen: list[str] = []
    cursor = ""
    while True:
        page = await api.get(f"/v1/brands?limit=3{cursor}")
        assert page.json["meta"]["next_cursor"] is None
        assert page.json["meta"]["total"] == 0  # as the reference prints it: only `offset` counts
        seen += [brand["id"] for brand in page.data]
        if "x-next-cursor" not in page.headers:
            break
        cursor = f"&cursor={page.headers['x-next-cursor']}"

    assert seen == sorted(map(str, made), reverse=True)


@pytest.mark.covers("listBrands", 200)
async def test_200_an_offset_pages_by_number_and_counts(api: Client, account: Account, db: CellDb) -> None:
    made = sorted([str(await insert_brand(db, account.org_id)) for _ in range(5)], reverse=True)

    page = await api.get("/v1/brands?limit=2&offset=2")

    assert [brand["id"] for brand in page.data] == made[2:4]
    assert page.json["meta"] == {"total": 5, "limit": 2, "offset": 2, "next_cursor": None, "last_event_at": None}


@pytest.mark.covers("listBrands", 200)
async def test_200_filters_combine_and_the_newest_event_is_shown(
    api: Client, account: Account, stranger: Account, db: CellDb
) -> None:
    wanted = await insert_brand(db, account.org_id, identity_status="UNVERIFIED")
    await insert_brand(db, account.org_id)
    await insert_brand(db, account.org_id, identity_status="UNVERIFIED", status="DELETED")
    await insert_brand(db, stranger.org_id, identity_status="UNVERIFIED")
    await api.delete(f"/v1/brands/{wanted}")

    page = await api.get("/v1/brands?identity_status=UNVERIFIED&status=DELETED&limit=1&offset=1")

    assert [brand["id"] for brand in page.data] == [str(wanted)]
    assert page.json["meta"]["total"] == 2
    assert page.json["meta"]["last_event_at"] is not None


FOREIGN = "eyJjcmVhdGVkX2F0IjoiMjAyNi0wNC0yNlQxMjowMDowMFoiLCJpZCI6IngifQ"
NOT_OURS = {"cursor": "must be a cursor from an earlier page"}


@pytest.mark.covers("listBrands", 422)
@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("limit=0", {"limit": "must be an integer, 1..100"}),
        ("status=ALIVE&identity_status=", {
            "status": "must be one of PENDING, ACTIVE, DELETED",
            "identity_status": "must be one of SELF_DECLARED, UNVERIFIED, VERIFIED, VETTED_VERIFIED",
        }),
        ("offset=-1", {"offset": "must be an integer, 0..1000000"}),
        ("cursor=bm90LWEtY3Vyc29y", NOT_OURS),
        (f"cursor={FOREIGN}", NOT_OURS),
        (f"cursor={FOREIGN}&offset=1", {"offset": "must not be given with cursor"}),
    ],
)  # fmt: skip
async def test_422_an_invalid_query(api: Client, query: str, details: Mapping[str, str]) -> None:
    answer = await api.get(f"/v1/brands?{query}")

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert answer.error["details"] == details


@pytest.mark.covers("updateBrand", 200)
async def test_200_a_change_is_stored_emitted_and_sent_to_the_registry(
    api: Client, account: Account, registrar: Registrar
) -> None:
    made = await create_brand(api, email="old@acme.example", city="Oakland")
    await registrar.live(20)

    answer = await api.patch(f"/v1/brands/{made['id']}", {"email": "new@acme.example", "city": None})
    await registrar.run()

    assert answer.status == 200
    assert (answer.data["email"], answer.data["city"]) == ("new@acme.example", None)
    filed = await registrar.registered("/brand", made["id"])
    assert (filed["email"], "city" in filed) == ("new@acme.example", False)
    assert (await registrar.event_types(account.org_id, "brand"))[-1] == "brand.updated"


@pytest.mark.covers("updateBrand", 200)
async def test_200_a_change_without_a_difference_writes_nothing(
    api: Client, account: Account, db: CellDb, registrar: Registrar
) -> None:
    made = await create_brand(api, ein="123456789", email="me@acme.example")
    before = await registrar.event_types(account.org_id, "brand")

    body = {"email": "me@acme.example", "ein": "12-3456789", "country": "US", "city": None}
    answer = await api.patch(f"/v1/brands/{made['id']}", body)

    assert (answer.status, answer.data) == (200, made)
    assert await registrar.event_types(account.org_id, "brand") == before
    assert await db.value("SELECT count(*) FROM audit_log WHERE action = 'brand.update'") == 0


@pytest.mark.covers("updateBrand", 404, 409, 422)
async def test_422_404_and_409_reject_a_change(api: Client) -> None:
    made = await create_brand(api)

    shapeless = await api.patch(f"/v1/brands/{made['id']}", {"display_name": None, "ein": "1"})
    ruleless = await api.patch(f"/v1/brands/{made['id']}", {"entity_type": "PUBLIC_PROFIT"})
    nothing = await api.patch(f"/v1/brands/{NOWHERE}", {"city": "Oakland"})
    await api.delete(f"/v1/brands/{made['id']}")
    gone = await api.patch(f"/v1/brands/{made['id']}", {"city": "Oakland"})

    assert set(shapeless.error["details"]) == {"display_name", "ein"}
    assert set(ruleless.error["details"]) == {"stock_symbol", "stock_exchange"}
    assert (shapeless.status, ruleless.status, nothing.status, gone.status) == (422, 422, 404, 409)
    assert gone.error["code"] == "BRAND_DELETED"


@pytest.mark.covers("updateBrand", 402)
async def test_402_filing_a_refused_brand_again_is_charged_again(app: Any, cells: Cells, registrar: Registrar) -> None:
    account = await open_account(cells, cents=999)
    api = Client(app, account.key)
    made = await create_brand(api, ein="00-0000004")
    await registrar.live(5)
    refused = (await api.get(f"/v1/brands/{made['id']}")).data

    answer = await api.patch(f"/v1/brands/{made['id']}", {"ein": "12-3456789"})

    assert (refused["status"], refused["failure_reasons"]) == ("PENDING", ["ein ein is invalid"])
    assert (answer.status, answer.error["code"]) == (402, "INSUFFICIENT_CREDIT")
    assert (await api.get(f"/v1/brands/{made['id']}")).data == refused


@pytest.mark.covers("deleteBrand", 200)
async def test_200_a_brand_is_deleted_here_immediately_and_at_the_registry_later(
    api: Client, account: Account, registrar: Registrar
) -> None:
    made = await create_brand(api)
    await registrar.live(10)

    first = await api.delete(f"/v1/brands/{made['id']}")
    again = await api.delete(f"/v1/brands/{made['id']}")
    await registrar.run()

    assert (first.status, first.data["status"]) == (200, "DELETED")
    assert (again.status, again.data) == (200, first.data)
    assert (await registrar.event_types(account.org_id, "brand")).count("brand.deleted") == 1
    assert await registrar.registered("/brand", made["id"]) is None
    assert (await api.get(f"/v1/brands/{made['id']}")).data["status"] == "DELETED"


@pytest.mark.covers("deleteBrand", 404, 409)
async def test_404_and_409_a_brand_with_campaigns_is_not_deleted(api: Client, account: Account, db: CellDb) -> None:
    brand = await insert_brand(db, account.org_id)
    await insert_campaign(db, account.org_id, brand_id=brand, status="PENDING")

    nothing = await api.delete(f"/v1/brands/{NOWHERE}")
    busy = await api.delete(f"/v1/brands/{brand}")

    assert nothing.status == 404
    assert (busy.status, busy.error["code"]) == (409, "BRAND_HAS_CAMPAIGNS")


@pytest.mark.parametrize(
    ("campaign", "expected"),
    [
        ({"status": "EXPIRED"}, 200),
        ({"status": "REJECTED"}, 409),
        ({"status": "REJECTED", "tcr_campaign_id": None}, 200),
    ],
)
async def test_only_campaigns_that_the_registry_still_has_prevent_a_deletion(
    api: Client, account: Account, db: CellDb, campaign: Mapping[str, str | None], expected: int
) -> None:
    brand = await insert_brand(db, account.org_id)
    await insert_campaign(db, account.org_id, brand_id=brand, **campaign)

    answer = await api.delete(f"/v1/brands/{brand}")

    assert answer.status == expected


async def test_every_action_on_a_brand_is_audited_without_its_data(api: Client, db: CellDb) -> None:
    made = await create_brand(api, ein="12-3456789")
    await api.patch(f"/v1/brands/{made['id']}", {"city": "Oakland"})
    await api.delete(f"/v1/brands/{made['id']}")

    rows = await db.all(
        lambda *row: row,
        "SELECT action, resource_id, payload FROM audit_log WHERE resource_type = 'brand' ORDER BY id",
    )

    assert rows == [(f"brand.{verb}", made["id"], None) for verb in ("create", "update", "delete")]
