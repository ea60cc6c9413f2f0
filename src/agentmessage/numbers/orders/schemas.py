"""The wire of getting and giving back numbers: requests, and what they answer."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from agentmessage.numbers.model import NumberType
from agentmessage.numbers.orders.model import Order, OrderedNumber, OrderKind, OrderStatus
from agentmessage.web.types import E164, AreaCode, CursorText, Label, NumberPattern, Request, Resource, error_text
from agentmessage.web.webhook_urls import WebhookUrl

MAX_ORDER = 100
MAX_BULK = 5000
"""The most members of one purchase at the carrier (docs/carriers/bandwidth.md, section 3.1)."""

Quantity = Annotated[int, Meta(ge=1, le=100, description="Most numbers to show.", extra=error_text("must be 1..100"))]


class NumberSearch(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which numbers to look for. Without a type: local ones, or toll-free ones for a toll-free area code."""

    area_code: AreaCode | None = None
    number_type: NumberType | None = None
    pattern: NumberPattern | None = None
    quantity: Quantity = 10


class AvailableNumberOut(Resource, frozen=True):
    """A number that can be ordered now; nothing is reserved."""

    number: str
    number_type: NumberType


class NumberOrder(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers to order, all or none, and what to set on each of them."""

    numbers: Annotated[
        list[E164],
        Meta(
            min_length=1,
            max_length=MAX_ORDER,
            description="Different E.164 numbers, as a search shows them.",
            extra_json_schema={"uniqueItems": True},
            extra=error_text(f"must be 1..{MAX_ORDER} E.164 numbers"),
        ),
    ]
    inbound_url: WebhookUrl | None = None
    status_url: WebhookUrl | None = None
    campaign_id: UUID | None = None
    label: Label | None = None


class BulkOrder(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many numbers of which kind to order, and what to set on each of them.

    `pattern` binds only numbers that are available at once; numbers bought to fill the gap may not match it. Only
    `mode` `atomic` is served: every number, or none and the money back.
    """

    quantity: Annotated[int, Meta(ge=1, le=MAX_BULK, examples=[3], extra=error_text(f"must be 1..{MAX_BULK}"))]
    number_type: NumberType | None = None
    area_code: AreaCode | None = None
    pattern: NumberPattern | None = None
    inbound_url: WebhookUrl | None = None
    status_url: WebhookUrl | None = None
    label: Label | None = None
    mode: Annotated[str, Meta(pattern=r"^atomic$(?!\n)", examples=["atomic"], extra=error_text("must be atomic"))] = (
        "atomic"
    )


class BulkOrderOut(Resource, frozen=True):
    """How a bulk order stands.

    `order_id` is null when it was filled while the request waited. While it is `processing` nothing is assigned; then
    it is `complete` (all of them) or `failed` (none, and refunded).
    """

    order_id: UUID | None
    status: OrderStatus
    quantity: int
    assigned_count: int
    pending_count: int
    failed_count: int
    assigned_numbers: Sequence[str]

    @classmethod
    def of(cls, order: Order, *, is_filled: bool = False) -> "BulkOrderOut":
        """An order as its organization sees it."""
        pending = order.quantity if order.status == OrderStatus.PROCESSING else 0
        return cls(
            order_id=None if is_filled else order.id,
            status=OrderStatus(order.status),
            quantity=order.quantity,
            assigned_count=len(order.assigned),
            pending_count=pending,
            failed_count=order.quantity - len(order.assigned) - pending,
            assigned_numbers=order.assigned,
        )


class CustomerOrderKind(StrEnum):
    """What was asked for: numbers by name, or so many of a kind."""

    ORDER = "order"
    BULK = "bulk"


class PhoneNumberOrderOut(Resource, frozen=True):
    """An order for phone numbers, by name (`order`) or in bulk.

    While it is `processing` nothing is assigned; then it is `complete` (all of them) or `failed` (none, and refunded).
    `unavailable_numbers` are those that an order by name failed for.
    """

    id: UUID
    kind: CustomerOrderKind
    status: OrderStatus
    quantity: int
    assigned_count: int
    unavailable_numbers: Sequence[str]
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, order: Order) -> "PhoneNumberOrderOut":
        """An order as its organization sees it in a list."""
        return cls(
            order.id,
            CustomerOrderKind(order.kind),
            OrderStatus(order.status),
            order.quantity,
            len(order.assigned),
            order.unavailable,
            order.created_at,
            order.finished_at,
        )


class OrderedNumberOut(Resource, frozen=True):
    """A number of an order; it can be read by its id once the order is complete."""

    id: UUID
    number: str


class PhoneNumberOrderDetailOut(Resource, frozen=True):
    """An order for phone numbers, with the numbers that are on order or that it came to, while they are yours."""

    id: UUID
    kind: CustomerOrderKind
    status: OrderStatus
    quantity: int
    assigned_count: int
    unavailable_numbers: Sequence[str]
    created_at: datetime
    finished_at: datetime | None
    phone_numbers: Sequence[OrderedNumberOut]

    @classmethod
    def of(cls, order: Order, numbers: Sequence[OrderedNumber]) -> "PhoneNumberOrderDetailOut":
        """An order as its organization sees it."""
        shown = PhoneNumberOrderOut.of(order)
        rows = [OrderedNumberOut(number.id, number.number) for number in numbers]
        return cls(**structs.asdict(shown), phone_numbers=rows)


class OrderMeta(Resource, frozen=True):
    """Which order this is: `GET /v1/phone-numbers/orders/{id}` shows how it stands, also after a 202."""

    order_id: UUID
    status: OrderStatus


class OrderList(Request, frozen=True):
    """Which orders to list."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 20
    kind: CustomerOrderKind | UnsetType = UNSET
    status: OrderStatus | UnsetType = UNSET


class OrderFailedOut(Resource, frozen=True):
    """The body of `phone_number.order.failed`: nothing was assigned, what was charged was given back."""

    order_id: UUID
    kind: OrderKind
    quantity: int
    unavailable_numbers: Sequence[str]


class ReleaseQuery(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a released number: back into our pool after its quarantine, or back to the carrier."""

    return_to_carrier: Annotated[
        bool, Meta(description="Give the number back to the carrier; `platform:inventory:write` only.")
    ] = False


class ReleasedOut(Resource, frozen=True):
    """The number is released."""

    status: Annotated[str, Meta(examples=["released"])] = "released"


class BulkReleaseQuery(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of released numbers; giving many back to the carrier is refused for every caller."""

    return_to_carrier: Annotated[bool, Meta(description="`true` is refused with 403 for every caller.")] = False


class BulkRelease(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ids of the numbers to release; duplicates count once."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=100, extra=error_text("must be 1..100 UUIDs"))]


class BulkReleaseOut(Resource, frozen=True):
    """What became of each id; every id is in exactly one list.

    `unknown` is deliberately indistinct: never existed, back in the pool, still being ordered, or somebody else's.
    """

    released: Sequence[UUID]
    unknown: Sequence[UUID]
    already_released: Sequence[UUID]
