"""What a carrier's callback makes due: the order is read again, nothing of the callback itself is believed."""

from agentmessage.carriers.port import OrderHint, OrderKind
from agentmessage.kernel.db import CellDb
from agentmessage.numbers import carrier_order_queries


async def hint_order(cell: CellDb, *, account: str, hint: OrderHint) -> bool:
    """Make the order that a callback is about due. False: this cell has no such order."""
    match hint.kind:
        case OrderKind.LINE_OPTIONS:
            return await carrier_order_queries.ring_order(cell, account, hint.carrier_order_id, hint.order_key)
        case _:
            return False
