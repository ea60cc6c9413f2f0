"""Every statement on payments: billing customers, top-ups, automatic charges, and received events."""

from datetime import datetime
from uuid import UUID

from agentmessage.billing.payments.model import AutoTopup, BillingCustomer, SubscriptionStatus, Topup
from agentmessage.kernel.db import Executor


async def find_billing_customer(db: Executor, org_id: UUID) -> BillingCustomer | None:
    """An organization as the processor knows it."""
    return await db.one(
        BillingCustomer,
        """SELECT org_id, customer_id, subscription_id, subscription_status, subscription_reported_at
           FROM billing_customers WHERE org_id = $1""",
        org_id,
    )


async def find_customer(db: Executor, customer_id: str) -> UUID | None:
    """Whose customer at the processor this is, of this cell; by billing_customers_customer_id_key."""
    org_id: UUID | None = await db.value("SELECT org_id FROM billing_customers WHERE customer_id = $1", customer_id)
    return org_id


async def keep_customer(db: Executor, org_id: UUID, customer_id: str) -> str:
    """Remember the organization's customer; answers the one that holds: the first, when two were made at once."""
    kept: str = await db.value(
        """INSERT INTO billing_customers AS p (org_id, customer_id, updated_at) VALUES ($1, $2, $3)
           ON CONFLICT (org_id) DO UPDATE SET customer_id = coalesce(p.customer_id, $2), updated_at = $3
           RETURNING customer_id""",
        org_id,
        customer_id,
        db.now,
    )
    return kept


async def forget_customer(db: Executor, org_id: UUID, customer_id: str) -> None:
    """The processor has no such customer any more."""
    await db.run(
        "UPDATE billing_customers SET customer_id = NULL, updated_at = $3 WHERE org_id = $1 AND customer_id = $2",
        org_id,
        customer_id,
        db.now,
    )


async def update_standing(
    tx: Executor, org_id: UUID, *, subscription_id: str, standing: SubscriptionStatus, reported_at: datetime
) -> None:
    """How the plan stands, as of when the processor saw it so."""
    await tx.run(
        """UPDATE billing_customers SET subscription_id = $2, subscription_status = $3, subscription_reported_at = $4,
               updated_at = $5 WHERE org_id = $1""",
        org_id,
        subscription_id,
        standing,
        reported_at,
        tx.now,
    )


async def insert_topup(tx: Executor, topup: Topup) -> None:
    """Insert a purchase before the processor gets it."""
    await tx.run(
        """INSERT INTO topups (id, org_id, kind, state, product_id, amount_cents, success_url, cancel_url,
               customer_id, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)""",
        topup.id,
        topup.org_id,
        topup.kind,
        topup.state,
        topup.product_id,
        topup.amount_cents,
        topup.success_url,
        topup.cancel_url,
        topup.customer_id,
        topup.created_at,
    )


async def find_topup(db: Executor, org_id: UUID, topup_id: UUID) -> Topup | None:
    """One purchase."""
    return await db.one(
        Topup,
        """SELECT id, org_id, kind, state, product_id, amount_cents, success_url, cancel_url, session_id, session_url,
               customer_id, payment_method, payment_id, failure, created_at
           FROM topups WHERE org_id = $1 AND id = $2""",
        org_id,
        topup_id,
    )


async def find_open_charge(tx: Executor, org_id: UUID) -> Topup | None:
    """The automatic purchase that is under way; by topups_charge_idx."""
    return await tx.one(
        Topup,
        """SELECT id, org_id, kind, state, product_id, amount_cents, success_url, cancel_url, session_id, session_url,
               customer_id, payment_method, payment_id, failure, created_at
           FROM topups WHERE org_id = $1 AND kind = 'auto' AND state = 'open'""",
        org_id,
    )


async def find_paid_with(db: Executor, payment_id: str) -> UUID | None:
    """Whose purchase a payment was for, of this cell; by topups_payment_idx."""
    org_id: UUID | None = await db.value("SELECT org_id FROM topups WHERE payment_id = $1", payment_id)
    return org_id


async def update_topup(tx: Executor, topup: Topup) -> None:
    """Write how a purchase stands."""
    await tx.run(
        """UPDATE topups SET state = $3, session_id = $4, session_url = $5, customer_id = $6, payment_method = $7,
               payment_id = $8, failure = $9, updated_at = $10
           WHERE org_id = $1 AND id = $2""",
        topup.org_id,
        topup.id,
        topup.state,
        topup.session_id,
        topup.session_url,
        topup.customer_id,
        topup.payment_method,
        topup.payment_id,
        topup.failure,
        tx.now,
    )


async def find_auto(db: Executor, org_id: UUID) -> AutoTopup | None:
    """What the organization has charged by itself, or had."""
    return await db.one(
        AutoTopup,
        """SELECT org_id, product_id, amount_cents, threshold_cents, is_enabled, failures, last_failure,
               next_attempt_at, monthly_max_cents FROM auto_topups WHERE org_id = $1""",
        org_id,
    )


async def upsert_auto(tx: Executor, auto: AutoTopup) -> None:
    """Write what is charged by itself."""
    await tx.run(
        """INSERT INTO auto_topups (org_id, product_id, amount_cents, threshold_cents, is_enabled, failures,
               last_failure, next_attempt_at, updated_at, monthly_max_cents)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT (org_id) DO UPDATE SET product_id = $2, amount_cents = $3, threshold_cents = $4,
               is_enabled = $5, failures = $6, last_failure = $7, next_attempt_at = $8, updated_at = $9,
               monthly_max_cents = $10""",
        auto.org_id,
        auto.product_id,
        auto.amount_cents,
        auto.threshold_cents,
        auto.is_enabled,
        auto.failures,
        auto.last_failure,
        auto.next_attempt_at,
        tx.now,
        auto.monthly_max_cents,
    )


async def sum_auto_since(tx: Executor, org_id: UUID, since: datetime) -> int:
    """What was charged by itself since an instant, in cents; a charge that is open counts, one that failed does not."""
    cents: int = await tx.value(
        """SELECT coalesce(sum(amount_cents), 0)::bigint FROM topups
           WHERE org_id = $1 AND kind = 'auto' AND state <> 'failed' AND created_at >= $2""",
        org_id,
        since,
    )
    return cents


async def watch_balance(tx: Executor, org_id: UUID, below_microcents: int | None) -> None:
    """Say below which balance the job is to be woken; None: never. The wallet is there."""
    await tx.run("UPDATE wallets SET auto_topup_below_microcents = $2 WHERE org_id = $1", org_id, below_microcents)


async def insert_event(tx: Executor, org_id: UUID, event_id: str, kind: str) -> bool:
    """Store the id of an event; False: it was received before."""
    return bool(
        await tx.run(
            """INSERT INTO payment_events (id, org_id, kind, received_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            event_id,
            org_id,
            kind,
            tx.now,
        )
    )


async def delete_events_before(db: Executor, before: datetime) -> int:
    """Delete ids of old events, at most 10,000 at a time: the ledger knows each occasion for good."""
    return await db.run(
        """DELETE FROM payment_events WHERE id IN
           (SELECT id FROM payment_events WHERE received_at < $1 ORDER BY received_at LIMIT 10000)""",
        before,
    )
