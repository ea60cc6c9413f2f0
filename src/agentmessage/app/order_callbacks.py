"""What a carrier's callback makes due: the order is read again, nothing of the callback itself is believed."""

from agentmessage.carriers.protocols import OrderHint, OrderKind
from agentmessage.kernel.db import CellDb
from agentmessage.numbers.binding import carrier_order_queries
from agentmessage.numbers.orders import queries as order_queries
from agentmessage.numbers.orders import rules as order_rules
from agentmessage.outbox.events import enqueue


async def hint_order(cell: CellDb, *, account: str, hint: OrderHint) -> bool:
    """Make the order that a callback is about due. False: this cell has no such order."""
    match hint.kind:
        case OrderKind.LINE_OPTIONS:
            return await carrier_order_queries.ring_order(cell, account, hint.carrier_order_id, hint.order_key)
        case OrderKind.PURCHASE | OrderKind.DISCONNECTION:
            return await hint_number_order(cell, account=account, hint=hint)


async def hint_number_order(cell: CellDb, *, account: str, hint: OrderHint) -> bool:
    """Bring the job of a purchase or a disconnection forward. False: this cell has no such open order."""
    found = await order_queries.find_orders_hinted(cell, account, hint.carrier_order_id, hint.order_key)
    for kind, org_id, order_id in found:
        arguments = order_rules.job_arguments(org_id, order_id)
        await enqueue(cell, order_rules.job_of(kind), str(order_id), arguments)
    return bool(found)
