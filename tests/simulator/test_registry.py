"""Brands and campaigns at the registry: magic values, states, events."""

import json
from urllib.parse import urlsplit

import pytest
from customer import DESCRIPTION, SANDBOX, START, Customer

from agentmessage.simulator.core.callbacks import sign
from agentmessage.simulator.core.profiles import Span, TimingProfile
from agentmessage.simulator.world import World


@pytest.fixture
def us() -> Customer:
    return Customer()


def _brand(us: Customer, brand: str) -> dict[str, object]:
    found = json.loads(us.registry("GET", f"/brand/{brand}").body)
    assert isinstance(found, dict)
    return found


def _feedback(us: Customer, brand: str) -> list[str]:
    return [entry["id"] for entry in json.loads(us.registry("GET", f"/brand/feedback/{brand}").body)["category"]]


def _campaign(us: Customer, campaign: str, part: str) -> dict[str, object]:
    found = json.loads(us.registry("GET", f"/campaign/{campaign}/{part}").body)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("fields", "status", "feedback"),
    [
        ({}, "VERIFIED", []),
        ({"displayName": "Acme UNVERIFIED"}, "UNVERIFIED", ["TAX_ID"]),
        ({"displayName": "Unverified Goods"}, "VERIFIED", []),
        ({"ein": "00-0000001"}, "UNVERIFIED", ["TAX_ID"]),
        ({"ein": "000000003"}, "UNVERIFIED", []),
        ({"companyName": "VETTED Ltd"}, "VETTED_VERIFIED", []),
        ({"entityType": "SOLE_PROPRIETOR"}, "SELF_DECLARED", []),
    ],
)
def test_magic_values_decide_a_brands_identity(
    us: Customer, fields: dict[str, object], status: str, feedback: list[str]
) -> None:
    brand = us.register_brand(**fields)

    assert _brand(us, brand)["identityStatus"] == status
    assert _feedback(us, brand) == feedback


def test_the_identity_of_a_brand_is_checked_later(us: Customer) -> None:
    given = {"entityType": "PRIVATE_PROFIT", "displayName": "Acme", "country": "US"}
    brand = json.loads(us.registry("POST", "/brand/nonBlocking", given).body)

    assert brand["identityStatus"] == "UNVERIFIED"
    assert _feedback(us, brand["brandId"]) == []


def test_a_fixable_brand_is_verified_the_second_time(us: Customer) -> None:
    brand = us.register_brand(displayName="FIXABLE Inc")
    first = _brand(us, brand)["identityStatus"]

    us.registry("PUT", f"/brand/{brand}/revet")
    us.wait()

    assert (first, _brand(us, brand)["identityStatus"]) == ("UNVERIFIED", "VERIFIED")


def test_a_changed_name_is_checked_again(us: Customer) -> None:
    brand = us.register_brand(displayName="Acme UNVERIFIED", referenceId="r-1")

    changed = {"entityType": "PRIVATE_PROFIT", "displayName": "Acme", "country": "US", "referenceId": "ignored"}
    us.registry("PUT", f"/brand/{brand}", changed)
    us.wait()

    found = _brand(us, brand)
    assert (found["identityStatus"], found["referenceId"]) == ("VERIFIED", "r-1")


@pytest.mark.parametrize("fields", [{"ein": "12345"}, {"ein": "00-0000004"}, {"displayName": ""}, {"country": None}])
def test_an_invalid_brand_is_rejected(us: Customer, fields: dict[str, object]) -> None:
    given = {"entityType": "PRIVATE_PROFIT", "displayName": "Acme", "country": "US", **fields}

    response = us.registry("POST", "/brand/nonBlocking", given)

    assert (response.status, json.loads(response.body)[0]["code"]) == (400, 501)


def test_a_reference_is_used_once_and_finds_its_brand(us: Customer) -> None:
    brand = us.register_brand(referenceId="r-1")
    given = {"entityType": "PRIVATE_PROFIT", "displayName": "Other", "country": "US", "referenceId": "r-1"}

    again = us.registry("POST", "/brand/nonBlocking", given)
    found = json.loads(us.registry("GET", "/brand", query="referenceId=r-1&page=1&recordsPerPage=10").body)

    assert json.loads(again.body)[0]["code"] == 504
    assert [record["brandId"] for record in found["records"]] == [brand]


def test_a_brand_with_an_active_campaign_cannot_be_deleted(us: Customer) -> None:
    brand = us.register_brand(referenceId="r-1")
    campaign = us.register_campaign(brand)

    refused = us.registry("DELETE", f"/brand/{brand}")
    us.registry("DELETE", f"/campaign/{campaign}")
    deleted = us.registry("DELETE", f"/brand/{brand}")
    gone = us.registry("GET", f"/brand/{brand}")

    assert (refused.status, deleted.status, gone.status) == (400, 204, 404)
    assert json.loads(gone.body)[0]["code"] == 502
    assert json.loads(us.registry("GET", "/brand", query="referenceId=r-1").body)["totalRecords"] == 1


@pytest.mark.parametrize(
    ("word", "sharing", "operations"),
    [
        ("", "ACCEPTED", {"APPROVED"}),
        ("STUCK", "PENDING", set()),
        ("DECLINED", "DECLINED", set()),
        ("REJECTED", "ACCEPTED", {"APPROVED", "REJECTED"}),
        ("SUSPENDED", "ACCEPTED", {"SUSPENDED"}),
        ("RECOVERS", "ACCEPTED", {"APPROVED"}),
        ("rejected", "ACCEPTED", {"APPROVED"}),
    ],
)
def test_magic_words_decide_the_outcome_of_a_campaign(
    us: Customer, word: str, sharing: str, operations: set[str]
) -> None:
    campaign = us.register_campaign(us.register_brand(), description=f"{DESCRIPTION} {word}")
    us.wait()

    shared = _campaign(us, campaign, "sharing")["sharedByMe"]

    assert isinstance(shared, dict)
    assert shared["sharingStatus"] == sharing
    assert set(_campaign(us, campaign, "operationStatus").values()) == operations


def test_the_word_expired_ends_a_campaign(us: Customer) -> None:
    campaign = us.register_campaign(us.register_brand(), description=f"{DESCRIPTION} EXPIRED")
    us.wait()

    assert json.loads(us.registry("GET", f"/campaign/{campaign}").body)["status"] == "EXPIRED"


def test_a_campaign_is_pending_then_unknown_then_imported_at_the_carrier() -> None:
    slow = TimingProfile(name="slow", share_acceptance=Span(50, 50), campaign_import=Span(60, 60))
    us = Customer(World(profile=slow, started_at=START))
    number = "+14155550123"
    us.have_numbers([number])
    campaign = us.register_campaign(us.register_brand())

    orders = [us.bind(campaign, [number]) for _ in range(3)]
    imported = us.ask("GET", f"/api/v2/accounts/{{a}}/tendlc/campaigns/{campaign}/phoneNumbers")

    assert "is pending" in us.errors(orders[0])[number][1]
    assert "was not found" in us.errors(orders[1])[number][1]
    assert us.state(orders[2]) == "COMPLETE"
    assert imported.status == 200


def test_the_word_unimported_hides_a_campaign_from_the_carrier(us: Customer) -> None:
    campaign = us.register_campaign(us.register_brand(), description=f"{DESCRIPTION} UNIMPORTED")
    us.wait()

    assert set(_campaign(us, campaign, "operationStatus").values()) == {"APPROVED"}
    assert us.ask("GET", f"/api/v2/accounts/{{a}}/tendlc/campaigns/{campaign}/phoneNumbers").status == 404


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"brandId": "BNOBODY"}, 502), ({"description": "short"}, 501), ({"usecase": ""}, 501)],
)
def test_an_invalid_campaign_is_rejected(us: Customer, fields: dict[str, object], code: int) -> None:
    given = {"brandId": us.register_brand(), "usecase": "MIXED", "description": DESCRIPTION, **fields}

    response = us.registry("POST", "/campaignBuilder", given)

    assert (response.status, json.loads(response.body)[0]["code"]) == (400, code)


def test_an_unverified_brand_cannot_have_a_campaign(us: Customer) -> None:
    brand = us.register_brand(displayName="UNVERIFIED")

    response = us.registry(
        "POST", "/campaignBuilder", {"brandId": brand, "usecase": "MIXED", "description": DESCRIPTION}
    )

    assert json.loads(response.body)[0]["code"] == 506


def test_a_campaign_is_shared_with_one_partner_at_a_time(us: Customer) -> None:
    campaign = us.register_campaign(us.register_brand())

    assert us.registry("PUT", f"/campaign/{campaign}/sharing/BANDW").status == 200
    assert us.registry("PUT", f"/campaign/{campaign}/sharing/OTHER").status == 400


def test_deactivation_is_final_and_idempotent_and_takes_the_numbers_off(us: Customer) -> None:
    us.have_numbers(["+14155550123"])
    campaign = us.register_campaign(us.register_brand())
    us.wait()
    us.bind(campaign, ["+14155550123"])

    statuses = [us.registry("DELETE", f"/campaign/{campaign}").status for _ in range(2)]

    assert statuses == [204, 204]
    assert us.truth("+14155550123") is None


def test_every_event_is_signed_over_url_and_body(us: Customer) -> None:
    for category in ("BRAND", "CAMPAIGN"):
        given = {"eventCategory": category, "webhookEndpoint": f"http://us.test/{category}"}
        assert us.registry("PUT", "/webhook/subscription", given).status == 200
    us.register_campaign(us.register_brand(displayName="Café & Söhne"))
    us.wait()

    callbacks = us.callbacks()

    kinds = [json.loads(callback.body)["eventType"] for callback in callbacks]
    assert {"BRAND_ADD", "BRAND_IDENTITY_STATUS_UPDATE", "CAMPAIGN_ADD", "CAMPAIGN_SHARE_ACCEPT"} <= set(kinds)
    assert kinds.count("MNO_CAMPAIGN_OPERATION_APPROVED") == 4
    assert {urlsplit(callback.url).path for callback in callbacks} == {"/BRAND", "/CAMPAIGN"}
    for callback in callbacks:
        assert callback.headers["x-registry-signature"] == sign("simulator", callback.url, callback.body)


def test_a_signature_equals_that_of_openssl() -> None:
    """Made with: printf '%s' 'http://us.test/hook{"a":1}' | openssl dgst -sha1 -hmac simulator -binary | base64."""
    assert sign("simulator", "http://us.test/hook", b'{"a":1}') == "Sqz96HJSDtXRhCxSvb/2j2JfeXk="


def test_live_and_sandbox_keys_are_separate(us: Customer) -> None:
    brand = us.register_brand()

    assert Customer(us.world, account=SANDBOX).registry("GET", f"/brand/{brand}").status == 404


def test_a_wrong_key_is_unauthorized(us: Customer) -> None:
    us._api_key = "unknown"

    assert us.registry("GET", "/brand").status == 401


def test_subscriptions_can_be_listed_replaced_and_deleted(us: Customer) -> None:
    for url in ("http://one.test/", "http://two.test/"):
        us.registry("PUT", "/webhook/subscription", {"eventCategory": "BRAND", "webhookEndpoint": url})
    listed = json.loads(us.registry("GET", "/webhook/subscription").body)
    us.registry("DELETE", "/webhook/subscription/BRAND")

    assert listed == [{"eventCategory": "BRAND", "webhookEndpoint": "http://two.test/"}]
    assert json.loads(us.registry("GET", "/webhook/subscription").body) == []
    bad = us.registry("PUT", "/webhook/subscription", {"eventCategory": "NONE", "webhookEndpoint": "http://x/"})
    assert bad.status == 400
