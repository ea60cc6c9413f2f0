"""Receivers that are told nothing more: they said so, or did nothing but fail for days."""

from datetime import datetime

import msgspec

from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.tenant import operator
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.webhooks import result_queries
from agentmessage.webhooks.endpoint_queues import Delivery
from agentmessage.webhooks.model import LaneKind
from agentmessage.webhooks.schemas import ReceiverDisabled, Why


async def close(db: CellDb, delivery: Delivery, why: Why, *, failing_since: datetime | None) -> None:
    """Switch off the receiver of a delivery, abandon what waits for it, and tell its organization; once.

    The receiver is written before its lane and that before what waits there, as whoever changes an endpoint does.
    """
    async with db.transaction() as tx:
        if not await _switch_off(tx, delivery):
            return
        abandoned = await result_queries.abandon(tx, delivery.queue_id)
        kind = LaneKind.NUMBER if delivery.is_number else LaneKind.ENDPOINT
        news = ReceiverDisabled(
            delivery.queue_id, delivery.org_id, kind, delivery.url, why, failing_since, abandoned, tx.now
        )
        await outbox_events.emit(
            tx, delivery.org_id, EventType.WEBHOOK_ENDPOINT_DISABLED, delivery.queue_id, msgspec.to_builtins(news)
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
