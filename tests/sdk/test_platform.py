"""The client against the platform itself, sync and async: what is asked comes back as its kind."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from agentmessage.sdk import AgentMessage, errors, models
from tests.make.accounts import key_with, open_account
from tests.make.texts import insert_consent, insert_sender
from tests.sdk.conftest import Both, Clients
from tests.sdk.served import Served

CONTACT = "+14155550188"


def sender(platform: Served, number: str) -> Any:
    """A number that may text CONTACT."""

    async def insert() -> Any:
        db = await platform.cells.cell("cell_00")
        found = await insert_sender(db, platform.account.tenant, number)
        await insert_consent(db, platform.account.tenant, found, CONTACT)
        return found

    return platform.do(insert())


@pytest.fixture
def number(platform: Served) -> str:
    """A number of the account that may text CONTACT."""
    return sender(platform, f"+1415555{uuid4().int % 10**4:04}").number


async def test_a_resource_comes_as_its_kind_with_the_request_that_brought_it(both: Both, platform: Served) -> None:
    shown = await both(both.client.organization.get())

    assert isinstance(shown, models.Organization)
    assert shown.id == str(platform.account.org_id)
    assert shown.created_at.tzinfo is not None
    assert (shown.http.status, len(shown.http.request_id), shown.http.is_replay) == (200, 26, False)


async def test_a_text_is_sent_with_keyword_parameters(both: Both, number: str) -> None:
    sent = await both(both.client.messages.send(from_=number, to=CONTACT, text="Hello", tag="greeting"))

    assert (sent.from_, sent.to, sent.text, sent.tag) == (number, CONTACT, "Hello", "greeting")
    assert sent.status == "queued"
    assert sent.status is models.MessageStatus.QUEUED
    assert await both(both.client.messages.get(sent.id)) == sent
    assert [move.status for move in await both(both.client.messages.list_events(sent.id))] == ["queued"]


async def test_texts_of_a_batch_are_written_as_they_are_sent(both: Both, number: str) -> None:
    batch = await both(
        both.client.messages.send_batch(
            messages=[{"from": number, "to": CONTACT, "text": "One"}, {"from": number, "to": "nobody", "text": "Two"}]
        )
    )

    assert (batch.accepted, batch.refused, batch.http.status) == (1, 1, 207), batch
    assert batch.results[0].message.text == "One"
    assert batch.results[1].error.code == "VALIDATION_FAILED"


async def test_what_is_left_out_stays_and_null_clears(both: Both) -> None:
    await both(both.client.organization.update(billing_email="bills@example.com"))
    renamed = await both(both.client.organization.update(name="Acme Dental"))
    cleared = await both(both.client.organization.update(billing_email=None))

    assert (renamed.name, renamed.billing_email) == ("Acme Dental", "bills@example.com")
    assert (cleared.name, cleared.billing_email) == ("Acme Dental", None)


async def test_a_body_with_many_fields_is_checked_by_the_platform(both: Both) -> None:
    with pytest.raises(errors.ValidationFailedError) as raised:
        await both(
            both.client.brands.create(
                entity_type="PRIVATE_PROFIT", brand_relationship="BASIC_ACCOUNT", display_name="Acme", country="us"
            )
        )

    assert list(raised.value.details) == ["country"]
    assert (raised.value.status, raised.value.code, len(raised.value.request_id)) == (422, "VALIDATION_FAILED", 26)


async def test_an_answer_without_content_is_none(both: Both) -> None:
    profile = await both(both.client.guardrails.profiles.create(name=f"Nights {uuid4()}"))

    assert await both(both.client.guardrails.profiles.delete(profile.id)) is None


async def test_a_time_is_given_and_got_as_a_time(both: Both, number: str) -> None:
    later = datetime.now(UTC) + timedelta(days=1)

    sent = await both(both.client.messages.send(from_=number, to=CONTACT, text="Later", scheduled_at=later))
    recent = await both(both.client.consent.list(since=later - timedelta(days=2)))
    coming = await both(both.client.consent.list(since=later))

    assert sent.scheduled_at == later
    assert len(recent) > 0
    assert len(coming) == 0


async def test_rows_of_all_pages_come_in_order_without_gap_or_repetition(both: Both, number: str) -> None:
    texts = [f"Text {index}" for index in range(7)]
    for text in texts:
        await both(both.client.messages.send(from_=number, to=CONTACT, text=text))

    first = await both(both.client.messages.list(from_=number, limit=3))
    rows = await both.every(first.all())
    pages = await both.every(first.pages())

    assert [row.text for row in rows] == texts[::-1]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert first.has_more
    assert not pages[-1].has_more
    assert await both(pages[-1].next_page()) is None


async def test_a_page_that_was_begun_by_number_goes_on_by_cursor(both: Both, platform: Served) -> None:
    for _ in range(3):
        sender(platform, f"+1628555{uuid4().int % 10**4:04}")

    first = await both(both.client.phone_numbers.list(limit=1, offset=1))
    rows = await both.every(first.all())

    assert first.meta.total >= 3
    assert len({row.id for row in rows}) == len(rows) == first.meta.total - 1


async def test_an_id_cannot_lead_to_another_operation(both: Both) -> None:
    with pytest.raises(ValueError, match="empty"):
        await both(both.client.messages.get(""))
    with pytest.raises(errors.NotFoundError):
        await both(both.client.messages.get("../phone-numbers"))


async def test_a_key_of_another_organization_finds_nothing(clients: Clients, platform: Served, number: str) -> None:
    stranger = platform.do(open_account(platform.cells, name="Stranger"))
    ours, theirs = clients(), clients(api_key=stranger.key)
    sent = await ours(ours.client.messages.send(from_=number, to=CONTACT, text="Private"))

    with pytest.raises(errors.NotFoundError) as raised:
        await theirs(theirs.client.messages.get(sent.id))

    assert raised.value.fix == "Check the id and that the key belongs to the organization that owns the resource."


async def test_a_key_without_the_scope_is_told_so(clients: Clients, platform: Served) -> None:
    key = platform.do(key_with(platform.cells, platform.account.tenant, ["numbers:read"]))
    both = clients(api_key=key)

    with pytest.raises(errors.ForbiddenError):
        await both(both.client.messages.list())


def test_the_sync_client_waits_for_nothing(platform: Served) -> None:
    with AgentMessage(api_key=platform.account.key, base_url=platform.base_url) as client:
        assert not inspect.isawaitable(client.organization.get())
