"""Reading the place from which a reader goes on; pure."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from agentmessage.events.model import ID_PREFIX, RETENTION

UUID_VERSION = 7
SLACK = timedelta(hours=1)
"""An id is made a moment after the instant that its event carries."""


def event_id(text: str) -> UUID | None:
    """The id in `evt_<uuid>` or in a bare UUID; None for anything else."""
    try:
        found = UUID(text.removeprefix(ID_PREFIX))
    except ValueError:
        return None
    return found if found.version == UUID_VERSION else None


def may_be_forgotten(found: UUID, *, now: datetime) -> bool:
    """Whether an event of this id, which is not there, can have been there once: a UUIDv7 tells when it was made."""
    made_ms = found.int >> 80
    oldest = now - RETENTION + SLACK
    return timedelta(milliseconds=made_ms) < oldest - datetime(1970, 1, 1, tzinfo=UTC)
