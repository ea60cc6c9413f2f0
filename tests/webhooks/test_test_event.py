"""The test operation: told at once, on a real socket, and written down like every delivery."""

import asyncio
import base64
import hashlib
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from agentmessage.kernel.db import CellDb
from agentmessage.settings import Settings
from agentmessage.webhooks.payload import UNREADABLE_SECRET
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.receivers import Receiver, status
from tests.webhooks import receiving

RESULT = ["event_id", "outcome", "url", "response_status", "response_time_ms", "response_body_excerpt", "error"]


async def made(near: Client, url: str) -> Any:
    answer = await near.post("/v1/webhooks", {"url": url, "events": ["api_key.created"]})
    assert answer.status == 201, answer.json
    return answer.json


@pytest.mark.covers("testWebhookEndpoint", 200)
async def test_200_a_test_is_told_signed_and_listed(near: Client, sink: Receiver, account: Account) -> None:
    endpoint = await made(near, sink.url())

    answer = await near.post(f"/v1/webhooks/{endpoint['id']}/test")

    [heard] = sink.heard
    result = answer.json
    assert (answer.status, list(result)) == (200, RESULT)
    assert (result["outcome"], result["response_status"], result["response_body_excerpt"]) == ("success", 200, "ok")
    assert (result["url"], result["error"]) == (sink.url(), None)
    assert Webhook(endpoint["secret"]).verify(heard.body, dict(heard.headers)) == heard.event
    assert list(heard.event) == ["id", "type", "api_version", "created_at", "org_id", "data"]
    assert (heard.event["id"], heard.event["type"]) == (result["event_id"], "webhook.test")
    assert (heard.event["org_id"], heard.event["api_version"]) == (str(account.org_id), "2026-04-01")
    assert heard.event["data"] == (await near.get(f"/v1/webhooks/{endpoint['id']}")).json
    [listed] = (await near.get("/v1/webhooks/deliveries?event_type=webhook.test")).data
    assert (listed["event_id"], listed["endpoint_id"], listed["kind"]) == (
        result["event_id"],
        endpoint["id"],
        "endpoint",
    )
    assert (listed["attempt"], listed["outcome"]) == (1, "success")
    assert listed["request_body_sha256"] == hashlib.sha256(heard.body).hexdigest()
    assert listed["request_body_bytes"] == len(heard.body)
    assert listed["request_headers"].items() >= {"webhook-id": result["event_id"]}.items()


@pytest.mark.covers("testWebhookEndpoint", 200)
async def test_200_our_own_signature_is_over_timestamp_newline_and_body(near: Client, sink: Receiver) -> None:
    """Made here from the words of the reference, not with our code."""
    endpoint = await made(near, sink.url())

    await near.post(f"/v1/webhooks/{endpoint['id']}/test")

    [heard] = sink.heard
    moment, _, signature = heard.headers["x-amcore-signature"].partition(",")
    key = base64.b64decode(endpoint["secret"])
    padded = key.ljust(64, b"\0")  # HMAC by hand (RFC 2104)
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + moment[2:].encode() + b"\n" + heard.body).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).hexdigest()
    assert signature == f"v1={outer}"


@pytest.mark.covers("testWebhookEndpoint", 200)
@pytest.mark.parametrize("code", [301, 404, 410, 500])
async def test_200_a_receiver_that_refuses_is_a_result_and_no_refusal(
    near: Client, sink: Receiver, db: CellDb, code: int
) -> None:
    """It is `dead`, since nobody will try again; and not even 410 turns the endpoint off."""
    sink.answers["/ok"] = status(code, b"go away", location="http://127.0.0.1:1/")
    endpoint = await made(near, sink.url())

    answer = await near.post(f"/v1/webhooks/{endpoint['id']}/test")

    assert (answer.status, answer.json["outcome"], answer.json["response_status"]) == (200, "dead", code)
    assert (answer.json["response_body_excerpt"], answer.json["error"]) == ("go away", None)
    assert (await near.get(f"/v1/webhooks/{endpoint['id']}")).json["active"] is True
    assert await db.value("SELECT count(*) FROM webhook_deliveries") == 0


@pytest.mark.covers("testWebhookEndpoint", 200)
async def test_200_a_receiver_that_is_not_there_is_a_result_without_an_answer(near: Client) -> None:
    endpoint = await made(near, "http://127.0.0.1:1/nobody")

    result = (await near.post(f"/v1/webhooks/{endpoint['id']}/test")).json

    assert (result["outcome"], result["response_status"], result["error"]) == ("dead", None, "connection refused")


@pytest.mark.covers("testWebhookEndpoint", 200)
async def test_200_an_endpoint_that_is_off_can_be_tested_before_it_is_turned_on(near: Client, sink: Receiver) -> None:
    endpoint = await made(near, sink.url())
    await near.patch(f"/v1/webhooks/{endpoint['id']}", {"active": False})

    answer = await near.post(f"/v1/webhooks/{endpoint['id']}/test")

    assert (answer.json["outcome"], len(sink.heard)) == ("success", 1)


async def test_a_test_counts_in_the_metrics_like_every_delivery(near: Client, sink: Receiver, db: CellDb) -> None:
    endpoint = await made(near, sink.url())
    await near.post(f"/v1/webhooks/{endpoint['id']}/test")
    sink.answers["/ok"] = status(503)
    await near.post(f"/v1/webhooks/{endpoint['id']}/test")

    counted = await db.all(
        lambda *row: row,
        """SELECT metric, labels, value FROM metric_buckets
           WHERE span = 'day' AND metric LIKE 'webhooks.%' ORDER BY metric""",
    )

    def labels(answered: str) -> dict[str, str]:
        return {"endpoint_id": endpoint["id"], "kind": "endpoint", "http_status_class": answered}

    assert counted == [("webhooks.delivered", labels("2xx"), 1), ("webhooks.failed", labels("5xx"), 1)]


async def test_a_repeated_key_gets_the_same_result_and_tells_once(near: Client, sink: Receiver) -> None:
    endpoint = await made(near, sink.url())
    path, headers = f"/v1/webhooks/{endpoint['id']}/test", {"idempotency-key": "once"}

    first, again = [await near.post(path, headers=headers) for _ in range(2)]

    assert (again.status, again.json, len(sink.heard)) == (200, first.json, 1)


async def test_a_key_whose_first_request_died_gets_the_result_that_was_recorded(
    near: Client, sink: Receiver, db: CellDb
) -> None:
    endpoint = await made(near, sink.url())
    path, headers = f"/v1/webhooks/{endpoint['id']}/test", {"idempotency-key": "died"}
    first = await near.post(path, headers=headers)
    await db.run("UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL")

    again = await near.post(path, headers=headers)

    assert (again.json, len(sink.heard)) == (first.json, 1)


async def test_a_key_whose_first_request_died_before_it_told_tells_under_the_same_id(
    near: Client, sink: Receiver, db: CellDb
) -> None:
    endpoint = await made(near, sink.url())
    path, headers = f"/v1/webhooks/{endpoint['id']}/test", {"idempotency-key": "died"}
    first = await near.post(path, headers=headers)
    await db.run("UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL")
    await db.run("DELETE FROM webhook_attempts WHERE id = $1", UUID(first.json["event_id"].removeprefix("evt_")))

    again = await near.post(path, headers=headers)

    assert again.json["event_id"] == first.json["event_id"]
    assert {heard.event["id"] for heard in sink.heard} == {first.json["event_id"]}


async def test_while_a_receiver_takes_its_time_no_transaction_is_open(near: Client, sink: Receiver, db: CellDb) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_: Any, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await answer.wait()
        writer.write(b"HTTP/1.1 204 Said\r\n\r\n")

    sink.answers["/ok"] = slow
    endpoint = await made(near, sink.url())
    test = asyncio.create_task(near.post(f"/v1/webhooks/{endpoint['id']}/test"))
    await asked.wait()

    in_transactions = await db.value(
        """SELECT count(*) FROM pg_stat_activity
           WHERE datname = current_database() AND state LIKE 'idle in transaction%'"""
    )
    answer.set()

    assert in_transactions == 0
    assert (await test).json["response_status"] == 204


@pytest.mark.covers("testWebhookEndpoint", 429)
async def test_429_more_than_sixty_tests_a_minute(near: Client, sink: Receiver) -> None:
    endpoint = await made(near, sink.url())

    answers = [await near.post(f"/v1/webhooks/{endpoint['id']}/test") for _ in range(62)]

    refused = [answer for answer in answers if answer.status == 429]
    assert answers[0].status == 200
    assert refused
    assert (refused[0].error["code"], int(refused[0].headers["retry-after"]) >= 1) == ("RATE_LIMITED", True)


async def test_a_private_receiver_is_not_asked_at_all_where_it_is_not_allowed(
    api: Client, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    """An endpoint that was made while it was allowed, or whose name leads elsewhere by now."""
    endpoint_id = await receiving.endpoint(db, settings, account.org_id, sink.url())

    result = (await api.post(f"/v1/webhooks/{endpoint_id}/test")).json

    assert (result["outcome"], result["response_status"]) == ("dead", None)
    assert sink.connections == 0


@pytest.mark.covers("testWebhookEndpoint", 200)
async def test_200_a_secret_that_cannot_be_opened_is_told_as_what_it_is(
    near: Client, db: CellDb, sink: Receiver
) -> None:
    endpoint = await made(near, sink.url())
    await db.run("UPDATE webhook_endpoints SET encrypted_secret = 'of another key' WHERE id = $1", UUID(endpoint["id"]))

    answer = await near.post(f"/v1/webhooks/{endpoint['id']}/test")

    assert answer.status == 200
    assert (answer.json["outcome"], answer.json["error"]) == ("dead", UNREADABLE_SECRET)
    assert sink.heard == []
