"""Workers that die, lose the database, or work side by side: nothing is lost and nothing is sent twice."""

import asyncio
from collections import Counter
from datetime import timedelta

from agentmessage.carriers.messaging import Handed
from agentmessage.carriers.protocols import Accepted
from agentmessage.carriers.smpp import SmppTexts
from agentmessage.delivery import dispatch_queries
from agentmessage.delivery.dispatcher import LEASE_S
from agentmessage.delivery.recorder import Recorder
from agentmessage.delivery.sweeper import ORPHANED
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.smpp.receipts import State
from tests.delivery.harness import (
    PATIENCE_S,
    MessageWorkerHarness,
    Smsc,
    account_at,
    admit,
    open_worker,
    ready_sender,
    smsc_up,
    status_of,
    worker_on,
)
from tests.make.accounts import Account

OVERDUE = timedelta(seconds=LEASE_S + 1)


async def _age(db: CellDb) -> None:
    await db.run(
        "UPDATE message_queue SET claim_until = claim_until - $1::interval WHERE claimed_at IS NOT NULL", OVERDUE
    )


async def test_a_text_whose_worker_died_is_unknown_and_is_not_sent_again(db: CellDb, account: Account) -> None:
    """A claim is committed before the carrier hears of it, so nobody can know whether it did."""
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    dead = new_id()
    async with db.transaction() as tx:
        await dispatch_queries.claim(tx, [message.id], token=dead, until=db.now + timedelta(seconds=LEASE_S))
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        found_early = await worker.sweep()
        await _age(db)
        found = await worker.sweep()
        await worker.turn()

    assert (found_early, found) == (0, 1)
    assert smsc.asked == []
    assert await status_of(db, message.id) == ("undelivered", "unknown")
    assert await db.value("SELECT count(*) FROM message_queue") == 0


async def test_a_living_worker_keeps_its_claims(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: None
        await worker.dispatcher.until_room()
        await worker.dispatcher.turn()
        await _age(db)
        await worker.dispatcher.prolong()

        assert await worker.sweep() == 0
        assert await status_of(db, message.id) == ("queued", None)


async def test_what_a_worker_learns_after_it_lost_a_claim_still_leads_receipts_to_the_text(
    db: CellDb, account: Account
) -> None:
    """It was away for so long that another has declared the outcome unknown; then the answer came after all."""
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: None
        await worker.dispatcher.until_room()
        await worker.dispatcher.turn()
        await _age(db)
        (orphan,) = await dispatch_queries.adopt_orphans(
            db, "live", ["sms"], token=new_id(), until=db.now + timedelta(seconds=LEASE_S), limit=10
        )
        other = Recorder(db, "live", "smpp", await db.value("SELECT claim_token FROM message_queue"))
        other.add(orphan, ORPHANED)
        await other.until_caught_up()
        worker.recorder.add(orphan, Accepted(Handed(("c0ffee",))))
        await worker.recorder.until_caught_up()
        unknown = await status_of(db, message.id)
        charged = await db.value("SELECT count(*) FROM usage_rows")
        smsc.taken["c0ffee"] = smsc.asked[0]
        await smsc.tell("c0ffee", State.DELIVERED)

    assert unknown == ("undelivered", "unknown")
    assert charged == 0
    assert await status_of(db, message.id) == ("delivered", None)
    assert await db.value("SELECT count(*) FROM usage_rows") == 1


async def test_two_workers_share_a_queue_and_send_each_text_once(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, *(f"Acme: {number}" for number in range(300)))

    async with smsc_up(Smsc()) as smsc:
        lines = [SmppTexts(account_at(smsc.port, window=10)) for _ in range(2)]
        async with worker_on(db, lines[0]) as one, worker_on(db, lines[1]) as other, asyncio.timeout(PATIENCE_S):
            await asyncio.gather(_work_off(db, one), _work_off(db, other))

    sent = Counter(bytes(pdu.short_message) for pdu in smsc.asked)
    assert len(sent) == 300
    assert set(sent.values()) == {1}
    assert await db.value("SELECT count(*) FROM messages WHERE status = 'sent'") == 300
    assert await db.value("SELECT count(*) FROM usage_rows") == 300


async def _work_off(db: CellDb, worker: MessageWorkerHarness) -> None:
    while await db.value("SELECT count(*) FROM message_queue"):
        await worker.turn()


async def test_a_line_that_is_lost_in_the_middle_leaves_unknown_and_goes_on_when_it_is_back(
    db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    lost, later = await admit(db, account.tenant, sender, "Acme: lost.", "Acme: later.")
    async with open_worker(db, window=1) as (smsc, worker):
        smsc.decide = lambda _: None
        await worker.dispatcher.until_room()
        await worker.dispatcher.turn()
        async with asyncio.timeout(PATIENCE_S):
            await smsc.was_asked.wait()
        assert smsc.session is not None
        smsc.session.abort("the carrier is gone")
        await worker.settle()
        smsc.decide = lambda _: 0
        await worker.turn()

    assert await status_of(db, lost.id) == ("undelivered", "unknown")
    assert await status_of(db, later.id) == ("sent", None)
    assert [bytes(pdu.short_message) for pdu in smsc.asked] == [b"Acme: lost.", b"Acme: later."]


async def test_a_lane_that_cannot_be_judged_stands_alone(db: CellDb, account: Account, stranger: Account) -> None:
    """Bad data of one organization must not stop the texts of all."""
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, "Acme: hi.")
    quiet = await ready_sender(db, stranger, "+14155550199")
    (message,) = await admit(db, stranger.tenant, quiet, "Stranger: hi.")
    await db.run("UPDATE organizations SET quiet_hours = '{\"start\": 5}' WHERE id = $1", account.org_id)
    async with open_worker(db) as (smsc, worker):
        await worker.turn()

    assert await status_of(db, message.id) == ("sent", None)
    assert [bytes(pdu.short_message) for pdu in smsc.asked] == [b"Stranger: hi."]


async def test_an_outcome_that_cannot_be_recorded_does_not_hold_up_the_others(db: CellDb, account: Account) -> None:
    """Its claim is let go of, so that it becomes unknown instead of pending for ever."""
    sender = await ready_sender(db, account)
    bad, good = await admit(db, account.tenant, sender, "Acme: bad.", "Acme: good.")
    await db.run("UPDATE messages SET unit_price_microcents = -1 WHERE id = $1", bad.id)
    async with open_worker(db) as (_, worker):
        await worker.turn()
        await _age(db)
        await worker.dispatcher.prolong()
        await worker.sweep()

    assert await status_of(db, good.id) == ("sent", None)
    assert await status_of(db, bad.id) == ("undelivered", "unknown")
