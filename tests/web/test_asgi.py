"""What the edge promises whatever the operation: identification, order of checks, methods, a database that is away."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import structlog.testing

from agentmessage.app.api import Api
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.errors import Internal
from agentmessage.settings import Settings
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, key_with
from tests.numbers.virtual_clock import add_number

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@pytest.fixture
async def number(db: CellDb, account: Account) -> UUID:
    """An assigned number without a campaign."""
    return await add_number(db, account.org_id, "+14155550101")


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v2/phone-numbers", "/v1/phone-numbers/", "//v1"])
async def test_an_unknown_path_is_an_enveloped_404(path: str, api: Client) -> None:
    reply = await api.get(path)

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
    assert reply.headers["x-request-id"] == reply.error["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/phone-numbers", "GET, HEAD"),
        ("GET", f"/v1/phone-numbers/{NOWHERE}/campaign", "DELETE, POST"),
        ("POST", f"/v1/phone-numbers/{NOWHERE}", "DELETE, GET, HEAD, PATCH"),
        ("HEAD", f"/v1/phone-numbers/{NOWHERE}/campaign", "DELETE, POST"),
        ("OPTIONS", "/v1/organization", "GET, HEAD, PATCH"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allow: str, api: Client) -> None:
    reply = await api.request(method, path)

    assert (reply.status, reply.headers["allow"]) == (405, allow)
    if method != "HEAD":
        assert reply.error["code"] == "METHOD_NOT_ALLOWED"


async def test_every_answer_has_a_request_id_of_ours(api: Client, number: UUID) -> None:
    """Never the caller's own, always the same in header, error and audit log."""
    sent = {"x-request-id": "mine"}

    replies = [
        await api.get(f"/v1/phone-numbers/{number}", headers=sent),
        await api.get(f"/v1/phone-numbers/{NOWHERE}", headers=sent),
        await api.get("/healthz", headers=sent),
        await api.using(None).get("/v1/phone-numbers", headers=sent),
    ]

    ids = [reply.headers["x-request-id"] for reply in replies]
    assert all(ULID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)


async def test_head_is_get_without_the_body(api: Client, number: UUID) -> None:
    own, missing = f"/v1/phone-numbers/{number}", f"/v1/brands/{NOWHERE}"
    for path in (own, missing, "/v1/phone-numbers", "/healthz", "/openapi.json"):
        whole, head = await api.get(path), await api.request("HEAD", path)

        assert (head.status, head.body) == (whole.status, b"")
        assert head.headers["content-length"] == str(len(whole.body))
        assert head.headers["content-type"] == whole.headers["content-type"]


# ── order of checks ────────────────────────────────────────────────────────────────────────────────────────────


async def test_of_many_faults_the_first_in_the_contracts_order_is_told(
    api: Client, cells: Cells, account: Account, number: UUID
) -> None:
    """404 path, 405, 401, 403, path 400, body 422, then the operation's own."""
    weak = await key_with(cells, account.tenant, ["org:read"])
    bad_body: Any = {"campaign_id": 7}
    path, bad_id = f"/v1/phone-numbers/{number}", "/v1/phone-numbers/x"
    missing = {"campaign_id": str(NOWHERE)}

    asked = [
        (None, "POST", "/v1/nothing", bad_body, 404),
        (None, "PUT", bad_id, bad_body, 405),
        (None, "PATCH", bad_id, bad_body, 401),
        (weak, "PATCH", bad_id, bad_body, 403),
        (account.key, "PATCH", bad_id, bad_body, 400),
        (account.key, "PATCH", path, bad_body, 422),
        (account.key, "PATCH", path, missing, 404),
    ]

    assert [(await api.using(key).request(method, at, body)).status for key, method, at, body, _ in asked] == [
        status for *_, status in asked
    ]


async def test_a_422_names_every_fault_of_the_body(api: Client) -> None:
    body = {"entity_type": "X", "brand_relationship": 7, "display_name": "a\x00", "no_such": 1}

    reply = await api.post("/v1/brands?x=1", body)

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    faulty = {"entity_type", "brand_relationship", "display_name", "country", "no_such"}
    assert set(reply.error["details"]) == faulty
    assert all(isinstance(words, str) for words in reply.error["details"].values())


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/json;charset=UTF-8;x=y", 200),
        ("application/problem+json", 415),
        ("text/json", 415),
    ],
)
async def test_the_body_must_be_declared_as_json(header: str, status: int, api: Client, number: UUID) -> None:
    reply = await api.request(
        "PATCH", f"/v1/phone-numbers/{number}", content=b'{"label": "x"}', headers={"content-type": header}
    )

    assert reply.status == status


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip", "deflate"])
async def test_a_compressed_body_is_refused_and_not_called_malformed(encoding: str, api: Client, number: UUID) -> None:
    headers = {"content-type": "application/json", "content-encoding": encoding}

    reply = await api.request("PATCH", f"/v1/phone-numbers/{number}", content=b"\x1f\x8b\x08\x00", headers=headers)

    assert (reply.status, reply.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_an_encoding_that_changes_nothing_is_none(api: Client, number: UUID) -> None:
    headers = {"content-type": "application/json", "content-encoding": "Identity"}

    reply = await api.request("PATCH", f"/v1/phone-numbers/{number}", content=b'{"label": "x"}', headers=headers)

    assert reply.status == 200


async def test_white_space_around_a_key_of_repetition_is_not_part_of_it(api: Client) -> None:
    body = {"label": "x", "scopes": ["org:read"]}

    first = await api.post("/v1/api-keys", body, headers={"idempotency-key": "order 7"})
    again = await api.post("/v1/api-keys", body, headers={"idempotency-key": "\t order 7 \t"})

    assert (first.status, again.status, again.headers.get("idempotent-replayed")) == (201, 201, "true")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_has_no_case(scheme: str, api: Client, account: Account) -> None:
    reply = await api.using(None).get("/v1/organization", headers={"authorization": f"{scheme} {account.key}"})

    assert reply.status == 200


@pytest.mark.parametrize("header", ["Bearer  KEY", "Bearer KEY ", " Bearer KEY", "bearer\t KEY\t", "Bearer \t KEY"])
async def test_white_space_around_a_key_is_not_part_of_it(header: str, api: Client, account: Account) -> None:
    sent = {"authorization": header.replace("KEY", account.key)}

    assert (await api.using(None).get("/v1/organization", headers=sent)).status == 200


@pytest.mark.parametrize("header", ["Bearer KEY KEY", "BearerKEY", "Bearer KEY, x", "Bearer", "Bearer x KEY"])
async def test_what_is_no_key_is_no_key(header: str, api: Client, account: Account) -> None:
    sent = {"authorization": header.replace("KEY", account.key)}

    assert (await api.using(None).get("/v1/organization", headers=sent)).status == 401


@pytest.mark.parametrize("text", [b'{"label": "x", "label": "y"}', b' \n{"label": "y"}\t', b'{"label": "\\u0079"}'])
async def test_json_is_read_as_the_standard_says(text: bytes, api: Client, number: UUID) -> None:
    headers = {"content-type": "application/json"}

    reply = await api.request("PATCH", f"/v1/phone-numbers/{number}", content=text, headers=headers)

    assert (reply.status, reply.data["label"]) == (200, "y")


@pytest.mark.parametrize("upper", [True, False])
async def test_an_id_in_capitals_is_the_same_id(upper: bool, api: Client, number: UUID) -> None:  # noqa: FBT001
    text = str(number).upper() if upper else str(number)

    assert (await api.get(f"/v1/phone-numbers/{text}")).status == 200


@pytest.mark.parametrize("query", ["limit=1&limit=2", "%FF=1", "&".join(f"a{n}=1" for n in range(200)), "x" * 9000])
async def test_an_odd_query_is_refused_and_never_a_fault_of_ours(query: str, api: Client) -> None:
    reply = await api.get(f"/v1/phone-numbers?{query}")

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")


async def test_a_fault_of_ours_is_a_bare_500_and_the_log_has_the_rest(api: Client, db: CellDb, number: UUID) -> None:
    """Never a stack trace, never SQL."""
    await db.run("ALTER TABLE phone_numbers RENAME COLUMN label TO lable")

    with structlog.testing.capture_logs() as logs:
        reply = await api.get(f"/v1/phone-numbers/{number}")

    assert reply.status == 500
    assert reply.error == {
        "code": "INTERNAL",
        "message": "internal error",
        "request_id": reply.headers["x-request-id"],
        "fix": Internal.fix,
    }
    assert [entry["request_id"] for entry in logs if entry["event"] == "request failed"] == [reply.error["request_id"]]


# ── away and leaving ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def lonely(settings: Settings, dsn: str) -> AsyncIterator[tuple[Api, str]]:
    """An API whose database is not there: somebody listens on the port no more."""
    gone = re.sub(r":\d+/", ":9/", dsn)
    api = Api(settings, cells=Cells(gone, pool_size=2))
    yield api, gone
    await api.stop()


async def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(
    lonely: tuple[Api, str], account: Account
) -> None:
    client = Client(lonely[0], account.key)

    with structlog.testing.capture_logs():
        replies = [
            await client.get("/v1/phone-numbers"),
            await client.post("/v1/brands", {}, headers={"idempotency-key": "k"}),
            await client.delete(f"/v1/phone-numbers/{NOWHERE}/campaign"),
        ]

    for reply in replies:
        assert (reply.status, reply.error["code"], reply.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
        assert reply.error["message"] == "temporarily unavailable"
    assert (await client.get("/healthz")).status == 200
    ready = await client.get("/readyz")
    assert (ready.status, ready.json["database"]) == (503, False)


async def test_a_database_that_goes_away_under_a_request_is_a_503_and_nothing_is_half_done(
    api: Client, db: CellDb, number: UUID
) -> None:
    """The backend is ended while the request waits for a lock; the next request finds a fresh connection."""
    async with db.transaction() as tx:
        await tx.run("SELECT 1 FROM phone_numbers WHERE id = $1 FOR UPDATE", number)
        asking = asyncio.create_task(api.patch(f"/v1/phone-numbers/{number}", {"label": "x"}))
        async with asyncio.timeout(10):
            while not await db.value("SELECT count(*) FROM pg_locks, pg_sleep(0.005) WHERE NOT granted"):
                pass
        with structlog.testing.capture_logs():
            await db.value("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted LIMIT 1")
            reply = await asking

    assert (reply.status, reply.error["code"]) == (503, "UNAVAILABLE")
    assert (await api.get(f"/v1/phone-numbers/{number}")).data["label"] is None


async def test_a_draining_process_takes_nothing_new(app: Api, api: Client) -> None:
    app.api_app.is_draining = True

    reply = await api.get("/v1/phone-numbers")

    assert (reply.status, reply.error["code"], reply.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
    assert (await api.get("/healthz")).status == 200


async def test_a_caller_who_leaves_in_the_middle_of_a_body_changes_nothing(
    app: Api, account: Account, db: CellDb, number: UUID
) -> None:
    """Half of a JSON document that happens to be whole is still half a request."""
    messages: list[Any] = [
        {"type": "http.request", "body": b'{"label": "x"}', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PATCH",
        "path": f"/v1/phone-numbers/{number}",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {account.key}".encode()), (b"content-type", b"application/json")],
    }
    await app(scope, receive, send)

    assert sent[0]["status"] == 400
    assert await db.value("SELECT label FROM phone_numbers") is None


async def test_a_body_is_refused_as_soon_as_it_is_too_long(app: Api, account: Account) -> None:
    """Not only when all of it was read."""
    read = 0

    async def receive() -> Any:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/brands",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {account.key}".encode()), (b"content-type", b"application/json")],
    }
    await app(scope, receive, send)

    assert sent[0]["status"] == 413
    assert read == 17


# ── many faults, and ways out ──────────────────────────────────────────────────────────────────────────────────


async def test_details_names_fifty_faults_and_how_many_others_there_are(api: Client) -> None:
    """However much comes: neither the answer nor the work on it grows with what nobody asked for."""
    body = {f"unknown_{number}": 1 for number in range(20_000)}

    reply = await api.post("/v1/consent", body)

    details = dict(reply.error["details"])
    required = {name for name, words in details.items() if words == "is required"}
    assert (reply.status, len(details)) == (422, 51)
    assert int(details["more"]) == 20_000 + len(required) - 50
    assert len(reply.body) < 8_000


@pytest.mark.parametrize("levels", [1, 2])
async def test_faults_below_a_field_are_counted_too(levels: int, api: Client) -> None:
    inner: Any = {f"unknown_{number}": 1 for number in range(60)}
    body = {"quiet_hours": inner} | ({f"x{number}": 1 for number in range(60)} if levels == 2 else {})

    reply = await api.patch("/v1/organization", body)

    assert (reply.status, len(reply.error["details"])) == (422, 51)
    assert int(reply.error["details"]["more"]) == 60 * levels - 50


async def test_faults_of_the_query_and_of_the_body_are_counted_together(api: Client) -> None:
    query = "&".join(f"q{number}=1" for number in range(40))

    reply = await api.get(f"/v1/brands?{query}&limit=x")

    assert (reply.status, len(reply.error["details"])) == (422, 41)
    assert "more" not in reply.error["details"]


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "1", "t", "T", "tRuE"])
async def test_true_has_many_forms_in_a_query(text: str, api: Client, number: UUID) -> None:
    await api.post("/v1/api-keys", {"label": "x", "scopes": ["org:read"]})

    every = await api.get(f"/v1/api-keys?include_revoked={text}")

    assert every.status == 200
    assert (await api.delete(f"/v1/phone-numbers/{number}?return_to_carrier={text}")).status == 403


@pytest.mark.parametrize("text", ["false", "False", "FALSE", "0", "f", "F"])
async def test_false_has_many_forms_in_a_query(text: str, api: Client, number: UUID) -> None:
    assert (await api.get(f"/v1/inbound-messages?opt_out={text}")).status == 200
    assert (await api.delete(f"/v1/phone-numbers/{number}?return_to_carrier={text}")).status == 200


@pytest.mark.parametrize("text", ["yes", "no", "on", "2", "", "truee", "null", "true%20", "01"])
async def test_nothing_else_is_a_truth_value(text: str, api: Client) -> None:
    reply = await api.get(f"/v1/inbound-messages?opt_out={text}")

    assert (reply.status, list(reply.error["details"])) == (422, ["opt_out"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/nothing", None),
        ("PUT", "/v1/organization", None),
        ("GET", "/v1/brands/x", None),
        ("GET", f"/v1/brands/{NOWHERE}", None),
        ("PATCH", "/v1/organization", {"x": 1}),
        ("PATCH", f"/v1/phone-numbers/{NOWHERE}", {"x": 1}),
    ],
)
async def test_a_refusal_says_the_way_out(method: str, path: str, body: Any, api: Client) -> None:
    reply = await api.request(method, path, body)

    assert reply.error["fix"].endswith(".")
    assert set(reply.error) - {"details"} == {"code", "message", "request_id", "fix"}
