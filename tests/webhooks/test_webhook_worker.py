"""From a fact to its receivers, through all of a worker's webhooks."""

import base64
from collections.abc import AsyncIterator

import msgspec
import pytest
from standardwebhooks import Webhook

from agentmessage.events.schemas import EventResource
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.outbox import events as outbox_events
from agentmessage.settings import Settings
from tests.make.accounts import Account
from tests.make.receivers import Receiver, receiver
from tests.webhooks.receiving import SECRET, endpoint, happen, telling


@pytest.fixture
async def sink() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, webhook_allow_private=True)


async def test_a_fact_is_told_as_the_event_list_shows_it(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    await endpoint(db, settings, account.org_id, sink.url())
    data = {"é": "\u2028", "n": [1.5, None, True], "nested": {"deep": {}}}

    async with telling(settings, cells):
        (event_id,) = await happen(db, account.org_id, data=data)
        (heard,) = await sink.until(1)

    (event,) = [
        one
        for one in await outbox_events.read_after(db, account.org_id, after=None, since=None, kinds=None, limit=50)
        if one.id == event_id
    ]
    assert heard.event == msgspec.json.decode(msgspec.json.encode(EventResource.of(event)))
    assert list(heard.event) == ["id", "type", "api_version", "created_at", "org_id", "data"]
    assert heard.event["created_at"] == msgspec.to_builtins(EventResource.of(event))["created_at"]
    assert Webhook(base64.b64encode(SECRET).decode()).verify(heard.body, dict(heard.headers)) == heard.event


async def test_what_was_told_is_in_the_log_and_waits_no_more(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    endpoint_id = await endpoint(db, settings, account.org_id, sink.url())

    async with telling(settings, cells):
        await happen(db, account.org_id, 50)
        await sink.until(50)

    assert await db.value("SELECT count(*) FROM webhook_deliveries") == 0
    logged = await db.value(
        "SELECT count(*) FROM webhook_attempts WHERE outcome = 'success' AND queue_id = $1", endpoint_id
    )
    assert logged == 50
    assert len({heard.event["id"] for heard in sink.heard}) == len(sink.heard) == 50
    queue = await db.one(tuple_of, "SELECT holder, due_at, failing_since FROM webhook_queues")
    assert queue == (None, None, None)


def tuple_of(*columns: object) -> tuple[object, ...]:
    return columns
