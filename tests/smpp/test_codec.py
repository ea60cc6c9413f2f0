"""Every PDU to octets and back, and what is said of octets that are none."""

import struct

import msgspec
import pytest

from agentmessage.smpp import pdu as p
from agentmessage.smpp.codec import decode, decode_submit_sm_resp, encode, encode_submit_sm_resp
from agentmessage.smpp.errors import MalformedPdu
from agentmessage.smpp.framing import Framer
from agentmessage.smpp.pdu import Pdu, Status, SubmitSm, SubmitSmResp, Tlv
from tests.smpp.samples import SAMPLES

SUBMIT = SubmitSm(source="1", destination="2", short_message=b"hi")


def framed(command: int, body: bytes = b"", *, status: int = 0, sequence: int = 7) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def blame(frame: bytes) -> MalformedPdu:
    with pytest.raises(MalformedPdu) as error:
        decode(frame)
    return error.value


@pytest.mark.parametrize("pdu", SAMPLES, ids=lambda pdu: type(pdu).__name__)
def test_a_pdu_survives_the_way_to_octets_and_back(pdu: Pdu) -> None:
    packet = decode(encode(pdu, sequence=0x7FFFFFFF))

    assert (packet.pdu, packet.sequence, packet.status, type(packet.pdu)) == (pdu, 0x7FFFFFFF, 0, type(pdu))


def test_a_submit_sm_is_laid_out_as_the_specification_says() -> None:
    """SMPP v3.4, section 4.4.1, octet by octet."""
    octets = encode(
        SubmitSm(
            "CMT", 1, 1, "123", 2, 8, "456", 0x40, 5, 1, "", "", 1, 0, 8, 0, b"\x00A", (Tlv(0x0204, b"\x00\x01"),)
        ),
        sequence=2,
    )

    assert octets == bytes.fromhex(
        "00 00 00 32 00 00 00 04 00 00 00 00 00 00 00 02"  # length, command, status, sequence
        "43 4d 54 00 01 01 31 32 33 00 02 08 34 35 36 00"  # service_type, source, destination
        "40 05 01 00 00 01 00 08 00 02 00 41"  # classes, times, flags, sm_length, short_message
        "02 04 00 02 00 01"  # user_message_reference
    )


@pytest.mark.parametrize("pdu", SAMPLES, ids=lambda pdu: type(pdu).__name__)
def test_no_pdu_can_be_cut_short_without_notice(pdu: Pdu) -> None:
    """But for answers that lose all of their body, and parameters that are cut off between two."""
    whole = encode(pdu, sequence=1)

    for length in range(17, len(whole)):
        cut = length.to_bytes(4, "big") + whole[4:length]
        assert read_again(cut) in (None, cut)


def read_again(frame: bytes) -> bytes | None:
    """What a frame is after reading and writing it, or None where it cannot be read."""
    try:
        return encode(decode(frame).pdu, sequence=1)
    except MalformedPdu:
        return None


@pytest.mark.parametrize(
    ("field", "limit", "status"),
    [
        ("service_type", 6, Status.INVALID_SERVICE_TYPE),
        ("source", 21, Status.INVALID_SOURCE),
        ("destination", 21, Status.INVALID_DESTINATION),
        ("schedule_delivery_time", 17, Status.INVALID_SCHEDULE),
        ("validity_period", 17, Status.INVALID_VALIDITY),
    ],
)
def test_a_text_that_is_too_long_is_refused_with_its_own_status(field: str, limit: int, status: Status) -> None:
    mark = "m" * (limit - 1)
    longest = encode(msgspec.structs.replace(SUBMIT, **{field: mark}), sequence=3)
    longer = longest.replace(mark.encode(), mark.encode() + b"m")
    longer = len(longer).to_bytes(4, "big") + longer[4:]

    assert getattr(decode(longest).pdu, field) == mark
    assert (blame(longer).status, blame(longer).command_id, blame(longer).sequence) == (status, 0x04, 3)
    with pytest.raises(ValueError, match="not a text of less than"):
        encode(msgspec.structs.replace(SUBMIT, **{field: mark + "m"}), sequence=3)


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"", Status.INVALID_COMMAND_LENGTH),
        (framed(0x15)[:15], Status.INVALID_COMMAND_LENGTH),
        (framed(0x15) + b"\0", Status.INVALID_COMMAND_LENGTH),
        (framed(0x04), Status.INVALID_COMMAND_LENGTH),
        (framed(0x04, b"\0\1\1"), Status.INVALID_COMMAND_LENGTH),
        (framed(0x04, bytes(16)), Status.INVALID_COMMAND_LENGTH),
        (framed(0x04, bytes(16) + b"\5abcd"), Status.INVALID_MESSAGE_LENGTH),
        (framed(0x04, bytes(16) + b"\xff" + bytes(255)), Status.INVALID_MESSAGE_LENGTH),
        (framed(0x04, bytes(17) + b"\2\4\0"), Status.INVALID_PARAMETERS),
        (framed(0x04, bytes(17) + b"\2\4\0\3ab"), Status.INVALID_PARAMETER_LENGTH),
        (framed(0x7777), Status.INVALID_COMMAND_ID),
        (framed(0x80007777), Status.INVALID_COMMAND_ID),
        (framed(0x09, b"i" * 16 + b"\0"), Status.INVALID_SYSTEM_ID),
        (framed(0x09, b"i\0" + b"p" * 9 + b"\0"), Status.INVALID_PASSWORD),
        (framed(0x04, bytes(70_000)), Status.INVALID_COMMAND_LENGTH),
    ],
)
def test_octets_that_are_no_pdu_are_refused_with_a_status(frame: bytes, status: Status) -> None:
    assert blame(frame).status == status


@pytest.mark.parametrize(
    "pdu",
    [
        SubmitSm(source="nul\0"),
        SubmitSm(source="€"),
        SubmitSm(esm_class=256),
        SubmitSm(esm_class=-1),
        SubmitSm(short_message=bytes(255)),
        SubmitSm(tlvs=(Tlv(0x0424, bytes(65_536)),)),
        SubmitSm(tlvs=(Tlv(0x0424, bytes(65_500)),)),
        SubmitSm(tlvs=(Tlv(0x10000, b""),)),
        SubmitSmResp("m" * 65),
        p.ReplaceSm(short_message=bytes(255)),
        p.QuerySmResp(message_state=256),
    ],
)
def test_what_does_not_fit_is_not_sent(pdu: Pdu) -> None:
    with pytest.raises(ValueError, match=r".+"):
        encode(pdu, sequence=1)


def test_an_error_answer_goes_out_without_a_body_and_is_read_back() -> None:
    octets = encode(SubmitSmResp(), sequence=4, status=Status.THROTTLED)

    assert octets == framed(0x80000004, status=0x58, sequence=4)
    assert decode(octets).pdu == SubmitSmResp()


def test_the_short_way_of_an_answer_is_the_long_one() -> None:
    assert encode_submit_sm_resp("id-1", sequence=9) == encode(SubmitSmResp("id-1"), sequence=9)


@pytest.mark.parametrize(
    ("body", "message_id"),
    [(b"id\0", "id"), (b"id", "id"), (b"", ""), (b"m" * 90 + b"\0", "m" * 90), (b"id\0\1", "id")],
)
def test_an_answer_to_a_text_is_an_answer_however_it_is_written(body: bytes, message_id: str) -> None:
    assert decode_submit_sm_resp(framed(0x80000004, body)) == SubmitSmResp(message_id)


def test_a_password_is_not_printed() -> None:
    assert "hush" not in repr(p.BindTransceiver("me", "hush"))


def test_a_payload_is_found_where_the_short_message_is_empty() -> None:
    payload = (Tlv(p.Tag.MESSAGE_PAYLOAD, b"long"),)

    assert p.text_of(SubmitSm(tlvs=payload)) == b"long"
    assert p.text_of(p.DataSm(tlvs=payload)) == b"long"
    assert p.text_of(SubmitSm(short_message=b"short", tlvs=payload)) == b"short"


@pytest.mark.parametrize("step", [1, 2, 3, 5, 16, 17, 100, 5000])
def test_pdus_are_found_however_the_stream_is_cut(step: int) -> None:
    frames = [encode(pdu, sequence=n) for n, pdu in enumerate(SAMPLES, start=1)]
    stream = b"".join(frames)
    framer = Framer()

    found: list[bytes] = []
    for at in range(0, len(stream), step):
        framer.append(stream[at : at + step])
        while (frame := framer.next()) is not None:
            found.append(frame)

    assert (found, framer.is_within_pdu) == (frames, False)


def test_pdus_that_were_not_taken_wait() -> None:
    framer = Framer()
    for n in range(1, 4):
        framer.append(framed(0x15, sequence=n)[:10])
        framer.append(framed(0x15, sequence=n)[10:])

    assert [framer.next(), framer.next(), framer.next(), framer.next()] == [
        *(framed(0x15, sequence=n) for n in range(1, 4)),
        None,
    ]


@pytest.mark.parametrize("length", [0, 15, 65_537, 0xFFFFFFFF])
def test_a_length_that_is_none_ends_the_stream(length: int) -> None:
    framer = Framer()
    framer.append(length.to_bytes(4, "big"))

    with pytest.raises(MalformedPdu) as error:
        framer.next()

    assert error.value.status == Status.INVALID_COMMAND_LENGTH
