"""A lookup, its states and how long it counts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

KEPT = timedelta(days=90)
"""How long a result is kept, and how long a fixed line refuses texts."""

LOOKUP_FAILED = "LOOKUP_FAILED"
"""`error_code` of a lookup that the supplier could not be asked, or did not answer so that we understood."""


class LookupType(StrEnum):
    """What is asked for."""

    ADVANCED = "advanced"


class LookupStatus(StrEnum):
    """How far it is. `pending` is the reference's; here a lookup is asked at once."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETE = "complete"
    FAILED = "failed"


class Lookup(Struct, frozen=True):
    """A lookup as stored. `line_type` outlives `result`, which is redacted after `KEPT`."""

    id: UUID
    org_id: UUID
    account: str
    phone_number: str
    lookup_type: str
    status: str
    line_type: str | None
    result: Mapping[str, Any] | None
    result_redacted_at: datetime | None
    error_code: str | None
    error_message: str | None
    cost_cents: int
    requested_at: datetime
    completed_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Nothing more will change but the redaction."""
        return self.status in (LookupStatus.COMPLETE, LookupStatus.FAILED)

    @property
    def was_given_back(self) -> bool:
        """It failed for a reason that is not the customer's."""
        return self.status == LookupStatus.FAILED and self.error_code == LOOKUP_FAILED


class Outcome(Struct, frozen=True, kw_only=True):
    """How a lookup ended. `is_ours`: for a reason that the customer does not pay for."""

    status: LookupStatus
    line_type: str | None = None
    result: dict[str, str | None] | None = None
    error_code: str | None = None
    error_message: str | None = None
    is_ours: bool = False
