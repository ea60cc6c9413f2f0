"""A campaign: its states and the moves between them, and the frozen values that the room works with."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import msgspec
from msgspec import Struct


class CampaignStatus(StrEnum):
    """PENDING in review, ACTIVE approved (perhaps suspended for now), REJECTED, EXPIRED (final)."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


MOVES: Mapping[str, frozenset[CampaignStatus]] = {
    CampaignStatus.PENDING: frozenset({CampaignStatus.ACTIVE, CampaignStatus.REJECTED, CampaignStatus.EXPIRED}),
    CampaignStatus.ACTIVE: frozenset({CampaignStatus.REJECTED, CampaignStatus.EXPIRED}),
    CampaignStatus.REJECTED: frozenset({CampaignStatus.ACTIVE, CampaignStatus.EXPIRED}),  # an appeal may succeed
    CampaignStatus.EXPIRED: frozenset(),
}
"""The statuses that may follow each status; `rules.status_change` is its only reader."""


class Usecase(StrEnum):
    """Why the brand sends messages, in the registry's words. LOW_VOLUME_MIXED is LOW_VOLUME."""

    TWO_FACTOR = "2FA"
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


class SubUsecase(StrEnum):
    """The parts of a mixed campaign: the standard single use cases."""

    TWO_FACTOR = "2FA"
    ACCOUNT_NOTIFICATION = "ACCOUNT_NOTIFICATION"
    CUSTOMER_CARE = "CUSTOMER_CARE"
    DELIVERY_NOTIFICATION = "DELIVERY_NOTIFICATION"
    FRAUD_ALERT = "FRAUD_ALERT"
    HIGHER_EDUCATION = "HIGHER_EDUCATION"
    MARKETING = "MARKETING"
    POLLING_VOTING = "POLLING_VOTING"
    PUBLIC_SERVICE_ANNOUNCEMENT = "PUBLIC_SERVICE_ANNOUNCEMENT"
    SECURITY_ALERT = "SECURITY_ALERT"


FLAGS = (
    "embedded_link",
    "embedded_phone",
    "terms_and_conditions",
    "number_pool",
    "age_gated",
    "direct_lending",
    "subscriber_optin",
    "subscriber_optout",
    "subscriber_help",
)
"""The yes-or-no statements about content and recipients; unset is false."""

SAMPLES = ("sample1", "sample2", "sample3", "sample4", "sample5")


class Campaign(Struct, frozen=True):
    """One campaign as stored, in the order of the columns in `queries`.

    `fields` holds samples, keywords, messages and links (strings) and flags (booleans) by name, without unset ones.
    """

    id: UUID
    org_id: UUID
    account: str
    brand_id: UUID
    tcr_campaign_id: str | None
    status: str
    is_suspended: bool
    is_shared: bool
    usecase: str
    sub_usecases: Sequence[str]
    description: str
    message_flow: str
    fields: Mapping[str, str | bool]
    number_cap: int
    mno_metadata: Mapping[str, Mapping[str, Any]]
    monthly_fee_microcents: int
    months_charged: int
    filed_at: datetime | None
    filing_misses: int
    submitted_at: datetime | None
    activated_at: datetime | None
    billed_at: datetime | None
    renews_on: date | None
    expired_at: datetime | None
    rejection_reasons: Sequence[str]
    rejected_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def tcr_id(self) -> str | None:
        """The registry's id; None until it is registered."""
        return self.tcr_campaign_id

    @property
    def reference_id(self) -> str:
        """Our key at the registry: unique, and known before the registry's own id is."""
        return self.id.hex

    @property
    def may_be_filed(self) -> bool:
        """Whether its status calls for a filing."""
        return self.status == CampaignStatus.PENDING

    def with_filing(self, filed_at: datetime | None, *, misses: int = 0) -> Self:
        """The record after a step of its filing."""
        return msgspec.structs.replace(self, filed_at=filed_at, filing_misses=misses)


class BindingCampaign(Struct, frozen=True):
    """What the numbers room needs of a campaign before it puts a number on it."""

    id: UUID
    status: str
    is_suspended: bool
    tcr_campaign_id: str | None
    number_cap: int
    brand_identity_status: str | None
