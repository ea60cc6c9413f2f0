"""Throughput is earned by spending: raised by the charge that gets there, told, audited, and never taken back."""

import asyncio

import msgspec
import pytest

from agentmessage.billing import operations, rules
from agentmessage.billing.model import TIERS, Charge, UsageKind
from agentmessage.brands import operations as brands
from agentmessage.brands.routes import EXAMPLE
from agentmessage.brands.schemas import BrandCreate
from agentmessage.compliance import queries as compliance
from agentmessage.compliance.model import SendRequest
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.encryption import SecretBox
from agentmessage.kernel.money import microcents
from tests.make.accounts import Account, open_account


def thing(ref: str, cents: int) -> Charge:
    return Charge(
        kind=UsageKind.LOOKUP, quantity=1, unit_cost_microcents=microcents(cents), source="test", source_ref=ref
    )


async def spend(db: CellDb, account: Account, ref: str, cents: int) -> None:
    async with db.transaction() as tx:
        await operations.charge_many(tx, account.tenant, [thing(ref, cents)], may_overdraw=True)


async def tier(db: CellDb, account: Account) -> int:
    return int(await db.value("SELECT throughput_tier FROM organizations WHERE id = $1", account.org_id))


async def posted(db: CellDb, account: Account) -> list[int]:
    """The tiers that events told, which the audit log must tell too."""
    events = await db.all(
        int,
        """SELECT (data ->> 'throughput_tier')::int FROM events
           WHERE org_id = $1 AND type = 'organization.updated' ORDER BY id""",
        account.org_id,
    )
    audited = await db.all(
        int,
        """SELECT (payload ->> 'throughput_tier')::int FROM audit_log
           WHERE org_id = $1 AND action = 'organization.throughput_tier.raise' ORDER BY id""",
        account.org_id,
    )
    assert events == audited
    return events


async def pace(db: CellDb, account: Account) -> tuple[int, int]:
    """Texts a second and a minute, as the law reads them."""
    ask = SendRequest(account.org_id, "live", "+14155550100", "+14155550101", "customer", db.now)
    _, accounts = await compliance.list_facts(db, [ask], db.now)
    return accounts[account.org_id].per_second, accounts[account.org_id].per_minute


@pytest.mark.parametrize(
    ("spent_cents", "number"),
    [(-5, 1), (0, 1), (9_999, 1), (10_000, 2), (49_999, 2), (50_000, 3), (499_999, 3), (500_000, 4), (10**9, 4)],
)
def test_the_ladder_has_the_documented_steps(spent_cents: int, number: int) -> None:
    assert rules.tier(microcents(spent_cents)).number == number


def test_the_ladder_has_the_documented_rates() -> None:
    assert [(one.per_second, one.per_minute) for one in TIERS] == [(1, 60), (5, 300), (20, 1_200), (100, 6_000)]


async def test_the_charge_that_gets_there_lifts_the_organization_at_once(db: CellDb, account: Account) -> None:
    await spend(db, account, "a", 9_999)
    before = (await tier(db, account), await pace(db, account), await posted(db, account))

    await spend(db, account, "b", 1)

    assert before == (1, (1, 60), [])
    assert (await tier(db, account), await pace(db, account), await posted(db, account)) == (2, (5, 300), [2])


async def test_two_steps_at_once_are_told_as_one(db: CellDb, account: Account) -> None:
    await spend(db, account, "a", 60_000)

    assert (await tier(db, account), await posted(db, account)) == (3, [3])


async def test_texts_of_many_organizations_lift_those_that_got_there(
    db: CellDb, account: Account, stranger: Account
) -> None:
    owed = [(account.org_id, thing("a", 6_000)), (stranger.org_id, thing("a", 10)), (account.org_id, thing("b", 5_000))]
    async with db.transaction() as tx:
        await operations.lock(tx, [org_id for org_id, _ in owed])
        await operations.charge_each(tx, owed)

    assert (await tier(db, account), await posted(db, account)) == (2, [2])
    assert (await tier(db, stranger), await posted(db, stranger)) == (1, [])


async def test_a_refund_lowers_no_tier_and_the_way_back_up_is_not_told_again(db: CellDb, account: Account) -> None:
    await spend(db, account, "a", 10_000)
    async with db.transaction() as tx:
        await operations.refund(tx, account.tenant, source="test", source_ref="a")
    after_refund = await tier(db, account)

    await spend(db, account, "b", 10_000)

    assert (after_refund, await tier(db, account), await posted(db, account)) == (2, 2, [2])


async def test_what_may_still_be_given_back_lifts_nobody_until_it_is_confirmed(db: CellDb, account: Account) -> None:
    async with db.transaction() as tx:
        await operations.charge_many(tx, account.tenant, [thing("open", 60_000)], is_provisional=True)
    while_open = await tier(db, account)
    await spend(db, account, "small", 100)
    beside = await tier(db, account)

    async with db.transaction() as tx:
        await operations.confirm(tx, account.tenant, [("test", "open"), ("test", "never charged")])

    assert (while_open, beside, await tier(db, account), await posted(db, account)) == (1, 1, 3, [3])


async def test_what_is_given_back_while_it_was_provisional_leaves_no_trace_on_the_ladder(
    db: CellDb, account: Account
) -> None:
    await spend(db, account, "kept", 9_000)
    for ref in ("first", "second"):
        async with db.transaction() as tx:
            await operations.charge_many(tx, account.tenant, [thing(ref, 60_000)], is_provisional=True)
        async with db.transaction() as tx:
            await operations.refund(tx, account.tenant, source="test", source_ref=ref)

    wallet = await operations.wallet(db, account.tenant)
    await spend(db, account, "more", 999)
    just_under = await tier(db, account)
    await spend(db, account, "last", 1)

    assert (wallet.balance_microcents, wallet.lifetime_spend_microcents) == (microcents(91_000), microcents(9_000))
    assert (just_under, await tier(db, account), await posted(db, account)) == (1, 2, [2])


async def test_what_was_counted_before_it_could_be_provisional_is_counted_once(db: CellDb, account: Account) -> None:
    """Orders that were open while this came: their charges are part of the lifetime spend already."""
    await spend(db, account, "confirmed", 6_000)
    await spend(db, account, "refunded", 3_000)
    async with db.transaction() as tx:
        await operations.confirm(tx, account.tenant, [("test", "confirmed")])
        await operations.refund(tx, account.tenant, source="test", source_ref="refunded")

    spent = (await operations.wallet(db, account.tenant)).lifetime_spend_microcents
    provisional = await db.value("SELECT provisional_spend_microcents FROM wallets WHERE org_id = $1", account.org_id)

    assert (spent, provisional) == (microcents(6_000), 0)


async def test_what_the_operator_set_holds_whatever_is_spent(db: CellDb, account: Account) -> None:
    await db.run(
        "UPDATE organizations SET throughput_per_sec = 3, throughput_per_min = 70 WHERE id = $1", account.org_id
    )

    await spend(db, account, "a", 10_000)

    assert (await tier(db, account), await pace(db, account)) == (2, (3, 70))


async def test_a_charge_that_is_rolled_back_lifts_nobody(db: CellDb, account: Account) -> None:
    async def fail_after_charging() -> None:
        async with db.transaction() as tx:
            await operations.charge_many(tx, account.tenant, [thing("a", 10_000)])
            raise LookupError

    with pytest.raises(LookupError):
        await fail_after_charging()

    assert (await tier(db, account), await posted(db, account)) == (1, [])


async def test_many_charges_at_once_cross_a_step_once(db: CellDb, account: Account) -> None:
    await asyncio.gather(*(spend(db, account, str(n), 1_500) for n in range(10)))

    assert (await tier(db, account), await posted(db, account)) == (2, [2])


async def test_a_brand_and_a_step_at_once_do_not_wait_for_each_other(cells: Cells, db: CellDb) -> None:
    """Both take the wallet before the organization."""
    account = await open_account(cells, cents=100_000)
    await spend(db, account, "nearly", 9_900)
    started, request = asyncio.Event(), msgspec.convert(EXAMPLE, BrandCreate)

    async def file() -> None:
        await started.wait()
        async with db.transaction() as tx:
            await brands.create(tx, account.tenant, request, secret_box=SecretBox(b"a key that only the tests know!!"))

    filing = asyncio.create_task(file())
    async with asyncio.timeout(20), db.transaction() as tx:
        await operations.require_cover(tx, account.tenant, total_microcents=0)
        started.set()
        while not await db.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert not filing.done()
        await operations.charge_many(tx, account.tenant, [thing("over", 200)])
    await filing

    assert await tier(db, account) == 2
