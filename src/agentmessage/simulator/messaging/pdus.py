"""Messages and receipts as the SMSC's PDUs: what the customer submits, and what is delivered to the customer."""

import re
from datetime import UTC, datetime

from agentmessage.simulator.messaging.model import InboundPart, ReceiptDelivery, Stat, Submission, Via
from agentmessage.simulator.messaging.settings import IdForm
from agentmessage.smpp.pdu import DataSm, DeliverSm, SubmitSm, Tag, Tlv, Tlvs, parameter, text_of
from agentmessage.sms import gsm
from agentmessage.sms.segments import Alphabet, measure

UDH_INDICATOR = 0x40
RECEIPT = 0x04
UCS2 = 0x08
INTERNATIONAL, ISDN = 1, 1
"""Type of number and numbering plan of E.164 digits (SMPP 3.4, sections 5.2.5 and 5.2.6)."""

MESSAGE_STATES = {
    Stat.SCHEDULED: 0,
    Stat.ENROUTE: 1,
    Stat.DELIVERED: 2,
    Stat.EXPIRED: 3,
    Stat.DELETED: 4,
    Stat.UNDELIVERABLE: 5,
    Stat.ACCEPTED: 6,
    Stat.UNKNOWN: 7,
    Stat.REJECTED: 8,
    Stat.SKIPPED: 9,
}
"""The message_state of a receipt's parameter; 9 is from SMPP 5."""

GSM_NETWORK = b"\x03"
_SHORT_REFERENCE, _LONG_REFERENCE = 0x00, 0x08
_TEN_DIGITS = re.compile(r"[2-9][0-9]{9}")


def e164(address: str) -> str:
    """An address as E.164: digits with or without plus, ten of them in the North American plan."""
    if address[:1] == "+":
        return address
    return f"+1{address}" if _TEN_DIGITS.fullmatch(address) else f"+{address}"


def submission(
    pdu: SubmitSm | DataSm, account: str, *, is_packed: bool, alphabet: Alphabet = Alphabet.GSM
) -> Submission:
    """The submission in a PDU."""
    octets = text_of(pdu)
    group = parts = part = 0
    header_octets = 0
    if pdu.esm_class & UDH_INDICATOR and octets:
        header_octets = octets[0] + 1
        group, parts, part = _group_of(octets[1:header_octets])
    elif pdu.tlvs:
        group, parts, part = _sar(pdu.tlvs)
    fill_bits = -header_octets * 8 % 7 if is_packed else None
    text = _decode(octets[header_octets:], pdu.data_coding, fill_bits, alphabet=alphabet, is_part=parts > 1)
    reference = b"" if not pdu.tlvs else parameter(pdu.tlvs, Tag.USER_MESSAGE_REFERENCE) or b""
    return Submission(
        account,
        Via.SMPP,
        e164(pdu.source),
        e164(pdu.destination),
        text,
        str(int.from_bytes(reference, "big")) if reference else "",
        group,
        parts or 1,
        part or 1,
        1 if parts else max(1, measure(text).segments) if len(octets) > 140 else 1,  # noqa: PLR2004 octets of a part
        pdu.registered_delivery & 0x03,
    )


def receipt_pdu(receipt: ReceiptDelivery, *, ids: IdForm) -> DeliverSm:
    """A delivery receipt as in SMPP 3.4, appendix B, in text and in parameters."""
    part = receipt.part
    message = part.message
    part_id = part.id
    if ids is IdForm.MIXED:
        part_id = str(int(part.id, 16))
    elif ids is IdForm.MIXED_BACK:
        part_id = f"{int(part.id):X}"
    is_delivered = receipt.stat is Stat.DELIVERED
    is_final = receipt.stat is part.final_status.stat
    err = part.final_status.err if is_final else "000"
    text = (
        f"id:{part_id} sub:001 dlvrd:{'001' if is_delivered else '000'} submit date:{_date(message.accepted_at)} "
        f"done date:{_date(receipt.at)} stat:{receipt.stat} err:{err} text:{_excerpt(message.text)}"
    )
    tlvs: Tlvs = (
        Tlv(Tag.RECEIPTED_MESSAGE_ID, part_id.encode() + b"\0"),
        Tlv(Tag.MESSAGE_STATE, bytes((MESSAGE_STATES[receipt.stat],))),
    )
    if is_final and part.final_status.code:
        tlvs += (Tlv(Tag.NETWORK_ERROR_CODE, GSM_NETWORK + part.final_status.code.to_bytes(2, "big")),)
    return DeliverSm(
        "",
        INTERNATIONAL,
        ISDN,
        message.recipient[1:],
        INTERNATIONAL,
        ISDN,
        message.sender[1:],
        RECEIPT,
        short_message=text.encode("latin-1", "replace"),
        tlvs=tlvs,
    )


def inbound_pdu(inbound: InboundPart) -> DeliverSm:
    """A message of a handset, or one part of it."""
    return DeliverSm(
        "",
        INTERNATIONAL,
        ISDN,
        inbound.sender[1:],
        INTERNATIONAL,
        ISDN,
        inbound.recipient[1:],
        UDH_INDICATOR if inbound.udh else 0,
        data_coding=UCS2 if inbound.is_ucs2 else 0,
        short_message=inbound.udh + inbound.octets,
        # A deliver_sm has no id; only this distinguishes a repetition from the same text sent twice.
        tlvs=(Tlv(Tag.USER_MESSAGE_REFERENCE, (inbound.serial & 0xFFFF).to_bytes(2, "big")),),
    )


def _group_of(header: bytes) -> tuple[int, int, int]:
    """Reference, parts and part from a user data header's elements; zeros where it has none (TS 23.040)."""
    at = 0
    while at + 2 <= len(header):
        element, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if element == _SHORT_REFERENCE and len(value) == 3:  # noqa: PLR2004  8-bit reference, parts, part
            return value[0], value[1], value[2]
        if element == _LONG_REFERENCE and len(value) == 4:  # noqa: PLR2004  16-bit reference, parts, part
            return int.from_bytes(value[:2], "big"), value[2], value[3]
        at += 2 + size
    return 0, 0, 0


def _sar(tlvs: Tlvs) -> tuple[int, int, int]:
    """Reference, parts and part from the sar_… parameters; zeros where there are none."""
    values = [
        parameter(tlvs, tag) for tag in (Tag.SAR_MESSAGE_REFERENCE, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_NUMBER)
    ]
    if None in values:
        return 0, 0, 0
    group, parts, part = (int.from_bytes(value or b"", "big") for value in values)
    return group, parts, part


def _decode(octets: bytes, coding: int, fill_bits: int | None, *, alphabet: Alphabet, is_part: bool) -> str:
    """The text of a part: UTF-16 for 8, ISO 8859-1 for 3, ASCII for 1, else the GSM alphabet (section 5.2.19).

    Septets are packed after `fill_bits`, or one in each octet where that is None. A part may end in half a pair.
    """
    match coding:
        case 8:
            return octets.decode("utf-16-be", "surrogatepass" if is_part else "replace")
        case 1 | 3:
            return octets.decode("latin-1")
        case 0 if alphabet is not Alphabet.GSM:
            return octets.decode(alphabet.value, "replace")
        case _:
            return gsm.decode_unpacked(octets if fill_bits is None else gsm.unpack(octets, fill_bits))


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%y%m%d%H%M}"


def _excerpt(text: str | None) -> str:
    return "" if text is None else text[:20].replace("\n", " ")
