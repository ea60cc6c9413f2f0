"""JSON in its one canonical form (RFC 8785): what the registry's signature covers."""

import json
import math
from decimal import Decimal

ES6_PLAIN_FROM, ES6_PLAIN_BELOW = -7, 21
"""Decimal exponents between which a number is written without one (ECMAScript, Number::toString)."""

MAX_EXACT = 2**53
"""Whole numbers beyond it are doubles to the scheme (RFC 8785, section 3.2.2.3), not themselves."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def canonical(value: Json) -> str:
    """The value without white space, members sorted by UTF-16 code units, numbers as ECMAScript writes them.

    Raises ValueError on a number that JSON does not have.
    """
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(name)}:{canonical(member)}" for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and abs(value) > MAX_EXACT:
        return _number(_as_double(value))
    return json.dumps(value)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _as_double(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("not a JSON number") from error


def _number(value: float) -> str:
    """The shortest digits that read back the same, laid out as ECMAScript does."""
    if not math.isfinite(value):
        raise ValueError("not a JSON number")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    if len(text) <= point <= ES6_PLAIN_BELOW:
        laid_out = text.ljust(point, "0")
    elif 0 < point <= ES6_PLAIN_BELOW:
        laid_out = f"{text[:point]}.{text[point:]}"
    elif ES6_PLAIN_FROM < point - 1 < 0:
        laid_out = "0." + "0" * -point + text
    else:
        laid_out = f"{text[0]}{'.' if text[1:] else ''}{text[1:]}e{point - 1:+d}"
    return ("-" if sign else "") + laid_out
