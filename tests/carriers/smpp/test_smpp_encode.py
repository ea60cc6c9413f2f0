"""A text as submit_sm: alphabet, parts, addresses and validity as each carrier wants them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.carriers.messaging import OutboundText
from agentmessage.carriers.smpp import GsmForm, LongTexts, SmppAccount
from agentmessage.carriers.smpp.decode import decode, join_of, split_header
from agentmessage.carriers.smpp.encode import address, submits, validity_period
from agentmessage.kernel.ids import new_id
from agentmessage.smpp.client import Bind
from agentmessage.smpp.codec import decode as decode_pdu
from agentmessage.smpp.codec import encode
from agentmessage.smpp.pdu import SubmitSm, Tag, parameter, text_of
from agentmessage.sms.segments import Alphabet, Encoding, measure

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BIND = Bind(host="127.0.0.1", port=1, system_id="house", password="secret")


def account(**changes: Any) -> SmppAccount:
    return SmppAccount(account="live", bind=BIND, **changes)


def outbound(text: str, **changes: Any) -> OutboundText:
    values = {"sender": "+14155550123", "recipient": "+12125550188", "priority": 1} | changes
    return OutboundText(message_id=new_id(), text=text, segments=1, expires_at=NOW + timedelta(hours=4), **values)


def sent(text: str, reference: int = 0x1234, **changes: Any) -> list[SubmitSm]:
    return list(submits(outbound(text), account(**changes), reference=reference, now=NOW))


@given(
    text=st.text(min_size=1, max_size=400).filter(lambda text: text.isprintable() and "\x1b" not in text),
    gsm=st.sampled_from(GsmForm),
    alphabet=st.sampled_from(Alphabet),
    long_texts=st.sampled_from(LongTexts),
    reference=st.integers(0, 65_535),
)
def test_what_the_handset_joins_is_what_was_written(
    text: str, gsm: GsmForm, alphabet: Alphabet, long_texts: LongTexts, reference: int
) -> None:
    pieces: list[str] = []
    joins: set[tuple[int, int]] = set()
    for place, pdu in enumerate(sent(text, reference, gsm=gsm, alphabet=alphabet, long_texts=long_texts), start=1):
        wired = decode_pdu(encode(pdu, sequence=1)).pdu
        assert isinstance(wired, SubmitSm)
        header, body = split_header(text_of(wired)) if wired.esm_class & 0x40 else (b"", text_of(wired))
        if header:
            join = join_of(header)
            assert join.part == place
            joins.add((join.reference, join.parts))
        pieces.append(decode(body, wired.data_coding, gsm, alphabet=alphabet, header=header))
    assert "".join(pieces) == text
    assert len(joins) <= 1


@pytest.mark.parametrize(
    ("text", "alphabet", "coding", "octets"),
    [
        ("a@b", Alphabet.GSM, 0, b"a\x00b"),
        ("a@b", Alphabet.LATIN1, 0, b"a@b"),
        ("a@b", Alphabet.ASCII, 0, b"a@b"),
        ("caf\u00e9 $_{~}", Alphabet.GSM, 0, b"caf\x05 \x02\x11\x1b\x28\x1b\x3d\x1b\x29"),
        ("caf\u00e9 $_{~}", Alphabet.LATIN1, 0, b"caf\xe9 $_{~}"),
        ("$_{~}", Alphabet.ASCII, 0, b"$_{~}"),
        ("\u00e9", Alphabet.ASCII, 8, b"\x00\xe9"),
        ("5 \u20ac", Alphabet.GSM, 0, b"5 \x1b\x65"),
        ("5 \u20ac", Alphabet.LATIN1, 8, b"\x005\x00 \x20\xac"),
        ("\u03a9", Alphabet.LATIN1, 8, b"\x03\xa9"),
        ("\u00e7a", Alphabet.LATIN1, 8, b"\x00\xe7\x00a"),  # no letter of the handset's own alphabet
    ],
)
def test_data_coding_0_is_the_carriers_alphabet(text: str, alphabet: Alphabet, coding: int, octets: bytes) -> None:
    (pdu,) = sent(text, alphabet=alphabet)

    assert (pdu.data_coding, pdu.short_message) == (coding, octets)


@given(
    st.text(st.sampled_from("a@\u00e9{~\u20ac\u03a9\u00e7"), min_size=1, max_size=400),
    st.sampled_from(Alphabet),
    st.sampled_from([LongTexts.UDH8, LongTexts.UDH16]),
)
def test_as_many_parts_go_out_as_are_counted(text: str, alphabet: Alphabet, long_texts: LongTexts) -> None:
    bits = 16 if long_texts is LongTexts.UDH16 else 8
    counted = measure(text, alphabet=alphabet, reference_bits=bits)

    pdus = sent(text, alphabet=alphabet, long_texts=long_texts)

    assert len(pdus) == counted.segments
    assert {pdu.data_coding for pdu in pdus} == {8 if counted.encoding is Encoding.UCS2 else 0}


def test_a_part_is_as_long_as_the_handsets_septets_allow() -> None:
    """An octet of ISO 8859-1 may be two septets on the air."""
    assert len(sent("{" * 80, alphabet=Alphabet.LATIN1)) == 1
    assert [len(pdu.short_message) - 6 for pdu in sent("{" * 81, alphabet=Alphabet.LATIN1)] == [76, 5]


def test_a_short_text_is_one_plain_submit() -> None:
    (pdu,) = sent("Acme: you are next.")

    assert (pdu.source_ton, pdu.source_npi, pdu.source) == (1, 1, "14155550123")
    assert (pdu.destination_ton, pdu.destination_npi, pdu.destination) == (1, 1, "12125550188")
    assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery, pdu.tlvs) == (0, 0, 1, ())
    assert pdu.validity_period == "000000040000000R"


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        ({"long_texts": LongTexts.UDH8}, [b"\x05\x00\x03\x34\x02\x01", b"\x05\x00\x03\x34\x02\x02"]),
        ({"long_texts": LongTexts.UDH16}, [b"\x06\x08\x04\x12\x34\x02\x01", b"\x06\x08\x04\x12\x34\x02\x02"]),
    ],
)
def test_a_long_text_is_joined_by_its_headers(changes: Any, headers: list[bytes]) -> None:
    pdus = sent("a" * 200, **changes)

    assert [pdu.short_message[: len(headers[0])] for pdu in pdus] == headers
    assert {pdu.esm_class for pdu in pdus} == {0x40}


def test_a_long_text_may_be_left_to_the_carrier_to_cut() -> None:
    (pdu,) = sent("a" * 200, long_texts=LongTexts.PAYLOAD)

    assert pdu.short_message == b""
    assert parameter(pdu.tlvs, Tag.MESSAGE_PAYLOAD) == b"a" * 200


def test_nothing_of_ours_travels_beside_the_text() -> None:
    """Not even a reference: a carrier's logs are no place for our ids."""
    text = outbound("Acme: hi.")
    (pdu,) = submits(text, account(), reference=1, now=NOW)

    assert text.message_id.bytes not in encode(pdu, sequence=1)
    assert pdu.tlvs == ()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+14155550123", (1, 1, "14155550123")),
        ("72345", (3, 0, "72345")),
        ("ACME", (5, 0, "ACME")),
    ],
)
def test_addresses_say_what_kind_they_are(number: str, expected: tuple[int, int, str]) -> None:
    assert address(number) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (14_400, "000000040000000R"),
        (172_800, "000002000000000R"),
        (90_061, "000001010101000R"),
        (-5, "000000000100000R"),
        (40 * 86_400, "000110000000000R"),
    ],
)
def test_validity_is_relative_and_never_past(seconds: int, expected: str) -> None:
    assert validity_period(NOW + timedelta(seconds=seconds), NOW) == expected


def test_an_urgent_text_says_so() -> None:
    (urgent,) = submits(outbound("Acme: hi.", priority=0), account(), reference=1, now=NOW)
    (low,) = submits(outbound("Acme: hi.", priority=2), account(), reference=1, now=NOW)

    assert (urgent.priority, low.priority) == (1, 0)
