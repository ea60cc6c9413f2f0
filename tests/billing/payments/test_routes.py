"""Buying credit over HTTP: the pages that are made, what is refused, and when the credit comes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentmessage.app.api import Api
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.billing.harness import PaymentsHarness, check_out, open_payments, pay_once
from tests.billing.stripe_wire import event
from tests.conftest import Client
from tests.make.accounts import Account, key_with

PRODUCTS = "/v1/billing/topup/products"
AUTO = "/v1/billing/wallet/auto-topup"
PORTAL = "/v1/billing/portal"
TOPUP = "/v1/billing/topup"
PAGES = {"success_url": "https://app.example/paid", "cancel_url": "https://app.example/no"}


@pytest.fixture
async def payments(settings: Settings, cells: Cells) -> AsyncIterator[PaymentsHarness]:
    async with open_payments(settings, cells) as opened:
        yield opened


@pytest.fixture
def api(payments: PaymentsHarness, account: Account) -> Client:
    return Client(payments.app, account.key)


@pytest.fixture
async def bare(settings: Settings, account: Account) -> AsyncIterator[Client]:
    """An installation that takes no cards."""
    app = Api(settings)
    await app.start()
    yield Client(app, account.key)
    await app.stop()


# ── what is sold ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("listTopupProducts", 200)
async def test_200_products_are_five_to_a_hundred_dollars_cheapest_first(api: Client, bare: Client) -> None:
    products = (await api.get(PRODUCTS)).data["products"]

    assert [one["amount_cents"] for one in products] == [500, 1000, 2000, 5000, 10_000]
    assert products[0] == {"stripe_product_id": "topup_500", "amount_cents": 500, "display_label": "$5"}
    assert (await bare.get(PRODUCTS)).data["products"] == products


async def test_products_carry_the_ids_that_the_operator_gave_them(
    settings: Settings, cells: Cells, account: Account
) -> None:
    async with open_payments(settings, cells, stripe_products="2000=prod_twenty,500=prod_five") as payments:
        api = Client(payments.app, account.key)

        products = (await api.get(PRODUCTS)).data["products"]
        await check_out(api, "prod_twenty")
        old = await check_out(api, "topup_2000")

    assert [one["stripe_product_id"] for one in products][:3] == ["prod_five", "topup_1000", "prod_twenty"]
    asked = payments.wire.asked_for("/checkout/sessions")
    assert [one["line_items[0][price_data][product]"] for one in asked] == ["prod_twenty"]
    assert old.status == 422


# ── a checkout ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("createTopupCheckout", 201)
async def test_201_a_checkout_is_a_page_and_the_credit_comes_with_the_payment(
    api: Client, payments: PaymentsHarness, account: Account
) -> None:
    reply = await check_out(api)
    session, _ = payments.wire.pay(reply.data["checkout_session_id"])
    before = await payments.balance(account.org_id)
    await payments.post(event("checkout.session.completed", session))

    assert reply.status == 201
    assert reply.data == {
        "checkout_session_id": session["id"],
        "checkout_url": f"https://checkout.stripe.com/c/pay/{session['id']}",
    }
    assert (before, await payments.balance(account.org_id)) == (100_000, 102_000)
    (asked,) = payments.wire.asked_for("/checkout/sessions")
    assert asked["line_items[0][price_data][unit_amount]"] == "2000"
    assert asked["payment_intent_data[setup_future_usage]"] == "off_session"
    assert asked["success_url"].endswith("?s={CHECKOUT_SESSION_ID}")
    assert asked["metadata[org_id]"] == asked["payment_intent_data[metadata][org_id]"] == str(account.org_id)


@pytest.mark.covers("createTopupCheckout", 201)
async def test_201_one_organization_is_one_customer(api: Client, payments: PaymentsHarness) -> None:
    await check_out(api)
    await check_out(api)

    assert len(payments.wire.customers) == 1
    assert len(payments.wire.sessions) == 2


@pytest.mark.covers("createTopupCheckout", 201)
async def test_201_the_same_key_gets_the_same_page(api: Client, payments: PaymentsHarness) -> None:
    replies = [await check_out(api, headers={"idempotency-key": "once"}) for _ in range(2)]

    assert replies[0].data == replies[1].data
    assert replies[1].headers["idempotent-replayed"] == "true"
    assert len(payments.wire.sessions) == 1


@pytest.mark.parametrize("fault", ["lost", "unheard", "server_error"])
@pytest.mark.covers("createTopupCheckout", 201)
async def test_201_a_page_whose_answer_was_lost_is_found_again_under_the_key(
    api: Client, payments: PaymentsHarness, fault: str
) -> None:
    """The library asks twice by itself; here both answers are lost, and the client asks again."""
    await check_out(api)  # the customer is known
    payments.wire.faults["/checkout/sessions"] = [fault, fault]
    headers = {"idempotency-key": "once"}

    lost = await check_out(api, headers=headers)
    if fault == "server_error":  # which Stripe keeps under the key: only a new purchase gets past it
        headers = {"idempotency-key": "twice"}
    found = await check_out(api, headers=headers)

    assert (lost.status, found.status) == (502, 201)
    assert len(payments.wire.sessions) == 2


@pytest.mark.covers("createTopupCheckout", 201)
async def test_201_a_customer_that_is_gone_at_stripe_is_made_anew(api: Client, payments: PaymentsHarness) -> None:
    await check_out(api)
    payments.wire.customers.clear()
    payments.wire.customers["cus_other"] = {}

    reply = await check_out(api)

    assert reply.status == 201
    assert len(payments.wire.customers) == 2


@pytest.mark.covers("createTopupCheckout", 201)
async def test_201_a_sandbox_pays_at_once_with_play_money(
    payments: PaymentsHarness, account: Account, cells: Cells
) -> None:
    key = await key_with(cells, account.sandbox, ["billing:write"])
    before = await payments.balance(account.sandbox.org_id)

    reply = await check_out(Client(payments.app, key))

    session_id = reply.data["checkout_session_id"]
    assert reply.data["checkout_url"] == f"https://app.example/paid?s={session_id}"
    assert await payments.balance(account.sandbox.org_id) == before + 2000
    assert payments.wire.asked == []


@pytest.mark.covers("createTopupCheckout", 402)
async def test_402_a_topup_that_leaves_the_wallet_below_the_minimum(
    settings: Settings, cells: Cells, account: Account
) -> None:
    async with open_payments(settings, cells, min_topup_cents=105_000) as payments:
        api = Client(payments.app, account.key)

        small, enough = await check_out(api), await check_out(api, "topup_5000")

    assert (small.status, small.error["code"]) == (402, "BELOW_MINIMUM_CREDIT")
    assert small.error["message"] == "balance below tier minimum"
    assert enough.status == 201


@pytest.mark.covers("createTopupCheckout", 404)
async def test_404_without_a_plan_there_is_nothing_to_top_up(
    api: Client, payments: PaymentsHarness, account: Account
) -> None:
    await cancel_plan(payments, account)

    reply = await check_out(api)

    assert (reply.status, reply.error["code"], reply.error["message"]) == (404, "NOT_FOUND", "NO_PLAN")
    assert await payments.db.value("SELECT count(*) FROM topups") == 0


@pytest.mark.covers("createTopupCheckout", 422)
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"stripe_product_id": "prod_of_nobody"}, "stripe_product_id"),
        ({"stripe_product_id": ""}, "stripe_product_id"),
        ({"success_url": "ftp://app.example"}, "success_url"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ({"cancel_url": None}, "cancel_url"),
    ],
)
async def test_422_a_checkout_names_what_is_wrong(api: Client, changed: dict[str, Any], field: str) -> None:
    reply = await api.post(TOPUP, {"stripe_product_id": "topup_500", **PAGES} | changed)

    assert (reply.status, list(reply.error["details"])) == (422, [field])


@pytest.mark.covers("createTopupCheckout", 422)
async def test_422_where_money_is_real_pages_must_be_https(settings: Settings, cells: Cells, account: Account) -> None:
    plain = {"success_url": "http://localhost/a", "cancel_url": "http://localhost/b"}
    body = {"stripe_product_id": "topup_500", **plain}
    async with open_payments(settings, cells) as payments:
        trying = await Client(payments.app, account.key).post(TOPUP, body)
    async with open_payments(settings, cells, stripe_secret_key="sk_live_123") as payments:
        earnest = await Client(payments.app, account.key).post(TOPUP, body)

    assert trying.status == 201
    assert (earnest.status, set(earnest.error["details"])) == (422, set(plain))


@pytest.mark.covers("createTopupCheckout", 502)
@pytest.mark.parametrize("fault", ["invalid_key", "rate_limited", "server_error", "unheard"])
async def test_502_a_processor_that_gives_no_page(api: Client, payments: PaymentsHarness, fault: str) -> None:
    payments.wire.faults["/customers"] = [fault, fault]

    reply = await check_out(api)

    assert (reply.status, reply.error["code"]) == (502, "BILLING_PROVIDER_UNAVAILABLE")
    assert "sk_test" not in reply.body.decode()


@pytest.mark.covers("createTopupCheckout", 503)
async def test_503_without_keys_no_cards_are_taken(bare: Client) -> None:
    reply = await check_out(bare)

    assert (reply.status, reply.error["code"]) == (503, "BILLING_PROVIDER_NOT_CONFIGURED")
    assert reply.headers["retry-after"] == "3600"


# ── automatic top-up, the setting ───────────────────────────────────────────────────────────────────────────

OFF = {
    "enabled": False,
    "stripe_product_id": None,
    "auto_topup_amount_cents": None,
    "auto_topup_threshold_cents": None,
    "monthly_max_cents": None,
    "next_charge_at": None,
    "last_failure": None,
}


@pytest.mark.covers("getAutoTopup", 200)
@pytest.mark.covers("putAutoTopup", 200)
async def test_200_automatic_topup_goes_on_and_off(api: Client, payments: PaymentsHarness, account: Account) -> None:
    await pay_once(payments, account)

    before = await api.get(AUTO)
    on = await api.request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_5000"})
    read = await api.get(AUTO)
    off = [await api.request("PUT", AUTO, {"enabled": False}) for _ in range(2)]

    assert before.data == OFF
    assert (on.status, on.data) == (200, read.data)
    assert on.data == OFF | {
        "enabled": True,
        "stripe_product_id": "topup_5000",
        "auto_topup_amount_cents": 5000,
        "auto_topup_threshold_cents": 2000,
        "monthly_max_cents": 50_000,
    }
    assert [(reply.status, reply.data) for reply in off] == [(200, OFF), (200, OFF)]
    assert await payments.acts(account.org_id, "wallet.auto_topup.enable") == 1
    assert await payments.acts(account.org_id, "wallet.auto_topup.disable") == 1


@pytest.mark.covers("putAutoTopup", 200)
async def test_200_it_can_be_turned_off_where_no_cards_are_taken(bare: Client) -> None:
    assert (await bare.request("PUT", AUTO, {"enabled": False})).data == OFF


@pytest.mark.covers("getAutoTopup", 200)
async def test_200_the_next_charge_is_guessed_from_the_last_week(
    api: Client, payments: PaymentsHarness, account: Account
) -> None:
    """A thousand dollars and 20 of the checkout, 100 spent in the week: 900 left above the threshold, nine weeks."""
    await pay_once(payments, account)
    await api.request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_2000"})
    await payments.spend(account.tenant, 10_000, "a")

    guess = (await api.get(AUTO)).data["next_charge_at"]

    days = await payments.db.value("SELECT extract(epoch FROM $1::text::timestamptz - now()) / 86400", guess)
    assert round(days) == 63


@pytest.mark.covers("getAutoTopup", 200)
async def test_200_reading_it_never_asks_the_processor(
    api: Client, payments: PaymentsHarness, account: Account
) -> None:
    await pay_once(payments, account)
    await api.request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_2000"})
    asked = len(payments.wire.asked)

    assert (await api.get(AUTO)).status == 200

    assert len(payments.wire.asked) == asked


@pytest.mark.covers("putAutoTopup", 402)
async def test_402_nothing_is_charged_without_a_plan(api: Client, payments: PaymentsHarness, account: Account) -> None:
    await pay_once(payments, account)
    await cancel_plan(payments, account)

    reply = await api.request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_500"})

    assert (reply.status, reply.error["code"]) == (402, "NO_PLAN")


@pytest.mark.covers("putAutoTopup", 402)
async def test_402_a_product_that_would_leave_the_wallet_below_the_minimum(
    settings: Settings, cells: Cells, account: Account
) -> None:
    async with open_payments(settings, cells, min_topup_cents=110_000) as payments:
        await payments.db.run(
            "INSERT INTO billing_customers (org_id, customer_id, updated_at) VALUES ($1, 'cus_1', now())",
            account.org_id,
        )
        reply = await Client(payments.app, account.key).request(
            "PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_500"}
        )

    assert (reply.status, reply.error["code"]) == (402, "BELOW_MINIMUM_CREDIT")


@pytest.mark.covers("putAutoTopup", 409)
async def test_409_what_is_on_is_not_turned_on_again(api: Client, payments: PaymentsHarness, account: Account) -> None:
    await pay_once(payments, account)

    replies = [await api.request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_500"}) for _ in range(2)]

    assert [reply.status for reply in replies] == [200, 409]
    assert replies[1].error["code"] == "CONFLICT"


@pytest.mark.covers("putAutoTopup", 409)
async def test_409_who_never_paid_has_no_card_to_charge(api: Client) -> None:
    reply = await api.request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_500"})

    assert (reply.status, reply.error["code"]) == (409, "NO_STRIPE_CUSTOMER")


@pytest.mark.covers("putAutoTopup", 422)
@pytest.mark.parametrize("given", [{}, {"stripe_product_id": "prod_of_nobody"}])
async def test_422_turning_it_on_needs_a_product_that_is_sold(api: Client, given: dict[str, str]) -> None:
    reply = await api.request("PUT", AUTO, {"enabled": True, **given})

    assert (reply.status, list(reply.error["details"])) == (422, ["stripe_product_id"])


@pytest.mark.covers("putAutoTopup", 503)
async def test_503_without_keys_nothing_is_charged_by_itself(bare: Client) -> None:
    reply = await bare.request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_500"})

    assert (reply.status, reply.error["code"]) == (503, "BILLING_PROVIDER_NOT_CONFIGURED")


# ── the portal ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("createBillingPortalSession", 200)
async def test_200_the_portal_is_a_link_for_minutes(api: Client, payments: PaymentsHarness) -> None:
    await check_out(api)

    reply = await api.post(PORTAL, {"return_url": "https://app.example/billing"})

    assert reply.status == 200
    assert reply.data["portal_url"].startswith("https://billing.stripe.com/p/session/")
    left_s = await payments.db.value(
        "SELECT extract(epoch FROM $1::text::timestamptz - now())", reply.data["expires_at"]
    )
    assert 290 <= left_s <= 300


@pytest.mark.covers("createBillingPortalSession", 409)
async def test_409_who_never_was_at_a_checkout_has_no_portal(api: Client) -> None:
    reply = await api.post(PORTAL, {"return_url": "https://app.example/billing"})

    assert (reply.status, reply.error["code"]) == (409, "NO_STRIPE_CUSTOMER")


@pytest.mark.covers("createBillingPortalSession", 409)
async def test_409_a_customer_that_is_gone_at_stripe_is_none(api: Client, payments: PaymentsHarness) -> None:
    await check_out(api)
    payments.wire.customers.clear()

    reply = await api.post(PORTAL, {"return_url": "https://app.example/billing"})

    assert (reply.status, reply.error["code"]) == (409, "NO_STRIPE_CUSTOMER")


@pytest.mark.covers("createBillingPortalSession", 422)
@pytest.mark.parametrize(
    "return_url",
    [
        "https://evil.example/billing",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "http://app.example/billing",
        "https://app.example:8443/billing",
        "https:///billing",
        "https://evil.example\\@app.example/",
        "https://app.example\\@evil.example/",
        "https:\\\\app.example/",
        "https://user@app.example/",
        "https://user:word@app.example/",
        "https://app.example:@evil.example/",
        "https://app.example:0/",
        "https://app.example:99999/",
        "https://app.example:443:443/",
        "https://app.example%2eevil.example/",
        "https://evil.example#@app.example/",
        "https://evil.example?@app.example/",
        "https://app.example\t.evil.example/",
        "https://app.example/\n",
        " https://app.example/",
        "https://app.ex\u0430mple/",
        "https://app\u3002example/",
        "https://app.example\u2044evil.example/",
        "https://app.example\u0000/",
        "https:/app.example/",
        "https:app.example/",
        "https://[app.example]/",
        "https://.app.example/",
        "https://app..example/",
        "javascript:https://app.example/",
        "//app.example/billing",
        "",
    ],
)
async def test_422_the_portal_leads_back_only_to_listed_hosts(api: Client, return_url: str) -> None:
    reply = await api.post(PORTAL, {"return_url": return_url})

    assert (reply.status, list(reply.error["details"])) == (422, ["return_url"])


@pytest.mark.covers("createBillingPortalSession", 502)
@pytest.mark.parametrize("fault", ["invalid_key", "server_error", "unheard"])
async def test_502_a_portal_that_the_processor_does_not_give(
    api: Client, payments: PaymentsHarness, fault: str
) -> None:
    await check_out(api)
    payments.wire.faults["/billing_portal/sessions"] = [fault, fault]

    reply = await api.post(PORTAL, {"return_url": "https://app.example/billing"})

    assert (reply.status, reply.error["code"]) == (502, "BILLING_PORTAL_UNAVAILABLE")


@pytest.mark.covers("createBillingPortalSession", 503)
async def test_503_without_keys_there_is_no_portal(bare: Client) -> None:
    reply = await bare.post(PORTAL, {"return_url": "https://app.example/billing"})

    assert (reply.status, reply.error["code"]) == (503, "BILLING_PROVIDER_NOT_CONFIGURED")


async def cancel_plan(payments: PaymentsHarness, account: Account) -> None:
    """The organization's subscription is over."""
    await payments.db.run(
        """INSERT INTO billing_customers (org_id, customer_id, subscription_id, subscription_status, updated_at)
           VALUES ($1, 'cus_1', 'sub_1', 'canceled', now())
           ON CONFLICT (org_id) DO UPDATE SET subscription_status = 'canceled'""",
        account.org_id,
    )
