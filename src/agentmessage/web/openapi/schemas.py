"""JSON Schema of the declared shapes: msgspec's, with what it leaves out put in."""

import inspect as docstrings
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, cast, get_args, get_origin

import msgspec
from msgspec import Struct, inspect

from agentmessage.web.types import ErrorEnvelope, Page, PageMeta, Request

Json = dict[str, Any]
REF = "#/components/schemas/{name}"


class Schemas:
    """The component schemas of a set of types, and the schema of each type by itself."""

    def __init__(self, kinds: Iterable[Any]) -> None:
        wanted = list(dict.fromkeys([*kinds, ErrorEnvelope, PageMeta]))
        structs, enums = _named(wanted)
        wanted += [kind for kind in (*structs, *enums) if kind not in wanted]
        schemas, components = msgspec.json.schema_components(wanted, ref_template=REF)
        self._schemas: Mapping[Any, Json] = dict(zip(wanted, schemas, strict=True))
        self.components: Json = {name: components[name] for name in sorted(components)}
        for kind, info in structs.items():
            _mend(kind, info, self.resolve(self.of(kind)))
        for kind in enums:
            self.resolve(self.of(kind))["enum"] = [member.value for member in kind]
        for schema in self.components.values():
            schema["description"] = docstrings.cleandoc(schema.get("description", ""))
            self._tidy(schema)
        for schema in schemas:
            self._tidy(schema)
        self.components[ErrorEnvelope.__name__]["properties"]["success"] = {"const": False}

    def of(self, kind: Any) -> Json:
        """The schema of a type: a reference where it has a name."""
        return self._schemas[kind]

    def resolve(self, schema: Json) -> Json:
        """What a reference refers to; any other schema is itself."""
        reference = schema.get("$ref")
        return self.components[reference.rpartition("/")[2]] if isinstance(reference, str) else schema

    def fields(self, kind: type[Struct]) -> tuple[Json, list[str]]:
        """The properties of a struct, and the names of those that must be given."""
        schema = self.resolve(self.of(kind))
        return schema["properties"], schema.get("required", [])

    def without(self, kinds: Iterable[type[Struct]]) -> Json:
        """The components but for those that are shown in another form: queries become parameters."""
        hidden = {self.of(kind)["$ref"].rpartition("/")[2] for kind in kinds}
        return {name: schema for name, schema in self.components.items() if name not in hidden}

    def _tidy(self, schema: Any) -> None:
        """Say the same in the words that viewers show best: `type: [string, null]`, and a type beside every enum."""
        if isinstance(schema, list):
            for part in cast("list[Any]", schema):
                self._tidy(part)
        if not isinstance(schema, dict):
            return
        node = cast("Json", schema)
        for part in node.values():
            self._tidy(part)
        values: list[Any] = node.get("enum", [])
        if values and "type" not in node and all(isinstance(value, str) for value in values):
            node["type"] = "string"
        self._shorten(node)

    def _shorten(self, node: Json) -> None:
        """Put `X or null` into one schema, where X is plain or an enumeration."""
        match node.get("anyOf"):
            case [{"$ref": _} as named, {"type": "null"}] if "enum" in self.resolve(named):
                plain = {name: part for name, part in self.resolve(named).items() if name != "title"}
            case [{"type": str()} as plain, {"type": "null"}]:
                pass
            case _:
                return
        del node["anyOf"]
        node |= plain | {"type": [plain.get("type", "string"), "null"]} | node
        if "enum" in node:
            node["enum"] = [*node["enum"], None]


def item_of(answer: Any) -> Any:
    """What a list is made of: `Page[X]`, `list[X]` and `Sequence[X]` are lists of X; anything else is its own item."""
    origin = get_origin(answer)
    return (
        get_args(answer)[0] if origin is Page or (isinstance(origin, type) and issubclass(origin, Iterable)) else answer
    )


def _named(kinds: Iterable[Any]) -> tuple[dict[type[Struct], inspect.StructType], list[type[Enum]]]:
    """Every struct and every enumeration within some types, each once."""
    structs: dict[type[Struct], inspect.StructType] = {}
    enums: list[type[Enum]] = []
    pending = list(inspect.multi_type_info(kinds))
    while pending:
        info = pending.pop()
        if isinstance(info, inspect.StructType) and info.cls not in structs:
            structs[info.cls] = info
            pending += [field.type for field in info.fields]
        if isinstance(info, inspect.EnumType) and info.cls not in enums:
            enums.append(info.cls)
        pending += _parts(info)
    return structs, enums


def _parts(info: inspect.Type) -> list[inspect.Type]:
    """The types that a type is made of, but for a struct's fields."""
    match info:
        case inspect.Metadata(type=inner):
            return [inner]
        case inspect.UnionType(types=members):
            return list(members)
        case inspect.CollectionType(item_type=item):
            return [item]
        case inspect.DictType(value_type=value):
            return [value]
        case _:
            return []


def _mend(kind: type[Struct], info: inspect.StructType, schema: Json) -> None:
    """Put in what msgspec leaves out: times are date-times, and a resource prints every key, whatever its default."""
    for field in info.fields:
        _mend_times(field.type, schema["properties"][field.encode_name])
    if issubclass(kind, Request):
        return
    if not kind.__struct_config__.omit_defaults:
        schema["required"] = list(schema["properties"])
    for shown in schema["properties"].values():
        shown.pop("default", None)


def _mend_times(info: inspect.Type, schema: Json) -> None:
    """Name the format of times; msgspec does so only where the type itself asks for a zone."""
    match info:
        case inspect.DateTimeType():
            schema["format"] = "date-time"
        case inspect.Metadata(type=inner):
            _mend_times(inner, schema)
        case inspect.UnionType(types=members) if any(isinstance(_bare(m), inspect.DateTimeType) for m in members):
            next(option for option in schema["anyOf"] if option == {"type": "string"} or "format" in option)[
                "format"
            ] = "date-time"
        case inspect.CollectionType(item_type=item):
            _mend_times(item, schema.get("items", {}))
        case inspect.DictType(value_type=value):
            _mend_times(value, schema.get("additionalProperties", {}))
        case _:
            pass


def _bare(info: inspect.Type) -> inspect.Type:
    return _bare(info.type) if isinstance(info, inspect.Metadata) else info
