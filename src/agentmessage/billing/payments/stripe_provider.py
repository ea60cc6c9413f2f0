"""Stripe through its own library: Checkout, the customer portal, charges of saved cards, and what is read again.

Our organization and top-up go into the metadata of everything that is made, so that every later event of Stripe names
them. Each `POST` carries an idempotency key of ours. Stripe keeps the first answer of a key whatever it was, also a
500, so an unsure charge is looked up and not only repeated (Stripe, "Idempotent requests").
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import aiohttp
import stripe

from agentmessage.billing.payments.model import CURRENCY, SOURCE
from agentmessage.billing.payments.provider import (
    ChargeRequest,
    Checkout,
    CheckoutRequest,
    Payment,
    PaymentState,
    Portal,
    Refund,
)
from agentmessage.carriers.protocols import Accepted, Answer, Deferred, Refused, Trouble, Unknown

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParamsLineItemPriceData

T = TypeVar("T")
V = TypeVar("V")

TIMEOUT_S, CONNECT_S = 20.0, 5.0
BUSY_S = 5.0
BUSY = frozenset({"lock_timeout", "idempotency_key_in_use"})
"""Another request is changing the object: nothing was done (Stripe, "Error codes")."""

PORTAL_LIFE = timedelta(minutes=5)
"""Stripe only says that an unopened link is short-lived; five minutes is what it keeps to."""

UNDONE = frozenset({"failed", "canceled"})
CLOCK_SLACK = timedelta(minutes=10)


class StripePayments:
    """One Stripe account."""

    source = SOURCE

    def __init__(self, *, secret_key: str, url: str) -> None:
        self.requires_https = "_live_" in secret_key
        self._http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S, connect=CONNECT_S))
        self._stripe = stripe.StripeClient(
            secret_key, base_addresses={"api": url}, http_client=self._http, max_network_retries=1
        ).v1

    async def open_customer(
        self, org_id: UUID, *, name: str, email: str | None, instead_of: str | None = None
    ) -> Answer[str]:
        """See PaymentProvider. A key is good for one set of parameters, and one customer: both are in it."""
        named = hashlib.sha256(f"{name}\n{email}\n{instead_of}".encode()).hexdigest()[:16]
        metadata = {"org_id": str(org_id)}
        key = f"customer-{org_id}-{named}"
        if email is None:
            made = self._stripe.customers.create_async({"name": name, "metadata": metadata}, {"idempotency_key": key})
        else:
            made = self._stripe.customers.create_async(
                {"name": name, "email": email, "metadata": metadata}, {"idempotency_key": key}
            )
        return await _answer(made, lambda customer: customer.id)

    async def open_checkout(self, request: CheckoutRequest) -> Answer[Checkout]:
        """See PaymentProvider. The card is saved, for automatic top-ups."""
        metadata = _metadata(request.org_id, request.topup_id)
        made = self._stripe.checkout.sessions.create_async(
            {
                "mode": "payment",
                "customer": request.customer_id,
                "client_reference_id": str(request.topup_id),
                "line_items": [{"quantity": 1, "price_data": _price(request)}],
                "success_url": request.success_url,
                "cancel_url": request.cancel_url,
                "metadata": metadata,
                "payment_intent_data": {"setup_future_usage": "off_session", "metadata": metadata},
            },
            {"idempotency_key": f"checkout-{request.topup_id}-{request.customer_id}"},
        )
        return await _answer(made, _checkout)

    async def open_portal(self, customer_id: str, *, return_url: str) -> Answer[Portal]:
        """See PaymentProvider."""
        made = self._stripe.billing_portal.sessions.create_async({"customer": customer_id, "return_url": return_url})
        return await _answer(
            made, lambda session: Portal(session.url, datetime.fromtimestamp(session.created, UTC) + PORTAL_LIFE)
        )

    async def find_payment_method(self, customer_id: str) -> Answer[str | None]:
        """See PaymentProvider. The one that the customer chose at the portal, else the newest."""
        answer = await _answer(self._stripe.customers.retrieve_async(customer_id), _chosen_method)
        if not isinstance(answer, Accepted) or answer.value is not None:
            return answer
        listed = self._stripe.payment_methods.list_async({"customer": customer_id, "limit": 1})
        return await _answer(listed, lambda page: page.data[0].id if page.data else None)

    async def charge(self, request: ChargeRequest) -> Answer[Payment]:
        """See PaymentProvider."""
        made = self._stripe.payment_intents.create_async(
            {
                "amount": request.amount_cents,
                "currency": CURRENCY,
                "customer": request.customer_id,
                "payment_method": request.payment_method,
                "off_session": True,
                "confirm": True,
                "metadata": _metadata(request.org_id, request.topup_id),
            },
            {"idempotency_key": f"charge-{request.topup_id}"},
        )
        return await _answer(made, _payment)

    async def find_charge(self, request: ChargeRequest, *, since: datetime) -> Answer[Payment | None]:
        """See PaymentProvider. By listing, which shows at once what was made; Stripe's search lags behind."""
        listed = self._stripe.payment_intents.list_async(
            {"customer": request.customer_id, "created": {"gte": int((since - CLOCK_SLACK).timestamp())}, "limit": 100}
        )
        wanted = _metadata(request.org_id, request.topup_id)
        return await _answer(listed, lambda page: next((_payment(i) for i in page.data if _is_about(i, wanted)), None))

    async def read_payment(self, payment_id: str) -> Answer[Payment]:
        """See PaymentProvider."""
        return await _answer(self._stripe.payment_intents.retrieve_async(payment_id), _payment)

    async def list_refunds(self, payment_id: str) -> Answer[Sequence[Refund]]:
        """See PaymentProvider."""
        listed = self._stripe.refunds.list_async({"payment_intent": payment_id, "limit": 100})
        return await _answer(listed, lambda page: [_refund(refund) for refund in page.data])

    async def close(self) -> None:
        """See PaymentProvider."""
        await self._http.close_async()


async def _answer(call: Awaitable[T], read: Callable[[T], V]) -> Answer[V]:
    """One of the four answers, whatever the library raises; a shape that the library does not know is Unknown."""
    try:
        return Accepted(read(await call))
    except stripe.StripeError as error:
        return _refusal(error)
    except (aiohttp.ClientError, TimeoutError, AttributeError, TypeError, ValueError) as error:
        return Unknown(f"{type(error).__name__}: {error}")


def _refusal(error: stripe.StripeError) -> Refused | Deferred | Unknown:
    is_busy = isinstance(error, stripe.RateLimitError) or error.code in BUSY
    if is_busy:
        return Deferred(_words(error), BUSY_S)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Refused(Trouble.CONFIGURATION, error.code or type(error).__name__, _words(error))
    if isinstance(error, stripe.CardError | stripe.InvalidRequestError):
        return Refused(Trouble.UNCLASSIFIED, error.code or "refused", _words(error))
    return Unknown(_words(error), error.http_body or "")


def _words(error: stripe.StripeError) -> str:
    return (error.user_message or type(error).__name__)[:500]


def _metadata(org_id: UUID, topup_id: UUID) -> dict[str, str]:
    return {"org_id": str(org_id), "topup_id": str(topup_id)}


def _price(request: CheckoutRequest) -> "SessionCreateParamsLineItemPriceData":
    product = request.product
    if product.is_in_stripe:
        return {"currency": CURRENCY, "unit_amount": product.amount_cents, "product": product.stripe_product_id}
    name = f"{product.display_label} of credit"
    return {"currency": CURRENCY, "unit_amount": product.amount_cents, "product_data": {"name": name}}


def _checkout(session: stripe.checkout.Session) -> Checkout:
    if session.url is None:
        raise ValueError("a checkout without a page")
    return Checkout(session.id, session.url)


def _chosen_method(customer: stripe.Customer) -> str | None:
    settings = customer.invoice_settings
    chosen = None if settings is None else settings.default_payment_method
    return chosen.id if isinstance(chosen, stripe.PaymentMethod) else chosen


def _payment(intent: stripe.PaymentIntent) -> Payment:
    match intent.status:
        case "succeeded":
            return Payment(intent.id, PaymentState.PAID, intent.amount_received, intent.currency)
        case "processing":
            return Payment(intent.id, PaymentState.PROCESSING, intent.amount, intent.currency)
        case status:
            error = intent.last_payment_error
            failure = (error.code if error is not None else None) or status
            return Payment(intent.id, PaymentState.FAILED, intent.amount, intent.currency, failure)


def _is_about(intent: stripe.PaymentIntent, wanted: dict[str, str]) -> bool:
    metadata = intent.metadata.to_dict()
    return all(metadata.get(name) == value for name, value in wanted.items())


def _refund(refund: stripe.Refund) -> Refund:
    return Refund(refund.id, refund.amount, refund.status in UNDONE)
