import json
from datetime import date

import pytest

from agentmessage.carriers.protocols import (
    Accepted,
    BrandFiling,
    CampaignFiling,
    Deferred,
    Refused,
    RegisteredBrand,
    RegisteredCampaign,
    Trouble,
    Unknown,
)
from agentmessage.carriers.tcr import TcrSubscriptions
from tests.carriers.tapes import TCR, Said, TapedLine, registry, say

BRAND = BrandFiling(
    reference_id="am-b1",
    entity_type="PRIVATE_PROFIT",
    brand_relationship="BASIC_ACCOUNT",
    display_name="Acme",
    country="US",
    fields={"company_name": "Acme Inc", "ein_issuing_country": "US", "alt_business_id_type": "DUNS"},
)
CAMPAIGN = CampaignFiling(
    reference_id="am-c1",
    tcr_brand_id="B123456",
    usecase="MIXED",
    description="d" * 40,
    fields={"sub_usecases": ("2FA", "MARKETING"), "subscriber_optin": True, "sample1": "Your code is 1"},
)


def told(status: int, body: object) -> Said:
    return say(status, json.dumps(body))


def error(code: int, description: str) -> list[dict[str, object]]:
    return [{"code": code, "description": description}]


async def test_a_brand_is_filed_without_waiting_under_the_registrys_names() -> None:
    adapter, line = registry(told(200, {"brandId": "B123456", "referenceId": "am-b1", "cspId": "S1"}))

    answer = await adapter.file_brand(BRAND)

    assert answer == Accepted(RegisteredBrand("B123456", "am-b1", None))
    assert (line.sent[0].method, line.sent[0].url) == ("POST", "http://registry.test/v2/brand/nonBlocking")
    assert json.loads(line.sent[0].body) == {
        "entityType": "PRIVATE_PROFIT",
        "displayName": "Acme",
        "brandRelationship": "BASIC_ACCOUNT",
        "country": "US",
        "referenceId": "am-b1",
        "companyName": "Acme Inc",
        "einIssuingCountry": "US",
        "altBusinessIdType": "DUNS",
    }


async def test_a_field_that_the_registry_does_not_have_is_a_bug_of_ours() -> None:
    with pytest.raises(ValueError, match="shoe_size"):
        await registry(say(200))[0].file_brand(BrandFiling("r", "e", "b", "d", "US", {"shoe_size": "43"}))


async def test_a_reference_that_the_registry_has_already_is_looked_up_and_not_refused() -> None:
    said = told(400, error(504, "referenceId 'am-b1' is already used by brand 'B123456'"))

    assert isinstance(await registry(said)[0].file_brand(BRAND), Unknown)


@pytest.mark.parametrize(
    ("identity", "feedback", "means"),
    [
        ("VERIFIED", None, ("VERIFIED", ())),
        ("SELF_DECLARED", None, ("SELF_DECLARED", ())),
        (None, None, (None, ())),
        ("UNVERIFIED", {"brandId": "B1", "category": []}, (None, ())),
        ("UNVERIFIED", {"brandId": "B1"}, (None, ())),
        (
            "UNVERIFIED",
            {"category": [{"id": "TAX_ID", "description": "EIN unknown", "fields": ["ein"]}, {"id": "OTHERS"}]},
            ("UNVERIFIED", ("TAX_ID: EIN unknown", "OTHERS")),
        ),
    ],
)
async def test_unverified_means_refused_only_when_there_is_feedback(
    identity: str | None, feedback: object, means: tuple[str | None, tuple[str, ...]]
) -> None:
    """A fresh brand reads UNVERIFIED before anybody has looked at it."""
    brand = told(200, {"brandId": "B1", "referenceId": "r", "identityStatus": identity})
    adapter, line = registry(brand, told(200, feedback))

    answer = await adapter.read_brand("B1")

    assert answer == Accepted(RegisteredBrand("B1", "r", means[0], means[1]))
    assert len(line.sent) == (1 if feedback is None else 2)


@pytest.mark.parametrize(("identity", "paths"), [("VERIFIED", ["B1"]), ("UNVERIFIED", ["B1", "revet"])])
async def test_a_changed_brand_is_looked_at_again_only_when_it_is_unverified(identity: str, paths: list[str]) -> None:
    adapter, line = registry(told(200, {"brandId": "B1", "identityStatus": identity}))

    answer = await adapter.update_brand("B1", BRAND)

    assert isinstance(answer, Accepted)
    assert [sent.url.rsplit("/", 1)[1] for sent in line.sent] == paths
    assert "referenceId" not in json.loads(line.sent[0].body)


def rows(*told_rows: dict[str, object], total: int | None = None) -> Said:
    return told(200, {"records": told_rows, "page": 1, "totalRecords": len(told_rows) if total is None else total})


async def test_a_brand_is_found_by_exactly_our_reference() -> None:
    adapter, line = registry(
        rows({"brandId": "B9", "referenceId": "am-b10"}, {"brandId": "B1", "referenceId": "am-b1"}),
        told(200, {"brandId": "B1", "referenceId": "am-b1", "identityStatus": "VERIFIED"}),
    )

    answer = await adapter.find_brand("am-b1")

    assert answer == Accepted(RegisteredBrand("B1", "am-b1", "VERIFIED"))
    assert [sent.url.split("/v2")[1] for sent in line.sent] == [
        "/brand?referenceId=am-b1&page=1&recordsPerPage=50",
        "/brand/B1",
    ]


async def test_a_deleted_brand_stays_in_the_list_and_is_none() -> None:
    adapter, _ = registry(rows({"brandId": "B1", "referenceId": "am-b1"}), told(400, error(502, "Brand not found")))

    assert await adapter.find_brand("am-b1") == Accepted(None)


async def test_nothing_is_concluded_from_a_list_that_was_not_narrowed() -> None:
    adapter, _ = registry(rows({"brandId": "B9", "referenceId": "other"}, total=51))

    assert isinstance(await adapter.find_brand("am-b1"), Unknown)


@pytest.mark.parametrize("said", [say(204), told(200, {}), told(400, error(502, "Brand not found")), say(404)], ids=str)
async def test_deleting_what_is_gone_is_accepted(said: Said) -> None:
    assert await registry(said)[0].delete_brand("B1") == Accepted(None)


async def test_a_brand_with_active_campaigns_is_not_deleted() -> None:
    answer = await registry(told(400, error(505, "Brand has active campaigns")))[0].delete_brand("B1")

    assert answer == Refused(Trouble.CONFIGURATION, "505", "Brand has active campaigns")


async def test_a_campaign_is_registered_and_handed_on() -> None:
    adapter, line = registry(
        told(200, {"campaignId": "C123456", "mnoMetadata": {}}), told(200, {"sharingStatus": "PENDING"})
    )

    answer = await adapter.file_campaign(CAMPAIGN)

    assert answer == Accepted(RegisteredCampaign("C123456", "am-c1", "PENDING", is_shared=True, mno_metadata={}))
    assert [(sent.method, sent.url.split("/v2")[1]) for sent in line.sent] == [
        ("POST", "/campaignBuilder"),
        ("PUT", "/campaign/C123456/sharing/BANDW"),
    ]
    sent = json.loads(line.sent[0].body)
    assert (sent["subUsecases"], sent["subscriberOptin"], sent["brandId"]) == (["2FA", "MARKETING"], True, "B123456")


async def test_a_campaign_that_could_not_be_handed_on_is_still_registered() -> None:
    """Its id must not be lost: it is billed from now on."""
    adapter, _ = registry(told(200, {"campaignId": "C123456"}), say(503))

    answer = await adapter.file_campaign(CAMPAIGN)

    assert answer == Accepted(RegisteredCampaign("C123456", "am-c1", "PENDING", is_shared=False, mno_metadata={}))


@pytest.mark.parametrize(("status", "means"), [("PENDING", Accepted), ("ACCEPTED", Accepted), ("DECLINED", Refused)])
async def test_a_refused_hand_over_is_checked_against_how_it_stands(status: str, means: type) -> None:
    adapter, _ = registry(
        told(400, error(507, "Sharing is not possible")), told(200, {"sharedByMe": {"sharingStatus": status}})
    )

    assert isinstance(await adapter.share_campaign("C1"), means)


ALL_APPROVED = {"10017": "APPROVED", "10035": "APPROVED"}
SHARED = {"sharedByMe": {"sharingStatus": "ACCEPTED", "upstreamCnpId": "BANDW"}, "sharedWithMe": None}


@pytest.mark.parametrize(
    ("status", "sharing", "operations", "means"),
    [
        ("ACTIVE", SHARED, ALL_APPROVED, "ACTIVE"),
        ("ACTIVE", SHARED, {"10017": "REVIEW", "10035": "APPROVED"}, "PENDING"),
        ("ACTIVE", SHARED, {}, "PENDING"),
        ("ACTIVE", {}, ALL_APPROVED, "PENDING"),
        ("ACTIVE", {"sharedByMe": None}, ALL_APPROVED, "PENDING"),
        ("ACTIVE", {"sharedByMe": {"sharingStatus": "PENDING"}}, ALL_APPROVED, "PENDING"),
        ("ACTIVE", {"sharedByMe": {"sharingStatus": "DECLINED"}}, ALL_APPROVED, "REJECTED"),
        ("ACTIVE", SHARED, {"10017": "APPROVED", "10035": "REJECTED"}, "REJECTED"),
        ("ACTIVE", SHARED, {"10017": "SUSPENDED", "10035": "APPROVED"}, "SUSPENDED"),
        ("EXPIRED", SHARED, {"10017": "SUSPENDED"}, "EXPIRED"),
    ],
)
async def test_one_status_follows_from_registry_partner_and_operators(
    status: str, sharing: object, operations: object, means: str
) -> None:
    campaign = {"campaignId": "C1", "status": status, "referenceId": "am-c1"}
    adapter, _ = registry(told(200, campaign), told(200, sharing), told(200, operations), told(200, {}))

    answer = await adapter.read_campaign("C1")

    assert isinstance(answer, Accepted)
    assert answer.value.status == means


async def test_a_campaign_tells_its_reasons_dates_and_operators() -> None:
    metadata = {"10035": {"mno": "T-Mobile", "qualify": True, "tpm": 75, "surcharge": 0.5, "brandTier": None}}
    campaign = {"campaignId": "C1", "status": "ACTIVE", "billedDate": "2026-04-21T00:00:00.000Z"}
    campaign["nextRenewalOrExpirationDate"] = "2026-07-21"
    sharing = {"sharedByMe": {"sharingStatus": "DECLINED", "explanation": "No opt-in shown"}}
    operations = {"10035": "REJECTED", "10017": "APPROVED"}
    adapter, _ = registry(told(200, campaign), told(200, sharing), told(200, operations), told(200, metadata))

    answer = await adapter.read_campaign("C1")

    assert answer == Accepted(
        RegisteredCampaign(
            "C1",
            "",
            "REJECTED",
            is_shared=False,
            mno_metadata=metadata,
            rejection_reasons=("No opt-in shown", "T-Mobile rejected the campaign"),
            billed_on=date(2026, 4, 21),
            renews_on=date(2026, 7, 21),
        )
    )


@pytest.mark.parametrize("broken", [0, 1, 2, 3])
async def test_a_campaign_is_not_judged_from_half_of_what_is_known(broken: int) -> None:
    said = [
        told(200, {"campaignId": "C1", "status": "ACTIVE"}),
        told(200, SHARED),
        told(200, ALL_APPROVED),
        told(200, {}),
    ]
    said[broken] = say(503)

    assert isinstance(await registry(*said)[0].read_campaign("C1"), Deferred)


async def test_an_expired_campaign_is_found_too() -> None:
    adapter, _ = registry(
        rows({"brandId": "B1", "campaignId": "C1", "referenceId": "am-c1"}),
        told(200, {"campaignId": "C1", "status": "EXPIRED", "referenceId": "am-c1"}),
        told(200, {}),
    )

    answer = await adapter.find_campaign("am-c1")

    assert isinstance(answer, Accepted)
    assert answer.value is not None
    assert answer.value.status == "EXPIRED"


async def test_a_subscription_that_is_there_is_left_and_a_missing_one_is_made() -> None:
    url = "https://us.test/hook"
    present = [
        {"eventCategory": "BRAND", "webhookEndpoint": url},
        {"eventCategory": "CAMPAIGN", "webhookEndpoint": "https://old.test"},
    ]
    line = TapedLine([told(200, present), told(200, {})])

    answer = await TcrSubscriptions(TCR, line).subscribe(url)

    assert answer == Accepted(None)
    assert [json.loads(sent.body) for sent in line.sent[1:]] == [{"eventCategory": "CAMPAIGN", "webhookEndpoint": url}]


@pytest.mark.parametrize(
    ("code", "words", "trouble"),
    [
        (501, "phone is invalid", Trouble.CONFIGURATION),
        (506, "Brand is not verified", Trouble.CAMPAIGN_NOT_READY),
        (503, "Campaign not found", Trouble.OWNERSHIP),
        (999, "The campaign was deactivated", Trouble.CAMPAIGN_DEAD),
        (999, "Insufficient balance", Trouble.MONEY),
        (999, "Computer says no", Trouble.UNCLASSIFIED),
    ],
)
async def test_a_refusal_of_the_registry_is_sorted_by_its_words(code: int, words: str, trouble: Trouble) -> None:
    answer = await registry(told(400, error(code, words)))[0].file_campaign(CAMPAIGN)

    assert answer == Refused(trouble, str(code), words)
