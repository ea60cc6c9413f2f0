"""WebhookWorker again: what is queued, what is refused, and what the audit log says."""

from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.webhooks.model import TEST_TYPE, Attempt, DestinationKind
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account
from tests.make.numbers import insert_number
from tests.make.webhooks import (
    audited,
    insert_attempt,
    insert_endpoint,
    insert_event,
    insert_number_lane,
    waiting,
)

SHOWN = ["delivery_id", "endpoint_id", "event_type", "new_event_id", "audit_log_id", "enqueued_at"]
NUMBER_URL = "https://customer.example/inbound"


async def result(db: CellDb, org_id: UUID, queue_id: UUID | None = None, **other: Any) -> Attempt:
    """An attempt to tell an event that is still kept."""
    event = await insert_event(db, org_id)
    queue = queue_id or await insert_endpoint(db, org_id)
    return await insert_attempt(db, org_id, queue, source_event_id=event, **other)


async def replay(api: Client, attempt_id: object, body: Any = None) -> Any:
    return await api.post(f"/v1/webhooks/deliveries/{attempt_id}/replay", body)


@pytest.mark.covers("replayWebhookDelivery", 202)
async def test_202_the_event_is_told_again_under_an_id_of_its_own(api: Client, db: CellDb, account: Account) -> None:
    attempt = await result(db, account.org_id)

    answer = await replay(api, attempt.id, {"reason": "we were down"})

    shown = answer.json
    assert (answer.status, list(shown)) == (202, SHOWN)
    assert (shown["delivery_id"], shown["endpoint_id"]) == (str(attempt.id), str(attempt.queue_id))
    [row] = await db.all(
        lambda *columns: columns,
        "SELECT queue_id, event_id, public_event_id, attempts, due_at <= $1 FROM webhook_deliveries",
        db.now,
    )
    assert row == (attempt.queue_id, attempt.source_event_id, UUID(shown["new_event_id"].removeprefix("evt_")), 0, True)
    assert row[2] != attempt.event_id
    assert await db.value("SELECT due_at <= $1 FROM webhook_queues", db.now) is True
    assert await audited(db, account.org_id, "webhook_delivery") == [
        (
            "webhook_delivery.replay",
            str(attempt.id),
            {
                "endpoint_id": str(attempt.queue_id),
                "event_type": "api_key.created",
                "new_event_id": shown["new_event_id"],
            },
        )
    ]
    [logged] = (await api.get("/v1/audit-log?resource_type=webhook_delivery")).data
    assert (logged["id"], logged["reason"]) == (shown["audit_log_id"], "we were down")


@pytest.mark.covers("replayWebhookDelivery", 202)
async def test_202_neither_body_nor_reason_is_needed_nor_a_subscription(
    api: Client, db: CellDb, account: Account
) -> None:
    """What was wanted when it was published stays wanted."""
    endpoint = await insert_endpoint(db, account.org_id, events=("lookup.completed",))
    attempt = await result(db, account.org_id, endpoint)

    answers = [
        await api.request("POST", f"/v1/webhooks/deliveries/{attempt.id}/replay"),
        await replay(api, attempt.id, {}),
        await replay(api, attempt.id, {"reason": None}),
    ]

    assert [answer.status for answer in answers] == [202, 202, 202]
    assert len({answer.json["new_event_id"] for answer in answers}) == 3
    assert await waiting(db, endpoint) == 3


@pytest.mark.covers("replayWebhookDelivery", 202)
async def test_202_a_repeated_key_replays_once(api: Client, db: CellDb, account: Account) -> None:
    attempt = await result(db, account.org_id)
    path, headers = f"/v1/webhooks/deliveries/{attempt.id}/replay", {"idempotency-key": "once"}

    first, again = [await api.post(path, headers=headers) for _ in range(2)]

    assert (again.status, again.json) == (202, first.json)
    assert await waiting(db, attempt.queue_id) == 1


@pytest.mark.covers("replayWebhookDelivery", 202)
async def test_202_a_replay_can_be_replayed(api: Client, db: CellDb, account: Account) -> None:
    """It is the source that has to be there: a replay is no fact of its own."""
    attempt = await result(db, account.org_id, event_id=new_id())

    assert (await replay(api, attempt.id)).status == 202


@pytest.mark.covers("replayWebhookDelivery", 404)
async def test_404_a_strangers_delivery_and_one_of_a_deleted_endpoint(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    theirs = await result(db, stranger.org_id)
    orphan = await result(db, account.org_id)
    await api.delete(f"/v1/webhooks/{orphan.queue_id}")

    answers = [await replay(api, some) for some in (theirs.id, orphan.id, NOWHERE, "x")]

    assert {(answer.status, answer.error["message"]) for answer in answers} == {(404, "not found")}
    assert await db.value("SELECT count(*) FROM webhook_deliveries") == 0


@pytest.mark.covers("replayWebhookDelivery", 410)
async def test_410_an_event_that_is_no_longer_kept(api: Client, db: CellDb, account: Account) -> None:
    attempt = await result(db, account.org_id)
    await db.run("DELETE FROM events WHERE id = $1", attempt.source_event_id)

    answer = await replay(api, attempt.id)

    assert (answer.status, answer.error["code"]) == (410, "EVENT_EXPIRED")
    assert await waiting(db, attempt.queue_id) == 0


@pytest.mark.covers("replayWebhookDelivery", 410)
async def test_410_a_test_never_was_an_event(api: Client, db: CellDb, account: Account) -> None:
    endpoint = await insert_endpoint(db, account.org_id)
    attempt = await insert_attempt(db, account.org_id, endpoint, event_type=TEST_TYPE)

    answer = await replay(api, attempt.id)

    assert (answer.status, answer.error["code"]) == (410, "EVENT_EXPIRED")


@pytest.mark.covers("replayWebhookDelivery", 409)
async def test_409_a_receiver_that_is_off_would_never_be_told(api: Client, db: CellDb, account: Account) -> None:
    attempt = await result(db, account.org_id)
    await api.patch(f"/v1/webhooks/{attempt.queue_id}", {"active": False})

    refused = await replay(api, attempt.id)
    await api.patch(f"/v1/webhooks/{attempt.queue_id}", {"active": True})

    assert (refused.status, refused.error["code"]) == (409, "RECEIVER_INACTIVE")
    assert (await replay(api, attempt.id)).status == 202


async def of_number(db: CellDb, account: Account, number: str) -> tuple[UUID, Attempt]:
    """A number, and an attempt to tell its URL of a text."""
    number_id = await insert_number(db, account.org_id, number, inbound_url=NUMBER_URL)
    event = await insert_event(
        db, account.org_id, kind="inbound_message.received", data={"phone_number_id": str(number_id)}
    )
    queue = await insert_number_lane(db, account.org_id, NUMBER_URL)
    return number_id, await insert_attempt(
        db, account.org_id, queue, source_event_id=event, kind=DestinationKind.NUMBER
    )


async def test_the_url_of_a_number_is_told_again_unless_it_was_given_up(
    api: Client, db: CellDb, account: Account
) -> None:
    _, attempt = await of_number(db, account, "+14155550123")

    named = await replay(api, attempt.id)
    await db.run("UPDATE webhook_queues SET disabled_at = $1", db.now)
    given_up = await replay(api, attempt.id)

    assert [answer.status for answer in (named, given_up)] == [202, 409]


async def test_409_a_number_that_was_released_is_not_told_of_though_others_name_its_url(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    number_id, attempt = await of_number(db, account, "+14155550123")
    for org_id, other in ((account.org_id, "+14155550124"), (stranger.org_id, "+14155550199")):
        await insert_number(db, org_id, other, inbound_url=NUMBER_URL)

    await api.delete(f"/v1/phone-numbers/{number_id}")
    answer = await replay(api, attempt.id)

    assert (answer.status, answer.error["code"]) == (409, "RECEIVER_INACTIVE")
    assert await waiting(db, attempt.queue_id) == 0


@pytest.mark.covers("replayWebhookDelivery", 422)
@pytest.mark.parametrize("body", [{"reason": 7}, {"reason": "x" * 501}, {"reason": "a\0b"}])
async def test_422_a_reason_is_a_short_text(api: Client, db: CellDb, account: Account, body: dict[str, Any]) -> None:
    attempt = await result(db, account.org_id)

    answer = await replay(api, attempt.id, body)

    assert (answer.status, answer.error["details"]) == (
        422,
        {"reason": "must be a text of at most 500 characters, none of them NUL"},
    )


@pytest.mark.covers("replayWebhookDelivery", 429)
async def test_429_more_than_ten_a_minute(api: Client, db: CellDb, account: Account) -> None:
    attempt = await result(db, account.org_id)
    other = await result(db, account.org_id)
    await db.run("DELETE FROM events WHERE id = $1", other.source_event_id)

    refused_otherwise = await replay(api, other.id)
    answers = [await replay(api, attempt.id) for _ in range(12)]

    assert refused_otherwise.status == 410
    assert [answer.status for answer in answers[:10]] == [202] * 10
    assert (answers[-1].status, answers[-1].error["code"]) == (429, "RATE_LIMITED")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert await waiting(db, attempt.queue_id) == sum(answer.status == 202 for answer in answers)
