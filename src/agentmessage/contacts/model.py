"""What an erasure came to."""

from datetime import datetime

from msgspec import Struct


class Erased(Struct, frozen=True):
    """How many texts lost their content just now; `audit_log_id` is a ULID."""

    contact_number: str
    inbound_redacted: int
    outbound_redacted: int
    erased_at: datetime
    audit_log_id: str
