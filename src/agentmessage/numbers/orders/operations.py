"""The verbs on orders: place, settle, fill, fail. All or nothing: an order ends with every number, or with none.

Money is taken when an order is placed and given back when it fails, each in the transaction that makes it so. What the
pool cannot give is bought by the job `numbers.buy`; what a failed order had bought by then goes into the pool.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from agentmessage.billing import operations as billing
from agentmessage.billing.model import UsageKind
from agentmessage.campaigns import operations as campaigns
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers import rules as number_rules
from agentmessage.numbers.errors import InsufficientInventory
from agentmessage.numbers.model import NumberType, PhoneNumber
from agentmessage.numbers.orders import inventory, inventory_queries, queries, rules
from agentmessage.numbers.orders.model import Claimed, Criteria, Order, OrderKind, OrderStatus, Settings
from agentmessage.numbers.orders.schemas import BulkOrderOut, OrderFailedOut
from agentmessage.organizations import operations as organizations
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.events import emit, enqueue


async def place(tx: Tx, tenant: Tenant, *, order_id: UUID, numbers: Sequence[str], settings: Settings) -> Order:
    """Order exactly these numbers, all or none; complete at once when the pool has them all.

    Raises ValidationFailed (a number twice), CampaignNeedsLocalNumber, NotFound, CampaignNotActive, BrandNotVerified
    (the campaign), InsufficientInventory, InsufficientCredit.
    """
    rules.require_different(numbers)
    if settings.campaign_id is not None:
        number_rules.require_campaign_fits((number, rules.type_of(number)) for number in numbers)
        await campaigns.lock_for_binding(tx, tenant, settings.campaign_id)
        await campaigns.require_bindable(tx, tenant, settings.campaign_id)
    claimed = await inventory.claim(tx, tenant, numbers)
    if settings.campaign_id is not None:
        number_rules.require_campaign_fits((claim.number, claim.number_type) for claim in claimed)
    taken = {claim.number for claim in claimed}
    if len(taken) < len(numbers):
        unavailable = [number for number in numbers if number not in taken]
        raise InsufficientInventory(available_count=len(taken), unavailable=unavailable)
    order = _draft(tenant, order_id, OrderKind.ORDER, quantity=len(numbers), criteria={}, settings=settings, now=tx.now)
    return await _open(tx, tenant, order, claimed, Counter(NumberType(claim.number_type) for claim in claimed))


async def place_bulk(
    tx: Tx, tenant: Tenant, *, order_id: UUID, quantity: int, criteria: Criteria, settings: Settings
) -> Order:
    """Order so many numbers of a kind; complete at once when the pool has enough of them. Raises InsufficientCredit."""
    claimed = await inventory.claim_matching(tx, tenant, criteria, quantity=quantity)
    order = _draft(
        tenant,
        order_id,
        OrderKind.BULK,
        quantity=quantity,
        criteria=_as_stored(criteria),
        settings=settings,
        now=tx.now,
    )
    return await _open(tx, tenant, order, claimed, Counter({NumberType(criteria.number_type): quantity}))


async def grant(tx: Tx, tenant: Tenant, *, number: str, campaign_id: UUID, label: str) -> UUID:
    """Hand over a number that the carrier has in service with a campaign, for nothing; answers its id.

    Its months are charged like any other's. Raises InsufficientInventory when another organization holds it.
    """
    claimed = await inventory.claim(tx, tenant, [number])
    if not claimed:
        raise InsufficientInventory(available_count=0, unavailable=[number])
    settings = Settings(campaign_id=campaign_id, label=label)
    order = _draft(tenant, new_id(), OrderKind.ORDER, quantity=1, criteria={}, settings=settings, now=tx.now)
    await queries.insert_order(tx, order)
    await _take(tx, tenant, order, [msgspec.structs.replace(claim, is_observed=False) for claim in claimed])
    await _complete(tx, tenant, order)
    (held,) = await queries.list_ordered(tx, tenant.org_id, order.id)
    return held.id


async def settle(tx: Tx, tenant: Tenant, order_id: UUID, *, order_key: str, done: Collection[str]) -> None:
    """The carrier has ended a purchase: `done` are the numbers that are ours now. Repeating it changes nothing.

    An order by name that lacks a number fails. A bulk order lets go of what it did not get, and is filled up further.
    """
    order = await queries.lock_order(tx, tenant.org_id, order_id)
    if order is None or order.status != OrderStatus.PROCESSING or order.order_key != order_key:
        return
    missing = [number for number in order.purchase if number not in done]
    if missing and order.kind == OrderKind.ORDER:
        available_count = order.quantity - len(missing)
        await fail(tx, tenant, order, done=done, unavailable=missing, available_count=available_count)
        return
    await queries.drop_numbers(tx, tenant.org_id, order.id, missing)
    await inventory_queries.forget(tx, tenant.account, missing)
    await queries.end_purchase(tx, tenant.org_id, order.id)
    if not await complete_if_full(tx, tenant, order):
        await _have_bought(tx, order)


async def fill_from_pool(tx: Tx, tenant: Tenant, order: Order) -> int:
    """Take what a bulk order still lacks from the pool, without regard to its pattern; returns what it lacks then."""
    lacking = order.quantity - await queries.count_held(tx, tenant.org_id, order.id)
    if lacking:
        criteria = msgspec.structs.replace(criteria_of(order), pattern=None)
        claimed = await inventory.claim_matching(tx, tenant, criteria, quantity=lacking)
        await _take(tx, tenant, order, claimed)
        lacking -= len(claimed)
    return lacking


async def begin_round(tx: Tx, tenant: Tenant, order: Order, numbers: Sequence[str]) -> None:
    """Write down the next purchase of a bulk order. Raises InsufficientInventory when another order was faster."""
    claimed = await inventory.claim(tx, tenant, numbers)
    if len(claimed) < len(numbers):
        raise InsufficientInventory(available_count=len(claimed), unavailable=())
    await _take(tx, tenant, order, claimed)
    bought = [claim.number for claim in claimed if not claim.is_bought]
    if bought:
        key = rules.order_key(order.id, order.round + 1)
        await queries.begin_purchase(tx, tenant.org_id, order.id, order_key=key, numbers=bought)


async def complete_if_full(tx: Tx, tenant: Tenant, order: Order) -> bool:
    """Hand over an order's numbers if it has them all and nothing is under way for it; the order is locked."""
    if await queries.count_held(tx, tenant.org_id, order.id) < order.quantity:
        return False
    await billing.confirm(tx, tenant, rules.occasions(order.id))
    await _complete(tx, tenant, order)
    return True


async def fail(
    tx: Tx,
    tenant: Tenant,
    order: Order,
    *,
    done: Collection[str] = (),
    unavailable: Sequence[str] = (),
    available_count: int,
) -> None:
    """End a locked order with nothing: give back the money and the numbers. `done`: bought in its last purchase."""
    held = await queries.drop_numbers(tx, tenant.org_id, order.id, None)
    lost = [number for number in order.purchase if number not in done]
    await inventory_queries.forget(tx, tenant.account, lost)
    await inventory_queries.free(tx, tenant.account, sorted(set(held) - set(lost)))
    await billing.refund_many(tx, tenant, rules.occasions(order.id))
    closed = await queries.finish(
        tx,
        tenant.org_id,
        order.id,
        status=OrderStatus.FAILED,
        unavailable=unavailable,
        available_count=available_count,
    )
    if closed is not None:
        await _emit_ended(tx, closed)


async def get_bulk(db: Executor, tenant: Tenant, order_id: UUID) -> Order:
    """A bulk order of the organization. Raises NotFound."""
    order = await queries.find_order(db, tenant.org_id, order_id)
    if order is None or order.kind != OrderKind.BULK:
        raise NotFound
    return order


async def get(db: Executor, tenant: Tenant, order_id: UUID) -> Order:
    """An order of the organization, by name or in bulk. Raises NotFound."""
    order = await queries.find_order(db, tenant.org_id, order_id)
    if order is None or order.kind == OrderKind.RETURN:
        raise NotFound
    return order


async def outcome(db: Executor, tenant: Tenant, order_id: UUID) -> Order:
    """How an order stands that has not failed. Raises InsufficientInventory when it did, NotFound."""
    order = await get(db, tenant, order_id)
    if order.status == OrderStatus.FAILED:
        available_count = order.available_count
        if available_count is None:  # it failed before this was counted
            available_count = order.quantity - len(order.unavailable) if order.kind == OrderKind.ORDER else 0
        raise InsufficientInventory(available_count=available_count, unavailable=order.unavailable)
    return order


async def list_numbers(db: Executor, tenant: Tenant, order_id: UUID) -> list[PhoneNumber]:
    """The numbers of an order as resources, as long as they are the organization's."""
    return await queries.list_ordered(db, tenant.org_id, order_id)


def criteria_of(order: Order) -> Criteria:
    """Which numbers will do for a bulk order."""
    return msgspec.convert(order.criteria, Criteria)


async def _open(tx: Tx, tenant: Tenant, order: Order, claimed: Sequence[Claimed], wanted: Counter[NumberType]) -> Order:
    """Charge, write the order and its numbers, and either hand them over or have the rest bought."""
    prices = [(kind, count, billing.price(UsageKind.NUMBER_MONTH, kind, tx.now)) for kind, count in wanted.items()]
    is_full = len(claimed) == order.quantity and all(claim.is_bought for claim in claimed)
    await billing.charge_many(tx, tenant, rules.charges(order.id, prices), is_provisional=not is_full)
    purchase = sorted(claim.number for claim in claimed if not claim.is_bought)
    if purchase:
        key = rules.order_key(order.id, 1)
        order = msgspec.structs.replace(order, round=1, purchase=purchase, order_key=key)
    await queries.insert_order(tx, order)
    await _take(tx, tenant, order, claimed)
    await organizations.record(
        tx,
        tenant,
        action="phone_number.order",
        resource_type="number_order",
        resource_id=order.id,
        payload={"kind": order.kind, "quantity": order.quantity, "settings": order.settings},
    )
    if is_full:
        return await _complete(tx, tenant, order)
    await _have_bought(tx, order)
    return order


async def _have_bought(tx: Tx, order: Order) -> None:
    arguments = rules.job_arguments(order.org_id, order.id)
    await enqueue(tx, rules.BUY_JOB, str(order.id), arguments)


async def _take(tx: Tx, tenant: Tenant, order: Order, claimed: Sequence[Claimed]) -> None:
    if claimed:
        await queries.insert_numbers(tx, tenant, order.id, claimed, msgspec.convert(order.settings, Settings))


async def _complete(tx: Tx, tenant: Tenant, order: Order) -> Order:
    numbers = await queries.assign(
        tx,
        tenant.org_id,
        order.id,
        quantity=order.quantity,
        charged_until=rules.plus_months(tx.now, 1),
    )
    closed = await queries.finish(tx, tenant.org_id, order.id, status=OrderStatus.COMPLETE, assigned=numbers)
    if closed is None:
        raise RuntimeError(f"order {order.id} was closed under its lock")
    await _emit_ended(tx, closed)
    return closed


async def _emit_ended(tx: Tx, order: Order) -> None:
    """Emit the event of the order; its numbers have events of their own."""
    if order.kind == OrderKind.BULK:
        kind = EventType.PHONE_NUMBER_BULK_ORDER_COMPLETED
        await emit(tx, order.org_id, kind, order.id, BulkOrderOut.of(order))
    elif order.status == OrderStatus.FAILED:
        data = OrderFailedOut(order.id, OrderKind(order.kind), order.quantity, order.unavailable)
        await emit(tx, order.org_id, EventType.PHONE_NUMBER_ORDER_FAILED, order.id, data)


def _draft(
    tenant: Tenant,
    order_id: UUID,
    kind: OrderKind,
    *,
    quantity: int,
    criteria: dict[str, Any],
    settings: Settings,
    now: datetime,
) -> Order:
    return Order(
        id=order_id,
        org_id=tenant.org_id,
        account=tenant.account,
        kind=kind,
        status=OrderStatus.PROCESSING,
        quantity=quantity,
        criteria=criteria,
        settings=_as_stored(settings),
        assigned=(),
        unavailable=(),
        round=0,
        purchase=(),
        order_key=None,
        submitted_at=None,
        lookup_conclusive_at=None,
        misses=0,
        polls=0,
        carrier_order_id=None,
        created_at=now,
        finished_at=None,
    )


def _as_stored(given: Settings | Criteria) -> dict[str, Any]:
    """A value as it is stored: what was not given is left out."""
    return {name: value for name, value in msgspec.to_builtins(given).items() if value is not None}
