"""The frequency cap holds where it counts: at the hand-over, whatever kept messages back until then."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from agentmessage.compliance import operations as compliance
from agentmessage.compliance.model import Decision, SendRequest
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from tests.compliance.histories.world import Notebook
from tests.compliance.test_preflight import bind_profile
from tests.delivery.harness import MessageWorkerHarness, admit, ready_sender, worker_on
from tests.make.accounts import Account
from tests.make.clock import TestClock
from tests.make.texts import CONTACT, Sender

ONE_AN_HOUR = {"freq_cap_disabled": False, "freq_cap_window_minutes": 60, "freq_cap_max_in_window": 1}
NIGHT = {
    "quiet_hours_disabled": False,
    "quiet_hours_start_minute": 1260,
    "quiet_hours_end_minute": 480,
    "quiet_hours_mode": "defer",
}


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number that may text CONTACT."""
    return await ready_sender(db, account)


async def given(worker: MessageWorkerHarness) -> list[datetime]:
    """One turn of the worker, and when messages were handed over until now."""
    await worker.turn()
    assert isinstance(worker.line, Notebook)
    return [at for _, at, _ in worker.line.given]


async def test_messages_whose_worker_comes_late_do_not_go_out_together(
    db: CellDb, account: Account, clock: TestClock, sender: Sender
) -> None:
    await bind_profile(db, account.org_id, "phone_number", sender.id, **ONE_AN_HOUR)
    for _ in range(3):
        await admit(db, account.tenant, sender, "Acme: hi")
        clock.moment += timedelta(minutes=60)

    handed: list[int] = []
    async with worker_on(db, Notebook(clock)) as worker:
        for minutes in (0, 59, 1, 30, 31):
            clock.moment += timedelta(minutes=minutes)
            handed.append(len(await given(worker)))

    assert handed == [1, 1, 2, 2, 3]


async def test_a_message_that_is_sent_soon_after_a_late_one_waits(
    db: CellDb, account: Account, clock: TestClock, sender: Sender
) -> None:
    """Planned an hour apart, and lawful when it was accepted."""
    await bind_profile(db, account.org_id, "phone_number", sender.id, **ONE_AN_HOUR)
    await admit(db, account.tenant, sender, "Acme: hi")
    clock.moment += timedelta(minutes=61)
    async with worker_on(db, Notebook(clock)) as worker:
        await worker.turn()
        await admit(db, account.tenant, sender, "Acme: hi again")

        too_soon = len(await given(worker))
        clock.moment += timedelta(minutes=60)
        in_time = len(await given(worker))

    assert (too_soon, in_time) == (1, 2)


async def test_a_cap_counts_messages_that_were_accepted_before_it(
    db: CellDb, account: Account, clock: TestClock, sender: Sender
) -> None:
    await admit(db, account.tenant, sender, "Acme: one", "Acme: two")
    await bind_profile(db, account.org_id, "phone_number", sender.id, **ONE_AN_HOUR)

    async with worker_on(db, Notebook(clock)) as worker:
        assert len(await given(worker)) == 1


async def test_a_message_that_waits_for_the_morning_is_counted_there(
    db: CellDb, account: Account, clock: TestClock, sender: Sender
) -> None:
    """Two messages of one night, two hours apart, would both go out in the first minute of the morning."""
    await bind_profile(db, account.org_id, "phone_number", sender.id, **ONE_AN_HOUR, **NIGHT)
    clock.moment += timedelta(hours=9)
    (first,) = await admit(db, account.tenant, sender, "Acme: hi")
    clock.moment += timedelta(hours=2)

    with pytest.raises(Exception, match="often enough") as refused:
        await admit(db, account.tenant, sender, "Acme: hi again")

    assert first.scheduled_at is not None
    resets_at = (first.scheduled_at + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert getattr(refused.value, "details", None) == {"resets_at": resets_at}


async def test_a_message_that_its_carrier_put_off_does_not_stand_in_its_own_way(
    db: CellDb, account: Account, clock: TestClock, sender: Sender
) -> None:
    await bind_profile(db, account.org_id, "phone_number", sender.id, **ONE_AN_HOUR)
    await admit(db, account.tenant, sender, "Acme: hi")
    line = Notebook(clock)
    line.answers = ["deferred"]
    async with worker_on(db, line) as worker:
        await worker.turn()
        clock.moment += timedelta(minutes=10)
        await worker.turn()

    assert [answer for _, _, answer in line.given] == ["deferred", "accepted"]


async def test_workers_that_text_somebody_for_the_first_time_at_once_keep_the_cap_together(
    db: CellDb, account: Account, clock: TestClock, sender: Sender
) -> None:
    """The second comes to count when the first has; it judges again, and is told to come back in an hour."""
    await bind_profile(db, account.org_id, "phone_number", sender.id, **ONE_AN_HOUR)
    first, second = new_id(), new_id()
    ask = SendRequest(account.org_id, "live", sender.number, CONTACT, "customer", clock.moment)
    has_judged, may_count = asyncio.Event(), asyncio.Event()

    async def hand_over_the_second() -> Sequence[Decision]:
        judgements: list[Decision] = []
        while True:
            with contextlib.suppress(compliance.CapCounterConflict):
                async with db.transaction() as tx:
                    judged = await compliance.recheck(tx, {second: ask}, requires_propagation=True)
                    judgements.append(judged[second])
                    has_judged.set()
                    await may_count.wait()
                    await compliance.count_submissions(tx, judged, [second] if judged[second].ready_at is None else [])
                return judgements

    async with db.transaction() as tx:
        judged = await compliance.recheck(tx, {first: ask}, requires_propagation=True)
        other = asyncio.create_task(hand_over_the_second())
        await has_judged.wait()
        await compliance.count_submissions(tx, judged, [first])
        may_count.set()
        while not (other.done() or await somebody_waits(db)):
            pass  # asking the database lets the other one run

    premature, verdict = await other
    assert judged[first].ready_at is None
    assert premature.ready_at is None
    assert verdict.ready_at is not None
    assert verdict.ready_at - clock.moment > timedelta(minutes=59)


async def somebody_waits(db: CellDb) -> bool:
    """A statement of this database waits for a lock."""
    return bool(
        await db.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )
