"""Shape checks that name every fault at once.

The happy way is one msgspec decode. Only when that refuses is the body taken apart field by field, so that the answer
lists all faults and not just the first.
"""

import functools
import math
import re
import types
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from agentmessage.kernel.errors import MAX_DETAILS, InvalidInput, ValidationFailed

R = TypeVar("R", bound=Struct)
MAX_DEPTH = 8
UNKNOWN_FIELD = "is not a known field"
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
TRUTH = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


def read_body(kind: type[R], body: bytes) -> R:
    """The body as `kind`. Raises InvalidInput when it is not JSON, ValidationFailed naming every faulty field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as first:
        return _second_look(kind, _loose(body), first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("body is not well-formed JSON") from error


def read_query(kind: type[R], query: bytes, *, is_strict: bool = True) -> R:
    """The query string as `kind`; a truth value is true, false, 1, 0, t or f in any case. Raises ValidationFailed.

    What `kind` does not know is refused, or unless `is_strict` passed over.
    """
    readers = _readers(kind)
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, value in _pairs(query) if is_strict else _known_pairs(kind, query):
        if name in values:
            faults[_name(name)] = "must be given once"
        values[name] = readers.get(name, str)(value)
    if not faults:
        try:
            return msgspec.convert(values, kind)
        except msgspec.ValidationError as first:
            found = FieldErrors()
            found.look(kind, values)
            faults = found.named or {"query": _words(str(first))}
            faults = {name: words.replace(" or null", "") for name, words in faults.items()}
            raise ValidationFailed(faults, more=found.more) from None
    raise ValidationFailed(faults)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except (UnicodeDecodeError, ValueError) as error:
        raise ValidationFailed({"query": "must be a URL-encoded query string"}) from error


def _known_pairs(kind: type[Struct], query: bytes) -> list[tuple[str, str]]:
    """The parameters that `kind` knows, whatever else there is."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return [(name, value) for name, value in pairs if name in kind.__struct_encode_fields__]


@functools.cache
def _readers(kind: type[Struct]) -> Mapping[str, Callable[[str], Any]]:
    """How the text of each query parameter is read; what is not listed stays text."""
    readers: dict[str, Callable[[str], Any]] = {}
    for field in msgspec.structs.fields(kind):
        admitted = _admitted(field.type)
        if bool in admitted:
            readers[field.encode_name] = lambda text: TRUTH.get(text.lower(), text)
        elif int in admitted:
            readers[field.encode_name] = lambda text: int(text) if WHOLE_NUMBER.fullmatch(text) else text
    return readers


def _admitted(hint: Any) -> set[Any]:
    """The plain types that a field admits, looking through Annotated and unions."""
    arguments = get_args(hint)
    return {hint} if not arguments else {kind for argument in arguments for kind in _admitted(argument)}


def _second_look(kind: type[R], value: Any, first: msgspec.ValidationError) -> R:
    """A body that was refused, with whole numbers in any notation: 3.0 is the integer 3 (JSON Schema, 6.3)."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        found = FieldErrors()
        found.look(kind, value)
        raise ValidationFailed(found.named or {"body": _words(str(first))}, more=found.more) from first


def _loose(body: bytes) -> Any:
    try:
        return _LOOSE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("body is not well-formed JSON") from error


def _plain(text: str) -> int | float:
    """A number with a point or an exponent: an integer where it is whole."""
    value = float(text)
    if math.isinf(value):
        raise ValueError("number out of range")
    return int(value) if value.is_integer() else value


_LOOSE = msgspec.json.Decoder(float_hook=_plain)


class FieldErrors:
    """The faults of a value, by dotted field name: the first ones with their words, of the others how many."""

    def __init__(self) -> None:
        self.named: dict[str, str] = {}
        self.more = 0

    def look(self, kind: type[Struct], value: Any, *, prefix: str = "", depth: int = 0) -> None:
        """Note every fault of `value` as a `kind`."""
        if not isinstance(value, dict):
            self._note(prefix.rstrip(".") or "body", "must be an object")
            return
        given = cast("dict[str, Any]", value)
        before = len(self.named) + self.more
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            name = prefix + field.encode_name
            if field.encode_name in given:
                self._look_at(hints[field.name], given[field.encode_name], name, depth=depth)
            elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
                self._note(name, "is required")
        known = frozenset(kind.__struct_encode_fields__)
        unknown = len(given) - sum(name in given for name in known)
        room = max(0, MAX_DETAILS - len(self.named))
        for extra in islice((name for name in given if name not in known), room):
            self._note(_name(prefix + extra), UNKNOWN_FIELD)
        self.more += max(0, unknown - room)
        if len(self.named) + self.more == before:
            try:
                msgspec.convert(given, kind)
            except msgspec.ValidationError as error:
                self._note(prefix.rstrip(".") or "body", _words(str(error)))

    def _look_at(self, hint: Any, value: Any, name: str, *, depth: int) -> None:
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            nested = _struct_in(hint)
            if nested is not None and isinstance(value, dict) and depth < MAX_DEPTH:
                self.look(nested, value, prefix=f"{name}.", depth=depth + 1)
            else:
                self._note(name, _declared(hint) or _one_of(hint, error) or _words(str(error)))

    def _note(self, name: str, words: str) -> None:
        if name in self.named or len(self.named) < MAX_DETAILS:
            self.named[name] = words
        else:
            self.more += 1


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
        if isinstance(part, Meta) and part.extra and "error_text" in part.extra:
            return str(part.extra["error_text"])
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
