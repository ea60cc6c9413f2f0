"""Example values: what a schema's own examples, constants and formats say, put together."""

from typing import Any

from agentmessage.web.openapi.schemas import Json, Schemas

BY_FORMAT = {
    "uuid": "497f6eca-6276-4993-bfeb-53cbbbba6f08",
    "date-time": "2026-04-26T12:00:00Z",
    "date": "2026-04-26",
    "uri": "https://customer.example/inbound",
}
MAX_DEPTH = 6


def example_of(schema: Json, shapes: Schemas, depth: int = 0) -> Any:
    """One value that a schema allows; fields without an example of their own get a plain one of their type."""
    schema = {**shapes.resolve(schema), **{k: v for k, v in schema.items() if k != "$ref"}}
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["default"] if schema.get("default") is not None else schema["enum"][0]
    if "anyOf" in schema:
        options: list[Json] = schema["anyOf"]
        return example_of(next(option for option in options if option.get("type") != "null"), shapes, depth)
    if schema.get("default") not in (None, [], {}):
        return schema["default"]
    return _plain(schema, shapes, depth)


def example_body(schema: Json, shapes: Schemas) -> Any:
    """An example request: what is required, and the optional fields that carry an example of their own."""
    resolved = shapes.resolve(schema)
    required = resolved.get("required", [])
    return {
        name: example_of(field, shapes)
        for name, field in resolved.get("properties", {}).items()
        if name in required or has_example(field, shapes)
    }


def has_example(schema: Json, shapes: Schemas) -> bool:
    """The schema, or one of its options, carries an example."""
    resolved = {**shapes.resolve(schema), **schema}
    return "examples" in resolved or any(has_example(option, shapes) for option in resolved.get("anyOf", []))


def _plain(schema: Json, shapes: Schemas, depth: int) -> Any:
    kind = _kind(schema)
    if kind in ("object", "array"):
        return _sample_many(schema, shapes, depth + 1) if depth < MAX_DEPTH else ({} if kind == "object" else [])
    if kind == "string":
        return BY_FORMAT.get(schema.get("format", ""), "string"[: schema.get("maxLength")])
    return {"integer": schema.get("minimum", 0), "number": schema.get("minimum", 0), "boolean": True}.get(str(kind))


def _kind(schema: Json) -> str | None:
    """The type of a schema; of a nullable one what it is when it is not null."""
    kind: str | list[str] | None = schema.get("type")
    return kind[0] if isinstance(kind, list) else kind


def _sample_many(schema: Json, shapes: Schemas, depth: int) -> Any:
    """An object with all its properties, a map with one entry, or a list of one."""
    if _kind(schema) == "array":
        return [example_of(schema["items"], shapes, depth)] if "items" in schema else []
    if "properties" in schema:
        return {name: example_of(field, shapes, depth) for name, field in schema["properties"].items()}
    values: Json | None = schema.get("additionalProperties")
    return {"name": example_of(values, shapes, depth)} if values else {}
