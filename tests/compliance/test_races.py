"""Concurrency never beats the law: two API processes, one organization, one contact."""

import asyncio
import itertools
from uuid import UUID

import pytest

from agentmessage.compliance.errors import RecipientOptedOut
from agentmessage.consent import operations as consent
from agentmessage.consent.model import Source, Suppression
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.ids import new_id
from agentmessage.messages import operations as messages
from agentmessage.messages.admission import Admission
from agentmessage.messages.draft import Draft
from agentmessage.messages.model import Cause, Message
from tests.compliance.test_preflight import bind_profile
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number that may text CONTACT."""
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await set_throughput(db, account.tenant)
    await db.run("INSERT INTO send_accounts (org_id) VALUES ($1)", account.org_id)  # as after a first message
    return sender


def draft(account: Account, sender: Sender) -> Draft:
    return Draft(id=new_id(), tenant=account.tenant, sender=sender.number, recipient=CONTACT, text="Acme: hi")


def two_admissions(db: CellDb) -> list[Admission]:
    """The admission of two processes."""
    return [Admission(db, lambda _, __: None, requires_propagation=True) for _ in range(2)]


async def outcome(admission: Admission, asked: Draft) -> Message | ApiError:
    try:
        return await admission.admit(asked)
    except ApiError as refusal:
        return refusal


async def test_messages_that_together_exceed_a_cap_are_not_all_accepted(
    db: CellDb, account: Account, sender: Sender
) -> None:
    await bind_profile(
        db, account.org_id, "brand", await _brand_of(db, sender),
        freq_cap_disabled=False, freq_cap_window_minutes=60, freq_cap_max_in_window=3,
    )  # fmt: skip
    admissions = itertools.cycle(two_admissions(db))

    outcomes = await asyncio.gather(*(outcome(next(admissions), draft(account, sender)) for _ in range(20)))

    assert sum(isinstance(decided, Message) for decided in outcomes) == 3
    assert {decided.code for decided in outcomes if isinstance(decided, ApiError)} == {"FREQUENCY_CAP_EXCEEDED"}


async def test_messages_that_together_exceed_the_credit_are_not_all_accepted(
    db: CellDb, account: Account, sender: Sender
) -> None:
    await db.run("UPDATE wallets SET balance_microcents = 5000000 WHERE org_id = $1", account.org_id)
    admissions = itertools.cycle(two_admissions(db))

    outcomes = await asyncio.gather(*(outcome(next(admissions), draft(account, sender)) for _ in range(20)))

    assert sum(isinstance(decided, Message) for decided in outcomes) == 5


async def test_a_stop_leaves_nothing_queued_however_it_races_with_sending(
    db: CellDb, account: Account, sender: Sender
) -> None:
    admissions = itertools.cycle(two_admissions(db))

    async def stop() -> None:
        async with db.transaction() as tx:
            await consent.lock_law(tx, account.org_id)
            await consent.opt_out(
                tx,
                account.org_id,
                sender.id,
                CONTACT,
                by=Suppression.KEYWORD,
                source=Source.INBOUND_REPLY,
                keyword="STOP",
            )
            await messages.cancel_pair(tx, account.org_id, sender.id, CONTACT, Cause.OPTED_OUT)

    for _ in range(10):
        await db.run("UPDATE consents SET opted_in = true, opted_in_at = now(), suppressed_by = NULL")
        sending = [outcome(next(admissions), draft(account, sender)) for _ in range(12)]
        await asyncio.gather(*sending[:6], stop(), *sending[6:])

        assert await db.value("SELECT count(*) FROM message_queue") == 0
        with pytest.raises(RecipientOptedOut):
            await next(admissions).admit(draft(account, sender))
    held = "SELECT (SELECT admitted_microcents FROM send_accounts) - settled_microcents FROM wallets WHERE org_id = $1"
    assert await db.value(held, account.org_id) == 0


async def in_waves(
    admission: Admission, account: Account, sender: Sender, *, messages: int
) -> list[Message | ApiError]:
    """Messages that keep coming while others are judged and written, so that flushes overlap."""
    asked: list[asyncio.Task[Message | ApiError]] = []
    for _ in range(messages):
        asked.append(asyncio.create_task(outcome(admission, draft(account, sender))))
        await asyncio.sleep(0.0002)
    return await asyncio.gather(*asked)


async def test_a_flush_that_is_judged_beside_the_one_ahead_counts_its_messages(
    db: CellDb, account: Account, sender: Sender
) -> None:
    await bind_profile(
        db, account.org_id, "brand", await _brand_of(db, sender),
        freq_cap_disabled=False, freq_cap_window_minutes=60, freq_cap_max_in_window=40,
    )  # fmt: skip

    outcomes = await in_waves(two_admissions(db)[0], account, sender, messages=120)

    assert sum(isinstance(outcome, Message) for outcome in outcomes) == 40
    assert (
        await db.value(
            "SELECT json_array_length(history->'sent'->$1) FROM contact_send_history", str(await _brand_of(db, sender))
        )
        == 40
    )


async def test_flushes_that_are_judged_beside_each_other_never_spend_more_than_there_is(
    db: CellDb, account: Account, sender: Sender
) -> None:
    admission, price_microcents, spent = two_admissions(db)[0], 1_000_000, 0

    for affordable in range(30, 50):
        await db.run(
            "UPDATE wallets SET balance_microcents = $2 WHERE org_id = $1",
            account.org_id,
            (spent + affordable) * price_microcents,
        )
        outcomes = await in_waves(admission, account, sender, messages=60)
        spent += affordable

        assert sum(isinstance(outcome, Message) for outcome in outcomes) == affordable
        assert await db.value("SELECT admitted_microcents FROM send_accounts") == spent * price_microcents


async def test_a_stop_is_seen_by_a_flush_that_was_judged_beside_the_one_it_overtook(
    db: CellDb, account: Account, sender: Sender
) -> None:
    admission = two_admissions(db)[0]

    async def stop() -> None:
        async with db.transaction() as tx:
            await consent.lock_law(tx, account.org_id)
            await tx.run("UPDATE consents SET opted_in = false, suppressed_by = 'keyword'")
            await messages.cancel_pair(tx, account.org_id, sender.id, CONTACT, Cause.OPTED_OUT)

    for pause_s in (0.001, 0.002, 0.004, 0.006, 0.008, 0.01):
        await db.run("UPDATE consents SET opted_in = true, opted_in_at = now(), suppressed_by = NULL")
        sending = asyncio.create_task(in_waves(admission, account, sender, messages=60))
        await asyncio.sleep(pause_s)
        await stop()
        await sending

        assert await db.value("SELECT count(*) FROM message_queue") == 0


async def _brand_of(db: CellDb, sender: Sender) -> UUID:
    return await db.value("SELECT brand_id FROM campaigns WHERE id = $1", sender.campaign_id)
