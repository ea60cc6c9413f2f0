"""The document as a whole."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agentmessage import __version__
from agentmessage.web.openapi.operations import PARAMETERS, operation
from agentmessage.web.openapi.responses import HEADERS
from agentmessage.web.openapi.schemas import Json, Schemas, item_of
from agentmessage.web.openapi.webhooks import webhooks
from agentmessage.web.route import NoInput, Route

ABOUT = """\
A self-hosted SMS/MMS platform. Paths begin with `/v1/`.

**Keys.** Send `Authorization: Bearer am_live_…`. The key says which organization a request belongs to and what it may
do; `am_test_…` keys belong to the organization's sandbox.

**Envelope.** A success is `{"success": true, "data": …}`, lists add `meta`; a refusal is
`{"success": false, "error": {"code", "message", "request_id", "details"?, "fix"}}`. Branch on `error.code`;
`details` names every faulty field, at most 50 and in `more` how many others; `fix` is the way out in one sentence.
Unset fields of a resource are `null`, never left out.

**Order of checks.** Key (401), scope (403), ids in the path (400), body and query (422), and then what the operation
itself documents. What belongs to another organization answers 404, exactly like what does not exist.

**Lists** are newest first. Send `meta.next_cursor` (or the header `X-Next-Cursor`, where it is documented) as `cursor`
to read on; a cursor never skips or repeats a row.

**Queries.** A truth value is true, false, 1, 0, t or f in any case. A list refuses a parameter that it does not know
(422), since a mistyped filter would show too much; every other operation passes over it.

**Limits.** Any operation can answer 429 `RATE_LIMITED` with `Retry-After`: to an address or a key that keeps failing to
say who asks, and to an organization whose requests hold the platform up.

**Safe repetition.** Every `POST` takes an `Idempotency-Key`. Every `GET` also answers `HEAD`.
"""


def describe(routes: Sequence[Route], events: Mapping[str, Any] | None = None) -> Json:
    """The OpenAPI 3.1 document of some routes, and of the events that webhooks deliver, by type."""
    events = events or {}
    queries = {route.query for route in routes if route.query is not NoInput}
    shapes = Schemas([*_shown_kinds(routes), *events.values(), *sorted(queries, key=lambda query: query.__qualname__)])
    paths, told = _paths(routes, shapes), webhooks(events, shapes)
    _free_of_defaults(shapes.without(queries))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AgentMessage API",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": text} for tag, text in _tags(routes).items()],
        "paths": paths,
        "webhooks": told,
        "components": {
            "schemas": shapes.without(queries),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "am_live_… or am_test_…",
                    "description": "An API key. `x-scope` of an operation names the scope that the key must carry.",
                }
            },
        },
    }


def render(routes: Sequence[Route], events: Mapping[str, Any]) -> bytes:
    """The document as JSON."""
    return msgspec.json.encode(describe(routes, events))


def _free_of_defaults(schemas: Json) -> None:
    """Move defaults out of the way of generators, the most used of which demands every field that has one."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            default = field.pop("default", None)
            if default not in (None, [], {}):
                field["x-default"] = default


def _shown_kinds(routes: Sequence[Route]) -> list[Any]:
    kinds: list[Any] = []
    for route in routes:
        if route.takes_body:
            kinds.append(route.body)
        shown = [answer for answer in route.answers.values() if answer is not None]
        kinds += [item_of(answer) for answer in shown] if route.is_list else shown
        kinds += [route.meta] if route.meta is not None else []
    return kinds


def _paths(routes: Sequence[Route], shapes: Schemas) -> Json:
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, routes, shapes)
    return paths


def _tags(routes: Sequence[Route]) -> dict[str, str]:
    """Each tag with the first paragraph of its room's front page."""
    tags: dict[str, str] = {}
    for route in routes:
        package, room, *_ = route.handler.__module__.split(".")
        front_page = sys.modules[f"{package}.{room}"].__doc__ or ""
        tags.setdefault(route.tag, " ".join(front_page.partition("\n\n")[0].split()))
    return tags
