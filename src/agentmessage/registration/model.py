"""A record that is registered with TCR, as far as its registration goes."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self
from uuid import UUID

from msgspec import Struct


class Record(Protocol):
    """A brand or a campaign. `filed_at` is set before a filing is sent, and cleared when it surely was not taken."""

    @property
    def id(self) -> UUID:
        """Our id."""
        ...

    @property
    def org_id(self) -> UUID:
        """The organization that it belongs to."""
        ...

    @property
    def account(self) -> str:
        """Whose registry account: live or sandbox."""
        ...

    @property
    def tcr_id(self) -> str | None:
        """The registry's id; None until it is registered."""
        ...

    @property
    def reference_id(self) -> str:
        """Our key at the registry: unique, and known before the registry's id is."""
        ...

    @property
    def filed_at(self) -> datetime | None:
        """When it may have been filed."""
        ...

    @property
    def filing_misses(self) -> int:
        """How many look-ups since then found nothing."""
        ...

    @property
    def may_be_filed(self) -> bool:
        """Whether its status calls for a filing."""
        ...

    def with_filing(self, filed_at: datetime | None, *, misses: int = 0) -> Self:
        """The record after a step of its filing."""
        ...


class RecordKey(Struct, frozen=True):
    """A record by its two keys."""

    org_id: UUID
    record_id: UUID


class FilingStep(StrEnum):
    """What to do next about a record that is not registered."""

    FILE = "file"
    LOOK_UP = "look_up"
    NOTHING = "nothing"
