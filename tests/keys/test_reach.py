"""How far a key reaches: whom it may end, what ends with it, and whose answers it is told."""

import asyncio
import json
from typing import Any

import pytest

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.web.scopes import CUSTOMER_SCOPES, PLATFORM_SCOPES
from tests.conftest import Client
from tests.make.accounts import Account, key_with
from tests.make.rooms import RoomsApp

SCOPES = ["apikeys:read", "apikeys:write", "org:read"]


async def make(client: Client, scopes: list[str], label: str = "made") -> Any:
    answer = await client.post("/v1/api-keys", {"label": label, "scopes": scopes})
    assert answer.status == 201, answer.body
    return answer.json


async def is_alive(app: RoomsApp, plaintext: str) -> bool:
    return (await Client(app, plaintext).get("/v1/organization")).status != 401


async def key_ids(client: Client, query: str = "") -> list[str]:
    return [key["id"] for key in (await client.get(f"/v1/api-keys?include_revoked=false{query}")).data]


# ── who may end whom ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wide", [CUSTOMER_SCOPES, (*SCOPES, *PLATFORM_SCOPES), (*SCOPES, "billing:read")])
@pytest.mark.parametrize("method", ["DELETE", "POST"])
async def test_403_a_key_neither_ends_nor_rotates_one_that_can_do_more(
    app: RoomsApp, cells: Cells, account: Account, wide: tuple[str, ...], method: str
) -> None:
    other = await key_with(cells, account.tenant, wide)
    narrow = Client(app, await key_with(cells, account.tenant, SCOPES))
    other_id = (await Client(app, other).get("/v1/api-keys")).data[1]["id"]
    path = f"/v1/api-keys/{other_id}" + ("/rotate" if method == "POST" else "")

    answer = await narrow.request(method, path)

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")
    assert await is_alive(app, other)


async def test_a_key_ends_its_equals_and_itself(app: RoomsApp, cells: Cells, account: Account) -> None:
    mine = Client(app, await key_with(cells, account.tenant, SCOPES))
    equal = await key_with(cells, account.tenant, SCOPES)
    equal_id, mine_id = [key["id"] for key in (await mine.get("/v1/api-keys")).data][:2]

    assert (await mine.delete(f"/v1/api-keys/{equal_id}")).status == 204
    assert not await is_alive(app, equal)
    assert (await mine.delete(f"/v1/api-keys/{mine_id}")).status == 204
    assert (await mine.get("/v1/organization")).status == 401


# ── parents ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_key_names_the_key_that_made_it(app: RoomsApp, api: Client, account: Account) -> None:
    child = await make(api, SCOPES)
    grandchild = await make(Client(app, child["plaintext"]), SCOPES)

    assert (await api.get(f"/v1/api-keys/{account.key_id}")).json["parent_id"] is None
    assert (child["parent_id"], grandchild["parent_id"]) == (str(account.key_id), child["id"])
    assert await key_ids(api, f"&parent_id={child['id']}") == [grandchild["id"]]


async def test_what_a_key_made_ends_with_it(app: RoomsApp, api: Client) -> None:
    child = await make(api, SCOPES)
    grandchild = await make(Client(app, child["plaintext"]), SCOPES)
    great = await make(Client(app, grandchild["plaintext"]), ["org:read"])
    other = await make(api, SCOPES)

    await api.delete(f"/v1/api-keys/{child['id']}")

    alive = [await is_alive(app, key["plaintext"]) for key in (child, grandchild, great, other)]
    assert alive == [False, False, False, True]
    acts = (await api.get("/v1/audit-log?action=api_key.revoke")).data
    assert {act["resource"]["id"] for act in acts} == {child["id"], grandchild["id"], great["id"]}


async def test_what_a_key_made_can_be_kept(app: RoomsApp, api: Client) -> None:
    child = await make(api, SCOPES)
    grandchild = await make(Client(app, child["plaintext"]), SCOPES)

    await api.delete(f"/v1/api-keys/{child['id']}?keep_children=true")

    assert await is_alive(app, grandchild["plaintext"])
    await api.delete(f"/v1/api-keys/{child['id']}")
    assert not await is_alive(app, grandchild["plaintext"])


async def test_what_a_rotated_key_made_goes_over_to_its_successor(app: RoomsApp, api: Client) -> None:
    child = await make(api, SCOPES)
    grandchild = await make(Client(app, child["plaintext"]), SCOPES)

    successor = (await api.post(f"/v1/api-keys/{child['id']}/rotate")).json

    assert successor["parent_id"] == child["parent_id"]
    assert await is_alive(app, grandchild["plaintext"])
    assert await key_ids(api, f"&parent_id={successor['id']}") == [grandchild["id"]]
    await api.delete(f"/v1/api-keys/{successor['id']}")
    assert not await is_alive(app, grandchild["plaintext"])


async def test_a_key_that_ends_leaves_no_child_behind(app: RoomsApp, api: Client) -> None:
    """Whatever overtakes what: the child is refused, or it has ended too."""
    for _ in range(4):
        parent = await make(api, SCOPES)
        client = Client(app, parent["plaintext"])

        made, _ = await asyncio.gather(
            client.post("/v1/api-keys", {"label": "late", "scopes": ["org:read"]}),
            api.delete(f"/v1/api-keys/{parent['id']}"),
        )

        assert made.status == 401 or not await is_alive(app, made.json["plaintext"])


# ── whose answer it is ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/v1/api-keys", "/v1/api-keys/{id}/rotate"])
async def test_403_an_answer_is_repeated_only_to_the_key_that_caused_it(
    app: RoomsApp, api: Client, cells: Cells, account: Account, path: str
) -> None:
    """Otherwise whoever knows the request would be given a key that they must not make."""
    wide = await make(api, list(CUSTOMER_SCOPES))
    target = path.replace("{id}", wide["id"])
    body = {"label": "worker", "scopes": ["numbers:write", "org:read"]} if path == "/v1/api-keys" else None
    headers = {"idempotency-key": "one"}
    first = await api.post(target, body, headers=headers)
    narrow = Client(app, await key_with(cells, account.tenant, ["apikeys:write"]))

    stolen = await narrow.post(target, body, headers=headers)
    again = await api.post(target, body, headers=headers)

    assert (stolen.status, stolen.error["code"]) == (403, "FORBIDDEN")
    assert first.json["plaintext"].encode() not in stolen.body
    assert (again.status, again.json) == (first.status, first.json)


async def test_another_keys_own_requests_are_its_own(
    app: RoomsApp, api: Client, cells: Cells, account: Account
) -> None:
    other = Client(app, await key_with(cells, account.tenant, CUSTOMER_SCOPES))
    await api.post("/v1/api-keys", {"label": "a", "scopes": ["org:read"]}, headers={"idempotency-key": "k"})

    same = await other.post("/v1/api-keys", {"label": "a", "scopes": ["org:read"]}, headers={"idempotency-key": "k"})
    another = await other.post("/v1/api-keys", {"label": "b", "scopes": ["org:read"]}, headers={"idempotency-key": "k"})

    assert (same.status, another.status, another.error["code"]) == (403, 409, "IDEMPOTENCY_KEY_REUSED")
    assert len((await api.get("/v1/api-keys")).data) == 3


BODY = {"label": "worker 1.0", "scopes": ["numbers:read", "org:read"]}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(BODY, indent=3),
        json.dumps(dict(reversed(BODY.items()))),
        json.dumps(BODY).replace("worker", "\\u0077ork\\u0065r"),
        json.dumps(BODY).replace("{", '{"label": "first", '),
        " " + json.dumps(BODY, separators=(",", ":")) + "\n",
    ],
)
async def test_the_same_json_is_the_same_request(api: Client, text: str) -> None:
    headers = {"idempotency-key": "k", "content-type": "application/json"}
    first = await api.post("/v1/api-keys", BODY, headers=headers)

    again = await api.request("POST", "/v1/api-keys", content=text.encode(), headers=headers)

    assert (again.status, again.json) == (201, first.json)
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    "body",
    [{**BODY, "label": "worker 1"}, {**BODY, "scopes": ["org:read", "numbers:read"]}, {**BODY, "label": "Worker"}],
)
async def test_409_other_json_is_another_request(api: Client, body: Any) -> None:
    headers = {"idempotency-key": "k"}
    await api.post("/v1/api-keys", BODY, headers=headers)

    assert (await api.post("/v1/api-keys", body, headers=headers)).status == 409


async def test_the_kept_answer_of_a_key_is_encrypted(api: Client, db: CellDb) -> None:
    made = await api.post("/v1/api-keys", BODY, headers={"idempotency-key": "k"})

    kept: bytes = await db.value("SELECT body FROM idempotency_keys")
    assert made.json["plaintext"].encode() not in kept
