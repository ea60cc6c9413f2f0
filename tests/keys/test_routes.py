"""API keys: every status, what a key can do, and when it is dead."""

import asyncio
import hashlib
import re
from typing import Any
from uuid import uuid4

import pytest

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.keys.routes import routes as key_routes
from agentmessage.organizations.routes import routes as organization_routes
from agentmessage.web.authentication import Authenticator
from agentmessage.web.scopes import CUSTOMER_SCOPES, PLATFORM_SCOPES
from tests.conftest import NOWHERE, Client, Reply
from tests.make.accounts import Account, key_with, open_account
from tests.make.rooms import RoomsApp

RESOURCE_KEYS = {"id", "org_id", "label", "prefix", "scopes", "created_at", "last_used_at", "revoked_at", "parent_id"}
NEW_KEY = {"label": "worker", "scopes": ["numbers:read", "org:read"]}

OPERATIONS = [
    pytest.param("POST", "/v1/api-keys", "apikeys:write", id="createAPIKey"),
    pytest.param("GET", "/v1/api-keys", "apikeys:read", id="listAPIKeys"),
    pytest.param("GET", "/v1/api-keys/{id}", "apikeys:read", id="getAPIKey"),
    pytest.param("POST", "/v1/api-keys/{id}/rotate", "apikeys:write", id="rotateAPIKey"),
    pytest.param("DELETE", "/v1/api-keys/{id}", "apikeys:write", id="revokeAPIKey"),
]
BY_ID = [
    pytest.param("GET", "/v1/api-keys/{id}", id="getAPIKey"),
    pytest.param("POST", "/v1/api-keys/{id}/rotate", id="rotateAPIKey"),
    pytest.param("DELETE", "/v1/api-keys/{id}", id="revokeAPIKey"),
]


async def create(api: Client, **changes: Any) -> Any:
    answer = await api.post("/v1/api-keys", {**NEW_KEY, **changes})
    assert answer.status == 201, answer.body
    return answer.json


async def is_alive(app: RoomsApp, plaintext: str) -> bool:
    return (await Client(app, plaintext).get("/v1/organization")).status != 401


@pytest.mark.covers("createAPIKey", 201)
async def test_201_a_key_is_printed_bare_and_works_with_its_scopes_only(
    app: RoomsApp, api: Client, account: Account
) -> None:
    answer = await api.post("/v1/api-keys", NEW_KEY)

    made = answer.json
    assert answer.status == 201
    assert set(made) == RESOURCE_KEYS | {"plaintext"}
    assert made["org_id"] == str(account.org_id)
    assert (made["label"], made["scopes"], made["revoked_at"]) == ("worker", NEW_KEY["scopes"], None)
    assert re.fullmatch(r"am_live_[0-9A-Za-z]{34}", made["plaintext"])
    assert made["prefix"] == made["plaintext"][:12]
    client = Client(app, made["plaintext"])
    assert (await client.get("/v1/organization")).status == 200
    assert (await client.get("/v1/api-keys")).status == 403


async def test_only_the_hash_of_a_key_is_stored(api: Client, db: CellDb) -> None:
    made = await create(api)

    digest = hashlib.sha256(made["plaintext"].encode()).digest()
    assert await db.value("SELECT hash FROM api_keys WHERE hash = $1", digest) == digest
    for table in ("api_keys", "events", "audit_log", "directory.api_keys"):
        found = await db.value(f"SELECT count(*) FROM {table} t WHERE t::text LIKE $1", f"%{made['plaintext'][12:]}%")  # noqa: S608
        assert (table, found) == (table, 0)


async def test_a_sandbox_key_says_so_in_its_prefix(app: RoomsApp, cells: Cells, account: Account) -> None:
    sandbox = Client(app, await key_with(cells, account.sandbox, CUSTOMER_SCOPES))

    made = await create(sandbox)

    assert made["plaintext"].startswith("am_test_")
    assert made["org_id"] == str(account.sandbox.org_id)


async def test_every_change_of_a_key_is_audited_and_told(api: Client) -> None:
    made = await create(api)
    rotated = (await api.post(f"/v1/api-keys/{made['id']}/rotate")).json
    await api.delete(f"/v1/api-keys/{rotated['id']}")

    acts = (await api.get("/v1/audit-log?resource_type=api_key&actor_kind=customer")).data
    facts = (await api.get("/v1/events")).data
    assert [(row["action"], row["resource"]["id"]) for row in reversed(acts)] == [
        ("api_key.create", made["id"]),
        ("api_key.rotate", rotated["id"]),
        ("api_key.revoke", rotated["id"]),
    ]
    assert [(fact["type"], fact["data"]["id"]) for fact in facts][-3:] == [
        ("api_key.created", made["id"]),
        ("api_key.rotated", rotated["id"]),
        ("api_key.revoked", rotated["id"]),
    ]
    assert all("plaintext" not in fact["data"] for fact in facts)


@pytest.mark.covers("createAPIKey", 400)
@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        ([], "must name at least one scope"),
        (["numbers:read", "numbers:read"], 'duplicate scope "numbers:read"'),
        (["messages:write"], 'unknown scope "messages:write"'),
        (["a\u0000\ud83d\ude00"], 'unknown scope "a\\x00\\U0001f600"'),
    ],
)
async def test_400_scopes_that_are_no_set_of_scopes_are_refused(api: Client, scopes: list[str], words: str) -> None:
    answer = await api.post("/v1/api-keys", {"label": "x", "scopes": scopes})

    assert (answer.status, answer.error["code"]) == (400, "INVALID_INPUT")
    assert answer.error["details"] == {"scopes": words}
    cause = "UNKNOWN_SCOPE: invalid input" if words.startswith("unknown") else "invalid input"
    assert answer.error["message"] == f"api key: {words}: {cause}"


@pytest.mark.covers("getAPIKey", 400)
@pytest.mark.covers("rotateAPIKey", 400)
@pytest.mark.covers("revokeAPIKey", 400)
@pytest.mark.parametrize(("method", "path"), BY_ID)
async def test_400_a_malformed_id_is_named(api: Client, method: str, path: str) -> None:
    answer = await api.request(method, path.replace("{id}", "7"), headers={"content-type": "application/json"})

    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_FAILED")
    assert answer.error["details"] == {"id": "must be a UUID"}


@pytest.mark.covers("createAPIKey", 401)
@pytest.mark.covers("listAPIKeys", 401)
@pytest.mark.covers("getAPIKey", 401)
@pytest.mark.covers("rotateAPIKey", 401)
@pytest.mark.covers("revokeAPIKey", 401)
@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
async def test_401_missing_wrong_unknown_and_revoked_are_the_same(
    app: RoomsApp, api: Client, method: str, path: str, scope: str
) -> None:
    revoked = await create(api, scopes=[scope])
    await api.delete(f"/v1/api-keys/{revoked['id']}")
    bad = [None, "Basic abc", "Bearer am_live_" + "x" * 34, f"Bearer {revoked['plaintext']}"]

    answers = [
        await Client(app).request(
            method, path.replace("{id}", revoked["id"]), headers={} if header is None else {"authorization": header}
        )
        for header in bad
    ]

    assert {(a.status, a.error["code"], a.error["message"]) for a in answers} == {
        (401, "UNAUTHORIZED", "authentication failed")
    }


@pytest.mark.covers("createAPIKey", 403)
@pytest.mark.covers("listAPIKeys", 403)
@pytest.mark.covers("getAPIKey", 403)
@pytest.mark.covers("rotateAPIKey", 403)
@pytest.mark.covers("revokeAPIKey", 403)
@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
async def test_403_without_the_scope_nothing_is_done(
    app: RoomsApp, cells: Cells, method: str, path: str, scope: str
) -> None:
    account = await open_account(cells, scopes=sorted(set(CUSTOMER_SCOPES) - {scope}))
    client = Client(app, account.key)

    answer = await client.request(method, path.replace("{id}", str(account.key_id)), NEW_KEY)

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")
    assert await is_alive(app, account.key)


@pytest.mark.covers("createAPIKey", 403)
@pytest.mark.parametrize("scope", ["numbers:write", *PLATFORM_SCOPES])
async def test_403_nobody_gives_a_scope_that_they_lack(app: RoomsApp, cells: Cells, scope: str) -> None:
    account = await open_account(cells, scopes=["apikeys:write", "apikeys:read", "org:read"])
    client = Client(app, account.key)

    answer = await client.post("/v1/api-keys", {"label": "more", "scopes": ["org:read", scope]})

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")
    assert len((await client.get("/v1/api-keys")).data) == 1


@pytest.mark.covers("rotateAPIKey", 403)
async def test_403_a_narrow_key_cannot_take_over_a_wide_one_by_rotating_it(
    app: RoomsApp, cells: Cells, account: Account
) -> None:
    """The answer of a rotation is a working key: it must not carry more than the one that asked."""
    narrow = Client(app, await key_with(cells, account.tenant, ["apikeys:write"]))

    answer = await narrow.post(f"/v1/api-keys/{account.key_id}/rotate")

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")
    assert await is_alive(app, account.key)


@pytest.mark.covers("getAPIKey", 404)
@pytest.mark.covers("rotateAPIKey", 404)
@pytest.mark.covers("revokeAPIKey", 404)
@pytest.mark.parametrize(("method", "path"), BY_ID)
async def test_404_anothers_key_answers_like_nothing(
    app: RoomsApp, api: Client, stranger: Account, method: str, path: str
) -> None:
    theirs = await api.request(method, path.replace("{id}", str(stranger.key_id)))
    nothing = await api.request(method, path.replace("{id}", str(uuid4())))

    assert (theirs.status, nothing.status) == (404, 404)
    assert {**theirs.error, "request_id": ""} == {**nothing.error, "request_id": ""}
    assert await is_alive(app, stranger.key)


@pytest.mark.covers("rotateAPIKey", 404)
async def test_404_a_revoked_key_is_not_brought_back_by_rotation(api: Client) -> None:
    made = await create(api)
    await api.delete(f"/v1/api-keys/{made['id']}")

    answer = await api.post(f"/v1/api-keys/{made['id']}/rotate")

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.covers("createAPIKey", 409)
@pytest.mark.covers("rotateAPIKey", 409)
async def test_409_an_idempotency_key_belongs_to_one_request(api: Client) -> None:
    headers = {"idempotency-key": "once"}
    first = await api.post("/v1/api-keys", NEW_KEY, headers=headers)

    again = await api.post("/v1/api-keys", NEW_KEY, headers=headers)
    other = await api.post("/v1/api-keys", {**NEW_KEY, "label": "other"}, headers=headers)
    rotation = await api.post(f"/v1/api-keys/{first.json['id']}/rotate", headers=headers)

    assert again.json == first.json
    assert (other.status, other.error["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert (rotation.status, rotation.error["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.covers("createAPIKey", 413)
@pytest.mark.covers("rotateAPIKey", 413)
@pytest.mark.parametrize("path", ["/v1/api-keys", f"/v1/api-keys/{NOWHERE}/rotate"])
async def test_413_a_body_over_a_mebibyte_is_refused(api: Client, path: str) -> None:
    answer = await api.post(path, {"label": "x" * 1_048_577})

    assert (answer.status, answer.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.covers("createAPIKey", 415)
async def test_415_a_body_that_is_not_declared_as_json_is_refused(api: Client) -> None:
    answer = await api.post("/v1/api-keys", NEW_KEY, headers={"content-type": "text/plain"})

    assert (answer.status, answer.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.covers("createAPIKey", 422)
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"label", "scopes"}),
        ({"label": "", "scopes": ["org:read"]}, {"label"}),
        ({"label": "x" * 101, "scopes": ["org:read"]}, {"label"}),
        ({"label": "a\u0000", "scopes": "org:read"}, {"label", "scopes"}),
        ({"label": "x", "scopes": [1]}, {"scopes"}),
        ({**NEW_KEY, "expires_at": None}, {"expires_at"}),
    ],
)
async def test_422_every_faulty_field_is_named(api: Client, body: Any, fields: set[str]) -> None:
    answer = await api.post("/v1/api-keys", body)

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(answer.error["details"]) == fields


@pytest.mark.covers("rotateAPIKey", 422)
async def test_422_an_idempotency_key_that_cannot_be_one_is_named(api: Client, account: Account) -> None:
    answer = await api.post(f"/v1/api-keys/{account.key_id}/rotate", headers={"idempotency-key": "x" * 256})

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(answer.error["details"]) == {"Idempotency-Key"}


@pytest.mark.covers("revokeAPIKey", 422)
async def test_422_whether_children_stay_is_yes_or_no(api: Client) -> None:
    made = await create(api)

    answer = await api.delete(f"/v1/api-keys/{made['id']}?keep_children=perhaps")

    assert (answer.status, set(answer.error["details"])) == (422, {"keep_children"})
    assert (await api.get(f"/v1/api-keys/{made['id']}")).json["revoked_at"] is None


@pytest.mark.covers("listAPIKeys", 422)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("include_revoked=perhaps", "include_revoked"),
        ("cursor=x", "cursor"),
    ],
)
async def test_422_a_bad_filter_is_named(api: Client, query: str, field: str) -> None:
    answer = await api.get(f"/v1/api-keys?{query}")

    assert (answer.status, set(answer.error["details"])) == (422, {field})


@pytest.mark.covers("createAPIKey", 429)
@pytest.mark.covers("rotateAPIKey", 429)
async def test_429_creating_and_rotating_share_ten_a_minute(api: Client, stranger: Account, app: RoomsApp) -> None:
    made = [await create(api) for _ in range(5)]
    for key in made:
        assert (await api.post(f"/v1/api-keys/{key['id']}/rotate")).status == 200
    refused_shape = await api.post("/v1/api-keys", {"label": "x", "scopes": []})

    refused = [await api.post("/v1/api-keys", NEW_KEY), await api.post(f"/v1/api-keys/{uuid4()}/rotate")]
    last = (await api.get("/v1/api-keys")).data[0]["id"]
    refused[1] = await api.post(f"/v1/api-keys/{last}/rotate")

    assert refused_shape.status == 400
    for answer in refused:
        assert (answer.status, answer.error["code"]) == (429, "RATE_LIMITED")
        assert 1 <= int(answer.headers["retry-after"]) <= 6
    assert (await Client(app, stranger.key).post("/v1/api-keys", NEW_KEY)).status == 201


@pytest.mark.covers("listAPIKeys", 200)
async def test_200_keys_are_listed_newest_first_over_pages_without_a_secret(api: Client, account: Account) -> None:
    made = [await create(api, label=f"key {number}") for number in range(5)]

    listed: list[Any] = []
    cursor = ""
    while cursor is not None:
        answer = await api.get(f"/v1/api-keys?limit=2{cursor}")
        listed += answer.data
        assert answer.json["meta"]["total"] == 0
        cursor = answer.json["meta"]["next_cursor"] and f"&cursor={answer.json['meta']['next_cursor']}"

    assert [key["id"] for key in listed] == [key["id"] for key in reversed(made)] + [str(account.key_id)]
    assert all(set(key) == RESOURCE_KEYS for key in listed)


@pytest.mark.covers("listAPIKeys", 200)
async def test_200_revoked_keys_stay_listed_unless_told_otherwise(api: Client) -> None:
    made = await create(api)
    await api.delete(f"/v1/api-keys/{made['id']}")

    shown = {key["id"]: key["revoked_at"] for key in (await api.get("/v1/api-keys")).data}
    living = {key["id"] for key in (await api.get("/v1/api-keys?include_revoked=false")).data}

    assert shown[made["id"]] is not None
    assert made["id"] not in living


@pytest.mark.covers("getAPIKey", 200)
async def test_200_a_key_is_read_bare_and_without_its_secret(api: Client) -> None:
    made = await create(api)

    answer = await api.get(f"/v1/api-keys/{made['id']}")

    assert answer.status == 200
    assert answer.json == {name: value for name, value in made.items() if name != "plaintext"}


@pytest.mark.covers("rotateAPIKey", 200)
async def test_200_rotation_answers_a_new_key_and_the_old_one_is_dead_at_once(app: RoomsApp, api: Client) -> None:
    made = await create(api)
    assert await is_alive(app, made["plaintext"])

    answer = await api.post(f"/v1/api-keys/{made['id']}/rotate")

    new = answer.json
    assert answer.status == 200
    assert new["id"] != made["id"]
    assert new["prefix"] != made["prefix"]
    assert (new["label"], new["scopes"]) == (made["label"], made["scopes"])
    assert await is_alive(app, new["plaintext"])
    assert not await is_alive(app, made["plaintext"])
    assert (await api.get(f"/v1/api-keys/{made['id']}")).json["revoked_at"] is not None


async def test_a_key_may_rotate_itself(app: RoomsApp, account: Account) -> None:
    answer = await Client(app, account.key).post(f"/v1/api-keys/{account.key_id}/rotate")

    assert not await is_alive(app, account.key)
    assert await is_alive(app, answer.json["plaintext"])


@pytest.mark.covers("revokeAPIKey", 204)
async def test_204_a_revoked_key_is_dead_at_once_and_revoking_again_changes_nothing(app: RoomsApp, api: Client) -> None:
    made = await create(api)
    assert await is_alive(app, made["plaintext"])

    first = await api.delete(f"/v1/api-keys/{made['id']}")
    was = (await api.get(f"/v1/api-keys/{made['id']}")).json
    again = await api.delete(f"/v1/api-keys/{made['id']}")

    assert (first.status, first.body, again.status) == (204, b"", 204)
    assert not await is_alive(app, made["plaintext"])
    assert (await api.get(f"/v1/api-keys/{made['id']}")).json == was
    acts = (await api.get(f"/v1/audit-log?resource_id={made['id']}&action=api_key.revoke")).data
    assert len(acts) == 1


async def test_a_key_revoked_elsewhere_is_dead_within_a_second(cells: Cells, account: Account) -> None:
    moment = 100.0
    here = RoomsApp(cells, key_routes, organization_routes)
    elsewhere = RoomsApp(cells, key_routes, organization_routes, monotonic=lambda: moment)
    made = await create(Client(here, account.key))
    assert await is_alive(elsewhere, made["plaintext"])

    await Client(here, account.key).delete(f"/v1/api-keys/{made['id']}")
    moment += 1.0

    assert not await is_alive(elsewhere, made["plaintext"])


async def test_two_rotations_at_once_leave_one_new_key(api: Client) -> None:
    made = await create(api)

    answers: list[Reply] = await asyncio.gather(*(api.post(f"/v1/api-keys/{made['id']}/rotate") for _ in range(4)))

    assert sorted(answer.status for answer in answers) == [200, 404, 404, 404]
    living = (await api.get("/v1/api-keys?include_revoked=false")).data
    assert len([key for key in living if key["label"] == "worker"]) == 1


async def test_a_look_up_that_was_under_way_does_not_bring_a_revoked_key_back(
    cells: Cells, db: CellDb, account: Account
) -> None:
    """The request that asked before the commit may pass; what it learned must not let the next one pass."""
    authenticator = Authenticator(cells, lambda: 100.0)
    header = f"Bearer {account.key}"
    authenticator.revoke(account.key_id)
    await authenticator.authenticate(header, now=db.now)

    assert authenticator.get_cached(header.encode()) is None


async def test_the_acts_of_a_platform_key_are_the_operators(app: RoomsApp, cells: Cells, account: Account) -> None:
    operator = Client(app, await key_with(cells, account.tenant, [*CUSTOMER_SCOPES, *PLATFORM_SCOPES]))

    made = await create(operator, scopes=["org:read", *PLATFORM_SCOPES])

    act = (await operator.get(f"/v1/audit-log?resource_id={made['id']}")).data[0]
    assert act["actor"] == {"kind": "platform", "label": "platform"}
