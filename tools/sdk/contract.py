"""The contract as the generator reads it: operations with what they take and give, and who uses which component."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tools.sdk import names

Json = dict[str, Any]
DOCUMENT = Path(__file__).parents[2] / "tests" / "contract" / "openapi.json"
REF = "#/components/schemas/"
META = "PageMeta"
SHARED = "shared"
NDJSON = "application/x-ndjson"
JSON = "application/json"
MANY_WORDS = 6
"""So many can stand in a signature."""

METHODS = ("get", "post", "put", "patch", "delete")


class Parameter(NamedTuple):
    """One thing that an operation takes. `wire` is its name there."""

    name: str
    wire: str
    schema: Json
    is_required: bool
    description: str


class Operation(NamedTuple):
    """One operation. `gives` is `one`, `perhaps`, `with_meta`, `bare`, `rows`, `page` or `nothing`."""

    operation_id: str
    family: str
    name: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    path_parameters: list[Parameter]
    query: list[Parameter]
    body: list[Parameter]
    body_schema: str | None
    is_body_required: bool
    gives: str
    result: Json
    meta: Json
    refusals: list[str]
    streams_rows: bool


class Contract:
    """The whole document."""

    def __init__(self, document: Json) -> None:
        self.schemas: Mapping[str, Json] = document["components"]["schemas"]
        self._parameters: Mapping[str, Json] = document["components"].get("parameters", {})
        self.operations = [
            self._operation(path, method, item[method])
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
        ]
        self.enums = {
            frozenset(schema["enum"]): name for name, schema in reversed(list(self.schemas.items())) if "enum" in schema
        }

    @classmethod
    def read(cls) -> "Contract":
        """The one that is committed."""
        return cls(json.loads(DOCUMENT.read_text()))

    def enum_of(self, schema: Json) -> str | None:
        """The component that has the same words as an enumeration in place, or these and more when they are many."""
        words = frozenset(word for word in schema["enum"] if word is not None)
        if words in self.enums or len(words) <= MANY_WORDS:
            return self.enums.get(words)
        return next((name for other, name in self.enums.items() if words < other), None)

    @cached_property
    def results(self) -> dict[str, set[str]]:
        """Components that are read, each with the families that read them."""
        return self._users(lambda operation: [operation.result, operation.meta])

    @cached_property
    def inputs(self) -> dict[str, set[str]]:
        """Components that are written, each with the families that write them."""
        return self._users(lambda operation: [field.schema for field in operation.query + operation.body])

    def home(self, name: str) -> str:
        """The module of `models` that holds a component: its family's, or the shared one."""
        families = self.results.get(name, set()) | self.inputs.get(name, set())
        families |= {operation.family.split(".")[0] for operation in self.operations if operation.body_schema == name}
        return families.pop() if len(families) == 1 else SHARED

    def _users(self, schemas_of: Callable[[Operation], Iterable[Json]]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for operation in self.operations:
            for schema in schemas_of(operation):
                for name in self.reached(schema):
                    found.setdefault(name, set()).add(operation.family.split(".")[0])
        return found

    def reached(self, schema: Json) -> set[str]:
        """Components that a schema names, directly or through others; one by its words counts as named."""
        seen: set[str] = set()
        pending = list(self._named(schema))
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending += self._named(self.schemas[name])
        return seen

    def _named(self, schema: Any) -> Iterator[str]:
        if isinstance(schema, list):
            for item in schema:
                yield from self._named(item)
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            yield schema["$ref"].removeprefix(REF)
        if "enum" in schema and (same := self.enum_of(schema)):
            yield same
        for key in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            yield from self._named(schema.get(key))
        for field in schema.get("properties", {}).values():
            yield from self._named(field)

    def _operation(self, path: str, method: str, spec: Json) -> Operation:
        family, name = names.place(spec["operationId"], path)
        body = self._body(spec)
        parameters = [self._resolved(raw) for raw in spec.get("parameters", [])]
        gives, result, streams_rows = _result(spec)
        return Operation(
            operation_id=spec["operationId"],
            family=family,
            name=name,
            method=method.upper(),
            path=path,
            summary=spec["summary"],
            description=spec.get("description", ""),
            scope=spec.get("x-scope", ""),
            path_parameters=[
                Parameter(
                    names.path_argument(raw["name"], path),
                    raw["name"],
                    raw["schema"],
                    is_required=True,
                    description=words(raw),
                )
                for raw in parameters
                if raw["in"] == "path"
            ],
            query=[
                Parameter(
                    names.argument(raw["name"]), raw["name"], raw["schema"], raw.get("required", False), words(raw)
                )
                for raw in parameters
                if raw["in"] == "query"
            ],
            body=self._fields(body) if body else [],
            body_schema=body,
            is_body_required=spec.get("requestBody", {}).get("required", False),
            gives=gives,
            result=result,
            meta=_meta(spec) if gives == "with_meta" else {},
            refusals=_refusals(spec),
            streams_rows=streams_rows,
        )

    def _body(self, spec: Json) -> str | None:
        if "requestBody" not in spec:
            return None
        return spec["requestBody"]["content"][JSON]["schema"]["$ref"].removeprefix(REF)

    def _fields(self, name: str) -> list[Parameter]:
        schema = self.schemas[name]
        return [
            Parameter(
                names.argument(field),
                field,
                self._hinted(name, field, inner),
                field in schema.get("required", []),
                words(inner),
            )
            for field, inner in schema.get("properties", {}).items()
        ]

    def _hinted(self, name: str, field: str, schema: Json) -> Json:
        item = names.ITEMS.get((name, field))
        return {**schema, "items": {"$ref": REF + item}} if item else schema

    def _resolved(self, raw: Json) -> Json:
        return self._parameters[raw["$ref"].rsplit("/", 1)[-1]] if "$ref" in raw else raw


def words(schema: Json) -> str:
    """Its description in one line."""
    return " ".join(schema.get("description", "").split())


def _result(spec: Json) -> tuple[str, Json, bool]:
    """How the first good answer is read, of which schema, and whether its rows also come as lines."""
    status = min(status for status in spec["responses"] if status.startswith("2"))
    content = spec["responses"][status].get("content")
    if not content:
        return "nothing", {}, False
    schema = content[JSON]["schema"]
    if "properties" not in schema or "data" not in schema["properties"]:
        return "bare", schema, False
    data, meta = schema["properties"]["data"], schema["properties"].get("meta")
    if data.get("type") == "array":
        is_page = meta is not None and meta.get("$ref", "").endswith("/PageMeta")
        return ("page" if is_page else "rows"), data["items"], NDJSON in content
    if "anyOf" in data:
        return "perhaps", next(choice for choice in data["anyOf"] if "$ref" in choice), False
    if meta:
        return "with_meta", data, False
    return "one", data, False


def _meta(spec: Json) -> Json:
    status = min(status for status in spec["responses"] if status.startswith("2"))
    return spec["responses"][status]["content"][JSON]["schema"]["properties"]["meta"]


def _refusals(spec: Json) -> list[str]:
    """The codes that belong to the operation, in the order of its statuses."""
    found: list[str] = []
    for status, response in spec["responses"].items():
        if status.startswith("2"):
            continue
        parts = response["content"][JSON]["schema"]["allOf"]
        found += parts[1]["properties"]["error"]["properties"]["code"]["enum"]
    return list(dict.fromkeys(found))
