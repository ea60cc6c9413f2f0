"""A delivery read from its queue, and the body that is sent; pure."""

from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.events.model import API_VERSION, ID_PREFIX
from agentmessage.webhooks.endpoint_queue_queries import Row
from agentmessage.webhooks.endpoint_queues import Delivery
from agentmessage.webhooks.model import Reply

UNREADABLE_SECRET = "its secret cannot be read: rotate it"  # noqa: S105 - words about one


class EventBody(Struct, frozen=True):
    """An event as it is sent: what `events.schemas.EventResource` prints, its data as it is stored."""

    id: str
    type: str
    api_version: str
    created_at: object
    org_id: UUID
    data: msgspec.Raw


def delivery_of(row: Row) -> Delivery | None:
    """What waits, out of a row that has something; the columns of a delivery are there together or not at all."""
    if (
        row.id is None
        or row.due_at is None
        or row.event_id is None
        or row.public_event_id is None
        or row.attempts is None
    ):
        return None
    return Delivery(
        queue_id=row.queue_id,
        org_id=row.org_id,
        is_number=row.number_url is not None,
        url=row.number_url or row.endpoint_url or "",
        secrets=tuple(secret for secret in (row.encrypted_secret, row.previous_encrypted_secret) if secret is not None),
        due_at=row.due_at,
        id=row.id,
        event_id=row.event_id,
        public_event_id=row.public_event_id,
        attempts=row.attempts,
        type=row.type,
        happened_at=row.happened_at,
        data=row.data,
    )


def encode_body(delivery: Delivery) -> bytes | None:
    """What the receiver reads; None when the fact is not kept any more."""
    if delivery.data is None or delivery.type is None:
        return None
    return msgspec.json.encode(
        EventBody(
            f"{ID_PREFIX}{delivery.public_event_id}",
            delivery.type,
            API_VERSION,
            delivery.happened_at,
            delivery.org_id,
            msgspec.Raw(delivery.data.encode()),
        )
    )


def not_attempted(error: str) -> Reply:
    """As if a receiver had not answered: it was not asked, and why."""
    return Reply(headers={}, status=None, time_ms=0, excerpt=None, error=error)
