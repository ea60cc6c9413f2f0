"""Topping up by itself: the setting, and the steps of one charge, inside the caller's transaction.

A charge is a row before the processor gets it, and at most one of an organization is open. Its id is the key it is
asked for under, so that asking again is no second charge.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.billing import operations, report_queries
from agentmessage.billing.errors import AutoTopupIsOn, NoStripeCustomer
from agentmessage.billing.payments import queries, rules
from agentmessage.billing.payments.model import REFUND_PEACE, AutoTopup, Product, Topup, TopupKind
from agentmessage.billing.payments.schemas import AutoTopupResource
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations.operations import record
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType


class Nothing(Struct, frozen=True):
    """The balance asks for nothing."""


class Wait(Struct, frozen=True):
    """A charge failed not long ago."""

    until: datetime


class Charge(Struct, frozen=True):
    """A charge to be made; `is_fresh`: it was not requested yet. `is_wanted`: if it was not made, make it."""

    topup: Topup
    is_fresh: bool
    is_wanted: bool


Step = Nothing | Wait | Charge


async def turn_on(
    tx: Tx,
    tenant: Tenant,
    product: Product,
    *,
    customer_id: str | None,
    min_topup_cents: int,
    monthly_max_cents: int | None = None,
) -> AutoTopup:
    """Charge this product whenever the balance is low, from now on.

    Raises AutoTopupIsOn, NoPlan, BelowMinimumCredit, NoStripeCustomer. `customer_id` stands in where the processor
    does not know the organization yet, as in a sandbox.
    """
    await operations.lock(tx, [tenant.org_id])
    auto = await queries.find_auto(tx, tenant.org_id)
    if auto is not None and auto.is_enabled:
        raise AutoTopupIsOn
    customer = await queries.find_billing_customer(tx, tenant.org_id)
    if customer_id is None and (customer is None or customer.customer_id is None):
        raise NoStripeCustomer
    rules.require_plan_to_charge(customer)
    wallet = await operations.wallet(tx, tenant)
    rules.require_minimum(wallet.balance_microcents, product, min_topup_cents=min_topup_cents)
    if customer_id is not None:
        await queries.keep_customer(tx, tenant.org_id, customer_id)
    auto = AutoTopup(
        org_id=tenant.org_id,
        product_id=product.stripe_product_id,
        amount_cents=product.amount_cents,
        threshold_cents=rules.threshold_cents(product),
        is_enabled=True,
        monthly_max_cents=monthly_max_cents,
    )
    await queries.upsert_auto(tx, auto)
    await queries.watch_balance(tx, tenant.org_id, microcents(auto.threshold_cents))
    await _audit(tx, tenant, "wallet.auto_topup.enable", auto)
    if rules.is_due(auto, wallet.balance_microcents):
        await _wake(tx, tenant.org_id)
    return auto


async def turn_off(tx: Tx, tenant: Tenant, *, reason: str | None = None) -> AutoTopup | None:
    """Charge nothing by itself any more; once more is fine and writes nothing.

    A `reason` is the platform's; then the event wallet.auto_topup.disabled is emitted.
    """
    await operations.lock(tx, [tenant.org_id])
    auto = await queries.find_auto(tx, tenant.org_id)
    if auto is None or not auto.is_enabled:
        return auto
    off = msgspec.structs.replace(auto, is_enabled=False, next_attempt_at=None)
    await _stop(tx, tenant, off, reason=reason)
    return off


async def standing(db: Executor, tenant: Tenant) -> AutoTopupResource:
    """What is charged automatically, and when next, as far as is known here; the processor is not called."""
    auto = await queries.find_auto(db, tenant.org_id)
    if auto is None or not auto.is_enabled:
        return AutoTopupResource.of(auto, None)
    wallet = await operations.wallet(db, tenant)
    spent = await report_queries.spent_since(db, tenant.org_id, span="hour", since=db.now - rules.WEEK)
    next_at = rules.next_charge_at(auto, wallet.balance_microcents, spent_in_a_week_microcents=spent, now=db.now)
    return AutoTopupResource.of(auto, next_at)


async def begin(tx: Tx, tenant: Tenant) -> Step:
    """What the job is to do now: a charge that is open is seen through before another is begun."""
    await operations.lock(tx, [tenant.org_id])
    auto = await queries.find_auto(tx, tenant.org_id)
    topup = await queries.find_open_charge(tx, tenant.org_id)
    if topup is not None:
        return Charge(topup, is_fresh=False, is_wanted=rules.may_charge(auto, topup, tx.now))
    wallet = await operations.wallet(tx, tenant)
    customer = await queries.find_billing_customer(tx, tenant.org_id)
    if auto is None or not rules.is_due(auto, wallet.balance_microcents):
        return Nothing()
    if auto.next_attempt_at is not None and auto.next_attempt_at > tx.now:
        return Wait(auto.next_attempt_at)
    began, ends = rules.month_of(tx.now)
    charged_cents = await queries.sum_auto_since(tx, tenant.org_id, began)
    if charged_cents + auto.amount_cents > auto.ceiling_cents:
        waiting = rules.at_ceiling(auto, until=ends)
        await queries.upsert_auto(tx, waiting)
        await _audit(tx, tenant, "wallet.auto_topup.fail", waiting)
        await _emit(tx, waiting, EventType.WALLET_AUTO_TOPUP_FAILED)
        return Wait(ends)
    topup = rules.fresh(new_id(), auto, org_id=tenant.org_id, kind=TopupKind.AUTO, now=tx.now)
    topup = msgspec.structs.replace(topup, customer_id=None if customer is None else customer.customer_id)
    await queries.insert_topup(tx, topup)
    return Charge(topup, is_fresh=True, is_wanted=True)


async def keep(
    tx: Tx, tenant: Tenant, topup_id: UUID, *, method: str | None = None, payment: str | None = None
) -> None:
    """Remember which card is asked, or under which id the processor has the payment, while the charge is open."""
    await operations.lock(tx, [tenant.org_id])
    topup = await queries.find_open_charge(tx, tenant.org_id)
    if topup is not None and topup.id == topup_id:
        kept = msgspec.structs.replace(
            topup, payment_method=method or topup.payment_method, payment_id=payment or topup.payment_id
        )
        await queries.update_topup(tx, kept)


async def note_success(tx: Tx, tenant: Tenant) -> None:
    """A charge was made: failures are forgotten, and the job looks whether one was enough."""
    auto = await queries.find_auto(tx, tenant.org_id)
    if auto is None:
        return
    await queries.upsert_auto(tx, rules.after_success(auto))
    wallet = await operations.wallet(tx, tenant)
    if rules.is_due(auto, wallet.balance_microcents):
        await _wake(tx, tenant.org_id)


async def note_failure(tx: Tx, tenant: Tenant, failure: str) -> None:
    """A charge was refused: pause, or give up. Events: wallet.auto_topup.failed, wallet.auto_topup.disabled."""
    auto = await queries.find_auto(tx, tenant.org_id)
    if auto is None:
        return
    after = rules.after_failure(auto, failure, now=tx.now)
    await _audit(tx, tenant, "wallet.auto_topup.fail", after)
    if auto.is_enabled and not after.is_enabled:
        await _stop(tx, tenant, after, reason=f"{after.failures} charges in a row failed: {failure}")
        return
    await queries.upsert_auto(tx, after)
    await _emit(tx, after, EventType.WALLET_AUTO_TOPUP_FAILED)
    if after.is_enabled:
        await _wake(tx, tenant.org_id)


async def leave_in_peace(tx: Tx, tenant: Tenant) -> None:
    """Money was given back: nothing is charged by itself for a day, and then only if the balance still asks for it."""
    auto = await queries.find_auto(tx, tenant.org_id)
    if auto is None or not auto.is_enabled:
        return
    until = tx.now + REFUND_PEACE
    if auto.next_attempt_at is None or auto.next_attempt_at < until:
        await queries.upsert_auto(tx, msgspec.structs.replace(auto, next_attempt_at=until))


async def _stop(tx: Tx, tenant: Tenant, off: AutoTopup, *, reason: str | None) -> None:
    await queries.upsert_auto(tx, off)
    await queries.watch_balance(tx, tenant.org_id, None)
    await _audit(tx, tenant, "wallet.auto_topup.disable", off, reason=reason)
    if reason is not None:
        await _emit(tx, off, EventType.WALLET_AUTO_TOPUP_DISABLED)


async def _wake(tx: Tx, org_id: UUID) -> None:
    await outbox_events.enqueue(tx, operations.AUTO_TOPUP, str(org_id), {"org_id": str(org_id)})


async def _emit(tx: Tx, auto: AutoTopup, kind: EventType) -> None:
    await outbox_events.emit(tx, auto.org_id, kind, auto.org_id, AutoTopupResource.of(auto, auto.next_attempt_at))


async def _audit(tx: Tx, tenant: Tenant, action: str, auto: AutoTopup, *, reason: str | None = None) -> None:
    await record(
        tx,
        tenant,
        action=action,
        resource_type="wallet",
        resource_id=tenant.org_id,
        reason=reason,
        payload={
            "stripe_product_id": auto.product_id,
            "amount_cents": auto.amount_cents,
            "threshold_cents": auto.threshold_cents,
            "monthly_max_cents": auto.ceiling_cents,
            "failures": auto.failures,
            "last_failure": auto.last_failure,
        },
    )
