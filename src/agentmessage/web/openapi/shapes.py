"""JSON Schema of the declared shapes: msgspec's, with what it leaves out put in."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct, inspect

from agentmessage.web.wire import Failure, Page, PageMeta, Request

Json = dict[str, Any]
REF = "#/components/schemas/{name}"


class Shapes:
    """The component schemas of a set of types, and the schema of each type by itself."""

    def __init__(self, kinds: Iterable[Any]) -> None:
        kinds = list(dict.fromkeys([*kinds, Failure, PageMeta]))
        schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
        self._schemas: Mapping[Any, Json] = dict(zip(kinds, schemas, strict=True))
        self.components: Json = {name: components[name] for name in sorted(components)}
        for kind in _structs(kinds):
            self._mend(kind)
        self.components["Failure"]["properties"]["success"] = {"const": False}

    def of(self, kind: Any) -> Json:
        """The schema of a type: a reference where it has a name."""
        return self._schemas[kind]

    def resolve(self, schema: Json) -> Json:
        """What a reference refers to; any other schema is itself."""
        reference = schema.get("$ref")
        return self.components[reference.rpartition("/")[2]] if isinstance(reference, str) else schema

    def fields(self, kind: type[Struct]) -> tuple[Json, list[str]]:
        """The properties of a struct and the names of those that must be given."""
        schema = self.resolve(self.of(kind))
        return schema["properties"], schema.get("required", [])

    def drop(self, kinds: Iterable[type[Struct]]) -> None:
        """Leave out components that are shown in another form: queries become parameters."""
        for kind in kinds:
            self.components.pop(self.of(kind)["$ref"].rpartition("/")[2], None)

    def _mend(self, kind: type[Struct]) -> None:
        """Times are date-times, docstrings lose their indentation, and a resource prints every key."""
        name = next(n for n, s in self.components.items() if s.get("title") == kind.__name__)
        schema = self.components[name]
        schema["description"] = msgspec_doc(kind)
        for field in inspect.type_info(kind).fields:  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType] - a struct's info has fields
            _mend_times(field.type, schema["properties"][field.encode_name])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if not issubclass(kind, Request) and not kind.__struct_config__.omit_defaults:
            schema["required"] = list(schema["properties"])
            for shown in schema["properties"].values():
                shown.pop("default", None)


def item_of(answer: Any) -> Any:
    """What a list is made of: `Page[X]` and `list[X]` are lists of X; anything else is its own item."""
    return get_args(answer)[0] if get_origin(answer) in (Page, list) else answer


def msgspec_doc(kind: type) -> str:
    """A class's docstring as Markdown."""
    return msgspec.inspect.inspect_doc(kind)
