"""One form of every JSON value, so that two texts of the same value can be told to be the same.

Members are sorted, white space and escapes are gone, a member that is given twice counts with its last value, and a
number is its value: 1, 1.0, 10e-1 and 0.1E1 are the same. The cost is that of reading the text once and writing it.
"""

import msgspec
from msgspec import Raw

MAX_PLAIN_DIGITS = 64
MAX_EXPONENT_CHARS = 6


def canonical_json(text: bytes) -> bytes:
    """The form of a JSON text; of what has none, the text itself."""
    try:
        return _ENCODER.encode(_DECODER.decode(text))
    except (ValueError, OverflowError, RecursionError):  # msgspec's are ValueErrors
        return text


def _number(text: str) -> int | Raw:
    """A number by its value: an integer where it is one of ordinary size, else its digits and a power of ten."""
    sign = "-" if text.startswith("-") else ""
    mantissa, _, power = text.lower().removeprefix("-").partition("e")
    if len(power) > MAX_EXPONENT_CHARS:
        return Raw(text.encode())
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    kept = digits.rstrip("0")
    exponent = int(power or 0) - len(fraction) + len(digits) - len(kept)
    if not kept:
        return 0
    if 0 <= exponent <= MAX_PLAIN_DIGITS - len(kept):
        return int(f"{sign}{kept}{'0' * exponent}")
    return Raw(f"{sign}{kept}e{exponent}".encode())


_DECODER = msgspec.json.Decoder(float_hook=_number)
_ENCODER = msgspec.json.Encoder(order="sorted")
