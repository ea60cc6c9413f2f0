"""Endpoints, secrets and deliveries on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from agentmessage.events.model import API_VERSION, ID_PREFIX
from agentmessage.web.types import END, STORABLE, CursorText, Request, Resource, Utc, error_text
from agentmessage.web.webhook_urls import HTTPS_PATTERN, MAX_URL_CHARS, MUST
from agentmessage.webhooks.model import (
    API_VERSIONS,
    MAX_DESCRIPTION_CHARS,
    MAX_REASON_CHARS,
    MAX_SUBSCRIPTIONS,
    SUBSCRIBABLE,
    TEST_TYPE,
    Attempt,
    DestinationKind,
    Endpoint,
    Outcome,
)

# The values of these four are judged by rules.py, all at once: whether an http URL is one depends on the settings.
Url = Annotated[
    str,
    Meta(
        examples=["https://customer.example/webhooks"],
        extra=error_text(MUST),
        extra_json_schema={"format": "uri", "pattern": HTTPS_PATTERN, "maxLength": MAX_URL_CHARS},
    ),
]
Events = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"enum": [*SUBSCRIBABLE]})]],
    Meta(
        description=f"1..{MAX_SUBSCRIPTIONS} different event types.",
        examples=[["campaign.approved", "campaign.rejected"]],
        extra=error_text("must be a list of event types"),
        extra_json_schema={"minItems": 1, "maxItems": MAX_SUBSCRIPTIONS, "uniqueItems": True},
    ),
]
Description = Annotated[
    str,
    Meta(
        description="What it is for. Spaces around it are cut off; empty is none.",
        examples=["production"],
        extra=error_text("must be a text"),
        extra_json_schema={"maxLength": MAX_DESCRIPTION_CHARS, "pattern": STORABLE},
    ),
]
ApiVersion = Annotated[
    str, Meta(examples=[API_VERSION], extra=error_text("must be a text"), extra_json_schema={"enum": [*API_VERSIONS]})
]
Switch = Annotated[bool, Meta(extra=error_text("must be true or false"))]


class EndpointCreate(Request, frozen=True):
    """A new endpoint: its URL and its events. `api_version` is the shape of bodies; it cannot be changed later."""

    url: Url
    events: Events
    description: Description | None = None
    api_version: ApiVersion = API_VERSION


class EndpointPatch(Request, frozen=True):
    """What to change; left out is kept. `events` replaces the whole set; `description` is cleared by null too."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    active: Switch | UnsetType = UNSET


class EndpointQuery(Request, frozen=True):
    """How many endpoints to list; there is no second page, since there are at most 100."""

    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 50


class EndpointResource(Resource, frozen=True):
    """A receiver of the organization's events."""

    id: UUID
    org_id: UUID
    url: str
    description: str | None
    events: Sequence[str]
    active: bool
    api_version: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> "EndpointResource":
        """A stored endpoint as its organization sees it."""
        return cls(
            endpoint.id,
            endpoint.org_id,
            endpoint.url,
            endpoint.description,
            endpoint.events,
            endpoint.active,
            endpoint.api_version,
            endpoint.created_at,
            endpoint.updated_at,
            endpoint.deleted_at,
        )


class EndpointWithSecret(Resource, frozen=True):
    """An endpoint with a secret that was made just now: base64 of 32 bytes, shown this once."""

    id: UUID
    org_id: UUID
    url: str
    description: str | None
    events: Sequence[str]
    active: bool
    api_version: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    secret: str
    secret_displayed_once: Literal[True]

    @classmethod
    def of(cls, endpoint: Endpoint, secret: str) -> "EndpointWithSecret":
        """An endpoint together with its secret."""
        return cls(
            endpoint.id,
            endpoint.org_id,
            endpoint.url,
            endpoint.description,
            endpoint.events,
            endpoint.active,
            endpoint.api_version,
            endpoint.created_at,
            endpoint.updated_at,
            endpoint.deleted_at,
            secret,
            secret_displayed_once=True,
        )


class RotatedSecret(Resource, frozen=True):
    """The organization's new secret: base64 of 32 bytes, shown this once. The one before is valid for five minutes.

    `previous_valid_until` is null for the first secret: there was none before.
    """

    webhook_secret: str
    rotated_at: datetime
    previous_valid_until: datetime | None


class TestResult(Resource, frozen=True):
    """What a test came to. A test that fails is `dead`: it is not tried again. `error` says why there was no answer."""

    event_id: Annotated[str, Meta(examples=["evt_01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11"])]
    outcome: Outcome
    url: str
    response_status: int | None
    response_time_ms: int | None
    response_body_excerpt: str | None
    error: str | None

    @classmethod
    def of(cls, attempt: Attempt) -> "TestResult":
        """The recorded attempt of a test."""
        return cls(
            ID_PREFIX + str(attempt.event_id),
            attempt.outcome,
            attempt.url,
            attempt.response_status,
            attempt.response_time_ms,
            attempt.response_body_excerpt,
            attempt.error,
        )


class TestBody(Struct, frozen=True):
    """The body of a test: the form of every event, with the endpoint itself as `data`."""

    id: str
    type: str
    api_version: str
    created_at: datetime
    org_id: UUID
    data: EndpointResource


class DeliveryResource(Resource, frozen=True):
    """One delivery attempt. `retry`: it will be sent again; `dead`: it will not.

    `kind` is `number` for the URL of a phone number; `endpoint_id` is then an id of our own for that URL.
    Status, time and excerpt are null where there was no answer; `error` says why. An excerpt is the first 1,024
    characters of the answer's body.
    """

    id: UUID
    endpoint_id: UUID
    kind: DestinationKind
    event_id: Annotated[str, Meta(examples=["evt_01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11"])]
    event_type: str
    url: str
    attempt: int
    outcome: Outcome
    response_status: int | None
    response_time_ms: int | None
    request_body_sha256: str | None
    request_body_bytes: int | None
    response_body_excerpt: str | None
    request_headers: Mapping[str, str]
    error: str | None
    occurred_at: datetime

    @classmethod
    def of(cls, attempt: Attempt) -> "DeliveryResource":
        """A recorded attempt as its organization sees it."""
        digest = attempt.request_body_sha256
        return cls(
            attempt.id,
            attempt.queue_id,
            attempt.kind,
            ID_PREFIX + str(attempt.event_id),
            attempt.event_type,
            attempt.url,
            attempt.attempt,
            attempt.outcome,
            attempt.response_status,
            attempt.response_time_ms,
            None if digest is None else digest.hex(),
            attempt.request_body_bytes,
            attempt.response_body_excerpt,
            attempt.request_headers,
            attempt.error,
            attempt.occurred_at,
        )


SENT_TYPES = (*SUBSCRIBABLE, TEST_TYPE)
EventTypeText = Annotated[
    str,
    Meta(
        pattern="^(" + "|".join(kind.replace(".", r"\.") for kind in SENT_TYPES) + ")" + END,
        extra=error_text("must be an event type that webhooks send"),
        extra_json_schema={"enum": [*SENT_TYPES]},
    ),
]
HttpStatusText = Annotated[int, Meta(ge=100, le=599, extra=error_text("must be an integer, 100..599"))]


class DeliveryQuery(Request, frozen=True):
    """Which attempts to list; all that is given must hold. `since` is included, `until` is not.

    With `http_status_min` or `http_status_max` only attempts that were answered are listed.
    """

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, extra=error_text("must be an integer, 1..200"))] = 50
    endpoint_id: UUID | UnsetType = UNSET
    event_type: EventTypeText | UnsetType = UNSET
    outcome: Outcome | UnsetType = UNSET
    since: Utc | UnsetType = UNSET
    until: Utc | UnsetType = UNSET
    http_status_min: HttpStatusText | UnsetType = UNSET
    http_status_max: HttpStatusText | UnsetType = UNSET


class ReplayCreate(Request, frozen=True):
    """The reason of the replay, for the audit log."""

    reason: (
        Annotated[
            str,
            Meta(
                max_length=MAX_REASON_CHARS,
                pattern=STORABLE,
                examples=["the receiver was down"],
                extra=error_text(f"must be a text of at most {MAX_REASON_CHARS} characters, none of them NUL"),
            ),
        ]
        | None
    ) = None


class ReplayResource(Resource, frozen=True):
    """A replay that is on its way: `new_event_id` is what the receiver will see."""

    delivery_id: UUID
    endpoint_id: UUID
    event_type: str
    new_event_id: Annotated[str, Meta(examples=["evt_01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11"])]
    audit_log_id: str
    enqueued_at: datetime


class DisableReason(StrEnum):
    """It answered 410, or nothing but failures for five days."""

    GONE = "gone"
    FAILING = "failing"


class ReceiverDisabled(Resource, frozen=True):
    """A receiver that gets no more deliveries: an endpoint until it is activated, a number's URL until it is set again.

    `endpoint_id` is what the delivery log lists it under. `failing_since` is null if its last answer but this was good.
    """

    endpoint_id: UUID
    org_id: UUID
    kind: DestinationKind
    url: Annotated[str, Meta(examples=["https://customer.example/webhooks"])]
    reason: DisableReason
    failing_since: datetime | None
    abandoned: Annotated[int, Meta(description="Deliveries that were waiting and are not made.", examples=[0])]
    disabled_at: datetime
