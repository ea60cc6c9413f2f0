"""All routes as test parameters, and requests that fit them."""

from collections.abc import Callable
from typing import Any

import pytest

from agentmessage.app.event_schemas import BODIES
from agentmessage.app.routes import all_routes
from agentmessage.web.openapi.document import describe
from agentmessage.web.route import Route

ROUTES = all_routes()
DOCUMENT = describe(ROUTES, {kind.value: body for kind, body in BODIES.items()})
NOTHING = "00000000-0000-7000-8000-000000000000"


def every_route(*statuses: int, where: Callable[[Route], bool] = lambda _: True) -> Any:
    """Parametrize over the routes for which `where` holds, covering `statuses` of each."""
    chosen = [
        pytest.param(route, id=route.name, marks=[pytest.mark.covers(route.name, *statuses)])
        for route in ROUTES
        if where(route)
    ]
    return pytest.mark.parametrize("route", chosen)


def target(route: Route, some_id: str | None = None) -> str:
    """The path of a route with one id at every place; without one, with what fits and is nobody's."""
    path = route.path
    for name in route.parameters:
        nobodys = route.texts[name].example if name in route.texts else NOTHING
        path = path.replace(f"{{{name}}}", some_id or nobodys)
    return path + needed_query(route)


def needed_query(route: Route) -> str:
    """The query that a route cannot do without, empty for nearly all; one that can wait is asked not to."""
    queries = [p for p in operation(route)["parameters"] if p.get("in") == "query"]
    needed = [f"{p['name']}={p['example']}" for p in queries if p["required"]]
    needed += [f"{p['name']}=0" for p in queries if p["name"] == "timeout_s"]
    return "?" + "&".join(needed) if needed else ""


def operation(route: Route) -> Any:
    """A route's part of the document."""
    return DOCUMENT["paths"][route.path][route.method.lower()]


def example_body(route: Route) -> Any:
    """The documented example of a request body; None where there is no body."""
    if not route.takes_body:
        return None
    return operation(route)["requestBody"]["content"]["application/json"]["example"]


def without_request_id(reply: Any) -> tuple[int, Any]:
    """A refusal as it must be the same for everybody; its way out is another test's."""
    body = reply.json
    body["error"].pop("request_id")
    assert body["error"].pop("fix")
    return reply.status, body
