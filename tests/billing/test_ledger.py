"""The ledger: nothing is charged twice, nothing is spent that is not there, and a balance is the sum of its entries."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from agentmessage.billing import operations, queries
from agentmessage.billing.errors import InsufficientCredit
from agentmessage.billing.model import Charge, UsageKind
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from tests.make.accounts import Account, open_account

NUMBER_MONTH = microcents(94)


def number_month(ref: str, *, unit_cost_microcents: int = NUMBER_MONTH, quantity: int = 1) -> Charge:
    return Charge(
        kind=UsageKind.NUMBER_MONTH,
        quantity=quantity,
        unit_cost_microcents=unit_cost_microcents,
        source="number_order",
        source_ref=ref,
        ref_kind="phone_number",
        ref_id=uuid4(),
    )


async def charge(db: CellDb, tenant: Tenant, *charges: Charge, may_overdraw: bool = False) -> Sequence[object]:
    async with db.transaction() as tx:
        return await operations.charge_many(tx, tenant, charges, may_overdraw=may_overdraw)


async def balance(db: CellDb, tenant: Tenant) -> int:
    return (await operations.wallet(db, tenant)).balance_microcents


async def wallet_events(db: CellDb, tenant: Tenant) -> list[str]:
    return await db.all(
        str, "SELECT type FROM events WHERE org_id = $1 AND family = 'wallet' ORDER BY id", tenant.org_id
    )


async def test_a_charge_books_two_entries_a_usage_row_and_the_new_balance(db: CellDb, account: Account) -> None:
    (booking,) = await charge(db, account.tenant, number_month("o1:n1", quantity=2))

    entries = await db.all(
        lambda side, amount: (side, amount),
        "SELECT account, amount_microcents FROM ledger_entries WHERE transaction_id = $1 ORDER BY account",
        booking,
    )
    usage = await db.all(
        lambda *columns: columns,
        "SELECT kind, quantity, unit_cost_microcents, total_microcents, ref_kind FROM usage_rows WHERE org_id = $1",
        account.org_id,
    )
    after = await db.value("SELECT balance_after_microcents FROM ledger_transactions WHERE id = $1", booking)
    assert entries == [("revenue", 2 * NUMBER_MONTH), ("wallet", -2 * NUMBER_MONTH)]
    assert usage == [("number_month", 2, NUMBER_MONTH, 2 * NUMBER_MONTH, "phone_number")]
    assert await balance(db, account.tenant) == after == microcents(100_000) - 2 * NUMBER_MONTH
    assert (await operations.wallet(db, account.tenant)).lifetime_spend_microcents == 2 * NUMBER_MONTH


async def test_one_occasion_is_charged_once_however_often_it_is_asked_for(db: CellDb, account: Account) -> None:
    one = number_month("o1:n1")

    first = await charge(db, account.tenant, one)
    again = await charge(db, account.tenant, one, one)

    assert again == [*first, *first]
    assert await balance(db, account.tenant) == microcents(100_000) - NUMBER_MONTH


async def test_one_occasion_at_once_in_many_transactions_is_charged_once(db: CellDb, account: Account) -> None:
    one = number_month("o1:n1")

    bookings = await asyncio.gather(*(charge(db, account.tenant, one) for _ in range(8)))

    assert len({str(booking) for booking in bookings}) == 1
    assert await balance(db, account.tenant) == microcents(100_000) - NUMBER_MONTH


async def test_a_thousand_charges_are_booked_in_order_with_the_balance_that_each_left(
    db: CellDb, account: Account
) -> None:
    charges = [number_month(f"o1:{n}", unit_cost_microcents=n) for n in range(1000)]

    bookings = await charge(db, account.tenant, *charges)

    after = await db.all(
        int,
        """SELECT balance_after_microcents FROM ledger_transactions
           JOIN unnest($1::uuid[]) WITH ORDINALITY u (id, n) USING (id) ORDER BY n""",
        bookings,
    )
    assert after == [microcents(100_000) - n * (n + 1) // 2 for n in range(1000)]


async def test_a_wallet_that_cannot_cover_all_pays_for_none(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=100)).tenant

    with pytest.raises(InsufficientCredit) as refusal:
        await charge(db, tenant, number_month("a"), number_month("b"))

    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (
        402,
        "INSUFFICIENT_CREDIT",
        "insufficient credit",
    )
    assert await balance(db, tenant) == microcents(100)
    assert await db.value("SELECT count(*) FROM usage_rows WHERE org_id = $1", tenant.org_id) == 0


async def test_the_last_cent_can_be_spent_and_not_one_microcent_more(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=94)).tenant

    await charge(db, tenant, number_month("a"))

    assert await balance(db, tenant) == 0
    with pytest.raises(InsufficientCredit):
        await charge(db, tenant, number_month("b", unit_cost_microcents=1))


async def test_what_costs_nothing_needs_no_credit(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=0)).tenant

    await charge(db, tenant, number_month("a", unit_cost_microcents=0))

    assert await balance(db, tenant) == 0


async def test_two_spends_at_once_cannot_share_the_last_dollar(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=100)).tenant

    results = await asyncio.gather(
        *(charge(db, tenant, number_month(str(n))) for n in range(6)), return_exceptions=True
    )

    assert sum(isinstance(result, InsufficientCredit) for result in results) == 5
    assert await balance(db, tenant) == microcents(6)


async def test_renewals_may_overdraw(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=10)).tenant

    await charge(db, tenant, number_month("a"), may_overdraw=True)

    assert await balance(db, tenant) == microcents(10 - 94)


async def test_a_refund_gives_back_what_was_paid_once(db: CellDb, account: Account) -> None:
    await charge(db, account.tenant, number_month("a"), number_month("b"))

    async with db.transaction() as tx:
        given_back = [
            await operations.refund_many(tx, account.tenant, [("number_order", "a"), ("number_order", "never")]),
            await operations.refund_many(tx, account.tenant, [("number_order", "a"), ("number_order", "a")]),
        ]
        is_refunded = await operations.refund(tx, account.tenant, source="number_order", source_ref="b")

    assert (given_back, is_refunded) == ([1, 0], True)
    assert await operations.wallet(db, account.tenant) == operations.Wallet(microcents(100_000), 0)


async def test_one_refund_at_once_in_many_transactions_is_given_once(db: CellDb, account: Account) -> None:
    await charge(db, account.tenant, number_month("a"))

    async def give_back() -> bool:
        async with db.transaction() as tx:
            return await operations.refund(tx, account.tenant, source="number_order", source_ref="a")

    results = await asyncio.gather(*(give_back() for _ in range(8)))

    assert sorted(results) == [False] * 7 + [True]
    assert await balance(db, account.tenant) == microcents(100_000)


async def test_another_organizations_occasions_are_not_ours(db: CellDb, account: Account, stranger: Account) -> None:
    await charge(db, account.tenant, number_month("a"))

    async with db.transaction() as tx:
        assert not await operations.refund(tx, stranger.tenant, source="number_order", source_ref="a")
    await charge(db, stranger.tenant, number_month("a"))

    assert await balance(db, stranger.tenant) == microcents(100_000) - NUMBER_MONTH


async def test_a_credit_is_added_once_and_audited(db: CellDb, account: Account) -> None:
    async def top_up() -> object:
        async with db.transaction() as tx:
            return await operations.credit(
                tx, account.tenant, amount_microcents=microcents(500), source="operator", source_ref="r1"
            )

    first, again = await asyncio.gather(top_up(), top_up())

    assert first == again
    assert await balance(db, account.tenant) == microcents(100_500)
    acts = await db.value(
        "SELECT count(*) FROM audit_log WHERE org_id = $1 AND action = 'wallet.credit'", account.org_id
    )
    assert acts == 2


@pytest.mark.parametrize("cents", [0, -1])
async def test_a_credit_cannot_take_money(db: CellDb, account: Account, cents: int) -> None:
    with pytest.raises(ValueError, match="not a credit"):
        async with db.transaction() as tx:
            await operations.credit(
                tx, account.tenant, amount_microcents=microcents(cents), source="operator", source_ref="r1"
            )


async def test_a_charge_cannot_add_money(db: CellDb, account: Account) -> None:
    with pytest.raises(ValueError, match="not a charge"):
        await charge(db, account.tenant, number_month("a", quantity=-1))


async def test_a_rolled_back_transaction_costs_nothing(db: CellDb, account: Account) -> None:
    async def fail_after_charging() -> None:
        async with db.transaction() as tx:
            await operations.charge_many(tx, account.tenant, [number_month("a")])
            raise LookupError

    with pytest.raises(LookupError):
        await fail_after_charging()

    assert await balance(db, account.tenant) == microcents(100_000)
    assert await queries.list_unbalanced(db) == []


async def test_a_wallet_warns_when_it_falls_through_a_level_and_not_again(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=300)).tenant

    posted: list[list[str]] = []
    for ref in ("a", "b", "c", "d"):
        await charge(db, tenant, number_month(ref, unit_cost_microcents=microcents(75)))
        posted.append(await wallet_events(db, tenant))

    low, zero = "wallet.balance_low", "wallet.balance_zero"
    assert posted == [[], [low], [low], [low, zero]]
    data = await db.value("SELECT data FROM events WHERE org_id = $1 AND type = $2", tenant.org_id, low)
    assert data == {
        "org_id": str(tenant.org_id),
        "balance_cents": 150,
        "threshold_cents": 200,
        "currency": "USD",
    }


async def test_a_wallet_is_made_on_first_use(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=0)).tenant
    await db.run("DELETE FROM wallets WHERE org_id = $1", tenant.org_id)

    assert await operations.wallet(db, tenant) == operations.Wallet(0, 0)
    with pytest.raises(InsufficientCredit):
        await charge(db, tenant, number_month("a"))


async def test_many_organizations_are_charged_at_once_and_each_thing_once(
    db: CellDb, account: Account, stranger: Account
) -> None:
    one = Charge(kind="outbound_sms", quantity=2, unit_cost_microcents=5, source="outbound", source_ref="a")
    other = Charge(kind="outbound_sms", quantity=1, unit_cost_microcents=7, source="outbound", source_ref="b")
    owed = [(account.org_id, one), (account.org_id, other), (stranger.org_id, one)]
    before = await db.value("SELECT sum(balance_microcents)::bigint FROM wallets")
    for _ in range(2):
        async with db.transaction() as tx:
            await operations.lock(tx, [org_id for org_id, _ in owed])
            await operations.charge_each(tx, owed)

    assert before - await db.value("SELECT sum(balance_microcents)::bigint FROM wallets") == 27
    assert await db.value("SELECT count(*) FROM usage_rows") == 3
    assert await queries.list_unbalanced(db) == []
    balances = (
        "SELECT balance_after_microcents FROM ledger_transactions WHERE org_id = $1 AND kind = 'debit' ORDER BY id"
    )
    assert (await db.all(int, balances, account.org_id))[-1] == await db.value(
        "SELECT balance_microcents FROM wallets WHERE org_id = $1", account.org_id
    )


async def test_a_wallet_that_was_never_there_can_be_overdrawn_and_says_so(db: CellDb, account: Account) -> None:
    await db.run("DELETE FROM wallets WHERE org_id = $1", account.sandbox.org_id)
    owed = Charge(kind="outbound_sms", quantity=1, unit_cost_microcents=7, source="outbound", source_ref="a")
    async with db.transaction() as tx:
        await operations.lock(tx, [account.sandbox.org_id])
        await operations.charge_each(tx, [(account.sandbox.org_id, owed)])

    balance = "SELECT balance_microcents FROM wallets WHERE org_id = $1"
    assert await db.value(balance, account.sandbox.org_id) == -7
