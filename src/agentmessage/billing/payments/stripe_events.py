"""Stripe's events: verified by its library, and read into our types.

    checkout.session.completed, …async_payment_succeeded    paid, or still processing
    checkout.session.expired, …async_payment_failed         not paid
    payment_intent.succeeded, payment_intent.payment_failed the same of charges without the customer
    charge.refunded, refund.created|updated|failed          read the refunds of the payment
    charge.dispute.*                                        the bank takes it, or gives it again
    customer.subscription.*                                 how the plan stands

Any of them may come twice, late, or before another that it follows from. Everything else is none of our business.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe

from agentmessage.billing.payments.model import SubscriptionStatus
from agentmessage.billing.payments.provider import (
    Bought,
    Dispute,
    Fact,
    Notice,
    PaymentFailed,
    RefundMoved,
    SubscriptionMoved,
)
from agentmessage.carriers.protocols import ForgedCallback, UnreadableCallback

TAKEN = frozenset({"needs_response", "under_review", "lost"})
"""While a dispute stands so, the bank has the money. A `warning_…` is a question only."""

STANDINGS: Mapping[str, SubscriptionStatus] = {
    "trialing": SubscriptionStatus.ACTIVE,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.PAST_DUE,
    "paused": SubscriptionStatus.PAST_DUE,
    "canceled": SubscriptionStatus.CANCELED,
    "incomplete_expired": SubscriptionStatus.CANCELED,
}
"""By Stripe's words; `incomplete` is a subscription that has not begun."""


class StripeNotices:
    """Reads the notices of one endpoint."""

    def __init__(self, *, secret_key: str, webhook_secret: str) -> None:
        self._stripe = stripe.StripeClient(secret_key)
        self._secret = webhook_secret

    def read(self, body: bytes, signature: str) -> Notice:
        """See NoticeReader. A signature older than five minutes is a replay, and forged."""
        if not (_is_text(body) and signature.isascii()):  # the library would fail at these before it has verified
            raise ForgedCallback("no text")
        try:
            event = self._stripe.construct_event(body, signature, self._secret)
            thing: object = event.data.object
            read = READERS.get(event.type)
            fact = None if read is None else read(thing)
            return Notice(event.id, event.type, datetime.fromtimestamp(event.created, UTC), fact)
        except stripe.SignatureVerificationError as error:
            raise ForgedCallback(error.user_message or "bad signature") from error
        except (AttributeError, TypeError, ValueError, RecursionError) as error:  # the last of brackets without end
            raise UnreadableCallback(f"{type(error).__name__}: {error}"[:200]) from error


def _is_text(body: bytes) -> bool:
    """Whether it is UTF-8, as JSON must be (RFC 8259, section 8.1)."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _session(thing: object) -> Fact | None:
    if not isinstance(thing, stripe.checkout.Session) or thing.mode != "payment":
        return None
    ours = _ours(thing.metadata)
    if ours is None or thing.payment_status != "paid":
        return None
    payment_id = _id(thing.payment_intent)
    if payment_id is None or thing.amount_total is None:
        raise ValueError("a paid checkout without its payment")
    return Bought(
        org_id=ours[0],
        topup_id=ours[1],
        payment_id=payment_id,
        amount_cents=thing.amount_total,
        currency=thing.currency or "",
    )


def _session_unpaid(thing: object) -> Fact | None:
    if not isinstance(thing, stripe.checkout.Session):
        return None
    ours = _ours(thing.metadata)
    if ours is None:
        return None
    failure = "expired" if thing.status == "expired" else "payment_failed"
    return PaymentFailed(org_id=ours[0], topup_id=ours[1], payment_id=_id(thing.payment_intent), failure=failure)


def _paid(thing: object) -> Fact | None:
    if not isinstance(thing, stripe.PaymentIntent):
        return None
    ours = _ours(thing.metadata)
    if ours is None:
        return None
    return Bought(
        org_id=ours[0],
        topup_id=ours[1],
        payment_id=thing.id,
        amount_cents=thing.amount_received,
        currency=thing.currency,
    )


def _unpaid(thing: object) -> Fact | None:
    if not isinstance(thing, stripe.PaymentIntent):
        return None
    ours = _ours(thing.metadata)
    if ours is None:
        return None
    error = thing.last_payment_error
    failure = (error.code if error is not None else None) or "payment_failed"
    return PaymentFailed(org_id=ours[0], topup_id=ours[1], payment_id=thing.id, failure=failure)


def _refunded(thing: object) -> Fact | None:
    if not isinstance(thing, stripe.Charge | stripe.Refund):
        return None
    payment_id = _id(thing.payment_intent)
    ours = _ours(thing.metadata)
    return None if payment_id is None else RefundMoved(payment_id=payment_id, org_id=ours[0] if ours else None)


def _disputed(thing: object) -> Fact | None:
    if not isinstance(thing, stripe.Dispute):
        return None
    payment_id = _id(thing.payment_intent)
    is_won = thing.status == "won"
    if payment_id is None or not (is_won or thing.status in TAKEN):
        return None
    return Dispute(id=thing.id, payment_id=payment_id, amount_cents=thing.amount, is_won=is_won)


def _subscribed(thing: object) -> Fact | None:
    if not isinstance(thing, stripe.Subscription):
        return None
    customer_id, standing = _id(thing.customer), STANDINGS.get(thing.status)
    if customer_id is None or standing is None:
        return None
    return SubscriptionMoved(customer_id=customer_id, subscription_id=thing.id, standing=standing)


READERS: Mapping[str, Callable[[object], Fact | None]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_unpaid,
    "checkout.session.expired": _session_unpaid,
    "payment_intent.succeeded": _paid,
    "payment_intent.payment_failed": _unpaid,
    "charge.refunded": _refunded,
    "refund.created": _refunded,
    "refund.updated": _refunded,
    "refund.failed": _refunded,
    "charge.dispute.created": _disputed,
    "charge.dispute.updated": _disputed,
    "charge.dispute.funds_withdrawn": _disputed,
    "charge.dispute.funds_reinstated": _disputed,
    "charge.dispute.closed": _disputed,
    "customer.subscription.created": _subscribed,
    "customer.subscription.updated": _subscribed,
    "customer.subscription.paused": _subscribed,
    "customer.subscription.resumed": _subscribed,
    "customer.subscription.deleted": _subscribed,
}


def _ours(metadata: Any) -> tuple[UUID, UUID] | None:
    """Organization and top-up, where we made it; the operator may sell other things through the same account."""
    values: Mapping[str, str] = {} if metadata is None else metadata.to_dict()
    try:
        return UUID(values["org_id"]), UUID(values["topup_id"])
    except (KeyError, ValueError, AttributeError, TypeError):
        return None


def _id(field: Any) -> str | None:
    """The id of a field that Stripe may have expanded into what it names."""
    return field if field is None or isinstance(field, str) else str(field.id)
