"""The verbs of giving numbers back: into quarantine and then the pool, or to the carrier.

The desired campaign is cleared under a new generation, so that the reconciler unbinds the number
before another organization can have it.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from agentmessage.kernel.db import Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers.errors import NumberNotAssigned, ReturnIsForOperators
from agentmessage.numbers.model import NumberState
from agentmessage.numbers.orders import queries, rules
from agentmessage.numbers.orders.model import Order, OrderKind, OrderStatus, Released
from agentmessage.numbers.orders.schemas import BulkReleaseOut
from agentmessage.outbox.events import enqueue

RETURN_SCOPE = "platform:inventory:write"


async def release(tx: Tx, tenant: Tenant, number_id: UUID, *, return_to_carrier: bool, quarantine_days: int) -> None:
    """Release one number. Raises ReturnIsForOperators, NotFound (not owned), NumberNotAssigned."""
    if return_to_carrier and RETURN_SCOPE not in tenant.scopes:
        raise ReturnIsForOperators
    states = dict(await queries.lock_for_release(tx, tenant.org_id, [number_id]))
    if number_id not in states:
        raise NotFound
    if states[number_id] != NumberState.ASSIGNED:
        raise NumberNotAssigned
    released = await queries.release(
        tx,
        tenant,
        [number_id],
        available_at=tx.now + timedelta(days=quarantine_days),
        return_to_carrier=return_to_carrier,
    )
    if return_to_carrier:
        for number in released:
            await _return(tx, tenant, number)


async def release_many(tx: Tx, tenant: Tenant, ids: Sequence[UUID], *, quarantine_days: int) -> BulkReleaseOut:
    """Release what of these can be released, each on its own; says what became of each, once."""
    distinct = list(dict.fromkeys(ids))
    states = dict(await queries.lock_for_release(tx, tenant.org_id, distinct))
    held = [number_id for number_id in distinct if states.get(number_id) == NumberState.ASSIGNED]
    if held:
        available_at = tx.now + timedelta(days=quarantine_days)
        await queries.release(tx, tenant, held, available_at=available_at, return_to_carrier=False)
    return BulkReleaseOut(
        released=held,
        unknown=[number_id for number_id in distinct if states.get(number_id) in (None, NumberState.ORDERING)],
        already_released=[number_id for number_id in distinct if states.get(number_id) == NumberState.QUARANTINED],
    )


async def _return(tx: Tx, tenant: Tenant, released: Released) -> None:
    """Have the number disconnected once it is surely unbound."""
    order_id = new_id()
    order = Order(
        id=order_id,
        org_id=tenant.org_id,
        account=tenant.account,
        kind=OrderKind.RETURN,
        status=OrderStatus.PROCESSING,
        quantity=1,
        criteria={},
        settings={},
        assigned=(),
        unavailable=(),
        round=1,
        purchase=[released.number],
        order_key=rules.order_key(order_id, 1),
        submitted_at=None,
        lookup_conclusive_at=None,
        misses=0,
        polls=0,
        carrier_order_id=None,
        created_at=tx.now,
        finished_at=None,
    )
    await queries.insert_order(tx, order)
    arguments = rules.job_arguments(order.org_id, order_id)
    await enqueue(tx, rules.RETURN_JOB, str(order_id), arguments)
