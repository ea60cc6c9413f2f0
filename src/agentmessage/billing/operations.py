"""What other rooms do with money, inside their own transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.billing import prices, queries, rules
from agentmessage.billing.model import LOW_BALANCE_MICROCENTS, Booked, Charge, LedgerKind, Wallet
from agentmessage.billing.schemas import WalletLevel
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations.operations import raise_tier, record
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.rollups import operations as rollups

EMPTY = Wallet(0, 0)
AUTO_TOPUP = "billing.auto_topup"
"""The job that tops a wallet up; its key and its argument are the organization."""


def price(kind: str, ref: str | None, on: datetime) -> int:
    """Microcents for one unit at an instant: the price for `ref` (number type, use case), else the kind's default.

    Raises UnknownPrice.
    """
    return microcents(rules.price_cents(prices.prices(), kind, ref, on))


async def charge(
    tx: Tx,
    tenant: Tenant,
    *,
    kind: str,
    quantity: int,
    unit_cost_microcents: int,
    source: str,
    source_ref: str,
    ref_kind: str | None = None,
    ref_id: UUID | None = None,
    may_overdraw: bool = False,
    is_provisional: bool = False,
) -> UUID:
    """Charge one thing, once; answers the ledger transaction's id. Raises InsufficientCredit.

    The same (source, source_ref) again charges nothing and answers the first id, also when it was refunded since: a
    new occasion needs a new reference. `may_overdraw` is for what must not stop for want of money: renewals. What is
    `is_provisional` is refunded if its outcome fails, and earns no tier until `confirm`.
    """
    one = Charge(
        kind=kind,
        quantity=quantity,
        unit_cost_microcents=unit_cost_microcents,
        source=source,
        source_ref=source_ref,
        ref_kind=ref_kind,
        ref_id=ref_id,
    )
    return (await charge_many(tx, tenant, [one], may_overdraw=may_overdraw, is_provisional=is_provisional))[0]


async def charge_many(
    tx: Tx,
    tenant: Tenant,
    charges: Sequence[Charge],
    *,
    may_overdraw: bool = False,
    is_provisional: bool = False,
) -> list[UUID]:
    """Charge all or none; answers the ledger transactions' ids in the order of `charges`. Raises InsufficientCredit.

    As `charge`, but one statement for all of them; those that were charged before cost nothing again.
    """
    rules.require_sound(charges)
    wallet = await _lock(tx, tenant)
    known = await _bookings(tx, tenant, LedgerKind.DEBIT, [(charge.source, charge.source_ref) for charge in charges])
    new: list[Charge] = []
    ids: list[UUID] = []
    for charge in charges:
        if (charge.source, charge.source_ref) not in known:
            known[charge.source, charge.source_ref] = new_id()
            new.append(charge)
            ids.append(known[charge.source, charge.source_ref])
    total = sum(charge.total_microcents for charge in new)
    rules.require_cover(wallet.balance_microcents, total, may_overdraw=may_overdraw)
    if new:
        whose = [tenant.org_id] * len(new)
        await _settle(tx, await queries.insert_charges(tx, whose, new, ids=ids, is_open=is_provisional))
    return [known[charge.source, charge.source_ref] for charge in charges]


async def lock(tx: Tx, org_ids: Iterable[UUID]) -> None:
    """Take the wallets of many organizations, in order, before anything else is locked; made where there was none."""
    wanted = sorted(set(org_ids))
    found = await queries.lock_wallets(tx, wanted)
    if len(found) < len(wanted):
        for org_id in wanted:
            await queries.insert_wallet(tx, org_id)
        await queries.lock_wallets(tx, wanted)


async def charge_each(tx: Tx, owed: Sequence[tuple[UUID, Charge]]) -> None:
    """Charge organizations for what they have had already, each thing once, whatever their balances.

    One statement for all of them. Their wallets are locked by `lock`.
    """
    occasions = {(org_id, one.source, one.source_ref): (org_id, one) for org_id, one in owed}.values()
    charges = [one for _, one in occasions]
    rules.require_sound(charges)
    org_ids = [org_id for org_id, _ in occasions]
    await _settle(tx, await queries.insert_charges(tx, org_ids, charges, ids=[new_id() for _ in charges]))


async def require_cover(tx: Tx, tenant: Tenant, *, total_microcents: int) -> None:
    """Refuse early what could not be paid, before work is begun that costs; holds the wallet until the commit.

    Raises InsufficientCredit.
    """
    wallet = await _lock(tx, tenant)
    rules.require_cover(wallet.balance_microcents, total_microcents, may_overdraw=False)


async def confirm(tx: Tx, tenant: Tenant, occasions: Sequence[tuple[str, str]]) -> None:
    """Count what was charged provisionally for these (source, source_ref): their outcome is good.

    The caller does so once, in the transaction that records the outcome.
    """
    await _lock(tx, tenant)
    moved = await queries.confirm_spend(
        tx, tenant.org_id, [source for source, _ in occasions], [ref for _, ref in occasions]
    )
    if moved is not None:
        await _earn(tx, tenant.org_id, *moved)


async def refund(tx: Tx, tenant: Tenant, *, source: str, source_ref: str) -> bool:
    """Give back in full what one occasion cost; False when nothing was charged or it was given back before."""
    return bool(await refund_many(tx, tenant, [(source, source_ref)]))


async def refund_many(tx: Tx, tenant: Tenant, occasions: Sequence[tuple[str, str]]) -> int:
    """Give back what these (source, source_ref) cost, each once; returns how many were refunded just now."""
    await _lock(tx, tenant)
    distinct = list(dict.fromkeys(occasions))
    given = await queries.insert_refunds(
        tx, tenant.org_id, [source for source, _ in distinct], [ref for _, ref in distinct]
    )
    if given is None:
        return 0
    if given.total_microcents:
        count = rules.credit_count(tenant.org_id, LedgerKind.REFUND, given.total_microcents, given.at)
        await rollups.add(tx, [count])
    return given.number


async def credit(
    tx: Tx,
    tenant: Tenant,
    *,
    amount_microcents: int,
    source: str,
    source_ref: str,
    kind: LedgerKind = LedgerKind.TOPUP,
) -> UUID:
    """Add money to the wallet, once for each (source, source_ref); answers the ledger transaction's id. Audited."""
    if amount_microcents <= 0 or kind not in (LedgerKind.TOPUP, LedgerKind.ADJUSTMENT):
        raise ValueError(f"not a credit: {amount_microcents} microcents as {kind} for {source_ref!r}")
    return await _move(
        tx, tenant, kind, amount_microcents=amount_microcents, source=source, source_ref=source_ref, action="credit"
    )


async def take_back(tx: Tx, tenant: Tenant, *, amount_microcents: int, source: str, source_ref: str) -> UUID:
    """Take out of the wallet what was given back or disputed outside, once for each (source, source_ref). Audited.

    The wallet may go below zero for it: the money is gone already. Answers the ledger transaction's id.
    """
    if amount_microcents <= 0:
        raise ValueError(f"nothing to take back: {amount_microcents} microcents for {source_ref!r}")
    return await _move(
        tx,
        tenant,
        LedgerKind.ADJUSTMENT,
        amount_microcents=-amount_microcents,
        source=source,
        source_ref=source_ref,
        action="take_back",
    )


async def wallet(db: Executor, tenant: Tenant) -> Wallet:
    """What the organization has; an empty wallet when it never had one."""
    return await queries.find_wallet(db, tenant.org_id) or EMPTY


async def _lock(tx: Tx, tenant: Tenant) -> Wallet:
    """The wallet under its row lock, made on first use."""
    locked = await queries.lock_wallet(tx, tenant.org_id)
    if locked is None:
        await queries.insert_wallet(tx, tenant.org_id)
        locked = await queries.lock_wallet(tx, tenant.org_id)
    return locked or EMPTY


async def _bookings(
    tx: Tx, tenant: Tenant, kind: LedgerKind, occasions: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], UUID]:
    found = await queries.find_bookings(
        tx, tenant.org_id, kind, [source for source, _ in occasions], [ref for _, ref in occasions]
    )
    return {(source, ref): booking_id for booking_id, source, ref in found}


async def _move(
    tx: Tx,
    tenant: Tenant,
    kind: LedgerKind,
    *,
    amount_microcents: int,
    source: str,
    source_ref: str,
    action: str,
) -> UUID:
    """Book money that comes or goes without anything being used, once; it is no spend."""
    if not source_ref:
        raise ValueError(f"{source} names no occasion")
    before = await _lock(tx, tenant)
    known = await _bookings(tx, tenant, kind, [(source, source_ref)])
    if known:
        return known[source, source_ref]
    booking_id = new_id()
    booked_at = await queries.insert_movement(
        tx,
        tenant.org_id,
        transaction_id=booking_id,
        kind=kind,
        amount_microcents=amount_microcents,
        source=source,
        source_ref=source_ref,
        metadata={},
    )
    await record(
        tx,
        tenant,
        action=f"wallet.{action}",
        resource_type="wallet",
        resource_id=tenant.org_id,
        payload={"amount_microcents": amount_microcents, "source": source, "source_ref": source_ref},
    )
    await _warn(tx, tenant.org_id, before, before.balance_microcents + amount_microcents)
    await rollups.add(tx, [rules.credit_count(tenant.org_id, kind, amount_microcents, booked_at)])
    return booking_id


async def _settle(tx: Tx, booked: Sequence[Booked]) -> None:
    """What follows from charges: warnings, a step up the ladder, and the sums they add to.

    A writer of an organization's sums holds its wallet, so that no two wait for each other.
    """
    for org_id, (before, after) in {entry.org_id: (entry.before, entry.after) for entry in booked}.items():
        await _warn(tx, org_id, before, after.balance_microcents)
        await _earn(tx, org_id, before, after)
    await rollups.add(tx, rules.debit_counts(booked))


async def _earn(tx: Tx, org_id: UUID, before: Wallet, after: Wallet) -> None:
    """Lift the organization to the tier that its spend has reached."""
    reached = rules.tier(after.lifetime_spend_microcents)
    if reached != rules.tier(before.lifetime_spend_microcents):
        await raise_tier(tx, org_id, reached.number)


async def _warn(tx: Tx, org_id: UUID, before: Wallet, after_microcents: int) -> None:
    """Emit an event for each level that a balance fell through; for the customer's own, queue the automatic top-up."""
    if rules.wants_topup(before, after_microcents):
        await outbox_events.enqueue(tx, AUTO_TOPUP, str(org_id), {"org_id": str(org_id)})
    for event in rules.warnings(before.balance_microcents, after_microcents):
        level = LOW_BALANCE_MICROCENTS if event is EventType.WALLET_BALANCE_LOW else 0
        data = WalletLevel.of(org_id, after_microcents, level)
        await outbox_events.emit(tx, org_id, event, org_id, data)
