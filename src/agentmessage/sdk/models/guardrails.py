"""Values of `guardrails`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import Encoding, QuietHoursMode, QuietHoursModeWord
from agentmessage.sdk.open_enum import OpenEnum


class AutostampCadence(OpenEnum):
    """Which texts to one recipient carry the sender's disclosure: all, the first ever, or the first in 24 hours."""

    EVERY = "every"
    FIRST = "first"
    DAILY = "daily"


AutostampCadenceWord = Literal["every", "first", "daily"]


class ScopeKind(OpenEnum):
    """What a profile can be bound to; `use_case_default` is the organization itself."""

    PHONE_NUMBER = "phone_number"
    POOL = "pool"
    CAMPAIGN = "campaign"
    BRAND = "brand"
    USE_CASE_DEFAULT = "use_case_default"


class PreflightSeverity(OpenEnum):
    """What a finding means for the message."""

    PASS = "pass"
    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


class Binding(Model, frozen=True, kw_only=True):
    """A profile on a scope. The organization's default is `use_case_default` and names no target."""

    id: str
    org_id: str
    scope_kind: ScopeKind
    brand_id: str | None = None
    campaign_id: str | None = None
    phone_number_id: str | None = None
    pool_id: str | None = None
    profile_id: str
    created_at: datetime
    updated_at: datetime


class GuardrailDecision(Model, frozen=True, kw_only=True):
    """The scope that decided a guardrail."""

    scope_kind: str
    scope_id: str | None = None
    profile_id: str | None = None


class Member(Model, frozen=True, kw_only=True):
    """A number in a pool."""

    pool_id: str
    phone_number_id: str
    org_id: str
    added_at: datetime


class Pool(Model, frozen=True, kw_only=True):
    """Numbers of one brand that share a profile. It has no effect without members and a binding."""

    id: str
    org_id: str
    brand_id: str
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime


class PreflightFinding(Model, frozen=True, kw_only=True):
    """One check of the message. `code` is the error that sending would return; null if it is none."""

    check: str
    severity: PreflightSeverity
    code: str | None = None
    title: str
    suggested_fix: str | None = None
    details: Mapping[str, str] | None = None


class Preflight(Model, frozen=True, kw_only=True):
    """Whether the message would be accepted now, and every finding, in the order of sending."""

    can_submit: bool
    findings: tuple[PreflightFinding, ...]
    source_breakdown: Mapping[str, GuardrailDecision]
    segment_count: int
    encoding: Encoding
    cost_cents: int
    appended_text: str | None = None
    would_be_sent_at: datetime


class ProfileFields(TypedDict):
    """A new profile; what is left out inherits.

    A tool that is on (`*_disabled` false) needs its settings: both quiet-hours minutes, which must differ; window and
    most of the frequency cap; the age of consent; the text of the stamp.
    """

    name: str
    quiet_hours_disabled: NotRequired[bool | None]
    quiet_hours_start_minute: NotRequired[int | None]
    quiet_hours_end_minute: NotRequired[int | None]
    quiet_hours_mode: NotRequired[QuietHoursMode | QuietHoursModeWord | None]
    freq_cap_disabled: NotRequired[bool | None]
    freq_cap_window_minutes: NotRequired[int | None]
    freq_cap_max_in_window: NotRequired[int | None]
    consent_freshness_disabled: NotRequired[bool | None]
    consent_freshness_max_age_days: NotRequired[int | None]
    autostamp_disabled: NotRequired[bool | None]
    autostamp_sender_id_text: NotRequired[str | None]
    autostamp_cadence: NotRequired[AutostampCadence | AutostampCadenceWord | None]
    suppression_disabled: NotRequired[bool | None]
    branded_link_advisory_disabled: NotRequired[bool | None]


class ProfileChanges(TypedDict):
    """Changes of a profile: left out stays, a value is set, null goes back to inheriting."""

    name: NotRequired[str]
    quiet_hours_disabled: NotRequired[bool | None]
    quiet_hours_start_minute: NotRequired[int | None]
    quiet_hours_end_minute: NotRequired[int | None]
    quiet_hours_mode: NotRequired[QuietHoursMode | QuietHoursModeWord | None]
    freq_cap_disabled: NotRequired[bool | None]
    freq_cap_window_minutes: NotRequired[int | None]
    freq_cap_max_in_window: NotRequired[int | None]
    consent_freshness_disabled: NotRequired[bool | None]
    consent_freshness_max_age_days: NotRequired[int | None]
    autostamp_disabled: NotRequired[bool | None]
    autostamp_sender_id_text: NotRequired[str | None]
    autostamp_cadence: NotRequired[AutostampCadence | AutostampCadenceWord | None]
    suppression_disabled: NotRequired[bool | None]
    branded_link_advisory_disabled: NotRequired[bool | None]


class Profile(Model, frozen=True, kw_only=True):
    """A set of guardrails. It has no effect until it is bound. Minutes count from midnight at the recipient's.

    Every `*_disabled`: null inherits from the next wider scope; false is on, with the settings beside it; true is off.
    `quiet_hours_mode` null is `reject`, `autostamp_cadence` null is `every`.
    """

    id: str
    org_id: str
    name: str
    source: str
    template_key: str | None = None
    quiet_hours_disabled: bool | None = None
    quiet_hours_start_minute: int | None = None
    quiet_hours_end_minute: int | None = None
    quiet_hours_mode: QuietHoursMode | None = None
    freq_cap_disabled: bool | None = None
    freq_cap_window_minutes: int | None = None
    freq_cap_max_in_window: int | None = None
    consent_freshness_disabled: bool | None = None
    consent_freshness_max_age_days: int | None = None
    autostamp_disabled: bool | None = None
    autostamp_sender_id_text: str | None = None
    autostamp_cadence: AutostampCadence | None = None
    suppression_disabled: bool | None = None
    branded_link_advisory_disabled: bool | None = None
    created_at: datetime
    updated_at: datetime
