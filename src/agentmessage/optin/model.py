"""A question that was texted and waits for YES, and the token behind a link to the form."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class ChallengeStatus(StrEnum):
    """Where a question stands; only a pending one moves."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    CANCELED = "canceled"


class Challenge(Struct, frozen=True):
    """One question, in the order of its columns."""

    id: UUID
    org_id: UUID
    phone_number_id: UUID
    contact_number: str
    confirmation_message_id: UUID
    confirmation_text: str
    agreement_text: str
    status: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class FormToken(Struct, frozen=True, rename={"id": "jti"}):
    """What a link to the form vouches for. `id` is its own; `exp` and `iat` are seconds since 1970 (RFC 7519)."""

    id: str
    org_id: UUID
    phone_number_id: UUID
    contact_number: str
    agreement_text: str
    iat: int
    exp: int
