"""What kind of file some bytes are, by their first ones; pure.

The types are those that US operators carry in an MMS. What a caller announces is never
believed: a file is what it begins like.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from typing_extensions import override


class MediaType(StrEnum):
    """What can be sent; read in any case, and without its parameters."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    GIF = "image/gif"
    BMP = "image/bmp"
    TIFF = "image/tiff"
    WEBP = "image/webp"
    MP4 = "video/mp4"
    THREE_GPP = "video/3gpp"
    QUICKTIME = "video/quicktime"
    MP3 = "audio/mpeg"
    WAV = "audio/wav"
    AMR = "audio/amr"
    OGG = "audio/ogg"
    PDF = "application/pdf"
    VCARD = "text/vcard"
    CALENDAR = "text/calendar"

    @classmethod
    @override
    def _missing_(cls, value: object) -> "MediaType | None":
        named = value.partition(";")[0].strip().lower() if isinstance(value, str) else None
        return next((kind for kind in cls if kind.value == named), None)


MP4_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"M4V", b"MSNV", b"dash", b"f4v")
BMP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
"""Sizes of the header that follows the file header; `BM` alone begins too many texts."""

FRAME_MASK, LAYER_III, NO_RATE = 0xFFE600, 0xFFE200, 0b11
"""The header of an MPEG audio frame (ISO/IEC 11172-3, 2.4.1.3): eleven set bits, any version, layer III."""


def is_a(kind: MediaType, content: bytes) -> bool:
    """Whether some bytes begin like a file of a kind."""
    return _CHECKS[kind](content)


def _begins(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(heads)


def _riff(form: bytes) -> Callable[[bytes], bool]:
    return lambda content: content[:4] == b"RIFF" and content[8:12] == form


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    """ISO base media (ISO/IEC 14496-12): the major brand stands behind `ftyp`."""
    return lambda content: content[4:8] == b"ftyp" and content[8:12].startswith(brands)


def _is_bmp(content: bytes) -> bool:
    return content[:2] == b"BM" and int.from_bytes(content[14:18], "little") in BMP_HEADER_SIZES


def _is_quicktime(content: bytes) -> bool:
    """With its brand, or as older writers begin: with an atom of the movie itself."""
    return _brand(b"qt  ")(content) or content[4:8] in (b"moov", b"mdat", b"wide", b"pnot")


def _is_mp3(content: bytes) -> bool:
    """A tag, or the header of an MPEG frame of layer III with a bit rate and a sample rate."""
    if content[:3] == b"ID3":
        return True
    head = int.from_bytes(content[:3].ljust(3, b"\0"), "big")
    bit_rate, sample_rate = head >> 4 & 0b1111, head >> 2 & 0b11
    return head & FRAME_MASK == LAYER_III and bit_rate not in (0, 15) and sample_rate != NO_RATE


def _says(words: bytes) -> Callable[[bytes], bool]:
    return lambda content: content[:64].removeprefix(b"\xef\xbb\xbf").upper().startswith(words)


_CHECKS: Mapping[MediaType, Callable[[bytes], bool]] = {
    MediaType.JPEG: _begins(b"\xff\xd8\xff"),
    MediaType.PNG: _begins(b"\x89PNG\r\n\x1a\n"),
    MediaType.GIF: _begins(b"GIF87a", b"GIF89a"),
    MediaType.BMP: _is_bmp,
    MediaType.TIFF: _begins(b"II*\0", b"MM\0*"),
    MediaType.WEBP: _riff(b"WEBP"),
    MediaType.MP4: _brand(*MP4_BRANDS),
    MediaType.THREE_GPP: _brand(b"3g"),
    MediaType.QUICKTIME: _is_quicktime,
    MediaType.MP3: _is_mp3,
    MediaType.WAV: _riff(b"WAVE"),
    MediaType.AMR: _begins(b"#!AMR\n", b"#!AMR-WB\n"),
    MediaType.OGG: _begins(b"OggS"),
    MediaType.PDF: _begins(b"%PDF-"),
    MediaType.VCARD: _says(b"BEGIN:VCARD"),
    MediaType.CALENDAR: _says(b"BEGIN:VCALENDAR"),
}
