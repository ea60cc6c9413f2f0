"""Which coding a text needs, how many parts it is cut into, and each part on the wire (3GPP TS 23.040, 9.2.3.24.1).

A part has 140 octets: 160 septets or 70 UTF-16 units. Parts of one text each give up 6 octets (8-bit reference) or 7
(16-bit) to the header that joins them, and none begins in the middle of a character; so a text may take a part more
than its length divided by a part's.

A handset joins the parts before it shows them, so a grapheme cluster (an emoji of several characters, a letter and its
accents) that is cut is whole again. A part more costs money. Hence a cluster is kept in one part wherever that takes no
part more (decision 0014), and `measure`, which the price hangs on, need not know clusters at all.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Literal

import regex
from msgspec import Struct

from agentmessage.sms import gsm

ReferenceBits = Literal[8, 16]
"""How long the number is that the parts of one text share."""

PART_OCTETS = 140
MAX_PARTS = 255  # the header counts in one octet
_HEADER_OCTETS = {8: 6, 16: 7}
_HEADER_START = {8: b"\x05\x00\x03", 16: b"\x06\x08\x04"}
_SEPTETS_ALONE = PART_OCTETS * 8 // 7
_UTF16_ALONE = PART_OCTETS // 2
_SEPTETS_JOINED = {bits: (PART_OCTETS - header) * 8 // 7 for bits, header in _HEADER_OCTETS.items()}
_UTF16_JOINED = {bits: (PART_OCTETS - header) // 2 for bits, header in _HEADER_OCTETS.items()}
_HIGH_SURROGATES = range(0xD8, 0xDC)
_CLUSTER = regex.compile(r"\X")


class Encoding(StrEnum):
    """Which characters a text needs; the coding of its price, stored and shown by these words."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Alphabet(StrEnum):
    """What a link means by its default alphabet (data_coding 0); what the handset shows is GSM either way."""

    GSM = "gsm"
    LATIN1 = "latin1"
    ASCII = "ascii"

    def holds(self, text: str) -> bool:
        """Whether the link can carry the text so; in ISO 8859-1 the first 128 characters are ASCII."""
        match self:
            case Alphabet.GSM:
                return True
            case Alphabet.LATIN1:
                return max(text, default="") <= "\xff"
            case Alphabet.ASCII:
                return text.isascii()


class Coding(StrEnum):
    """How the octets of a part are laid out: a link takes one of the GSM forms, and UTF-16BE for the rest.

    Under `latin1` an octet is a character of ISO 8859-1 that the carrier makes septets of; those are what counts.
    """

    GSM_UNPACKED = "gsm_unpacked"
    GSM_PACKED = "gsm_packed"
    LATIN1 = "latin1"
    UCS2 = "ucs2"

    @property
    def encoding(self) -> Encoding:
        """The characters that can be laid out so."""
        return Encoding.UCS2 if self is Coding.UCS2 else Encoding.GSM7


class Layout(Struct, frozen=True):
    """How an account's carrier is sent messages, as far as their parts depend on it."""

    reference_bits: ReferenceBits = 8
    alphabet: Alphabet = Alphabet.GSM


USUAL = Layout()
Layouts = Mapping[str, Layout]
"""By account; one that is missing has the usual layout."""

USUAL_LAYOUTS: Layouts = MappingProxyType({})


class Measure(Struct, frozen=True):
    """What a text costs: its length in septets or UTF-16 units, and the parts it is sent and charged as."""

    encoding: Encoding
    units: int
    segments: int


class Part(Struct, frozen=True):
    """One part for the wire: `udh` is empty when it is the only one, `units` are the body's septets or UTF-16 units."""

    udh: bytes
    body: bytes
    units: int

    @property
    def octets(self) -> bytes:
        """Header and body in one, for a field that holds both once the header indicator is set."""
        return self.udh + self.body


class _Septets(Struct, frozen=True):
    """A text as unpacked septets."""

    octets: bytes

    def length(self) -> int:
        return len(self.octets)

    @staticmethod
    def units(text: str) -> int:
        return gsm.septets(text)

    def is_inside(self, position: int) -> bool:
        """Whether a cut there would leave an escape without its character."""
        return self.octets[position - 1] == gsm.ESCAPE

    def text(self, start: int, end: int) -> str:
        return gsm.decode_unpacked(self.octets[start:end])


class _Utf16(Struct, frozen=True):
    """A text as UTF-16BE."""

    octets: bytes

    def length(self) -> int:
        return len(self.octets) // 2

    @staticmethod
    def units(text: str) -> int:
        return len(text.encode("utf-16-be")) // 2

    def is_inside(self, position: int) -> bool:
        """Whether a cut there would tear a surrogate pair."""
        return self.octets[2 * position - 2] in _HIGH_SURROGATES

    def text(self, start: int, end: int) -> str:
        return self.octets[2 * start : 2 * end].decode("utf-16-be")


def measure(text: str, *, reference_bits: ReferenceBits = 8, alphabet: Alphabet = Alphabet.GSM) -> Measure:
    """Coding, length and parts of a text; an empty one is one empty part. Half a surrogate pair is a ValueError.

    What the link's `alphabet` cannot carry goes as UTF-16, also if it is GSM: `€` on a link that speaks ISO 8859-1.
    """
    try:
        squeezed = gsm.squeezed(text)
    except UnicodeEncodeError:
        return _measure_utf16(text, _UTF16_JOINED[reference_bits])
    if alphabet is not Alphabet.GSM and not alphabet.holds(text):
        return _measure_utf16(text, _UTF16_JOINED[reference_bits])
    if squeezed.isascii():
        units = len(squeezed)
        segments = 1 if units <= _SEPTETS_ALONE else -(-units // _SEPTETS_JOINED[reference_bits])
        return Measure(Encoding.GSM7, units, segments)
    units = len(squeezed) + gsm.extended(squeezed)
    if units <= _SEPTETS_ALONE:
        return Measure(Encoding.GSM7, units, 1)
    cuts = _nearest_cuts(_Septets(gsm.loosened(squeezed)), _SEPTETS_JOINED[reference_bits])
    return Measure(Encoding.GSM7, units, len(cuts) + 1)


def split(text: str, *, encoding: Encoding | None = None, reference_bits: ReferenceBits = 8) -> tuple[str, ...]:
    """The text of each part, as many as `measure` counts; `encoding` if not the one it needs.

    Raises ValueError for half a surrogate pair, and for `gsm7` when the text has other characters.
    """
    chosen = encoding or measure(text).encoding
    form = _form(text, chosen)
    spans = pairwise((0, *_cuts(text, form, chosen, reference_bits), form.length()))
    if form.length() == len(text):
        return tuple(text[start:end] for start, end in spans)
    return tuple(form.text(start, end) for start, end in spans)


def parts(text: str, coding: Coding, *, reference: int, reference_bits: ReferenceBits = 8) -> tuple[Part, ...]:
    """Header and body of each part; `reference`, cut to its bits, must differ between texts to one handset at one time.

    A packed body that ends with seven spare bits is filled with a carriage return: on SMPP nothing tells the count.
    Raises ValueError for a text of more than 255 parts, and where `split` does.
    """
    bodies = split(text, encoding=coding.encoding, reference_bits=reference_bits)
    if len(bodies) > MAX_PARTS:
        raise ValueError(f"a text of {len(bodies)} parts cannot be joined again: a header counts to {MAX_PARTS}")
    if len(bodies) == 1:
        return (_part(b"", text, coding),)
    number = (reference % (1 << reference_bits)).to_bytes(reference_bits // 8, "big")
    start = _HEADER_START[reference_bits] + number
    return tuple(_part(start + bytes((len(bodies), index)), body, coding) for index, body in enumerate(bodies, start=1))


def coding_of(text: str, *, alphabet: Alphabet = Alphabet.GSM, is_packed: bool = False) -> Coding:
    """How a text is laid out on a link of that alphabet, whose GSM septets are packed or not."""
    if measure(text, alphabet=alphabet).encoding is Encoding.UCS2:
        return Coding.UCS2
    if alphabet is not Alphabet.GSM:
        return Coding.LATIN1
    return Coding.GSM_PACKED if is_packed else Coding.GSM_UNPACKED


def _part(udh: bytes, text: str, coding: Coding) -> Part:
    form = _form(text, coding.encoding)
    if coding is Coding.LATIN1:
        return Part(udh, text.encode("latin-1"), form.length())
    if coding is not Coding.GSM_PACKED:
        return Part(udh, form.octets, form.length())
    packed = gsm.pack(form.octets, -len(udh) * 8 % 7, filler=gsm.CARRIAGE_RETURN)
    return Part(udh, packed, form.length())


def _measure_utf16(text: str, joined: int) -> Measure:
    form = _utf16(text)
    units = form.length()
    if units <= _UTF16_ALONE:
        return Measure(Encoding.UCS2, units, 1)
    is_plain = units == len(text)
    return Measure(Encoding.UCS2, units, -(-units // joined) if is_plain else len(_nearest_cuts(form, joined)) + 1)


def _form(text: str, encoding: Encoding) -> _Septets | _Utf16:
    return _utf16(text) if encoding is Encoding.UCS2 else _Septets(gsm.encode_unpacked(text))


def _utf16(text: str) -> _Utf16:
    try:
        return _Utf16(text.encode("utf-16-be"))
    except UnicodeEncodeError as found:
        raise ValueError(f"half a surrogate pair at index {found.start} is no character") from None


def _cuts(text: str, form: _Septets | _Utf16, encoding: Encoding, reference_bits: ReferenceBits) -> Sequence[int]:
    """Where to cut, in units: in no cluster, unless keeping it whole takes a part more."""
    is_gsm = encoding is Encoding.GSM7
    if form.length() <= (_SEPTETS_ALONE if is_gsm else _UTF16_ALONE):
        return ()
    joined = (_SEPTETS_JOINED if is_gsm else _UTF16_JOINED)[reference_bits]
    nearest = _nearest_cuts(form, joined)
    if is_gsm and "\r\n" not in text:  # no other cluster has all its characters in the alphabet
        return nearest
    starts = _cluster_starts(text, form)
    return nearest if set(starts).issuperset(nearest) else _kindest_cuts(form, joined, nearest, starts)


def _nearest_cuts(form: _Septets | _Utf16, joined: int) -> list[int]:
    """Cuts that fill each part with whole characters, hence as few as can be."""
    cuts: list[int] = []
    last, cut = form.length() - joined, 0
    while cut < last:
        cut += joined
        cut -= form.is_inside(cut)
        cuts.append(cut)
    return cuts


def _kindest_cuts(form: _Septets | _Utf16, joined: int, nearest: Sequence[int], starts: Sequence[int]) -> Sequence[int]:
    """As many cuts as the nearest ones, each at the last start of a cluster that leaves not too much behind."""
    cuts: list[int] = []
    cut = 0
    for earliest in _earliest_cuts(form, joined, len(nearest)):
        reach = cut + joined
        reach -= form.is_inside(reach)
        kind = starts[bisect_right(starts, reach) - 1]
        cut = kind if kind >= earliest else reach
        cuts.append(cut)
    return cuts


def _earliest_cuts(form: _Septets | _Utf16, joined: int, count: int) -> Sequence[int]:
    """For each cut, the first place from which the parts that remain can hold the rest: filled from the end."""
    cuts: list[int] = []
    cut = form.length()
    for _ in range(count):
        cut -= joined
        cut += form.is_inside(cut)
        cuts.append(cut)
    return cuts[::-1]


def _cluster_starts(text: str, form: _Septets | _Utf16) -> Sequence[int]:
    """Where each grapheme cluster begins, in units."""
    units = len if form.length() == len(text) else form.units
    return list(accumulate(map(units, _CLUSTER.findall(text)), initial=0))
