"""Orders as their organization sees them: reads that change nothing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.numbers.orders.model import Order, OrderedNumber


async def list_page(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    kind: str | None,
    status: str | None,
    limit: int,
) -> list[Order]:
    """Orders of the organization, newest first; served by number_orders_list_idx."""
    return await db.all(
        Order,
        """SELECT id, org_id, account, kind, status, quantity, criteria, settings, assigned, unavailable, round,
                  purchase, order_key, submitted_at, lookup_conclusive_at, misses, polls, carrier_order_id,
                  created_at, finished_at, available_count
           FROM number_orders
           WHERE org_id = $1 AND kind <> 'return' AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
             AND ($4::text IS NULL OR kind = $4) AND ($5::text IS NULL OR status = $5)
           ORDER BY created_at DESC, id DESC LIMIT $6""",
        org_id,
        before_at,
        before_id,
        kind,
        status,
        limit,
    )


async def list_numbers(
    db: Executor, org_id: UUID, order_id: UUID, *, account: str, assigned: Sequence[str]
) -> list[OrderedNumber]:
    """The numbers of an order that are still the organization's: on order, or handed over by it.

    Those on order by phone_numbers_order_idx, the others by account and number.
    """
    return await db.all(
        OrderedNumber,
        """SELECT id, number FROM phone_numbers WHERE org_id = $1 AND order_id = $2 AND state = 'ordering'
           UNION ALL
           SELECT id, number FROM phone_numbers
           WHERE org_id = $1 AND order_id = $2 AND account = $3 AND number = ANY ($4) AND state <> 'ordering'
           ORDER BY number""",
        org_id,
        order_id,
        account,
        assigned,
    )
