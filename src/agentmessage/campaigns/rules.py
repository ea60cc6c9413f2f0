"""Decisions about campaigns: what must be given, what is filed, what the registry's word changes, when to pay; pure."""

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
from agentmessage.campaigns.schemas import TEXTS, CampaignCreate, CampaignDraft
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
"""Fewest and most sub use cases; all others have none."""

NEEDED_KEYWORDS: Mapping[str, str] = {"subscriber_optout": "optout_keywords", "subscriber_help": "help_keywords"}
"""What a flag asks for besides. Their messages are the platform's own if left out."""

LINKS = ("privacy_policy_link", "terms_and_conditions_link", "embedded_link_sample")

SOLE_PROPRIETOR_CAP, PLAIN_CAP, POOL_CAP = 1, 49, 5000
"""Most numbers of a campaign: T-Mobile wants to be asked from the 50th on."""

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
"""AT&T's messages per minute by message class, for a registry that tells only the class."""


def require_bindable(campaign: BindingCampaign) -> None:
    """Refuse a campaign that no number may be put on: CampaignNotActive first, then BrandNotVerified.

    A suspended campaign is bindable: it comes back by itself, and the wish waits for it.
    """
    if campaign.status != CampaignStatus.ACTIVE:
        raise CampaignNotActive
    if campaign.brand_identity_status not in VERIFIED_IDENTITIES:
        raise BrandNotVerified


def require_whole(wish: CampaignCreate, *, allow_private: bool) -> None:
    """Refuse a campaign whose fields do not go together. Raises ValidationFailed naming every one."""
    if found := faults(wish) | private_links(wish, allow_private=allow_private):
        raise ValidationFailed(found)


def faults(wish: CampaignCreate | CampaignDraft) -> dict[str, str]:
    """What does not go together, by field; of a draft, as far as it is written."""
    found: dict[str, str] = {}
    if not any(getattr(wish, name) for name in SAMPLES):
        found["sample1"] = "is required: at least one of sample1..sample5"
    given = wish.sub_usecases or []
    least, most = SUB_USECASES.get(wish.usecase or "", (0, 0))
    if wish.usecase is not None and not least <= len(given) <= most:
        found["sub_usecases"] = f"must be {least}..{most} for {wish.usecase}" if most else "must be left out"
    elif len(set(given)) < len(given):
        found["sub_usecases"] = "must be distinct"
    for flag, keywords in NEEDED_KEYWORDS.items():
        if getattr(wish, flag) and getattr(wish, keywords) is None:
            found[keywords] = f"is required with {flag}"
    return found


def private_links(wish: CampaignCreate | CampaignDraft, *, allow_private: bool) -> dict[str, str]:
    """Links that reviewers cannot open, since their host is plainly private, by field."""
    given = {name: url for name in LINKS if (url := getattr(wish, name))}
    found = {name: webhook_urls.page_fault(url, allow_private=allow_private) for name, url in given.items()}
    return {name: words for name, words in found.items() if words is not None}


def require_fitting(usecase: str, entity_type: str) -> None:
    """Refuse a sole proprietor's use case for another brand, and any other for a sole proprietor."""
    is_sole = entity_type == EntityType.SOLE_PROPRIETOR
    if is_sole and usecase != Usecase.SOLE_PROPRIETOR:
        raise ValidationFailed({"usecase": "must be SOLE_PROPRIETOR for a sole proprietor's brand"})
    if usecase == Usecase.SOLE_PROPRIETOR and not is_sole:
        raise ValidationFailed({"usecase": "must not be SOLE_PROPRIETOR for this brand"})


def number_cap(usecase: str, *, has_pool: bool) -> int:
    """Most numbers that may be on a campaign."""
    if usecase == Usecase.SOLE_PROPRIETOR:
        return SOLE_PROPRIETOR_CAP
    return POOL_CAP if has_pool else PLAIN_CAP


def price_ref(usecase: str) -> str:
    """What the price catalogue calls the use case: the registry's LOW_VOLUME is its LOW_VOLUME_MIXED."""
    return Usecase.LOW_VOLUME_MIXED if usecase == Usecase.LOW_VOLUME else usecase


def drafted(
    campaign_id: UUID, org_id: UUID, account: str, wish: CampaignCreate, *, monthly_fee_microcents: int, now: datetime
) -> Campaign:
    """A campaign on its first day, not filed and not paid yet."""
    fields: dict[str, str | bool] = {name: text for name in TEXTS if (text := getattr(wish, name)) is not None}
    fields |= {name: True for name in FLAGS if getattr(wish, name)}
    return Campaign(
        id=campaign_id,
        org_id=org_id,
        account=account,
        brand_id=wish.brand_id,
        tcr_campaign_id=None,
        status=CampaignStatus.PENDING,
        is_suspended=False,
        is_shared=False,
        usecase=wish.usecase,
        sub_usecases=tuple(wish.sub_usecases or ()),
        description=wish.description,
        message_flow=wish.message_flow,
        fields=fields,
        number_cap=number_cap(wish.usecase, has_pool=wish.number_pool),
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
    """The campaign that a sandbox begins with: approved and shared, as if long ago, and without monthly fees."""
    wish = CampaignCreate(
        brand_id=brand_id,
        usecase=Usecase.CUSTOMER_CARE,
        description="Messages to try the platform with, to simulated handsets only.",
        message_flow="The sandbox's test recipient has agreed; every other recipient needs a consent on record.",
        sample1="Sandbox: hello from your first number. Reply STOP to opt out.",
    )
    draft = drafted(campaign_id, org_id, account, wish, monthly_fee_microcents=0, now=now)
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
    """What the registry is told; every flag is said, also when it is false."""
    flags = {name: bool(campaign.fields.get(name)) for name in FLAGS}
    texts = {name: value for name, value in campaign.fields.items() if name not in FLAGS}
    fields: dict[str, str | bool | Sequence[str]] = {**texts, **flags, "message_flow": campaign.message_flow}
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


class Money(StrEnum):
    """What a change of state means for the month's fee."""

    NOTHING = "nothing"
    REFUND = "refund"  # it ended without ever having been active
    CHARGE = "charge"  # it is active, and the month is not paid
    CONFIRM = "confirm"  # it is active for the first time, and the month was paid when it was filed


class Change(Struct, frozen=True):
    """A campaign after the registry's word, the facts that follow in order, and what it means for money."""

    campaign: Campaign
    facts: tuple[EventType, ...] = ()
    money: Money = Money.NOTHING


ENDS: Mapping[str, EventType] = {
    CampaignStatus.REJECTED: EventType.CAMPAIGN_REJECTED,
    CampaignStatus.EXPIRED: EventType.CAMPAIGN_EXPIRED,
}


def standing(old: Campaign, seen: RegisteredCampaign, *, now: datetime) -> Change:
    """What the registry's word changes. Replaying it changes nothing; an expired campaign never changes.

    PENDING says nothing about a campaign that has been further already: an operator may look again.
    """
    if old.status == CampaignStatus.EXPIRED:
        return Change(old)
    told = msgspec.structs.replace(
        old, is_shared=old.is_shared or seen.is_shared, mno_metadata=with_throughput(seen.mno_metadata)
    )
    facts = (EventType.CAMPAIGN_SHARED,) if told.is_shared and not old.is_shared else ()
    moved = _moved(told, seen, now)
    if moved.campaign == old:
        return Change(old)
    campaign = msgspec.structs.replace(moved.campaign, updated_at=now)
    return Change(campaign, facts + moved.facts, moved.money)


def _moved(campaign: Campaign, seen: RegisteredCampaign, now: datetime) -> Change:
    is_active = campaign.status == CampaignStatus.ACTIVE
    if seen.status == "SUSPENDED":
        return suspended(campaign) if is_active else Change(campaign)
    if seen.status == CampaignStatus.ACTIVE and is_active:
        return resumed(campaign)
    if seen.status not in MOVES[campaign.status]:
        return Change(campaign)
    if seen.status == CampaignStatus.ACTIVE:
        return approved(campaign, now=now)
    reasons = tuple(seen.rejection_reasons) if seen.status == CampaignStatus.REJECTED else campaign.rejection_reasons
    return ended(campaign, CampaignStatus(seen.status), reasons, now=now)


def suspended(campaign: Campaign) -> Change:
    """An operator has stopped it for now."""
    if campaign.is_suspended:
        return Change(campaign)
    return Change(msgspec.structs.replace(campaign, is_suspended=True), (EventType.CAMPAIGN_SUSPENDED,))


def resumed(campaign: Campaign) -> Change:
    """It runs again."""
    if not campaign.is_suspended:
        return Change(campaign)
    return Change(msgspec.structs.replace(campaign, is_suspended=False), (EventType.CAMPAIGN_RESUMED,))


def approved(campaign: Campaign, *, now: datetime) -> Change:
    """It may be used: its paid month begins now, unless an earlier one is still running (an appeal that succeeded)."""
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
    paid = Money.CONFIRM if campaign.activated_at is None else Money.NOTHING
    return Change(new, (EventType.CAMPAIGN_APPROVED,), paid if is_paid else Money.CHARGE)


def ended(campaign: Campaign, status: CampaignStatus, reasons: Sequence[str], *, now: datetime) -> Change:
    """It was rejected or has expired. A month that never began is given back."""
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
    return Change(new, (ENDS[status],), Money.REFUND if is_unused else Money.NOTHING)


def with_throughput(metadata: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the operators grant, with AT&T's messages per minute filled in from the class where only that is told."""
    known = {operator: dict(facts) for operator, facts in metadata.items()}
    att = known.get(ATT)
    if att is not None and att.get("tpm") is None and att.get("msgClass") in ATT_TPM:
        att["tpm"] = ATT_TPM[att["msgClass"]]
    return known


def next_renewal(anchor: date, after: date) -> date:
    """The first monthly return of `anchor` after a day; the last of the month where the month has no such day."""
    months = (after.year - anchor.year) * 12 + after.month - anchor.month
    found = _months_on(anchor, months)
    return found if found > after else _months_on(anchor, months + 1)


def is_month_due(campaign: Campaign, today: date) -> bool:
    """Whether a month of an active campaign has begun that is not paid."""
    return campaign.status == CampaignStatus.ACTIVE and campaign.renews_on is not None and campaign.renews_on <= today


def renewed(campaign: Campaign) -> Campaign:
    """The campaign with one month more, counted from the day of its approval."""
    anchor = (campaign.activated_at or campaign.created_at).date()
    return msgspec.structs.replace(campaign, renews_on=next_renewal(anchor, campaign.renews_on or anchor))


def _months_on(anchor: date, months: int) -> date:
    years, month = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + years, month + 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


def poll_delay_s(campaign: Campaign, now: datetime, *, recheck_s: float) -> float | None:
    """Seconds until the next read: rarer the longer the review takes, `recheck_s` afterwards.

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
