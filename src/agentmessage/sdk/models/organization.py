"""Values of `organization`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime
from typing import NotRequired, TypedDict

from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import OptOutScope, QuietHoursMode, QuietHoursModeWord


class AutoReplies(Model, frozen=True, kw_only=True):
    """Answers to STOP, HELP and START; a null text is the platform's own. STOP suppresses, answered or not."""

    enabled: bool
    stop_text: str | None = None
    help_text: str | None = None
    start_text: str | None = None


class AutoRepliesPatch(TypedDict):
    """Changes of the answers to keywords; omitted fields stay, null is the default text.

    Turning them off needs `attestation`.
    """

    enabled: NotRequired[bool]
    stop_text: NotRequired[str | None]
    help_text: NotRequired[str | None]
    start_text: NotRequired[str | None]
    attestation: NotRequired[str]


class QuietHours(Model, frozen=True, kw_only=True):
    """Hours of the recipient's local day without texts, from `start` to `end` (HH:MM), over midnight if they cross."""

    enabled: bool
    start: str
    end: str
    mode: QuietHoursMode


class RegistrationStatus(Model, frozen=True, kw_only=True):
    """How far registration is. Deleted brands and rejected or expired campaigns do not count."""

    brand: str | None = None
    brand_count: int
    campaign_count: int


class Organization(Model, frozen=True, kw_only=True):
    """The organization that the key belongs to. Retention in days; a null reply text is the platform's default."""

    id: str
    name: str
    billing_email: str | None = None
    plan: str
    throughput_tier: int
    message_retention_days: int
    mms_retention_days: int
    is_reseller: bool
    quiet_hours: QuietHours
    auto_replies: AutoReplies
    opt_out_scope: OptOutScope
    registration_status: RegistrationStatus
    created_at: datetime


class QuietHoursPatch(TypedDict):
    """Changes of quiet hours; omitted fields stay. `start` and `end` must differ."""

    enabled: NotRequired[bool]
    start: NotRequired[str]
    end: NotRequired[str]
    mode: NotRequired[QuietHoursMode | QuietHoursModeWord]
