"""The books agree whatever happens: any moves, at once, twice, rolled back or killed in the middle."""

import asyncio
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import hypothesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from agentmessage.billing import operations, queries
from agentmessage.billing.errors import InsufficientCredit
from agentmessage.billing.model import LOW_BALANCE_MICROCENTS, Charge, LedgerKind, UsageKind
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Cells, Tx
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from tests.make.accounts import open_account


class Spend(Struct, frozen=True):
    """Things that are charged together, all or none."""

    refs: list[int]
    cents: int
    kind: UsageKind
    may_overdraw: bool


class Texts(Struct, frozen=True):
    """Texts of both organizations that a carrier took, some of them perhaps told twice."""

    refs: list[int]
    cents: int


class GiveBack(Struct, frozen=True):
    refs: list[int]


class TopUp(Struct, frozen=True):
    ref: int
    cents: int
    kind: LedgerKind


class TakeBack(Struct, frozen=True):
    ref: int
    cents: int


class Fate(Struct, frozen=True):
    """A move and how its transaction ends: committed, rolled back by a fault, or killed with its connection."""

    move: Spend | Texts | GiveBack | TopUp | TakeBack
    ending: str


refs = st.integers(0, 12)
some_refs = st.lists(refs, min_size=1, max_size=4)
moves = st.one_of(
    st.builds(Spend, some_refs, st.integers(0, 120), st.sampled_from(UsageKind), st.booleans()),
    st.builds(Texts, some_refs, st.integers(0, 9)),
    st.builds(GiveBack, some_refs),
    st.builds(TopUp, refs, st.integers(1, 300), st.sampled_from([LedgerKind.TOPUP, LedgerKind.ADJUSTMENT])),
    st.builds(TakeBack, refs, st.integers(1, 90)),
)
fates = st.builds(Fate, moves, st.sampled_from(["commit", "commit", "commit", "fault", "kill"]))


class Fault(Exception):
    """What the caller does besides charging went wrong."""


def charge(source: str, ref: int, cents: int, kind: UsageKind) -> Charge:
    return Charge(
        kind=kind,
        quantity=1,
        unit_cost_microcents=microcents(cents),
        source=source,
        source_ref=str(ref),
        ref_kind="thing",
        ref_id=uuid4(),
    )


async def make(tx: Tx, tenants: list[Tenant], move: Any) -> None:
    """One move of the first organization, or of both."""
    mine = tenants[0]
    match move:
        case Spend(spent, cents, kind, may_overdraw):
            charges = [charge("thing", ref, cents, kind) for ref in spent]
            await operations.charge_many(tx, mine, charges, may_overdraw=may_overdraw)
        case Texts(sent, cents):
            owed = [
                (tenant.org_id, charge("outbound", ref, cents, UsageKind.OUTBOUND_SMS))
                for ref in sent
                for tenant in tenants
            ]
            await operations.lock(tx, [org_id for org_id, _ in owed])
            await operations.charge_each(tx, owed)
        case GiveBack(returned):
            await operations.refund_many(tx, mine, [("thing", str(ref)) for ref in returned])
        case TopUp(ref, cents, kind):
            amount = microcents(cents)
            await operations.credit(
                tx, mine, amount_microcents=amount, source="operator", source_ref=str(ref), kind=kind
            )
        case TakeBack(ref, cents):
            amount = microcents(cents)
            await operations.take_back(tx, mine, amount_microcents=amount, source="dispute", source_ref=str(ref))
        case _:
            raise AssertionError(move)


async def perform(db: CellDb, tenants: list[Tenant], fate: Fate) -> None:
    async with db.transaction() as tx:
        await make(tx, tenants, fate.move)
        if fate.ending == "fault":
            raise Fault
        if fate.ending == "kill":
            await tx.run("SELECT pg_terminate_backend(pg_backend_pid())")


Movement = tuple[int, int, str, str, str]


async def history(db: CellDb, org_id: UUID) -> list[Movement]:
    """Amount, balance after, kind, source and source_ref of every movement, in the order of a statement."""
    return await db.all(
        lambda *columns: columns,
        """SELECT amount_microcents, balance_after_microcents, kind, source, source_ref
           FROM ledger_transactions WHERE org_id = $1 ORDER BY ts, id""",
        org_id,
    )


async def warned(db: CellDb, org_id: UUID, kind: str) -> int:
    return int(await db.value("SELECT count(*) FROM events WHERE org_id = $1 AND type = $2", org_id, kind))


async def require_agreement(db: CellDb, org_id: UUID) -> None:
    """What must hold of one organization's books at any time."""
    booked = await history(db, org_id)
    amounts, after = [row[0] for row in booked], [row[1] for row in booked]
    assert after == list(accumulate(amounts))
    assert len({row[2:] for row in booked}) == len(booked)
    wallet = await db.one(
        operations.Wallet,
        "SELECT balance_microcents, lifetime_spend_microcents FROM wallets WHERE org_id = $1",
        org_id,
    ) or operations.Wallet(0, 0)
    assert wallet.balance_microcents == sum(amounts)
    assert wallet.lifetime_spend_microcents == -sum(row[0] for row in booked if row[2] in ("debit", "refund"))
    for kind, level in (("wallet.balance_low", LOW_BALANCE_MICROCENTS), ("wallet.balance_zero", 1)):
        falls = sum(before >= level > now for before, now in pairwise([0, *after]))
        assert await warned(db, org_id, kind) == falls


async def require_sums(db: CellDb) -> None:
    """The sums of days are what was booked, and those of hours and minutes come to the same."""
    assert await queries.list_miscounted(db) == []
    unlike = await db.value(
        """SELECT count(*) FROM (
               SELECT org_id, metric, labels, date_trunc('day', bucket_start) AS day,
                      sum(value) FILTER (WHERE span = 'day') AS days, sum(value) FILTER (WHERE span = 'hour') AS hours,
                      sum(value) FILTER (WHERE span = 'minute') AS minutes
               FROM metric_buckets GROUP BY 1, 2, 3, 4) s
           WHERE days IS DISTINCT FROM hours OR days IS DISTINCT FROM minutes"""
    )
    assert unlike == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(fates, min_size=1, max_size=5), max_size=8))
async def test_whatever_happens_the_books_agree_and_nothing_is_charged_twice(
    cells: Cells, db: CellDb, rounds: list[list[Fate]]
) -> None:
    """Each round's moves run at once; what was killed or failed left nothing, what was committed is there once."""
    tenants = [(await open_account(cells, cents=0)).tenant for _ in range(2)]
    charged: set[tuple[str, str]] = set()

    for at_once in rounds:
        results = await asyncio.gather(*(perform(db, tenants, fate) for fate in at_once), return_exceptions=True)

        for fate, result in zip(at_once, results, strict=True):
            match fate.ending:
                case "commit":
                    assert result is None or isinstance(result, InsufficientCredit), result
                case "fault":
                    assert isinstance(result, Fault | InsufficientCredit), result
                case _:
                    assert isinstance(result, (*DATABASE_UNAVAILABLE, asyncpg.PostgresError, InsufficientCredit)), (
                        result
                    )
            if result is None and isinstance(fate.move, Spend | Texts):
                source = "thing" if isinstance(fate.move, Spend) else "outbound"
                charged |= {(source, str(ref)) for ref in fate.move.refs}
        for tenant in tenants:
            await require_agreement(db, tenant.org_id)
        assert await queries.list_unbalanced(db) == []
    booked = await history(db, tenants[0].org_id)
    assert {(source, ref) for _, _, kind, source, ref in booked if kind == "debit"} == charged
    may_fall = any(
        isinstance(fate.move, Texts | TakeBack) or (isinstance(fate.move, Spend) and fate.move.may_overdraw)
        for at_once in rounds
        for fate in at_once
    )
    assert may_fall or all(after >= 0 for _, after, *_ in booked)
    await require_sums(db)
    hypothesis.event(f"movements: {min(len(booked), 10)}")


async def test_the_check_of_the_books_names_a_wallet_that_was_tampered_with(cells: Cells, db: CellDb) -> None:
    account = await open_account(cells, cents=50)

    await db.run("UPDATE wallets SET balance_microcents = balance_microcents + 1 WHERE org_id = $1", account.org_id)

    assert await queries.list_unbalanced(db) == [account.org_id]


async def test_the_check_of_the_sums_names_an_organization_whose_day_is_wrong(cells: Cells, db: CellDb) -> None:
    account = await open_account(cells, cents=50)

    await db.run("UPDATE metric_buckets SET value = value + 1 WHERE org_id = $1 AND span = 'day'", account.org_id)

    assert await queries.list_miscounted(db) == [account.org_id]


async def test_a_balance_that_comes_back_up_warns_at_its_next_fall(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=300)).tenant

    for turn in range(2):
        async with db.transaction() as tx:
            await operations.charge_many(tx, tenant, [charge("thing", turn, 300, UsageKind.LOOKUP)])
        async with db.transaction() as tx:
            await operations.credit(
                tx, tenant, amount_microcents=microcents(300), source="operator", source_ref=str(turn)
            )

    assert await warned(db, tenant.org_id, "wallet.balance_low") == 2
    assert await warned(db, tenant.org_id, "wallet.balance_zero") == 2


async def test_what_is_booked_last_is_last_though_its_transaction_began_first(cells: Cells, db: CellDb) -> None:
    tenant = (await open_account(cells, cents=300)).tenant
    async with db.transaction() as early:
        async with db.transaction() as late:
            await operations.charge_many(late, tenant, [charge("thing", 1, 10, UsageKind.LOOKUP)])
        await operations.charge_many(early, tenant, [charge("thing", 2, 10, UsageKind.LOOKUP)])

    assert [ref for *_, ref in await history(db, tenant.org_id)] == ["test", "1", "2"]
    await require_agreement(db, tenant.org_id)
