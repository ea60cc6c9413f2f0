"""Values of `campaigns`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, NotRequired, TypedDict

from agentmessage.sdk._request import Id
from agentmessage.sdk._response import Model
from agentmessage.sdk.open_enum import OpenEnum


class CampaignStatus(OpenEnum):
    """PENDING in review, ACTIVE approved (perhaps suspended for now), REJECTED, EXPIRED (final)."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


CampaignStatusWord = Literal["PENDING", "ACTIVE", "REJECTED", "EXPIRED"]


class SubUsecase(OpenEnum):
    """The parts of a mixed campaign: the standard single use cases."""

    N2FA = "2FA"
    ACCOUNT_NOTIFICATION = "ACCOUNT_NOTIFICATION"
    CUSTOMER_CARE = "CUSTOMER_CARE"
    DELIVERY_NOTIFICATION = "DELIVERY_NOTIFICATION"
    FRAUD_ALERT = "FRAUD_ALERT"
    HIGHER_EDUCATION = "HIGHER_EDUCATION"
    MARKETING = "MARKETING"
    POLLING_VOTING = "POLLING_VOTING"
    PUBLIC_SERVICE_ANNOUNCEMENT = "PUBLIC_SERVICE_ANNOUNCEMENT"
    SECURITY_ALERT = "SECURITY_ALERT"


SubUsecaseWord = Literal[
    "2FA",
    "ACCOUNT_NOTIFICATION",
    "CUSTOMER_CARE",
    "DELIVERY_NOTIFICATION",
    "FRAUD_ALERT",
    "HIGHER_EDUCATION",
    "MARKETING",
    "POLLING_VOTING",
    "PUBLIC_SERVICE_ANNOUNCEMENT",
    "SECURITY_ALERT",
]


class Usecase(OpenEnum):
    """Why the brand sends messages, in the registry's words. LOW_VOLUME_MIXED is LOW_VOLUME."""

    N2FA = "2FA"
    ACCOUNT_NOTIFICATION = "ACCOUNT_NOTIFICATION"
    CUSTOMER_CARE = "CUSTOMER_CARE"
    DELIVERY_NOTIFICATION = "DELIVERY_NOTIFICATION"
    FRAUD_ALERT = "FRAUD_ALERT"
    HIGHER_EDUCATION = "HIGHER_EDUCATION"
    LOW_VOLUME = "LOW_VOLUME"
    LOW_VOLUME_MIXED = "LOW_VOLUME_MIXED"
    MARKETING = "MARKETING"
    MIXED = "MIXED"
    POLLING_VOTING = "POLLING_VOTING"
    PUBLIC_SERVICE_ANNOUNCEMENT = "PUBLIC_SERVICE_ANNOUNCEMENT"
    SECURITY_ALERT = "SECURITY_ALERT"
    AGENTS_FRANCHISES = "AGENTS_FRANCHISES"
    CARRIER_EXEMPT = "CARRIER_EXEMPT"
    CHARITY = "CHARITY"
    EMERGENCY = "EMERGENCY"
    K12_EDUCATION = "K12_EDUCATION"
    POLITICAL = "POLITICAL"
    PROXY = "PROXY"
    SOCIAL = "SOCIAL"
    SWEEPSTAKE = "SWEEPSTAKE"
    TRIAL = "TRIAL"
    UCAAS_HIGH = "UCAAS_HIGH"
    UCAAS_LOW = "UCAAS_LOW"
    SOLE_PROPRIETOR = "SOLE_PROPRIETOR"


UsecaseWord = Literal[
    "2FA",
    "ACCOUNT_NOTIFICATION",
    "CUSTOMER_CARE",
    "DELIVERY_NOTIFICATION",
    "FRAUD_ALERT",
    "HIGHER_EDUCATION",
    "LOW_VOLUME",
    "LOW_VOLUME_MIXED",
    "MARKETING",
    "MIXED",
    "POLLING_VOTING",
    "PUBLIC_SERVICE_ANNOUNCEMENT",
    "SECURITY_ALERT",
    "AGENTS_FRANCHISES",
    "CARRIER_EXEMPT",
    "CHARITY",
    "EMERGENCY",
    "K12_EDUCATION",
    "POLITICAL",
    "PROXY",
    "SOCIAL",
    "SWEEPSTAKE",
    "TRIAL",
    "UCAAS_HIGH",
    "UCAAS_LOW",
    "SOLE_PROPRIETOR",
]


class ReviewSeverity(OpenEnum):
    """How severe a finding is: `block` would be rejected, by us or in review; `warn` may be; `info` is a note."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class CampaignFields(TypedDict):
    """A campaign to be filed and reviewed; accepted means charged for its first month and queued, not approved.

    At least one of sample1..sample5. `subscriber_optout` needs optout_keywords, `subscriber_help` needs help_keywords.
    Errors: 404 NOT_FOUND (brand), 409 BRAND_NOT_VERIFIED, 409 SOLE_PROPRIETOR_LIMIT, 402 INSUFFICIENT_CREDIT.
    """

    brand_id: Id
    usecase: Usecase | UsecaseWord
    description: str
    message_flow: str
    sub_usecases: NotRequired[Sequence[SubUsecase | SubUsecaseWord] | None]
    sample1: NotRequired[str | None]
    sample2: NotRequired[str | None]
    sample3: NotRequired[str | None]
    sample4: NotRequired[str | None]
    sample5: NotRequired[str | None]
    optin_keywords: NotRequired[str | None]
    optin_message: NotRequired[str | None]
    optout_keywords: NotRequired[str | None]
    optout_message: NotRequired[str | None]
    help_keywords: NotRequired[str | None]
    help_message: NotRequired[str | None]
    privacy_policy_link: NotRequired[str | None]
    terms_and_conditions_link: NotRequired[str | None]
    embedded_link_sample: NotRequired[str | None]
    embedded_link: NotRequired[bool]
    embedded_phone: NotRequired[bool]
    terms_and_conditions: NotRequired[bool]
    number_pool: NotRequired[bool]
    age_gated: NotRequired[bool]
    direct_lending: NotRequired[bool]
    subscriber_optin: NotRequired[bool]
    subscriber_optout: NotRequired[bool]
    subscriber_help: NotRequired[bool]


class CampaignDraft(TypedDict):
    """A campaign as far as it is written; nothing is required, and what is wrong with it is a finding.

    Only values of a wrong type are rejected with 422.
    """

    brand_id: NotRequired[str | None]
    usecase: NotRequired[str | None]
    description: NotRequired[str | None]
    message_flow: NotRequired[str | None]
    sub_usecases: NotRequired[Sequence[str] | None]
    sample1: NotRequired[str | None]
    sample2: NotRequired[str | None]
    sample3: NotRequired[str | None]
    sample4: NotRequired[str | None]
    sample5: NotRequired[str | None]
    optin_keywords: NotRequired[str | None]
    optin_message: NotRequired[str | None]
    optout_keywords: NotRequired[str | None]
    optout_message: NotRequired[str | None]
    help_keywords: NotRequired[str | None]
    help_message: NotRequired[str | None]
    privacy_policy_link: NotRequired[str | None]
    terms_and_conditions_link: NotRequired[str | None]
    embedded_link_sample: NotRequired[str | None]
    embedded_link: NotRequired[bool | None]
    embedded_phone: NotRequired[bool | None]
    terms_and_conditions: NotRequired[bool | None]
    number_pool: NotRequired[bool | None]
    age_gated: NotRequired[bool | None]
    direct_lending: NotRequired[bool | None]
    subscriber_optin: NotRequired[bool | None]
    subscriber_optout: NotRequired[bool | None]
    subscriber_help: NotRequired[bool | None]


class Campaign(Model, frozen=True, kw_only=True):
    """A campaign.

    `status` ACTIVE with `is_suspended` true: approved, but stopped by an operator for now. `mno_metadata` is keyed by
    operator (10017 AT&T, 10035 T-Mobile, 10036 US Cellular, 10038 Verizon). `monthly_fee` is in dollars.
    """

    id: str
    org_id: str
    brand_id: str
    tcr_campaign_id: str | None = None
    status: CampaignStatus
    is_suspended: bool
    usecase: Usecase
    sub_usecases: tuple[SubUsecase, ...]
    description: str
    message_flow: str
    sample1: str | None = None
    sample2: str | None = None
    sample3: str | None = None
    sample4: str | None = None
    sample5: str | None = None
    optin_keywords: str | None = None
    optin_message: str | None = None
    optout_keywords: str | None = None
    optout_message: str | None = None
    help_keywords: str | None = None
    help_message: str | None = None
    privacy_policy_link: str | None = None
    terms_and_conditions_link: str | None = None
    embedded_link_sample: str | None = None
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
    mno_metadata: Mapping[str, Mapping[str, Any]]
    monthly_fee: float
    submitted_at: datetime | None = None
    billed_date: datetime | None = None
    next_renewal_or_expiration_date: date | None = None
    expiration_date: date | None = None
    rejection_reasons: tuple[str, ...]
    rejected_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class CheckedUrl(Model, frozen=True, kw_only=True):
    """A page that was requested. `status` is its HTTP status, null without a response; `reason` says why."""

    field: str
    url: str
    reachable: bool
    status: int | None = None
    reason: str | None = None


class ReviewFinding(Model, frozen=True, kw_only=True):
    """One finding about a draft. `id` is stable, for programs; the text may change."""

    id: str
    severity: ReviewSeverity
    category: str
    field: str | None = None
    title: str
    detail: str
    suggested_fix: str
    source: str
    docs_url: str


class Review(Model, frozen=True, kw_only=True):
    """The findings about a draft. `can_submit` is false when one blocks; `counts` are by severity."""

    can_submit: bool
    llm_used: bool
    generated_at: datetime
    counts: Mapping[str, int]
    findings: tuple[ReviewFinding, ...]
    checked_urls: tuple[CheckedUrl, ...]
