"""Jobs: written with the work that causes them, claimed by lease, run at least once, acknowledged once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog.testing

from agentmessage.kernel.db import CellDb, open_cell
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox import job_runner, queries
from agentmessage.outbox.job_runner import Done, JobRunner, Snooze


class Clock:
    """Time as the test says."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
async def clock(db: CellDb) -> Clock:
    return Clock(db.now)


@pytest.fixture
async def timed(dsn: str, clock: Clock, db: CellDb) -> Any:
    """The cell under that clock."""
    opened = await open_cell(dsn, db.name, clock=clock)
    yield opened
    await opened.close()


class Work:
    """A handler that remembers what it was run with, and answers as it is told."""

    def __init__(self) -> None:
        self.ran: list[Mapping[str, Any]] = []
        self.answers: list[Any] = []

    async def __call__(self, _: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        self.ran.append(arguments)
        answer = self.answers.pop(0) if self.answers else Done()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def jobs(db: CellDb) -> list[tuple[str, int]]:
    return await db.all(lambda key, attempts: (key, attempts), "SELECT key, attempts FROM jobs ORDER BY id")


async def test_a_job_is_there_exactly_when_its_transaction_commits(db: CellDb) -> None:
    async with db.transaction() as tx:
        await outbox_events.enqueue(tx, "test.work", "kept", {})

    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail(db)

    assert await jobs(db) == [("kept", 0)]


async def enqueue_and_fail(db: CellDb) -> None:
    async with db.transaction() as tx:
        await outbox_events.enqueue(tx, "test.work", "lost", {})
        raise ZeroDivisionError


async def test_concurrent_runners_run_each_job_once(db: CellDb) -> None:
    ran: Counter[str] = Counter()

    async def work(_: CellDb, arguments: Mapping[str, Any]) -> Done:
        ran[arguments["n"]] += 1
        await asyncio.sleep(0)
        return Done()

    for n in range(300):
        await outbox_events.enqueue(db, "test.work", str(n), {"n": str(n)})
    runners = [JobRunner(db, {"test.work": work}) for _ in range(6)]

    async def run(runner: JobRunner) -> None:
        while await runner.run_due():
            pass

    await asyncio.gather(*(run(runner) for runner in runners))

    assert set(ran.values()) == {1}
    assert len(ran) == 300
    assert await jobs(db) == []


async def test_a_job_waits_for_its_time(timed: CellDb, clock: Clock) -> None:
    work = Work()
    runner = JobRunner(timed, {"test.work": work})
    await outbox_events.enqueue(timed, "test.work", "k", {}, delay_s=30)

    assert await runner.run_due() == 0
    assert await runner.wait_s() == job_runner.BACKSTOP_S
    clock.advance(29.5)
    assert await runner.wait_s() == pytest.approx(0.5)
    clock.advance(0.5)

    assert await runner.run_due() == 1


async def test_a_job_of_another_kind_is_left_to_whoever_knows_it(db: CellDb) -> None:
    await outbox_events.enqueue(db, "test.other", "k", {})

    assert await JobRunner(db, {"test.work": Work()}).run_due() == 0
    assert await jobs(db) == [("k", 0)]


async def test_a_job_whose_worker_died_runs_again_when_its_lease_is_over_and_not_before(
    timed: CellDb, clock: Clock
) -> None:
    await outbox_events.enqueue(timed, "test.work", "k", {"n": "1"})
    dead = await queries.claim_jobs(
        timed,
        kinds=["test.work"],
        limit=1,
        lease_token=new_id(),
        now=clock.now(),
        until=clock.now() + timedelta(seconds=job_runner.LEASE_S),
    )
    work = Work()
    runner = JobRunner(timed, {"test.work": work})

    clock.advance(job_runner.LEASE_S - 1)
    assert await runner.run_due() == 0
    clock.advance(1)
    assert await runner.run_due() == 1

    assert work.ran == [{"n": "1"}]
    assert not await queries.finish_job(timed, dead[0].id, dead[0].lease_token), "the dead one's word counts no more"


async def test_waiting_is_not_failing(timed: CellDb, clock: Clock) -> None:
    """A job that waits for the world comes back when it said, with its attempts counted anew."""
    work = Work()
    work.answers = [Snooze(5), Snooze(5), Done()]
    runner = JobRunner(timed, {"test.work": work})
    await outbox_events.enqueue(timed, "test.work", "k", {})

    for _ in range(2):
        assert await runner.run_due() == 1
        assert await jobs(timed) == [("k", 0)]
        assert await runner.run_due() == 0
        clock.advance(5)
    assert await runner.run_due() == 1

    assert await jobs(timed) == []


async def test_a_job_that_fails_is_tried_again_for_ever_with_growing_delay(timed: CellDb, clock: Clock) -> None:
    work = Work()
    work.answers = [ValueError("bad luck")] * 5
    runner = JobRunner(timed, {"test.work": work})
    await outbox_events.enqueue(timed, "test.work", "k", {})

    with structlog.testing.capture_logs() as logs:
        for attempt in range(1, 6):
            assert await runner.run_due() == 1
            assert await jobs(timed) == [("k", attempt)]
            clock.advance(job_runner.LAST_RETRY_S)
    assert await runner.run_due() == 1

    assert await jobs(timed) == []
    assert [entry["attempts"] for entry in logs] == [1, 2, 3, 4, 5]


async def test_a_failed_job_keeps_its_last_error(db: CellDb) -> None:
    work = Work()
    work.answers = [ValueError("bad luck")]
    await outbox_events.enqueue(db, "test.work", "k", {})

    with structlog.testing.capture_logs():
        await JobRunner(db, {"test.work": work}).run_due()

    assert await db.value("SELECT last_error FROM jobs") == "ValueError('bad luck')"


@pytest.mark.parametrize("attempts", range(30))
def test_the_delay_before_a_retry_stays_within_its_bounds(attempts: int) -> None:
    assert (
        0.1
        <= job_runner.retry_delay_s(attempts, 0.0)
        <= job_runner.retry_delay_s(attempts, 1.0)
        <= job_runner.LAST_RETRY_S
    )
    assert job_runner.retry_delay_s(attempts, 1.0) <= job_runner.retry_delay_s(attempts + 1, 1.0)


async def test_one_job_exists_for_a_subject_and_a_second_wish_brings_it_forward(db: CellDb) -> None:
    work = Work()
    await outbox_events.enqueue(db, "test.work", "k", {"n": "old"}, delay_s=3600)
    await outbox_events.enqueue(db, "test.work", "k", {"n": "new"})
    await outbox_events.enqueue(db, "test.work", "k", {"n": "newest"}, delay_s=60)

    assert await JobRunner(db, {"test.work": work}).run_due() == 1

    assert work.ran == [{"n": "newest"}]


async def test_a_job_that_is_wished_for_while_it_runs_runs_once_more(timed: CellDb) -> None:
    """The first run may have read what was true before the wish."""
    ran: list[str] = []

    async def work(db: CellDb, arguments: Mapping[str, Any]) -> Done:
        ran.append(arguments["n"])
        if len(ran) == 1:
            await outbox_events.enqueue(db, "test.work", "k", {"n": "second"})
        return Done()

    runner = JobRunner(timed, {"test.work": work})
    await outbox_events.enqueue(timed, "test.work", "k", {"n": "first"})

    assert await runner.run_due() == 1
    assert await runner.run_due() == 1
    assert await runner.run_due() == 0

    assert ran == ["first", "second"]


async def test_two_runs_of_one_job_never_overlap_though_it_is_wished_for_meanwhile(db: CellDb) -> None:
    """The lease of the run under way is respected by the wish that cleared its acknowledgment."""
    running = 0
    most = 0
    let_go = asyncio.Event()
    started = asyncio.Event()

    async def work(_: CellDb, __: Mapping[str, Any]) -> Done:
        nonlocal running, most
        running += 1
        most = max(most, running)
        started.set()
        await let_go.wait()
        running -= 1
        return Done()

    await outbox_events.enqueue(db, "test.work", "k", {})
    first = asyncio.create_task(JobRunner(db, {"test.work": work}).run_due())
    await started.wait()
    await outbox_events.enqueue(db, "test.work", "k", {})
    second = asyncio.create_task(JobRunner(db, {"test.work": work}).run_due())
    await asyncio.wait({second}, timeout=0.3)
    let_go.set()
    await asyncio.gather(first, second)
    assert await JobRunner(db, {"test.work": work}).run_due() == 1

    assert most == 1
    assert await jobs(db) == []


async def test_a_wish_for_later_made_while_the_job_runs_is_kept_for_later(timed: CellDb, clock: Clock) -> None:
    async def work(db: CellDb, _: Mapping[str, Any]) -> Snooze:
        await outbox_events.enqueue(db, "test.work", "k", {}, delay_s=60)
        return Snooze(1)

    runner = JobRunner(timed, {"test.work": work})
    await outbox_events.enqueue(timed, "test.work", "k", {})
    assert await runner.run_due() == 1

    clock.advance(59)
    assert await runner.run_due() == 0
    assert await runner.wait_s() == 1.0
    clock.advance(1)

    assert await runner.run_due() == 1


async def test_a_job_that_was_wished_for_while_its_worker_died_runs_when_the_lease_is_over(
    timed: CellDb, clock: Clock
) -> None:
    await outbox_events.enqueue(timed, "test.work", "k", {"n": "first"})
    until = clock.now() + timedelta(seconds=job_runner.LEASE_S)
    await queries.claim_jobs(timed, kinds=["test.work"], limit=1, lease_token=new_id(), now=clock.now(), until=until)
    await outbox_events.enqueue(timed, "test.work", "k", {"n": "second"})
    work = Work()
    runner = JobRunner(timed, {"test.work": work})

    assert await runner.run_due() == 0
    clock.advance(job_runner.LEASE_S)
    assert await runner.run_due() == 1

    assert work.ran == [{"n": "second"}]


async def test_a_job_that_takes_too_long_is_ended_before_its_lease_is(
    db: CellDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runner, "LEASE_S", 5.1)

    async def work(_: CellDb, __: Mapping[str, Any]) -> Done:
        await asyncio.Event().wait()
        return Done()

    await outbox_events.enqueue(db, "test.work", "k", {})

    with structlog.testing.capture_logs() as logs:
        assert await JobRunner(db, {"test.work": work}).run_due() == 1

    assert logs[0]["event"] == "job timed out"
    assert await db.value("SELECT last_error FROM jobs") == "TimeoutError()"


async def test_old_jobs_come_first(db: CellDb) -> None:
    work = Work()
    for n in range(job_runner.BATCH + 10):
        await outbox_events.enqueue(db, "test.work", str(n), {"n": n})

    first = await JobRunner(db, {"test.work": work}).run_due()

    assert first == job_runner.BATCH
    assert sorted(argument["n"] for argument in work.ran) == list(range(job_runner.BATCH))
