"""Values of `lookups`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime
from typing import Literal

from agentmessage.sdk._response import Model
from agentmessage.sdk.open_enum import OpenEnum


class LineType(OpenEnum):
    """What a number is. A fixed line cannot receive texts."""

    MOBILE = "MOBILE"
    FIXED = "FIXED"
    VOIP = "VOIP"
    FIXED_VOIP = "FIXED_VOIP"


class LookupStatus(OpenEnum):
    """How far it is. `pending` is the reference's; here a lookup is asked at once."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETE = "complete"
    FAILED = "failed"


LookupStatusWord = Literal["pending", "processing", "complete", "failed"]


class LookupType(OpenEnum):
    """What is asked for."""

    ADVANCED = "advanced"


LookupTypeWord = Literal["advanced"]


class LookupResult(Model, frozen=True, kw_only=True):
    """What the supplier knows; `country_code` is ISO 3166-1 alpha-3."""

    line_type: LineType
    messaging_provider: str | None = None
    voice_provider: str | None = None
    country_code: str | None = None


class Lookup(Model, frozen=True, kw_only=True):
    """One lookup. `result` is null until it is complete, and again after 90 days. `cost_cents` is in US cents.

    `failed` with any `error_code` but LOOKUP_FAILED is the supplier's answer, that it knows no such number, and costs.
    """

    id: str
    phone_number: str
    lookup_type: LookupType
    status: LookupStatus
    result: LookupResult | None = None
    result_redacted_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    requested_at: datetime
    completed_at: datetime | None = None
    cost_cents: int
