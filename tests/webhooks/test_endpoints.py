"""Endpoints over HTTP: every status, what is written down, and how many there may be."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.outbox.event_types import EventType
from agentmessage.webhooks.errors import EndpointLimitExceeded
from agentmessage.webhooks.model import SUBSCRIBABLE, TEST_TYPE
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account
from tests.make.webhooks import URL, audited, insert_delivery, insert_endpoint, waiting

SHOWN = [
    "id", "org_id", "url", "description", "events", "active", "api_version", "created_at", "updated_at", "deleted_at",
]  # fmt: skip
EVENTS = ["campaign.approved", "campaign.rejected"]


async def made(api: Client, **other: Any) -> Any:
    """A new endpoint, as its maker sees it."""
    answer = await api.post("/v1/webhooks", {"url": URL, "events": EVENTS} | other)
    assert answer.status == 201, answer.json
    return answer.json


# ── create ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("createWebhookEndpoint", 201)
async def test_201_an_endpoint_is_printed_bare_with_its_secret(api: Client, db: CellDb, account: Account) -> None:
    endpoint = await made(api, description="  production ")

    assert list(endpoint) == [*SHOWN, "secret", "secret_displayed_once"]
    assert (endpoint["url"], endpoint["events"], endpoint["description"]) == (URL, EVENTS, "production")
    assert (endpoint["active"], endpoint["api_version"], endpoint["deleted_at"]) == (True, "2026-04-01", None)
    assert (endpoint["org_id"], endpoint["secret_displayed_once"]) == (str(account.org_id), True)
    assert await audited(db, account.org_id, "webhook_endpoint") == [
        ("webhook_endpoint.create", endpoint["id"], {"url": URL, "events": EVENTS, "active": True})
    ]
    assert await db.value("SELECT id FROM webhook_queues") == UUID(endpoint["id"])


@pytest.mark.covers("createWebhookEndpoint", 201)
async def test_201_everything_that_can_be_subscribed_to_exists_and_can_be_subscribed_to_at_once(api: Client) -> None:
    endpoint = await made(api, events=[*SUBSCRIBABLE])

    assert endpoint["events"] == [*SUBSCRIBABLE]
    assert set(SUBSCRIBABLE) <= {kind.value for kind in EventType}


@pytest.mark.covers("createWebhookEndpoint", 201)
@pytest.mark.parametrize("description", ["", "   ", None])
async def test_201_an_empty_description_is_none(api: Client, description: str | None) -> None:
    assert (await made(api, description=description))["description"] is None


@pytest.mark.covers("createWebhookEndpoint", 201)
async def test_201_the_query_of_a_url_is_not_in_the_audit_log(api: Client, db: CellDb, account: Account) -> None:
    """People put tokens there."""
    await made(api, url=f"{URL}?token=hush")

    [(_, _, payload)] = await audited(db, account.org_id, "webhook_endpoint")
    assert payload["url"] == URL


@pytest.mark.covers("createWebhookEndpoint", 422)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://customer.example/"}, "url"),
        ({"url": "https://user:pass@customer.example/"}, "url"),
        ({"url": "https://customer.example/#part"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://customer.example/" + "x" * 2048}, "url"),
        ({"url": ""}, "url"),
        ({"url": None}, "url"),
        ({"events": []}, "events"),
        ({"events": ["campaign.approved"] * 2}, "events"),
        ({"events": ["campaign.approved", "no.such"]}, "events"),
        ({"events": ["brand.created"]}, "events"),
        ({"events": [TEST_TYPE]}, "events"),
        ({"events": [*SUBSCRIBABLE, *(f"x.{n}" for n in range(21))]}, "events"),
        ({"events": "campaign.approved"}, "events"),
        ({"events": [7]}, "events"),
        ({"description": "x" * 201}, "description"),
        ({"description": "a\0b"}, "description"),
        ({"api_version": "2025-01-01"}, "api_version"),
        ({"api_version": ""}, "api_version"),
        ({"active": False}, "active"),
        ({"secret": "mine"}, "secret"),
    ],
)
async def test_422_what_cannot_be_an_endpoint_is_named(
    api: Client, db: CellDb, body: dict[str, Any], field: str
) -> None:
    answer = await api.post("/v1/webhooks", {"url": URL, "events": EVENTS} | body)

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert list(answer.error["details"]) == [field]
    assert await db.value("SELECT count(*) FROM webhook_endpoints") == 0


@pytest.mark.covers("createWebhookEndpoint", 422)
@pytest.mark.parametrize("url", ["http://localhost:3000/hook", "https://127.0.0.1:8443/hook"])
async def test_422_an_address_for_development_is_refused_with_the_setting_that_allows_it(api: Client, url: str) -> None:
    answer = await api.post("/v1/webhooks", {"url": url, "events": EVENTS})

    assert answer.status == 422
    assert "AGENTMESSAGE_WEBHOOK_ALLOW_PRIVATE=1" in answer.error["details"]["url"]


@pytest.mark.covers("createWebhookEndpoint", 422)
async def test_422_every_faulty_field_is_named_at_once(api: Client) -> None:
    body = {"url": "http://x.example", "events": ["nope"], "description": "x" * 201, "api_version": "1"}

    answers = [await api.post("/v1/webhooks", body) for body in (body, {})]

    assert set(answers[0].error["details"]) == {"url", "events", "description", "api_version"}
    assert answers[1].error["details"] == {"url": "is required", "events": "is required"}


@pytest.mark.covers("createWebhookEndpoint", 409)
async def test_409_the_fifty_first_active_endpoint(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    """Those that are off or deleted do not count, nor do other organizations'."""
    for org_id, count, active in ((account.org_id, 49, True), (account.org_id, 5, False), (stranger.org_id, 9, True)):
        for _ in range(count):
            await insert_endpoint(db, org_id, active=active)
    fiftieth = await made(api)

    refused = await api.post("/v1/webhooks", {"url": URL, "events": EVENTS})
    await api.delete(f"/v1/webhooks/{fiftieth['id']}")

    assert (refused.status, refused.error["code"]) == (409, EndpointLimitExceeded.code) == (409, "LIMIT_EXCEEDED")
    assert (await made(api))["active"]


@pytest.mark.covers("createWebhookEndpoint", 409)
async def test_409_there_are_never_more_endpoints_than_a_list_shows(api: Client, db: CellDb, account: Account) -> None:
    for _ in range(100):
        await insert_endpoint(db, account.org_id, active=False)

    refused = await api.post("/v1/webhooks", {"url": URL, "events": EVENTS})

    assert (refused.status, refused.error["code"]) == (409, "LIMIT_EXCEEDED")


async def test_of_many_who_want_the_last_place_one_gets_it(api: Client, db: CellDb, account: Account) -> None:
    for _ in range(48):
        await insert_endpoint(db, account.org_id)
    off = [await insert_endpoint(db, account.org_id, active=False) for _ in range(4)]

    answers = await asyncio.gather(
        *(api.post("/v1/webhooks", {"url": URL, "events": EVENTS}) for _ in range(4)),
        *(api.patch(f"/v1/webhooks/{one}", {"active": True}) for one in off),
    )

    assert sum(answer.status < 300 for answer in answers) == 2
    assert {answer.status for answer in answers if answer.status >= 300} == {409}
    assert await db.value("SELECT count(*) FROM webhook_endpoints WHERE active") == 50


async def test_a_repeated_key_makes_one_endpoint_and_shows_the_same_secret(api: Client, db: CellDb) -> None:
    headers = {"idempotency-key": "once"}
    body = {"url": URL, "events": EVENTS}

    first, again = [await api.post("/v1/webhooks", body, headers=headers) for _ in range(2)]

    assert (again.status, again.json, again.headers["idempotent-replayed"]) == (201, first.json, "true")
    assert await db.value("SELECT count(*) FROM webhook_endpoints") == 1
    assert first.json["secret"].encode() not in await db.value("SELECT body FROM idempotency_keys")


# ── list and get ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("listWebhookEndpoints", 200)
async def test_200_endpoints_are_listed_newest_first_without_secrets_and_without_deleted_ones(
    api: Client, db: CellDb, stranger: Account
) -> None:
    first, second, third = [await made(api) for _ in range(3)]
    await insert_endpoint(db, stranger.org_id)
    await api.delete(f"/v1/webhooks/{second['id']}")

    whole = await api.get("/v1/webhooks")
    short = await api.get("/v1/webhooks?limit=1")

    assert [endpoint["id"] for endpoint in whole.data] == [third["id"], first["id"]]
    assert [list(endpoint) for endpoint in whole.data] == [SHOWN, SHOWN]
    assert whole.json["meta"] == {"total": 0, "limit": 50, "offset": 0, "next_cursor": None, "last_event_at": None}
    assert [endpoint["id"] for endpoint in short.data] == [third["id"]]
    assert short.json["meta"]["next_cursor"] is None


@pytest.mark.covers("listWebhookEndpoints", 422)
@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "offset=1"])
async def test_422_a_list_says_what_is_wrong_with_its_query(api: Client, query: str) -> None:
    answer = await api.get(f"/v1/webhooks?{query}")

    assert (answer.status, list(answer.error["details"])) == (422, [query.partition("=")[0]])


@pytest.mark.covers("getWebhookEndpoint", 200)
async def test_200_an_endpoint_is_read_bare_and_without_its_secret(api: Client) -> None:
    endpoint = await made(api)

    answer = await api.get(f"/v1/webhooks/{endpoint['id']}")

    assert (answer.status, answer.json) == (200, {name: endpoint[name] for name in SHOWN})


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("GET ", marks=pytest.mark.covers("getWebhookEndpoint", 404)),
        pytest.param("PATCH ", marks=pytest.mark.covers("patchWebhookEndpoint", 404)),
        pytest.param("DELETE ", marks=pytest.mark.covers("deleteWebhookEndpoint", 404)),
        pytest.param("POST /rotate-secret", marks=pytest.mark.covers("rotateWebhookEndpointSecret", 404)),
        pytest.param("POST /test", marks=pytest.mark.covers("testWebhookEndpoint", 404)),
    ],
)
async def test_404_a_strangers_endpoint_a_deleted_one_and_no_id_at_all_are_the_same(
    api: Client, db: CellDb, account: Account, stranger: Account, act: str
) -> None:
    method, _, path = act.partition(" ")
    theirs = await insert_endpoint(db, stranger.org_id)
    gone = (await made(api))["id"]
    await api.delete(f"/v1/webhooks/{gone}")
    before = await audited(db, account.org_id, "webhook_endpoint")
    body = {} if method == "PATCH" else None

    answers = [
        await api.request(method, f"/v1/webhooks/{some}{path}", body) for some in (theirs, gone, NOWHERE, "x", "123")
    ]

    assert {(answer.status, answer.error["code"], answer.error["message"]) for answer in answers} == {
        (404, "NOT_FOUND", "not found")
    }
    assert await audited(db, account.org_id, "webhook_endpoint") == before


# ── change ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("patchWebhookEndpoint", 200)
async def test_200_a_change_changes_what_is_named_and_is_written_down(
    api: Client, db: CellDb, account: Account
) -> None:
    endpoint = await made(api, description="old")
    path = f"/v1/webhooks/{endpoint['id']}"

    described = await api.patch(path, {"description": " new "})
    moved = await api.patch(path, {"url": f"{URL}/2", "events": ["lookup.completed"]})

    assert (described.status, moved.status) == (200, 200)
    assert list(moved.json) == SHOWN
    assert described.json["description"] == "new"
    assert (moved.json["url"], moved.json["events"], moved.json["description"]) == (
        f"{URL}/2",
        ["lookup.completed"],
        "new",
    )
    assert moved.json["updated_at"] > described.json["updated_at"] > endpoint["updated_at"]
    assert (await api.get(path)).json == moved.json
    actions = [(action, payload["url"]) for action, _, payload in await audited(db, account.org_id, "webhook_endpoint")]
    assert actions == [
        ("webhook_endpoint.create", URL),
        ("webhook_endpoint.update", URL),
        ("webhook_endpoint.update", f"{URL}/2"),
    ]


@pytest.mark.covers("patchWebhookEndpoint", 200)
@pytest.mark.parametrize("body", [{}, {"active": True}, {"description": "same"}, {"events": EVENTS, "url": URL}])
async def test_200_a_change_that_changes_nothing_writes_nothing(
    api: Client, db: CellDb, account: Account, body: dict[str, Any]
) -> None:
    endpoint = await made(api, description="same")
    before = await audited(db, account.org_id, "webhook_endpoint")

    answer = await api.patch(f"/v1/webhooks/{endpoint['id']}", body)

    assert (answer.status, answer.json) == (200, {name: endpoint[name] for name in SHOWN})
    assert await audited(db, account.org_id, "webhook_endpoint") == before


@pytest.mark.covers("patchWebhookEndpoint", 200)
@pytest.mark.parametrize("empty", ["", "  ", None])
async def test_200_an_empty_description_clears_it(api: Client, empty: str | None) -> None:
    endpoint = await made(api, description="old")

    answer = await api.patch(f"/v1/webhooks/{endpoint['id']}", {"description": empty})

    assert answer.json["description"] is None


@pytest.mark.covers("patchWebhookEndpoint", 200)
async def test_200_one_that_is_turned_off_forgets_what_waits_and_starts_anew_when_it_is_turned_on(
    api: Client, db: CellDb, account: Account
) -> None:
    endpoint = await insert_endpoint(db, account.org_id)
    other = await insert_endpoint(db, account.org_id)
    for queue in (endpoint, endpoint, other):
        await insert_delivery(db, account.org_id, queue)
    await db.run("UPDATE webhook_queues SET failing_since = $1", db.now)

    off = await api.patch(f"/v1/webhooks/{endpoint}", {"active": False})
    left = await waiting(db, endpoint), await waiting(db, other)
    still_failing = await db.value("SELECT failing_since IS NOT NULL FROM webhook_queues WHERE id = $1", endpoint)
    on = await api.patch(f"/v1/webhooks/{endpoint}", {"active": True})

    assert (off.json["active"], on.json["active"], left, still_failing) == (False, True, (0, 1), True)
    failing = await db.all(bool, "SELECT failing_since IS NOT NULL FROM webhook_queues WHERE id = ANY ($1)", [endpoint])
    assert failing == [False]
    payloads = [payload for _, _, payload in await audited(db, account.org_id, "webhook_endpoint")]
    assert [payload.get("abandoned") for payload in payloads] == [2, None]


async def test_a_change_has_the_dispatcher_look_at_once(api: Client, db: CellDb) -> None:
    """Whoever holds the lane has the old URL and the old secret in memory."""
    endpoint = await made(api)
    queue = "SELECT due_at <= $2 FROM webhook_queues WHERE id = $1"
    rested = await db.value(queue, UUID(endpoint["id"]), db.now)

    await api.patch(f"/v1/webhooks/{endpoint['id']}", {"url": f"{URL}/2"})

    assert rested is None
    assert await db.value(queue, UUID(endpoint["id"]), db.now) is True


@pytest.mark.covers("patchWebhookEndpoint", 409)
async def test_409_turning_on_one_more_than_fifty(api: Client, db: CellDb, account: Account) -> None:
    for _ in range(50):
        await insert_endpoint(db, account.org_id)
    off = await insert_endpoint(db, account.org_id, active=False)

    refused = await api.patch(f"/v1/webhooks/{off}", {"active": True})

    assert (refused.status, refused.error["code"]) == (409, "LIMIT_EXCEEDED")
    assert (await api.get(f"/v1/webhooks/{off}")).json["active"] is False


@pytest.mark.covers("patchWebhookEndpoint", 422)
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"url": "http://x.example"}, {"url"}),
        ({"url": None}, {"url"}),
        ({"events": []}, {"events"}),
        ({"events": None}, {"events"}),
        ({"description": "x" * 201, "events": ["webhook.test"]}, {"description", "events"}),
        ({"active": "yes"}, {"active"}),
        ({"active": None}, {"active"}),
        ({"api_version": "2026-04-01"}, {"api_version"}),
    ],
)
async def test_422_a_change_names_every_faulty_field(api: Client, body: dict[str, Any], fields: set[str]) -> None:
    endpoint = await made(api)

    answer = await api.patch(f"/v1/webhooks/{endpoint['id']}", body)

    assert (answer.status, set(answer.error["details"])) == (422, fields)


# ── delete ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("deleteWebhookEndpoint", 204)
async def test_204_a_deleted_endpoint_is_told_nothing_more_and_its_secret_is_gone(
    api: Client, db: CellDb, account: Account
) -> None:
    endpoint = UUID((await made(api))["id"])
    await insert_delivery(db, account.org_id, endpoint)

    answer = await api.delete(f"/v1/webhooks/{endpoint}")

    assert (answer.status, answer.body) == (204, b"")
    assert await waiting(db, endpoint) == 0
    row = await db.one(
        lambda *columns: columns, "SELECT active, deleted_at IS NOT NULL, encrypted_secret FROM webhook_endpoints"
    )
    assert row == (False, True, b"")
    assert [action for action, _, _ in await audited(db, account.org_id, "webhook_endpoint")] == [
        "webhook_endpoint.create",
        "webhook_endpoint.delete",
    ]
