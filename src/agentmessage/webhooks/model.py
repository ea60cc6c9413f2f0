"""Endpoints, queues, deliveries, and results of attempts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from msgspec import Struct

from agentmessage.events.model import API_VERSION

MAX_ENDPOINTS = 50
"""Active endpoints of one organization."""

MAX_ENDPOINTS_IN_ALL = 100
"""Active or not: as many as a list shows, which has no second page."""

MAX_SUBSCRIPTIONS = 50
MAX_DESCRIPTION_CHARS = 200
MAX_REASON_CHARS = 500
API_VERSIONS = (API_VERSION,)

REPLAYS_PER_MIN = 10
TESTS_PER_MIN = 60
"""Each holds a connection to a customer's server for up to ten seconds."""

BELL = "webhooks"
"""Notified when a queue has something due."""

TEST_TYPE = "webhook.test"
"""Sent by the test operation only; endpoints cannot subscribe to it."""

SUBSCRIBABLE = (
    "brand.vetted",
    "brand.vetting_failed",
    "campaign.approved",
    "campaign.rejected",
    "campaign.shared",
    "wallet.balance_low",
    "wallet.balance_zero",
    "subscription.past_due",
    "subscription.canceled",
    "api_key.created",
    "api_key.rotated",
    "api_key.revoked",
    "phone_number.ordered",
    "phone_number.order.failed",
    "phone_number.bulk_order.completed",
    "phone_number.campaign.assigned",
    "consent_pending.confirmed",
    "consent_pending.expired",
    "lookup.completed",
    "phone_number.campaign.attached",
    "phone_number.campaign.detached",
    "phone_number.campaign.unassigned",
    "phone_number.campaign.failed",
    "message.sent",
    "message.delivered",
    "message.failed",
    "message.undelivered",
    "message.canceled",
    "inbound_message.received",
    "contact.opted_out",
    "contact.opted_in",
    "webhook_endpoint.disabled",
)
"""The hosted service's seventeen, and what this platform adds."""

SECRET_BYTES = 32
GRACE = timedelta(minutes=5)
"""How long an organization's previous secret stays valid."""

TIMEOUT_S = 10.0
RETRY_AFTER_S = (5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400)
"""Seconds from each failure to the next attempt, before ±20 % of jitter; after the last it is dead."""

GIVE_UP_AFTER = timedelta(days=5)
"""A receiver that only failed for so long is disabled."""

EXCERPT_CHARS = 1_024
"""How much of an answer is kept."""

MAX_ANSWER_BYTES = 16_384
"""How much of an answer is read before the line is cut."""

ATTEMPTS_KEPT = timedelta(days=30)


class DestinationKind(StrEnum):
    """What a queue belongs to: an endpoint of the organization, or a URL of its numbers."""

    ENDPOINT = "endpoint"
    NUMBER = "number"


class Outcome(StrEnum):
    """The outcome of an attempt: success, retry, or dead."""

    SUCCESS = "success"
    RETRY = "retry"
    DEAD = "dead"


class Endpoint(Struct, frozen=True):
    """A receiver of an organization, as stored; its secret stays in the queries that need it."""

    id: UUID
    org_id: UUID
    url: str
    description: str | None
    events: list[str]
    active: bool
    api_version: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class Attempt(Struct, frozen=True):
    """One request to a receiver and what came back: the reference's `delivery`.

    `queue_id` of an endpoint is the endpoint's id. `event_id` is the id that the receiver got; `source_event_id` is the
    fact whose data it was, the same but for replays. Response fields are None where there was no answer.
    """

    id: UUID
    org_id: UUID
    queue_id: UUID
    kind: DestinationKind
    source_event_id: UUID
    event_id: UUID
    event_type: str
    url: str
    attempt: int
    outcome: Outcome
    response_status: int | None
    response_time_ms: int | None
    request_body_sha256: bytes | None
    request_body_bytes: int | None
    response_body_excerpt: str | None
    request_headers: Mapping[str, str]
    error: str | None
    occurred_at: datetime


class WrittenOff(Struct, frozen=True):
    """How many deliveries were not added to a full queue."""

    org_id: UUID
    queue_id: UUID
    kind: DestinationKind
    count: int


class OutgoingRequest(Struct, frozen=True, kw_only=True):
    """One request to a receiver, ready to be signed: the body is final, the moment of signing is not.

    `org_id` is whose share of the name look-ups it takes.
    """

    event_id: UUID
    url: str
    body: bytes
    secrets: tuple[bytes, ...]
    org_id: UUID | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """What became of one request. `status` None: there was no answer, and `error` says why.

    Without headers no request was made: nothing is learned about the receiver.
    """

    headers: Mapping[str, str]
    status: int | None
    time_ms: int
    excerpt: str | None
    error: str | None

    @property
    def was_asked(self) -> bool:
        """The receiver had its chance."""
        return bool(self.headers)

    @property
    def is_success(self) -> bool:
        """Any 2xx."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_gone(self) -> bool:
        """410: the receiver wants no more deliveries."""
        return self.status == HTTPStatus.GONE
