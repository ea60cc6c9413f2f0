"""Another organization's things answer like nothing at all: on every route, in the path, the body and the query."""

from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from agentmessage.web.openapi.common_errors import errors_by_status
from agentmessage.web.route import Route
from tests.contract.belongings import furnish, home_of
from tests.contract.every_route import DOCUMENT, NOTHING, ROUTES, every_route, example_body, operation, target
from tools.house_rules import tenant_tables

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def belongings(world: Any) -> dict[str, UUID]:
    """Everything that the owner owns; the stranger owns the same kinds of things."""
    own = await furnish(world.db, world.stranger, number="+14155550199")
    world.strangers_campaign, world.strangers_number = own["/v1/campaigns/{id}"], own["/v1/phone-numbers/{id}"]
    return await furnish(world.db, world.owner, number="+14155550123")


def same_for_everybody(reply: Any, asked_for: str) -> tuple[int, dict[str, str], Any]:
    """An answer without what differs from request to request; the id that was asked for is called the same."""
    body = reply.json if reply.body else None
    if isinstance(body, dict) and "error" in body:
        body["error"].pop("request_id")
    headers = {name: value for name, value in reply.headers.items() if name not in ("x-request-id", "content-length")}
    return reply.status, headers, renamed(body, asked_for)


def renamed(value: Any, asked_for: str) -> Any:
    """The same value with the id that was asked for in neutral words."""
    if isinstance(value, dict):
        return {name: renamed(part, asked_for) for name, part in value.items()}
    if isinstance(value, list):
        return [renamed(part, asked_for) for part in value]
    return "the id" if value == asked_for else value


@every_route(404, where=lambda route: bool(route.parameters) and 404 in errors_by_status(route))
async def test_404_in_the_path_a_strangers_id_is_nothing(route: Route, world: Any, belongings: dict[str, UUID]) -> None:
    theirs = str(belongings[home_of(route.path, belongings)])
    before = await state_of_everything(world)

    answer = await world.stranger_api.request(route.method, target(route, theirs), stranger_body(route, world))
    nothing = await world.stranger_api.request(route.method, target(route), stranger_body(route, world))

    assert answer.status == 404
    assert same_for_everybody(answer, theirs) == same_for_everybody(nothing, NOTHING)
    assert await state_of_everything(world) == before


def stranger_body(route: Route, world: Any) -> Any:
    """A body that is in order but for the id in the path: whatever else it names is the stranger's own."""
    body = example_body(route)
    if isinstance(body, dict) and "campaign_id" in body:
        return body | {"campaign_id": str(world.strangers_campaign)}
    return body


ID_FIELDS = [
    (route, place, name)
    for route in ROUTES
    for place, schemas in (
        ("query", {p["name"]: p["schema"] for p in operation(route)["parameters"] if p.get("in") == "query"}),
        ("body", DOCUMENT["components"]["schemas"][route.body.__name__]["properties"] if route.takes_body else {}),
    )
    for name, schema in schemas.items()
    if "uuid" in str(schema)
]


@pytest.mark.parametrize(("route", "place", "name"), ID_FIELDS, ids=lambda part: getattr(part, "name", part))
async def test_in_body_and_query_a_strangers_id_is_nothing(
    route: Route, place: str, name: str, world: Any, belongings: dict[str, UUID]
) -> None:
    kind = name.removesuffix("_id")
    candidates = [str(i) for home, i in belongings.items() if kind in home.replace("-", "_")] or [
        str(i) for i in belongings.values() if isinstance(i, UUID)
    ]
    own = str(world.strangers_number) if route.path.startswith("/v1/phone-numbers/{id}") else NOTHING
    before = await state_of_everything(world)

    for theirs in candidates:
        answer = await ask(world, route, place=place, name=name, own=own, some_id=theirs)
        nothing = await ask(world, route, place=place, name=name, own=own, some_id=NOTHING)

        assert same_for_everybody(answer, theirs) == same_for_everybody(nothing, NOTHING)
    assert await state_of_everything(world) == before


async def ask(world: Any, route: Route, *, place: str, name: str, own: str, some_id: str) -> Any:
    """The request with one id at one place."""
    path, body = target(route, own), example_body(route)
    if place == "query":
        return await world.stranger_api.request(route.method, f"{path}?{name}={some_id}", body)
    is_many = isinstance(body.get(name), list) or name.endswith("s")
    return await world.stranger_api.request(route.method, path, body | {name: [some_id] if is_many else some_id})


async def state_of_everything(world: Any) -> dict[str, str]:
    """A checksum of the owner's rows in every table that holds rows of an organization."""
    return {
        table: await world.db.value(
            f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table} t WHERE org_id = $1",  # noqa: S608 - names from our migrations
            world.owner.org_id,
        )
        for table in sorted(tenant_tables())
    }
