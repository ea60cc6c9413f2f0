"""Texts are counted behind their events: exactly once, whatever commits late, whoever else counts, whatever dies."""

import asyncio
import contextlib
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Executor
from agentmessage.kernel.ids import new_id
from agentmessage.rollups import aggregator, aggregator_queries, operations
from agentmessage.rollups.model import Count
from tests.proofs.running import until

ORG, OTHER = UUID(int=1), UUID(int=2)
KINDS = {
    "message.sent": "messages.outbound.sent",
    "message.delivered": "messages.outbound.delivered",
    "message.failed": "messages.outbound.failed",
    "message.undelivered": "messages.outbound.failed",
    "inbound_message.received": "messages.inbound.received",
    "message.canceled": None,
    "brand.created": None,
}
EVENTS_KEPT = timedelta(days=90)


async def tell(
    tx: Executor,
    kind: str,
    *,
    org_id: UUID = ORG,
    channel: str = "sms",
    error: str | None = None,
    at: datetime | None = None,
) -> None:
    """One event as the rooms write them."""
    await tx.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           VALUES ($1, $2, $3, split_part($3, '.', 1), $1, $4, $5)""",
        new_id(),
        org_id,
        kind,
        {"channel": channel, "error": None if error is None else {"code": error, "carrier_code": "1"}},
        at or tx.now,
    )


async def sums(db: CellDb, span: str = "day") -> dict[tuple[Any, ...], int]:
    """Every sum of one span: organization, metric, its labels and the bucket, to the value."""
    rows = await db.all(
        lambda *columns: columns,
        "SELECT org_id, metric, labels, bucket_start, value FROM metric_buckets WHERE span = $1",
        span,
    )
    return {(row[0], row[1], tuple(sorted(row[2].items())), row[3]): row[4] for row in rows}


async def count_all(db: CellDb, *, batch: int = 5_000) -> None:
    """Count all there is; Postgres's own housekeeping can hold the order of events open for a moment."""

    async def is_done() -> bool:
        await aggregator.turn(db, batch=batch)
        return not await db.value(
            """SELECT EXISTS (SELECT FROM events e, event_cursors f
                              WHERE f.name = 'metrics' AND (e.xid, e.id) > (f.xid, f.id))"""
        )

    await until(is_done)


async def total(db: CellDb) -> int:
    return sum((await sums(db)).values())


async def as_of(db: CellDb) -> datetime:
    return await aggregator_queries.find_as_of(db)


@pytest.fixture
def clocks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """One machine: `as_of` need not stay behind for clocks that differ."""
    monkeypatch.setattr(aggregator, "CLOCKS_APART", timedelta(0))


async def test_each_kind_is_counted_under_its_metric_channel_and_error(db: CellDb) -> None:
    moment = datetime(2026, 3, 1, 10, 30, 59, 999_999, tzinfo=UTC)
    await tell(db, "message.sent", at=moment)
    await tell(db, "message.sent", channel="mms", at=moment)
    await tell(db, "message.failed", error="spam", at=moment)
    await tell(db, "message.undelivered", error="spam", at=moment)
    await tell(db, "inbound_message.received", at=moment)
    await tell(db, "message.canceled", at=moment)

    await count_all(db)

    day = datetime(2026, 3, 1, tzinfo=UTC)
    sms = ("channel", "sms")
    assert await sums(db) == {
        (ORG, "messages.outbound.sent", (sms,), day): 1,
        (ORG, "messages.outbound.sent", (("channel", "mms"),), day): 1,
        (ORG, "messages.outbound.failed", (sms, ("error_code", "spam")), day): 2,
        (ORG, "messages.inbound.received", (sms,), day): 1,
    }
    assert {key[3] for key in await sums(db, "hour")} == {day.replace(hour=10)}
    assert {key[3] for key in await sums(db, "minute")} == {day.replace(hour=10, minute=30)}


async def test_a_reader_takes_what_there_is_in_bites_and_nothing_twice(db: CellDb) -> None:
    async with db.transaction() as tx:
        for _ in range(25):
            await tell(tx, "message.sent")

    await count_all(db, batch=10)
    await aggregator.turn(db, batch=10)

    assert await total(db) == 25


@pytest.mark.usefixtures("clocks_agree")
async def test_an_event_that_commits_late_is_counted_and_as_of_waits_for_it(db: CellDb) -> None:
    async with db.transaction() as late:
        await tell(late, "message.sent")
        await tell(db, "message.delivered")  # begun later, committed at once
        await aggregator.turn(db)
        assert await total(db) == 0  # behind the open transaction, order is not settled
        assert await as_of(db) <= late.now
    await count_all(db)

    assert await total(db) == 2
    assert await as_of(db) > late.now


@pytest.mark.usefixtures("clocks_agree")
async def test_as_of_waits_for_a_transaction_that_has_not_written_yet(db: CellDb) -> None:
    """It has stamped what it will write with the instant of its beginning."""
    async with db.transaction() as silent:
        await silent.value("SELECT 1")
        await aggregator.turn(db)
        until_then = await as_of(db)
        await tell(silent, "message.sent")
    await count_all(db)

    assert until_then <= silent.now
    assert await total(db) == 1


@pytest.mark.usefixtures("clocks_agree")
async def test_as_of_waits_for_what_is_committed_behind_an_older_transaction(db: CellDb) -> None:
    """The early beginner takes its number late: it is behind a transaction that began after it."""
    async with contextlib.AsyncExitStack() as begun_first:
        early = await begun_first.enter_async_context(db.transaction())
        async with db.transaction() as older:
            await tell(older, "message.sent")
            await tell(early, "message.sent")
            await begun_first.aclose()
            await aggregator.turn(db)
            assert await as_of(db) <= early.now
            assert await total(db) == 0
    await count_all(db)

    assert await total(db) == 2


@pytest.mark.usefixtures("clocks_agree")
async def test_as_of_moves_on_when_nothing_happens(db: CellDb) -> None:
    await aggregator.turn(db)
    before = await as_of(db)

    await aggregator.turn(db)

    assert before < await as_of(db) <= datetime.now(UTC)


async def test_as_of_stays_behind_by_what_clocks_may_differ(db: CellDb) -> None:
    await db.run("UPDATE event_cursors SET as_of = '-infinity' WHERE name = 'metrics'")

    await aggregator.turn(db)

    assert await as_of(db) <= datetime.now(UTC) - aggregator.CLOCKS_APART


async def test_as_of_stays_while_more_is_left_to_count(db: CellDb) -> None:
    await aggregator.turn(db)
    before = await as_of(db)
    async with db.transaction() as tx:
        for _ in range(3):
            await tell(tx, "message.sent")

    await aggregator.turn(db, batch=2)

    assert await as_of(db) == before


async def test_a_second_reader_steps_back_while_one_is_counting(db: CellDb) -> None:
    await tell(db, "message.sent")
    async with db.transaction() as tx:
        assert await aggregator_queries.lock_place(tx) is not None

        assert await aggregator.turn(db) is False
        assert await total(db) == 0
    await count_all(db)

    assert await total(db) == 1


async def test_a_reader_killed_in_the_middle_leaves_nothing_half_done(db: CellDb) -> None:
    for _ in range(3):
        await tell(db, "message.sent")
    async with db.transaction() as tx:
        await tx.run("LOCK TABLE metric_buckets IN SHARE MODE")  # the reader waits here, its place locked
        reader = asyncio.create_task(aggregator.turn(db))
        await until(lambda: _kill_waiting(db))
        with pytest.raises(DATABASE_UNAVAILABLE):
            await reader

    await count_all(db)

    assert await total(db) == 3


async def _kill_waiting(tx: Executor) -> bool:
    return bool(
        await tx.value(
            """SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%metric_buckets%'"""
        )
    )


async def test_rebuilding_mends_sums_and_checking_names_what_was_wrong(db: CellDb) -> None:
    async with db.transaction() as tx:
        for error in (None, "spam", "spam"):
            await tell(tx, "message.failed", error=error)
    await count_all(db)
    before = await sums(db), await sums(db, "hour"), await sums(db, "minute")
    await operations.add(db, [Count(ORG, "wallet.debit_cents", db.now, {"kind": "outbound"}, 5)])
    assert await aggregator.check(db, events_kept=EVENTS_KEPT) == []
    await db.run("UPDATE metric_buckets SET value = value + 1 WHERE labels ? 'error_code'")

    wrong = await aggregator.check(db, events_kept=EVENTS_KEPT)
    await aggregator.rebuild(db, events_kept=EVENTS_KEPT)

    assert [(one.metric, one.labels, one.counted, one.recounted) for one in wrong] == [
        ("messages.outbound.failed", {"channel": "sms", "error_code": "spam"}, 3, 2)
    ]
    await db.run("DELETE FROM metric_buckets WHERE metric = 'wallet.debit_cents'")
    assert (await sums(db), await sums(db, "hour"), await sums(db, "minute")) == before


async def test_rebuilding_keeps_days_whose_events_are_gone(db: CellDb) -> None:
    old = db.now - timedelta(days=91)
    await operations.add(db, [Count(ORG, "messages.outbound.sent", old, {"channel": "sms"}, 7)])

    await aggregator.rebuild(db, events_kept=EVENTS_KEPT)

    assert list((await sums(db)).values()) == [7]


async def test_minutes_and_hours_are_forgotten_in_time_and_days_never(db: CellDb) -> None:
    for age in (36, 401):
        await operations.add(
            db, [Count(ORG, "messages.outbound.sent", db.now - timedelta(days=age), {"channel": "sms"}, 1)]
        )

    gone = await aggregator.forget(db, db.now)

    assert gone == 3
    assert [len(await sums(db, span)) for span in ("minute", "hour", "day")] == [0, 1, 2]


Fact = tuple[UUID, str, str, str | None]
"""An event's organization, type, channel and error."""


class History:
    """Writers and readers of one cell, driven by one seed; `told` is what was committed."""

    def __init__(self, db: CellDb, seed: int) -> None:
        self.db = db
        self.rng = random.Random(seed)
        self.told: Counter[Fact] = Counter()

    async def write(self) -> None:
        """One transaction of a few events; one in five is given up."""
        facts: list[Fact] = []
        with contextlib.suppress(InterruptedError):
            async with self.db.transaction() as tx:
                for _ in range(self.rng.randint(1, 6)):
                    facts.append(await self._tell(tx))
                    await asyncio.sleep(self.rng.choice([0, 0, 0.002]))
                if self.rng.random() < 0.2:
                    raise InterruptedError
            self.told.update(facts)

    async def read(self) -> None:
        """A few turns, some of which die; whatever lies before `as_of` has been counted after each."""
        for _ in range(6):
            turn = asyncio.create_task(aggregator.turn(self.db, batch=self.rng.randint(1, 9)))
            if self.rng.random() < 0.3:
                await asyncio.sleep(self.rng.random() * 0.004)
                turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
            uncounted = await self.db.value(
                """SELECT count(*) FROM events e, event_cursors f WHERE f.name = 'metrics'
                     AND (e.xid, e.id) > (f.xid, f.id) AND e.created_at < f.as_of"""
            )
            assert uncounted == 0

    async def _tell(self, tx: Executor) -> Fact:
        org_id, kind = self.rng.choice([ORG, OTHER]), self.rng.choice(list(KINDS))
        channel, error = self.rng.choice(["sms", "mms"]), self.rng.choice([None, "spam", "expired"])
        await tell(tx, kind, org_id=org_id, channel=channel, error=error)
        return org_id, kind, channel, error

    def recount(self) -> Counter[Any]:
        """What the sums must come to, whatever their buckets."""
        found: Counter[Any] = Counter()
        for (org_id, kind, channel, error), number in self.told.items():
            labels = {"channel": channel} | ({} if error is None else {"error_code": error})
            if KINDS[kind] is not None:
                found[org_id, KINDS[kind], tuple(sorted(labels.items()))] += number
        return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
@pytest.mark.usefixtures("clocks_agree")
async def test_the_sums_are_a_recount_after_any_history(db: CellDb, seed: int) -> None:
    """Writers that commit in any order or not at all, two readers at once, readers that die anywhere."""
    await db.run("DELETE FROM metric_buckets")
    history = History(db, seed)

    await asyncio.gather(*(history.write() for _ in range(6)), history.read(), history.read())
    await count_all(db, batch=5)

    for span in ("minute", "hour", "day"):
        found: Counter[Any] = Counter()
        for (org_id, metric, labels, _), value in (await sums(db, span)).items():
            found[org_id, metric, labels] += value
        assert found == history.recount()
