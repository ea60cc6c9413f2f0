"""Links: where a resource that an answer carries can be read, changed and ended.

Found by type: the operation that reads one X by id is X's home, and every answer that carries an X leads to all
operations below that home.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from agentmessage.web.openapi.responses import pointer
from agentmessage.web.openapi.schemas import Json, item_of
from agentmessage.web.route import Route

ID_FIELDS = ("id", "order_id")


def links(route: Route, routes: Sequence[Route]) -> Json:
    """The links of one operation's good answers, by the operation that they lead to."""
    kind = item_of(next(iter(route.answers.values())))
    home = _home(kind, routes)
    field = _id_field(kind)
    if home is None or field is None:
        return {}
    return {
        other.name: {
            "operationId": other.name,
            "parameters": {other.parameters[0]: f"$response.body#{pointer(route)}/{field}"},
        }
        for other in routes
        if other is not route and len(other.parameters) == 1 and (other.path + "/").startswith(home.path + "/")
    }


def _home(kind: Any, routes: Sequence[Route]) -> Route | None:
    """The operation that reads one such resource by its id."""
    for route in routes:
        if route.method == "GET" and route.path.endswith("}") and not route.is_list:
            shown = next(iter(route.answers.values()))
            if shown is kind or (_is_struct(shown) and _is_struct(kind) and _fields(shown) <= _fields(kind)):
                return route
    return None


def _id_field(kind: Any) -> str | None:
    names = _fields(kind) if _is_struct(kind) else frozenset[str]()
    return next((name for name in ID_FIELDS if name in names), None)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _fields(kind: type[Struct]) -> frozenset[str]:
    return frozenset(kind.__struct_encode_fields__)
