"""One operation of the document: what it is for, who may call it, what it takes and what it answers."""

import inspect
from collections.abc import Sequence
from typing import Any

from agentmessage.web.idempotency import KEY_PATTERN, MAX_KEY_LENGTH
from agentmessage.web.openapi.examples import BY_FORMAT, example_body, example_of, has_example
from agentmessage.web.openapi.links import links
from agentmessage.web.openapi.responses import JSON, responses
from agentmessage.web.openapi.schemas import Json, Schemas
from agentmessage.web.route import NoInput, PathParameter, Route
from agentmessage.web.types import END

PARAMETERS: Json = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A key of your own for this very request. Sent again with the same request within 24 hours, it "
        "gets the same answer and nothing is done twice; with another request it is refused.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": KEY_PATTERN},
        "example": "order-2026-04-26-0001",
    },
    "LastEventId": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "Streaming only: the id of the last event that was seen. The stream goes on behind it.",
        "schema": {"type": "string", "pattern": "^evt_[0-9a-f-]{36}" + END},
        "example": f"evt_{BY_FORMAT['uuid']}",
    },
}


def operation(route: Route, routes: Sequence[Route], shapes: Schemas) -> Json:
    """The operation object of a route."""
    summary, description = summary_and_description(route)
    shown: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary,
        "description": f"{description}\n\nRequires the `{route.scope}` scope.".strip(),
        "security": [{"bearer": []}],
        "x-scope": route.scope,
        "parameters": _path(route) + _query(route, shapes) + _headers(route),
    }
    if route.takes_body:
        shown["requestBody"] = _body(route, shapes)
    shown["responses"] = responses(route, shapes)
    leads_to = links(route, routes)
    for status in route.answers:
        if leads_to and route.answers[status] is not None:
            shown["responses"][str(status)]["links"] = leads_to
    return shown


def summary_and_description(route: Route) -> tuple[str, str]:
    """Summary and description of an operation: the first sentence of its docstring, and the rest."""
    first, _, rest = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    summary, _, more = " ".join(first.split()).partition(". ")
    return summary.rstrip(".").replace("`", ""), "\n\n".join(part for part in (more, rest) if part)


def _path(route: Route) -> list[Any]:
    return [_path_parameter(name, route.texts.get(name)) for name in route.parameters]


def _path_parameter(name: str, text: PathParameter | None) -> Json:
    shown: Json = {"name": name, "in": "path", "required": True}
    if text is None:
        schema = {"type": "string", "format": "uuid"}
        return shown | {"description": "The resource's id.", "schema": schema, "example": BY_FORMAT["uuid"]}
    schema = {"type": "string", "pattern": f"^(?:{text.pattern}){END}"}
    return shown | {"description": text.description, "schema": schema, "example": text.example}


def _query(route: Route, shapes: Schemas) -> list[Any]:
    if route.query is NoInput:
        return []
    properties, required = shapes.fields(route.query)
    return [_query_parameter(name, schema, name in required, shapes) for name, schema in properties.items()]


def _query_parameter(name: str, schema: Json, is_required: bool, shapes: Schemas) -> Json:  # noqa: FBT001 - private
    schema = _given(schema)
    shown: Json = {"name": name, "in": "query", "required": is_required}
    if "description" in schema:
        shown["description"] = schema.pop("description")
    if has_example(schema, shapes) or "default" in schema:
        shown["example"] = example_of(schema, shapes)
    return shown | {"schema": schema}


def _given(schema: Json) -> Json:
    """A parameter's schema when it is given: text in a URL is never null."""
    schema = dict(schema)
    if isinstance(schema.get("type"), list):
        schema["type"] = schema["type"][0]
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        del schema["anyOf"]
        schema = options[0] | schema
    if schema.get("default", ...) is None:
        del schema["default"]
    return schema


def _headers(route: Route) -> list[Any]:
    names = (["IdempotencyKey"] if route.method == "POST" else []) + (["LastEventId"] if route.streams else [])
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _body(route: Route, shapes: Schemas) -> Json:
    schema = shapes.of(route.body)
    example = route.example if route.example is not None else example_body(schema, shapes)
    return {"required": not route.optional_body, "content": {JSON: {"schema": schema, "example": example}}}
