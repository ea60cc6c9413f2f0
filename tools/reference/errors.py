"""`docs/reference/errors.md`: every error code with its cause and its fix, from the classes that are raised."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Sequence
from http import HTTPStatus

import agentmessage
from agentmessage.app.routes import all_routes
from agentmessage.kernel.errors import ApiError
from agentmessage.web.openapi.common_errors import codes, errors_by_status
from agentmessage.web.route import Route

HEAD = """\
# Errors

This page is generated (`make generate`) from the classes that the API raises. An error body is
`{"success": false, "error": {"code", "message", "request_id", "details"?, "fix"}}`.

Any operation can return `UNAUTHORIZED`, `FORBIDDEN`, `INTERNAL` and `UNAVAILABLE`. An operation with an id in its
path, with query parameters or with a body can also return the codes for malformed ones. The
[table of operations](api.md#operations) lists the other codes of each operation.

`details` names every faulty field of a 422 by its path.
"""


def every_error() -> list[type[ApiError]]:
    """Every error class of the package, by code and then by status."""
    for module in pkgutil.walk_packages(agentmessage.__path__, "agentmessage."):
        if module.name.endswith("errors"):
            importlib.import_module(module.name)
    found: list[type[ApiError]] = []
    pending = list(ApiError.__subclasses__())
    while pending:
        error = pending.pop()
        found.append(error)
        pending += error.__subclasses__()
    return sorted(found, key=lambda error: (error.code, error.status, error.__name__))


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_errors(all_routes())]).rstrip() + "\n"


def _errors(routes: Sequence[Route]) -> Iterator[str]:
    by_code: dict[str, list[type[ApiError]]] = {}
    for error in every_error():
        by_code.setdefault(error.code, []).append(error)
    for code, errors in by_code.items():
        yield f"## {code}\n"
        for error in errors:
            yield f"**{error.status} {_phrase(error.status)}.** {cause(error)}\n"
            yield f"*Fix:* {error.fix}\n"
        where = [f"`{route.name}`" for route in routes if errors[0] in route.refuses]
        if where and len(where) < len(routes) // 2:
            yield f"Returned by {', '.join(where)}.\n"


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Rejected"


def cause(error: type[ApiError]) -> str:
    """Why it is raised, in one paragraph."""
    return " ".join((inspect.getdoc(error) or "").split())


def undocumented(text: str) -> list[str]:
    """Codes that an operation can return and the page does not explain."""
    returned = {code for route in all_routes() for errors in errors_by_status(route).values() for code in codes(errors)}
    return sorted(code for code in returned if f"\n## {code}\n" not in text)
