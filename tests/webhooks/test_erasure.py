"""What receivers answered may repeat what they were told; it is not left when that is erased."""

from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.said import SECRET, Said, say
from tests.make.webhooks import insert_attempt, insert_endpoint

CONTACT, OTHER = "+14155550177", "+14155550178"


async def result(db: CellDb, org_id: UUID, said: Said) -> UUID:
    """An attempt to tell of a text, to a receiver that repeats what it hears."""
    event: UUID = await db.value("SELECT id FROM events WHERE resource_id = $1", said.id)
    queue = await insert_endpoint(db, org_id)
    attempt = await insert_attempt(
        db, org_id, queue, source_event_id=event, event_id=new_id(), response_body_excerpt=f"heard: {SECRET}"
    )
    return attempt.id


@pytest.mark.parametrize("is_inbound", [True, False])
async def test_an_erased_contact_is_not_left_in_what_receivers_answered(
    api: Client, db: CellDb, account: Account, *, is_inbound: bool
) -> None:
    number = new_id()
    erased, kept = [
        await result(db, account.org_id, await say(db, account.org_id, number, contact=contact, is_inbound=is_inbound))
        for contact in (CONTACT, OTHER)
    ]

    await api.post(f"/v1/contacts/{CONTACT}/erase")

    excerpts = [
        (await api.get(f"/v1/webhooks/deliveries/{one}")).json["response_body_excerpt"] for one in (erased, kept)
    ]
    assert excerpts == [None, f"heard: {SECRET}"]


async def test_a_strangers_log_is_left_alone(api: Client, db: CellDb, account: Account, stranger: Account) -> None:
    said = await say(db, account.org_id, new_id(), contact=CONTACT)
    theirs = await result(db, stranger.org_id, said)

    await api.post(f"/v1/contacts/{CONTACT}/erase")

    assert await db.value("SELECT response_body_excerpt FROM webhook_attempts WHERE id = $1", theirs) is not None
