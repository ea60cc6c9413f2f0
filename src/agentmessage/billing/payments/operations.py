"""What is done with money that comes in, inside the caller's transaction.

Whatever changes what is there takes the organization's wallet first, so that a payment, a setting and a charge are
never decided on two histories at once.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from agentmessage.billing import operations
from agentmessage.billing.model import LedgerKind
from agentmessage.billing.payments import auto_topup, queries, rules
from agentmessage.billing.payments.model import (
    CURRENCY,
    DISPUTE_SOURCE,
    REFUND_SOURCE,
    UNDONE,
    BillingCustomer,
    Product,
    SubscriptionStatus,
    Topup,
    TopupKind,
    TopupState,
)
from agentmessage.billing.payments.provider import Bought, Checkout, Dispute, PaymentFailed, Refund, SubscriptionMoved
from agentmessage.billing.payments.schemas import SubscriptionResource
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations.operations import record
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType

log = structlog.get_logger("agentmessage.billing")

READ_REFUNDS = "billing.read_refunds"

SUBSCRIPTION_EVENTS: dict[SubscriptionStatus, EventType] = {
    SubscriptionStatus.PAST_DUE: EventType.SUBSCRIPTION_PAST_DUE,
    SubscriptionStatus.CANCELED: EventType.SUBSCRIPTION_CANCELED,
}


class AmountMismatch(Exception):
    """A payment is not what was bought: another amount, another currency, or nothing that we know of."""


async def begin_checkout(
    tx: Tx,
    tenant: Tenant,
    product: Product,
    *,
    topup_id: UUID,
    success_url: str,
    cancel_url: str,
    min_topup_cents: int,
) -> Topup:
    """Write a purchase down before anybody is asked. Raises PlanNotFound, BelowMinimumCredit."""
    rules.require_plan_to_top_up(await queries.find_billing_customer(tx, tenant.org_id))
    wallet = await operations.wallet(tx, tenant)
    rules.require_minimum(wallet.balance_microcents, product, min_topup_cents=min_topup_cents)
    topup = msgspec.structs.replace(
        rules.fresh(topup_id, product, org_id=tenant.org_id, kind=TopupKind.CHECKOUT, now=tx.now),
        success_url=success_url,
        cancel_url=cancel_url,
    )
    await queries.insert_topup(tx, topup)
    await record(
        tx,
        tenant,
        action="wallet.topup",
        resource_type="wallet",
        resource_id=tenant.org_id,
        payload={"topup_id": str(topup_id), "amount_cents": product.amount_cents},
    )
    return topup


async def get(db: Executor, tenant: Tenant, topup_id: UUID) -> Topup:
    """One purchase of the organization. Raises NotFound."""
    topup = await queries.find_topup(db, tenant.org_id, topup_id)
    if topup is None:
        raise NotFound
    return topup


async def customer(db: Executor, tenant: Tenant) -> BillingCustomer:
    """The organization as the processor knows it; one that it does not know pays as it goes."""
    found = await queries.find_billing_customer(db, tenant.org_id)
    return found or BillingCustomer(tenant.org_id, None, None, SubscriptionStatus.ACTIVE, None)


async def record_checkout(tx: Tx, tenant: Tenant, topup_id: UUID, checkout: Checkout, *, source: str) -> Topup:
    """Keep where the customer pays; credit what is paid already, as in a sandbox. Twice does what once does."""
    await operations.lock(tx, [tenant.org_id])
    topup = await get(tx, tenant, topup_id)
    topup = msgspec.structs.replace(topup, session_id=checkout.session_id, session_url=checkout.url)
    await queries.update_topup(tx, topup)
    if checkout.payment_id is not None:
        bought = Bought(
            org_id=tenant.org_id,
            topup_id=topup_id,
            payment_id=checkout.payment_id,
            amount_cents=topup.amount_cents,
            currency=CURRENCY,
        )
        return await record_paid(tx, tenant, bought, source=source)
    return topup


async def record_paid(tx: Tx, tenant: Tenant, bought: Bought, *, source: str) -> Topup:
    """Credit a payment, once, however often it is reported. Raises AmountMismatch.

    The payment is the occasion in the ledger. What failed before is paid all the same: money that came is credited.
    """
    await operations.lock(tx, [tenant.org_id])
    topup = await queries.find_topup(tx, tenant.org_id, bought.topup_id)
    if topup is None:
        raise AmountMismatch("no such top-up")
    if (bought.amount_cents, bought.currency) != (topup.amount_cents, CURRENCY):
        raise AmountMismatch(f"{bought.amount_cents} {bought.currency} paid for {topup.amount_cents} {CURRENCY}")
    if topup.payment_id not in (None, bought.payment_id) and topup.state == TopupState.PAID:
        raise AmountMismatch("another payment for what is paid")
    paid = msgspec.structs.replace(topup, state=TopupState.PAID, payment_id=bought.payment_id, failure=None)
    if paid == topup:
        return topup
    await queries.update_topup(tx, paid)
    await operations.credit(
        tx,
        tenant,
        amount_microcents=microcents(bought.amount_cents),
        source=source,
        source_ref=bought.payment_id,
    )
    if topup.kind == TopupKind.AUTO:
        await auto_topup.note_success(tx, tenant)
    return paid


async def record_unpaid(tx: Tx, tenant: Tenant, payment: PaymentFailed) -> Topup:
    """A card was refused, or the checkout expired. Raises AmountMismatch."""
    await operations.lock(tx, [tenant.org_id])
    topup = await queries.find_topup(tx, tenant.org_id, payment.topup_id)
    if topup is None:
        raise AmountMismatch("no such top-up")
    if topup.state != TopupState.OPEN:
        return topup
    failed = msgspec.structs.replace(
        topup, state=TopupState.FAILED, payment_id=payment.payment_id or topup.payment_id, failure=payment.failure
    )
    await queries.update_topup(tx, failed)
    if topup.kind == TopupKind.AUTO:
        await auto_topup.note_failure(tx, tenant, payment.failure)
    return failed


async def read_refunds_soon(tx: Tx, tenant: Tenant, payment_id: str) -> None:
    """Read the refunds of a payment: an event says that there is one, the processor says which."""
    await outbox_events.enqueue(tx, READ_REFUNDS, payment_id, {"org_id": str(tenant.org_id), "payment_id": payment_id})


async def book_refunds(tx: Tx, tenant: Tenant, refunds: Sequence[Refund]) -> None:
    """Take back from the wallet what went back to the card, each refund once, and give again what did not arrive."""
    if not refunds:
        return
    await operations.lock(tx, [tenant.org_id])
    await auto_topup.leave_in_peace(tx, tenant)
    for refund in refunds:
        await _take_back(tx, tenant, REFUND_SOURCE, refund.id, refund.amount_cents, is_undone=refund.is_undone)


async def book_dispute(tx: Tx, tenant: Tenant, dispute: Dispute) -> None:
    """Take back what the bank took, once, and give it again when the dispute is won.

    Nothing is charged by itself any more: the card's owner says that a charge was not theirs to pay.
    """
    await operations.lock(tx, [tenant.org_id])
    await auto_topup.turn_off(tx, tenant, reason="a payment is disputed")
    await _take_back(tx, tenant, DISPUTE_SOURCE, dispute.id, dispute.amount_cents, is_undone=dispute.is_won)


async def record_subscription(tx: Tx, tenant: Tenant, moved: SubscriptionMoved, *, reported_at: datetime) -> None:
    """How the plan stands; an older word changes nothing. Events: subscription.past_due, subscription.canceled."""
    await operations.lock(tx, [tenant.org_id])
    known = await customer(tx, tenant)
    if not rules.is_newer(known, subscription_id=moved.subscription_id, reported_at=reported_at):
        return
    await queries.update_standing(
        tx, tenant.org_id, subscription_id=moved.subscription_id, standing=moved.standing, reported_at=reported_at
    )
    if moved.standing == known.standing:
        return
    if moved.standing == SubscriptionStatus.CANCELED:
        await auto_topup.turn_off(tx, tenant, reason="the subscription was canceled")
    await record(
        tx,
        tenant,
        action="subscription.update",
        resource_type="subscription",
        resource_id=moved.subscription_id,
        payload={"status": [known.standing, moved.standing]},
    )
    event = SUBSCRIPTION_EVENTS.get(moved.standing)
    if event is not None:
        data = SubscriptionResource(tenant.org_id, moved.subscription_id, moved.standing, reported_at)
        await outbox_events.emit(tx, tenant.org_id, event, tenant.org_id, data)


async def _take_back(
    tx: Tx, tenant: Tenant, source: str, source_ref: str, amount_cents: int, *, is_undone: bool
) -> None:
    """Both bookings of what came to nothing, so that the order of their events does not matter."""
    amount = microcents(amount_cents)
    await operations.take_back(tx, tenant, amount_microcents=amount, source=source, source_ref=source_ref)
    if is_undone:
        await operations.credit(
            tx,
            tenant,
            amount_microcents=amount,
            source=source + UNDONE,
            source_ref=source_ref,
            kind=LedgerKind.ADJUSTMENT,
        )
