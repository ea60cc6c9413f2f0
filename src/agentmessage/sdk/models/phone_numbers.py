"""Values of `phone_numbers`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import LineOptionStatus, NumberType
from agentmessage.sdk.open_enum import OpenEnum


class CustomerOrderKind(OpenEnum):
    """What was asked for: numbers by name, or so many of a kind."""

    ORDER = "order"
    BULK = "bulk"


CustomerOrderKindWord = Literal["order", "bulk"]


class OrderStatus(OpenEnum):
    """Where an order stands; `complete` and `failed` are final."""

    PROCESSING = "processing"
    COMPLETE = "complete"
    FAILED = "failed"


OrderStatusWord = Literal["processing", "complete", "failed"]


class AvailableNumber(Model, frozen=True, kw_only=True):
    """A number that can be ordered now; nothing is reserved."""

    number: str
    number_type: NumberType


class BulkOrder(Model, frozen=True, kw_only=True):
    """How a bulk order stands.

    `order_id` is null when it was filled while the request waited. While it is `processing` nothing is assigned; then
    it is `complete` (all of them) or `failed` (none, and refunded).
    """

    order_id: str | None = None
    status: OrderStatus
    quantity: int
    assigned_count: int
    pending_count: int
    failed_count: int
    assigned_numbers: tuple[str, ...]


class BulkRelease(Model, frozen=True, kw_only=True):
    """What became of each id; every id is in exactly one list.

    `unknown` is deliberately indistinct: never existed, back in the pool, still being ordered, or somebody else's.
    """

    released: tuple[str, ...]
    unknown: tuple[str, ...]
    already_released: tuple[str, ...]


class LineError(Model, frozen=True, kw_only=True):
    """Why the last attempt did not go through: its class, the carrier's own code and words, and what to do."""

    trouble: str
    carrier_code: str | None = None
    text: str | None = None
    fix: str


class LineTransition(Model, frozen=True, kw_only=True):
    """One step of the carrier side, newest first."""

    occurred_at: datetime
    phase: str
    generation: int
    note: str


class LineOption(Model, frozen=True, kw_only=True):
    """What is wanted at the carrier, what was seen there, and what happens next.

    `desired_*` are the wish; `observed_*` the last believable read. Campaigns are named by their id and by the
    registry's. `phase` is the reconciler's own state; `can_send` with its reason is the short answer.
    """

    phone_number_id: str
    number: str
    status: LineOptionStatus | None = None
    phase: str
    generation: int
    applied_generation: int
    desired_campaign_id: str | None = None
    desired_tcr_campaign_id: str | None = None
    observed_state: str
    observed_tcr_campaign_id: str | None = None
    observed_at: datetime | None = None
    operators: Mapping[str, str]
    attempts: int
    next_attempt_at: datetime | None = None
    last_error: LineError | None = None
    carrier_order_id: str | None = None
    can_send: bool
    reason: str
    transitions: tuple[LineTransition, ...]


class OrderedNumber(Model, frozen=True, kw_only=True):
    """A number of an order; it can be read by its id once the order is complete."""

    id: str
    number: str


class PhoneNumberOrderDetail(Model, frozen=True, kw_only=True):
    """An order for phone numbers, with the numbers that are on order or that it came to, while they are yours."""

    id: str
    kind: CustomerOrderKind
    status: OrderStatus
    quantity: int
    assigned_count: int
    unavailable_numbers: tuple[str, ...]
    created_at: datetime
    finished_at: datetime | None = None
    phone_numbers: tuple[OrderedNumber, ...]


class PhoneNumberOrder(Model, frozen=True, kw_only=True):
    """An order for phone numbers, by name (`order`) or in bulk.

    While it is `processing` nothing is assigned; then it is `complete` (all of them) or `failed` (none, and refunded).
    `unavailable_numbers` are those that an order by name failed for.
    """

    id: str
    kind: CustomerOrderKind
    status: OrderStatus
    quantity: int
    assigned_count: int
    unavailable_numbers: tuple[str, ...]
    created_at: datetime
    finished_at: datetime | None = None


class Released(Model, frozen=True, kw_only=True):
    """The number is released."""

    status: str
