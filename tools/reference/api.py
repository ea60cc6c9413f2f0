"""`docs/reference/api.md`: every operation and every event, from the declarations that the router serves."""

from collections.abc import Iterator, Sequence

from agentmessage.app.event_schemas import BODIES
from agentmessage.app.routes import all_routes
from agentmessage.web.openapi.common_errors import codes
from agentmessage.web.openapi.operations import summary_and_description
from agentmessage.web.route import Route

HEAD = """\
# API

This page is generated (`make generate`). A running platform serves the whole contract, with every field and every
webhook, at `GET /openapi.json`, and shows it at `GET /docs`. `GET /llms.txt` is an index for agents.

Every request carries `Authorization: Bearer am_live_…`, or `am_test_…` for the sandbox.

A success is `{"success": true, "data": …}`; a list adds `meta`. An error is
`{"success": false, "error": {"code", "message", "request_id", "details"?, "fix"}}`. Branch on `code`; `message` may
change. `fix` says in one sentence what to do. [Errors](errors.md) lists every code.
"""

EVENTS_HEAD = """\
## Events

Events about the organization's resources. `GET /v1/events` returns them as pages and as a stream;
[webhooks](../guides/webhooks.md) deliver them. `data` is the resource as it was at that moment, in the schema of its
own operations.

| type | data |
|---|---|"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, "## Operations", "", *_operations(all_routes()), EVENTS_HEAD, *_events()]).rstrip() + "\n"


def _operations(routes: Sequence[Route]) -> Iterator[str]:
    for tag in dict.fromkeys(route.tag for route in routes):
        yield f"### {tag}\n"
        yield "| operation | description | scope | success | errors |"
        yield "|---|---|---|---|---|"
        yield from (_row(route) for route in routes if route.tag == tag)
        yield ""


def _row(route: Route) -> str:
    own = [code for code in codes(route.refuses) if code not in ("VALIDATION_FAILED", "INVALID_INPUT")]
    errors = ", ".join(f"[`{code}`](errors.md#{code.lower()})" for code in own) or "-"
    success = ", ".join(str(status) for status in sorted(route.answers))
    summary, _ = summary_and_description(route)
    return f"| `{route.method} {route.path}` | {summary} | `{route.scope}` | {success} | {errors} |"


def _events() -> Iterator[str]:
    yield from (
        f"| `{kind.value}` | {body.__name__.removesuffix('Resource').removesuffix('Out')} |"
        for kind, body in BODIES.items()
    )
