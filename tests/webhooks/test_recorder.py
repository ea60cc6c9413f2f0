"""What came of deliveries is written down once, and nothing that is over comes back."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.settings import Settings
from agentmessage.webhooks import attempt_result, fanout, result_queries
from agentmessage.webhooks.attempt_result import AttemptResult
from agentmessage.webhooks.endpoint_queues import Delivery
from agentmessage.webhooks.model import Outcome, Reply
from agentmessage.webhooks.recorder import Recorder
from tests.make.accounts import Account
from tests.webhooks.receiving import endpoint, happen


@pytest.fixture
async def delivery(db: CellDb, settings: Settings, account: Account) -> Delivery:
    """One that waits."""
    await endpoint(db, settings, account.org_id, "https://customer.example/hook")
    await happen(db, account.org_id)
    await fanout.run_once(db)
    found = await db.one(
        _delivery,
        """SELECT queue_id, org_id, due_at, id, event_id, public_event_id FROM webhook_deliveries WHERE org_id = $1""",
        account.org_id,
    )
    assert found is not None
    return found


def _delivery(*columns: Any) -> Delivery:
    queue_id, org_id, due_at, delivery_id, event_id, public_event_id = columns
    return Delivery(
        queue_id=queue_id,
        org_id=org_id,
        is_number=False,
        url="https://customer.example/hook",
        secrets=(),
        due_at=due_at,
        id=delivery_id,
        event_id=event_id,
        public_event_id=public_event_id,
        attempts=0,
        type="organization.updated",
        happened_at=due_at,
        data="{}",
    )


def answered(db: CellDb, delivery: Delivery, status: int) -> AttemptResult:
    reply = Reply(headers={"a": "b"}, status=status, time_ms=5, excerpt=None, error=None)
    return attempt_result.judged(delivery, b"{}", reply, failing_since=None, at=db.now, chance=0.5)


async def waiting(db: CellDb) -> int:
    return await db.value("SELECT count(*) FROM webhook_deliveries")


async def test_what_another_dispatcher_has_ended_does_not_come_back(db: CellDb, delivery: Delivery) -> None:
    """Two told it, since one was taken for dead: the success stands, and the later failure is a line of the log."""
    recorder = Recorder(db)
    await recorder.record(answered(db, delivery, 200))

    await recorder.record(answered(db, delivery, 500))

    assert await waiting(db) == 0
    assert await db.value("SELECT count(*) FROM webhook_attempts") == 2


async def test_a_delivery_that_is_put_off_twice_waits_once(db: CellDb, delivery: Delivery) -> None:
    recorder = Recorder(db)
    await recorder.record(answered(db, delivery, 500))
    await recorder.record(answered(db, delivery, 500))

    assert await waiting(db) == 1
    assert await db.value("SELECT attempts FROM webhook_deliveries") == 1


async def test_the_first_of_many_failures_is_remembered(db: CellDb, delivery: Delivery) -> None:
    recorder = Recorder(db)
    first = answered(db, delivery, 500)
    await recorder.record(first)

    await recorder.record(replace(first, at=first.at + timedelta(hours=1)))

    assert await db.value("SELECT failing_since FROM webhook_queues") == first.at


@pytest.mark.parametrize(
    ("attempts", "status", "was_asked", "has_body", "outcome"),
    [
        (0, 200, True, True, Outcome.SUCCESS),
        (0, 299, True, True, Outcome.SUCCESS),
        (0, 301, True, True, Outcome.RETRY),
        (0, 400, True, True, Outcome.RETRY),
        (0, 410, True, True, Outcome.DEAD),
        (9, 500, True, True, Outcome.RETRY),
        (10, 500, True, True, Outcome.DEAD),
        (0, None, True, True, Outcome.RETRY),
        (0, None, False, True, Outcome.RETRY),
        (0, None, False, False, Outcome.DEAD),
    ],
)
async def test_an_answer_decides_what_follows(
    db: CellDb, attempts: int, status: int | None, outcome: Outcome, *, was_asked: bool, has_body: bool
) -> None:
    delivery = replace(_delivery(new_id(), new_id(), db.now, new_id(), new_id(), new_id()), attempts=attempts)
    reply = Reply(headers={"a": "b"} if was_asked else {}, status=status, time_ms=5, excerpt=None, error=None)

    result = attempt_result.judged(
        delivery, b"{}" if has_body else None, reply, failing_since=None, at=db.now, chance=0.0
    )

    assert result.outcome is outcome
    assert (result.next_at is not None) is (outcome is Outcome.RETRY)
    assert result.is_success is ((outcome is Outcome.SUCCESS) if was_asked else None)


async def test_what_is_being_abandoned_is_left_to_who_does(db: CellDb, delivery: Delivery) -> None:
    """Neither waits for the other: the books go on while an endpoint is being deleted."""
    async with db.transaction() as tx:
        await tx.run("DELETE FROM webhook_deliveries WHERE queue_id = $1", delivery.queue_id)

        await result_queries.settle(db, [delivery], [None])

    assert await waiting(db) == 0
