"""A file is what it begins like: held to another library's opinion."""

import filetype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.media.file_types import MediaType, is_a
from tests.media.samples import SAMPLES

SAME = {"audio/x-wav": "audio/wav"}
UNKNOWN_TO_THE_LIBRARY = {
    MediaType.VCARD,
    MediaType.CALENDAR,
    MediaType.THREE_GPP,  # it looks for the brand at the first byte, where ISO/IEC 14496-12 has the size of the box
}
ALSO = [
    (MediaType.JPEG, b"\xff\xd8\xff\xdb" + b"\0" * 16),
    (MediaType.GIF, b"GIF87a" + b"\0" * 16),
    (MediaType.TIFF, b"MM\x00*" + b"\0" * 16),
    (MediaType.MP4, b"\x00\x00\x00\x18ftypisom" + b"\0" * 16),
    (MediaType.MP4, b"\x00\x00\x00\x18ftypavc1" + b"\0" * 16),
    (MediaType.QUICKTIME, b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat" + b"\0" * 16),
    (MediaType.MP3, b"ID3\x04\x00" + b"\0" * 16),
    (MediaType.MP3, b"\xff\xf3\x40\xc4" + b"\0" * 16),
    (MediaType.AMR, b"#!AMR-WB\n" + b"\0" * 16),
    (MediaType.VCARD, b"\xef\xbb\xbfbegin:vcard\n"),
]


@pytest.mark.parametrize("kind", MediaType)
def test_each_kind_is_known_by_its_beginning_and_taken_for_no_other(kind: MediaType) -> None:
    assert [other for other in MediaType if is_a(other, SAMPLES[kind])] == [kind]


@pytest.mark.parametrize("kind", sorted(set(MediaType) - UNKNOWN_TO_THE_LIBRARY))
def test_the_library_sees_the_same(kind: MediaType) -> None:
    seen = filetype.guess_mime(SAMPLES[kind])

    assert SAME.get(seen, seen) == kind


@pytest.mark.parametrize(("kind", "content"), ALSO)
def test_the_other_beginnings_of_a_kind_are_known_too(kind: MediaType, content: bytes) -> None:
    assert is_a(kind, content)


@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"MZ\x90\x00" + b"\0" * 60,
        b"\x7fELF",
        b"PK\x03\x04",
        b"#!/bin/sh\n",
        b"BM is how this text begins, and it is no picture",
        b"\x00\x00\x00\x18ftypheic",
        b"\xff\xfb\xf0\x00",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"",
    ],
)
def test_what_cannot_be_sent_is_taken_for_nothing(content: bytes) -> None:
    assert [kind for kind in MediaType if is_a(kind, content)] == []


@given(st.binary(max_size=64))
def test_no_bytes_make_it_fail(content: bytes) -> None:
    assert all(is_a(kind, content) in (True, False) for kind in MediaType)
