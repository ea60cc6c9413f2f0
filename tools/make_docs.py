"""Writes docs/reference/api.md: every operation, and every error code with its cause and the way out.

Made from the declarations that dispatch, validate and refuse. `tests/architecture` sees that the file is current.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

import agentmessage
from agentmessage.app.event_bodies import BODIES
from agentmessage.app.wiring import all_routes
from agentmessage.kernel.errors import ApiError
from agentmessage.web.declaration import Route
from agentmessage.web.openapi.implied import codes, refusals
from agentmessage.web.openapi.operations import words

TARGET = Path(__file__).parent.parent / "docs" / "reference" / "api.md"

HEAD = """\
# The API

This file is generated (`make generate`). The whole contract, with every field, is what a running platform
answers at `GET /openapi.json`, typed webhooks included, and shows at `GET /docs`;
`GET /llms.txt` is an index for agents.

Every request carries `Authorization: Bearer am_live_…` (or `am_test_…` for the sandbox). A success is
`{"success": true, "data": …}`, a list adds `meta`; a refusal is
`{"success": false, "error": {"code", "message", "request_id", "details"?, "fix"}}`. Branch on `code`;
`message` may change. `fix` is the way out in one sentence.
"""

EVENTS_HEAD = """\
## Events

Facts about the organization's resources, at `GET /v1/events` as pages and as a stream. `data` is the resource at that
moment, in the shape that its own operations print.

| type | data |
|---|---|"""

ERRORS_HEAD = """\
## Errors

Any operation can answer `UNAUTHORIZED`, `FORBIDDEN`, `INTERNAL` and `UNAVAILABLE`; those with an id in the path, with
input or with a body also the codes that belong to a malformed one. The table of operations lists what else there is.
"""


def every_refusal() -> list[type[ApiError]]:
    """Every refusal of the package, by code and then by status."""
    for module in pkgutil.walk_packages(agentmessage.__path__, "agentmessage."):
        if module.name.endswith("errors"):
            importlib.import_module(module.name)
    found: list[type[ApiError]] = []
    pending = list(ApiError.__subclasses__())
    while pending:
        kind = pending.pop()
        found.append(kind)
        pending += kind.__subclasses__()
    return sorted(found, key=lambda kind: (kind.code, kind.status, kind.__name__))


def page() -> str:
    """The whole file."""
    routes = all_routes()
    return (
        "\n".join(
            [HEAD, "## Operations", "", *_operations(routes), EVENTS_HEAD, *_events(), ERRORS_HEAD, *_errors(routes)]
        ).rstrip()
        + "\n"
    )


def _operations(routes: Sequence[Route]) -> Iterator[str]:
    for tag in dict.fromkeys(route.tag for route in routes):
        yield f"### {tag}\n"
        yield "| operation | what it does | scope | answers | refuses |"
        yield "|---|---|---|---|---|"
        yield from (_row(route) for route in routes if route.tag == tag)
        yield ""


def _row(route: Route) -> str:
    own = [code for code in codes(route.refuses) if code not in ("VALIDATION_FAILED", "INVALID_INPUT")]
    refused = ", ".join(f"[`{code}`](#{code.lower()})" for code in own) or "-"
    good = ", ".join(str(status) for status in sorted(route.answers))
    return f"| `{route.method} {route.path}` | {words(route)[0]} | `{route.scope}` | {good} | {refused} |"


def _events() -> Iterator[str]:
    yield from (
        f"| `{kind.value}` | {body.__name__.removesuffix('Resource').removesuffix('Out')} |"
        for kind, body in BODIES.items()
    )
    yield ""


def _errors(routes: Sequence[Route]) -> Iterator[str]:
    by_code: dict[str, list[type[ApiError]]] = {}
    for refusal in every_refusal():
        by_code.setdefault(refusal.code, []).append(refusal)
    for code, kinds in by_code.items():
        yield f"### {code}\n"
        for kind in kinds:
            yield f"**{kind.status} {_phrase(kind.status)}.** {cause(kind)}"
            yield f"*Way out:* {kind.fix}\n"
        where = [f"`{route.name}`" for route in routes if kinds[0] in route.refuses]
        if where and len(where) < len(routes) // 2:
            yield f"Answered by {', '.join(where)}.\n"


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Refused"


def cause(kind: type[ApiError]) -> str:
    """Why it is refused, in one paragraph."""
    return " ".join((inspect.getdoc(kind) or "").split())


def undocumented(text: str) -> list[str]:
    """Codes that an operation can answer and the page does not explain."""
    answered = {code for route in all_routes() for errors in refusals(route).values() for code in codes(errors)}
    return sorted(code for code in answered if f"\n### {code}\n" not in text)


if __name__ == "__main__":
    TARGET.write_text(page())
    print(f"wrote {TARGET}")
