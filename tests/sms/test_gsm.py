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
        (b"\xe1\x9b\xe5", "a€"),  # the eighth bits say nothing
    ],
)
def test_a_handsets_mistake_costs_no_more_than_itself(octets: bytes, text: str) -> None:
    assert gsm.decode_unpacked(octets) == text


@given(st.binary(max_size=300))
def test_any_octets_decode_to_characters_of_the_alphabet(octets: bytes) -> None:
    text = gsm.decode_unpacked(octets)

    assert gsm.is_gsm(text)
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
