"""Topping up by itself: once for each fall, one charge whatever the line does, and an end to failing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentmessage.billing import queries
from agentmessage.billing.payments import jobs as payment_jobs
from agentmessage.kernel.db import Cells
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.settings import Settings
from tests.billing.harness import PaymentsHarness, open_payments, pay_once
from tests.billing.stripe_wire import CARD, event, shape
from tests.conftest import Client
from tests.make.accounts import Account, key_with, open_account

AUTO = "/v1/billing/wallet/auto-topup"
INTENTS = "/payment_intents"
HOUR = 3600


@pytest.fixture
async def payments(settings: Settings, cells: Cells) -> AsyncIterator[PaymentsHarness]:
    async with open_payments(settings, cells) as opened:
        yield opened


@pytest.fixture
async def poor(payments: PaymentsHarness, cells: Cells) -> Account:
    """Has 20 dollars and a cent, a saved card, and automatic top-up of 20 dollars below 20."""
    account = await open_account(cells, name="Poor", cents=1)
    await pay_once(payments, account)
    assert (await turn_on(payments, account)).status == 200
    return account


async def turn_on(payments: PaymentsHarness, account: Account, product: str = "topup_2000"):  # type: ignore[no-untyped-def]  # noqa: ANN201
    api = Client(payments.app, account.key)
    return await api.request("PUT", AUTO, {"enabled": True, "stripe_product_id": product})


async def setting(payments: PaymentsHarness, account: Account) -> tuple[bool, int, str | None]:
    found = await payments.db.one(
        lambda *row: row,
        "SELECT is_enabled, failures, last_failure FROM auto_topups WHERE org_id = $1",
        account.org_id,
    )
    assert found is not None
    return found


async def test_a_balance_that_falls_below_is_topped_up_once(payments: PaymentsHarness, poor: Account) -> None:
    await payments.spend(poor.tenant, 1, "to the level")
    at_level = await payments.work()
    await asyncio.gather(*(payments.spend(poor.tenant, 10, f"below {n}") for n in range(4)))
    await payments.work()

    assert at_level == 0
    assert [one["amount"] for one in payments.wire.charged[1:]] == [2000]
    assert await payments.balance(poor.org_id) == 2000 - 40 + 2000
    asked = payments.wire.asked_for(INTENTS)[-1]
    assert (asked["payment_method"], asked["off_session"], asked["confirm"]) == (CARD, "true", "true")
    assert await queries.list_unbalanced(payments.db) == []


async def test_only_the_fall_wakes_the_job_and_not_what_is_spent_below(
    payments: PaymentsHarness, poor: Account
) -> None:
    """A text that is charged costs no job while the balance is low."""
    await payments.spend(poor.tenant, 100, "the fall")
    await payments.db.run("DELETE FROM jobs")

    await payments.spend(poor.tenant, 100, "below")

    assert await payments.db.value("SELECT count(*) FROM jobs") == 0


async def test_what_is_told_of_a_charge_that_is_recorded_is_no_second_credit(
    payments: PaymentsHarness, poor: Account
) -> None:
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()

    await payments.post(event("payment_intent.succeeded", payments.wire.charged[-1]))

    assert await payments.balance(poor.org_id) == 2001 - 100 + 2000


async def test_each_fall_is_topped_up(payments: PaymentsHarness, poor: Account) -> None:
    for turn in range(3):
        await payments.spend(poor.tenant, 2000, f"turn {turn}")
        await payments.work()

    assert len(payments.wire.charged) == 4
    assert await payments.balance(poor.org_id) == 2001


async def test_a_month_costs_no_more_than_its_ceiling_and_the_next_one_begins_anew(
    payments: PaymentsHarness, poor: Account
) -> None:
    await payments.db.run("UPDATE auto_topups SET monthly_max_cents = 5000")
    for turn in range(4):
        await payments.spend(poor.tenant, 2000, f"turn {turn}")
        await payments.work()

    assert len(payments.wire.charged) == 1 + 2
    assert await setting(payments, poor) == (True, 0, "monthly_ceiling_reached")
    shown = (await Client(payments.app, poor.key).get(AUTO)).data
    assert (shown["monthly_max_cents"], shown["last_failure"]) == (5000, "monthly_ceiling_reached")
    assert shown["next_charge_at"].endswith("-01T00:00:00Z")
    posted = "SELECT count(*) FROM events WHERE type = 'wallet.auto_topup.failed'"
    assert await payments.db.value(posted) == 1

    await payments.db.run("UPDATE topups SET created_at = created_at - interval '32 days'")
    await payments.db.run("UPDATE auto_topups SET next_attempt_at = $1", payments.db.now)
    await payments.db.run("UPDATE jobs SET run_at = $1", payments.db.now)
    await payments.work()

    assert len(payments.wire.charged) == 1 + 2 + 2
    assert await payments.balance(poor.org_id) == 2001 - 8000 + 8000


@pytest.mark.covers("putAutoTopup", 422)
async def test_422_a_ceiling_takes_at_least_one_charge(payments: PaymentsHarness, poor: Account) -> None:
    api = Client(payments.app, poor.key)
    await api.request("PUT", AUTO, {"enabled": False})
    asked = {"enabled": True, "stripe_product_id": "topup_2000"}

    refused = await api.request("PUT", AUTO, asked | {"monthly_max_cents": 1999})
    taken = await api.request("PUT", AUTO, asked | {"monthly_max_cents": 2000})

    assert (refused.status, list(refused.error["details"])) == (422, ["monthly_max_cents"])
    assert (taken.status, taken.data["monthly_max_cents"]) == (200, 2000)


async def test_without_a_ceiling_of_its_own_a_month_takes_ten_charges(payments: PaymentsHarness, poor: Account) -> None:
    assert (await Client(payments.app, poor.key).get(AUTO)).data["monthly_max_cents"] == 20_000
    for turn in range(12):
        await payments.spend(poor.tenant, 2000, f"turn {turn}")
        await payments.work()

    assert len(payments.wire.charged) == 1 + 10


async def test_one_charge_that_is_not_enough_is_followed_by_another(payments: PaymentsHarness, poor: Account) -> None:
    await payments.spend(poor.tenant, 7000, "much")

    await payments.work()

    assert len(payments.wire.charged) == 1 + 4
    assert await payments.balance(poor.org_id) == 2001 - 7000 + 4 * 2000


async def test_who_turns_it_on_when_the_balance_is_low_already_is_topped_up(
    payments: PaymentsHarness, cells: Cells
) -> None:
    account = await open_account(cells, cents=1)
    await pay_once(payments, account, "topup_500")
    await turn_on(payments, account)

    await payments.work()

    assert await payments.balance(account.org_id) == 501 + 2000


async def test_nothing_is_charged_once_it_is_off(payments: PaymentsHarness, poor: Account) -> None:
    await payments.spend(poor.tenant, 100, "a")
    await Client(payments.app, poor.key).request("PUT", AUTO, {"enabled": False})

    await payments.work()
    await payments.spend(poor.tenant, 100, "b")
    await payments.work()

    assert len(payments.wire.charged) == 1


async def test_the_card_that_the_customer_chose_is_charged(payments: PaymentsHarness, poor: Account) -> None:
    (customer,) = payments.wire.customers.values()
    customer["invoice_settings"]["default_payment_method"] = "pm_chosen"

    await payments.spend(poor.tenant, 100, "a")
    await payments.work()

    assert payments.wire.asked_for(INTENTS)[-1]["payment_method"] == "pm_chosen"


# ── a line that breaks ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("faults", [["lost", "lost"], ["unheard", "unheard"], ["lost"], ["rate_limited"]])
async def test_a_charge_whose_answer_is_lost_is_made_once(
    payments: PaymentsHarness, poor: Account, faults: list[str]
) -> None:
    """Also when the library's own second try finds what the first has done."""
    payments.wire.faults[INTENTS] = list(faults)
    await payments.spend(poor.tenant, 100, "a")
    for _ in range(3):
        await payments.work()
        await payments.later(60)

    keys = {key for key in payments.wire.kept if key.startswith("charge-")}
    assert len(keys) == 1
    assert len(payments.wire.charged) == 2
    assert await payments.balance(poor.org_id) == 2001 - 100 + 2000


async def test_a_500_that_stripe_keeps_under_the_key_is_outlived(payments: PaymentsHarness, poor: Account) -> None:
    """The key answers 500 for ever; after its life the charge is surely not there, and another is made."""
    payments.wire.faults[INTENTS] = ["server_error"]
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()
    await payments.later(60)
    await payments.work()
    charged_early = len(payments.wire.charged)
    await payments.db.run("UPDATE topups SET created_at = created_at - interval '21 hours' WHERE state = 'open'")

    for _ in range(3):
        await payments.later(2 * HOUR)
        await payments.work()

    assert (charged_early, len(payments.wire.charged)) == (1, 2)
    assert await payments.balance(poor.org_id) == 2001 - 100 + 2000


async def test_a_worker_that_dies_while_the_processor_charges_charges_once(
    payments: PaymentsHarness, poor: Account
) -> None:
    payments.wire.faults[INTENTS] = ["lost"] * 2
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()  # what it wrote is what a dead worker leaves: an open charge and no answer
    await payments.db.run("UPDATE jobs SET lease_token = gen_random_uuid(), lease_until = now() - interval '1 second'")
    another = JobRunner(payments.db, payment_jobs.handlers(payments.providers))

    await payments.later(60)
    await another.run_due()

    assert len(payments.wire.charged) == 2
    assert await payments.balance(poor.org_id) == 3901


async def test_a_charge_that_was_made_is_credited_also_when_it_was_turned_off_meanwhile(
    payments: PaymentsHarness, poor: Account
) -> None:
    payments.wire.faults[INTENTS] = ["lost", "lost"]
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()
    await Client(payments.app, poor.key).request("PUT", AUTO, {"enabled": False})

    await payments.later(60)
    await payments.work()

    assert await payments.balance(poor.org_id) == 3901


async def test_a_charge_that_was_not_made_is_dropped_when_it_was_turned_off_meanwhile(
    payments: PaymentsHarness, poor: Account
) -> None:
    payments.wire.faults[INTENTS] = ["unheard", "unheard"]
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()
    await Client(payments.app, poor.key).request("PUT", AUTO, {"enabled": False})

    await payments.later(60)
    await payments.work()

    assert await payments.balance(poor.org_id) == 1901
    assert await payments.db.all(str, "SELECT failure FROM topups WHERE kind = 'auto'") == ["abandoned"]


async def test_a_payment_that_the_bank_decides_later_is_waited_for(payments: PaymentsHarness, poor: Account) -> None:
    payments.wire.next_status = "processing"
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()
    waiting = await payments.balance(poor.org_id)
    intent = list(payments.wire.intents.values())[-1]
    intent |= {"status": "succeeded", "amount_received": 2000}

    await payments.later(HOUR)
    await payments.work()

    assert (waiting, await payments.balance(poor.org_id)) == (1901, 3901)
    assert len(payments.wire.charged) == 2


@pytest.mark.parametrize("fault", ["invalid_key", "rate_limited"])
async def test_a_processor_that_refuses_us_is_no_failure_of_the_card(
    payments: PaymentsHarness, poor: Account, fault: str
) -> None:
    payments.wire.faults[INTENTS] = [fault]
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()
    before = await setting(payments, poor)

    await payments.later(HOUR)
    await payments.work()

    assert before == (True, 0, None)
    assert await payments.balance(poor.org_id) == 3901


# ── a card that is refused ──────────────────────────────────────────────────────────────────────────────────


async def test_a_refused_card_is_tried_again_with_pauses_and_in_the_end_no_more(
    payments: PaymentsHarness, poor: Account
) -> None:
    payments.wire.faults[INTENTS] = ["card_declined"] * 9
    await payments.spend(poor.tenant, 100, "a")
    seen: list[tuple[bool, int, str | None]] = []
    for pause in (0, HOUR - 60, 120, 6 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR):
        await payments.later(pause)
        await payments.work()
        seen.append(await setting(payments, poor))

    assert [failures for _, failures, _ in seen] == [1, 1, 2, 3, 4, 4, 4]
    assert seen[-1] == (False, 4, "card_declined")
    assert len([key for key in payments.wire.kept if key.startswith("charge-")]) == 4
    assert len(await payments.events(poor.org_id, "wallet.auto_topup.failed")) == 3
    (over,) = await payments.events(poor.org_id, "wallet.auto_topup.disabled")
    assert (over["enabled"], over["last_failure"]) == (False, "card_declined")
    assert await payments.acts(poor.org_id, "wallet.auto_topup.disable") == 1
    assert (await Client(payments.app, poor.key).get(AUTO)).data["last_failure"] == "card_declined"
    assert (
        await payments.db.value("SELECT auto_topup_below_microcents FROM wallets WHERE org_id = $1", poor.org_id)
        is None
    )


async def test_a_good_charge_makes_failures_forgotten(payments: PaymentsHarness, poor: Account) -> None:
    payments.wire.faults[INTENTS] = ["card_declined"]
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()
    await payments.later(HOUR + 60)
    await payments.work()

    assert await setting(payments, poor) == (True, 0, None)
    assert await payments.balance(poor.org_id) == 3901


async def test_without_a_saved_card_it_fails_without_asking_for_money(payments: PaymentsHarness, poor: Account) -> None:
    payments.wire.cards.clear()

    await payments.spend(poor.tenant, 100, "a")
    await payments.work()

    assert await setting(payments, poor) == (True, 1, "no_payment_method")
    assert payments.wire.asked_for(INTENTS) == []


async def test_a_refusal_that_is_told_and_answered_counts_once(payments: PaymentsHarness, poor: Account) -> None:
    payments.wire.faults[INTENTS] = ["card_declined"]
    await payments.spend(poor.tenant, 100, "a")
    await payments.work()
    intent = {**list(payments.wire.intents.values())[-1], "last_payment_error": shape("last_payment_error")}

    await payments.post(event("payment_intent.payment_failed", intent))

    assert await setting(payments, poor) == (True, 1, "card_declined")


async def test_a_customer_may_turn_it_on_again_after_it_gave_up(payments: PaymentsHarness, poor: Account) -> None:
    payments.wire.faults[INTENTS] = ["card_declined"] * 4
    await payments.spend(poor.tenant, 100, "a")
    for _ in range(5):
        await payments.work()
        await payments.later(25 * HOUR)

    assert (await turn_on(payments, poor)).status == 200
    await payments.work()

    assert await setting(payments, poor) == (True, 0, None)
    assert await payments.balance(poor.org_id) == 3901


# ── money that goes back ────────────────────────────────────────────────────────────────────────────────────


async def test_a_dispute_ends_it(payments: PaymentsHarness, poor: Account) -> None:
    intent = payments.wire.charged[0]
    dispute = shape("dispute", payment_intent=intent["id"])

    await payments.post(event("charge.dispute.created", dispute))
    await payments.work()

    assert (await setting(payments, poor))[0] is False
    assert len(payments.wire.charged) == 1
    assert len(await payments.events(poor.org_id, "wallet.auto_topup.disabled")) == 1


@pytest.mark.usefixtures("poor")
async def test_nothing_is_charged_for_a_day_after_a_refund(payments: PaymentsHarness) -> None:
    intent = payments.wire.charged[0]
    payments.wire.refunds = [shape("refund", id="re_1", payment_intent=intent["id"])]
    await payments.post(event("refund.created", payments.wire.refunds[0]))
    await payments.work()
    await payments.work()
    at_once = len(payments.wire.charged)

    await payments.later(25 * HOUR)
    await payments.work()

    assert (at_once, len(payments.wire.charged)) == (1, 2)


async def test_the_end_of_the_plan_ends_it(payments: PaymentsHarness, poor: Account) -> None:
    (customer,) = payments.wire.customers
    ended = shape("subscription", status="canceled", customer=customer)

    await payments.post(event("customer.subscription.deleted", ended))

    assert (await setting(payments, poor))[0] is False


# ── a sandbox ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_sandbox_tops_itself_up_with_play_money(
    payments: PaymentsHarness, account: Account, cells: Cells
) -> None:
    key = await key_with(cells, account.sandbox, ["billing:write"])
    reply = await Client(payments.app, key).request("PUT", AUTO, {"enabled": True, "stripe_product_id": "topup_10000"})
    await payments.spend(account.sandbox, 99_000, "nearly all")

    await payments.work()

    assert reply.status == 200
    assert await payments.balance(account.sandbox.org_id) == 100_000 - 99_000 + 10_000
    assert payments.wire.asked == []
    assert await payments.db.all(
        str, "SELECT source FROM ledger_transactions WHERE kind = 'topup' AND source <> 'operator'"
    ) == ["sandbox"]


# ── any history ─────────────────────────────────────────────────────────────────────────────────────────────

STEPS = st.lists(
    st.sampled_from(
        [
            "spend",
            "spend much",
            "work",
            "later",
            "day",
            "lost",
            "unheard",
            "server_error",
            "card_declined",
            "off",
            "on",
            "post",
        ]
    ),
    max_size=14,
)


@hypothesis_settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
async def test_whatever_happens_every_payment_is_one_credit(settings: Settings, cells: Cells, steps: list[str]) -> None:
    """Money that Stripe took is in the wallet in the end, once; and nothing else is."""
    async with open_payments(settings, cells) as payments:
        account = await open_account(cells, cents=1)
        await pay_once(payments, account)
        await turn_on(payments, account)
        spent = 0
        for number, step in enumerate(steps):
            match step:
                case "spend" | "spend much":
                    cents = 100 if step == "spend" else 2500
                    spent += cents
                    await payments.spend(account.tenant, cents, str(number))
                case "work":
                    await payments.work()
                case "later" | "day":
                    await payments.later(60 if step == "later" else 25 * HOUR)
                case "off":
                    await Client(payments.app, account.key).request("PUT", AUTO, {"enabled": False})
                case "on":
                    await turn_on(payments, account)
                case "post":
                    for index, intent in enumerate(payments.wire.charged):
                        await payments.post(event("payment_intent.succeeded", intent, number=number * 100 + index))
                case fault:
                    payments.wire.faults.setdefault(INTENTS, []).extend([fault, fault])
        payments.wire.faults.clear()
        for _ in range(4):
            await payments.later(25 * HOUR)
            await payments.work()

        own = [one for one in payments.wire.charged if one["metadata"]["org_id"] == str(account.org_id)]
        paid = sum(intent["amount_received"] for intent in own)
        assert await payments.balance(account.org_id) == 1 + paid - spent
        assert await queries.list_unbalanced(payments.db) == []
