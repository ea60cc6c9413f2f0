"""The alphabet and the packing, against two libraries that know nothing of each other."""

import gsm0338
import pygsm7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.sms import gsm
from tests.sms.texts import BASIC, EXTENSION, any_characters, gsm_texts

ORACLE = gsm0338.Codec()
GSM = frozenset(BASIC + EXTENSION)

septet_strings = st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets))


def test_the_basic_table_is_the_oracles_but_for_the_escape() -> None:
    found = {septet: ORACLE.decode(bytes((septet,)))[0] for septet in range(0x80) if septet != gsm.ESCAPE}

    assert dict(enumerate(gsm.BASIC)) | {gsm.ESCAPE: None} == found | {gsm.ESCAPE: None}


def test_the_extension_table_is_the_oracles() -> None:
    assert {ORACLE.encode(character)[0]: septet for septet, character in gsm.EXTENSION.items()} == {
        bytes((gsm.ESCAPE, septet)): septet for septet in gsm.EXTENSION
    }


@given(gsm_texts)
def test_a_text_has_the_oracles_octets(text: str) -> None:
    octets = gsm.encode_unpacked(text)

    assert octets == ORACLE.encode(text)[0]
    assert gsm.septets(text) == len(octets)


@given(gsm_texts)
def test_what_is_encoded_is_decoded_again(text: str) -> None:
    assert gsm.decode_unpacked(gsm.encode_unpacked(text)) == text


@given(st.text(any_characters, max_size=8))
def test_a_text_is_gsm_when_each_character_is_in_a_table(text: str) -> None:
    assert gsm.is_gsm(text) == (set(text) <= GSM)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\t", "`", "ç", "ж", "\u2019", "\ud83d", "\U0001f600", "\ufffe"])
def test_a_character_outside_the_alphabet_is_refused_as_a_value(character: str) -> None:
    assert not gsm.is_gsm("hi " + character)
    with pytest.raises(ValueError, match="can't encode"):
        gsm.encode_unpacked("hi " + character)
    with pytest.raises(ValueError, match="can't encode"):
        gsm.septets("hi " + character)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b\x65", "€"),
        (b"a\x1bab", "aab"),  # an escape before what the extension lacks: the basic character
        (b"a\x1b", "a "),
        (b"a\x1b\x1bb", "a b"),
        (b"\x1b\x1b\x65", " e"),
        (b"\x1b\x00", "@"),
        (b"caf\xe9", "caf\ufffd"),  # no septet: marked, and not another letter
        (b"\xe1\x9b\x65", "\ufffd\ufffde"),
        (b"a\x1b\xe5b", "a \ufffdb"),
    ],
)
def test_a_handsets_mistake_costs_no_more_than_itself(octets: bytes, text: str) -> None:
    assert gsm.decode_unpacked(octets) == text


@pytest.mark.parametrize(
    ("locking", "single", "octets", "text"),
    [
        (0, 1, b"\x1b\x47\x1b\x49\x1b\x53\x1b\x63\x1b\x65\x1b\x67\x1b\x69\x1b\x73", "ĞİŞç€ğış"),
        (1, 0, b"\x04\x07\x0b\x0c\x1c\x1d\x40\x60\x09", "€ıĞğŞşİçÇ"),
        (1, 1, b"\x07\x1b\x69\x1b\x41", "\u0131\u0131A"),
        (0, 2, b"\x1b\x09\x1b\x41\x1b\x49\x1b\x4f\x1b\x55\x1b\x61\x1b\x69\x1b\x6f\x1b\x75", "çÁÍÓÚáíóú"),
        (2, 0, b"\x04\x60", "è¿"),  # Spanish has no locking table
        (0, 3, b"\x1b\x05\x1b\x0b\x1b\x0f\x1b\x13\x1b\x5b\x1b\x61\x1b\x7c\x1b\x7f", "êÔáΓÃÂõâ"),
        (3, 0, b"\x04\x06\x09\x0b\x12\x15\x18\x24\x40\x60\x7b\x7d", "êúçÔª∞€ºÍ~ã`"),
        (3, 3, b"\x7b\x1b\x7b\x1b\x65", "ãã€"),
        (6, 0, b"\x2f\x42\x4c\x5f\x27\x59", "\u0928\u092e\u0938\u094d\u0924\u0947"),  # namaste
        (13, 0, b"\x00\x02\x4d", "\u0627\u0628\u0644"),  # alif, be, lam
        (7, 0, b"\x00", "\ufffd"),  # a septet that means nothing
        (4, 0, b"\x0d\x0e", "\r\ufffd"),
        (14, 255, b"\x04\x1b\x65", "è€"),  # no language
        (1, 1, b"\xe9\x1b\x1b", "\ufffd "),
    ],
)
def test_a_language_has_tables_of_its_own(locking: int, single: int, octets: bytes, text: str) -> None:
    """Letters by hand from annex A of TS 23.038."""
    assert gsm.decode_unpacked(octets, locking=locking, single=single) == text


@pytest.mark.parametrize("language", range(16))
def test_every_language_keeps_digits_and_line_ends_and_loses_no_septet(language: int) -> None:
    septets = bytes(range(0x80)).replace(b"\x1b", b"")

    text = gsm.decode_unpacked(septets, locking=language, single=language)

    assert len(text) == len(septets)
    assert text[0x2F:0x39] == "0123456789"
    assert (text[0x0A], text[0x0D]) == ("\n", "\r")


@given(st.binary(max_size=60), st.integers(0, 255), st.integers(0, 255))
def test_any_octets_are_read_in_any_language(octets: bytes, locking: int, single: int) -> None:
    assert len(gsm.decode_unpacked(octets, locking=locking, single=single)) <= len(octets)


@given(st.binary(max_size=300))
def test_any_octets_decode_to_characters_of_the_alphabet(octets: bytes) -> None:
    text = gsm.decode_unpacked(octets)

    assert gsm.is_gsm(text.replace(gsm.MARK, ""))
    assert text.count(gsm.MARK) == sum(octet > 0x7F for octet in octets)
    assert len(text) <= len(octets)


@given(gsm_texts)
def test_a_text_is_packed_as_the_oracle_packs_it(text: str) -> None:
    packed = gsm.pack(gsm.encode_unpacked(text))

    assert packed.hex().upper() == pygsm7.encode_gsm7(text)


@given(gsm_texts)
def test_the_oracle_reads_what_is_packed(text: str) -> None:
    septets = gsm.encode_unpacked(text)

    assert pygsm7.decode_gsm7(gsm.pack(septets).hex(), len(septets)) == text


@pytest.mark.parametrize(
    ("text", "packed"),
    [("1234567", "31d98c56b3dd1a"), ("12345678", "31d98c56b3dd70"), ("123456", "31d98c56b301"), ("", "")],
)
def test_seven_spare_bits_take_the_filler(text: str, packed: str) -> None:
    """Or they would read as `@` where only the octets are counted (TS 23.038, 6.1.2.3.1)."""
    assert gsm.pack(gsm.encode_unpacked(text), filler=gsm.CARRIAGE_RETURN).hex() == packed


@given(septet_strings, st.integers(0, 6))
def test_what_is_packed_after_a_header_is_unpacked_by_its_count(septets: bytes, fill_bits: int) -> None:
    packed = gsm.pack(septets, fill_bits)

    assert len(packed) == (fill_bits + 7 * len(septets) + 7) // 8
    assert gsm.unpack(packed, fill_bits, len(septets)) == septets


@given(septet_strings.filter(lambda septets: not septets.endswith(b"\r")), st.integers(0, 6))
def test_what_is_packed_with_a_filler_needs_no_count(septets: bytes, fill_bits: int) -> None:
    packed = gsm.pack(septets, fill_bits, filler=gsm.CARRIAGE_RETURN)

    assert gsm.unpack(packed, fill_bits) == septets


@given(st.binary(max_size=160), st.integers(0, 6), st.none() | st.integers(0, 300))
def test_any_octets_unpack_to_septets_and_no_more_than_fit(octets: bytes, fill_bits: int, count: int | None) -> None:
    septets = gsm.unpack(octets, fill_bits, count)

    assert all(septet < 0x80 for septet in septets)
    assert len(septets) <= len(octets) * 8 // 7
