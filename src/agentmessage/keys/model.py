"""What a key is; the plaintext is in none of these values."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

PREFIXES = {"live": "am_live_", "sandbox": "am_test_"}
VISIBLE_CHARS = 4
SECRET_CHARS = 30


class ApiKey(Struct, frozen=True):
    """A key as stored. `prefix` is the part that may be shown; `parent_id` is the key that made it, if one did."""

    id: UUID
    org_id: UUID
    label: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    parent_id: UUID | None = None
