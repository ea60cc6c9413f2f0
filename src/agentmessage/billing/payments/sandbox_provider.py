"""Pays for a sandbox's top-ups: at once, with play money, without asking anybody."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from agentmessage.billing.payments.model import CURRENCY, SANDBOX_SOURCE
from agentmessage.billing.payments.provider import (
    ChargeRequest,
    Checkout,
    CheckoutRequest,
    Payment,
    PaymentState,
    Portal,
    Refund,
)
from agentmessage.carriers.protocols import Accepted

PORTAL_LIFE = timedelta(minutes=5)


class SandboxProvider:
    """Every card is good; the page to pay at is the page that one returns to after paying."""

    requires_https = False
    source = SANDBOX_SOURCE

    async def open_customer(
        self, org_id: UUID, *, name: str, email: str | None, instead_of: str | None = None
    ) -> Accepted[str]:
        """See PaymentProvider."""
        del name, email, instead_of
        return Accepted(f"cus_sandbox_{org_id.hex}")

    async def open_checkout(self, request: CheckoutRequest) -> Accepted[Checkout]:
        """See PaymentProvider. It is paid already."""
        session_id = f"cs_sandbox_{request.topup_id.hex}"
        url = request.success_url.replace("{CHECKOUT_SESSION_ID}", session_id)
        return Accepted(Checkout(session_id, url, _payment_id(request.topup_id)))

    async def open_portal(self, customer_id: str, *, return_url: str) -> Accepted[Portal]:
        """See PaymentProvider. There is nothing to manage: it leads straight back."""
        del customer_id
        return Accepted(Portal(return_url, datetime.now(UTC) + PORTAL_LIFE))

    async def find_payment_method(self, customer_id: str) -> Accepted[str | None]:
        """See PaymentProvider."""
        del customer_id
        return Accepted("pm_sandbox")

    async def charge(self, request: ChargeRequest) -> Accepted[Payment]:
        """See PaymentProvider."""
        return Accepted(Payment(_payment_id(request.topup_id), PaymentState.PAID, request.amount_cents, CURRENCY))

    async def find_charge(self, request: ChargeRequest, *, since: datetime) -> Accepted[Payment | None]:
        """See PaymentProvider. To look is to charge: it comes to the same payment."""
        del since
        return Accepted((await self.charge(request)).value)

    async def read_payment(self, payment_id: str) -> Accepted[Payment]:
        """See PaymentProvider. It is never called: no charge is pending."""
        return Accepted(Payment(payment_id, PaymentState.FAILED, 0, CURRENCY))

    async def list_refunds(self, payment_id: str) -> Accepted[Sequence[Refund]]:
        """See PaymentProvider. Play money is not given back."""
        del payment_id
        return Accepted(())

    async def close(self) -> None:
        """See PaymentProvider."""


def _payment_id(topup_id: UUID) -> str:
    return f"pi_sandbox_{topup_id.hex}"
