"""Getting numbers and giving them back: search, order, bulk order, release."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import structlog
from msgspec import UNSET, Struct

from agentmessage.billing.errors import InsufficientCredit
from agentmessage.brands.errors import BrandNotVerified
from agentmessage.campaigns.errors import CampaignNotActive
from agentmessage.carriers.protocols import Accepted, NumberSource
from agentmessage.kernel.errors import NotFound, Unavailable
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.errors import (
    CampaignNeedsLocalNumber,
    InsufficientInventory,
    NumberNotAssigned,
    ReturnIsForOperators,
)
from agentmessage.numbers.model import NumberType, PhoneNumber
from agentmessage.numbers.orders import inventory, operations, read_queries, release, rules
from agentmessage.numbers.orders.carrier_calls import TOPIC
from agentmessage.numbers.orders.model import Criteria, Order, OrderStatus, Settings
from agentmessage.numbers.orders.schemas import (
    AvailableNumberOut,
    BulkOrder,
    BulkOrderOut,
    BulkRelease,
    BulkReleaseOut,
    BulkReleaseQuery,
    NumberOrder,
    NumberSearch,
    OrderList,
    OrderMeta,
    PhoneNumberOrderDetailOut,
    PhoneNumberOrderOut,
    ReleasedOut,
    ReleaseQuery,
)
from agentmessage.numbers.schemas import PhoneNumberOut
from agentmessage.outbox.notifications import Bells, wait_for
from agentmessage.settings import Settings as Environment
from agentmessage.web import pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page, Response
from agentmessage.web.webhook_urls import require_callable_urls

log = structlog.get_logger("agentmessage.numbers")

ORDERS = "/v1/phone-numbers/orders"

SEARCH_WAIT_S = 8.0
CARRIER_AWAY_S = 5
"""When to search again after the carrier did not answer."""

LOOK_EVERY_S = 0.5
"""Interval at which a waiting request polls, should a notification be lost."""


class Carrier(Protocol):
    """As much of an account's carrier as a request may use: searching, which reserves and costs nothing."""

    @property
    def numbers(self) -> NumberSource:
        """The account's source of numbers."""
        ...


class OrderServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Environment
    carriers: Mapping[str, Carrier]
    bells: Bells
    is_draining: Callable[[], bool]


routes = Routes("Phone numbers", needs=OrderServices)


@routes.route(
    "POST",
    "/v1/phone-numbers/search",
    scope="numbers:write",
    answers={200: Sequence[AvailableNumberOut]},
    optional_body=True,
    example={"area_code": "415", "quantity": 5},
)
async def search_phone_numbers(
    call: Call[NumberSearch, NoInput], services: OrderServices
) -> Sequence[AvailableNumberOut]:
    """Search for phone numbers that can be ordered.

    First what is in the pool, then what the carrier sells; when the carrier cannot be reached, only the pool, and 503
    when that has none: an empty list means that none is for sale. Nothing is reserved: a number that is shown can be
    taken by somebody else before it is ordered.
    """
    criteria = _criteria(call.body)
    quantity = call.body.quantity
    account = call.tenant.account
    pool = await inventory.search_pool(call.db, account, criteria, quantity=quantity)
    found = [AvailableNumberOut(number, NumberType(kind)) for number, kind in pool]
    if len(found) < quantity:
        sold = await _search_carrier(call, criteria, quantity, services)
        if sold is None:
            if not found:
                raise Unavailable(retry_after_s=CARRIER_AWAY_S)
            return found
        fresh = await inventory.list_unknown(call.db, account, sold)
        found += [AvailableNumberOut(number, NumberType(criteria.number_type)) for number in fresh]
    return found[:quantity]


async def _search_carrier(
    call: Call[Any, Any], criteria: Criteria, quantity: int, services: OrderServices
) -> Sequence[str] | None:
    """What the carrier sells; None when it does not answer well or soon. No transaction is open."""
    source = services.carriers[call.tenant.account].numbers
    try:
        async with asyncio.timeout(SEARCH_WAIT_S):
            answer = await source.search(
                area_code=criteria.area_code,
                number_type=criteria.number_type,
                pattern=criteria.pattern,
                quantity=quantity,
            )
    except TimeoutError:
        log.warning("carrier search timed out", account=call.tenant.account)
        return None
    if isinstance(answer, Accepted):
        return [available.number for available in answer.value]
    log.warning("carrier search failed", account=call.tenant.account, response=str(answer)[:300])
    return None


async def _answer_order(
    call: Call[Any, Any], order_id: UUID | None, services: OrderServices
) -> Response[Sequence[PhoneNumber]]:
    """The answer of an order by name, also when its first request ended before it could be stored."""
    order = await _await_end(call, order_id, services)
    numbers = await operations.list_numbers(call.db, call.tenant, order.id)
    status = 201 if order.status == OrderStatus.COMPLETE else 202
    return Response(
        status, numbers, {"Location": f"{ORDERS}/{order.id}"}, OrderMeta(order.id, OrderStatus(order.status))
    )


async def _await_end(call: Call[Any, Any], order_id: UUID | None, services: OrderServices) -> Order:
    """The order once it is complete, or as it stands after as long as the settings say or when the process drains.

    Raises InsufficientInventory when it failed.
    """
    if order_id is None:
        raise NotFound
    until = time.monotonic() + services.settings.order_wait_seconds
    wakeup = services.bells.hear(call.tenant.cell, TOPIC)
    try:
        while True:
            order = await operations.outcome(call.db, call.tenant, order_id)
            left_s = until - time.monotonic()
            if order.status == OrderStatus.COMPLETE or left_s <= 0 or services.is_draining():
                return order
            await wait_for(wakeup, min(LOOK_EVERY_S, left_s))
    finally:
        services.bells.unhear(call.tenant.cell, TOPIC, wakeup)


@routes.route(
    "POST",
    ORDERS,
    scope="numbers:write",
    answers={201: Sequence[PhoneNumberOut], 202: Sequence[PhoneNumberOut]},
    refuses=[
        CampaignNeedsLocalNumber,
        NotFound,
        CampaignNotActive,
        BrandNotVerified,
        InsufficientInventory,
        InsufficientCredit,
    ],
    resume=_answer_order,
    meta=OrderMeta,
    example={"numbers": ["+14155550123"], "label": "support-line"},
)
async def order_phone_numbers(
    call: Call[NumberOrder, NoInput], services: OrderServices
) -> Response[Sequence[PhoneNumber]]:
    """Order phone numbers.

    All of them or none; the first month is charged. 201: they are assigned and can be used. 202: the carrier has not
    answered yet; poll the order at `Location`, `GET /v1/phone-numbers/orders/{id}` with `meta.order_id`. The numbers
    are assigned when the carrier answers (event `phone_number.ordered`, and only then can they be read by their id), or
    the order fails and is refunded (event `phone_number.order.failed`). 409 INSUFFICIENT_INVENTORY: nothing was
    assigned, and nothing was charged or it was refunded; `details` names what could not be had. With `campaign_id` the
    campaign is attached to each number, under the conditions of attach.
    """
    order_id = new_id()
    body = call.body
    _require_receivers(call, services)
    settings = Settings(
        inbound_url=body.inbound_url,
        status_url=body.status_url,
        label=body.label or None,
        campaign_id=body.campaign_id,
    )
    async with call.transaction(subject=order_id) as tx:
        order = await operations.place(tx, call.tenant, order_id=order_id, numbers=body.numbers, settings=settings)
    if order.status == OrderStatus.PROCESSING:
        call.wake("jobs")
    if body.campaign_id is not None:
        call.wake("numbers")
    return await _answer_order(call, order_id, services)


async def _answer_bulk_order(
    call: Call[Any, Any], order_id: UUID | None, services: OrderServices
) -> Response[BulkOrderOut]:
    """The answer of a bulk order, also when its first request ended before it could be stored."""
    order = await _await_end(call, order_id, services)
    is_filled = order.status == OrderStatus.COMPLETE
    where = {"Location": f"{ORDERS}/{order.id}"}
    return Response(200 if is_filled else 202, BulkOrderOut.of(order, is_filled=is_filled), where)


@routes.route(
    "POST",
    "/v1/phone-numbers/bulk",
    scope="numbers:write",
    answers={200: BulkOrderOut, 202: BulkOrderOut},
    refuses=[InsufficientInventory, InsufficientCredit],
    resume=_answer_bulk_order,
    example={"quantity": 3, "area_code": "415", "mode": "atomic"},
)
async def bulk_order_phone_numbers(call: Call[BulkOrder, NoInput], services: OrderServices) -> Response[BulkOrderOut]:
    """Order many phone numbers of a kind.

    200: they are assigned. What the pool lacks is bought while the request waits, for 20 seconds. 202: the carrier
    needs longer; poll `order_id`, or wait for the event `phone_number.bulk_order.completed`. Until then nothing is
    assigned, and in the end everything is, or nothing and the money is given back: while the request waits that is 409
    INSUFFICIENT_INVENTORY. `pattern` binds only what is available at once; numbers bought to fill the gap may not match
    it. The first month of all of them is charged when the order is taken.
    """
    body = call.body
    _require_receivers(call, services)
    settings = Settings(inbound_url=body.inbound_url, status_url=body.status_url, label=body.label or None)
    order_id = new_id()
    async with call.transaction(subject=order_id) as tx:
        order = await operations.place_bulk(
            tx, call.tenant, order_id=order_id, quantity=body.quantity, criteria=_criteria(body), settings=settings
        )
    if order.status == OrderStatus.PROCESSING:
        call.wake("jobs")
    return await _answer_bulk_order(call, order_id, services)


@routes.route("GET", ORDERS, scope="numbers:read", answers={200: PhoneNumberOrderOut}, is_list=True)
async def list_phone_number_orders(call: Call[NoInput, OrderList]) -> Page[PhoneNumberOrderOut]:
    """List orders for phone numbers, by name and in bulk, newest first."""
    query = call.query
    start = pagination.start_of(query.cursor)
    orders = await read_queries.list_page(
        call.db,
        call.tenant.org_id,
        before_at=start.at,
        before_id=start.id,
        kind=None if query.kind is UNSET else query.kind,
        status=None if query.status is UNSET else query.status,
        limit=pagination.lookahead(query.limit),
    )
    return pagination.page_of(
        orders, query.limit, show=PhoneNumberOrderOut.of, key=lambda row: (row.created_at, row.id)
    )


@routes.route(
    "GET",
    f"{ORDERS}/{{id}}",
    scope="numbers:read",
    answers={200: PhoneNumberOrderDetailOut},
    refuses=[NotFound],
)
async def get_phone_number_order(call: Call[NoInput, NoInput]) -> PhoneNumberOrderDetailOut:
    """Get an order for phone numbers.

    `processing` until it is `complete` or `failed`. `phone_numbers` names the numbers that are on order, or that it
    came to; they can be read by their id once it is complete.
    """
    order = await operations.get(call.db, call.tenant, call.id)
    numbers = await read_queries.list_numbers(
        call.db, call.tenant.org_id, order.id, account=order.account, assigned=order.assigned
    )
    return PhoneNumberOrderDetailOut.of(order, numbers)


@routes.route(
    "GET",
    "/v1/phone-numbers/bulk/{id}",
    scope="numbers:read",
    answers={200: BulkOrderOut},
    refuses=[NotFound],
)
async def get_bulk_order(call: Call[NoInput, NoInput]) -> BulkOrderOut:
    """Get a bulk order.

    `processing` until it is `complete` or `failed`. `assigned_numbers` are the numbers that it came to.
    """
    return BulkOrderOut.of(await operations.get_bulk(call.db, call.tenant, call.id))


@routes.route(
    "POST",
    "/v1/phone-numbers/bulk/release",
    scope="numbers:write",
    answers={200: BulkReleaseOut},
    refuses=[ReturnIsForOperators],
)
async def bulk_release_phone_numbers(
    call: Call[BulkRelease, BulkReleaseQuery], services: OrderServices
) -> BulkReleaseOut:
    """Release many phone numbers.

    Each id stands alone; duplicates count once, and every id is in exactly one list. Routing ends before the answer.
    `return_to_carrier=true` is refused for every caller: numbers are given back to the carrier one by one.
    """
    if call.query.return_to_carrier:
        raise ReturnIsForOperators
    async with call.transaction() as tx:
        result = await release.release_many(
            tx, call.tenant, call.body.ids, quarantine_days=services.settings.quarantine_days
        )
    call.wake("numbers")
    return result


@routes.route(
    "DELETE",
    "/v1/phone-numbers/{id}",
    scope="numbers:write",
    answers={200: ReleasedOut},
    refuses=[ReturnIsForOperators, NotFound, NumberNotAssigned],
)
async def release_phone_number(call: Call[NoInput, ReleaseQuery], services: OrderServices) -> ReleasedOut:
    """Release a phone number.

    Its URLs and its campaign are cleared before the answer. The carrier unbinds it, and after a quarantine of 30 days
    it goes back into the pool; with `return_to_carrier=true`, for operators only, it is given back to the carrier.
    """
    async with call.transaction() as tx:
        await release.release(
            tx,
            call.tenant,
            call.id,
            return_to_carrier=call.query.return_to_carrier,
            quarantine_days=services.settings.quarantine_days,
        )
    call.wake("numbers")
    if call.query.return_to_carrier:
        call.wake("jobs")
    return ReleasedOut()


def _require_receivers(call: Call[NumberOrder, NoInput] | Call[BulkOrder, NoInput], services: OrderServices) -> None:
    require_callable_urls(
        {"inbound_url": call.body.inbound_url, "status_url": call.body.status_url},
        allow_private=services.settings.webhook_allow_private,
    )


def _criteria(requested: NumberSearch | BulkOrder) -> Criteria:
    kind = requested.number_type or rules.type_of_area(requested.area_code)
    return Criteria(number_type=kind, area_code=requested.area_code, pattern=requested.pattern)
