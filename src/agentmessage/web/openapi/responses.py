"""The answers of an operation: good ones in their envelope, refusals by status with every code they can carry."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from agentmessage.kernel.errors import (
    ApiError,
    MalformedPathId,
    RateLimited,
    Unauthorized,
    Unavailable,
    ValidationFailed,
)
from agentmessage.web.openapi.common_errors import codes, errors_by_status
from agentmessage.web.openapi.examples import example_of
from agentmessage.web.openapi.schemas import Json, Schemas, item_of
from agentmessage.web.route import Route
from agentmessage.web.streams import EVENTS, LINES
from agentmessage.web.types import END, ErrorEnvelope, PageMeta

JSON = "application/json"
REQUEST_ID = "01JTBQH2FZ8K1RXC0WJ4Z9P3VM"
CURSOR = "eyJjcmVhdGVkX2F0IjoiMjAyNi0wNC0yNlQxMjowMDowMFoiLCJpZCI6IjAxOTAwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSJ9"
PAGE_META: Json = {"total": 0, "limit": 20, "offset": 0, "next_cursor": CURSOR, "last_event_at": "2026-04-26T12:00:00Z"}

PHRASES = {status.value: status.phrase for status in HTTPStatus} | {453: "Refused"}

HEADERS: Json = {
    "RequestId": {
        "description": "ULID of this request, the same as `error.request_id`. Quote it to the operator.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}" + END},
        "example": REQUEST_ID,
    },
    "NextCursor": {
        "description": "The cursor of the next page; absent on the last one.",
        "schema": {"type": "string"},
        "example": CURSOR,
    },
    "Location": {
        "description": "The path of the resource that shows how it goes on.",
        "schema": {"type": "string"},
        "example": "/v1/phone-numbers/orders/01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11",
    },
    "RetryAfter": {
        "description": "Whole seconds to wait before the request is worth sending again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
    "Challenge": {
        "description": "RFC 9110, 11.6.1: a bearer key is asked for.",
        "required": True,
        "schema": {"const": "Bearer"},
    },
    "IdempotentReplayed": {
        "description": "`true` when this is the stored answer of an earlier request with the same Idempotency-Key.",
        "schema": {"const": "true"},
    },
}


def responses(route: Route, shapes: Schemas) -> Json:
    """Every status that an operation can answer."""
    good = {str(status): _success(route, status, shapes) for status in sorted(route.answers)}
    return good | {str(status): error_response(status, errors) for status, errors in errors_by_status(route).items()}


def pointer(route: Route) -> str:
    """Where the resource of a good answer lies, as a JSON pointer; the first one of a list."""
    answer = next(iter(route.answers.values()))
    return ("" if route.bare else "/data") + ("/0" if route.is_list or item_of(answer) is not answer else "")


def error_response(status: int, errors: Sequence[type[ApiError]]) -> Json:
    """One refusing status: its codes, the causes, the ways out, and an example of each."""
    lines = [f"- `{error.code}`: {_first_line(error)} {error.fix}" for error in errors]
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": codes(errors)}}}}}
    return {
        "description": "\n".join([PHRASES[status], "", *lines]),
        "headers": _refusal_headers(errors),
        "content": {
            JSON: {
                "schema": {"allOf": [{"$ref": f"#/components/schemas/{ErrorEnvelope.__name__}"}, narrowed]},
                "examples": {error.__name__: {"value": _failure(error)} for error in errors},
            }
        },
    }


def _success(route: Route, status: int, shapes: Schemas) -> Json:
    answer = route.answers[status]
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if route.cursor_header:
        headers["X-Next-Cursor"] = {"$ref": "#/components/headers/NextCursor"}
    if route.locates:
        headers["Location"] = {"$ref": "#/components/headers/Location"}
    if route.method == "POST":
        headers["Idempotent-Replayed"] = {"$ref": "#/components/headers/IdempotentReplayed"}
    shown: Json = {"description": PHRASES[status], "headers": headers}
    if answer is not None:
        schema, example = _shown(route, answer, shapes)
        shown["content"] = {JSON: {"schema": schema, "example": example}}
    for content_type, streamed in ((EVENTS, route.streams), (LINES, route.lines)):
        if streamed is not None:
            shown["content"][content_type] = {"schema": {"type": "string"}, "example": streamed}
    return shown


def _shown(route: Route, answer: Any, shapes: Schemas) -> tuple[Json, Any]:
    """Schema and example of what is printed: in a list, in the envelope, or bare."""
    schema = shapes.of(answer)
    if route.is_list:
        schema = {"type": "array", "items": shapes.of(item_of(answer))}
    example = example_of(schema, shapes)
    if route.bare:
        return schema, example
    properties: Json = {"success": {"const": True}, "data": schema}
    envelope: Json = {"success": True, "data": example}
    if route.is_list:
        properties["meta"] = shapes.of(PageMeta)
        envelope["meta"] = PAGE_META | ({"next_cursor": None} if route.cursor_header else {})
    elif route.meta is not None:
        properties["meta"] = shapes.of(route.meta)
        envelope["meta"] = example_of(properties["meta"], shapes)
    return {"type": "object", "properties": properties, "required": list(properties)}, envelope


def _refusal_headers(errors: Sequence[type[ApiError]]) -> Json:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if any(issubclass(error, RateLimited | Unavailable) for error in errors):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    if Unauthorized in errors:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/Challenge"}
    return headers


def _failure(error: type[ApiError]) -> Json:
    detail: Json = {"code": error.code, "message": error.message or _first_line(error), "request_id": REQUEST_ID}
    detail["fix"] = error.fix
    if issubclass(error, MalformedPathId):
        detail["details"] = {"id": "must be a UUID"}
    elif issubclass(error, ValidationFailed):
        detail["details"] = {"limit": "must be an integer >= 1"}
    return {"success": False, "error": detail}


def _first_line(error: type[ApiError]) -> str:
    return (error.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " ")
