"""What an organization is: settings as frozen values, the audit row, and where an organization lives."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct


class Mode(StrEnum):
    """Whether money and texts are real. The word is also the carrier account of the organization's numbers."""

    LIVE = "live"
    SANDBOX = "sandbox"


class Plan(StrEnum):
    """What the organization has agreed to. It decides how fine its metrics are; prices are the catalogue's."""

    PAYG = "payg"
    STARTER = "starter"
    GROWTH = "growth"
    SCALE = "scale"
    CUSTOM = "custom"


class QuietHoursMode(StrEnum):
    """What happens to a text inside quiet hours: refused, or accepted and sent at their end."""

    REJECT = "reject"
    DEFER = "defer"


class OptOutScope(StrEnum):
    """How far a contact's STOP reaches, from the number that it was sent to."""

    NUMBER = "number"
    CAMPAIGN = "campaign"
    BRAND = "brand"
    ORGANIZATION = "organization"


class QuietHours(Struct, frozen=True, kw_only=True):
    """Hours of the recipient's local day without texts, from `start` to `end` (HH:MM), over midnight if they cross."""

    enabled: bool = False
    start: str = "21:00"
    end: str = "08:00"
    mode: QuietHoursMode = QuietHoursMode.REJECT


class AutoReplies(Struct, frozen=True, kw_only=True):
    """Answers to STOP, HELP and START; a null text is the platform's own. STOP suppresses, answered or not."""

    enabled: bool = True
    stop_text: str | None = None
    help_text: str | None = None
    start_text: str | None = None


class Organization(Struct, frozen=True):
    """A tenant as stored. Retention in days; `is_commercial` is what makes it eligible as a reseller."""

    id: UUID
    mode: Mode
    name: str
    billing_email: str | None
    plan: str
    throughput_tier: int
    message_retention_days: int
    mms_retention_days: int
    is_commercial: bool
    is_reseller: bool
    quiet_hours: QuietHours
    auto_replies: AutoReplies
    opt_out_scope: OptOutScope
    created_at: datetime
    updated_at: datetime


class Standing(Struct, frozen=True):
    """How far registration is. `brand` is ACTIVE when any brand is, else PENDING when any waits, else null."""

    brand: str | None
    brand_count: int
    campaign_count: int


class Address(Struct, frozen=True):
    """Where the directory says that an organization lives."""

    id: UUID
    cell: str
    mode: Mode
    twin_id: UUID | None


class Summary(Struct, frozen=True):
    """An organization as the operator's list shows it."""

    id: UUID
    name: str
    mode: Mode
    cell: str
    twin_id: UUID | None
    balance_microcents: int
    created_at: datetime


class AuditRow(Struct, frozen=True):
    """One act, as stored; `id` is a ULID."""

    id: str
    occurred_at: datetime
    actor_kind: str
    actor_label: str
    action: str
    resource_type: str
    resource_id: str
    reason: str | None
    request_id: str | None
    payload: Any
