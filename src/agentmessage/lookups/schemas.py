"""Lookups on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from agentmessage.carriers.lookups import LineType
from agentmessage.lookups.model import Lookup, LookupStatus, LookupType
from agentmessage.web.types import E164, CursorText, Request, Resource, Utc, error_text


class LookupCreate(Request, frozen=True):
    """The number to ask about: one of the United States, their territories or Canada."""

    phone_number: E164
    lookup_type: LookupType = LookupType.ADVANCED


class LookupResult(Resource, frozen=True):
    """What the supplier knows; `country_code` is ISO 3166-1 alpha-3."""

    line_type: LineType
    messaging_provider: str | None
    voice_provider: str | None
    country_code: str | None


class LookupResource(Resource, frozen=True):
    """One lookup. `result` is null until it is complete, and again after 90 days. `cost_cents` is in US cents.

    `failed` with any `error_code` but LOOKUP_FAILED is the supplier's answer, that it knows no such number, and costs.
    """

    id: UUID
    phone_number: str
    lookup_type: LookupType
    status: LookupStatus
    result: LookupResult | None
    result_redacted_at: datetime | None
    error_code: str | None
    error_message: str | None
    requested_at: datetime
    completed_at: datetime | None
    cost_cents: int

    @classmethod
    def of(cls, lookup: Lookup) -> "LookupResource":
        """A stored lookup."""
        return cls(
            lookup.id,
            lookup.phone_number,
            LookupType(lookup.lookup_type),
            LookupStatus(lookup.status),
            None if lookup.result is None else msgspec.convert(lookup.result, LookupResult),
            lookup.result_redacted_at,
            lookup.error_code,
            lookup.error_message,
            lookup.requested_at,
            lookup.completed_at,
            lookup.cost_cents,
        )


class LookupQuery(Request, frozen=True):
    """Which lookups to list; `since` is included, `until` is not."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, extra=error_text("must be an integer, 1..200"))] = 50
    phone_number: E164 | UnsetType = UNSET
    status: LookupStatus | UnsetType = UNSET
    since: Utc | UnsetType = UNSET
    until: Utc | UnsetType = UNSET
