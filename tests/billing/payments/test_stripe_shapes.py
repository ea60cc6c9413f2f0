"""The recorded objects are Stripe's: each of their keys is one that the official library knows."""

from typing import Any

import pytest
import stripe

from tests.billing.stripe_wire import SHAPES

CLASSES: dict[str, Any] = {
    "billing_portal.session": stripe.billing_portal.Session,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "refund": stripe.Refund,
    "subscription": stripe.Subscription,
}
"""By what Stripe writes into `object`."""


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_library_knows_every_key_of_a_recorded_object(name: str) -> None:
    strange = SHAPES[name].keys() - CLASSES[name].__annotations__.keys()

    assert strange == set()
    assert SHAPES[name]["object"] == name


def test_every_recorded_object_is_of_the_version_that_the_library_speaks() -> None:
    assert SHAPES["event"]["api_version"] == stripe.api_version
