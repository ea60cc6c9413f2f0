"""Decisions about campaigns: required fields, what is filed, what the registry's answers change, charges; pure."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.brands.errors import BrandNotVerified
from agentmessage.brands.model import VERIFIED_IDENTITIES, EntityType
from agentmessage.campaigns.errors import CampaignNotActive
from agentmessage.campaigns.model import FLAGS, MOVES, SAMPLES, BindingCampaign, Campaign, CampaignStatus, Usecase
from agentmessage.campaigns.schemas import TEXT_FIELDS, CampaignCreate, CampaignDraft
from agentmessage.carriers.protocols import CampaignFiling, RegisteredCampaign
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.outbox.event_types import EventType
from agentmessage.registration import rules as registration
from agentmessage.web import webhook_urls

SUB_USECASES: Mapping[str, tuple[int, int]] = {
    Usecase.MIXED: (2, 5),
    Usecase.LOW_VOLUME: (1, 5),
    Usecase.LOW_VOLUME_MIXED: (1, 5),
}
"""Minimum and maximum number of sub use cases; all others have none."""

REQUIRED_KEYWORDS: Mapping[str, str] = {"subscriber_optout": "optout_keywords", "subscriber_help": "help_keywords"}
"""The keywords that a flag requires. Their messages default to those of the platform."""

LINKS = ("privacy_policy_link", "terms_and_conditions_link", "embedded_link_sample")

SOLE_PROPRIETOR_CAP, PLAIN_CAP, POOL_CAP = 1, 49, 5000
"""Maximum numbers of a campaign: above 49, T-Mobile must approve."""

ATT = "10017"
ATT_TPM: Mapping[str, int] = {
    **dict.fromkeys(("A", "B", "K", "X"), 4500),
    **dict.fromkeys(("C", "D", "P"), 2400),
    **dict.fromkeys(("E", "F"), 240),
    **dict.fromkeys(("G", "N"), 60),
    "S": 9000,
    "T": 75,
    "W": 15,
}
"""AT&T's messages per minute by message class, for a registry that shows only the class."""


def require_bindable(campaign: BindingCampaign) -> None:
    """Reject a campaign that no number may be put on: CampaignNotActive first, then BrandNotVerified.

    A suspended campaign is bindable: it is resumed without a request, and the desired binding waits for that.
    """
    if campaign.status != CampaignStatus.ACTIVE:
        raise CampaignNotActive
    if campaign.brand_identity_status not in VERIFIED_IDENTITIES:
        raise BrandNotVerified


def require_whole(request: CampaignCreate, *, allow_private: bool) -> None:
    """Reject a campaign with inconsistent fields. Raises ValidationFailed naming every one."""
    if invalid := faults(request) | private_links(request, allow_private=allow_private):
        raise ValidationFailed(invalid)


def faults(request: CampaignCreate | CampaignDraft) -> dict[str, str]:
    """Inconsistent fields, with the reason; of a draft, as far as it is written."""
    invalid: dict[str, str] = {}
    if not any(getattr(request, name) for name in SAMPLES):
        invalid["sample1"] = "is required: at least one of sample1..sample5"
    usecases = request.sub_usecases or []
    min_count, max_count = SUB_USECASES.get(request.usecase or "", (0, 0))
    if request.usecase is not None and not min_count <= len(usecases) <= max_count:
        invalid["sub_usecases"] = (
            f"must be {min_count}..{max_count} for {request.usecase}" if max_count else "must be left out"
        )
    elif len(set(usecases)) < len(usecases):
        invalid["sub_usecases"] = "must be distinct"
    for flag, keywords in REQUIRED_KEYWORDS.items():
        if getattr(request, flag) and getattr(request, keywords) is None:
            invalid[keywords] = f"is required with {flag}"
    return invalid


def private_links(request: CampaignCreate | CampaignDraft, *, allow_private: bool) -> dict[str, str]:
    """Links with a private host, which reviewers cannot open, by field."""
    links = {name: url for name in LINKS if (url := getattr(request, name))}
    faults = {name: webhook_urls.page_url_error(url, allow_private=allow_private) for name, url in links.items()}
    return {name: fault for name, fault in faults.items() if fault is not None}


def require_fitting(usecase: str, entity_type: str) -> None:
    """Reject a sole proprietor's use case for another brand, and any other for a sole proprietor."""
    is_sole = entity_type == EntityType.SOLE_PROPRIETOR
    if is_sole and usecase != Usecase.SOLE_PROPRIETOR:
        raise ValidationFailed({"usecase": "must be SOLE_PROPRIETOR for a sole proprietor's brand"})
    if usecase == Usecase.SOLE_PROPRIETOR and not is_sole:
        raise ValidationFailed({"usecase": "must not be SOLE_PROPRIETOR for this brand"})


def number_cap(usecase: str, *, has_pool: bool) -> int:
    """Maximum numbers on a campaign."""
    if usecase == Usecase.SOLE_PROPRIETOR:
        return SOLE_PROPRIETOR_CAP
    return POOL_CAP if has_pool else PLAIN_CAP


def price_ref(usecase: str) -> str:
    """The use case in the price list: the registry's LOW_VOLUME is its LOW_VOLUME_MIXED."""
    return Usecase.LOW_VOLUME_MIXED if usecase == Usecase.LOW_VOLUME else usecase


def drafted(
    campaign_id: UUID,
    org_id: UUID,
    account: str,
    request: CampaignCreate,
    *,
    monthly_fee_microcents: int,
    now: datetime,
) -> Campaign:
    """A new campaign, not filed and not paid yet."""
    fields: dict[str, str | bool] = {name: text for name in TEXT_FIELDS if (text := getattr(request, name)) is not None}
    fields |= {name: True for name in FLAGS if getattr(request, name)}
    return Campaign(
        id=campaign_id,
        org_id=org_id,
        account=account,
        brand_id=request.brand_id,
        tcr_campaign_id=None,
        status=CampaignStatus.PENDING,
        is_suspended=False,
        is_shared=False,
        usecase=request.usecase,
        sub_usecases=tuple(request.sub_usecases or ()),
        description=request.description,
        message_flow=request.message_flow,
        fields=fields,
        number_cap=number_cap(request.usecase, has_pool=request.number_pool),
        mno_metadata={},
        monthly_fee_microcents=monthly_fee_microcents,
        months_charged=0,
        filed_at=None,
        filing_misses=0,
        submitted_at=None,
        activated_at=None,
        billed_at=None,
        renews_on=None,
        expired_at=None,
        rejection_reasons=(),
        rejected_at=None,
        created_at=now,
        updated_at=now,
    )


def starter(
    campaign_id: UUID, org_id: UUID, account: str, brand_id: UUID, tcr_campaign_id: str, *, now: datetime
) -> Campaign:
    """The initial campaign of a sandbox: approved and shared, without monthly fees."""
    request = CampaignCreate(
        brand_id=brand_id,
        usecase=Usecase.CUSTOMER_CARE,
        description="Messages to try the platform with, to simulated handsets only.",
        message_flow="The sandbox's test recipient has agreed; every other recipient needs a consent on record.",
        sample1="Sandbox: hello from your first number. Reply STOP to opt out.",
    )
    draft = drafted(campaign_id, org_id, account, request, monthly_fee_microcents=0, now=now)
    return msgspec.structs.replace(
        draft,
        tcr_campaign_id=tcr_campaign_id,
        status=CampaignStatus.ACTIVE,
        is_shared=True,
        filed_at=now,
        submitted_at=now,
        activated_at=now,
    )


def filing(campaign: Campaign, tcr_brand_id: str) -> CampaignFiling:
    """The filing of a campaign; every flag is sent, also when it is false."""
    flags = {name: bool(campaign.fields.get(name)) for name in FLAGS}
    values = {name: value for name, value in campaign.fields.items() if name not in FLAGS}
    fields: dict[str, str | bool | Sequence[str]] = {**values, **flags, "message_flow": campaign.message_flow}
    if campaign.sub_usecases:
        fields["sub_usecases"] = campaign.sub_usecases
    is_low_volume = campaign.usecase == Usecase.LOW_VOLUME_MIXED
    return CampaignFiling(
        reference_id=campaign.reference_id,
        tcr_brand_id=tcr_brand_id,
        usecase=Usecase.LOW_VOLUME if is_low_volume else campaign.usecase,
        description=campaign.description,
        fields={**fields, "auto_renewal": True},
    )


class FeeAction(StrEnum):
    """What a change of status means for the month's fee."""

    NOTHING = "nothing"
    REFUND = "refund"  # it ended and never was active
    CHARGE = "charge"  # it is active, and the month is not paid
    CONFIRM = "confirm"  # it is active for the first time, and the month was paid when it was filed


class CampaignChange(Struct, frozen=True):
    """A campaign after the registry's answer, the events that follow in order, and what to do about the fee."""

    campaign: Campaign
    events: tuple[EventType, ...] = ()
    fee: FeeAction = FeeAction.NOTHING


ENDS: Mapping[str, EventType] = {
    CampaignStatus.REJECTED: EventType.CAMPAIGN_REJECTED,
    CampaignStatus.EXPIRED: EventType.CAMPAIGN_EXPIRED,
}


def status_change(old: Campaign, seen: RegisteredCampaign, *, now: datetime) -> CampaignChange:
    """Apply the registry's answer to a campaign. Replaying it changes nothing; an expired campaign never changes.

    PENDING does not set back a campaign that was further: an operator may be reviewing it again.
    """
    if old.status == CampaignStatus.EXPIRED:
        return CampaignChange(old)
    shared = msgspec.structs.replace(
        old, is_shared=old.is_shared or seen.is_shared, mno_metadata=with_throughput(seen.mno_metadata)
    )
    events = (EventType.CAMPAIGN_SHARED,) if shared.is_shared and not old.is_shared else ()
    moved = _moved(shared, seen, now)
    if moved.campaign == old:
        return CampaignChange(old)
    campaign = msgspec.structs.replace(moved.campaign, updated_at=now)
    return CampaignChange(campaign, events + moved.events, moved.fee)


def _moved(campaign: Campaign, seen: RegisteredCampaign, now: datetime) -> CampaignChange:
    is_active = campaign.status == CampaignStatus.ACTIVE
    if seen.status == "SUSPENDED":
        return suspended(campaign) if is_active else CampaignChange(campaign)
    if seen.status == CampaignStatus.ACTIVE and is_active:
        return resumed(campaign)
    if seen.status not in MOVES[campaign.status]:
        return CampaignChange(campaign)
    if seen.status == CampaignStatus.ACTIVE:
        return approved(campaign, now=now)
    reasons = tuple(seen.rejection_reasons) if seen.status == CampaignStatus.REJECTED else campaign.rejection_reasons
    return ended(campaign, CampaignStatus(seen.status), reasons, now=now)


def suspended(campaign: Campaign) -> CampaignChange:
    """Suspended by an operator for now."""
    if campaign.is_suspended:
        return CampaignChange(campaign)
    return CampaignChange(msgspec.structs.replace(campaign, is_suspended=True), (EventType.CAMPAIGN_SUSPENDED,))


def resumed(campaign: Campaign) -> CampaignChange:
    """Active again."""
    if not campaign.is_suspended:
        return CampaignChange(campaign)
    return CampaignChange(msgspec.structs.replace(campaign, is_suspended=False), (EventType.CAMPAIGN_RESUMED,))


def approved(campaign: Campaign, *, now: datetime) -> CampaignChange:
    """Active: its paid month begins now, unless an earlier one has not ended (a successful appeal)."""
    today = now.date()
    is_running = campaign.renews_on is not None and campaign.renews_on > today
    is_paid = campaign.billed_at is not None and (campaign.renews_on is None or is_running)
    new = msgspec.structs.replace(
        campaign,
        status=CampaignStatus.ACTIVE,
        activated_at=campaign.activated_at if is_running else now,
        renews_on=campaign.renews_on if is_running else next_renewal(today, today),
        rejected_at=None,
        rejection_reasons=(),
    )
    paid = FeeAction.CONFIRM if campaign.activated_at is None else FeeAction.NOTHING
    return CampaignChange(new, (EventType.CAMPAIGN_APPROVED,), paid if is_paid else FeeAction.CHARGE)


def ended(campaign: Campaign, status: CampaignStatus, reasons: Sequence[str], *, now: datetime) -> CampaignChange:
    """Rejected or expired. A month that never began is refunded."""
    is_unused = campaign.activated_at is None and campaign.billed_at is not None
    is_rejected = status == CampaignStatus.REJECTED
    new = msgspec.structs.replace(
        campaign,
        status=status,
        is_suspended=False,
        rejection_reasons=tuple(reasons),
        rejected_at=now if is_rejected else campaign.rejected_at,
        expired_at=None if is_rejected else now,
        billed_at=None if is_unused else campaign.billed_at,
        renews_on=campaign.renews_on if is_rejected else None,
        updated_at=now,
    )
    return CampaignChange(new, (ENDS[status],), FeeAction.REFUND if is_unused else FeeAction.NOTHING)


def with_throughput(metadata: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the operators grant; AT&T's messages per minute follow from the class if they are missing."""
    grants = {operator: dict(values) for operator, values in metadata.items()}
    att = grants.get(ATT)
    if att is not None and att.get("tpm") is None and att.get("msgClass") in ATT_TPM:
        att["tpm"] = ATT_TPM[att["msgClass"]]
    return grants


def next_renewal(anchor: date, after: date) -> date:
    """The first monthly anniversary of `anchor` after a day; the last day of a month that has no such day."""
    months = (after.year - anchor.year) * 12 + after.month - anchor.month
    renewal = _months_on(anchor, months)
    return renewal if renewal > after else _months_on(anchor, months + 1)


def is_month_due(campaign: Campaign, today: date) -> bool:
    """Whether a month of an active campaign has begun and is not paid."""
    return campaign.status == CampaignStatus.ACTIVE and campaign.renews_on is not None and campaign.renews_on <= today


def renewed(campaign: Campaign) -> Campaign:
    """The campaign with one more month, counted from the day of its approval."""
    anchor = (campaign.activated_at or campaign.created_at).date()
    return msgspec.structs.replace(campaign, renews_on=next_renewal(anchor, campaign.renews_on or anchor))


def _months_on(anchor: date, months: int) -> date:
    years, month = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + years, month + 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


def poll_delay_s(campaign: Campaign, now: datetime, *, recheck_s: float) -> float | None:
    """Seconds until the next read: longer the longer the review takes, `recheck_s` afterwards.

    A suspended campaign is read every 15 minutes at least. None: only an appeal can change it, and a callback reports
    that.
    """
    match campaign.status:
        case CampaignStatus.PENDING:
            return registration.poll_delay_s(campaign.submitted_at or campaign.created_at, now)
        case CampaignStatus.ACTIVE:
            return min(registration.MAX_POLL_S, recheck_s) if campaign.is_suspended else recheck_s
        case _:
            return None
