"""Top-ups, automatic top-up and the customer portal over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never
from uuid import UUID

import structlog
from msgspec import UNSET, Struct

from agentmessage.billing.errors import (
    AutoTopupIsOn,
    BelowMinimumCredit,
    BillingPortalUnavailable,
    BillingProviderNotConfigured,
    BillingProviderUnavailable,
    NoPlan,
    NoStripeCustomer,
    PlanNotFound,
)
from agentmessage.billing.payments import auto_topup, operations, products, queries, rules
from agentmessage.billing.payments.model import Product, Topup
from agentmessage.billing.payments.provider import NO_SUCH_OBJECT, Checkout, CheckoutRequest, PaymentProvider
from agentmessage.billing.payments.schemas import (
    AutoTopupPut,
    AutoTopupResource,
    CheckoutResource,
    PortalCreate,
    PortalResource,
    TopupCreate,
    TopupProducts,
)
from agentmessage.carriers.protocols import Accepted, Answer, Deferred, Refused, Unknown
from agentmessage.kernel.errors import NotFound, ValidationFailed
from agentmessage.kernel.ids import new_id
from agentmessage.organizations import operations as organizations
from agentmessage.settings import Settings
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes

log = structlog.get_logger("agentmessage.billing")

NOT_BEFORE_S = 3600
"""For clients that ask again by themselves: an operator who configures a processor takes longer than their patience."""


class TopupServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Settings
    payments: Mapping[str, PaymentProvider]


routes = Routes("Billing", needs=TopupServices)


@routes.route("GET", "/v1/billing/topup/products", scope="billing:write", answers={200: TopupProducts})
async def list_topup_products(_call: Call[NoInput, NoInput], services: TopupServices) -> TopupProducts:
    """List what credit can be bought in, cheapest first; the same for every organization."""
    return TopupProducts.of(_products(services))


async def _finish(call: Call[Any, Any], topup_id: UUID | None, services: TopupServices) -> CheckoutResource:
    """The page of a top-up; of one whose first request died, the page that it may have made.

    Raises BillingProviderUnavailable.
    """
    if topup_id is None:
        raise NotFound
    topup = await operations.get(call.db, call.tenant, topup_id)
    if topup.session_id is None or topup.session_url is None:
        provider = _provider(call, services)
        checkout = await _open_checkout(call, services, provider, topup)
        async with call.db.transaction() as tx:
            await operations.record_checkout(tx, call.tenant, topup_id, checkout, source=provider.source)
        return CheckoutResource(checkout.session_id, checkout.url)
    return CheckoutResource(topup.session_id, topup.session_url)


@routes.route(
    "POST",
    "/v1/billing/topup",
    scope="billing:write",
    answers={201: CheckoutResource},
    refuses=[
        ValidationFailed,
        PlanNotFound,
        BelowMinimumCredit,
        BillingProviderUnavailable,
        BillingProviderNotConfigured,
    ],
    resume=_finish,
    example={
        "stripe_product_id": "topup_2000",
        "success_url": "https://app.example/billing?paid={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://app.example/billing",
    },
)
async def create_topup_checkout(call: Call[TopupCreate, NoInput], services: TopupServices) -> CheckoutResource:
    """Open a checkout for one top-up.

    Send the customer to `checkout_url`. The credit arrives after the payment, not with this call. The card that pays is
    saved for automatic top-up. A sandbox pays at once with play money: its `checkout_url` is your own `success_url`.
    """
    provider = _provider(call, services)
    body = call.body
    rules.require_pages(
        requires_https=provider.requires_https, success_url=body.success_url, cancel_url=body.cancel_url
    )
    product = rules.product_of(_products(services), body.stripe_product_id)
    topup_id = new_id()
    async with call.transaction(subject=topup_id) as tx:
        await operations.begin_checkout(
            tx,
            call.tenant,
            product,
            topup_id=topup_id,
            success_url=body.success_url,
            cancel_url=body.cancel_url,
            min_topup_cents=services.settings.min_topup_cents,
        )
    return await _finish(call, topup_id, services)


async def _open_checkout(
    call: Call[Any, Any], services: TopupServices, provider: PaymentProvider, topup: Topup
) -> Checkout:
    """A page to pay at; a customer that the processor no longer has is created again, once."""
    customer_id = await _customer(call, provider)
    answer = await provider.open_checkout(_request(topup, customer_id, services))
    if isinstance(answer, Refused) and answer.code == NO_SUCH_OBJECT:
        await queries.forget_customer(call.db, call.tenant.org_id, customer_id)
        customer_id = await _customer(call, provider, instead_of=customer_id)
        answer = await provider.open_checkout(_request(topup, customer_id, services))
    return _granted(answer, BillingProviderUnavailable, what="checkout")


async def _customer(call: Call[Any, Any], provider: PaymentProvider, *, instead_of: str | None = None) -> str:
    customer = await operations.customer(call.db, call.tenant)
    if customer.customer_id is not None:
        return customer.customer_id
    organization = await organizations.get(call.db, call.tenant)
    answer = await provider.open_customer(
        call.tenant.org_id, name=organization.name, email=organization.billing_email, instead_of=instead_of
    )
    made = _granted(answer, BillingProviderUnavailable, what="customer")
    return await queries.keep_customer(call.db, call.tenant.org_id, made)


def _request(topup: Topup, customer_id: str, services: TopupServices) -> CheckoutRequest:
    sold = {product.stripe_product_id: product for product in _products(services)}
    product = sold.get(topup.product_id) or Product(
        stripe_product_id=topup.product_id,
        amount_cents=topup.amount_cents,
        display_label=f"${topup.amount_cents // 100}",
    )
    return CheckoutRequest(
        topup_id=topup.id,
        org_id=topup.org_id,
        customer_id=customer_id,
        product=product,
        success_url=topup.success_url or "",
        cancel_url=topup.cancel_url or "",
    )


@routes.route("GET", "/v1/billing/wallet/auto-topup", scope="billing:write", answers={200: AutoTopupResource})
async def get_auto_topup(call: Call[NoInput, NoInput]) -> AutoTopupResource:
    """Read what is charged by itself. `next_charge_at` is an estimate; the card processor is not asked."""
    return await auto_topup.standing(call.db, call.tenant)


@routes.route(
    "PUT",
    "/v1/billing/wallet/auto-topup",
    scope="billing:write",
    answers={200: AutoTopupResource},
    refuses=[
        ValidationFailed,
        AutoTopupIsOn,
        NoStripeCustomer,
        NoPlan,
        BelowMinimumCredit,
        BillingProviderNotConfigured,
    ],
    example={"enabled": True, "stripe_product_id": "topup_2000"},
)
async def put_auto_topup(call: Call[AutoTopupPut, NoInput], services: TopupServices) -> AutoTopupResource:
    """Turn automatic top-up on or off.

    On: whenever the balance falls below the threshold (20 dollars, or the product's amount if that is less) the saved
    card is charged, never for more than `monthly_max_cents` in a calendar month; the first checkout saves it. Turning
    it off may be repeated, turning it on not: 409. After four failures in a row it turns itself off. Events:
    `wallet.auto_topup.failed`, `wallet.auto_topup.disabled`.
    """
    if not call.body.enabled:
        async with call.transaction() as tx:
            await auto_topup.turn_off(tx, call.tenant)
        return await auto_topup.standing(call.db, call.tenant)
    provider = _provider(call, services)
    if call.body.stripe_product_id is UNSET:
        raise ValidationFailed({"stripe_product_id": "is required with enabled"})
    product = rules.product_of(_products(services), call.body.stripe_product_id)
    ceiling_cents = None if call.body.monthly_max_cents is UNSET else call.body.monthly_max_cents
    if ceiling_cents is not None and ceiling_cents < product.amount_cents:
        raise ValidationFailed({"monthly_max_cents": f"must be at least {product.amount_cents}, what one charge costs"})
    customer_id = await _customer(call, provider) if call.tenant.is_sandbox else None
    async with call.transaction() as tx:
        await auto_topup.turn_on(
            tx,
            call.tenant,
            product,
            customer_id=customer_id,
            min_topup_cents=services.settings.min_topup_cents,
            monthly_max_cents=ceiling_cents,
        )
    call.wake("jobs")
    return await auto_topup.standing(call.db, call.tenant)


@routes.route(
    "POST",
    "/v1/billing/portal",
    scope="billing:write",
    answers={200: PortalResource},
    refuses=[ValidationFailed, NoStripeCustomer, BillingPortalUnavailable, BillingProviderNotConfigured],
    example={"return_url": "https://app.example/billing"},
)
async def create_billing_portal_session(call: Call[PortalCreate, NoInput], services: TopupServices) -> PortalResource:
    """Open the card processor's portal, where cards are changed and receipts read.

    Send the customer there at once: the link is good for minutes. `return_url` must be on a host that the operator has
    listed.
    """
    provider = _provider(call, services)
    return_url = call.body.return_url
    rules.require_pages(requires_https=provider.requires_https, return_url=return_url)
    rules.require_listed(return_url, services.settings.stripe_portal_return_origins.split(","))
    customer = await operations.customer(call.db, call.tenant)
    if customer.customer_id is None:
        raise NoStripeCustomer
    answer = await provider.open_portal(customer.customer_id, return_url=return_url)
    if isinstance(answer, Refused) and answer.code == NO_SUCH_OBJECT:
        await queries.forget_customer(call.db, call.tenant.org_id, customer.customer_id)
        raise NoStripeCustomer
    portal = _granted(answer, BillingPortalUnavailable, what="portal")
    return PortalResource(portal.url, portal.expires_at)


def _granted(answer: Answer[Any], refusal: type[Exception], *, what: str) -> Any:
    """What was asked for; anything else is logged and refused."""
    match answer:
        case Accepted(value):
            return value
        case Refused(_, code, text):
            log.error("payment provider request rejected", what=what, code=code, text=text)
        case Deferred(reason) | Unknown(reason):
            log.warning("payment provider request failed", what=what, reason=reason)
        case _:
            assert_never(answer)
    raise refusal


def _provider(call: Call[Any, Any], services: TopupServices) -> PaymentProvider:
    """Who takes cards for the organization. Raises BillingProviderNotConfigured."""
    provider = services.payments.get(call.tenant.account)
    if provider is None:
        raise BillingProviderNotConfigured(retry_after_s=NOT_BEFORE_S)
    return provider


def _products(services: TopupServices) -> Sequence[Product]:
    return products.products(services.settings.stripe_products)
