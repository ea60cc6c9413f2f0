"""What guardrails are: the tools, the rungs of the ladder, and the frozen values that the room works with."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from agentmessage.organizations.model import QuietHoursMode

__all__ = [
    "Autostamp",
    "AutostampCadence",
    "Binding",
    "Bound",
    "FrequencyCap",
    "Member",
    "Pool",
    "Profile",
    "QuietHoursMode",
    "QuietWindow",
    "Reach",
    "Resolved",
    "Rung",
    "ScopeKind",
    "Source",
    "Tool",
]

MINUTES_OF_DAY = 1440


class ScopeKind(StrEnum):
    """What a profile can be bound to; `use_case_default` is the organization itself."""

    PHONE_NUMBER = "phone_number"
    POOL = "pool"
    CAMPAIGN = "campaign"
    BRAND = "brand"
    USE_CASE_DEFAULT = "use_case_default"


class Rung(StrEnum):
    """Who may decide about a tool, the most specific first."""

    PHONE_NUMBER = "phone_number"
    POOL = "pool"
    CAMPAIGN = "campaign"
    BRAND = "brand"
    USE_CASE_DEFAULT = "use_case_default"
    PLATFORM_FLOOR = "platform_floor"


class Tool(StrEnum):
    """What a profile switches. Suppression is the law's: switching it off is kept on record and changes nothing."""

    QUIET_HOURS = "quiet_hours"
    FREQ_CAP = "freq_cap"
    CONSENT_FRESHNESS = "consent_freshness"
    AUTOSTAMP = "autostamp"
    SUPPRESSION = "suppression"
    BRANDED_LINK_ADVISORY = "branded_link_advisory"


class AutostampCadence(StrEnum):
    """Which texts to one recipient carry the sender's disclosure: all, the first ever, or the first in 24 hours."""

    EVERY = "every"
    FIRST = "first"
    DAILY = "daily"


class Profile(Struct, frozen=True):
    """A set of guardrails as stored, in the order of `queries`' columns.

    Every `*_disabled`: None inherits from the next wider scope; False is on, with the settings beside it; True is off.
    Minutes count from midnight at the recipient's.
    """

    id: UUID
    org_id: UUID
    name: str
    source: str
    template_key: str | None
    quiet_hours_disabled: bool | None
    quiet_hours_start_minute: int | None
    quiet_hours_end_minute: int | None
    quiet_hours_mode: str | None
    freq_cap_disabled: bool | None
    freq_cap_window_minutes: int | None
    freq_cap_max_in_window: int | None
    consent_freshness_disabled: bool | None
    consent_freshness_max_age_days: int | None
    autostamp_disabled: bool | None
    autostamp_sender_id_text: str | None
    autostamp_cadence: str | None
    suppression_disabled: bool | None
    branded_link_advisory_disabled: bool | None
    created_at: datetime
    updated_at: datetime


class Binding(Struct, frozen=True):
    """A profile on a scope; the organization's default has the organization's own id as `scope_id`."""

    id: UUID
    org_id: UUID
    scope_kind: str
    scope_id: UUID
    profile_id: UUID
    created_at: datetime
    updated_at: datetime


class Pool(Struct, frozen=True):
    """Numbers of one brand that share a profile; `slug` is unique in the organization."""

    id: UUID
    org_id: UUID
    brand_id: UUID
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime


class Member(Struct, frozen=True):
    """A number in a pool; it is in no other one."""

    pool_id: UUID
    phone_number_id: UUID
    org_id: UUID
    added_at: datetime


class Reach(Struct, frozen=True):
    """A number that one holds, and the brand that it reaches through its campaign; None: it is on none."""

    phone_number_id: UUID
    brand_id: UUID | None


class QuietWindow(Struct, frozen=True):
    """Minutes of the local day without texts, from `start_minute` up to `end_minute`, over midnight if they cross."""

    start_minute: int
    end_minute: int


class FrequencyCap(Struct, frozen=True):
    """At most so many texts to one recipient in any stretch of so many minutes, counted over all of the scope."""

    scope_id: UUID
    window_minutes: int
    max_in_window: int


class Autostamp(Struct, frozen=True):
    """The sender's disclosure, and which texts carry it."""

    text: str
    cadence: AutostampCadence


class Source(Struct, frozen=True):
    """Who decided about a tool; the platform floor has neither scope nor profile."""

    rung: Rung
    scope_id: UUID | None = None
    profile_id: UUID | None = None


class Bound(Struct, frozen=True):
    """A scope of the ladder that has a profile."""

    scope_kind: ScopeKind
    scope_id: UUID
    profile: Profile


class Resolved(Struct, frozen=True):
    """What holds for one sender once the ladder has been read. None: the tool is off.

    `quiet_mode` says what becomes of a text inside the quiet window; without a window it says nothing.
    """

    quiet_window: QuietWindow | None
    quiet_mode: QuietHoursMode
    cap: FrequencyCap | None
    consent_max_age_days: int | None
    autostamp: Autostamp | None
    has_branded_link_advisory: bool
    sources: Mapping[Tool, Source]
