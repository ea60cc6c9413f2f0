"""Asking the card processor, after the response: claim, call, record. No transaction is open in a call.

    billing.auto_topup     charges a saved card when a balance is low
    billing.read_refunds   reads what was given back of a payment

Both may run twice: what they write is decided again under the wallet's lock, and a charge is asked for under one key.
"""

from collections.abc import Mapping
from typing import Any, assert_never
from uuid import UUID

import structlog

from agentmessage.billing import operations
from agentmessage.billing.payments import auto_topup
from agentmessage.billing.payments import operations as payment_operations
from agentmessage.billing.payments.model import Topup
from agentmessage.billing.payments.provider import (
    NO_SUCH_OBJECT,
    Bought,
    ChargeRequest,
    Payment,
    PaymentFailed,
    PaymentProvider,
    PaymentState,
)
from agentmessage.carriers.protocols import Accepted, Deferred, Refused, Trouble, Unknown
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations.operations import tenant_in
from agentmessage.outbox.job_runner import Done, Handler, Snooze
from agentmessage.outbox.unparsed_responses import store_if_unparsed

log = structlog.get_logger("agentmessage.billing")

LOOK_AGAIN_S = 10.0
"""After a charge whose answer was lost, before it is looked up."""

PROCESSING_S = 600.0
"""Between two looks at a payment that the bank is still deciding; the processor also sends an event."""

OPERATOR_WAIT_S = 300.0
"""While the processor refuses us and not the card: keys that are wrong or missing."""

NO_CARD = "no_payment_method"
NOT_WANTED = "abandoned"


def handlers(providers: Mapping[str, PaymentProvider]) -> dict[str, Handler]:
    """The room's jobs; `providers` by account, live or sandbox. Without one for live nothing is charged there."""
    jobs = TopupJobs(providers)
    return {operations.AUTO_TOPUP: jobs.top_up, payment_operations.READ_REFUNDS: jobs.read_refunds}


class TopupJobs:
    """Speaks to the processor of each account."""

    def __init__(self, providers: Mapping[str, PaymentProvider]) -> None:
        self._providers = providers

    async def top_up(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Charge what the balance asks for, or see an earlier charge through."""
        tenant = await tenant_in(db, UUID(arguments["org_id"]))
        provider = self._providers.get(tenant.account)
        if provider is None:
            return Snooze(OPERATOR_WAIT_S)
        async with db.transaction() as tx:
            step = await auto_topup.begin(tx, tenant)
        match step:
            case auto_topup.Nothing():
                return Done()
            case auto_topup.Wait(until):
                return Snooze(max(1.0, (until - db.now).total_seconds()))
            case auto_topup.Charge():
                return await Charging(db, tenant, provider, step.topup).run(step)
            case _:
                assert_never(step)

    async def read_refunds(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Book what was given back of a payment."""
        tenant = await tenant_in(db, UUID(arguments["org_id"]))
        provider = self._providers.get(tenant.account)
        if provider is None:
            return Snooze(OPERATOR_WAIT_S)
        payment_id = str(arguments["payment_id"])
        answer = await provider.list_refunds(payment_id)
        match answer:
            case Accepted(refunds):
                async with db.transaction() as tx:
                    await payment_operations.book_refunds(tx, tenant, refunds)
                return Done()
            case Refused(_, code, text):
                log.error("refunds not fetched", org_id=str(tenant.org_id), code=code, text=text)
                return Done() if code == NO_SUCH_OBJECT else Snooze(OPERATOR_WAIT_S)
            case Deferred(_, retry_after_s):
                return Snooze(retry_after_s)
            case Unknown():
                await store_if_unparsed(db, answer, account=tenant.account, operation=f"payments.refunds {payment_id}")
                return Snooze(LOOK_AGAIN_S)
            case _:
                assert_never(answer)


class Charging:
    """One charge, seen through as far as it goes now."""

    def __init__(self, db: CellDb, tenant: Tenant, provider: PaymentProvider, topup: Topup) -> None:
        self._db = db
        self._tenant = tenant
        self._provider = provider
        self._topup = topup

    async def run(self, step: auto_topup.Charge) -> Done | Snooze:
        """Look up what may have been made; make what is wanted and surely was not."""
        topup = step.topup
        if topup.customer_id is None:
            return await self._failed(NO_CARD)
        if topup.payment_id is not None:
            return await self._take(await self._provider.read_payment(topup.payment_id))
        if not step.is_fresh and topup.payment_method is not None:
            request = self._request(topup.customer_id, topup.payment_method)
            found = await self._provider.find_charge(request, since=topup.created_at)
            if not isinstance(found, Accepted):
                return await self._not_known(found)
            if found.value is not None:
                return await self._take(Accepted(found.value))
        if not step.is_wanted:
            return await self._failed(NOT_WANTED)
        return await self._charge(topup.customer_id)

    async def _charge(self, customer_id: str) -> Done | Snooze:
        """The card is remembered before it is asked, so that asking again is asking the same."""
        method = self._topup.payment_method
        if method is None:
            found = await self._provider.find_payment_method(customer_id)
            if not isinstance(found, Accepted):
                return await self._not_known(found)
            if found.value is None:
                return await self._failed(NO_CARD)
            method = found.value
            async with self._db.transaction() as tx:
                await auto_topup.keep(tx, self._tenant, self._topup.id, method=method)
        return await self._take(await self._provider.charge(self._request(customer_id, method)))

    async def _take(self, answer: Accepted[Payment] | Refused | Deferred | Unknown) -> Done | Snooze:
        match answer:
            case Accepted(payment):
                return await self._record(payment)
            case _:
                return await self._not_known(answer)

    async def _record(self, payment: Payment) -> Done | Snooze:
        match payment.state:
            case PaymentState.PAID:
                bought = Bought(
                    org_id=self._tenant.org_id,
                    topup_id=self._topup.id,
                    payment_id=payment.id,
                    amount_cents=payment.amount_cents,
                    currency=payment.currency,
                )
                async with self._db.transaction() as tx:
                    await payment_operations.record_paid(tx, self._tenant, bought, source=self._provider.source)
                return Done()
            case PaymentState.PROCESSING:
                async with self._db.transaction() as tx:
                    await auto_topup.keep(tx, self._tenant, self._topup.id, payment=payment.id)
                return Snooze(PROCESSING_S)
            case PaymentState.FAILED:
                return await self._failed(payment.failure or "failed", payment_id=payment.id)
            case _:
                assert_never(payment.state)

    async def _not_known(self, answer: Refused | Deferred | Unknown) -> Done | Snooze:
        match answer:
            case Refused(trouble, code, text):
                if trouble is Trouble.CONFIGURATION:
                    log.error("payment provider request rejected", code=code, text=text)
                    return Snooze(OPERATOR_WAIT_S)
                return await self._failed(code)
            case Deferred(_, retry_after_s):
                return Snooze(retry_after_s)
            case Unknown(reason):
                log.warning("charge outcome unknown", topup_id=str(self._topup.id), reason=reason)
                operation = f"payments.charge {self._topup.id}"
                await store_if_unparsed(self._db, answer, account=self._tenant.account, operation=operation)
                return Snooze(LOOK_AGAIN_S)
            case _:
                assert_never(answer)

    async def _failed(self, failure: str, *, payment_id: str | None = None) -> Done:
        """The pause, if there is one, is the setting's: the job is woken by it."""
        failed = PaymentFailed(
            org_id=self._tenant.org_id, topup_id=self._topup.id, payment_id=payment_id, failure=failure
        )
        async with self._db.transaction() as tx:
            await payment_operations.record_unpaid(tx, self._tenant, failed)
        return Done()

    def _request(self, customer_id: str, method: str) -> ChargeRequest:
        return ChargeRequest(
            topup_id=self._topup.id,
            org_id=self._tenant.org_id,
            customer_id=customer_id,
            payment_method=method,
            amount_cents=self._topup.amount_cents,
        )
