"""What getting and giving back numbers keeps: an order with the carrier order under way for it, and its states.

processing ─▶ complete (every number assigned) | failed (nothing assigned, all of it refunded)

While it is processing, the carrier's side of it goes: nothing under way ─▶ written (`order_key`, `purchase`) ─▶
submitted (`submitted_at`) ─▶ known (`carrier_order_id`) ─▶ settled; after a crash or a time-out it is submitted, not
known, and looked up by its key.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class OrderKind(StrEnum):
    """What was asked for: numbers by name, so many of a kind, or giving one back to the carrier."""

    ORDER = "order"
    BULK = "bulk"
    RETURN = "return"


class OrderStatus(StrEnum):
    """Where an order stands; `complete` and `failed` are final."""

    PROCESSING = "processing"
    COMPLETE = "complete"
    FAILED = "failed"


class Order(Struct, frozen=True):
    """One order, in the order of `order_queries`' columns.

    `criteria` and `settings` leave out what was not given. `round` counts the purchases begun for it.
    """

    id: UUID
    org_id: UUID
    account: str
    kind: str
    status: str
    quantity: int
    criteria: Mapping[str, str]
    settings: Mapping[str, str]
    assigned: Sequence[str]
    unavailable: Sequence[str]
    round: int
    purchase: Sequence[str]
    order_key: str | None
    submitted_at: datetime | None
    lookup_conclusive_at: datetime | None
    misses: int
    polls: int
    carrier_order_id: str | None
    created_at: datetime
    finished_at: datetime | None
    available_count: int | None = None


class OrderedNumber(Struct, frozen=True):
    """A number of an order. It can be read by its id once the order is complete."""

    id: UUID
    number: str


class Claimed(Struct, frozen=True):
    """A number that this transaction has taken out of the inventory.

    `generation` is the last owner's; `is_bought`: the carrier account holds it already, so it need not be purchased.
    """

    number: str
    number_type: str
    generation: int
    is_bought: bool
    is_observed: bool


class Released(Struct, frozen=True):
    """A number that was just given back by its owner."""

    id: UUID
    number: str
    campaign_id: UUID | None


class Owed(Struct, frozen=True):
    """A number whose paid month is over. `since_at` is when it was assigned: its months count from there."""

    id: UUID
    org_id: UUID
    account: str
    number_type: str
    since_at: datetime
    charged_until: datetime


class Settings(Struct, frozen=True, kw_only=True):
    """What an order sets on every number that it gets."""

    inbound_url: str | None = None
    status_url: str | None = None
    label: str | None = None
    campaign_id: UUID | None = None


class Criteria(Struct, frozen=True, kw_only=True):
    """Which numbers will do. `pattern` is part of the E.164 number."""

    number_type: str
    area_code: str | None = None
    pattern: str | None = None
