"""Every statement on carrier orders and their members: written before the call, to recover from a crash by."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor


class CarrierOrder(Struct, frozen=True):
    """A claimed order. `was` is the state it was found in; `submissions` counts one that begins with this claim."""

    id: UUID
    account: str
    order_key: str
    was: str
    carrier_order_id: str | None
    size: int
    misses: int
    submissions: int
    polls: int
    submitted_at: datetime | None
    lease_token: UUID


class Member(Struct, frozen=True):
    """One number in an order: where it is to go (None: off), under which sequence and generation."""

    phone_number_id: UUID
    number: str
    campaign: str | None
    op_seq: int
    generation: int


async def insert_order(tx: Executor, order_id: UUID, *, account: str, order_key: str, size: int) -> None:
    """Write an order, due at once."""
    await tx.run(
        """INSERT INTO carrier_orders (id, account, order_key, state, size, due_at, created_at)
           VALUES ($1, $2, $3, 'written', $4, $5, $5)""",
        order_id,
        account,
        order_key,
        size,
        tx.now,
    )


async def backlogged_accounts(db: Executor, *, min_orders: int) -> list[str]:
    """Accounts with at least `min_orders` orders that wait to be handed over; served by carrier_orders_due_idx."""
    return await db.all(
        str,
        """SELECT account FROM carrier_orders WHERE state = 'written' AND due_at IS NOT NULL
           GROUP BY account HAVING count(*) >= $1""",
        min_orders,
    )


class Waiting(Struct, frozen=True):
    """An order that was never handed over and has room; locked by this transaction."""

    id: UUID
    size: int


async def lock_waiting(tx: Executor, account: str, *, max_members: int) -> Waiting | None:
    """The order of an account that waits to be handed over and has fewer than `max_members` members: it can take more.

    Skips one that is just being claimed; this never waits. Served by carrier_orders_due_idx.
    """
    return await tx.one(
        Waiting,
        """SELECT id, size FROM carrier_orders
           WHERE account = $1 AND state = 'written' AND submissions = 0 AND size < $2 AND due_at IS NOT NULL
           ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED""",
        account,
        max_members,
    )


async def grow_order(tx: Executor, order_id: UUID, *, by: int) -> None:
    """Count members that are added to a waiting order."""
    await tx.run("UPDATE carrier_orders SET size = size + $2 WHERE id = $1", order_id, by)


async def insert_members(tx: Executor, order_id: UUID, members: Sequence[Member]) -> None:
    """Write an order's members."""
    await tx.run(
        """INSERT INTO carrier_order_items (order_id, phone_number_id, number, campaign, op_seq, generation)
           SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])""",
        order_id,
        [member.phone_number_id for member in members],
        [member.number for member in members],
        [member.campaign for member in members],
        [member.op_seq for member in members],
        [member.generation for member in members],
    )


async def withdraw_member(tx: Executor, order_id: UUID, phone_number_id: UUID) -> bool:
    """Take a number out of an order that was never handed over; False: it has been, or is being, handed over."""
    return bool(
        await tx.run(
            """WITH open AS (
                   UPDATE carrier_orders SET size = size - 1 WHERE id = $1 AND state = 'written' AND submissions = 0
                   RETURNING id)
               DELETE FROM carrier_order_items m USING open WHERE m.order_id = open.id AND m.phone_number_id = $2""",
            order_id,
            phone_number_id,
        )
    )


async def claim_orders(
    db: Executor, *, accounts: Sequence[str], now: datetime, lease_token: UUID, until: datetime, limit: int
) -> list[CarrierOrder]:
    """Lease orders that are due. One that is about to be submitted becomes `unknown` here, before anybody speaks."""
    return await db.all(
        CarrierOrder,
        """UPDATE carrier_orders o SET lease_token = $3, lease_until = $4, due_at = $4,
               state = CASE WHEN found.state = 'written' THEN 'unknown' ELSE found.state END,
               submissions = o.submissions + CASE WHEN found.state = 'written' THEN 1 ELSE 0 END,
               submitted_at = CASE WHEN found.state = 'written' THEN $2 ELSE o.submitted_at END
           FROM (SELECT id, state FROM carrier_orders
                 WHERE due_at <= $2 AND account = ANY($1) AND (lease_until IS NULL OR lease_until <= $2)
                 ORDER BY due_at, id LIMIT $5 FOR UPDATE SKIP LOCKED) AS found
           WHERE o.id = found.id
           RETURNING o.id, o.account, o.order_key, found.state, o.carrier_order_id, o.size, o.misses, o.submissions,
                     o.polls, o.submitted_at, o.lease_token""",
        accounts,
        now,
        lease_token,
        until,
        limit,
    )


async def list_members(db: Executor, order_id: UUID) -> list[Member]:
    """An order's members, by number."""
    return await db.all(
        Member,
        """SELECT phone_number_id, number, campaign, op_seq, generation FROM carrier_order_items
           WHERE order_id = $1 ORDER BY number""",
        order_id,
    )


async def release_order(
    tx: Executor,
    order: CarrierOrder,
    *,
    state: str,
    due_at: datetime | None,
    carrier_order_id: str | None = None,
    misses: int = 0,
    polls: int = 0,
    submissions: int | None = None,
    raw: str | None = None,
) -> bool:
    """Write what became of an order and give up the lease; False: the lease was lost, so nothing may be written."""
    return bool(
        await tx.run(
            """UPDATE carrier_orders SET state = $3, due_at = $4, carrier_order_id = coalesce($5, carrier_order_id),
                   misses = $6, polls = $7, submissions = coalesce($8, submissions), raw = coalesce($9, raw),
                   lease_token = NULL, lease_until = NULL,
                   finished_at = CASE WHEN $4::timestamptz IS NULL THEN $10 ELSE finished_at END
               WHERE id = $1 AND lease_token = $2""",
            order.id,
            order.lease_token,
            state,
            due_at,
            carrier_order_id,
            misses,
            polls,
            submissions,
            raw,
            tx.now,
        )
    )


class Verdict(Struct, frozen=True):
    """What became of a member."""

    phone_number_id: UUID
    result: str
    code: str | None
    text: str | None


async def save_verdicts(tx: Executor, order_id: UUID, verdicts: Sequence[Verdict]) -> None:
    """Write what became of an order's members."""
    await tx.run(
        """UPDATE carrier_order_items m SET result = u.result, code = u.code, text = u.text
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS u (id, result, code, text)
           WHERE m.order_id = $1 AND m.phone_number_id = u.id""",
        order_id,
        [verdict.phone_number_id for verdict in verdicts],
        [verdict.result for verdict in verdicts],
        [verdict.code for verdict in verdicts],
        [verdict.text for verdict in verdicts],
    )


async def make_order_due(db: Executor, account: str, carrier_order_id: str, order_key: str) -> bool:
    """A callback spoke of an order: look at it now, unless it has ended. False: no such order here."""
    return bool(
        await db.run(
            """UPDATE carrier_orders SET due_at = CASE WHEN lease_until > $4 OR finished_at IS NOT NULL THEN due_at
                                                       ELSE least(due_at, $4) END
               WHERE account = $1 AND (carrier_order_id = $2 OR order_key = $3)""",
            account,
            carrier_order_id,
            order_key,
            db.now,
        )
    )


async def next_due_at(db: Executor) -> datetime | None:
    """When the next order of this cell is due."""
    moment: datetime | None = await db.value("SELECT min(due_at) FROM carrier_orders")
    return moment


async def delete_finished(db: Executor, before: datetime) -> int:
    """Forget orders that ended long ago, at most 1,000 (the carrier keeps them two years).

    Served by carrier_orders_finished_idx.
    """
    return await db.run(
        """DELETE FROM carrier_orders WHERE id IN (
               SELECT id FROM carrier_orders WHERE finished_at < $1 ORDER BY finished_at LIMIT 1000)""",
        before,
    )
