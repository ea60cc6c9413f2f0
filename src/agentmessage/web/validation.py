"""Shape checks that name every fault at once.

The happy way is one msgspec decode. Only when that refuses is the body taken apart field by field, so that the answer
lists all faults and not just the first.
"""

import functools
import re
import types
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from agentmessage.kernel.errors import InvalidInput, ValidationFailed

R = TypeVar("R", bound=Struct)
MAX_DEPTH = 8
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
TRUTH = {"true": True, "false": False}


def read_body(kind: type[R], body: bytes) -> R:
    """The body as `kind`. Raises InvalidInput when it is not JSON, ValidationFailed naming every faulty field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as first:
        return _second_look(kind, _loose(body), first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("body is not well-formed JSON") from error


def read_query(kind: type[R], query: bytes) -> R:
    """The query string as `kind`; numbers and truth values have one plain form each. Raises ValidationFailed."""
    readers = _readers(kind)
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except (UnicodeDecodeError, ValueError) as error:
        raise ValidationFailed({"query": "must be a URL-encoded query string"}) from error
    for name, value in pairs:
        if name in values:
            faults[_name(name)] = "must be given once"
        values[name] = readers.get(name, str)(value)
    if not faults:
        try:
            return msgspec.convert(values, kind)
        except msgspec.ValidationError as first:
            faults = _faults(kind, values) or {"query": _words(str(first))}
            faults = {name: words.replace(" or null", "") for name, words in faults.items()}
    raise ValidationFailed(faults)


@functools.cache
def _readers(kind: type[Struct]) -> Mapping[str, Callable[[str], Any]]:
    """How the text of each query parameter is read; what is not listed stays text."""
    readers: dict[str, Callable[[str], Any]] = {}
    for field in msgspec.structs.fields(kind):
        admitted = _admitted(field.type)
        if bool in admitted:
            readers[field.encode_name] = lambda text: TRUTH.get(text, text)
        elif int in admitted:
            readers[field.encode_name] = lambda text: int(text) if WHOLE_NUMBER.fullmatch(text) else text
    return readers


def _admitted(hint: Any) -> set[Any]:
    """The plain types that a field admits, looking through Annotated and unions."""
    arguments = get_args(hint)
    return {hint} if not arguments else {kind for argument in arguments for kind in _admitted(argument)}


def _second_look(kind: type[R], value: Any, first: msgspec.ValidationError) -> R:
    """A body that was refused, with whole numbers in any notation: 3.0 is the integer 3 (JSON Schema, 6.3)."""
    value = _whole(value)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise ValidationFailed(_faults(kind, value) or {"body": _words(str(first))}) from first


def _whole(value: Any, depth: int = 0) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if depth < MAX_DEPTH and isinstance(value, dict):
        return {name: _whole(part, depth + 1) for name, part in cast("dict[str, Any]", value).items()}
    if depth < MAX_DEPTH and isinstance(value, list):
        return [_whole(part, depth + 1) for part in cast("list[Any]", value)]
    return value


def _loose(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("body is not well-formed JSON") from error


def _faults(kind: type[Struct], value: Any, *, prefix: str = "", depth: int = 0) -> dict[str, str]:
    """Every fault of `value` as a `kind`, by dotted field name."""
    if not isinstance(value, Mapping):
        return {prefix.rstrip(".") or "body": "must be an object"}
    given: Mapping[str, Any] = {str(k): v for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    hints = get_type_hints(kind, include_extras=True)
    faults: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        name = prefix + field.encode_name
        if field.encode_name not in given:
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                faults[name] = "is required"
            continue
        faults.update(_field_faults(hints[field.name], given[field.encode_name], name, depth=depth))
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    faults.update({_name(prefix + extra): "is not a known field" for extra in given if extra not in known})
    if not faults:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            faults[prefix.rstrip(".") or "body"] = _words(str(error))
    return faults


def _field_faults(hint: Any, value: Any, name: str, *, depth: int) -> dict[str, str]:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        nested = _struct_in(hint)
        if nested is not None and isinstance(value, Mapping) and depth < MAX_DEPTH:
            return _faults(nested, value, prefix=f"{name}.", depth=depth + 1)
        return {name: _declared(hint) or _one_of(hint, error) or _words(str(error))}
    return {}


def _one_of(hint: Any, error: msgspec.ValidationError) -> str | None:
    """The values that an enumeration may have, where the given one is none of them."""
    if not str(error).startswith("Invalid enum value"):
        return None
    kinds = [kind for kind in _admitted(hint) if isinstance(kind, type) and issubclass(kind, StrEnum)]
    return "must be one of " + ", ".join(kinds[0]) if len(kinds) == 1 else None


def _struct_in(hint: Any) -> type[Struct] | None:
    """The Struct that a field holds, looking through Annotated and unions."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    return next((found for arg in get_args(hint) if (found := _struct_in(arg)) is not None), None)


def _declared(hint: Any) -> str | None:
    """The words that a field's Meta declares for its refusal."""
    for part in getattr(hint, "__metadata__", ()):
        if isinstance(part, Meta) and part.extra and "must" in part.extra:
            return str(part.extra["must"])
    if get_origin(hint) in (Union, types.UnionType) or hasattr(hint, "__metadata__"):
        return next((words for arg in get_args(hint) if (words := _declared(arg))), None)
    return None


TYPES = {
    "int": "an integer",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "float": "a number",
    "uuid": "a UUID",
    "datetime": "an RFC 3339 time",
    "date": "a date",
}


def _words(error: str) -> str:
    """The sentence of msgspec in ours: 'Expected `int`, got `str`' becomes 'must be an integer'."""
    text = error.split(" - at ", 1)[0]
    if text.startswith("Expected `"):
        wanted = text.split("`")[1].split(" | ")
        if text.split("`")[2].lstrip().startswith((">", "<", "of", "matching", "that")):
            return f"must be {TYPES.get(wanted[0], wanted[0])}{text.split('`')[2].rstrip(', ')}"
        return "must be " + " or ".join(TYPES.get(kind, kind) for kind in wanted)
    if text.startswith("Invalid enum value"):
        return "is not one of the values it may have"
    if text.startswith("Invalid UUID"):
        return "must be a UUID"
    return text[0].lower() + text[1:]


def _name(field: str) -> str:
    """A field name of the caller's, safe and short enough to say back."""
    return field.encode("utf-8", "replace").decode()[:64]
