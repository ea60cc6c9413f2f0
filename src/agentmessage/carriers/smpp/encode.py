"""A text as the submit_sm that carry it; pure."""

from collections.abc import Sequence
from datetime import datetime

from agentmessage.carriers.messaging import OutboundText
from agentmessage.carriers.protocols import E164
from agentmessage.carriers.smpp.account import GsmForm, LongTexts, SmppAccount
from agentmessage.smpp.pdu import SubmitSm, Tag, Tlv
from agentmessage.sms import gsm, segments
from agentmessage.sms.segments import Coding

GSM_DEFAULT, UCS2 = 0, 8
"""data_coding: the SMSC's default alphabet, GSM 03.38 unless the account says otherwise, and UCS-2 (section 5.2.19)."""

HAS_HEADER = 0x40  # esm_class: the text begins with a user data header (section 5.2.12)
WANTS_RECEIPT = 1  # registered_delivery: success and failure (section 5.2.17)
INTERNATIONAL, NETWORK_SPECIFIC, ALPHANUMERIC = 1, 3, 5  # type of number (section 5.2.5)
ISDN, NO_PLAN = 1, 0  # numbering plan (section 5.2.6)
HIGH = 1  # priority_flag: above normal wherever there are levels (section 5.2.14)


def submits(text: OutboundText, account: SmppAccount, *, reference: int, now: datetime) -> Sequence[SubmitSm]:
    """One submit_sm for each part, in order; `reference` joins the parts at the handset."""
    is_packed = account.gsm is GsmForm.PACKED
    coding = segments.coding_of(text.text, alphabet=account.alphabet, is_packed=is_packed)
    source_ton, source_npi, source = address(text.sender)
    ton, npi, destination = address(text.recipient)
    validity = validity_period(text.expires_at, now)
    found: list[SubmitSm] = []
    for udh, body, is_payload in _bodies(text.text, coding, account.long_texts, reference):
        found.append(
            SubmitSm(
                source_ton=source_ton,
                source_npi=source_npi,
                source=source,
                destination_ton=ton,
                destination_npi=npi,
                destination=destination,
                esm_class=HAS_HEADER if udh else 0,
                priority=HIGH if text.priority == 0 else 0,
                validity_period=validity,
                registered_delivery=WANTS_RECEIPT,
                data_coding=UCS2 if coding is Coding.UCS2 else GSM_DEFAULT,
                short_message=b"" if is_payload else udh + body,
                tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, body),) if is_payload else (),
            )
        )
    return found


def address(number: E164) -> tuple[int, int, str]:
    """Type of number, numbering plan and digits of an address: E.164, a short code, or a name."""
    if number.startswith("+"):
        return INTERNATIONAL, ISDN, number[1:]
    return (NETWORK_SPECIFIC if number.isdigit() else ALPHANUMERIC), NO_PLAN, number


def validity_period(expires_at: datetime, now: datetime) -> str:
    """How long the carrier may try, as relative time of section 7.1.1.2; at least a minute, at most 99 days."""
    seconds = min(max(60, int((expires_at - now).total_seconds())), 99 * 86_400)
    days, rest = divmod(seconds, 86_400)
    months, days = divmod(days, 30)
    hours, rest = divmod(rest, 3_600)
    return f"00{months:02d}{days:02d}{hours:02d}{rest // 60:02d}{rest % 60:02d}000R"


def _bodies(text: str, coding: Coding, form: LongTexts, reference: int) -> Sequence[tuple[bytes, bytes, bool]]:
    """Header, body and whether it goes into message_payload, of each submit_sm."""
    bits = 16 if form is LongTexts.UDH16 else 8
    parts = segments.parts(text, coding, reference=reference, reference_bits=bits)
    if form is LongTexts.PAYLOAD and len(parts) > 1:
        return [(b"", _whole(text, coding), True)]
    return [(part.udh, part.body, False) for part in parts]


def _whole(text: str, coding: Coding) -> bytes:
    if coding is Coding.UCS2:
        return text.encode("utf-16-be")
    if coding is Coding.LATIN1:
        return text.encode("latin-1")
    unpacked = gsm.encode_unpacked(text)
    return gsm.pack(unpacked, filler=gsm.CARRIAGE_RETURN) if coding is Coding.GSM_PACKED else unpacked
