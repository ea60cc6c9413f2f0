"""Finds the route of a path: one dictionary step per segment, whatever the number of routes."""

from collections.abc import Iterable

from agentmessage.web.route import BoundRoute


class PathSegment:
    """One segment of the paths: literal children, a parameter child, and the routes that end here by method."""

    __slots__ = ("literals", "parameter", "routes")

    def __init__(self) -> None:
        self.literals: dict[str, PathSegment] = {}
        self.parameter: PathSegment | None = None
        self.routes: dict[str, BoundRoute] = {}


class Router:
    """The table of every route."""

    def __init__(self, routes: Iterable[BoundRoute]) -> None:
        self._root = PathSegment()
        for route in routes:
            self._add(route)

    def find(self, path: str) -> tuple[dict[str, BoundRoute], list[str]] | None:
        """The routes of a path by method, and its parameters' raw text; None when nothing is there."""
        node = self._root
        parameters: list[str] = []
        for segment in path[1:].split("/"):
            child = node.literals.get(segment)
            if child is None:
                child = node.parameter
                if child is None or not segment:
                    return None
                parameters.append(segment)
            node = child
        return (node.routes, parameters) if node.routes else None

    def _add(self, route: BoundRoute) -> None:
        node = self._root
        for segment in route.path[1:].split("/"):
            if segment.startswith("{"):
                node.parameter = node.parameter or PathSegment()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, PathSegment())
        if route.method in node.routes:
            raise ValueError(f"{route.method} {route.path} is declared twice")
        node.routes[route.method] = route


def allowed_methods(routes: dict[str, BoundRoute]) -> str:
    """The Allow header of a path: GET brings HEAD along."""
    methods = set(routes)
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))
