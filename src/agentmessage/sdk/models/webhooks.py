"""Values of `webhooks`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from agentmessage.sdk._response import Model
from agentmessage.sdk.open_enum import OpenEnum


class DestinationKind(OpenEnum):
    """What a queue belongs to: an endpoint of the organization, or a URL of its numbers."""

    ENDPOINT = "endpoint"
    NUMBER = "number"


class Outcome(OpenEnum):
    """The outcome of an attempt: success, retry, or dead."""

    SUCCESS = "success"
    RETRY = "retry"
    DEAD = "dead"


OutcomeWord = Literal["success", "retry", "dead"]


class Delivery(Model, frozen=True, kw_only=True):
    """One delivery attempt. `retry`: it will be sent again; `dead`: it will not.

    `kind` is `number` for the URL of a phone number; `endpoint_id` is then an id of our own for that URL. Status, time
    and excerpt are null where there was no answer; `error` says why. An excerpt is the first 1,024 characters of the
    answer's body.
    """

    id: str
    endpoint_id: str
    kind: DestinationKind
    event_id: str
    event_type: str
    url: str
    attempt: int
    outcome: Outcome
    response_status: int | None = None
    response_time_ms: int | None = None
    request_body_sha256: str | None = None
    request_body_bytes: int | None = None
    response_body_excerpt: str | None = None
    request_headers: Mapping[str, str]
    error: str | None = None
    occurred_at: datetime


class Endpoint(Model, frozen=True, kw_only=True):
    """A receiver of the organization's events."""

    id: str
    org_id: str
    url: str
    description: str | None = None
    events: tuple[str, ...]
    active: bool
    api_version: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


class EndpointWithSecret(Model, frozen=True, kw_only=True):
    """An endpoint with a secret that was made just now: base64 of 32 bytes, shown this once."""

    id: str
    org_id: str
    url: str
    description: str | None = None
    events: tuple[str, ...]
    active: bool
    api_version: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    secret: str
    secret_displayed_once: bool


class Replay(Model, frozen=True, kw_only=True):
    """A replay that is on its way: `new_event_id` is what the receiver will see."""

    delivery_id: str
    endpoint_id: str
    event_type: str
    new_event_id: str
    audit_log_id: str
    enqueued_at: datetime


class RotatedSecret(Model, frozen=True, kw_only=True):
    """The organization's new secret: base64 of 32 bytes, shown this once. The one before is valid for five minutes.

    `previous_valid_until` is null for the first secret: there was none before.
    """

    webhook_secret: str
    rotated_at: datetime
    previous_valid_until: datetime | None = None


class TestResult(Model, frozen=True, kw_only=True):
    """What a test came to. A test that fails is `dead`: it is not tried again. `error` says why there was no answer."""

    event_id: str
    outcome: Outcome
    url: str
    response_status: int | None = None
    response_time_ms: int | None = None
    response_body_excerpt: str | None = None
    error: str | None = None
