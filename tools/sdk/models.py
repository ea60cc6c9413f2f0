"""`sdk/models/`: enumerations, what is read and what is written, one module for each family."""

import textwrap
from collections.abc import Iterator

from tools.sdk import names
from tools.sdk.contract import META, SHARED, Contract, Json, Parameter, words
from tools.sdk.kinds import WORDS, Kinds, is_nullable, limits

GENERATED = "Generated from the contract by `tools/make_sdk.py`."
IMPORTS = {
    "Any": "from typing import Any",
    "Literal": "from typing import Literal",
    "Mapping": "from collections.abc import Mapping",
    "Sequence": "from collections.abc import Sequence",
    "datetime": "from datetime import datetime",
    "date": "from datetime import date",
    "Id": "from agentmessage.sdk._request import Id",
}
MANY_FIELDS = 12
"""A body with more fields is one typed dictionary in the signature of its method, not a keyword for each field."""

ONES_THAT_SAY_ALL = {"id", "cursor"}
"""Parameters whose names say what they are."""

LEFT_OUT = {META, "Failure", "ErrorDetail"}


def modules(contract: Contract) -> dict[str, str]:
    """Path below `sdk/` and text of every module of models."""
    homes: dict[str, list[str]] = {}
    for name in _wanted(contract):
        homes.setdefault(contract.home(name), []).append(name)
    found = {f"models/{home}.py": _module(contract, home, wanted) for home, wanted in sorted(homes.items())}
    found["models/__init__.py"] = _front(contract, homes)
    return found


def defined(contract: Contract, name: str) -> list[str]:
    """The names that a component's module defines for it."""
    kind = names.model(name)
    if "enum" in contract.schemas[name]:
        return [kind, kind + WORDS] if name in contract.inputs else [kind]
    return [kind]


def imports(contract: Contract, used: set[str], *, home: str | None = None) -> list[str]:
    """Import lines for names that came up in types, but those that `home` defines."""
    lines = [IMPORTS[name] for name in used if name in IMPORTS]
    for component in _wanted(contract):
        at = contract.home(component)
        if at != home:
            lines += [
                f"from agentmessage.sdk.models.{at} import {name}"
                for name in defined(contract, component)
                if name in used
            ]
    return sorted(lines)


def wide_bodies(contract: Contract) -> set[str]:
    """Bodies that are typed dictionaries in their method's signature."""
    return {
        operation.body_schema
        for operation in contract.operations
        if operation.body_schema and len(operation.body) > MANY_FIELDS
    }


def _wanted(contract: Contract) -> list[str]:
    nested = set(contract.inputs) | wide_bodies(contract)
    reached = set(contract.results) | nested
    return [name for name in contract.schemas if name in reached and name not in LEFT_OUT]


def _module(contract: Contract, home: str, wanted: list[str]) -> str:
    kinds = Kinds(contract)
    enums = [name for name in wanted if "enum" in contract.schemas[name]]
    others = [name for name in _in_order(contract, wanted) if name not in enums]
    inputs = [name for name in others if name not in contract.results]
    parts = [part for name in enums for part in _enum(contract, name)]
    parts += [_input(contract, kinds, name) if name in inputs else _struct(contract, kinds, name) for name in others]
    head = [*imports(contract, kinds.used, home=home)]
    if enums:
        head.append("from agentmessage.sdk.open_enum import OpenEnum")
    if any(name in contract.inputs for name in enums):
        head.append("from typing import Literal")
    if inputs:
        head.append("from typing import NotRequired, TypedDict")
    if len(others) > len(inputs):
        head.append("from agentmessage.sdk._response import Model")
    title = "Values that several families share" if home == SHARED else f"Values of `{home}`"
    return "\n\n".join([f'"""{title}. {GENERATED}"""', "\n".join(head), *parts]) + "\n"


def _in_order(contract: Contract, wanted: list[str]) -> list[str]:
    """Each behind those that it is made of, since msgspec reads the types when the class is made."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name in found or name not in wanted:
            return
        for inner in sorted(contract.reached(contract.schemas[name]) - {name}):
            visit(inner)
        found.append(name)

    for name in wanted:
        visit(name)
    return found


def _enum(contract: Contract, name: str) -> Iterator[str]:
    schema, kind = contract.schemas[name], names.model(name)
    members = [f"    {names.member(word)} = {word!r}" for word in schema["enum"]]
    yield f"class {kind}(OpenEnum):\n{_docstring(schema, kind)}\n\n" + "\n".join(members)
    if name in contract.inputs:
        yield f"{kind}{WORDS} = Literal[{', '.join(repr(word) for word in schema['enum'])}]"


def _struct(contract: Contract, kinds: Kinds, name: str) -> str:
    schema, kind = contract.schemas[name], names.model(name)
    fields = schema.get("properties", {})
    renamed = {names.argument(field): field for field in fields if names.argument(field) != field}
    rename = f", rename={renamed!r}" if renamed else ""
    lines = [_field(kinds, field, inner) for field, inner in fields.items()]
    return f"class {kind}(Model, frozen=True, kw_only=True{rename}):\n{_docstring(schema, kind)}\n\n" + "\n".join(lines)


def _field(kinds: Kinds, field: str, schema: Json) -> str:
    default = " = None" if is_nullable(schema) else ""
    line = f"    {names.argument(field)}: {kinds.read(schema)}{default}"
    text = words(schema)
    return f'{line}\n    """{text}"""' if text and "$ref" not in schema and "enum" not in schema else line


def _input(contract: Contract, kinds: Kinds, name: str) -> str:
    """A typed dictionary; one inside another is written as it is sent, which may be a word that Python keeps."""
    schema, kind = contract.schemas[name], names.model(name)
    required = schema.get("required", [])
    fields = schema.get("properties", {})
    if name in wide_bodies(contract) or all(names.argument(field) == field for field in fields):
        body = [f"    {field}: {_wanted_or_not(kinds, inner, field in required)}" for field, inner in fields.items()]
        return f"class {kind}(TypedDict):\n{_docstring(schema, kind)}\n\n" + "\n".join(body)
    body = [f"    {field!r}: {_wanted_or_not(kinds, inner, field in required)}," for field, inner in fields.items()]
    text = _docstring(schema, kind).strip()
    return f"{kind} = TypedDict({kind!r}, {{\n" + "\n".join(body) + "\n})\n" + textwrap.dedent(text)


def _wanted_or_not(kinds: Kinds, schema: Json, is_required: bool) -> str:  # noqa: FBT001 - reads well where it is called
    kind = kinds.written(schema)
    return kind if is_required else f"NotRequired[{kind}]"


def _docstring(schema: Json, kind: str) -> str:
    return docstring(schema.get("description") or f"{kind}.")


def docstring(text: str, indent: int = 4) -> str:
    """Words as a docstring, wrapped where they do not fit."""
    room = 120 - indent
    first, *rest = text.strip().replace("\\", "\\\\").split("\n")
    paragraphs = [part for part in "\n".join(rest).split("\n\n") if part.strip()]
    if len(first) > room - 6:
        first, more = _sentence(first)
        paragraphs.insert(0, more)
    lines = [first]
    for part in paragraphs:
        lines += ["", *_wrapped(part, room)]
    inner = "\n".join(lines)
    closed = f'"""{inner}"""' if len(lines) == 1 else f'"""{inner}\n"""'
    return textwrap.indent(closed, " " * indent)


def _wrapped(part: str, room: int) -> list[str]:
    lines: list[str] = []
    for line in part.strip("\n").split("\n- "):
        is_item = line.startswith("- ") or lines
        text = " ".join(line.removeprefix("- ").split())
        is_list = part.lstrip().startswith("- ")
        lines += textwrap.wrap(
            f"- {text}" if is_list else text, room, subsequent_indent="  " if is_list and is_item else ""
        )
    return lines


def quoted(text: str, room: int = 90) -> str:
    """A text as a literal, in pieces when it is long."""
    if len(text) <= room:
        return repr(text)
    lines = textwrap.wrap(text, room, drop_whitespace=False, break_long_words=False, break_on_hyphens=False)
    return "(" + "\n".join(repr(line) for line in lines) + ")"


def _sentence(text: str) -> tuple[str, str]:
    head, dot, more = text.partition(". ")
    return (head + dot.strip(), more) if dot else (textwrap.shorten(text, 100, placeholder="…"), text)


def described(parameter: Parameter) -> str:
    """A parameter in one line: what it is and what it may be; empty when its name and type say all."""
    if parameter.wire in ONES_THAT_SAY_ALL:
        return ""
    return " ".join(part for part in (parameter.description, limits(parameter.schema)) if part)


def _front(contract: Contract, homes: dict[str, list[str]]) -> str:
    lines = [
        f'"""What the platform prints and takes, as typed values. {GENERATED}"""',
        "",
        "from agentmessage.sdk._response import Meta",
    ]
    every = ["Meta"]
    for home, wanted in sorted(homes.items()):
        found = [name for component in wanted for name in defined(contract, component)]
        lines.append(f"from agentmessage.sdk.models.{home} import {', '.join(sorted(found))}")
        every += found
    quoted = ", ".join(f'"{name}"' for name in sorted(every))
    return "\n".join([*lines, "", f"__all__ = [{quoted}]"]) + "\n"
