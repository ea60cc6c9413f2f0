"""A phone number as it is stored, and the states it may be in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class NumberType(StrEnum):
    """What kind of number it is."""

    LOCAL = "local"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"


class NumberState(StrEnum):
    """Whose it is. *Owned*: any of these by its (last) owner. *Currently assigned*: ASSIGNED."""

    ORDERING = "ordering"
    ASSIGNED = "assigned"
    QUARANTINED = "quarantined"


class PhoneNumber(Struct, frozen=True):
    """One ownership of a number, in the order of the resource's columns."""

    id: UUID
    number: str
    number_type: str
    inbound_url: str | None
    status_url: str | None
    label: str | None
    campaign_id: UUID | None
    carrier_line_option_status: str | None
    carrier_line_option_propagated_at: datetime | None
    sms_enabled: bool
    mms_enabled: bool
    created_at: datetime
    updated_at: datetime


class AttachResult(Struct, frozen=True):
    """What a statement on one number found: its state, whether it was changed, and the number itself."""

    state: str
    was_changed: bool
    number: PhoneNumber


class LineOptionStatus(StrEnum):
    """What the customer sees of the carrier side; null when no campaign is wanted and none is there."""

    PENDING = "pending"  # carrier and desired campaign differ, in either direction
    PROPAGATED = "propagated"  # the carrier has what we want
    FAILED = "failed"  # blocked: needs a person or a change
