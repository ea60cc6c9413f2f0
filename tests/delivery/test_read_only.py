"""Answers of the carrier that come while the database takes no writes are kept, and recorded when it does again."""

from datetime import timedelta

import pytest

from agentmessage.delivery.dispatcher import LEASE_S
from agentmessage.delivery.sweeper import GRACE_S, Sweeper
from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb
from agentmessage.kernel.ids import new_id
from tests.delivery.harness import admit, age, hand_over, open_worker, ready_sender, status_of, until
from tests.kernel.test_database_away import read_only
from tests.make.accounts import Account

OVERDUE = timedelta(seconds=LEASE_S + 1)


async def test_known_answers_outlive_a_database_that_takes_no_writes(
    db: CellDb, account: Account, postgres: EmbeddedPostgres
) -> None:
    """Also when it lasts longer than the claims, and another worker sweeps first when it is over."""
    sender = await ready_sender(db, account)
    flying = await admit(db, account.tenant, sender, *(f"Acme: {number}." for number in range(9)))
    async with open_worker(db) as (smsc, worker), open_worker(db) as (other_smsc, other):
        smsc.decide = lambda _: None
        await hand_over(smsc, worker, count=len(flying))
        (waiting,) = await admit(db, account.tenant, sender, "Acme: waits.")
        async with read_only(postgres, db):
            smsc.speak.set()
            await until(lambda: worker.recorder.is_behind)
            assert await worker.dispatcher.turn() > 0
            for sweeper in (worker.sweeper, other.sweeper):
                with pytest.raises(DATABASE_UNAVAILABLE):
                    await sweeper.turn()
        await age(db, by=OVERDUE)

        assert await other.sweep() == 0, "the living have time to say that they live"
        await worker.sweep()
        await worker.settle()

        assert {await status_of(db, message.id) for message in flying} == {("sent", None)}
        assert (len(smsc.asked), other_smsc.asked) == (len(flying), [])
        await worker.turn()
        assert await status_of(db, waiting.id) == ("sent", None)


class Seconds:
    """A steady clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_claims_of_the_dead_are_taken_over_once_the_living_had_their_time(
    db: CellDb, account: Account, postgres: EmbeddedPostgres
) -> None:
    sender = await ready_sender(db, account)
    (lost,) = await admit(db, account.tenant, sender, "Acme: who knows?")
    seconds = Seconds()
    async with open_worker(db) as (_, worker):
        await db.run(
            "UPDATE message_queue SET claimed_at = now(), claim_token = $1, claim_until = now() - $2::interval",
            new_id(),
            OVERDUE,
        )
        sweeper = Sweeper(
            db, "live", frozenset({"sms"}), worker.recorder, token=worker.token, patience_h=72, elapsed=seconds
        )
        async with read_only(postgres, db):
            with pytest.raises(DATABASE_UNAVAILABLE):
                await sweeper.turn()
        assert await sweeper.turn() == 0

        seconds.now += GRACE_S

        assert await sweeper.turn() == 1
        await worker.settle()
    assert await status_of(db, lost.id) == ("undelivered", "unknown")


async def test_a_worker_does_not_take_its_own_claims_for_orphans(db: CellDb, account: Account) -> None:
    """A pause of the whole machine makes every claim overdue, and the sweep may come before they are prolonged."""
    sender = await ready_sender(db, account)
    (flying,) = await admit(db, account.tenant, sender, "Acme: on its way.")
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: None
        await hand_over(smsc, worker)
        await age(db, by=OVERDUE)

        assert await worker.sweep() == 0

        smsc.speak.set()
        await worker.settle()
    assert await status_of(db, flying.id) == ("sent", None)
