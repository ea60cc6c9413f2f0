"""Double opt-in: asked once, answered in time or not, never against an opt-out."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from agentmessage.consent import operations as consents
from agentmessage.consent.model import Source, Suppression
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.optin import operations
from tests.conftest import NOWHERE
from tests.make.accounts import Account
from tests.make.texts import CONTACT, insert_consent, insert_sender
from tests.optin.conftest import AGREEMENT, OptInHarness


async def stop(harness: OptInHarness, by: Suppression = Suppression.KEYWORD) -> bool:
    """The contact opts out."""
    async with harness.db.transaction() as tx:
        return await consents.opt_out(
            tx,
            harness.account.org_id,
            harness.sender.id,
            CONTACT,
            by=by,
            source=Source.INBOUND_REPLY,
            keyword="STOP",
            raw_event_id=str(new_id()),
        )


@pytest.mark.covers("initiateDoubleOptIn", 202)
async def test_202_a_question_is_texted_and_waits_for_a_day(harness: OptInHarness) -> None:
    reply = await harness.ask()

    asked = reply.json
    assert reply.status == 202
    assert (asked["reused"], asked["already_opted_in"]) == (False, False)
    assert asked["expires_at"].startswith("2026-07-02T17:00:00")
    assert await harness.texts() == [(CONTACT, "Acme Dental: reply YES to get reminders.")]
    assert asked["confirmation_message_id"] == str(await harness.db.value("SELECT id FROM messages"))
    assert await harness.consent() is None
    assert await harness.facts() == []


async def test_a_question_that_does_not_say_how_to_answer_is_completed(harness: OptInHarness) -> None:
    await harness.ask(confirmation_text="Acme Dental would like to send you reminders. ")

    assert await harness.texts() == [(CONTACT, "Acme Dental would like to send you reminders. Reply YES to confirm.")]


@pytest.mark.covers("initiateDoubleOptIn", 200)
async def test_200_an_open_question_is_not_texted_again(harness: OptInHarness) -> None:
    first = (await harness.ask()).json

    second = await harness.ask(confirmation_text="Acme Dental: again, YES?")

    assert second.status == 200
    assert second.json == first | {"reused": True}
    assert len(await harness.texts()) == 1


@pytest.mark.covers("initiateDoubleOptIn", 200)
async def test_200_who_has_agreed_is_not_asked(harness: OptInHarness) -> None:
    await insert_consent(harness.db, harness.account.tenant, harness.sender)

    reply = await harness.ask()

    assert reply.status == 200
    assert reply.json == {
        "consent_pending_id": None,
        "confirmation_message_id": None,
        "expires_at": None,
        "reused": False,
        "already_opted_in": True,
    }
    assert await harness.texts() == []


async def test_many_questions_at_once_are_one_text(harness: OptInHarness) -> None:
    replies = await asyncio.gather(*(harness.ask() for _ in range(6)))

    assert sorted(reply.status for reply in replies) == [200] * 5 + [202]
    assert len({reply.json["consent_pending_id"] for reply in replies}) == 1
    assert len(await harness.texts()) == 1


@pytest.mark.parametrize("keyword", ["YES", "CONFIRM"])
async def test_a_yes_in_time_is_a_consent_with_the_agreement_as_its_evidence(
    harness: OptInHarness, keyword: str
) -> None:
    asked = (await harness.ask()).json

    assert await harness.answer(keyword)

    consent = await harness.consent()
    (entry,) = await harness.history()
    assert (consent["opted_in"], consent["consent_method"], consent["source"]) == (
        True,
        "double_opt_in",
        "inbound_reply",
    )
    assert (entry["event"], entry["keyword"], entry["evidence_agreement_text"]) == ("opt_in", keyword, AGREEMENT)
    assert await harness.facts() == ["contact.opted_in", "consent_pending.confirmed"]
    data = await harness.db.value("SELECT data FROM events WHERE type = 'consent_pending.confirmed'")
    assert (data["id"], data["status"]) == (asked["consent_pending_id"], "confirmed")


async def test_a_yes_that_nobody_asked_for_and_a_second_one_are_no_consent(harness: OptInHarness) -> None:
    assert not await harness.answer()
    await harness.ask()
    assert await harness.answer()

    assert not await harness.answer()

    assert len(await harness.history()) == 1
    assert await harness.facts() == ["contact.opted_in", "consent_pending.confirmed"]


async def test_a_question_lapses_once_and_a_late_yes_is_no_consent(harness: OptInHarness) -> None:
    await harness.ask()
    await harness.pass_time(24 * 3600 - 60)
    assert await harness.facts() == []

    await harness.pass_time(120)
    await harness.pass_time(3600)

    assert await harness.facts() == ["consent_pending.expired"]
    assert not await harness.answer()
    assert await harness.consent() is None
    assert await harness.db.value("SELECT count(*) FROM jobs") == 0


async def test_a_yes_after_the_time_is_late_even_when_no_worker_has_looked(harness: OptInHarness) -> None:
    await harness.ask()
    harness.clock.moment += timedelta(hours=24)

    assert not await harness.answer()

    assert await harness.facts() == ["consent_pending.expired"]


async def test_a_lapsed_question_may_be_asked_anew_even_when_no_worker_has_looked(harness: OptInHarness) -> None:
    first = (await harness.ask()).json
    harness.clock.moment += timedelta(hours=25)

    second = await harness.ask()

    assert second.status == 202
    assert second.json["consent_pending_id"] != first["consent_pending_id"]
    assert await harness.facts() == ["consent_pending.expired"]
    assert len(await harness.texts()) == 2


@pytest.mark.covers("initiateDoubleOptIn", 409)
@pytest.mark.parametrize("by", list(Suppression))
async def test_409_who_opted_out_is_not_asked(harness: OptInHarness, by: Suppression) -> None:
    await stop(harness, by)

    reply = await harness.ask()

    assert (reply.status, reply.error["code"]) == (409, "CONTACT_OPTED_OUT")
    assert await harness.texts() == []


async def test_stop_voids_the_question_so_that_a_yes_after_it_is_no_consent(harness: OptInHarness) -> None:
    await harness.ask()
    assert await stop(harness)

    assert not await harness.answer()

    assert (await harness.consent())["opted_in"] is False
    assert await harness.db.value("SELECT status FROM consent_challenges") == "canceled"
    await harness.pass_time(25 * 3600)
    assert await harness.facts() == ["contact.opted_out"]


@pytest.mark.covers("initiateDoubleOptIn", 404)
async def test_404_a_number_that_is_not_held_now(harness: OptInHarness, db: CellDb, stranger: Account) -> None:
    theirs = await insert_sender(db, stranger.tenant, "+14155550198")

    replies = [await harness.ask(phone_number_id=str(one)) for one in (NOWHERE, theirs.id)]

    assert [(reply.status, reply.error["code"]) for reply in replies] == [(404, "NOT_FOUND")] * 2


@pytest.mark.covers("initiateDoubleOptIn", 422)
@pytest.mark.parametrize(
    "fault",
    [
        {"confirmation_text": ""},
        {"confirmation_text": "x" * 1501},
        {"agreement_text": "a\0"},
        {"agreement_text": "x" * 4001},
        {"contact_number": "123"},
        {"phone_number_id": "x"},
    ],
    ids=lambda fault: next(iter(fault)),
)
async def test_422_a_faulty_field_is_named(harness: OptInHarness, fault: dict[str, Any]) -> None:
    reply = await harness.ask(**fault)

    assert (reply.status, set(reply.error["details"])) == (422, set(fault))


@pytest.mark.covers("initiateDoubleOptIn", 422)
async def test_422_a_number_without_a_campaign_cannot_ask_and_nothing_is_open(harness: OptInHarness) -> None:
    await harness.db.run("UPDATE phone_numbers SET campaign_id = NULL, line_option_status = NULL")

    reply = await harness.ask()

    assert (reply.status, reply.error["code"]) == (422, "SENDER_NOT_REGISTERED")
    assert await harness.db.value("SELECT count(*) FROM consent_challenges") == 0


@pytest.mark.covers("initiateDoubleOptIn", 402)
async def test_402_a_question_costs_what_a_text_costs(harness: OptInHarness) -> None:
    await harness.db.run("UPDATE wallets SET balance_microcents = 0 WHERE org_id = $1", harness.account.org_id)

    reply = await harness.ask()

    assert (reply.status, reply.error["code"]) == (402, "INSUFFICIENT_CREDIT")


@pytest.mark.covers("initiateDoubleOptIn", 429)
async def test_429_questions_count_against_the_captures_of_a_minute(harness: OptInHarness) -> None:
    for _ in range(20):
        await harness.ask()

    reply = await harness.ask()

    assert (reply.status, reply.error["code"], reply.headers["retry-after"]) == (429, "RATE_LIMITED", "3")


async def test_the_questions_of_two_organizations_do_not_meet(
    harness: OptInHarness, db: CellDb, stranger: Account
) -> None:
    await harness.ask()
    theirs = await insert_sender(db, stranger.tenant, "+14155550198")

    async with db.transaction() as tx:
        crossed = await operations.confirm(
            tx, stranger.org_id, harness.sender.id, CONTACT, keyword="YES", raw_event_id="1"
        )
        wrong_number = await operations.confirm(
            tx, harness.account.org_id, theirs.id, CONTACT, keyword="YES", raw_event_id="2"
        )

    assert (crossed, wrong_number) == (False, False)
    assert await harness.consent() is None
