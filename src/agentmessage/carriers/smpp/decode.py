"""What a carrier hands to us, in our words: a receipt or a text from a handset; pure."""

import codecs
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b

from msgspec import Struct

from agentmessage.carriers.messaging import InboundHeard, ReceiptHeard
from agentmessage.carriers.smpp import message_ids
from agentmessage.carriers.smpp.account import GsmForm, MessageIds
from agentmessage.carriers.smpp.codes import receipt_meaning
from agentmessage.kernel.ids import new_id
from agentmessage.smpp import receipts
from agentmessage.smpp.pdu import Inbound, Tag, parameter, text_of
from agentmessage.sms import addresses, gsm
from agentmessage.sms.gsm import MARK
from agentmessage.sms.segments import Alphabet
from agentmessage.sms.traces import pair_trace, text_trace

NAME = "smpp"
HAS_HEADER = 0x40
MAX_RAW_CHARS = 2000

_ASCII, _LATIN1, _OCTETS, _UCS2 = 1, 3, 4, 8
_BINARY = (2, _OCTETS)
_JOINED_8, _JOINED_16 = (0x00, 3), (0x08, 4)  # information elements (3GPP TS 23.040, 9.2.3.24.1 and .8): tag and length


class Join(Struct, frozen=True):
    """How a part hangs together with others: their common reference, how many they are, and which this is."""

    reference: int
    parts: int
    part: int


ALONE = Join(0, 1, 1)


def receipt(pdu: Inbound, form: MessageIds, *, now: datetime) -> ReceiptHeard | None:
    """The receipt that a PDU is; None where it is a text, or does not say what became of one."""
    found = receipts.read(pdu)
    if found is None:
        return None
    state, error = receipt_meaning(found.state, found.error)
    return ReceiptHeard(
        carrier=NAME,
        carrier_message_id=message_ids.told(found.message_id, form),
        state=state,
        error=error,
        code=found.error or None,
        happened_at=now,
        raw=_readable(found.told or found.state.name),
        unrecognized=_readable(found.word),
        readings=message_ids.readings(found.message_id, form),
        sender=_readable(pdu.destination),
        pair=pair_trace(pdu.source, pdu.destination),
        excerpt=text_trace(found.excerpt),
        submitted_at=found.submitted_at,
    )


def text(pdu: Inbound, form: GsmForm, *, now: datetime, alphabet: Alphabet = Alphabet.GSM) -> InboundHeard:
    """The text, or part of one, from a handset; never refuses what it cannot decode, but marks it (U+FFFD).

    `alphabet` is what data_coding 0 means. A part may end in half a character: it is whole again once the parts are
    joined.
    """
    octets = text_of(pdu)
    header, body = split_header(octets) if pdu.esm_class & HAS_HEADER else (b"", octets)
    join = _sar(pdu) or join_of(header)
    sender, recipient = parties(pdu)
    found = decode(body, pdu.data_coding, form, alphabet=alphabet, header=header, is_part=join.parts > 1)
    return InboundHeard(
        carrier=NAME,
        carrier_message_id=_identity(pdu, octets, now),
        sender=sender,
        recipient=recipient,
        text=found,
        reference=join.reference,
        parts=join.parts,
        part=join.part,
        raw=octets,
        unrecognized=_unrecognized(body, pdu.data_coding) if MARK in found else "",
    )


def _unrecognized(body: bytes, data_coding: int) -> str:
    """What the operator is told: no more of the text than the octets that are no septets."""
    strange = sorted({octet for octet in body if octet > LAST_SEPTET} or set(body) & {0})[:MAX_STRANGE]
    octets = f"octets {' '.join(f'{octet:02x}' for octet in strange)}" if strange else "septets without a meaning"
    return f"{octets} under data_coding {data_coding}"


def parties(pdu: Inbound) -> tuple[str, str]:
    """Source and destination as we write numbers; in a receipt the source is whom our text went to."""
    destination = addresses.read(pdu.destination, ton=pdu.destination_ton, npi=pdu.destination_npi)
    return addresses.read(pdu.source, ton=pdu.source_ton, npi=pdu.source_npi, texted=destination), destination


def split_header(octets: bytes) -> tuple[bytes, bytes]:
    """User data header with its length octet, and what follows; no header where the length is a lie."""
    end = octets[0] + 1 if octets else 0
    return (octets[:end], octets[end:]) if 0 < end <= len(octets) else (b"", octets)


def elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    """The information elements of a user data header: identifier and data; one that overruns is cut."""
    at = 1
    while at + 2 <= len(header):
        end = at + 2 + header[at + 1]
        yield header[at], header[at + 2 : end]
        at = end


def join_of(header: bytes) -> Join:
    """What a user data header says of the parts of a text; ALONE where it says nothing that makes sense."""
    for tag, value in elements(header):
        if (tag, len(value)) in (_JOINED_8, _JOINED_16):
            return _join(int.from_bytes(value[:-2], "big"), value[-2], value[-1])
    return ALONE


def languages_of(header: bytes) -> tuple[int, int]:
    """The languages that a user data header names for the locking and the single shift table; 0 for none."""
    named = {tag: value[0] for tag, value in elements(header) if tag in (LOCKING_SHIFT, SINGLE_SHIFT) and value}
    return named.get(LOCKING_SHIFT, 0), named.get(SINGLE_SHIFT, 0)


def decode(
    body: bytes,
    data_coding: int,
    form: GsmForm,
    *,
    alphabet: Alphabet = Alphabet.GSM,
    header: bytes = b"",
    is_part: bool = False,
) -> str:
    """The characters of a text under its data_coding (section 5.2.19); a NUL, which no database keeps, is replaced."""
    group = _group(data_coding)
    if _UCS2 in (data_coding, group):
        found = _utf16(body, is_part=is_part)
    elif data_coding in (_ASCII, _LATIN1, *_BINARY) or group in _BINARY:
        found = body.decode("latin-1")
    elif data_coding in OTHER_ALPHABETS:
        found = body.decode(OTHER_ALPHABETS[data_coding], errors="replace")
    elif data_coding == 0 and alphabet is not Alphabet.GSM:
        found = body.decode(alphabet.value, errors="replace")
    else:
        locking, single = languages_of(header)
        septets = gsm.unpack(body, -len(header) * 8 % 7) if form is GsmForm.PACKED else body
        found = gsm.decode_unpacked(septets, locking=locking, single=single)
    return found.replace("\x00", MARK)


OTHER_ALPHABETS = {5: "shift_jis", 6: "iso8859_5", 7: "iso8859_8", 10: "iso2022_jp", 13: "euc_jp", 14: "euc_kr"}
"""JIS, Cyrillic, Hebrew, ISO-2022-JP, extended Kanji, KS C 5601."""

LOCKING_SHIFT, SINGLE_SHIFT = 0x25, 0x24
"""Information elements of 3GPP TS 23.040, 9.2.3.24.16 and .15."""

LAST_SEPTET = 0x7F
MAX_STRANGE = 8


def _utf16(body: bytes, *, is_part: bool) -> str:
    """A byte order mark is no letter, but says which octet of each pair comes first."""
    order = "utf-16-le" if body.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        body = body[2:]
    if is_part:
        return body[: len(body) & ~1].decode(order, errors="surrogatepass")
    return body.decode(order, errors="replace")


GENERAL, WAITING_IN_UCS2, CLASSES = range(0x10, 0x80), range(0xE0, 0xF0), range(0xF0, 0x100)
"""Groups of data_coding that SMPP takes from 3GPP TS 23.038, section 4."""


def _group(data_coding: int) -> int | None:
    """The coding that a group's member means, as SMPP numbers it; None for the default alphabet and for no member."""
    if data_coding in WAITING_IN_UCS2:
        return _UCS2
    if data_coding in CLASSES:
        return data_coding & _OCTETS or None
    coding = data_coding & 0x0C if data_coding in GENERAL else 0
    return coding if coding in (_OCTETS, _UCS2) else None


def _sar(pdu: Inbound) -> Join | None:
    values = [
        parameter(pdu.tlvs, tag) for tag in (Tag.SAR_MESSAGE_REFERENCE, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_NUMBER)
    ]
    if any(value is None for value in values):
        return None
    reference, parts, part = (int.from_bytes(value or b"", "big") for value in values)
    return _join(reference, parts, part)


def _join(reference: int, parts: int, part: int) -> Join:
    return Join(reference, parts, part) if parts > 1 and 1 <= part <= parts else ALONE


REPEATED_WITHIN_S = 600
"""How long a handset's own reference is taken for the same text told again; handsets count to 255, or not at all."""


def _identity(pdu: Inbound, octets: bytes, now: datetime) -> str:
    """What tells the same text told twice from two texts alike: the carrier's own id where it gives one.

    SMPP has no id for a text from a handset. The handset's reference serves for a while only, or the second STOP of a
    lifetime would be taken for the first. Without either each telling is a text of its own: two answers YES in a row
    are commoner than a carrier that repeats itself.
    """
    value = parameter(pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID)
    if not value and (reference := parameter(pdu.tlvs, Tag.USER_MESSAGE_REFERENCE)):
        value = reference + b"\0" + str(int(now.timestamp()) // REPEATED_WITHIN_S).encode()
    if not value:
        return new_id().hex
    told = blake2b(value, digest_size=16)
    for field in (pdu.source.encode(), pdu.destination.encode(), octets):
        told.update(b"\0" + field)
    return told.hexdigest()


def _readable(told: str) -> str:
    return told[:MAX_RAW_CHARS].replace("\x00", MARK)
