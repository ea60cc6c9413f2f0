"""What the registry's word makes of a campaign, whatever the order in which it comes."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.campaigns import rules
from agentmessage.campaigns.model import MOVES, Campaign, CampaignStatus
from agentmessage.campaigns.rules import CampaignChange, FeeAction
from agentmessage.carriers.protocols import RegisteredCampaign
from agentmessage.kernel.ids import new_id
from agentmessage.outbox.event_types import EventType

NOW = datetime(2026, 7, 1, tzinfo=UTC)
PENDING = Campaign(
    id=new_id(),
    org_id=new_id(),
    account="live",
    brand_id=new_id(),
    tcr_campaign_id="CACME01",
    status=CampaignStatus.PENDING,
    is_suspended=False,
    is_shared=False,
    usecase="MARKETING",
    sub_usecases=(),
    description="d",
    message_flow="m",
    fields={},
    number_cap=49,
    mno_metadata={},
    monthly_fee_microcents=1,
    months_charged=1,
    filed_at=NOW,
    filing_misses=0,
    submitted_at=NOW,
    activated_at=None,
    billed_at=NOW,
    renews_on=None,
    expired_at=None,
    rejection_reasons=(),
    rejected_at=None,
    created_at=NOW,
    updated_at=NOW,
)

STATUSES = ["PENDING", "ACTIVE", "REJECTED", "SUSPENDED", "EXPIRED"]
WORDS = st.builds(
    RegisteredCampaign,
    tcr_campaign_id=st.just("CACME01"),
    reference_id=st.just(""),
    status=st.sampled_from(STATUSES),
    is_shared=st.booleans(),
    mno_metadata=st.sampled_from([{}, {"10017": {"msgClass": "T"}}]),
    rejection_reasons=st.sampled_from([(), ("no",)]),
)
STORIES = st.lists(st.tuples(WORDS, st.integers(0, 40)), max_size=10)
Story = list[tuple[RegisteredCampaign, int]]


@given(STORIES)
def test_a_repeated_answer_changes_nothing_and_emits_nothing(story: Story) -> None:
    campaign, now = PENDING, NOW
    for word, days in story:
        now += timedelta(days=days)
        campaign = paid(rules.status_change(campaign, word, now=now), now)

        assert rules.status_change(campaign, word, now=now) == CampaignChange(campaign)


def paid(change: CampaignChange, now: datetime) -> Campaign:
    """What the operation does with the money of a change."""
    if change.fee is not FeeAction.CHARGE:
        return change.campaign
    months = change.campaign.months_charged + 1
    return msgspec.structs.replace(change.campaign, months_charged=months, billed_at=now)


@given(STORIES)
def test_a_status_moves_only_as_the_table_allows_with_one_event_each(story: Story) -> None:
    expected = {
        CampaignStatus.ACTIVE: EventType.CAMPAIGN_APPROVED,
        CampaignStatus.REJECTED: EventType.CAMPAIGN_REJECTED,
        CampaignStatus.EXPIRED: EventType.CAMPAIGN_EXPIRED,
    }
    campaign = PENDING
    for word, _ in story:
        change = rules.status_change(campaign, word, now=NOW)

        new = change.campaign
        moves = [event for event in change.events if event in expected.values()]
        if new.status == campaign.status:
            assert moves == []
        else:
            assert new.status in MOVES[campaign.status]
            assert moves == [expected[CampaignStatus(new.status)]]
        assert (EventType.CAMPAIGN_SUSPENDED in change.events) == (new.is_suspended and not campaign.is_suspended)
        assert (EventType.CAMPAIGN_SHARED in change.events) == (new.is_shared and not campaign.is_shared)
        assert not new.is_suspended or new.status == CampaignStatus.ACTIVE
        campaign = paid(change, NOW)


@given(STORIES)
def test_an_active_campaign_is_paid_and_one_that_never_was_is_refunded(story: Story) -> None:
    campaign, now, balance, provisional = PENDING, NOW, -1, 1
    for word, days in story:
        now += timedelta(days=days)
        change = rules.status_change(campaign, word, now=now)
        balance += {FeeAction.REFUND: 1, FeeAction.CHARGE: -1, FeeAction.NOTHING: 0, FeeAction.CONFIRM: 0}[change.fee]
        provisional -= change.fee in (FeeAction.REFUND, FeeAction.CONFIRM)
        campaign = paid(change, now)

        assert balance <= 0
        assert provisional == (campaign.status == CampaignStatus.PENDING)
        if campaign.status == CampaignStatus.ACTIVE:
            assert campaign.billed_at is not None
            assert campaign.renews_on is not None
        if campaign.activated_at is None and campaign.status in (CampaignStatus.REJECTED, CampaignStatus.EXPIRED):
            assert balance == 0


def test_an_expired_campaign_never_changes() -> None:
    expired = rules.ended(PENDING, CampaignStatus.EXPIRED, (), now=NOW).campaign

    for status in STATUSES:
        seen = RegisteredCampaign("CACME01", "", status, is_shared=True, mno_metadata={"10017": {"tpm": 1}})
        assert rules.status_change(expired, seen, now=NOW) == CampaignChange(expired)


def test_a_lapsed_month_is_charged_again_when_a_rejected_campaign_is_approved() -> None:
    active = rules.approved(PENDING, now=NOW).campaign
    rejected = rules.ended(active, CampaignStatus.REJECTED, ("no",), now=NOW).campaign

    soon = rules.approved(rejected, now=NOW + timedelta(days=3))
    late = rules.approved(rejected, now=NOW + timedelta(days=90))

    assert (soon.fee, soon.campaign.renews_on) == (FeeAction.NOTHING, date(2026, 8, 1))
    assert (late.fee, late.campaign.renews_on) == (FeeAction.CHARGE, date(2026, 10, 29))


@pytest.mark.parametrize(
    ("anchor", "after", "expected"),
    [
        ("2026-07-15", "2026-07-15", "2026-08-15"),
        ("2026-07-15", "2026-08-14", "2026-08-15"),
        ("2026-01-31", "2026-01-31", "2026-02-28"),
        ("2026-01-31", "2026-02-28", "2026-03-31"),
        ("2028-01-30", "2028-01-30", "2028-02-29"),
        ("2026-12-31", "2026-12-31", "2027-01-31"),
        ("2026-07-15", "2028-01-20", "2028-02-15"),
    ],
)
def test_a_month_renews_on_the_day_of_the_approval_or_the_last_of_the_month(
    anchor: str, after: str, expected: str
) -> None:
    assert rules.next_renewal(date.fromisoformat(anchor), date.fromisoformat(after)).isoformat() == expected


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(0, 800))
def test_renewals_are_a_month_apart_and_never_drift(anchor: date, days: int) -> None:
    found = rules.next_renewal(anchor, anchor + timedelta(days=days))

    assert 0 < (found - anchor - timedelta(days=days)).days <= 31
    assert found.day == anchor.day or (found + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("usecase", "has_pool", "cap"), [("SOLE_PROPRIETOR", True, 1), ("MIXED", False, 49), ("MIXED", True, 5000)]
)
def test_the_number_of_numbers_follows_from_the_use_case(usecase: str, cap: int, *, has_pool: bool) -> None:
    assert rules.number_cap(usecase, has_pool=has_pool) == cap


def test_att_throughput_is_filled_in_from_its_class_and_never_overwritten() -> None:
    metadata = {"10017": {"msgClass": "T"}, "10035": {"brandTier": "LOW"}}

    assert rules.with_throughput(metadata) == {"10017": {"msgClass": "T", "tpm": 75}, "10035": {"brandTier": "LOW"}}
    assert rules.with_throughput({"10017": {"msgClass": "T", "tpm": 9}}) == {"10017": {"msgClass": "T", "tpm": 9}}
    assert rules.with_throughput({"10017": {"msgClass": "?"}}) == {"10017": {"msgClass": "?"}}


def test_reads_become_rarer_in_review_and_never_end_while_active() -> None:
    active = rules.approved(PENDING, now=NOW).campaign
    suspended = rules.suspended(active).campaign
    rejected = rules.ended(active, CampaignStatus.REJECTED, (), now=NOW).campaign
    ages = [rules.poll_delay_s(PENDING, NOW + timedelta(seconds=age), recheck_s=3600) for age in (0, 4, 86_400)]

    assert ages == [0.25, 1.0, 900.0]
    assert rules.poll_delay_s(active, NOW, recheck_s=3600) == 3600
    assert rules.poll_delay_s(suspended, NOW, recheck_s=3600) == 900
    assert rules.poll_delay_s(rejected, NOW, recheck_s=3600) is None
