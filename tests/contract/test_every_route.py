"""What the edge promises for every operation alike, asked of every operation."""

from typing import Any

import msgspec
import pytest
import structlog.testing

from agentmessage.kernel.errors import ApiError
from agentmessage.web.asgi import MAX_QUERY_BYTES
from agentmessage.web.openapi.common_errors import codes, errors_by_status
from agentmessage.web.route import BoundRoute, NoInput, Route
from agentmessage.web.router import Router
from agentmessage.web.scopes import CUSTOMER_SCOPES
from tests.contract.every_route import (
    NOTHING,
    ROUTES,
    every_route,
    example_body,
    operation,
    target,
    without_request_id,
)
from tests.make.accounts import key_with

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN_KEY = "am_live_none" + "0" * 30


@every_route(401)
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", f"Bearer {UNKNOWN_KEY}", f"Basic {UNKNOWN_KEY}", UNKNOWN_KEY, "Bearer am_live_é"],
)
async def test_401_whatever_is_wrong_with_the_key_the_answer_is_the_same(
    route: Route, header: str | None, world: Any
) -> None:
    headers = {} if header is None else {"authorization": header}

    reply = await world.api.using(None).request(route.method, target(route), example_body(route), headers=headers)

    assert without_request_id(reply) == (
        401,
        {"success": False, "error": {"code": "UNAUTHORIZED", "message": "authentication failed"}},
    )
    assert reply.headers["www-authenticate"] == "Bearer"


@every_route(403)
async def test_403_every_scope_but_the_documented_one_is_not_enough(route: Route, world: Any) -> None:
    key = await key_without(world, route.scope)

    reply = await world.api.using(key).request(route.method, target(route), example_body(route))

    assert without_request_id(reply) == (
        403,
        {"success": False, "error": {"code": "FORBIDDEN", "message": "missing required scope"}},
    )
    assert operation(route)["x-scope"] == route.scope


async def key_without(world: Any, scope: str) -> str:
    """A key of the owner's with every customer scope but one."""
    keys: dict[str, str] = world.__dict__.setdefault("keys", {})
    if scope not in keys:
        others = [name for name in CUSTOMER_SCOPES if name != scope]
        keys[scope] = await key_with(world.cells, world.owner.tenant, others)
    return keys[scope]


def looks_at_the_path_first(route: Route) -> bool:
    return len(route.parameters) > len(route.texts) and route.path_fault == 400 and not route.path_is_last


@every_route(400, where=looks_at_the_path_first)
@pytest.mark.parametrize("some_id", ["x", "123", NOTHING + "0", NOTHING.replace("-", ""), "%00", "{" + NOTHING + "}"])
async def test_400_an_id_in_the_path_must_be_a_uuid(route: Route, some_id: str, world: Any) -> None:
    reply = await world.api.request(route.method, target(route, some_id), example_body(route))

    assert reply.status == 400
    assert reply.error["code"] == "VALIDATION_FAILED"
    assert reply.error["details"] == {route.parameters[0]: "must be a UUID"}


@every_route(400, where=lambda route: route.takes_body)
@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe", b'{"a": 1,}', b'{"unknown": "\xff"}', b"[" * 100_000, b'"\\ud800"', b"nul"]
)
async def test_400_a_body_that_is_not_json(route: Route, content: bytes, world: Any) -> None:
    headers = {"content-type": "application/json"}

    reply = await world.api.request(route.method, target(route), content=content, headers=headers)

    assert (reply.status, reply.error["code"]) == (400, "INVALID_INPUT")


@every_route(413, where=lambda route: route.reads_body)
async def test_413_a_body_over_one_mebibyte(route: Route, world: Any) -> None:
    headers = {"content-type": "application/json"}

    reply = await world.api.request(
        route.method, target(route), content=b" " * (route.max_body_bytes + 1), headers=headers
    )

    assert (reply.status, reply.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


@every_route(415, where=lambda route: route.takes_body)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
async def test_415_a_body_that_is_not_declared_as_json(route: Route, content_type: str, world: Any) -> None:
    headers = {"content-type": content_type}

    reply = await world.api.request(route.method, target(route), content=b"{}", headers=headers)

    assert (reply.status, reply.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@every_route(422, where=lambda route: route.takes_body and not route.body_fault_is_400)
async def test_422_a_field_that_nobody_knows_is_named(route: Route, world: Any) -> None:
    reply = await world.api.request(route.method, target(route), {"no_such_field": 1})

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    assert reply.error["details"]["no_such_field"] == "is not a known field"


@every_route(400, where=lambda route: route.body_fault_is_400)
async def test_400_a_field_that_cannot_be_changed_is_named(route: Route, world: Any) -> None:
    reply = await world.api.request(route.method, target(route), {"no_such_field": 1})

    assert (reply.status, reply.error["code"]) == (400, "INVALID_INPUT")
    assert reply.error["details"]["no_such_field"] == "is not a known field"


@every_route(422, where=lambda route: route.refuses_unknown_query)
async def test_422_a_list_names_a_query_parameter_that_nobody_knows(route: Route, world: Any) -> None:
    reply = await world.api.request(route.method, with_query(route, "no_such_parameter=1"), example_body(route))

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    assert reply.error["details"] == {"no_such_parameter": "is not a known field"}


@every_route(where=lambda route: not route.refuses_unknown_query and not route.takes_body)
@pytest.mark.parametrize("query", ["no_such_parameter=1", "a=1&a=2&%ff=%", "x=" + "y" * 9000])
async def test_elsewhere_a_query_parameter_that_nobody_knows_is_passed_over(
    route: Route, query: str, world: Any
) -> None:
    plain = await world.api.request(route.method, target(route))

    reply = await world.api.request(route.method, with_query(route, query))

    if route.query is not NoInput and len(query) > MAX_QUERY_BYTES:
        assert (reply.status, list(reply.error["details"])) == (422, ["query"])
    else:
        assert reply.status == plain.status


def with_query(route: Route, query: str) -> str:
    path = target(route)
    return f"{path}{'&' if '?' in path else '?'}{query}"


@every_route(422, where=lambda route: route.method == "POST")
@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é"])
async def test_422_an_idempotency_key_that_cannot_be_one(route: Route, key: str, world: Any) -> None:
    headers = {"idempotency-key": key}

    reply = await world.api.request(route.method, target(route), example_body(route), headers=headers)

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    assert list(reply.error["details"]) == ["Idempotency-Key"]


@every_route(409, where=lambda route: route.method == "POST")
async def test_409_an_idempotency_key_of_another_request(route: Route, world: Any) -> None:
    key = f"used-{route.name}"
    await world.db.run(
        "INSERT INTO idempotency_keys (org_id, key, fingerprint, status, headers, body, created_at) "
        "VALUES ($1, $2, $3, 200, '{}', '', $4)",
        world.owner.org_id,
        key,
        b"another request",
        world.db.now,
    )

    reply = await world.api.request(route.method, target(route), example_body(route), headers={"idempotency-key": key})

    assert (reply.status, reply.error["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


@every_route(500)
async def test_500_a_fault_of_ours_says_nothing_but_its_request_id(route: Route, world: Any) -> None:
    async def fail(_: Any) -> None:
        raise RuntimeError("SELECT secrets")

    broken = BoundRoute(**msgspec.structs.asdict(route), handle=fail, resume_bound=None)
    world.app.api_app._router, whole = Router([broken]), world.app.api_app._router
    try:
        with structlog.testing.capture_logs() as logs:
            reply = await world.api.request(route.method, target(route), example_body(route))
    finally:
        world.app.api_app._router = whole

    assert without_request_id(reply) == (
        500,
        {"success": False, "error": {"code": "INTERNAL", "message": "internal error"}},
    )
    assert [entry["request_id"] for entry in logs] == [reply.headers["x-request-id"]]


@every_route(503)
async def test_503_a_draining_process_takes_nothing_new(route: Route, world: Any) -> None:
    world.app.api_app.is_draining = True
    try:
        reply = await world.api.request(route.method, target(route), example_body(route))
    finally:
        world.app.api_app.is_draining = False

    assert (reply.status, reply.error["code"]) == (503, "UNAVAILABLE")
    assert int(reply.headers["retry-after"]) >= 1


@every_route()
async def test_the_request_id_is_ours_and_in_header_and_body(route: Route, world: Any) -> None:
    headers = {"x-request-id": "mine"}

    reply = await world.api.using(None).request(route.method, target(route), headers=headers)

    assert len(reply.headers["x-request-id"]) == 26
    assert reply.error["request_id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
async def test_405_another_method_is_told_which_ones_there_are(path: str, world: Any) -> None:
    route = next(route for route in ROUTES if route.path == path)
    methods = {other.method for other in ROUTES if other.path == path}

    reply = await world.api.request("TRACE", target(route))

    assert (reply.status, reply.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert set(reply.headers["allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set())


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/brands/", "//v1/brands", "/v2/brands", "/v1"])
async def test_404_an_unknown_path_is_enveloped(path: str, world: Any) -> None:
    reply = await world.api.get(path)

    assert without_request_id(reply) == (
        404,
        {"success": False, "error": {"code": "NOT_FOUND", "message": "not found"}},
    )


@every_route(where=lambda route: route.method == "GET")
async def test_head_answers_like_get_without_the_body(route: Route, world: Any) -> None:
    got = await world.api.get(target(route))

    reply = await world.api.request("HEAD", target(route))

    assert (reply.status, reply.body) == (got.status, b"")
    assert reply.headers["content-type"] == got.headers["content-type"]


@every_route()
async def test_the_document_lists_every_status_with_its_codes(route: Route) -> None:
    responses = operation(route)["responses"]

    documented = {int(status): listed_codes(response) for status, response in responses.items()}

    assert set(documented) == set(route.answers) | set(errors_by_status(route))
    for status, errors in errors_by_status(route).items():
        assert documented[status] == codes(errors)
    assert all(issubclass(error, ApiError) for errors in errors_by_status(route).values() for error in errors)


def listed_codes(response: Any) -> list[str]:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    if "allOf" not in schema:
        return []
    return list(schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"])
