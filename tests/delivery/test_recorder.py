"""From the queue to the carrier and back: what is handed over, what is recorded, and what it costs."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from agentmessage.billing import queries as ledger
from agentmessage.kernel.db import CellDb
from agentmessage.messages import queries
from agentmessage.messages.schemas import MessageOut
from agentmessage.smpp.pdu import Status
from agentmessage.smpp.receipts import State
from tests.delivery.harness import admit, history_of, open_worker, ready_sender, status_of
from tests.make.accounts import Account
from tests.make.texts import CONTACT

LONG = "Acme: " + "a" * 300


async def test_a_text_is_sent_once_and_delivered_by_its_receipt(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: you are next.")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        (carrier_id,) = smsc.taken
        sent = await status_of(db, message.id)

        assert await smsc.tell(carrier_id, State.DELIVERED) == 0

    assert sent == ("sent", None)
    assert await status_of(db, message.id) == ("delivered", None)
    assert await history_of(db, message.id) == [("sent", "accepted_by_carrier"), ("delivered", "receipt")]
    assert smsc.taken[carrier_id].short_message == b"Acme: you are next."
    assert await db.value("SELECT count(*) FROM message_queue") == 0
    assert await db.all(str, "SELECT type FROM events WHERE family = 'message' ORDER BY id") == [
        "message.sent",
        "message.delivered",
    ]


async def test_an_event_carries_the_text_as_the_api_shows_it(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.", tag="t", metadata={"a": "b"}, priority=0)
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
        await smsc.tell(next(iter(smsc.taken)), State.DELIVERED)

    stored = await queries.find(db, account.org_id, message.id)
    assert stored is not None
    shown = msgspec.json.decode(msgspec.json.encode(MessageOut.of(stored)))
    assert await db.value("SELECT data FROM events WHERE type = 'message.delivered'") == shown


async def test_the_carrier_s_acceptance_is_charged_per_segment_and_frees_what_was_held(
    db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    before = await db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", account.org_id)
    await admit(db, account.tenant, sender, LONG, "Acme: short.")
    async with open_worker(db) as (_, worker):
        await worker.turn()

    spent = before - await db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", account.org_id)
    assert spent == 3 * 1_000_000
    settled = await db.value("SELECT settled_microcents FROM wallets WHERE org_id = $1", account.org_id)
    assert settled == await db.value("SELECT admitted_microcents FROM send_accounts WHERE org_id = $1", account.org_id)
    assert await db.value("SELECT sum(quantity)::int FROM usage_rows WHERE kind = 'outbound_sms'") == 3
    assert await ledger.list_unbalanced(db) == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (Status.INVALID_DESTINATION, "invalid_destination"),
        (Status.INVALID_SOURCE, "sender_invalid"),
        (Status.REJECTED, "carrier_rejected"),
        (Status.SUBMIT_FAILED, "provider_error"),
        (Status.UNKNOWN_ERROR, "unknown"),
        (0x0421, "unknown"),
    ],
)
async def test_a_refused_text_has_failed_costs_nothing_and_keeps_the_carrier_s_code(
    db: CellDb, account: Account, *, status: int, error: str
) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: status
        await worker.turn()

    assert await status_of(db, message.id) == ("failed", error)
    assert await db.value("SELECT carrier_code FROM messages") == f"0x{status:02X}"
    assert await db.value("SELECT count(*) FROM usage_rows") == 0
    assert await db.value("SELECT settled_microcents FROM wallets WHERE org_id = $1", account.org_id) == 1_000_000


async def test_a_text_put_off_by_the_carrier_goes_back_to_the_queue_and_out_again(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: Status.QUEUE_FULL
        await worker.turn()
        waiting = await db.one(
            lambda *row: row,
            "SELECT claimed_at, attempts, ready_at > $1 FROM message_queue",
            db.now + timedelta(seconds=5),
        )
        smsc.decide = lambda _: 0
        await db.run("UPDATE message_queue SET ready_at = $1", db.now)
        await worker.turn()

    assert waiting == (None, 1, True)
    assert await status_of(db, message.id) == ("sent", None)
    assert len(smsc.asked) == 2


async def test_a_carrier_that_always_puts_a_text_off_has_failed_it(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    await db.run("UPDATE message_queue SET attempts = 20")
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: Status.SYSTEM_ERROR
        await worker.turn()

    assert await status_of(db, message.id) == ("failed", "provider_error")


async def test_a_throttled_text_keeps_its_place_and_its_lane_waits(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, "Acme: hi.")
    before = await db.value("SELECT ready_at FROM message_queue")
    async with open_worker(db) as (smsc, worker):
        smsc.decide = lambda _: Status.THROTTLED
        await worker.turn()
        waits = await db.value("SELECT paused_until > $1 FROM send_rate_buckets WHERE scope LIKE 'queue:%'", db.now)

    assert waits is True
    assert await db.value("SELECT ready_at FROM message_queue") == before
    assert await db.value("SELECT attempts FROM message_queue") == 0


async def test_no_answer_is_unknown_and_never_sent_again(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db, response_timeout_s=0.1) as (smsc, worker):
        smsc.decide = lambda _: None
        await worker.turn()
        await worker.turn()
        await worker.sweep()

    assert await status_of(db, message.id) == ("undelivered", "unknown")
    assert await history_of(db, message.id) == [("undelivered", "outcome_unknown")]
    assert len(smsc.asked) == 1
    assert await db.value("SELECT count(*) FROM usage_rows") == 0


async def test_an_unknown_outcome_is_tried_again_where_the_operator_says_so(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    async with open_worker(db, response_timeout_s=0.1, retries_unknown=True) as (smsc, worker):
        smsc.decide = lambda _: None
        await worker.turn()
        smsc.decide = lambda _: 0
        await db.run("UPDATE message_queue SET ready_at = $1", db.now)
        await worker.turn()

    assert await status_of(db, message.id) == ("sent", None)
    assert len(smsc.asked) == 2


async def test_a_text_that_the_law_no_longer_allows_is_canceled_at_the_door(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    await db.run("UPDATE consents SET opted_in = false, suppressed_by = 'keyword'")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()

    assert smsc.asked == []
    assert await status_of(db, message.id) == ("canceled", "recipient_opted_out")
    assert await history_of(db, message.id) == [("canceled", "opted_out")]
    settled = await db.value("SELECT settled_microcents FROM wallets WHERE org_id = $1", account.org_id)
    assert settled == 1_000_000


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE campaigns SET status = 'EXPIRED'",
        "UPDATE campaigns SET is_suspended = true",
        "UPDATE phone_numbers SET campaign_id = NULL",
        "UPDATE phone_numbers SET line_option_status = 'pending'",
        "UPDATE phone_numbers SET state = 'quarantined'",
    ],
)
async def test_a_sender_that_may_not_text_any_more_sends_nothing(db: CellDb, account: Account, change: Any) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    await db.run(change)
    async with open_worker(db) as (smsc, worker):
        await worker.turn()

    assert smsc.asked == []
    status, error = await status_of(db, message.id)
    assert (status, error) in {("failed", "sender_unregistered"), ("failed", "sender_invalid")}


async def test_a_text_whose_validity_is_over_has_expired_also_while_the_line_is_down(
    db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: hi.")
    await db.run("UPDATE message_queue SET expires_at = $1", db.now - timedelta(seconds=1))
    async with open_worker(db) as (smsc, worker):
        assert await worker.sweep() == 1

    assert smsc.asked == []
    assert await status_of(db, message.id) == ("failed", "expired")


async def test_a_scheduled_text_waits_for_its_time(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, "Acme: later.", scheduled_at=db.now + timedelta(hours=1))
    async with open_worker(db) as (smsc, worker):
        assert await worker.turn() > 0

    assert smsc.asked == []


async def test_an_urgent_text_overtakes_and_the_rest_keeps_its_order(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, "low", priority=2)
    await admit(db, account.tenant, sender, "first")
    await admit(db, account.tenant, sender, "second")
    await admit(db, account.tenant, sender, "high", priority=0)
    async with open_worker(db, window=1) as (smsc, worker):
        for _ in range(4):
            await worker.turn()

    assert [pdu.short_message for pdu in smsc.asked] == [b"high", b"first", b"second", b"low"]


async def test_texts_out_appear_in_their_conversation(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    messages = await admit(db, account.tenant, sender, "one", "two")
    async with open_worker(db) as (_, worker):
        await worker.turn()

    row = await db.one(
        lambda *row: row,
        "SELECT contact_number, message_count, last_direction, last_preview FROM conversations WHERE org_id = $1",
        account.org_id,
    )
    assert row in {(CONTACT, 2, "outbound", "two"), (CONTACT, 2, "outbound", "one")}
    assert await db.value("SELECT count(*) FROM conversation_entries") == len(messages)
