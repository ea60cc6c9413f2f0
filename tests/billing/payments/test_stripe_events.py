"""What Stripe tells, as it tells it: signed, twice, late, out of order, and about things that are not ours."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import generate_latest

from agentmessage.billing import queries
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.billing.harness import HOOK, PaymentsHarness, check_out, open_payments, pay_once
from tests.billing.stripe_wire import event, shape, signed
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account

DAY = 86_400


@pytest.fixture
async def payments(settings: Settings, cells: Cells) -> AsyncIterator[PaymentsHarness]:
    async with open_payments(settings, cells) as opened:
        yield opened


@pytest.fixture
async def paid(payments: PaymentsHarness, account: Account) -> tuple[dict[str, Any], dict[str, Any]]:
    """A session and a payment of which nothing has been told yet."""
    reply = await check_out(Client(payments.app, account.key))
    return payments.wire.pay(reply.data["checkout_session_id"])


Paid = tuple[dict[str, Any], dict[str, Any]]


# ── who may tell ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault", ["none", "wrong secret", "old", "other body", "empty", "nonsense", "v0 only", "no ascii"]
)
async def test_a_notice_that_stripe_has_not_signed_changes_nothing(
    payments: PaymentsHarness, account: Account, paid: Paid, fault: str
) -> None:
    body = event("checkout.session.completed", paid[0])
    good = signed(body)["stripe-signature"]
    headers = {
        "none": {},
        "wrong secret": signed(body, secret="whsec_other"),
        "old": signed(body, at=int(time.time()) - 301),
        "other body": signed(body + b" "),
        "empty": {"stripe-signature": ""},
        "nonsense": {"stripe-signature": "t=,v1"},
        "no ascii": {"stripe-signature": good[:-1] + "é"},
        "v0 only": {"stripe-signature": good.replace("v1=", "v0=")},
    }[fault]

    reply = await Client(payments.app).request("POST", HOOK, content=body, headers=headers)

    assert reply.status == 400
    assert await payments.balance(account.org_id) == 100_000
    assert await payments.odd() == []


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'"x"',
        b"{}",
        b'{"object": "event", "type": "charge.refunded"}',
        pytest.param(b"[" * 50_000, id="deep"),
    ],
)
async def test_a_signed_notice_that_makes_no_sense_is_kept_and_not_told_again(
    payments: PaymentsHarness, body: bytes
) -> None:
    reply = await payments.post(body)

    assert reply.status == 200
    assert len(await payments.odd()) == 1


async def test_what_is_no_text_is_not_signed_and_not_kept(payments: PaymentsHarness) -> None:
    """Whoever may not tell must not fill what is kept for the operator either."""
    reply = await Client(payments.app).request("POST", HOOK, content=b"\xff", headers={"stripe-signature": "t=1,v1=00"})

    assert reply.status == 400
    assert await payments.odd() == []


async def test_a_notice_over_a_mebibyte_is_not_read(payments: PaymentsHarness) -> None:
    headers = {"stripe-signature": "t=1,v1=00"}

    reply = await Client(payments.app).request("POST", HOOK, content=b" " * (1024 * 1024 + 1), headers=headers)

    assert reply.status == 413


@pytest.mark.parametrize(("method", "path"), [("GET", HOOK), ("POST", HOOK + "x"), ("POST", HOOK + "/live")])
async def test_nothing_else_is_there(payments: PaymentsHarness, method: str, path: str) -> None:
    assert (await Client(payments.app).request(method, path)).status == 404


async def test_without_keys_nobody_listens(app: Any) -> None:
    assert (await Client(app).request("POST", HOOK)).status == 404


# ── a top-up ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["checkout.session.completed", "checkout.session.async_payment_succeeded"])
async def test_a_paid_checkout_is_credited_once_however_often_it_is_told(
    payments: PaymentsHarness, account: Account, paid: Paid, kind: str
) -> None:
    body = event(kind, paid[0])

    replies = await asyncio.gather(*(payments.post(body) for _ in range(4)))
    again = await payments.post(event(kind, paid[0], number=2))

    assert {reply.status for reply in [*replies, again]} == {200}
    assert await payments.balance(account.org_id) == 102_000
    rows = await payments.db.all(
        lambda *row: row,
        "SELECT kind, source, source_ref, amount_microcents FROM ledger_transactions WHERE source = 'stripe'",
    )
    assert rows == [("topup", "stripe", paid[1]["id"], 2_000_000_000)]
    assert await queries.list_unbalanced(payments.db) == []
    heard = generate_latest(payments.app.registry).decode()
    assert 'agentmessage_payment_events_total{outcome="duplicate"} 3.0' in heard


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_session_and_payment_are_one_credit_in_either_order(
    payments: PaymentsHarness, account: Account, paid: Paid, order: tuple[int, int]
) -> None:
    posted = [
        event("checkout.session.completed", paid[0], number=1),
        event("payment_intent.succeeded", paid[1], number=2),
    ]

    for index in order:
        await payments.post(posted[index])

    assert await payments.balance(account.org_id) == 102_000


async def test_a_checkout_that_the_bank_still_decides_is_credited_when_it_has(
    payments: PaymentsHarness, account: Account, paid: Paid
) -> None:
    pending = {**paid[0], "payment_status": "unpaid"}

    await payments.post(event("checkout.session.completed", pending, number=1))
    before = await payments.balance(account.org_id)
    await payments.post(event("checkout.session.async_payment_succeeded", paid[0], number=2))

    assert (before, await payments.balance(account.org_id)) == (100_000, 102_000)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_money_that_came_is_credited_also_after_or_before_a_failure(
    payments: PaymentsHarness, account: Account, paid: Paid, order: tuple[int, int]
) -> None:
    """A first card was refused, a second was good; or the page was told to be expired too late."""
    refused = {**paid[1], "status": "requires_payment_method", "last_payment_error": shape("last_payment_error")}
    posted = [
        event("payment_intent.payment_failed", refused, number=1),
        event("checkout.session.completed", paid[0], number=2),
    ]

    for index in order:
        await payments.post(posted[index])
    await payments.post(event("checkout.session.expired", {**paid[0], "status": "expired"}, number=3))

    assert await payments.balance(account.org_id) == 102_000
    assert await payments.db.all(str, "SELECT state FROM topups") == ["paid"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount_total": 200}, "200 usd paid for 2000 usd"),
        ({"currency": "jpy"}, "2000 jpy paid for 2000 usd"),
        ({"metadata": {"org_id": "OWN", "topup_id": str(NOWHERE)}}, "no such top-up"),
        ({"metadata": {"org_id": str(NOWHERE), "topup_id": str(NOWHERE)}}, f"no organization {NOWHERE}"),
        ({"payment_intent": None}, "ValueError: a paid checkout without its payment"),
    ],
)
async def test_a_payment_unlike_what_was_bought_is_kept_for_the_operator(
    payments: PaymentsHarness, account: Account, paid: Paid, changed: dict[str, Any], reason: str
) -> None:
    if changed.get("metadata", {}).get("org_id") == "OWN":
        changed = {"metadata": {**changed["metadata"], "org_id": str(account.org_id)}}

    reply = await payments.post(event("checkout.session.completed", {**paid[0], **changed}))

    assert reply.status == 200
    assert await payments.balance(account.org_id) == 100_000
    assert await payments.odd() == [reason]


async def test_another_organizations_topup_is_nothing(
    payments: PaymentsHarness, account: Account, stranger: Account, paid: Paid
) -> None:
    metadata = {**paid[0]["metadata"], "org_id": str(stranger.org_id)}

    await payments.post(event("checkout.session.completed", {**paid[0], "metadata": metadata}))

    assert await payments.balance(stranger.org_id) == await payments.balance(account.org_id) == 100_000
    assert await payments.odd() == ["no such top-up"]


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("checkout.session.completed", shape("checkout.session", payment_status="paid", payment_intent="pi_1")),
        ("checkout.session.completed", shape("checkout.session", mode="subscription", payment_status="paid")),
        ("payment_intent.succeeded", shape("payment_intent", metadata={"order": "6735"})),
        ("payment_intent.succeeded", shape("payment_intent", metadata={"org_id": "x", "topup_id": "y"})),
        ("charge.refunded", shape("charge", payment_intent=None)),
        ("refund.updated", shape("refund")),
        ("charge.dispute.created", shape("dispute")),
        ("customer.subscription.deleted", shape("subscription", status="canceled")),
        ("invoice.paid", shape("customer")),
        ("an.event.of.next.year", {"object": "thing", "id": "x"}),
    ],
)
async def test_the_operators_other_business_is_none_of_ours(
    payments: PaymentsHarness, kind: str, thing: dict[str, Any]
) -> None:
    reply = await payments.post(event(kind, thing))

    assert reply.status == 200
    assert await payments.odd() == []
    assert await payments.db.value("SELECT count(*) FROM payment_events") == 0


async def test_a_notice_is_answered_only_when_it_is_committed(
    payments: PaymentsHarness, account: Account, paid: Paid
) -> None:
    """What fails is not answered 200, leaves nothing, and works when it is told again."""
    body = event("checkout.session.completed", paid[0])
    await payments.db.run("ALTER TABLE wallets ADD CONSTRAINT is_full CHECK (balance_microcents < 101000000000)")
    assert (await payments.post(body)).status == 500
    await payments.db.run("ALTER TABLE wallets DROP CONSTRAINT is_full")
    before = await payments.balance(account.org_id)

    reply = await payments.post(body)

    assert (before, reply.status, await payments.balance(account.org_id)) == (100_000, 200, 102_000)


# ── money that goes back ────────────────────────────────────────────────────────────────────────────────────


async def test_a_refund_is_taken_back_once_and_may_overdraw(payments: PaymentsHarness, account: Account) -> None:
    _, intent = await pay_once(payments, account)
    await payments.spend(account.tenant, 101_000, "everything")
    payments.wire.refunds = [shape("refund", id="re_1", payment_intent=intent["id"])]

    for number, (kind, thing) in enumerate(
        [
            ("charge.refunded", shape("charge", payment_intent=intent["id"], metadata=intent["metadata"])),
            ("refund.created", shape("refund", id="re_1", payment_intent=intent["id"])),
            ("refund.updated", shape("refund", id="re_1", payment_intent=intent["id"])),
        ]
    ):
        await payments.post(event(kind, thing, number=number))
        await payments.work()

    assert await payments.balance(account.org_id) == -1000
    assert await queries.list_unbalanced(payments.db) == []
    assert await payments.acts(account.org_id, "wallet.take_back") == 1


async def test_parts_of_a_payment_are_refunded_each_by_itself(payments: PaymentsHarness, account: Account) -> None:
    _, intent = await pay_once(payments, account)
    charge = shape("charge", payment_intent=intent["id"], metadata=intent["metadata"])
    payments.wire.refunds = [shape("refund", id="re_1", amount=300, payment_intent=intent["id"])]
    await payments.post(event("charge.refunded", charge, number=1))
    await payments.work()
    payments.wire.refunds.append(shape("refund", id="re_2", amount=500, payment_intent=intent["id"], status="pending"))
    await payments.post(event("charge.refunded", charge, number=2))
    await payments.work()

    assert await payments.balance(account.org_id) == 102_000 - 800


async def test_a_refund_that_fails_is_given_again(payments: PaymentsHarness, account: Account) -> None:
    _, intent = await pay_once(payments, account)
    refund = shape("refund", id="re_1", payment_intent=intent["id"])
    payments.wire.refunds = [refund]
    await payments.post(event("refund.created", refund, number=1))
    await payments.work()
    refund["status"] = "failed"
    for number in (2, 3):
        await payments.post(event("refund.failed", refund, number=number))
        await payments.work()

    assert await payments.balance(account.org_id) == 102_000
    assert await queries.list_unbalanced(payments.db) == []


@pytest.mark.parametrize("fault", ["unheard", "server_error", "rate_limited", "invalid_key"])
async def test_refunds_that_cannot_be_read_are_read_later(
    payments: PaymentsHarness, account: Account, fault: str
) -> None:
    _, intent = await pay_once(payments, account)
    payments.wire.refunds = [shape("refund", id="re_1", payment_intent=intent["id"])]
    payments.wire.faults["/refunds"] = [fault] * 4  # the library asks twice, and the line twice for each
    await payments.post(event("refund.created", payments.wire.refunds[0]))
    await payments.work()
    before = await payments.balance(account.org_id)
    payments.wire.faults.clear()

    await payments.later(600)
    await payments.work()

    assert (before, await payments.balance(account.org_id)) == (102_000, 100_000)


async def test_refunds_of_a_payment_that_stripe_does_not_know_are_asked_for_once(
    payments: PaymentsHarness, account: Account
) -> None:
    _, intent = await pay_once(payments, account)
    payments.wire.faults["/refunds"] = ["resource_missing"]
    await payments.post(event("refund.created", shape("refund", id="re_1", payment_intent=intent["id"])))
    await payments.work()

    await payments.later(600)

    assert await payments.work() == 0
    assert await payments.balance(account.org_id) == 102_000


async def test_a_refund_told_before_its_payment_is_booked_all_the_same(
    payments: PaymentsHarness, account: Account, paid: Paid
) -> None:
    session, intent = paid
    payments.wire.refunds = [shape("refund", id="re_1", payment_intent=intent["id"])]
    charge = shape("charge", payment_intent=intent["id"], metadata=intent["metadata"])

    await payments.post(event("charge.refunded", charge, number=1))
    await payments.work()
    await payments.post(event("checkout.session.completed", session, number=2))

    assert await payments.balance(account.org_id) == 100_000


@pytest.mark.parametrize(
    ("posted", "balance"),
    [
        (["needs_response"], 100_000),
        (["needs_response", "under_review", "lost"], 100_000),
        (["needs_response", "under_review", "won"], 102_000),
        (["won", "needs_response"], 102_000),
        (["under_review", "won", "needs_response", "won"], 102_000),
        (["warning_needs_response", "warning_closed"], 102_000),
    ],
)
async def test_a_dispute_is_taken_back_once_and_given_again_when_it_is_won_in_any_order(
    payments: PaymentsHarness, account: Account, posted: list[str], balance: int
) -> None:
    _, intent = await pay_once(payments, account)

    for number, status in enumerate(posted):
        dispute = shape("dispute", id="du_1", status=status, payment_intent=intent["id"])
        await payments.post(event("charge.dispute.updated", dispute, number=number))

    assert await payments.balance(account.org_id) == balance
    assert await queries.list_unbalanced(payments.db) == []


# ── the plan ────────────────────────────────────────────────────────────────────────────────────────────────


async def subscription(
    payments: PaymentsHarness, account: Account, status: str, number: int, *, at: int = 0, sub: str = "sub_1"
) -> None:
    customer = await payments.db.value("SELECT customer_id FROM billing_customers WHERE org_id = $1", account.org_id)
    thing = shape("subscription", id=sub, status=status, customer=customer)
    await payments.post(event("customer.subscription.updated", thing, number=number, created=int(time.time()) + at))


async def standing(payments: PaymentsHarness, account: Account) -> str:
    status: str = await payments.db.value(
        "SELECT subscription_status FROM billing_customers WHERE org_id = $1", account.org_id
    )
    return status


async def test_a_plan_that_falls_behind_or_ends_is_told_once(payments: PaymentsHarness, account: Account) -> None:
    await check_out(Client(payments.app, account.key))

    seen: list[str] = []
    for number, status in enumerate(["active", "past_due", "unpaid", "active", "past_due", "canceled"]):
        await subscription(payments, account, status, number, at=number)
        seen.append(await standing(payments, account))

    assert seen == ["active", "past_due", "past_due", "active", "past_due", "canceled"]
    posted = await payments.events(account.org_id, "subscription.past_due")
    assert [one["status"] for one in posted] == ["past_due", "past_due"]
    (ended,) = await payments.events(account.org_id, "subscription.canceled")
    assert set(ended) == {"org_id", "subscription_id", "status", "changed_at"}
    assert (ended["org_id"], ended["subscription_id"], ended["status"]) == (str(account.org_id), "sub_1", "canceled")


async def test_an_older_word_about_a_plan_changes_nothing(payments: PaymentsHarness, account: Account) -> None:
    await check_out(Client(payments.app, account.key))

    await subscription(payments, account, "past_due", 1, at=10)
    await subscription(payments, account, "active", 2, at=5)

    assert await standing(payments, account) == "past_due"


async def test_a_canceled_plan_never_comes_back_but_another_may_begin(
    payments: PaymentsHarness, account: Account
) -> None:
    await check_out(Client(payments.app, account.key))
    await subscription(payments, account, "canceled", 1, at=1)
    await subscription(payments, account, "active", 2, at=1)
    before = await standing(payments, account)

    await subscription(payments, account, "active", 3, at=2, sub="sub_2")

    assert (before, await standing(payments, account)) == ("canceled", "active")
