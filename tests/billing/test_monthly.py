"""Months of numbers and campaigns: each charged once at the price it began with, whoever was away, died or raced."""

import asyncio
import calendar
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentmessage.billing import prices as billing_prices
from agentmessage.billing import queries
from agentmessage.campaigns import jobs as campaign_jobs
from agentmessage.campaigns import operations as campaigns
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.numbers.orders import renewals
from agentmessage.numbers.orders import rules as order_rules
from agentmessage.outbox.job_runner import JobRunner
from tests.make.accounts import Account, open_account
from tests.make.campaigns import insert_campaign
from tests.make.clock import TestClock
from tests.make.numbers import insert_number

START = datetime(2027, 1, 31, 10, 0, tzinfo=UTC)
NUMBER_CENTS, CAMPAIGN_CENTS = 94, 1000


def anniversaries(since: datetime, until: datetime) -> list[datetime]:
    """Every monthly return of an instant up to another; on the last day of months that have no such day.

    Reckoned apart from the house's own rules.
    """
    found: list[datetime] = []
    first = since.replace(day=1)
    while True:
        first = (first + timedelta(days=32)).replace(day=1)
        last = calendar.monthrange(first.year, first.month)[1]
        moment = first.replace(day=min(since.day, last))
        if moment > until:
            return found
        found.append(moment)


class Office:
    """Workers that charge months on a clock that tests move, and the ways in which they die."""

    def __init__(self, dsn: str, clock: TestClock) -> None:
        self.clock = clock
        self.cells = Cells(dsn, pool_size=6, clock=clock)
        self._number = 0

    async def db(self) -> CellDb:
        return await self.cells.cell("cell_00")

    async def number(self, account: Account) -> tuple[UUID, datetime]:
        """A number that is assigned at this moment, its first month paid for; answers it and the moment."""
        db = await self.db()
        self._number += 1
        since = self.clock.now()
        number_id = await insert_number(db, account.org_id, f"+1415555{self._number:04}")
        await db.run(
            "UPDATE phone_numbers SET created_at = $2, charged_until = $3 WHERE id = $1",
            number_id,
            since,
            order_rules.plus_months(since, 1),
        )
        return number_id, since

    async def release(self, number_id: UUID) -> datetime:
        """The customer gives a number back."""
        moment = self.clock.now()
        db = await self.db()
        await db.run(
            "UPDATE phone_numbers SET state = 'quarantined', released_at = $2 WHERE id = $1", number_id, moment
        )
        return moment

    async def campaign(self, account: Account) -> UUID:
        """A campaign that is approved at this moment, its first month paid for, and the job that renews it."""
        db = await self.db()
        today = self.clock.moment.date()
        campaign_id = await insert_campaign(db, account.org_id)
        await db.run(
            "UPDATE campaigns SET activated_at = $2, billed_at = $2, renews_on = $3 WHERE id = $1",
            campaign_id,
            self.clock.moment,
            order_rules.plus_months(datetime(today.year, today.month, today.day, tzinfo=UTC), 1).date(),
        )
        await campaigns.enqueue(db, "campaigns.renew", account.org_id, campaign_id)
        return campaign_id

    async def work(self) -> None:
        """Charge everything that is due."""
        await renewals.run_renewals(self.cells)
        runner = JobRunner(await self.db(), campaign_jobs.handlers({}))
        while await runner.run_due():
            pass

    async def race(self) -> None:
        """Three workers at once."""
        await asyncio.gather(*(renewals.run_renewals(self.cells) for _ in range(3)))

    async def die(self, org_id: UUID) -> None:
        """A worker is killed in the middle: its numbers are claimed, and it waits for the wallet."""
        db = await self.db()
        async with db.connection() as holder, holder.transaction():
            await holder.execute("SELECT FROM wallets WHERE org_id = $1 FOR UPDATE", org_id)
            dying = asyncio.create_task(renewals.run_renewals(self.cells))
            while not dying.done() and not await self._kill(db, holder.get_server_pid()):
                await asyncio.wait({dying}, timeout=0.002)
            await asyncio.gather(dying, return_exceptions=True)

    async def _kill(self, db: CellDb, holder_pid: int) -> int:
        """Cut off the backends that wait for what another holds; asked anew, since a transaction sees them once."""
        killed: int = await db.value(
            """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE $1 = ANY (pg_blocking_pids(pid)) AND datname = current_database()""",
            holder_pid,
        )
        return killed


@pytest.fixture
async def office(dsn: str) -> AsyncIterator[Office]:
    opened = Office(dsn, TestClock(START))
    yield opened
    await opened.cells.close()


async def charged(db: CellDb, subject: UUID) -> Sequence[tuple[str, int]]:
    """Occasion and cents of everything that was charged for a number or campaign."""
    return await db.all(
        lambda ref, cents: (ref.removeprefix(f"{subject}:"), cents),
        """SELECT source_ref, -amount_microcents / 1000000 FROM ledger_transactions
           WHERE source IN ('number_renewal', 'campaign_month') AND source_ref LIKE $1 AND kind = 'debit'
           ORDER BY source_ref""",
        f"{subject}:%",
    )


async def test_the_last_day_of_a_month_stays_the_anchor(office: Office) -> None:
    """31 January, 28 February, 31 March: a short month does not move the ones that follow."""
    account = await open_account(office.cells)
    number_id, _ = await office.number(account)

    for _ in range(13):
        office.clock.moment += timedelta(days=7)
        await office.work()

    days = [ref[:10] for ref, _ in await charged(await office.db(), number_id)]
    assert days == ["2027-02-28", "2027-03-31", "2027-04-30"]


async def test_who_was_away_for_a_year_charges_each_month_once(office: Office) -> None:
    account = await open_account(office.cells)
    number_id, since = await office.number(account)
    campaign_id = await office.campaign(account)
    office.clock.moment += timedelta(days=365)

    await office.race()
    await office.work()
    await office.work()

    db = await office.db()
    assert len(await charged(db, number_id)) == len(anniversaries(since, office.clock.moment)) == 12
    assert len(await charged(db, campaign_id)) == 12
    assert await queries.list_unbalanced(db) == []


async def test_a_month_costs_what_held_when_it_began(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is charged much later, after the price has changed."""
    prices = tmp_path / "prices.toml"
    prices.write_text(
        """[[price]]
kind = "number_month"
unit_cost_cents = 94
valid_from = 2020-01-01T00:00:00Z
valid_until = 2027-03-31T10:00:00Z
[[price]]
kind = "number_month"
unit_cost_cents = 120
valid_from = 2027-03-31T10:00:00Z
"""
    )
    monkeypatch.setattr(billing_prices, "FILE", prices)
    billing_prices.prices.cache_clear()
    account = await open_account(office.cells)
    number_id, _ = await office.number(account)
    office.clock.moment += timedelta(days=100)

    await office.work()

    billing_prices.prices.cache_clear()
    assert [cents for _, cents in await charged(await office.db(), number_id)] == [94, 120, 120]


async def test_a_month_that_began_before_the_release_is_owed_and_none_after_it(office: Office) -> None:
    account = await open_account(office.cells)
    number_id, _ = await office.number(account)
    office.clock.moment = datetime(2027, 3, 2, tzinfo=UTC)
    await office.release(number_id)
    office.clock.moment += timedelta(days=90)

    await office.work()

    assert [ref[:10] for ref, _ in await charged(await office.db(), number_id)] == ["2027-02-28"]


async def test_a_campaign_that_is_given_up_owes_the_months_that_had_begun(office: Office) -> None:
    account = await open_account(office.cells)
    campaign_id = await office.campaign(account)
    office.clock.moment = datetime(2027, 4, 1, tzinfo=UTC)
    db = await office.db()
    async with db.transaction() as tx:
        await campaigns.deactivate(tx, account.tenant, campaign_id, detach_numbers=False)
    office.clock.moment += timedelta(days=90)

    await office.work()

    assert len(await charged(db, campaign_id)) == 2


async def test_a_worker_that_is_killed_between_claim_and_commit_has_charged_nothing(office: Office) -> None:
    account = await open_account(office.cells)
    number_id, _ = await office.number(account)
    office.clock.moment += timedelta(days=40)
    db = await office.db()

    await office.die(account.org_id)
    after_death = await charged(db, number_id)
    await office.work()

    assert after_death == []
    assert len(await charged(db, number_id)) == 1


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["number", "campaign", "release", "work", "race", "die"]),
        st.integers(min_value=1, max_value=24 * 100).map(lambda hours: f"wait {hours}"),
    ),
    max_size=16,
)


class History:
    """What was held from when until when, so that what is owed can be reckoned apart."""

    def __init__(self, office: Office, account: Account) -> None:
        self.office = office
        self.account = account
        self.held: dict[UUID, datetime] = {}
        self.released: dict[UUID, datetime] = {}
        self.approved: dict[UUID, date] = {}

    async def take(self, step: str) -> None:
        """One thing happens."""
        office, account = self.office, self.account
        match step.split():
            case ["number"]:
                number_id, since = await office.number(account)
                self.held[number_id] = since
            case ["campaign"]:
                self.approved[await office.campaign(account)] = office.clock.moment.date()
            case ["release"]:
                for number_id in sorted(self.held.keys() - self.released.keys())[:1]:
                    self.released[number_id] = await office.release(number_id)
            case ["wait", hours]:
                office.clock.moment += timedelta(hours=int(hours))
            case [verb]:
                await {"work": office.work, "race": office.race, "die": partial(office.die, account.org_id)}[verb]()
            case _:
                pytest.fail(step)

    def owed(self) -> dict[UUID, list[str]]:
        """By number, the months that began while it was held."""
        now = self.office.clock.moment
        return {
            number_id: [month.isoformat() for month in anniversaries(since, self.released.get(number_id, now))]
            for number_id, since in self.held.items()
        }


@hypothesis_settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, day=st.integers(min_value=0, max_value=800))
@example(steps=["number", "wait 1000", "die", "race", "release", "wait 800", "work"], day=0)
async def test_every_month_that_began_is_charged_once(dsn: str, steps: list[str], day: int) -> None:
    """Whatever the clock, the releases, the races and the deaths: exactly the anniversaries, each once."""
    office = Office(dsn, TestClock(START + timedelta(days=day)))
    db = await office.db()
    await db.run("DELETE FROM phone_numbers")  # of the example before
    await db.run("DELETE FROM jobs")
    account = await open_account(office.cells, cents=50)
    history = History(office, account)

    for step in [*steps, "work"]:
        await history.take(step)

    for number_id, months in history.owed().items():
        assert await charged(db, number_id) == [(month, NUMBER_CENTS) for month in months]
    for campaign_id, on in history.approved.items():
        began = anniversaries(datetime(on.year, on.month, on.day, tzinfo=UTC), office.clock.moment)
        assert [cents for _, cents in await charged(db, campaign_id)] == [CAMPAIGN_CENTS] * len(began)
    assert await queries.list_unbalanced(db) == []
    await office.cells.close()
