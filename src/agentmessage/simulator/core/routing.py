"""Requests to the vendors' APIs, their handlers, and the table that finds the handler of a path."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.http_types import HttpRequest, HttpResponse, json_response


class ApiCall(NamedTuple):
    """One authenticated request. `tail` holds the variable parts of the path, `at` is Unix seconds."""

    account: SimulatedAccount
    request: HttpRequest
    query: Mapping[str, str]
    tail: tuple[str, ...]
    at: float


class RequestRejected(Exception):
    """Ends a call with an error response; nothing was changed."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(f"{response.status}")
        self.response = response


Handler = Callable[[ApiCall], HttpResponse]


class VendorRoute(NamedTuple):
    """One operation: `pattern` has `*` for each variable part; `operation` is the name that faults and counters use."""

    method: str
    pattern: str
    operation: str
    handler: Handler


class RouteTable:
    """Finds the route of a path."""

    def __init__(self, routes: list[VendorRoute]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[tuple[str, ...], VendorRoute]]] = {}
        for route in routes:
            parts = tuple(route.pattern.strip("/").split("/"))
            self._by_shape.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, parts: tuple[str, ...]) -> tuple[VendorRoute, tuple[str, ...]] | None:
        """The route and the variable parts, or None."""
        for pattern, route in self._by_shape.get((method, len(parts)), ()):
            if all(expected in ("*", given) for expected, given in zip(pattern, parts, strict=True)):
                tail = tuple(given for expected, given in zip(pattern, parts, strict=True) if expected == "*")
                return route, tail
        return None


Body = TypeVar("Body")


def decode_body(request: HttpRequest, body_type: type[Body]) -> Body:
    """The JSON body of a request to the control plane. Raises RequestRejected (400, 422)."""
    try:
        return msgspec.json.decode(request.body or b"{}", type=body_type)
    except msgspec.ValidationError as error:
        raise rejected(422, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise rejected(400, "the body must be JSON") from error


def rejected(status: int, message: str, *, unknown: list[str] | None = None) -> RequestRejected:
    """An error of the control plane; `unknown` lists names that it does not know."""
    details = {} if unknown is None else {"unknown": unknown}
    return RequestRejected(json_response(status, {"error": {"message": message, **details}}))
