"""The GSM 7-bit default alphabet, its extension table and the packing of its septets (3GPP TS 23.038, 6.1.2, 6.2.1).

Three forms of one text: `squeezed`, our own, has one octet per character and serves counting; *unpacked* has one septet
in each octet, an extension character being ESC and a code, as most SMPP links want it; *packed* has eight septets in
seven octets, as it goes over the air.

A text may say in its header that it is written with the tables of a language (6.2.1.2): `locking` in the basic table's
place, `single` in the extension's. We read such texts; we never write them.
"""

import codecs
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

MARK = "\N{REPLACEMENT CHARACTER}"
"""What is shown in place of what cannot be read."""

ESCAPE = 0x1B
CARRIAGE_RETURN = 0x0D

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\ufffeÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The basic table: the index is the septet. The escape's place is held by U+FFFE, which to a codec means nothing."""

EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
"""What ESC and a septet mean together; each costs two septets."""

_NOTHING = "\ufffe"
_EXTENDED = 0x80  # set in a squeezed octet: the character is the extension table's
_SQUEEZED_TABLE = BASIC + "".join(EXTENSION.get(septet, _NOTHING) for septet in range(0x80))
_READABLE_TABLE = _SQUEEZED_TABLE.replace(_NOTHING, " ")
# A table that begins with U+0000 is built into a map ten times as fast; so `@` waits at a free place for its own.
_AWAY = 0x80
_SQUEEZED_MAP = codecs.charmap_build("\0" + _SQUEEZED_TABLE[1:_AWAY] + BASIC[0] + _SQUEEZED_TABLE[_AWAY + 1 :])
_HOME = bytes(0 if octet == _AWAY else octet for octet in range(0x100))
_BASIC_OCTETS = bytes(range(0x80))
_LAST_SEPTET = 0x7F
_ESCAPED = re.compile(rb"\x1b[\x00-\x7f]?")
_UNPACKED = {bytes((_EXTENDED | septet,)): bytes((ESCAPE, septet)) for septet in EXTENSION}


def squeezed(text: str) -> bytes:
    """One octet per character: the basic septet, or 0x80 and the extension's. Raises UnicodeEncodeError if not GSM.

    The escape itself is no character: a text that holds U+001B is not GSM.
    """
    octets = codecs.charmap_encode(text, "strict", _SQUEEZED_MAP)[0]
    if 0 in octets:
        index = octets.index(0)
        raise UnicodeEncodeError("gsm7", text, index, index + 1, "character is not in the alphabet")
    return octets.translate(_HOME)


def is_gsm(text: str) -> bool:
    """Whether every character is in the basic or the extension table."""
    try:
        squeezed(text)
    except UnicodeEncodeError:
        return False
    return True


def septets(text: str) -> int:
    """How many septets the text takes; raises UnicodeEncodeError, a ValueError, if it is not GSM."""
    octets = squeezed(text)
    return len(octets) + extended(octets)


def extended(octets: bytes) -> int:
    """How many characters of a squeezed text are the extension table's."""
    return len(octets.translate(None, _BASIC_OCTETS))


def encode_unpacked(text: str) -> bytes:
    """One septet in each octet; raises UnicodeEncodeError, a ValueError, if the text is not GSM."""
    return loosened(squeezed(text))


def loosened(octets: bytes) -> bytes:
    """A squeezed text, unpacked."""
    if octets.isascii():
        return octets
    for squeezed_octet, pair in _UNPACKED.items():
        octets = octets.replace(squeezed_octet, pair)
    return octets


def decode_unpacked(octets: bytes, *, locking: int = 0, single: int = 0) -> str:
    """The text of unpacked septets, whatever they are: a handset's mistake must not lose the rest of its text.

    ESC before a septet that the extension table does not have stands for that septet of the basic table (TS 23.038,
    6.2.1.1, note 1); ESC ESC, an escape to a further table, and a last ESC are spaces. What is no septet, and what
    means nothing, is marked by U+FFFD. `locking` and `single` identify languages; 0 and unknown ones are none.
    """
    if not octets.isascii() or locking or single:
        return _decoded(octets, _basic(locking), _extension(single))
    joined = octets if ESCAPE not in octets else _ESCAPED.sub(_unescaped, octets)
    return joined.decode("latin-1").translate(_READABLE_TABLE)


def _unescaped(found: re.Match[bytes]) -> bytes:
    septet = found[0][-1]
    return bytes((_EXTENDED | septet if septet in EXTENSION else septet,))


def _decoded(octets: bytes, basic: str, extension: Mapping[int, str]) -> str:
    found: list[str] = []
    is_escaped = False
    for octet in octets:
        is_septet = octet <= _LAST_SEPTET
        if is_escaped and (octet == ESCAPE or not is_septet):
            found.append(" ")
        if is_escaped and octet == ESCAPE:
            is_escaped = False
            continue
        if octet == ESCAPE:
            is_escaped = True
            continue
        meant = extension.get(octet, basic[octet]) if is_escaped and is_septet else basic[octet] if is_septet else MARK
        found.append(MARK if meant == _NOTHING else meant)
        is_escaped = False
    return "".join(found) + " " * is_escaped


class _Language(Struct, frozen=True, forbid_unknown_fields=True):
    single: str
    locking: str = BASIC


@cache
def _languages() -> Mapping[int, _Language]:
    raw = Path(__file__).with_name("national.toml").read_bytes()
    return {int(number): one for number, one in msgspec.toml.decode(raw, type=dict[str, _Language]).items()}


def _basic(language: int) -> str:
    return _languages()[language].locking if language in _languages() else BASIC


def _extension(language: int) -> Mapping[int, str]:
    if language not in _languages():
        return EXTENSION
    entries = _languages()[language].single
    return {int(entries[at : at + 2], 16): entries[at + 2] for at in range(0, len(entries), 3)}


def pack(unpacked: bytes, fill_bits: int = 0, *, filler: int = 0) -> bytes:
    """Septets packed from the lowest bit up, after `fill_bits` (0..6) zero bits that end the header's last septet.

    Seven bits that remain at the end are set to `filler`: 0 where the receiver is told the count of septets, and
    CARRIAGE_RETURN where it is told octets only and would read an `@` (TS 23.038, 6.1.2.3.1).
    """
    bits = 0
    for septet in reversed(unpacked):
        bits = bits << 7 | septet
    used = 7 * len(unpacked)
    if (fill_bits + used) % 8 == 1:
        bits |= filler << used
    return (bits << fill_bits).to_bytes((fill_bits + used + 7) // 8, "little")


def unpack(octets: bytes, fill_bits: int = 0, count: int | None = None) -> bytes:
    """The septets of packed octets, one in each octet; at most `count` of them, the rest being padding.

    Without a count, a carriage return in the last seven bits is taken for a filler and left out.
    """
    bits = int.from_bytes(octets, "little") >> fill_bits
    fitting = max(0, (8 * len(octets) - fill_bits) // 7)
    total = fitting if count is None else min(count, fitting)
    found = bytes(bits >> 7 * index & 0x7F for index in range(total))
    ends_on_octet = (fill_bits + 7 * total) % 8 == 0
    return found[:-1] if count is None and ends_on_octet and found.endswith(b"\r") else found
