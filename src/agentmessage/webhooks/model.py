"""Endpoints, lanes, what waits on them, and what an attempt came to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from msgspec import Struct

MAX_ENDPOINTS = 50
"""Active endpoints of one organization (api-accounts, section 4)."""

SECRET_BYTES = 32
GRACE = timedelta(minutes=5)
"""How long an organization's previous secret stays valid (api-accounts, section 4)."""

TIMEOUT_S = 10.0
RETRY_AFTER_S = (5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400)
"""Seconds from each failure to the next attempt, before ±20 % of jitter; after the last it is dead (decisions, 7)."""

GIVE_UP_AFTER = timedelta(days=5)
"""A receiver that did nothing but fail for so long is told nothing more (decisions, section 7)."""

EXCERPT_CHARS = 1_024
"""How much of an answer is kept."""

MAX_ANSWER_BYTES = 16_384
"""How much of an answer is read before the line is cut."""

ATTEMPTS_KEPT = timedelta(days=30)


class LaneKind(StrEnum):
    """Whose lane it is: an endpoint of the organization, or a URL of its numbers."""

    ENDPOINT = "endpoint"
    NUMBER = "number"


class Outcome(StrEnum):
    """What an attempt came to: told, to be told again, or given up."""

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


class Letter(Struct, frozen=True, kw_only=True):
    """One request to a receiver, ready to be signed: the body is final, the moment of signing is not."""

    event_id: UUID
    url: str
    body: bytes
    secrets: tuple[bytes, ...]


class Reply(Struct, frozen=True, kw_only=True):
    """What became of one request. `status` None: there was no answer, and `error` says why."""

    headers: Mapping[str, str]
    status: int | None
    time_ms: int
    excerpt: str | None
    error: str | None

    @property
    def is_success(self) -> bool:
        """Any 2xx."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_gone(self) -> bool:
        """410: the receiver wants to hear no more."""
        return self.status == HTTPStatus.GONE
