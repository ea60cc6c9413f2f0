"""Receipts: whatever their order and number, status moves forward only."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState, TextError
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.delivery.receipts.rules import GIVEN_UP, next_status, outcome_of
from agentmessage.kernel.db import CellDb
from agentmessage.messages.model import Status
from agentmessage.smpp.receipts import State
from tests.delivery.harness import admit, history_of, open_worker, ready_sender, status_of
from tests.make.accounts import Account

LONG = "Acme: " + "a" * 300
FINALS = (Status.DELIVERED, Status.UNDELIVERED, Status.FAILED)


def heard(carrier_id: str, state: ReceiptState, *, error: TextError | None = None, **given: object) -> ReceiptHeard:
    values = {"carrier": "smpp", "carrier_message_id": carrier_id, "state": state, "error": error, "raw": "raw"} | given
    return ReceiptHeard(happened_at=datetime.now(UTC), **values)  # type: ignore[arg-type]


@given(st.lists(st.lists(st.sampled_from([None, *FINALS]), min_size=1, max_size=4), max_size=8))
def test_status_never_moves_backwards_whatever_receipts_say(told: list[list[Status | None]]) -> None:
    """A final state stays, but for the wait that we gave up ourselves."""
    status: Status = Status.SENT
    for parts in told:
        moved = next_status(status, None, outcome_of(parts))
        assert moved is None or status is Status.SENT
        status = moved or status
    assert status in (Status.SENT, *FINALS)


@pytest.mark.parametrize("error", sorted(GIVEN_UP))
def test_only_a_wait_that_we_gave_up_turns_into_delivered(error: str) -> None:
    assert next_status("undelivered", error, Status.DELIVERED) is Status.DELIVERED
    assert next_status("undelivered", error, Status.FAILED) is None
    assert next_status("undelivered", "expired", Status.DELIVERED) is None
    assert next_status("failed", error, Status.DELIVERED) is None


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([None, "delivered"], None),
        (["delivered", "delivered"], Status.DELIVERED),
        ([None, "undelivered"], Status.UNDELIVERED),
        (["undelivered", "failed"], Status.FAILED),
        ([None], None),
    ],
)
def test_a_long_text_is_delivered_when_all_its_parts_are_and_lost_with_any(
    parts: list[str | None], outcome: Status | None
) -> None:
    assert outcome_of(parts) is outcome


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        (State.DELIVERED, "000", ("delivered", None)),
        (State.UNDELIVERABLE, "000", ("undelivered", "destination_unreachable")),
        (State.EXPIRED, "000", ("undelivered", "expired")),
        (State.REJECTED, "000", ("failed", "carrier_rejected")),
        (State.DELETED, "000", ("failed", "carrier_rejected")),
        (State.UNKNOWN, "000", ("undelivered", "unknown")),
        (State.UNDELIVERABLE, "152", ("undelivered", "landline_or_unsupported")),
        (State.REJECTED, "4476", ("failed", "sender_unregistered")),
        (State.ENROUTE, "000", ("sent", None)),
        (State.ACCEPTED, "000", ("sent", None)),
    ],
)
async def test_each_state_of_a_receipt_has_its_status(
    db: CellDb, account: Account, *, state: State, error: str, expected: tuple[str, str | None]
) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        await smsc.tell(next(iter(smsc.taken)), state, error=error)

    assert await status_of(db, message.id) == expected


async def test_a_receipt_told_twice_or_after_the_end_changes_nothing(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        (carrier_id,) = smsc.taken
        for state in (State.DELIVERED, State.DELIVERED, State.UNDELIVERABLE, State.ENROUTE):
            assert await smsc.tell(carrier_id, state) == 0

    assert await status_of(db, message.id) == ("delivered", None)
    assert await history_of(db, message.id) == [("sent", "accepted_by_carrier"), ("delivered", "receipt")]


@pytest.mark.parametrize("word", ["BUFFRED", "ACKED", "ACCEPTD", "ENROUTE", "UNKNOWN", "PARKED"])
async def test_a_delivery_wins_over_whatever_was_no_end(db: CellDb, account: Account, word: str) -> None:
    sender = await ready_sender(db, account)
    long, one, both = await admit(db, account.tenant, sender, LONG, "Acme: one.", "Acme: both.")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        carrier_ids = list(smsc.taken)
        for carrier_id in carrier_ids[:3]:
            await smsc.say(f"id:{carrier_id} stat:{word}")
            assert await smsc.tell(carrier_id, State.DELIVERED) == 0
        told = [smsc.say(f"id:{carrier_ids[3]} stat:{said}") for said in (word, "DELIVRD")]  # in one batch
        await asyncio.gather(*told)

    assert [await status_of(db, message.id) for message in (long, one, both)] == [("delivered", None)] * 3


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_parts_are_delivered_in_any_order(db: CellDb, account: Account, order: tuple[int, ...]) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, LONG + "b" * 150)
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        carrier_ids = list(smsc.taken)
        assert len(carrier_ids) == 3
        for place in order[:2]:
            await smsc.tell(carrier_ids[place], State.DELIVERED)
        halfway = await status_of(db, message.id)
        await smsc.tell(carrier_ids[order[2]], State.DELIVERED)

    assert halfway == ("sent", None)
    assert await status_of(db, message.id) == ("delivered", None)


async def test_one_lost_part_is_a_lost_text(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, LONG)
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        first, second = smsc.taken
        await smsc.tell(second, State.UNDELIVERABLE)
        await smsc.tell(first, State.DELIVERED)

    assert await status_of(db, message.id) == ("undelivered", "destination_unreachable")


async def test_a_receipt_that_comes_before_its_text_is_recorded_is_not_lost(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    early = heard("a000", ReceiptState.DELIVERED)
    await receipts.keep(db, "live", await receipts.apply(db, "live", [early]))
    async with open_worker(db) as (_, worker):
        await worker.turn()

    assert await status_of(db, message.id) == ("delivered", None)
    assert await db.value("SELECT count(*) FROM unmatched_receipts") == 0


async def test_a_receipt_and_the_record_of_its_text_that_miss_each_other_meet_later(
    db: CellDb, account: Account
) -> None:
    """Each transaction may begin before the other commits, and then neither sees the other."""
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (_, worker):
        await worker.turn()
        await receipts.keep(db, "live", [heard("a000", ReceiptState.DELIVERED)])

        assert await worker.sweep() == 1

    assert await status_of(db, message.id) == ("delivered", None)


async def test_a_receipt_for_an_unknown_id_is_acknowledged_kept_and_forgotten(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        assert await smsc.tell("nobody-knows", State.DELIVERED) == 0
        kept = await db.value("SELECT count(*) FROM unmatched_receipts")
        await db.run("UPDATE unmatched_receipts SET received_at = received_at - interval '25 hours'")
        await worker.sweeper.tidy()

    assert kept == 1
    assert await db.value("SELECT count(*) FROM unmatched_receipts") == 0


async def test_no_receipt_for_too_long_is_undelivered_and_a_late_one_still_counts(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    messages = await admit(db, account.tenant, sender, "Acme: one.", LONG)
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        await db.run("UPDATE message_parts SET created_at = $1", db.now - timedelta(hours=73))
        await worker.sweeper.give_up()
        given_up = [await status_of(db, message.id) for message in messages]
        again = await worker.sweeper.give_up()
        for carrier_id in smsc.taken:
            await smsc.tell(carrier_id, State.DELIVERED)

    assert given_up == [("undelivered", "receipt_timeout")] * 2
    assert again == 0
    assert [await status_of(db, message.id) for message in messages] == [("delivered", None)] * 2
    assert await db.value("SELECT sum(quantity)::int FROM usage_rows") == 3


async def test_a_late_word_on_an_unknown_text_delivers_and_charges_it(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db, response_timeout_s=0.1) as (smsc, worker):
        smsc.decide = lambda _: None
        await worker.turn()
        unknown = await status_of(db, message.id)
    told = [
        heard("b1", ReceiptState.SENT, message_id=message.id),
        heard("b1", ReceiptState.DELIVERED, message_id=message.id),
    ]

    assert await receipts.apply(db, "live", told) == []

    assert unknown == ("undelivered", "unknown")
    assert await status_of(db, message.id) == ("delivered", None)
    assert await db.value("SELECT sum(quantity)::int FROM usage_rows WHERE kind = 'outbound_sms'") == 1
    assert await db.value("SELECT is_charged FROM messages")


async def test_a_recipient_whom_the_carrier_says_has_opted_out_is_texted_no_more(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        (carrier_id,) = smsc.taken
        await smsc.tell(carrier_id, State.REJECTED, error="4775")
        await smsc.tell(carrier_id, State.REJECTED, error="4775")

    assert await db.all(str, "SELECT suppressed_by FROM consents") == ["carrier"]
    assert await db.value("SELECT count(*) FROM consent_history WHERE event = 'opt_out'") == 1
