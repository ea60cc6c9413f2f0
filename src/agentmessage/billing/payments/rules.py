"""Decisions about money that comes in: what may be bought, when to charge by itself, and what a failure means; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from agentmessage.billing.errors import BelowMinimumCredit, NoPlan, PlanNotFound
from agentmessage.billing.payments.model import (
    KEY_LIFE,
    MAX_THRESHOLD_CENTS,
    PAUSES,
    AutoTopup,
    BillingCustomer,
    Product,
    SubscriptionStatus,
    Topup,
    TopupKind,
    TopupState,
)
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.kernel.money import balance_cents, microcents
from agentmessage.web.webhook_urls import page_url_error

WEEK = timedelta(days=7)


def product_of(products: Sequence[Product], product_id: str) -> Product:
    """What is sold under an id. Raises ValidationFailed."""
    for product in products:
        if product.stripe_product_id == product_id:
            return product
    raise ValidationFailed({"stripe_product_id": "must be one of GET /v1/billing/topup/products"})


def require_pages(*, requires_https: bool, **urls: str) -> None:
    """Refuse pages to send a customer to that not every parser reads alike, or without TLS. Raises ValidationFailed."""
    faults = {name: page_url_error(url, allow_private=True) for name, url in urls.items()}
    if requires_https:
        plain = {name: "must be an https URL" for name, url in urls.items() if not url.lower().startswith("https://")}
        faults = plain | {name: words for name, words in faults.items() if words}
    named = {name: words for name, words in faults.items() if words}
    if named:
        raise ValidationFailed(named)


def require_listed(return_url: str, hosts: Sequence[str]) -> None:
    """Refuse a page whose scheme and host the operator has not listed. Raises ValidationFailed."""
    if origin(return_url) not in {origin(host) for host in hosts}:
        raise ValidationFailed({"return_url": "must be on a host that the operator allows"})


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL that is in order; the scheme's own port is none."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", None if parts.port == usual else parts.port


def require_plan_to_top_up(customer: BillingCustomer | None) -> None:
    """Raises PlanNotFound when the subscription was canceled; without one it is pay as you go."""
    if customer is not None and customer.standing == SubscriptionStatus.CANCELED:
        raise PlanNotFound


def require_plan_to_charge(customer: BillingCustomer | None) -> None:
    """Raises NoPlan when the subscription was canceled."""
    if customer is not None and customer.standing == SubscriptionStatus.CANCELED:
        raise NoPlan


def require_minimum(balance_microcents: int, product: Product, *, min_topup_cents: int) -> None:
    """Refuse a top-up after which the balance is still below the installation's minimum. Raises BelowMinimumCredit."""
    if balance_cents(balance_microcents) + product.amount_cents < min_topup_cents:
        raise BelowMinimumCredit


def threshold_cents(product: Product) -> int:
    """The balance below which a product is bought by itself."""
    return min(product.amount_cents, MAX_THRESHOLD_CENTS)


def is_due(auto: AutoTopup | None, balance_microcents: int) -> bool:
    """Whether the balance asks to be topped up."""
    return auto is not None and auto.is_enabled and balance_cents(balance_microcents) < auto.threshold_cents


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """When a moment's calendar month began, and when the next one does (UTC)."""
    began = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return began, (began + timedelta(days=32)).replace(day=1)


def at_ceiling(auto: AutoTopup, *, until: datetime) -> AutoTopup:
    """The month may cost no more: nothing is charged before the next one."""
    return msgspec.structs.replace(auto, last_failure=CEILING, next_attempt_at=until)


def may_charge(auto: AutoTopup | None, topup: Topup, now: datetime) -> bool:
    """Whether a charge that was begun earlier and never made may be made now: it is wanted, and its key is fresh."""
    return auto is not None and auto.is_enabled and now - topup.created_at < KEY_LIFE


def fresh(
    topup_id: UUID, auto_or_product: AutoTopup | Product, *, org_id: UUID, kind: TopupKind, now: datetime
) -> Topup:
    """A purchase that the processor does not have yet."""
    is_auto = isinstance(auto_or_product, AutoTopup)
    return Topup(
        id=topup_id,
        org_id=org_id,
        kind=kind,
        state=TopupState.OPEN,
        product_id=auto_or_product.product_id if is_auto else auto_or_product.stripe_product_id,
        amount_cents=auto_or_product.amount_cents,
        success_url=None,
        cancel_url=None,
        session_id=None,
        session_url=None,
        customer_id=None,
        payment_method=None,
        payment_id=None,
        failure=None,
        created_at=now,
    )


CEILING = "monthly_ceiling_reached"


def after_failure(auto: AutoTopup, failure: str, *, now: datetime) -> AutoTopup:
    """One more failure: a pause that grows, and in the end no more."""
    failures = auto.failures + 1
    is_over = failures > len(PAUSES)
    return msgspec.structs.replace(
        auto,
        failures=failures,
        last_failure=failure,
        is_enabled=auto.is_enabled and not is_over,
        next_attempt_at=None if is_over else now + PAUSES[failures - 1],
    )


def after_success(auto: AutoTopup) -> AutoTopup:
    """The failures before it are forgotten."""
    return msgspec.structs.replace(auto, failures=0, last_failure=None, next_attempt_at=None)


def is_newer(customer: BillingCustomer, *, subscription_id: str, reported_at: datetime) -> bool:
    """Whether a word about a subscription is newer than the last; one that was canceled never comes back."""
    if customer.reported_at is not None and reported_at < customer.reported_at:
        return False
    is_same = customer.subscription_id == subscription_id
    return not (is_same and customer.standing == SubscriptionStatus.CANCELED)


def next_charge_at(
    auto: AutoTopup, balance_microcents: int, *, spent_in_a_week_microcents: int, now: datetime
) -> datetime | None:
    """When the balance will ask to be topped up if spending goes on as in the last seven days; None: not soon."""
    if auto.next_attempt_at is not None and auto.next_attempt_at > now:
        return auto.next_attempt_at
    left = balance_microcents - microcents(auto.threshold_cents)
    if left < 0:
        return now
    if spent_in_a_week_microcents <= 0:
        return None
    wait = WEEK * (left / spent_in_a_week_microcents)
    return now + wait if wait < timedelta(days=366) else None
