"""Handles the card processor's events: each once, in the transaction that stores its id."""

from typing import assert_never
from uuid import UUID

from agentmessage.billing.payments import operations, queries
from agentmessage.billing.payments.model import SOURCE
from agentmessage.billing.payments.provider import (
    Bought,
    Dispute,
    Fact,
    Notice,
    PaymentFailed,
    RefundMoved,
    SubscriptionMoved,
)
from agentmessage.kernel.db import CellDb, Cells, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations.operations import tenant_in, tenant_of


class UnrecognizedEvent(Exception):
    """A notice that names what this installation does not have, or not so; for the operator to look at."""


async def take(cells: Cells, notice: Notice) -> str:
    """Apply a notice; answers `applied`, `duplicate`, or `ignored` when it is not about us. Raises Strange.

    Returns after the commit, so that the processor may be answered: it does not send the event again.
    """
    if notice.fact is None:
        return "ignored"
    tenant = await _tenant(cells, notice.fact)
    if tenant is None:
        return "ignored"
    cell = await cells.cell(tenant.cell)
    try:
        async with cell.transaction() as tx:
            if not await queries.insert_event(tx, tenant.org_id, notice.id, notice.kind):
                return "duplicate"
            await _apply(tx, tenant, notice, notice.fact)
    except operations.AmountMismatch as error:
        raise UnrecognizedEvent(str(error)) from error
    return "applied"


async def _apply(tx: Tx, tenant: Tenant, notice: Notice, fact: Fact) -> None:
    match fact:
        case Bought():
            await operations.record_paid(tx, tenant, fact, source=SOURCE)
        case PaymentFailed():
            await operations.record_unpaid(tx, tenant, fact)
        case RefundMoved(payment_id=payment_id):
            await operations.read_refunds_soon(tx, tenant, payment_id)
        case Dispute():
            await operations.book_dispute(tx, tenant, fact)
        case SubscriptionMoved():
            await operations.record_subscription(tx, tenant, fact, reported_at=notice.reported_at)
        case _:
            assert_never(fact)


async def _tenant(cells: Cells, fact: Fact) -> Tenant | None:
    """The organization of an event. None: a payment or a customer of the operator's other business."""
    match fact:
        case Bought(org_id=org_id) | PaymentFailed(org_id=org_id):
            return await _named(cells, org_id)
        case RefundMoved(payment_id=payment_id, org_id=org_id):
            return await _paid_with(cells, payment_id) if org_id is None else await _named(cells, org_id)
        case Dispute(payment_id=payment_id):
            return await _paid_with(cells, payment_id)
        case SubscriptionMoved(customer_id=customer_id):
            return await _customer(cells, customer_id)
        case _:
            assert_never(fact)


async def _named(cells: Cells, org_id: UUID) -> Tenant:
    try:
        return await tenant_of(cells, org_id)
    except NotFound as error:
        raise UnrecognizedEvent(f"no organization {org_id}") from error


async def _paid_with(cells: Cells, payment_id: str) -> Tenant | None:
    for cell in await _every(cells):
        org_id = await queries.find_paid_with(cell, payment_id)
        if org_id is not None:
            return await tenant_in(cell, org_id)
    return None


async def _customer(cells: Cells, customer_id: str) -> Tenant | None:
    for cell in await _every(cells):
        org_id = await queries.find_customer(cell, customer_id)
        if org_id is not None:
            return await tenant_in(cell, org_id)
    return None


async def _every(cells: Cells) -> list[CellDb]:
    return [await cells.cell(name) for name in await cells.names()]
