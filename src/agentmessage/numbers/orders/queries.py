"""Every statement on orders, and on numbers while they come and go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id, new_ulid
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers.model import PhoneNumber
from agentmessage.numbers.orders.model import Claimed, Order, Released, Settings
from agentmessage.numbers.queries import NUMBER_COLUMNS


async def insert_order(tx: Executor, order: Order) -> None:
    """Write a new order."""
    await tx.run(
        """INSERT INTO number_orders (id, org_id, account, kind, status, quantity, criteria, settings, round, purchase,
                                      order_key, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        order.id,
        order.org_id,
        order.account,
        order.kind,
        order.status,
        order.quantity,
        order.criteria,
        order.settings,
        order.round,
        order.purchase,
        order.order_key,
        order.created_at,
    )


async def find_order(db: Executor, org_id: UUID, order_id: UUID) -> Order | None:
    """An order of the organization; by primary key."""
    return await db.one(
        Order,
        """SELECT id, org_id, account, kind, status, quantity, criteria, settings, assigned, unavailable, round,
                  purchase, order_key, submitted_at, lookup_conclusive_at, misses, polls, carrier_order_id,
                  created_at, finished_at, available_count
           FROM number_orders WHERE org_id = $1 AND id = $2""",
        org_id,
        order_id,
    )


async def lock_order(tx: Executor, org_id: UUID, order_id: UUID) -> Order | None:
    """As `find_order`, locked until the commit: only one transaction settles it."""
    return await tx.one(
        Order,
        """SELECT id, org_id, account, kind, status, quantity, criteria, settings, assigned, unavailable, round,
                  purchase, order_key, submitted_at, lookup_conclusive_at, misses, polls, carrier_order_id,
                  created_at, finished_at, available_count
           FROM number_orders WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        org_id,
        order_id,
    )


async def find_orders_hinted(
    db: Executor, account: str, carrier_order_id: str, order_key: str
) -> list[tuple[str, UUID, UUID]]:
    """Kind, organization and id of the open orders that a carrier's hint is about, of any organization."""
    return await db.all(
        _subject,
        """SELECT kind, org_id, id FROM number_orders
           WHERE status = 'processing' AND account = $1 AND (carrier_order_id = $2 OR order_key = nullif($3, ''))""",
        account,
        carrier_order_id,
        order_key,
    )


async def begin_purchase(tx: Executor, org_id: UUID, order_id: UUID, *, order_key: str, numbers: Sequence[str]) -> None:
    """Write down what is about to be bought and under which key, before anybody speaks."""
    await tx.run(
        """UPDATE number_orders SET round = round + 1, purchase = $4, order_key = $3, submitted_at = NULL,
               lookup_conclusive_at = NULL, misses = 0, polls = 0, carrier_order_id = NULL
           WHERE org_id = $1 AND id = $2""",
        org_id,
        order_id,
        order_key,
        numbers,
    )


async def end_purchase(tx: Executor, org_id: UUID, order_id: UUID) -> None:
    """Nothing is under way at the carrier any more."""
    await tx.run(
        """UPDATE number_orders SET purchase = '{}', order_key = NULL, submitted_at = NULL, lookup_conclusive_at = NULL,
               misses = 0, polls = 0, carrier_order_id = NULL
           WHERE org_id = $1 AND id = $2""",
        org_id,
        order_id,
    )


async def mark_submitted(db: Executor, order: Order, *, lookup_conclusive_at: datetime) -> bool:
    """Mark that the carrier is about to be called. False: another worker has marked it, or it is over."""
    return bool(
        await db.run(
            """UPDATE number_orders SET submitted_at = $4, lookup_conclusive_at = $5, misses = 0
               WHERE org_id = $1 AND id = $2 AND order_key = $3 AND status = 'processing' AND submitted_at IS NULL""",
            order.org_id,
            order.id,
            order.order_key,
            db.now,
            lookup_conclusive_at,
        )
    )


async def mark_unsubmitted(db: Executor, order: Order, *, said: str | None) -> None:
    """The carrier surely has not got it: the same key may be handed over again."""
    await db.run(
        """UPDATE number_orders SET submitted_at = NULL, lookup_conclusive_at = NULL, misses = 0, polls = polls + 1,
               carrier_response = coalesce($4, carrier_response)
           WHERE org_id = $1 AND id = $2 AND order_key = $3 AND carrier_order_id IS NULL AND status = 'processing'""",
        order.org_id,
        order.id,
        order.order_key,
        said,
    )


async def mark_known(db: Executor, order: Order, carrier_order_id: str) -> None:
    """The carrier has it, under its own id."""
    await db.run(
        """UPDATE number_orders SET carrier_order_id = $4, submitted_at = coalesce(submitted_at, $5), polls = 0
           WHERE org_id = $1 AND id = $2 AND order_key = $3 AND status = 'processing'""",
        order.org_id,
        order.id,
        order.order_key,
        carrier_order_id,
        db.now,
    )


async def mark_doubtful(
    db: Executor, order: Order, *, lookup_conclusive_at: datetime, misses: int, said: str | None
) -> None:
    """The carrier may or may not have it; look it up by its key. `misses` is how often nothing was found."""
    await db.run(
        """UPDATE number_orders SET carrier_order_id = NULL, lookup_conclusive_at = $4, misses = $5,
               carrier_response = coalesce($6, carrier_response)
           WHERE org_id = $1 AND id = $2 AND order_key = $3 AND status = 'processing'""",
        order.org_id,
        order.id,
        order.order_key,
        lookup_conclusive_at,
        misses,
        said,
    )


async def count_poll(db: Executor, order: Order, *, said: str | None) -> None:
    """It was asked for and nothing came of it."""
    await db.run(
        """UPDATE number_orders SET polls = polls + 1, carrier_response = coalesce($4, carrier_response)
           WHERE org_id = $1 AND id = $2 AND order_key IS NOT DISTINCT FROM $3""",
        order.org_id,
        order.id,
        order.order_key,
        said,
    )


async def finish(
    tx: Executor,
    org_id: UUID,
    order_id: UUID,
    *,
    status: str,
    assigned: Sequence[str] = (),
    unavailable: Sequence[str] = (),
    available_count: int | None = None,
) -> Order | None:
    """Close an order; answers it as it stands from now on."""
    return await tx.one(
        Order,
        """UPDATE number_orders SET status = $3, assigned = $4, unavailable = $5, finished_at = $6, available_count = $7
           WHERE org_id = $1 AND id = $2 AND status = 'processing'
           RETURNING id, org_id, account, kind, status, quantity, criteria, settings, assigned, unavailable, round,
                     purchase, order_key, submitted_at, lookup_conclusive_at, misses, polls, carrier_order_id,
                     created_at, finished_at, available_count""",
        org_id,
        order_id,
        status,
        assigned,
        unavailable,
        tx.now,
        available_count,
    )


async def insert_numbers(
    tx: Executor, tenant: Tenant, order_id: UUID, claimed: Sequence[Claimed], settings: Settings
) -> None:
    """Write claimed numbers as the organization's, in `ordering`, and the carrier side of each.

    A number's generation goes on from its last owner's. What was bought is bound to
    nothing, and so is what came through a quarantine; an imported number has to be read first.
    """
    await tx.run(
        """WITH c AS (
               SELECT * FROM unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::boolean[])
                   u (id, number, kind, generation, is_observed)),
           added AS (
               INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, order_id, inbound_url,
                   status_url, label, campaign_id, generation, desired_at, line_option_status, created_at, updated_at)
               SELECT id, $1, $2, number, kind, 'ordering', $3, $9, $10, $11, $12::uuid, generation + 1, $13,
                      CASE WHEN $12::uuid IS NOT NULL THEN 'pending' END, $13, $13
               FROM c)
           INSERT INTO line_options (phone_number_id, org_id, account, number, phase, observed, observed_at,
                                     applied_generation, op_seq, updated_at)
           SELECT c.id, $1, $2, c.number, 'unbound', CASE WHEN c.is_observed THEN 'absent' ELSE 'unread' END,
                  CASE WHEN c.is_observed THEN $13 END, c.generation + CASE WHEN $12::uuid IS NULL THEN 1 ELSE 0 END,
                  i.op_seq, $13
           FROM c JOIN directory.inventory i ON i.account = $2 AND i.number = c.number""",
        tenant.org_id,
        tenant.account,
        order_id,
        [new_id() for _ in claimed],
        [claim.number for claim in claimed],
        [claim.number_type for claim in claimed],
        [claim.generation for claim in claimed],
        [claim.is_observed for claim in claimed],
        settings.inbound_url,
        settings.status_url,
        settings.label,
        settings.campaign_id,
        tx.now,
    )


async def list_ordered(db: Executor, org_id: UUID, order_id: UUID) -> list[PhoneNumber]:
    """The numbers of an order, as long as they are the organization's."""
    return await db.all(
        PhoneNumber,
        f"""SELECT {NUMBER_COLUMNS}
           FROM phone_numbers WHERE org_id = $1 AND order_id = $2 ORDER BY number""",
        org_id,
        order_id,
    )


async def count_held(db: Executor, org_id: UUID, order_id: UUID) -> int:
    """How many numbers an open order holds; served by phone_numbers_order_idx."""
    count: int = await db.value(
        "SELECT count(*) FROM phone_numbers WHERE org_id = $1 AND order_id = $2 AND state = 'ordering'",
        org_id,
        order_id,
    )
    return count


async def assign(tx: Executor, org_id: UUID, order_id: UUID, *, quantity: int, charged_until: datetime) -> list[str]:
    """Hand over every number of an order: number, inventory, carrier side and facts, in one statement.

    The number is as old as its assignment, so that it enters a list at the front, also when its order took long.
    """
    return await tx.all(
        str,
        """WITH changed AS (
               UPDATE phone_numbers p SET state = 'assigned', charged_until = $3, created_at = $4, updated_at = $4,
                   desired_at = $4
               WHERE p.org_id = $1 AND p.order_id = $2 AND p.state = 'ordering' RETURNING p.*),
           held AS (
               UPDATE directory.inventory i SET state = 'assigned', generation = c.generation, updated_at = $4
               FROM changed c WHERE i.account = c.account AND i.number = c.number),
           woken AS (
               UPDATE line_options l SET due_at = CASE WHEN c.campaign_id IS NOT NULL THEN $4 END,
                   observed_at = CASE WHEN l.observed = 'absent' THEN $4 END, updated_at = $4
               FROM changed c WHERE l.phone_number_id = c.id),
           numbered AS (
               SELECT c.id, phone_number_resource(c) AS data, c.campaign_id, row_number() OVER () AS n
               FROM changed c),
           keyed AS (
               SELECT x.*, u.ordered, u.attached
               FROM numbered x JOIN unnest($5::uuid[], $6::uuid[]) WITH ORDINALITY u (ordered, attached, n) USING (n)),
           facts AS (
               INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
               SELECT ordered, $1, 'phone_number.ordered', 'phone_number', id, data, $4 FROM keyed
               UNION ALL
               SELECT attached, $1, 'phone_number.campaign.attached', 'phone_number', id, data, $4 FROM keyed
               WHERE campaign_id IS NOT NULL)
           SELECT number FROM changed ORDER BY number""",
        org_id,
        order_id,
        charged_until,
        tx.now,
        [new_id() for _ in range(quantity)],
        [new_id() for _ in range(quantity)],
    )


async def drop_numbers(tx: Executor, org_id: UUID, order_id: UUID, numbers: Sequence[str] | None) -> list[str]:
    """Take numbers out of an open order again, all of them when None; returns which."""
    return await tx.all(
        str,
        """DELETE FROM phone_numbers
           WHERE org_id = $1 AND order_id = $2 AND state = 'ordering' AND ($3::text[] IS NULL OR number = ANY($3))
           RETURNING number""",
        org_id,
        order_id,
        numbers,
    )


async def lock_for_release(tx: Executor, org_id: UUID, ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """State of each of these numbers, locked in the order that the reconciler locks them in too."""
    return await tx.all(
        _state,
        "SELECT id, state FROM phone_numbers WHERE org_id = $1 AND id = ANY($2) ORDER BY number FOR NO KEY UPDATE",
        org_id,
        ids,
    )


async def release(
    tx: Executor, tenant: Tenant, ids: Sequence[UUID], *, available_at: datetime, return_to_carrier: bool
) -> list[Released]:
    """Release numbers that `lock_for_release` has locked: routing, desired campaign, inventory, events.

    One statement whatever their number. The desired campaign becomes none under a new generation; the line is due.
    """
    return await tx.all(
        Released,
        """WITH old AS (
               SELECT id, campaign_id FROM phone_numbers WHERE org_id = $1 AND id = ANY($2) AND state = 'assigned'),
           changed AS (
               UPDATE phone_numbers p SET state = 'quarantined', inbound_url = NULL, status_url = NULL,
                   campaign_id = NULL, generation = p.generation + 1, desired_at = $3,
                   line_option_status = CASE WHEN p.line_option_status IS NOT NULL THEN 'pending' END,
                   line_option_propagated_at = NULL, updated_at = $3, released_at = $3, return_to_carrier = $5
               WHERE p.org_id = $1 AND p.id = ANY($2) AND p.state = 'assigned' RETURNING p.*),
           woken AS (
               UPDATE line_options l SET due_at = $3 FROM changed c WHERE l.phone_number_id = c.id),
           shelved AS (
               UPDATE directory.inventory i SET state = 'quarantined', generation = c.generation, available_at = $4,
                   updated_at = $3
               FROM changed c WHERE i.account = c.account AND i.number = c.number),
           numbered AS (
               SELECT c.id, phone_number_resource(c) AS data, row_number() OVER () AS n FROM changed c),
           keyed AS (
               SELECT x.id, x.data, u.event_id, u.audit_id, old.campaign_id
               FROM numbered x JOIN unnest($6::uuid[], $7::text[]) WITH ORDINALITY u (event_id, audit_id, n) USING (n)
               JOIN old ON old.id = x.id),
           facts AS (
               INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
               SELECT event_id, $1, 'phone_number.released', 'phone_number', id, data, $3 FROM keyed),
           audited AS (
               INSERT INTO audit_log (org_id, id, occurred_at, actor_kind, actor_label, action, resource_type,
                                      resource_id, request_id, payload)
               SELECT $1, audit_id, $3, $8, $9, 'phone_number.release', 'phone_number', id::text, nullif($10, ''),
                      jsonb_build_object('campaign_id', campaign_id, 'return_to_carrier', $5::boolean)
               FROM keyed)
           SELECT c.id, c.number, old.campaign_id FROM changed c JOIN old ON old.id = c.id""",
        tenant.org_id,
        ids,
        tx.now,
        available_at,
        return_to_carrier,
        [new_id() for _ in ids],
        [new_ulid() for _ in ids],
        tenant.actor_kind,
        tenant.actor_label,
        tenant.request_id,
    )


def _state(number_id: UUID, state: str) -> tuple[UUID, str]:
    return number_id, state


def _subject(*columns: Any) -> tuple[str, UUID, UUID]:
    return columns[0], columns[1], columns[2]
