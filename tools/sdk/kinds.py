"""Schemas as Python types: what is read as closed values, what is written as what callers have at hand."""

from typing import Any

from tools.sdk import names
from tools.sdk.contract import MANY_WORDS, REF, Contract, Json

SCALARS = {"integer": "int", "number": "float", "boolean": "bool", "string": "str"}
FORMATS = {"date-time": "datetime", "date": "date"}
WORDS = "Word"


class Kinds:
    """Types of one contract. `used` gathers the names of components and imports that came up."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.used: set[str] = set()

    def read(self, schema: Json) -> str:
        """The type of what comes from the platform."""
        return self._type(schema, is_input=False)

    def written(self, schema: Json) -> str:
        """The type of what callers give."""
        return self._type(schema, is_input=True)

    def _type(self, schema: Json, *, is_input: bool) -> str:
        nullable = is_nullable(schema)
        inner = self._plain(schema, is_input=is_input)
        return f"{inner} | None" if nullable and inner != "Any" else inner

    def _plain(self, schema: Json, *, is_input: bool) -> str:
        if "$ref" in schema:
            return self._component(schema["$ref"].removeprefix(REF), is_input=is_input)
        if "anyOf" in schema:
            kinds = [
                self._plain(choice, is_input=is_input) for choice in schema["anyOf"] if choice.get("type") != "null"
            ]
            return " | ".join(dict.fromkeys(kinds))
        if "enum" in schema:
            return self._words(schema, is_input=is_input)
        if "const" in schema:
            self.used.add("Literal")
            return f"Literal[{schema['const']!r}]"
        return self._by_type(schema, is_input=is_input)

    def _component(self, name: str, *, is_input: bool) -> str:
        if "enum" in self.contract.schemas[name]:
            return self._enum(name, is_input=is_input)
        kind = names.model(name)
        self.used.add(kind)
        return kind

    def _enum(self, name: str, *, is_input: bool) -> str:
        kind = names.model(name)
        self.used.add(kind)
        if not is_input:
            return kind
        self.used.add(kind + WORDS)
        return f"{kind} | {kind}{WORDS}"

    def _words(self, schema: Json, *, is_input: bool) -> str:
        if same := self.contract.enum_of(schema):
            return self._enum(same, is_input=is_input)
        if not is_input and all(isinstance(word, bool) for word in schema["enum"]):
            return "bool"
        if not is_input or len(schema["enum"]) > MANY_WORDS:
            return "str"
        self.used.add("Literal")
        return f"Literal[{', '.join(repr(word) for word in schema['enum'] if word is not None)}]"

    def _by_type(self, schema: Json, *, is_input: bool) -> str:
        kind = _kind(schema)
        if kind == "array":
            inner = self._type(schema.get("items", {}), is_input=is_input)
            if is_input:
                self.used.add("Sequence")
            return f"Sequence[{inner}]" if is_input else f"tuple[{inner}, ...]"
        if kind == "object":
            extra = schema.get("additionalProperties")
            self.used.add("Mapping")
            inner = self._type(extra, is_input=is_input) if isinstance(extra, dict) else self._any()
            return f"Mapping[str, {inner}]"
        if kind == "string":
            return self._string(schema, is_input=is_input)
        return SCALARS[kind] if kind in SCALARS else self._any()

    def _string(self, schema: Json, *, is_input: bool) -> str:
        if schema.get("format") == "uuid" and is_input:
            self.used.add("Id")
            return "Id"
        found = FORMATS.get(schema.get("format", ""), "str")
        if found != "str":
            self.used.add(found)
        return found

    def _any(self) -> str:
        self.used.add("Any")
        return "Any"


def is_nullable(schema: Json) -> bool:
    """Null is as good."""
    kind = schema.get("type")
    return (isinstance(kind, list) and "null" in kind) or any(
        choice.get("type") == "null" for choice in schema.get("anyOf", [])
    )


def limits(schema: Json) -> str:
    """What a value must be, in few words; empty when anything goes."""
    found = [*_ranges(schema)]
    if (default := schema.get("x-default", schema.get("default"))) is not None and default != []:
        found.append(f"{default!r} unless given".replace("'", "`"))
    text = ", ".join(found)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _ranges(schema: Json) -> list[str]:
    found: list[str] = []
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        if low in schema and high in schema:
            found.append(f"{schema[low]} to {schema[high]}{unit}")
        elif high in schema:
            found.append(f"at most {schema[high]}{unit}")
        elif schema.get(low):
            found.append(f"at least {schema[low]}{unit}")
    return found


def _kind(schema: Json) -> Any:
    kind = schema.get("type")
    return next((part for part in kind if part != "null"), None) if isinstance(kind, list) else kind
