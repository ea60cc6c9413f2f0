"""Disables receivers that returned 410, or that only failed for five days."""

from datetime import datetime

import msgspec

from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.tenant import operator
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.webhooks import result_queries
from agentmessage.webhooks.endpoint_queues import Delivery
from agentmessage.webhooks.model import DestinationKind
from agentmessage.webhooks.schemas import DisableReason, ReceiverDisabled


async def close(db: CellDb, delivery: Delivery, why: DisableReason, *, failing_since: datetime | None) -> None:
    """Disable the receiver of a delivery, delete what waits for it, and emit `webhook_endpoint.disabled`, once.

    Writes the receiver, then its queue, then the deliveries: the same order as every change of an endpoint.
    """
    async with db.transaction() as tx:
        if not await _switch_off(tx, delivery):
            return
        abandoned = await result_queries.abandon(tx, delivery.queue_id)
        kind = DestinationKind.NUMBER if delivery.is_number else DestinationKind.ENDPOINT
        disabled = ReceiverDisabled(
            delivery.queue_id, delivery.org_id, kind, delivery.url, why, failing_since, abandoned, tx.now
        )
        await outbox_events.emit(
            tx, delivery.org_id, EventType.WEBHOOK_ENDPOINT_DISABLED, delivery.queue_id, msgspec.to_builtins(disabled)
        )
        await organizations.record(
            tx,
            operator(delivery.org_id, db.name, ""),
            action="webhook_endpoint.disable",
            resource_type="webhook_endpoint",
            resource_id=delivery.queue_id,
            reason=why.value,
            payload={"url": delivery.url.partition("?")[0], "kind": kind.value, "abandoned": abandoned},
        )


async def _switch_off(tx: Tx, delivery: Delivery) -> bool:
    if delivery.is_number:
        return await result_queries.close_number_url(tx, delivery.queue_id)
    return await result_queries.close_endpoint(tx, delivery.queue_id)
