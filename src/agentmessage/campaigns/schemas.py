"""Campaigns on the wire: the filing, its changes of state, and the review of a draft."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.campaigns.model import FLAGS, SAMPLES, Campaign, CampaignStatus, SubUsecase, Usecase
from agentmessage.kernel.money import MICROCENTS_PER_CENT
from agentmessage.web.pagination import OffsetQuery
from agentmessage.web.types import END, STORABLE, Request, Resource, error_text
from agentmessage.web.webhook_urls import PAGE_PATTERN

MICROCENTS_PER_DOLLAR = 100 * MICROCENTS_PER_CENT


def _text(least: int, most: int, example: str, description: str = "") -> Meta:
    words = f"must be {least}..{most} characters"
    return Meta(
        min_length=least,
        max_length=most,
        pattern=STORABLE,
        description=description or None,
        examples=[example],
        extra=error_text(words),
    )


BrandId = Annotated[UUID, Meta(extra=error_text("must be a UUID"))]
UsecaseField = Annotated[Usecase, Meta(extra=error_text("must be one of the registry's use cases, such as MARKETING"))]
SubUsecases = Annotated[
    list[SubUsecase],
    Meta(
        max_length=5,
        description="2..5 for MIXED, 1..5 for LOW_VOLUME and LOW_VOLUME_MIXED, none otherwise.",
        extra=error_text("must be at most 5 of the standard use cases"),
    ),
]
Description = Annotated[
    str,
    _text(40, 4096, "Appointment reminders and follow-ups to patients of the practice who asked for them."),
]
MessageFlow = Annotated[
    str,
    _text(
        40,
        2048,
        "Patients tick an unchecked box on the booking form at https://customer.example/book and agree to reminders.",
        "How recipients give their consent (the call to action).",
    ),
]
Sample = Annotated[
    str, _text(20, 1024, "Acme Dental: your appointment is on Monday at 9. Reply C to confirm, STOP to opt out.")
]
AutoMessage = Annotated[str, _text(20, 320, "Acme Dental: you are unsubscribed and will receive no more messages.")]
Keywords = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=320,
        pattern=r"^[^,\s\u0000]+(,[^,\s\u0000]+)*" + END,
        description="Separated by commas, without spaces.",
        examples=["STOP,UNSUBSCRIBE"],
        extra=error_text("must be keywords separated by commas without spaces, at most 320 characters"),
    ),
]
Link = Annotated[
    str,
    Meta(
        max_length=255,
        pattern=PAGE_PATTERN,
        examples=["https://customer.example/privacy"],
        extra=error_text("must be an http or https URL of at most 255 characters, without user and password"),
    ),
]


class CampaignCreate(Request, frozen=True):
    """A campaign to be filed and reviewed; accepted means charged for its first month and queued, not approved.

    At least one of sample1..sample5. `subscriber_optout` needs optout_keywords, `subscriber_help` needs help_keywords.
    Errors: 404 NOT_FOUND (brand), 409 BRAND_NOT_VERIFIED, 409 SOLE_PROPRIETOR_LIMIT, 402 INSUFFICIENT_CREDIT.
    """

    brand_id: BrandId
    usecase: UsecaseField
    description: Description
    message_flow: MessageFlow
    sub_usecases: SubUsecases | None = None
    sample1: Sample | None = None
    sample2: Sample | None = None
    sample3: Sample | None = None
    sample4: Sample | None = None
    sample5: Sample | None = None
    optin_keywords: Keywords | None = None
    optin_message: AutoMessage | None = None
    optout_keywords: Keywords | None = None
    optout_message: AutoMessage | None = None
    help_keywords: Keywords | None = None
    help_message: AutoMessage | None = None
    privacy_policy_link: Link | None = None
    terms_and_conditions_link: Link | None = None
    embedded_link_sample: Link | None = None
    embedded_link: bool = False
    embedded_phone: bool = False
    terms_and_conditions: bool = False
    number_pool: bool = False
    age_gated: bool = False
    direct_lending: bool = False
    subscriber_optin: bool = False
    subscriber_optout: bool = False
    subscriber_help: bool = False


TEXT_FIELDS = tuple(
    name
    for name in CampaignCreate.__struct_fields__
    if name.startswith("sample") or name.endswith(("_keywords", "_message", "_link", "_link_sample"))
    if name != "embedded_link"
)
"""The optional strings of a campaign, stored by name with the flags."""

Loose = Annotated[
    str, Meta(max_length=8192, pattern=STORABLE, extra=error_text("must be text of at most 8192 characters"))
]


class CampaignDraft(Request, frozen=True):
    """A campaign as far as it is written; nothing is required, and what is wrong with it is a finding.

    Only values of a wrong type are rejected with 422.
    """

    brand_id: Loose | None = None
    usecase: Loose | None = None
    description: Loose | None = None
    message_flow: Loose | None = None
    sub_usecases: Annotated[list[Loose], Meta(max_length=50, extra=error_text("must be a list of strings"))] | None = (
        None
    )
    sample1: Loose | None = None
    sample2: Loose | None = None
    sample3: Loose | None = None
    sample4: Loose | None = None
    sample5: Loose | None = None
    optin_keywords: Loose | None = None
    optin_message: Loose | None = None
    optout_keywords: Loose | None = None
    optout_message: Loose | None = None
    help_keywords: Loose | None = None
    help_message: Loose | None = None
    privacy_policy_link: Loose | None = None
    terms_and_conditions_link: Loose | None = None
    embedded_link_sample: Loose | None = None
    embedded_link: bool | None = None
    embedded_phone: bool | None = None
    terms_and_conditions: bool | None = None
    number_pool: bool | None = None
    age_gated: bool | None = None
    direct_lending: bool | None = None
    subscriber_optin: bool | None = None
    subscriber_optout: bool | None = None
    subscriber_help: bool | None = None

    @property
    def samples(self) -> dict[str, str]:
        """The samples that are there, by field."""
        return {name: text for name in SAMPLES if (text := getattr(self, name))}


class CampaignQuery(OffsetQuery, frozen=True):
    """Filters of the list; all given ones must hold."""

    status: (
        Annotated[CampaignStatus, Meta(extra=error_text("must be one of " + ", ".join(CampaignStatus)))] | UnsetType
    ) = UNSET
    brand_id: BrandId | UnsetType = UNSET


class DeactivateQuery(Request, frozen=True):
    """How to deactivate."""

    detach_numbers: Annotated[
        bool,
        Meta(description="Detach the campaign's numbers as well.", extra=error_text("must be true or false")),
    ] = False


class CampaignResource(Resource, frozen=True):
    """A campaign.

    `status` ACTIVE with `is_suspended` true: approved, but stopped by an operator for now. `mno_metadata` is keyed by
    operator (10017 AT&T, 10035 T-Mobile, 10036 US Cellular, 10038 Verizon). `monthly_fee` is in dollars.
    """

    id: UUID
    org_id: UUID
    brand_id: UUID
    tcr_campaign_id: str | None
    status: CampaignStatus
    is_suspended: bool
    usecase: Usecase
    sub_usecases: list[SubUsecase]
    description: str
    message_flow: str
    sample1: str | None
    sample2: str | None
    sample3: str | None
    sample4: str | None
    sample5: str | None
    optin_keywords: str | None
    optin_message: str | None
    optout_keywords: str | None
    optout_message: str | None
    help_keywords: str | None
    help_message: str | None
    privacy_policy_link: str | None
    terms_and_conditions_link: str | None
    embedded_link_sample: str | None
    embedded_link: bool
    embedded_phone: bool
    terms_and_conditions: bool
    number_pool: bool
    age_gated: bool
    direct_lending: bool
    subscriber_optin: bool
    subscriber_optout: bool
    subscriber_help: bool
    number_cap: int
    mno_metadata: dict[str, dict[str, Any]]
    monthly_fee: float
    submitted_at: datetime | None
    billed_date: datetime | None
    next_renewal_or_expiration_date: date | None
    expiration_date: date | None
    rejection_reasons: list[str]
    rejected_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, campaign: Campaign) -> "CampaignResource":
        """A stored campaign as its organization sees it."""
        strings: dict[str, Any] = {name: campaign.fields.get(name) for name in TEXT_FIELDS}
        flags: dict[str, Any] = {name: bool(campaign.fields.get(name)) for name in FLAGS}
        return cls(
            id=campaign.id,
            org_id=campaign.org_id,
            brand_id=campaign.brand_id,
            tcr_campaign_id=campaign.tcr_campaign_id,
            status=CampaignStatus(campaign.status),
            is_suspended=campaign.is_suspended,
            usecase=Usecase(campaign.usecase),
            sub_usecases=[SubUsecase(name) for name in campaign.sub_usecases],
            description=campaign.description,
            message_flow=campaign.message_flow,
            **strings,
            **flags,
            number_cap=campaign.number_cap,
            mno_metadata={operator: dict(facts) for operator, facts in campaign.mno_metadata.items()},
            monthly_fee=campaign.monthly_fee_microcents / MICROCENTS_PER_DOLLAR,
            submitted_at=campaign.submitted_at,
            billed_date=campaign.billed_at,
            next_renewal_or_expiration_date=campaign.renews_on,
            expiration_date=campaign.expired_at.date() if campaign.expired_at else None,
            rejection_reasons=list(campaign.rejection_reasons),
            rejected_at=campaign.rejected_at,
            created_at=campaign.created_at,
            updated_at=campaign.updated_at,
        )


class Severity(StrEnum):
    """How severe a finding is: `block` would be rejected, by us or in review; `warn` may be; `info` is a note."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class Finding(Resource, frozen=True):
    """One finding about a draft. `id` is stable, for programs; the text may change."""

    id: str
    severity: Severity
    category: str
    field: str | None
    title: str
    detail: str
    suggested_fix: str
    source: str
    docs_url: str


class CheckedUrl(Resource, frozen=True):
    """A page that was requested. `status` is its HTTP status, null without a response; `reason` says why."""

    field: str
    url: str
    reachable: bool
    status: int | None
    reason: str | None


class ReviewResource(Resource, frozen=True):
    """The findings about a draft. `can_submit` is false when one blocks; `counts` are by severity."""

    can_submit: bool
    llm_used: bool
    generated_at: datetime
    counts: dict[str, int]
    findings: list[Finding]
    checked_urls: list[CheckedUrl]
