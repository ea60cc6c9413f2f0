"""An organization and its audit log on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.organizations.model import (
    AuditRow,
    AutoReplies,
    OptOutScope,
    Organization,
    QuietHours,
    QuietHoursMode,
    Standing,
)
from agentmessage.web.types import END, STORABLE, CursorText, Request, Resource, Utc, error_text

# Postgres cannot store NUL in text.

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=STORABLE,
        examples=["Acme Dental"],
        extra=error_text("must be 1..100 characters"),
    ),
]
_MAIL = r"[^@\s\u0000-\u001f\u007f-\u009f]"

Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=rf"^{_MAIL}+@{_MAIL}+\.{_MAIL}+{END}",
        examples=["billing@customer.example"],
        extra=error_text("must be an email address of at most 254 characters, or null"),
    ),
]
TimeOfDay = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]" + END,
        min_length=5,
        max_length=5,
        examples=["21:00"],
        extra=error_text("must be HH:MM, 00:00..23:59"),
    ),
]
ReplyText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=320,
        pattern=STORABLE,
        examples=["You are unsubscribed and will receive no more messages."],
        extra=error_text("must be 1..320 characters, or null for the default"),
    ),
]
Attestation = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1000,
        pattern=STORABLE,
        description="Who answers STOP, HELP and START instead; kept in the audit log.",
        examples=["Our own system confirms STOP, HELP and START within a minute."],
        extra=error_text("must be 1..1000 characters"),
    ),
]
FilterText = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=STORABLE, extra=error_text("must be 1..100 characters"))
]


class RegistrationStatus(Resource, frozen=True):
    """How far registration is. Deleted brands and rejected or expired campaigns do not count."""

    brand: Literal["PENDING", "ACTIVE"] | None
    brand_count: int
    campaign_count: int


class OrganizationResource(Resource, frozen=True):
    """The organization that the key belongs to. Retention in days; a null reply text is the platform's default."""

    id: UUID
    name: str
    billing_email: str | None
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

    @classmethod
    def of(cls, organization: Organization, standing: Standing) -> "OrganizationResource":
        """An organization as its owner sees it."""
        return cls(
            id=organization.id,
            name=organization.name,
            billing_email=organization.billing_email,
            plan=organization.plan,
            throughput_tier=organization.throughput_tier,
            message_retention_days=organization.message_retention_days,
            mms_retention_days=organization.mms_retention_days,
            is_reseller=organization.is_reseller,
            quiet_hours=organization.quiet_hours,
            auto_replies=organization.auto_replies,
            opt_out_scope=organization.opt_out_scope,
            registration_status=RegistrationStatus(
                "ACTIVE" if standing.brand == "ACTIVE" else "PENDING" if standing.brand else None,
                standing.brand_count,
                standing.campaign_count,
            ),
            created_at=organization.created_at,
        )


class QuietHoursPatch(Request, frozen=True):
    """Changes of quiet hours; omitted fields stay. `start` and `end` must differ."""

    enabled: bool | UnsetType = UNSET
    start: TimeOfDay | UnsetType = UNSET
    end: TimeOfDay | UnsetType = UNSET
    mode: Annotated[QuietHoursMode, Meta(extra=error_text("must be one of reject, defer"))] | UnsetType = UNSET


class AutoRepliesPatch(Request, frozen=True):
    """Changes of the answers to keywords; omitted fields stay, null is the default text.

    Turning them off needs `attestation`.
    """

    enabled: bool | UnsetType = UNSET
    stop_text: ReplyText | UnsetType | None = UNSET
    help_text: ReplyText | UnsetType | None = UNSET
    start_text: ReplyText | UnsetType | None = UNSET
    attestation: Attestation | UnsetType = UNSET


class OrganizationPatch(Request, frozen=True):
    """Changes of an organization; omitted fields stay.

    Errors: 422 RESELLER_NOT_ELIGIBLE, 422 RESELLER_HAS_BRANDS, 422 ATTESTATION_REQUIRED.
    """

    name: Name | UnsetType = UNSET
    billing_email: Email | UnsetType | None = UNSET
    message_retention_days: (
        Annotated[int, Meta(ge=30, le=365, extra=error_text("must be an integer, 30..365"))] | UnsetType
    ) = UNSET
    mms_retention_days: (
        Annotated[int, Meta(ge=1, le=365, extra=error_text("must be an integer, 1..365"))] | UnsetType
    ) = UNSET
    is_reseller: bool | UnsetType = UNSET
    quiet_hours: QuietHoursPatch | UnsetType = UNSET
    auto_replies: AutoRepliesPatch | UnsetType = UNSET
    opt_out_scope: (
        Annotated[
            OptOutScope,
            Meta(
                description="How far a STOP to one of your numbers reaches from now on. Earlier ones stay as they are.",
                extra=error_text("must be one of number, campaign, brand, organization"),
            ),
        ]
        | UnsetType
    ) = UNSET


class Actor(Resource, frozen=True):
    """Who acted: a customer's key, `api_key:<id> (<label>)`, or the platform's operator, `platform`."""

    kind: Literal["customer", "platform"]
    label: str


class Subject(Resource, frozen=True):
    """What was acted upon."""

    type: str
    id: str


class AuditEntry(Resource, frozen=True):
    """One act. `payload` is null unless it was asked for with `include=payload`."""

    id: str
    occurred_at: datetime
    actor: Actor
    action: str
    resource: Subject
    reason: str | None
    request_id: str | None
    payload: dict[str, Any] | None

    @classmethod
    def of(cls, row: AuditRow) -> "AuditEntry":
        """A stored act as its organization sees it."""
        kind = "platform" if row.actor_kind == "platform" else "customer"
        return cls(
            id=row.id,
            occurred_at=row.occurred_at,
            actor=Actor(kind, row.actor_label),
            action=row.action,
            resource=Subject(row.resource_type, row.resource_id),
            reason=row.reason,
            request_id=row.request_id,
            payload=row.payload,
        )


class AuditQuery(Request, frozen=True):
    """Filters of the audit log; all given ones must hold. `since` is included, `until` is not."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, extra=error_text("must be an integer, 1..200"))] = 50
    action: FilterText | UnsetType = UNSET
    resource_type: FilterText | UnsetType = UNSET
    resource_id: Annotated[UUID, Meta(extra=error_text("must be a UUID"))] | UnsetType = UNSET
    actor_kind: (
        Annotated[Literal["customer", "platform"], Meta(extra=error_text("must be one of customer, platform"))]
        | UnsetType
    ) = UNSET
    since: Utc | UnsetType = UNSET
    until: Utc | UnsetType = UNSET
    include: Annotated[Literal["payload"], Meta(extra=error_text("must be payload"))] | UnsetType = UNSET
