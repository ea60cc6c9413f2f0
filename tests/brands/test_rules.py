"""What the registry's word makes of a brand, whatever the order in which it comes."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.brands import rules
from agentmessage.brands.model import VERIFIED_IDENTITIES, Brand, BrandStatus, IdentityStatus
from agentmessage.carriers.protocols import Refused, RegisteredBrand, Trouble
from agentmessage.kernel.ids import new_id
from agentmessage.outbox.event_types import EventType
from agentmessage.registration import rules as registration
from agentmessage.registration.model import FilingStep

NOW = datetime(2026, 7, 1, tzinfo=UTC)
BRAND = Brand(
    id=new_id(),
    org_id=new_id(),
    account="live",
    tcr_brand_id="BACME01",
    status=BrandStatus.ACTIVE,
    identity_status=None,
    entity_type="PRIVATE_PROFIT",
    brand_relationship="BASIC_ACCOUNT",
    display_name="Acme",
    country="US",
    fields={},
    tax_id_encrypted=None,
    tax_id_last4=None,
    revision=1,
    applied_revision=1,
    filings=1,
    filed_at=NOW,
    filing_misses=0,
    submitted_at=NOW,
    verified_at=None,
    failure_reasons=(),
    created_at=NOW,
    updated_at=NOW,
)

WORDS = st.builds(
    RegisteredBrand,
    tcr_brand_id=st.just("BACME01"),
    reference_id=st.just(""),
    identity_status=st.sampled_from([None, *IdentityStatus]),
    feedback=st.lists(st.sampled_from(["TAX_ID: wrong", "OTHERS"]), max_size=2),
)


@given(st.lists(WORDS, max_size=8))
def test_the_same_word_again_changes_nothing_and_tells_nothing(words: list[RegisteredBrand]) -> None:
    brand = BRAND
    for word in words:
        brand = rules.identified(brand, word, now=NOW).brand

        again = rules.identified(brand, word, now=NOW + timedelta(days=1))

        assert again == rules.Verdict(brand, None)


@given(st.lists(WORDS, max_size=8))
def test_a_fact_is_told_exactly_when_the_identity_changes(words: list[RegisteredBrand]) -> None:
    brand = BRAND
    for word in words:
        verdict = rules.identified(brand, word, now=NOW)

        assert (verdict.fact is not None) == (verdict.brand.identity_status != brand.identity_status)
        brand = verdict.brand
        assert (brand.verified_at is not None) == (brand.identity_status in VERIFIED_IDENTITIES)
        assert not brand.failure_reasons or brand.identity_status == IdentityStatus.UNVERIFIED


def test_a_verified_brand_stays_verified_while_the_registry_looks_again() -> None:
    verified = msgspec.structs.replace(BRAND, identity_status="VERIFIED", verified_at=NOW)

    verdict = rules.identified(verified, RegisteredBrand("BACME01", "", None), now=NOW)

    assert verdict == rules.Verdict(verified, None)


def test_an_identity_that_is_lost_is_told_as_a_failure() -> None:
    verified = msgspec.structs.replace(BRAND, identity_status="VERIFIED", verified_at=NOW)

    verdict = rules.identified(verified, RegisteredBrand("BACME01", "", "UNVERIFIED", ("TAX_ID",)), now=NOW)

    assert verdict.fact is EventType.BRAND_VETTING_FAILED
    assert verdict.brand.verified_at is None


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, FilingStep.FILE),
        ({"filed_at": NOW}, FilingStep.LOOK_UP),
        ({"filed_at": NOW, "filing_misses": 1}, FilingStep.LOOK_UP),
        ({"filed_at": NOW, "filing_misses": 2}, FilingStep.FILE),
        ({"tcr_brand_id": "B1"}, FilingStep.NOTHING),
        ({"status": BrandStatus.DELETED}, FilingStep.NOTHING),
        ({"failure_reasons": ("refused",)}, FilingStep.NOTHING),
    ],
)
def test_what_may_have_been_filed_is_looked_up_before_it_is_filed(changes: dict[str, object], step: FilingStep) -> None:
    unfiled = {"tcr_brand_id": None, "status": BrandStatus.PENDING, "filed_at": None}

    assert registration.filing_step(msgspec.structs.replace(BRAND, **{**unfiled, **changes})) is step


@pytest.mark.parametrize(
    ("refused", "is_ours"),
    [
        (Refused(Trouble.MONEY, "402", "insufficient funds"), True),
        (Refused(Trouble.CONFIGURATION, "401", "bad credentials"), True),
        (Refused(Trouble.TRANSIENT, "503", ""), True),
        (Refused(Trouble.CONFIGURATION, "501", "ein is invalid"), False),
        (Refused(Trouble.UNCLASSIFIED, "777", "display name is a profanity"), False),
    ],
)
def test_a_refusal_of_ourselves_is_not_held_against_the_brand(refused: Refused, *, is_ours: bool) -> None:
    assert registration.is_platform_problem(refused) is is_ours


def test_looks_grow_apart_and_end_with_the_verdict() -> None:
    waits = [rules.poll_delay_s(BRAND, NOW + timedelta(seconds=age)) for age in (0, 4, 400, 86_400)]
    declared = msgspec.structs.replace(BRAND, identity_status="SELF_DECLARED")

    assert waits == [0.25, 1.0, 100.0, 900.0]
    assert rules.poll_delay_s(declared, NOW + timedelta(days=2)) == 3600.0
    for identity in ("VERIFIED", "VETTED_VERIFIED", "UNVERIFIED"):
        assert rules.poll_delay_s(msgspec.structs.replace(BRAND, identity_status=identity), NOW) is None


def test_the_registry_is_told_our_reference_and_never_the_customers() -> None:
    brand = msgspec.structs.replace(
        BRAND,
        entity_type="PUBLIC_PROFIT",
        fields={"reference_id": "theirs", "email": "me@acme.example", "stock_symbol": "ACME"},
    )

    filing = rules.filing(brand, "123456789")

    assert filing.reference_id == BRAND.id.hex
    assert filing.fields == {
        "email": "me@acme.example",
        "business_contact_email": "me@acme.example",
        "stock_symbol": "ACME",
        "ein": "123456789",
        "ein_issuing_country": "US",
    }
