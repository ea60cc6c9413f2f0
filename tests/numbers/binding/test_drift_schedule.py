"""Whose turn it is to sweep, and when the next sweep is due."""

from datetime import timedelta

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import drift_queries
from agentmessage.numbers.binding.drift import SweepResult

RESULT = SweepResult(1, 0, 0, 0, None, 0.1)
LEASE = timedelta(seconds=90)
REST = timedelta(seconds=900)


async def _swept(db: CellDb, *, wanted_meanwhile: bool) -> timedelta:
    """A sweep of several pages; returns how long after its end the next one is due."""
    token = new_id()
    account = await drift_queries.claim(db, ["live"], now=db.now, until=db.now + LEASE, lease_token=token)
    assert account == "live"
    assert await drift_queries.extend(db, "live", token, db.now + LEASE)
    if wanted_meanwhile:
        await drift_queries.want(db, "live", db.now)
    assert await drift_queries.extend(db, "live", token, db.now + LEASE)
    ended_at = db.now
    await drift_queries.finish(db, "live", token, due_at=ended_at + REST, result=RESULT)
    due_at = await db.value("SELECT due_at FROM directory.drift_sweeps WHERE account = 'live'")
    return due_at - ended_at


async def test_a_sweep_of_several_pages_is_followed_by_the_whole_rest(db: CellDb) -> None:
    assert await _swept(db, wanted_meanwhile=False) == REST


async def test_a_sweep_that_was_wanted_during_another_comes_right_after_it(db: CellDb) -> None:
    assert await _swept(db, wanted_meanwhile=True) <= timedelta(0)
