"""What a carrier hands to us, in our words; nothing that a handset can send may break it."""

import codecs
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.carriers.messaging import ReceiptState, TextError
from agentmessage.carriers.smpp import GsmForm, decode
from agentmessage.carriers.smpp.account import MessageIds
from agentmessage.carriers.smpp.message_ids import answered, readings, told
from agentmessage.smpp.pdu import DeliverSm, Tag, Tlv
from agentmessage.sms import gsm
from agentmessage.sms.segments import Alphabet
from agentmessage.sms.traces import is_trace_of, pair_trace

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RAW = b"id:00A1 sub:001 dlvrd:000 submit date:2611231200 done date:2611231201 stat:UNDELIV err:152 text:hi"


def delivered(octets: bytes, **changes: object) -> DeliverSm:
    values = {
        "source_ton": 1,
        "source_npi": 1,
        "source": "12125550188",
        "destination_ton": 1,
        "destination_npi": 1,
        "destination": "14155550123",
        "short_message": octets,
    } | changes
    return DeliverSm(**values)  # type: ignore[arg-type]


def test_a_text_in_the_gsm_alphabet() -> None:
    heard = decode.text(delivered(b"\x00\x1b\x65 hi"), GsmForm.UNPACKED, now=NOW)

    assert (heard.sender, heard.recipient, heard.text) == ("+12125550188", "+14155550123", "@€ hi")
    assert (heard.parts, heard.part, heard.reference) == (1, 1, 0)
    assert heard.raw == b"\x00\x1b\x65 hi"


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (8, "¿qué? 🙂".encode("utf-16-be"), "¿qué? 🙂"),
        (3, "qué".encode("latin-1"), "qué"),
        (1, b"plain", "plain"),
        (4, b"\xffbinary", "\xffbinary"),
        (0xF0, b"class zero", "class zero"),
        (0xF5, b"\xe9", "\xe9"),
        (0x18, "ж".encode("utf-16-be"), "ж"),
        (0x48, "ж".encode("utf-16-be"), "ж"),
        (0xE0, "ж".encode("utf-16-be"), "ж"),
        (0x14, b"\xe9", "\xe9"),
        (0x1C, b"\x05", "é"),
        (0xD0, b"\x05", "é"),
        (8, codecs.BOM_UTF16_BE + "ж".encode("utf-16-be"), "ж"),
        (8, codecs.BOM_UTF16_LE + "ж".encode("utf-16-le"), "ж"),
        (8, b"\xd8", "\N{REPLACEMENT CHARACTER}"),
        (3, b"a\x00b", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_each_coding_is_read(coding: int, octets: bytes, text: str) -> None:
    assert decode.text(delivered(octets, data_coding=coding), GsmForm.UNPACKED, now=NOW).text == text


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (5, "\u65e5\u672c".encode("shift_jis"), "\u65e5\u672c"),
        (6, "\u0436".encode("iso8859_5"), "\u0436"),
        (7, "\u05d0".encode("iso8859_8"), "\u05d0"),
        (14, "\ud55c".encode("euc_kr"), "\ud55c"),
    ],
)
def test_codings_that_are_seldom_are_read_too(coding: int, octets: bytes, text: str) -> None:
    assert decode.text(delivered(octets, data_coding=coding), GsmForm.UNPACKED, now=NOW).text == text


@pytest.mark.parametrize(
    ("alphabet", "octets", "text", "unrecognized"),
    [
        (Alphabet.LATIN1, b"caf\xe9 @", "caf\u00e9 @", ""),
        (Alphabet.GSM, b"caf\xe9 \x00", "caf\ufffd @", "octets e9 under data_coding 0"),
        (Alphabet.GSM, b"caf\x05", "caf\u00e9", ""),
        (Alphabet.ASCII, b"caf\xe9 @", "caf\ufffd @", "octets e9 under data_coding 0"),
        (Alphabet.LATIN1, b"a\x00b", "a\ufffdb", "octets 00 under data_coding 0"),
    ],
)
def test_data_coding_0_is_the_carriers_alphabet_and_no_letter_becomes_another(
    alphabet: Alphabet, octets: bytes, text: str, unrecognized: str
) -> None:
    heard = decode.text(delivered(octets), GsmForm.UNPACKED, alphabet=alphabet, now=NOW)

    assert (heard.text, heard.unrecognized) == (text, unrecognized)


@pytest.mark.parametrize("form", GsmForm)
@pytest.mark.parametrize(
    ("header", "septets", "text"),
    [
        (b"\x03\x24\x01\x01", b"\x1b\x67\x1b\x73", "\u011f\u015f"),
        (b"\x03\x25\x01\x01", b"\x07\x0c", "\u0131\u011f"),
        (b"\x06\x25\x01\x03\x24\x01\x03", b"\x7b\x1b\x7f", "\u00e3\u00e2"),
        (b"\x08\x00\x03\x07\x02\x01\x24\x01\x02", b"\x1b\x61", "\u00e1"),
        (b"\x03\x24\x01\x63", b"\x1b\x65", "\u20ac"),
    ],
)
def test_the_tables_of_a_language_are_named_by_the_header(
    form: GsmForm, header: bytes, septets: bytes, text: str
) -> None:
    body = gsm.pack(septets, -len(header) * 8 % 7, filler=0x0D) if form is GsmForm.PACKED else septets

    heard = decode.text(delivered(header + body, esm_class=0x40), form, now=NOW)

    assert heard.text == text


def test_packed_septets_behind_a_header_are_read() -> None:
    header = b"\x05\x00\x03\x07\x02\x01"
    body = gsm.pack(gsm.encode_unpacked("hello"), 1)

    heard = decode.text(delivered(header + body, esm_class=0x40), GsmForm.PACKED, now=NOW)

    assert (heard.text, heard.reference, heard.parts, heard.part) == ("hello", 7, 2, 1)


@pytest.mark.parametrize(
    ("pdu", "join"),
    [
        (delivered(b"\x05\x00\x03\x07\x03\x02hi", esm_class=0x40), (7, 3, 2)),
        (delivered(b"\x06\x08\x04\x01\x07\x03\x02hi", esm_class=0x40), (263, 3, 2)),
        (delivered(b"\x0a\x24\x01\x00\x05\x00\x00\x03\x07\x03\x02hi", esm_class=0x40), (7, 3, 2)),
        (delivered(b"\x05\x00\x03\x07\x01\x01hi", esm_class=0x40), (0, 1, 1)),
        (delivered(b"\x08\x24\x01\x00\x00\x03\x07\x03\x02hi", esm_class=0x40), (7, 3, 2)),
        (delivered(b"\x05\x00\x03\x07\x03\x04hi", esm_class=0x40), (0, 1, 1)),
        (delivered(b"\xffhi", esm_class=0x40), (0, 1, 1)),
        (
            delivered(
                b"hi",
                tlvs=(
                    Tlv(Tag.SAR_MESSAGE_REFERENCE, b"\x01\x07"),
                    Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\x03"),
                    Tlv(Tag.SAR_SEGMENT_NUMBER, b"\x02"),
                ),
            ),
            (263, 3, 2),
        ),
    ],
)
def test_parts_say_how_they_hang_together(pdu: DeliverSm, join: tuple[int, int, int]) -> None:
    heard = decode.text(pdu, GsmForm.UNPACKED, now=NOW)

    assert (heard.reference, heard.parts, heard.part) == join


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255), st.sampled_from(GsmForm))
def test_no_octets_break_it(octets: bytes, coding: int, esm_class: int, form: GsmForm) -> None:
    heard = decode.text(delivered(octets, data_coding=coding, esm_class=esm_class), form, now=NOW)

    assert "\x00" not in heard.text
    assert 1 <= heard.part <= heard.parts


def test_a_handsets_own_reference_tells_a_repetition_for_a_while_only() -> None:
    pdu = delivered(b"STOP", tlvs=(Tlv(Tag.USER_MESSAGE_REFERENCE, b"\0\1"),))
    told = [decode.text(pdu, GsmForm.UNPACKED, now=NOW + timedelta(seconds=s)) for s in (0, 1, 3600)]

    first, again, later = (heard.carrier_message_id for heard in told)
    assert first == again != later


def test_a_part_keeps_the_half_of_a_character_that_the_next_one_completes() -> None:
    octets = "hi \N{GRINNING FACE}".encode("utf-16-be")
    parts = (b"\x05\x00\x03\x07\x02\x01" + octets[:-2], b"\x05\x00\x03\x07\x02\x02" + octets[-2:])
    heard = [decode.text(delivered(p, data_coding=8, esm_class=0x40), GsmForm.UNPACKED, now=NOW) for p in parts]

    joined = b"".join(one.text.encode("utf-16-be", "surrogatepass") for one in heard)
    assert joined == octets


def test_a_part_begins_with_no_byte_order_mark() -> None:
    part = b"\x05\x00\x03\x07\x02\x01" + codecs.BOM_UTF16_BE + "STOP".encode("utf-16-be")

    assert decode.text(delivered(part, data_coding=8, esm_class=0x40), GsmForm.UNPACKED, now=NOW).text == "STOP"


def test_the_same_telling_is_one_where_the_carrier_gives_an_id_and_two_texts_are_two_where_not() -> None:
    named = delivered(b"YES", tlvs=(Tlv(Tag.RECEIPTED_MESSAGE_ID, b"mo-1\0"),))
    ids = {decode.text(named, GsmForm.UNPACKED, now=NOW).carrier_message_id for _ in range(2)}
    nameless = {decode.text(delivered(b"YES"), GsmForm.UNPACKED, now=NOW).carrier_message_id for _ in range(2)}

    assert (len(ids), len(nameless)) == (1, 2)


def test_a_receipt_keeps_the_carrier_s_words() -> None:
    heard = decode.receipt(delivered(RAW, esm_class=4), MessageIds.AUTO, now=NOW)

    assert heard is not None
    assert (heard.carrier_message_id, heard.state) == ("a1", ReceiptState.UNDELIVERED)
    assert (heard.error, heard.code, heard.raw) == (
        TextError.LANDLINE_OR_UNSUPPORTED,
        "152",
        RAW.decode().removesuffix(" text:hi"),
    )


def test_a_handset_cannot_write_a_receipt() -> None:
    assert decode.receipt(delivered(RAW), MessageIds.AUTO, now=NOW) is None


@pytest.mark.parametrize(
    ("ton", "address", "number"),
    [
        (1, "12125550188", "+12125550188"),
        (0, "+12125550188", "+12125550188"),
        (0, "12125550188", "+12125550188"),
        (2, "2125550188", "+12125550188"),
        (0, "2125550188", "+12125550188"),
        (2, "3235550143", "+13235550143"),
        (3, "72345", "72345"),
        (5, "ACME", "ACME"),
    ],
)
def test_both_parties_are_written_our_way(ton: int, address: str, number: str) -> None:
    to = decode.text(delivered(b"hi", destination_ton=ton, destination=address), GsmForm.UNPACKED, now=NOW)
    by = decode.text(delivered(b"hi", source_ton=ton, source=address), GsmForm.UNPACKED, now=NOW)

    assert (to.recipient, by.sender) == (number, number)


@pytest.mark.parametrize(
    ("form", "in_answer", "in_receipt"),
    [
        (MessageIds.AS_IS, "00A1", "a1"),
        (MessageIds.AS_IS, "no-hex-AB", "no-hex-AB"),
        (MessageIds.AS_IS, "0A1B2C3D-00FF-4E5F", "0a1b2c3d-00ff-4e5f"),
        (MessageIds.HEX_ANSWERS, "A1", "161"),
        (MessageIds.HEX_RECEIPTS, "161", "000000A1"),
        (MessageIds.AUTO, "00A1", "a1"),
    ],
)
def test_one_id_is_recognized_however_it_is_written(form: MessageIds, in_answer: str, in_receipt: str) -> None:
    assert answered(in_answer, form) == told(in_receipt, form)


@pytest.mark.parametrize(
    ("in_answer", "in_receipt", "form"),
    [
        ("0A1B2C3D", "169552957", MessageIds.HEX_ANSWERS),
        ("a", "10", MessageIds.HEX_ANSWERS),
        ("161", "000000A1", MessageIds.HEX_RECEIPTS),
        ("16", "10", MessageIds.HEX_RECEIPTS),
    ],
)
def test_an_id_in_the_other_form_is_among_its_readings(in_answer: str, in_receipt: str, form: MessageIds) -> None:
    found = {one.form: one.carrier_message_id for one in readings(in_receipt, MessageIds.AUTO)}

    assert found[form] == answered(in_answer, MessageIds.AUTO)
    assert readings(in_receipt, MessageIds.AS_IS) == ()


@pytest.mark.parametrize("message_id", ["7", "", "no-hex-AB", "a-b"])
def test_an_id_that_is_the_same_in_every_form_has_no_other_reading(message_id: str) -> None:
    assert list(readings(message_id, MessageIds.AUTO)) == []


def test_ids_that_differ_stay_different() -> None:
    assert answered("A1", MessageIds.AS_IS) != told("161", MessageIds.AS_IS)
    assert answered("Ab-1", MessageIds.AS_IS) != told("aB-1", MessageIds.AS_IS)


def test_a_receipt_carries_traces_of_its_message_and_none_of_its_content() -> None:
    words = b"id:7 submit date:2611230905 stat:DELIVRD text:Acme: ticket 12 of"

    heard = decode.receipt(delivered(words, esm_class=4), MessageIds.AUTO, now=NOW)

    assert heard is not None
    assert heard.pair == pair_trace("+14155550123", "+12125550188")
    assert is_trace_of(heard.excerpt, "Acme: ticket 12 of today")
    assert not is_trace_of(heard.excerpt, "Acme: ticket 13 of today")
    assert heard.submitted_at == datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    assert "ticket" not in repr(heard)
