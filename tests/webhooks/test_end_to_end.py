"""From the API to a receiver and back: endpoints made over HTTP, told by a worker, checked with a public library."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook, WebhookVerificationError

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.outbox.event_types import EventType
from agentmessage.outbox.events import emit
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.settings import Settings
from agentmessage.webhooks.attempt_result import NOT_KEPT
from agentmessage.webhooks.jobs import HANDLERS
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.numbers import insert_number
from tests.make.receivers import Heard, Receiver, status
from tests.webhooks.receiving import make_due, telling, until

KEYS = "api_key.created"
NUMBERS = ("+14155550123", "+14155550124")


@pytest.fixture
def near_settings(settings: Settings) -> Settings:
    return replace(settings, webhook_allow_private=True)


async def made(near: Client, url: str, *events: str) -> Any:
    answer = await near.post("/v1/webhooks", {"url": url, "events": list(events or (KEYS,))})
    assert answer.status == 201, answer.json
    return answer.json


async def make_key(near: Client) -> Any:
    answer = await near.post("/v1/api-keys", {"label": "made", "scopes": ["numbers:read"]})
    return answer.json


def verifies(heard: Heard, secret: str) -> bool:
    """What a receiver with a library of Standard Webhooks finds."""
    try:
        return Webhook(secret).verify(heard.body, dict(heard.headers)) == heard.event
    except WebhookVerificationError:
        return False


async def logged(near: Client, count: int, query: str = "") -> list[Any]:
    """The log, newest first, once it has so many rows."""

    async def enough() -> Any:
        rows = (await near.get(f"/v1/webhooks/deliveries?limit=200{query}")).data
        return rows if len(rows) >= count else None

    rows: list[Any] = await until(enough)
    return rows


async def test_an_endpoint_is_told_what_it_subscribed_to_from_its_making_on(
    near: Client, cells: Cells, near_settings: Settings, sink: Receiver
) -> None:
    await make_key(near)
    endpoint = await made(near, sink.url())
    async with telling(near_settings, cells):
        key = await make_key(near)
        await near.patch("/v1/organization", {"name": "Other"})
        [heard] = await sink.until(1)
        [row] = await logged(near, 1)

    assert (heard.event["type"], heard.event["data"]["id"]) == (KEYS, key["id"])
    assert "plaintext" not in heard.event["data"]
    assert verifies(heard, endpoint["secret"])
    assert (row["endpoint_id"], row["event_id"], row["outcome"]) == (endpoint["id"], heard.event["id"], "success")
    assert {name.lower(): value for name, value in row["request_headers"].items()}.items() <= heard.headers.items()
    assert len(sink.heard) == 1


async def test_the_old_secret_of_an_endpoint_is_dead_at_once(
    near: Client, cells: Cells, near_settings: Settings, sink: Receiver
) -> None:
    old = await made(near, sink.url())
    async with telling(near_settings, cells):
        await make_key(near)
        await sink.until(1)
        new = (await near.post(f"/v1/webhooks/{old['id']}/rotate-secret")).json
        await make_key(near)
        first, second = await sink.until(2)

    assert [verifies(first, one["secret"]) for one in (old, new)] == [True, False]
    assert [verifies(second, one["secret"]) for one in (old, new)] == [False, True]


async def test_the_organizations_old_secret_has_its_grace_and_then_is_dead(
    near: Client, cells: Cells, account: Account, near_settings: Settings, sink: Receiver
) -> None:
    db = await cells.cell("cell_00")
    number = await insert_number(db, account.org_id, "+14155550123", inbound_url=sink.url())
    old, new = [(await near.post("/v1/webhook-secret/rotate")).json["webhook_secret"] for _ in range(2)]
    async with telling(near_settings, cells):
        await text_came(db, account, number)
        await sink.until(1)
        await db.run("UPDATE webhook_secrets SET previous_valid_until = $1", db.now)
        await text_came(db, account, number)
        first, second = await sink.until(2)

    assert [verifies(first, one) for one in (old, new)] == [True, True]
    assert [verifies(second, one) for one in (old, new)] == [False, True]
    own = first.headers["x-amcore-signature"].split(",")
    assert [part.partition("=")[0] for part in own] == ["t", "v1"]


async def test_a_replay_is_the_same_told_under_another_id(
    near: Client, cells: Cells, near_settings: Settings, sink: Receiver
) -> None:
    sink.answers["/ok"] = status(400)
    endpoint = await made(near, sink.url())
    async with telling(near_settings, cells):
        await make_key(near)
        [row] = await logged(near, 1)
        sink.answers["/ok"] = status(200)
        answer = await near.post(f"/v1/webhooks/deliveries/{row['id']}/replay")
        first, again = await sink.until(2)
        replayed, _ = await logged(near, 2)

    assert row["outcome"] == "retry"
    assert (again.event["id"], again.headers["webhook-id"]) == (answer.json["new_event_id"],) * 2
    assert again.event | {"id": ""} == first.event | {"id": ""}
    assert verifies(again, endpoint["secret"])
    assert (replayed["event_id"], replayed["attempt"]) == (answer.json["new_event_id"], 1)
    assert (await near.get(f"/v1/events?type={KEYS}")).data[-1]["id"] == first.event["id"], "a replay is no new fact"


async def test_one_that_is_deleted_or_turned_off_hears_nothing_more(
    near: Client, cells: Cells, db: CellDb, near_settings: Settings, sink: Receiver
) -> None:
    sink.answers |= {"/off": status(500), "/deleted": status(500)}
    off, deleted, other = [await made(near, sink.url(path)) for path in ("/off", "/deleted", "/ok")]
    async with telling(near_settings, cells):
        await make_key(near)
        await logged(near, 3)
        await near.patch(f"/v1/webhooks/{off['id']}", {"active": False})
        await near.delete(f"/v1/webhooks/{deleted['id']}")
        await make_key(near)
        await sink.until(2)
        await logged(near, 4)
        waiting = await db.value("SELECT count(*) FROM webhook_deliveries")

    assert waiting == 0
    assert [len(sink.on(path)) for path in ("/off", "/deleted", "/ok")] == [1, 1, 2]
    assert (await near.get(f"/v1/webhooks/{other['id']}")).json["active"] is True


async def test_one_that_was_disabled_and_is_turned_on_is_told_again(
    near: Client, cells: Cells, near_settings: Settings, sink: Receiver
) -> None:
    sink.answers["/ok"] = status(410)
    endpoint = await made(near, sink.url())
    await made(near, sink.url("/beside"))
    path = f"/v1/webhooks/{endpoint['id']}"

    async def is_off() -> bool:
        return (await near.get(path)).json["active"] is False

    async with telling(near_settings, cells):
        await make_key(near)
        await until(is_off)
        await make_key(near)
        await sink.until(2, "/beside")
        sink.answers["/ok"] = status(200)
        await near.patch(path, {"active": True})
        key = await make_key(near)
        heard = await sink.until(2)

    assert [one.event["data"]["id"] for one in heard[1:]] == [key["id"]]


async def test_what_waits_goes_to_the_new_url_when_an_endpoint_moves(
    near: Client, cells: Cells, db: CellDb, near_settings: Settings, sink: Receiver
) -> None:
    sink.answers["/old"] = status(503)
    endpoint = await made(near, sink.url("/old"))
    async with telling(near_settings, cells):
        key = await make_key(near)
        await logged(near, 1)
        await near.patch(f"/v1/webhooks/{endpoint['id']}", {"url": sink.url("/new")})
        await db.run("UPDATE webhook_deliveries SET due_at = $1", db.now)
        await db.run("UPDATE webhook_queues SET due_at = $1", db.now)
        [heard] = await sink.until(1, "/new")

    assert heard.event["data"]["id"] == key["id"]


async def test_a_number_url_that_was_given_up_is_told_again_once_its_number_is_changed(
    near: Client, cells: Cells, account: Account, near_settings: Settings, sink: Receiver
) -> None:
    db = await cells.cell("cell_00")
    sink.answers["/gone"] = status(410)
    number = await insert_number(db, account.org_id, "+14155550123", inbound_url=sink.url("/gone"))
    async with telling(near_settings, cells):
        await text_came(db, account, number)
        await until(lambda: db.value("SELECT true FROM webhook_queues WHERE disabled_at IS NOT NULL"))
        sink.answers["/gone"] = status(200)
        await near.patch(f"/v1/phone-numbers/{number}", {"label": "repaired"})
        await JobRunner(db, HANDLERS).run_due()
        await text_came(db, account, number)
        await sink.until(2, "/gone")

    [disabled] = (await near.get("/v1/events?type=webhook_endpoint.disabled")).data
    assert (disabled["data"]["kind"], disabled["data"]["reason"]) == ("number", "gone")


@pytest.mark.parametrize("ending", ["released", "cleared"])
async def test_what_waits_for_the_url_of_a_number_ends_with_its_release_or_its_url(
    near: Client, cells: Cells, account: Account, near_settings: Settings, sink: Receiver, *, ending: str
) -> None:
    """Another number that names the same URL goes on being told of."""
    db = await cells.cell("cell_00")
    sink.answers["/ok"] = status(500)
    gone, kept = [await insert_number(db, account.org_id, number, inbound_url=sink.url()) for number in NUMBERS]
    async with telling(near_settings, cells):
        for number in (gone, kept):
            await text_came(db, account, number)
        await logged(near, 2, "&outcome=retry")
        path = f"/v1/phone-numbers/{gone}"
        answer = await (near.delete(path) if ending == "released" else near.patch(path, {"inbound_url": ""}))
        sink.answers["/ok"] = status(200)
        await make_due(db)
        rows = await logged(near, 4)

    assert answer.status == 200
    assert Counter(heard.event["data"]["phone_number_id"] for heard in sink.heard) == {str(gone): 1, str(kept): 2}
    assert {(row["attempt"], row["outcome"], row["error"]) for row in rows[:2]} == {
        (2, "dead", NOT_KEPT),
        (2, "success", None),
    }


async def text_came(db: CellDb, account: Account, number_id: UUID) -> None:
    async with db.transaction() as tx:
        await emit(
            tx,
            account.org_id,
            EventType.INBOUND_MESSAGE_RECEIVED,
            new_id(),
            {"phone_number_id": str(number_id), "body": "hi"},
        )
