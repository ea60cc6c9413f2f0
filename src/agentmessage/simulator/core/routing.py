"""A request that has found its account and its handler, and the table by which it finds them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.http_types import Reply, Request


class Call(NamedTuple):
    """One request on its way through a handler. `tail` holds the variable parts of the path, `at` is Unix seconds."""

    account: Account
    request: Request
    query: Mapping[str, str]
    tail: tuple[str, ...]
    at: float


class Refused(Exception):
    """Ends a call with an answer; nothing was done."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status}")
        self.reply = reply


Handler = Callable[[Call], Reply]


class Route(NamedTuple):
    """One operation: `pattern` has `*` for each variable part; `operation` is the name that faults and counters use."""

    method: str
    pattern: str
    operation: str
    handler: Handler


class RouteTable:
    """Finds the route of a path."""

    def __init__(self, routes: list[Route]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            parts = tuple(route.pattern.strip("/").split("/"))
            self._by_shape.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, parts: tuple[str, ...]) -> tuple[Route, tuple[str, ...]] | None:
        """The route and the variable parts, or None."""
        for pattern, route in self._by_shape.get((method, len(parts)), ()):
            if all(wanted in ("*", given) for wanted, given in zip(pattern, parts, strict=True)):
                tail = tuple(given for wanted, given in zip(pattern, parts, strict=True) if wanted == "*")
                return route, tail
        return None
