"""What the registry's answers change in a brand, in any order."""

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

ANSWERS = st.builds(
    RegisteredBrand,
    tcr_brand_id=st.just("BACME01"),
    reference_id=st.just(""),
    identity_status=st.sampled_from([None, *IdentityStatus]),
    feedback=st.lists(st.sampled_from(["TAX_ID: wrong", "OTHERS"]), max_size=2),
)


@given(st.lists(ANSWERS, max_size=8))
def test_a_repeated_answer_changes_nothing_and_emits_nothing(answers: list[RegisteredBrand]) -> None:
    brand = BRAND
    for answer in answers:
        brand = rules.identified(brand, answer, now=NOW).brand

        again = rules.identified(brand, answer, now=NOW + timedelta(days=1))

        assert again == rules.IdentityChange(brand, None)


@given(st.lists(ANSWERS, max_size=8))
def test_an_event_is_emitted_exactly_when_the_identity_changes(answers: list[RegisteredBrand]) -> None:
    brand = BRAND
    for answer in answers:
        change = rules.identified(brand, answer, now=NOW)

        assert (change.event is not None) == (change.brand.identity_status != brand.identity_status)
        brand = change.brand
        assert (brand.verified_at is not None) == (brand.identity_status in VERIFIED_IDENTITIES)
        assert not brand.failure_reasons or brand.identity_status == IdentityStatus.UNVERIFIED


def test_a_verified_brand_stays_verified_while_the_registry_checks_again() -> None:
    verified = msgspec.structs.replace(BRAND, identity_status="VERIFIED", verified_at=NOW)

    change = rules.identified(verified, RegisteredBrand("BACME01", "", None), now=NOW)

    assert change == rules.IdentityChange(verified, None)


def test_a_lost_identity_emits_a_failure() -> None:
    verified = msgspec.structs.replace(BRAND, identity_status="VERIFIED", verified_at=NOW)

    change = rules.identified(verified, RegisteredBrand("BACME01", "", "UNVERIFIED", ("TAX_ID",)), now=NOW)

    assert change.event is EventType.BRAND_VETTING_FAILED
    assert change.brand.verified_at is None


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
def test_a_refusal_of_the_platform_is_not_one_of_the_brand(refused: Refused, *, is_ours: bool) -> None:
    assert registration.is_platform_problem(refused) is is_ours


def test_reads_become_rarer_and_end_with_the_decision() -> None:
    waits = [rules.poll_delay_s(BRAND, NOW + timedelta(seconds=age)) for age in (0, 4, 400, 86_400)]
    declared = msgspec.structs.replace(BRAND, identity_status="SELF_DECLARED")

    assert waits == [0.25, 1.0, 100.0, 900.0]
    assert rules.poll_delay_s(declared, NOW + timedelta(days=2)) == 3600.0
    for identity in ("VERIFIED", "VETTED_VERIFIED", "UNVERIFIED"):
        assert rules.poll_delay_s(msgspec.structs.replace(BRAND, identity_status=identity), NOW) is None


def test_the_filing_has_our_reference_and_never_the_customers() -> None:
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
