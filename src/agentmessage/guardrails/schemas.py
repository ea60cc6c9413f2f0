"""Profiles, bindings and pools on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from agentmessage.guardrails.model import (
    AutostampCadence,
    Binding,
    Member,
    Pool,
    Profile,
    QuietHoursMode,
    ScopeKind,
)
from agentmessage.web.types import END, STORABLE, CursorText, Request, Resource, error_text

NOT_BLANK = r"^[^\u0000]*[^\s\u0000][^\u0000]*" + END
MAX_MEMBERS = 1000

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=NOT_BLANK,
        examples=["Night rest"],
        extra=error_text("must be 1..100 characters, not all blank"),
    ),
]
Slug = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[a-z0-9][a-z0-9_-]*" + END,
        description="Unique in the organization.",
        examples=["west-coast"],
        extra=error_text("must be 1..100 of a-z, 0-9, - and _, beginning with a letter or digit"),
    ),
]
Id = Annotated[UUID, Meta(extra=error_text("must be a UUID"))]
Switch = Annotated[
    bool,
    Meta(
        description="null inherits from the next wider scope, false is on with the settings beside it, true is off.",
        extra=error_text("must be true, false or null"),
    ),
]
Minute = Annotated[
    int,
    Meta(
        ge=0,
        le=1439,
        description="Minutes after midnight at the recipient's.",
        extra=error_text("must be an integer, 0..1439"),
    ),
]
QuietMode = Annotated[QuietHoursMode, Meta(extra=error_text("must be one of reject, defer"))]
CapWindow = Annotated[
    int,
    Meta(
        ge=1,
        le=525_600,
        description="Minutes in which texts to one recipient are counted.",
        extra=error_text("must be an integer, 1..525600"),
    ),
]
CapMost = Annotated[
    int,
    Meta(
        ge=1,
        le=1000,
        description="Texts to one recipient within the window.",
        extra=error_text("must be an integer, 1..1000"),
    ),
]
MaxAge = Annotated[
    int,
    Meta(
        ge=1,
        le=36_500,
        description="Days since the recipient last opted in or reconfirmed.",
        extra=error_text("must be an integer, 1..36500"),
    ),
]
StampText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=160,
        pattern=NOT_BLANK,
        description="The sender's disclosure, appended to texts; it counts for their segments.",
        examples=["Acme Dental. Reply STOP to opt out."],
        extra=error_text("must be 1..160 characters, not all blank"),
    ),
]
Cadence = Annotated[AutostampCadence, Meta(extra=error_text("must be one of every, first, daily"))]
Suppression = Annotated[
    bool,
    Meta(
        description="Kept on record and without effect: STOP always suppresses.",
        extra=error_text("must be true, false or null"),
    ),
]


class ListQuery(Request, frozen=True):
    """Paging: newest first."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 50


class PoolList(ListQuery, frozen=True):
    """Which pools to list."""

    brand_id: Id | UnsetType = UNSET


class ProfileResource(Resource, frozen=True):
    """A set of guardrails. It has no effect until it is bound. Minutes count from midnight at the recipient's.

    Every `*_disabled`: null inherits from the next wider scope; false is on, with the settings beside it; true is off.
    `quiet_hours_mode` null is `reject`, `autostamp_cadence` null is `every`.
    """

    id: UUID
    org_id: UUID
    name: str
    source: str
    template_key: str | None
    quiet_hours_disabled: bool | None
    quiet_hours_start_minute: int | None
    quiet_hours_end_minute: int | None
    quiet_hours_mode: QuietHoursMode | None
    freq_cap_disabled: bool | None
    freq_cap_window_minutes: int | None
    freq_cap_max_in_window: int | None
    consent_freshness_disabled: bool | None
    consent_freshness_max_age_days: int | None
    autostamp_disabled: bool | None
    autostamp_sender_id_text: str | None
    autostamp_cadence: AutostampCadence | None
    suppression_disabled: bool | None
    branded_link_advisory_disabled: bool | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """A stored profile."""
        return msgspec.convert(profile, cls, from_attributes=True)


class ProfileCreate(Request, frozen=True):
    """A new profile; what is left out inherits.

    A tool that is on (`*_disabled` false) needs its settings: both quiet-hours minutes, which must differ; window and
    most of the frequency cap; the age of consent; the text of the stamp.
    """

    name: Name
    quiet_hours_disabled: Switch | None = None
    quiet_hours_start_minute: Minute | None = None
    quiet_hours_end_minute: Minute | None = None
    quiet_hours_mode: QuietMode | None = None
    freq_cap_disabled: Switch | None = None
    freq_cap_window_minutes: CapWindow | None = None
    freq_cap_max_in_window: CapMost | None = None
    consent_freshness_disabled: Switch | None = None
    consent_freshness_max_age_days: MaxAge | None = None
    autostamp_disabled: Switch | None = None
    autostamp_sender_id_text: StampText | None = None
    autostamp_cadence: Cadence | None = None
    suppression_disabled: Suppression | None = None
    branded_link_advisory_disabled: Switch | None = None


class ProfilePatch(Request, frozen=True):
    """Changes of a profile: left out stays, a value is set, null goes back to inheriting."""

    name: Name | UnsetType = UNSET
    quiet_hours_disabled: Switch | UnsetType | None = UNSET
    quiet_hours_start_minute: Minute | UnsetType | None = UNSET
    quiet_hours_end_minute: Minute | UnsetType | None = UNSET
    quiet_hours_mode: QuietMode | UnsetType | None = UNSET
    freq_cap_disabled: Switch | UnsetType | None = UNSET
    freq_cap_window_minutes: CapWindow | UnsetType | None = UNSET
    freq_cap_max_in_window: CapMost | UnsetType | None = UNSET
    consent_freshness_disabled: Switch | UnsetType | None = UNSET
    consent_freshness_max_age_days: MaxAge | UnsetType | None = UNSET
    autostamp_disabled: Switch | UnsetType | None = UNSET
    autostamp_sender_id_text: StampText | UnsetType | None = UNSET
    autostamp_cadence: Cadence | UnsetType | None = UNSET
    suppression_disabled: Suppression | UnsetType | None = UNSET
    branded_link_advisory_disabled: Switch | UnsetType | None = UNSET


class BindingResource(Resource, frozen=True):
    """A profile on a scope. The organization's default is `use_case_default` and names no target."""

    id: UUID
    org_id: UUID
    scope_kind: ScopeKind
    brand_id: UUID | None
    campaign_id: UUID | None
    phone_number_id: UUID | None
    pool_id: UUID | None
    profile_id: UUID
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, binding: Binding) -> Self:
        """A stored binding: its scope under the name of its kind."""
        kind = ScopeKind(binding.scope_kind)
        return cls(
            id=binding.id,
            org_id=binding.org_id,
            scope_kind=kind,
            brand_id=binding.scope_id if kind is ScopeKind.BRAND else None,
            campaign_id=binding.scope_id if kind is ScopeKind.CAMPAIGN else None,
            phone_number_id=binding.scope_id if kind is ScopeKind.PHONE_NUMBER else None,
            pool_id=binding.scope_id if kind is ScopeKind.POOL else None,
            profile_id=binding.profile_id,
            created_at=binding.created_at,
            updated_at=binding.updated_at,
        )


class BindingPut(Request, frozen=True):
    """What to bind to what: at most one target, none for the organization's default."""

    profile_id: Id
    brand_id: Id | None = None
    campaign_id: Id | None = None
    phone_number_id: Id | None = None
    pool_id: Id | None = None


class BindingRemoval(Request, frozen=True):
    """Why less may hold from now on; needed when that is what the removal means."""

    attestation: (
        Annotated[
            str,
            Meta(
                max_length=1000,
                pattern=STORABLE,
                description="Kept word for word in the audit log.",
                examples=["Our ward staff asked for alerts at night, in writing."],
                extra=error_text("must be at most 1000 characters"),
            ),
        ]
        | UnsetType
        | None
    ) = UNSET


class PoolResource(Resource, frozen=True):
    """Numbers of one brand that share a profile. It has no effect without members and a binding."""

    id: UUID
    org_id: UUID
    brand_id: UUID
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, pool: Pool) -> Self:
        """A stored pool."""
        return msgspec.convert(pool, cls, from_attributes=True)


class PoolCreate(Request, frozen=True):
    """A new pool, without members."""

    brand_id: Id
    name: Name
    slug: Slug


class PoolPatch(Request, frozen=True):
    """Changes of a pool; left out stays. Its brand is fixed."""

    name: Name | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET


class MemberResource(Resource, frozen=True):
    """A number in a pool."""

    pool_id: UUID
    phone_number_id: UUID
    org_id: UUID
    added_at: datetime

    @classmethod
    def of(cls, member: Member) -> Self:
        """A stored membership."""
        return msgspec.convert(member, cls, from_attributes=True)


class MembersPut(Request, frozen=True):
    """Who is in the pool from now on, and nobody else."""

    phone_number_ids: Annotated[
        list[UUID],
        Meta(
            max_length=MAX_MEMBERS,
            description="Each on a campaign of the pool's brand, none twice. They leave other pools.",
            extra=error_text(f"must be a list of at most {MAX_MEMBERS} UUIDs"),
        ),
    ]
