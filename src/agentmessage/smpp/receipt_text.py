"""The text of a delivery receipt: characters from whatever octets carriers send, and fields from whatever characters.

Its form is only a custom (SMPP v3.4 Issue 1.2, appendix B). Carriers write it in other codings than they say, behind a
user data header, with other names, separators and cases. The first reading that shows an id and a state is taken;
nothing is read behind `text:`, since a subscriber chose what stands there.
"""

import re
from collections.abc import Iterator
from itertools import zip_longest

from msgspec import Struct

from agentmessage.smpp.pdu import Inbound, SubmitSm, Tag, parameter
from agentmessage.sms import gsm

HAS_HEADER = 0x40
MAX_READ_CHARS = 1024
"""A receipt is short; whatever follows is not read."""

_HEADERS = (b"\x05\x00\x03", b"\x06\x08\x04")  # of a part: how a header begins that esm_class does not announce
_UTF16_MARKS = (b"\xfe\xff", b"\xff\xfe")


class ReceiptText(Struct, frozen=True):
    """What a receipt says in words: the `told` part before `text:`, the fields in it, and what it repeats behind."""

    told: str
    fields: dict[str, str]
    excerpt: str


def read(pdu: Inbound) -> ReceiptText:
    """The likeliest reading; one without fields where the text is none of a receipt."""
    if pdu.esm_class & HAS_HEADER == 0 and isinstance(pdu, SubmitSm) and (usual := _USUAL.fullmatch(pdu.short_message)):
        *values, excerpt = (b"" if value is None else value for value in usual.groups())
        fields = {name: value.decode() for name, value in zip(_USUAL_NAMES, values, strict=True) if value}
        told = pdu.short_message[: usual.end("err")].decode()
        return ReceiptText(told, fields, excerpt.decode("latin-1"))
    readings = [_parsed(characters) for octets in _texts(pdu) for characters in _characters(octets)]
    return max(readings, key=_weight, default=ReceiptText("", {}, ""))


def _weight(reading: ReceiptText) -> tuple[int, bool]:
    """Of equals the first is taken: what is repeated of a message in another coding must not outdo the receipt."""
    return sum(key in reading.fields for key in ("id", "stat")), bool(reading.fields)


def _texts(pdu: Inbound) -> Iterator[bytes]:
    """The octets of short_message and of message_payload, without a user data header."""
    short = pdu.short_message if isinstance(pdu, SubmitSm) else b""
    for octets in (short, parameter(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b""):
        if octets:
            is_header = bool(pdu.esm_class & HAS_HEADER) or octets.startswith(_HEADERS)
            end = octets[0] + 1
            yield octets[end:] if is_header and end < len(octets) else octets


def _characters(octets: bytes) -> Iterator[str]:
    """What the octets may be, whatever data_coding says: one octet a character, UTF-16 of either order, septets."""
    octets = octets[: 2 * MAX_READ_CHARS]
    yield octets.decode("latin-1")[:MAX_READ_CHARS]
    even = octets[: len(octets) & ~1]
    if b"\0" in octets or even.startswith(_UTF16_MARKS):
        for order in ("utf-16-be", "utf-16-le"):
            yield even.decode(order, "replace").lstrip("\ufeff")
    if not octets.isascii():
        yield gsm.decode_unpacked(gsm.unpack(octets[:MAX_READ_CHARS]))


def _parsed(characters: str) -> ReceiptText:
    keys = list(_KEY.finditer(characters))
    quoted = next((key for key in keys if key.lastgroup == "text"), None)
    told = characters if quoted is None else characters[: quoted.start()]
    fields: dict[str, str] = {}
    for key, following in zip_longest(keys, keys[1:]):
        if key is quoted or key is None:
            break
        value = characters[key.end() : len(characters) if following is None else following.start()]
        if (found := _value(key.lastgroup or "", value)) and key.lastgroup not in fields:
            fields[key.lastgroup or ""] = found
    excerpt = "" if quoted is None else characters[quoted.end() :]
    return ReceiptText(_printable(told).strip(_BETWEEN), fields, excerpt)


def _value(key: str, written: str) -> str:
    if key in ("submitdate", "donedate"):
        return _NO_DIGIT.sub("", _DATE_END.split(written)[0])
    found = _TOKEN.match(written)
    return found[1].rstrip(":") if found else ""


def _printable(told: str) -> str:
    return "".join(one if one.isprintable() or one in "\r\n\t" else " " for one in told)


_USUAL = re.compile(
    rb"id:([!-+\--9;-~]++) sub:([0-9]{3}) dlvrd:([0-9]{3}) submit date:([0-9]{10,14}) done date:([0-9]{10,14}) "
    rb"stat:([A-Z]++) err:(?P<err>[0-9A-Za-z]++)(?: [Tt]ext:(.*))?",
    re.DOTALL,
)
"""Appendix B to the letter, which most receipts are: five times as fast."""

_USUAL_NAMES = ("id", "sub", "dlvrd", "submitdate", "donedate", "stat", "err")
_BETWEEN = " \t\r\n,;|&\"'{"
_TOKEN = re.compile(r"[\s\"'=]*([^\s,;|&\"'\x00-\x20\x7f\ufffd]+)")
_DATE_END = re.compile(r"[,;|&]")
_NO_DIGIT = re.compile(r"[^0-9]+")
_KEY = re.compile(
    r"(?<![A-Za-z0-9_.:/-])(?:"
    r"(?P<id>(?:(?:message|msg|receipted|smsc|receipt)[ _-]?(?:message[ _-]?)?)?id)"
    r"|(?P<sub>sub)|(?P<dlvrd>dlvrd)"
    r"|(?P<submitdate>submit(?:ted)?[\s_-]{0,4}(?:date|at|time))"
    r"|(?P<donedate>done[\s_-]{0,4}(?:date|at|time))"
    r"|(?P<stat>(?:(?:message|msg|delivery|final)[ _-]?)?(?:stat|status|state))"
    r"|(?P<err>(?:network[ _-]?)?(?:err|error)(?:[ _-]?code)?)"
    r"|(?P<text>text|txt|msg|message|content)"
    r")[\"']?\s{0,8}[:=]",
    re.IGNORECASE,
)
"""The names of fields; what stands right behind a letter, a digit or a mark of an address is none."""
