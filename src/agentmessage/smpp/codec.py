"""PDUs to octets and back: strict, bounded, and quick where a gateway spends its time.

`encode` and `decode` know every PDU of `pdu.Pdu`. Decoding raises MalformedPdu and nothing else, whatever the octets
are; encoding raises ValueError for values that do not fit, which only the caller can have made. A text's way is written
out by hand in both directions, since it is nine tenths of the traffic; everything else goes by its layout.
"""

import struct
from typing import cast

from msgspec import Struct

from agentmessage.smpp.errors import MalformedPdu
from agentmessage.smpp.layout import BY_COMMAND, BY_KIND, DELIVER_SM, SUBMIT_SM, Layout, Text, malformed
from agentmessage.smpp.pdu import (
    HEADER_BYTES,
    MAX_PDU_BYTES,
    MAX_SHORT_MESSAGE_BYTES,
    RESPONSE,
    Command,
    DeliverSm,
    LaidOut,
    Pdu,
    ReplaceSm,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Tlvs,
)

HEADER = struct.Struct(">IIII")
"""command_length, command_id, command_status, sequence_number (section 3.2)."""

_TLV = struct.Struct(">HH")
_CHARSET = "latin-1"

_SUBMIT_SM = int(Command.SUBMIT_SM)
_DELIVER_SM = int(Command.DELIVER_SM)
_SUBMIT_SM_RESP = _SUBMIT_SM | RESPONSE
"""Plain numbers: looking up a member of an enum costs more than the rest of a comparison."""


class Packet(Struct, frozen=True, gc=False):
    """One PDU with what its header says besides the length. `status` is 0 in requests."""

    sequence: int
    status: int
    pdu: Pdu


def encode(pdu: Pdu, *, sequence: int, status: int = 0) -> bytes:
    """The octets of one PDU.

    An answer with another status than 0 that says nothing else goes out as its header alone, as the tables of
    section 4 ask for. Raises ValueError where a value does not fit its field.
    """
    try:
        return _encode(pdu, sequence, status)
    except (OverflowError, struct.error) as error:
        raise ValueError(f"{type(pdu).__name__} does not fit: {error}") from error


def encode_submit_sm_resp(message_id: str, *, sequence: int) -> bytes:
    """The commonest answer, the short way: a submit_sm_resp with status 0 and no parameters."""
    octets = _text(message_id, 65)
    return HEADER.pack(17 + len(octets), _SUBMIT_SM_RESP, 0, sequence) + octets + b"\0"


def encode_header(command: int, *, sequence: int, status: int = 0) -> bytes:
    """A PDU without a body."""
    return HEADER.pack(HEADER_BYTES, command, status, sequence)


def decode(frame: bytes) -> Packet:
    """Read one whole PDU. Raises MalformedPdu, which says what to answer."""
    if not HEADER_BYTES <= len(frame) <= MAX_PDU_BYTES:
        raise MalformedPdu(Status.INVALID_COMMAND_LENGTH, f"{len(frame)} octets are not a PDU")
    length, command, status, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        raise malformed(Status.INVALID_COMMAND_LENGTH, "command_length is not the length", frame)
    return Packet(sequence, status, _decode_body(frame, command))


def decode_message(frame: bytes) -> SubmitSm:
    """Read the body of a submit_sm, or of a deliver_sm, which is then a DeliverSm. Raises MalformedPdu."""
    layout = DELIVER_SM if frame[7] == _DELIVER_SM else SUBMIT_SM
    kind: type[SubmitSm] = DeliverSm if layout is DELIVER_SM else SubmitSm
    match = layout.pattern.match(frame, HEADER_BYTES)
    if match is None:
        raise layout.fault(frame)
    groups = cast("tuple[bytes, ...]", match.groups())
    service, source_kind, source, destination_kind, destination, classes, schedule, validity, coding = groups
    message, end = _short_message(frame, match.end())
    return kind(
        service.decode(_CHARSET),
        source_kind[0],
        source_kind[1],
        source.decode(_CHARSET),
        destination_kind[0],
        destination_kind[1],
        destination.decode(_CHARSET),
        classes[0],
        classes[1],
        classes[2],
        schedule.decode(_CHARSET),
        validity.decode(_CHARSET),
        coding[0],
        coding[1],
        coding[2],
        coding[3],
        message,
        _decode_tlvs(frame, end) if end < len(frame) else (),
    )


def decode_submit_sm_resp(frame: bytes) -> SubmitSmResp:
    """Read the body of a submit_sm_resp as well as it can be read; never raises.

    What an answer says of a text is in its status. Carriers forget the NUL or send too long an id, and to call that
    "no answer" would make a known thing unknown.
    """
    end = frame.find(0, HEADER_BYTES)
    if end == -1:
        return SubmitSmResp(frame[HEADER_BYTES:].decode(_CHARSET))
    message_id = frame[HEADER_BYTES:end].decode(_CHARSET)
    if end + 1 == len(frame):
        return SubmitSmResp(message_id)
    try:
        return SubmitSmResp(message_id, _decode_tlvs(frame, end + 1))
    except MalformedPdu:
        return SubmitSmResp(message_id)


def _encode(pdu: Pdu, sequence: int, status: int) -> bytes:
    if isinstance(pdu, SubmitSm):
        return _encode_message(pdu, sequence)
    if isinstance(pdu, SubmitMulti | SubmitMultiResp):
        command = Command.SUBMIT_MULTI | (0 if isinstance(pdu, SubmitMulti) else RESPONSE)
        return _framed(command, status, sequence, pdu.body)
    layout = BY_KIND[type(pdu)]
    if status and layout.command & RESPONSE and pdu == layout.kind():
        return encode_header(layout.command, sequence=sequence, status=status)
    return _framed(layout.command, status, sequence, _encode_fields(layout, pdu))


def _decode_body(frame: bytes, command: int) -> Pdu:
    if command in (_SUBMIT_SM, _DELIVER_SM):
        return decode_message(frame)
    layout = BY_COMMAND.get(command)
    if layout is not None:
        return _decode_fields(layout, frame)
    if command == Command.SUBMIT_MULTI:
        return SubmitMulti(frame[HEADER_BYTES:])
    if command == Command.SUBMIT_MULTI | RESPONSE:
        return SubmitMultiResp(frame[HEADER_BYTES:])
    raise malformed(Status.INVALID_COMMAND_ID, "unknown command", frame)


def _decode_fields(layout: Layout, frame: bytes) -> Pdu:
    if len(frame) == HEADER_BYTES and layout.command & RESPONSE:
        return layout.kind()
    match = layout.pattern.match(frame, HEADER_BYTES)
    if match is None:
        raise layout.fault(frame)
    octets = cast("tuple[bytes, ...]", match.groups())
    values: list[str | int | bytes] = []
    for value, is_text in zip(octets, layout.is_text, strict=True):
        values += (value.decode(_CHARSET),) if is_text else value
    end = match.end()
    if layout.has_message:
        message, end = _short_message(frame, end)
        values.append(message)
    return layout.build(*values, tlvs=_decode_tlvs(frame, end))


def _short_message(frame: bytes, at: int) -> tuple[bytes, int]:
    if at >= len(frame):
        raise malformed(Status.INVALID_COMMAND_LENGTH, "ends before sm_length", frame)
    start = at + 1
    end = start + frame[at]
    if end > len(frame) or frame[at] > MAX_SHORT_MESSAGE_BYTES:
        raise malformed(Status.INVALID_MESSAGE_LENGTH, "sm_length is not that of the text", frame)
    return frame[start:end], end


def _decode_tlvs(frame: bytes, at: int) -> Tlvs:
    found: list[Tlv] = []
    while at < len(frame):
        if len(frame) - at < _TLV.size:
            raise malformed(Status.INVALID_PARAMETERS, "ends within a parameter's head", frame)
        tag, size = _TLV.unpack_from(frame, at)
        at += 4
        if at + size > len(frame):
            raise malformed(Status.INVALID_PARAMETER_LENGTH, f"parameter 0x{tag:04X} overruns", frame)
        found.append(Tlv(tag, frame[at : at + size]))
        at += size
    return tuple(found)


def _encode_message(pdu: SubmitSm, sequence: int) -> bytes:
    message = pdu.short_message
    body = b"%b\0%c%c%b\0%c%c%b\0%c%c%c%b\0%b\0%c%c%c%c%c%b" % (
        _text(pdu.service_type, 6),
        pdu.source_ton,
        pdu.source_npi,
        _text(pdu.source, 21),
        pdu.destination_ton,
        pdu.destination_npi,
        _text(pdu.destination, 21),
        pdu.esm_class,
        pdu.protocol_id,
        pdu.priority,
        _text(pdu.schedule_delivery_time, 17),
        _text(pdu.validity_period, 17),
        pdu.registered_delivery,
        pdu.replace_if_present,
        pdu.data_coding,
        pdu.default_message_id,
        _length(message),
        message,
    )
    command = _DELIVER_SM if isinstance(pdu, DeliverSm) else _SUBMIT_SM
    if pdu.tlvs:
        body += _encode_tlvs(pdu.tlvs)
    return _framed(command, 0, sequence, body)


def _encode_fields(layout: Layout, pdu: LaidOut) -> bytes:
    parts: list[bytes] = []
    for name, field in zip(layout.names, layout.fields, strict=True):
        value = getattr(pdu, name)
        parts.append(_text(value, field.limit) + b"\0" if isinstance(field, Text) else bytes((value,)))
    if isinstance(pdu, ReplaceSm):
        parts.append(bytes((_length(pdu.short_message),)) + pdu.short_message)
    parts.append(_encode_tlvs(pdu.tlvs))
    return b"".join(parts)


def _encode_tlvs(tlvs: Tlvs) -> bytes:
    return b"".join(_TLV.pack(tlv.tag, len(tlv.value)) + tlv.value for tlv in tlvs)


def _framed(command: int, status: int, sequence: int, body: bytes) -> bytes:
    length = HEADER_BYTES + len(body)
    if length > MAX_PDU_BYTES:
        raise ValueError(f"a PDU of {length} octets: at most {MAX_PDU_BYTES}")
    return HEADER.pack(length, command, status, sequence) + body


def _text(value: str, limit: int) -> bytes:
    if not value:
        return b""
    octets = value.encode(_CHARSET)
    if len(octets) >= limit or 0 in octets:
        raise ValueError(f"{value!r} is not a text of less than {limit} octets")
    return octets


def _length(message: bytes) -> int:
    if len(message) > MAX_SHORT_MESSAGE_BYTES:
        raise ValueError(f"short_message holds {MAX_SHORT_MESSAGE_BYTES} octets, not {len(message)}")
    return len(message)
