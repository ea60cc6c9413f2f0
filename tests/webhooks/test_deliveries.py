"""The log of deliveries: what is shown, every filter, paging without loss, and how long it is kept."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentmessage.kernel.db import CellDb
from agentmessage.webhooks import operations
from agentmessage.webhooks.model import SUBSCRIBABLE, Attempt, Outcome
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account
from tests.make.webhooks import URL, insert_attempt, insert_endpoint

SHOWN = [
    "id", "endpoint_id", "kind", "event_id", "event_type", "url", "attempt", "outcome", "response_status",
    "response_time_ms", "request_body_sha256", "request_body_bytes", "response_body_excerpt", "request_headers",
    "error", "occurred_at",
]  # fmt: skip
START = datetime(2026, 7, 1, tzinfo=UTC)


def listing(**filters: Any) -> str:
    return "/v1/webhooks/deliveries?" + urlencode(filters)


@pytest.mark.covers("getWebhookDelivery", 200)
async def test_200_a_delivery_is_printed_bare_with_all_its_keys(api: Client, db: CellDb, account: Account) -> None:
    endpoint = await insert_endpoint(db, account.org_id)
    attempt = await insert_attempt(db, account.org_id, endpoint)

    answer = await api.get(f"/v1/webhooks/deliveries/{attempt.id}")

    shown = answer.json
    assert (answer.status, list(shown)) == (200, SHOWN)
    assert (shown["endpoint_id"], shown["event_id"]) == (str(endpoint), f"evt_{attempt.event_id}")
    assert (shown["request_body_sha256"], shown["url"]) == ("01" * 32, URL)
    assert shown["request_headers"] == {"webhook-id": f"evt_{attempt.event_id}"}


@pytest.mark.covers("getWebhookDelivery", 200)
async def test_200_what_was_never_answered_has_nulls_and_an_error(api: Client, db: CellDb, account: Account) -> None:
    nothing = {
        "response_status": None,
        "response_time_ms": None,
        "response_body_excerpt": None,
        "request_body_sha256": None,
    }
    attempt = await insert_attempt(
        db, account.org_id, NOWHERE, outcome=Outcome.DEAD, error="connection refused", **nothing
    )

    shown = (await api.get(f"/v1/webhooks/deliveries/{attempt.id}")).json

    assert list(shown) == SHOWN
    assert {name: shown[name] for name in nothing} == nothing
    assert shown["error"] == "connection refused"


@pytest.mark.covers("getWebhookDelivery", 404)
async def test_404_a_strangers_delivery_is_nothing(api: Client, db: CellDb, stranger: Account) -> None:
    theirs = await insert_attempt(db, stranger.org_id, NOWHERE)

    answers = [await api.get(f"/v1/webhooks/deliveries/{some}") for some in (theirs.id, NOWHERE, "x")]

    assert {(answer.status, answer.error["message"]) for answer in answers} == {(404, "not found")}


async def test_deliveries_of_a_deleted_endpoint_stay_listed(api: Client, db: CellDb, account: Account) -> None:
    endpoint = await insert_endpoint(db, account.org_id)
    attempt = await insert_attempt(db, account.org_id, endpoint)

    await api.delete(f"/v1/webhooks/{endpoint}")

    assert [one["id"] for one in (await api.get(listing(endpoint_id=endpoint))).data] == [str(attempt.id)]


@pytest.mark.covers("listWebhookDeliveries", 200)
async def test_200_pages_lose_nothing_and_repeat_nothing_also_at_one_instant_and_while_rows_come(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    there = [await insert_attempt(db, account.org_id, NOWHERE, occurred_at=START) for _ in range(7)]
    await insert_attempt(db, stranger.org_id, NOWHERE, occurred_at=START)

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await api.get(listing(limit=2, **cursor))
        seen += [one["id"] for one in page.data]
        await insert_attempt(db, account.org_id, NOWHERE, occurred_at=START + timedelta(seconds=1))
        if page.json["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": page.json["meta"]["next_cursor"]}

    assert seen == sorted((str(attempt.id) for attempt in there), reverse=True)


@pytest.mark.covers("listWebhookDeliveries", 200)
async def test_200_a_page_holds_fifty_unless_more_are_asked_for(api: Client, db: CellDb, account: Account) -> None:
    for _ in range(51):
        await insert_attempt(db, account.org_id, NOWHERE)

    pages = [await api.get(listing()), await api.get(listing(limit=200))]

    assert [(len(page.data), page.json["meta"]["limit"]) for page in pages] == [(50, 50), (51, 200)]
    assert pages[1].json["meta"]["next_cursor"] is None


ENDPOINTS = [UUID(int=n) for n in (1, 2)]
KINDS = ["api_key.created", "message.delivered", "webhook.test"]
ATTEMPTS = st.fixed_dictionaries(
    {
        "queue_id": st.sampled_from(ENDPOINTS),
        "event_type": st.sampled_from(KINDS),
        "answered": st.sampled_from([(Outcome.SUCCESS, 200), (Outcome.SUCCESS, 204), (Outcome.RETRY, 500)])
        | st.sampled_from([(Outcome.DEAD, 404), (Outcome.RETRY, None), (Outcome.DEAD, None), (Outcome.RETRY, 301)]),
        "minute": st.integers(0, 5),
    }
)
FILTERS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Attempt, Any], bool]]] = {
    "endpoint_id": (st.sampled_from(ENDPOINTS), lambda a, value: a.queue_id == value),
    "event_type": (st.sampled_from(KINDS), lambda a, value: a.event_type == value),
    "outcome": (st.sampled_from(list(Outcome)), lambda a, value: a.outcome == value),
    "since": (st.integers(0, 5), lambda a, value: a.occurred_at >= at(value)),
    "until": (st.integers(0, 5), lambda a, value: a.occurred_at < at(value)),
    "http_status_min": (st.sampled_from([200, 201, 299, 300, 404]), lambda a, v: (a.response_status or 0) >= v),
    "http_status_max": (st.sampled_from([404, 499, 599]), lambda a, v: (a.response_status or 999) <= v),
}


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


@given(
    rows=st.lists(ATTEMPTS, min_size=1, max_size=12),
    filters=st.fixed_dictionaries({}, optional={name: values for name, (values, _) in FILTERS.items()}),
)
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_combination_of_filters_shows_what_fits_all_of_them(
    api: Client, db: CellDb, account: Account, rows: list[dict[str, Any]], filters: dict[str, Any]
) -> None:
    await db.run("DELETE FROM webhook_attempts")
    attempts = [
        await insert_attempt(
            db,
            account.org_id,
            row["queue_id"],
            event_type=row["event_type"],
            outcome=row["answered"][0],
            response_status=row["answered"][1],
            occurred_at=at(row["minute"]),
        )
        for row in rows
    ]
    asked = {name: at(value).isoformat() if name in ("since", "until") else value for name, value in filters.items()}

    answer = await api.get(listing(**asked))

    fit = [one for one in attempts if all(FILTERS[name][1](one, value) for name, value in filters.items())]
    fit.sort(key=lambda one: (one.occurred_at, one.id), reverse=True)
    assert [one["id"] for one in answer.data] == [str(one.id) for one in fit]


@pytest.mark.covers("listWebhookDeliveries", 200)
async def test_200_every_type_that_can_be_told_can_be_asked_for(api: Client) -> None:
    answers = [await api.get(listing(event_type=kind)) for kind in (*SUBSCRIBABLE, "webhook.test")]

    assert {answer.status for answer in answers} == {200}


@pytest.mark.covers("listWebhookDeliveries", 422)
@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "cursor=x", "endpoint_id=x", "event_type=no.such",
        "event_type=brand.created", "event_type=api_keyxcreated", "outcome=failed", "since=yesterday", "until=1",
        "http_status_min=99", "http_status_min=600", "http_status_max=0", "http_status_max=ok",
        "http_status_min=400&http_status_max=399",
    ],
)  # fmt: skip
async def test_422_a_list_says_what_is_wrong_with_its_query(api: Client, query: str) -> None:
    answer = await api.get(f"/v1/webhooks/deliveries?{query}")

    assert (answer.status, list(answer.error["details"])) == (422, [query.partition("=")[0]])


async def test_attempts_are_kept_for_thirty_days_and_not_a_moment_longer(
    api: Client, db: CellDb, account: Account
) -> None:
    now = db.now
    old = await insert_attempt(db, account.org_id, NOWHERE, occurred_at=now - timedelta(days=30, seconds=1))
    kept = await insert_attempt(db, account.org_id, NOWHERE, occurred_at=now - timedelta(days=30, seconds=-1))

    forgotten = await operations.forget_attempts(db, now=now)

    assert forgotten == 1
    assert (await api.get(f"/v1/webhooks/deliveries/{old.id}")).status == 404
    assert (await api.get(f"/v1/webhooks/deliveries/{kept.id}")).status == 200
