"""Whom an address names: by its type of number, its numbering plan, its length, and the number that was texted.

Carriers write one number in many ways (SMPP v3.4 Issue 1.2, sections 5.2.5 and 5.2.6). A number read wrongly is a
stranger's: their consent would be ended or begun by a text that they never sent. So an address becomes E.164 only
where one reading fits; any other is kept as it is, which names nobody.
"""

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from agentmessage.sms import gsm
from agentmessage.sms.numbers import country, is_e164

UNKNOWN, INTERNATIONAL, NATIONAL, NETWORK_SPECIFIC, SUBSCRIBER, ALPHANUMERIC, ABBREVIATED = range(7)
"""Types of number."""

NATIONAL_PLAN = 8
OTHER_PLANS = frozenset({3, 4, 6, 9, 10, 14, 18})
"""Numbering plans that are not the telephone's: data, telex, IMSI, private, pager, internet, WAP."""

MAX_SHORT_DIGITS = 8
"""What is this short is a short code, or a local number that nobody can place."""

_NANP = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})")
_NANP_INTERNATIONAL = re.compile(r"1[2-9][0-9]{2}[2-9][0-9]{6}")
_ABROAD_FROM_NANP = re.compile(r"(?:011|00)(?=[1-9])")
_ABROAD = re.compile(r"00(?=[1-9])")
_DIALED = re.compile(r"\+?[0-9(][0-9 ().\-]*")
_DRESSED = re.compile(r"(?:tel:|sms:)?([+0-9(][^/;]*)(?:/TYPE=PLMN|;[^\n]*)?", re.IGNORECASE)
_SEPARATORS = re.compile(r"[ ().\-]+")
_DIGITS = re.compile(r"[0-9]+")
_NAME = re.compile(r"[\w .,&'+*/!?#@$-]+")
_CANNOT_TEXT = frozenset({
    PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST,
    PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL,
})  # fmt: skip


def read(address: str, *, ton: int = UNKNOWN, npi: int = 0, texted: str = "+1") -> str:
    """The address as we write it: E.164, a short code, a name; or as it came, where no reading fits.

    `texted` is the number at the other end, whose plan a national number belongs to. A plus or an international
    prefix is believed, and so is `ton` 1, unless its ten digits would be a landline abroad.
    """
    if ton == ALPHANUMERIC:
        return name(address)
    written = address.strip()
    if dressed := _DRESSED.fullmatch(written):
        written = dressed[1]
    if _DIALED.fullmatch(written):
        written = _SEPARATORS.sub("", written)
    digits = written.removeprefix("+")
    if not _DIGITS.fullmatch(digits) or npi in OTHER_PLANS:
        return address
    is_nanp = texted.startswith("+1") or not is_e164(texted)
    if ton == INTERNATIONAL or (digits != written and ton != NATIONAL):
        found = _international(digits, is_nanp=is_nanp, is_sure=digits != written)
    elif len(digits) <= MAX_SHORT_DIGITS:
        return digits if digits == written else address
    elif ton == NATIONAL or npi == NATIONAL_PLAN:
        found = _national(digits, texted, is_nanp=is_nanp)
    else:
        found = _unmarked(digits, texted, is_nanp=is_nanp)
    return found or (digits if digits == written else address)


def name(address: str) -> str:
    """A sender's name, as a handset shows it: some carriers leave its septets packed (3GPP TS 23.040, 9.1.2.5)."""
    if address.isascii() and address.isprintable():
        return address
    try:
        octets = address.encode("latin-1")
    except UnicodeEncodeError:
        return address
    if _NAME.fullmatch(address):
        return address
    packed = gsm.unpack(octets)
    if len(packed) % 8 == 0:  # seven bits were left over, and zeros there are no letter
        packed = packed.removesuffix(b"\0")
    for septets in (packed, octets):
        if septets.isascii() and _NAME.fullmatch(found := gsm.decode_unpacked(septets)):
            return found
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in address)


def _international(digits: str, *, is_nanp: bool, is_sure: bool) -> str | None:
    """`is_sure`: written with a plus, so that no other country can be meant."""
    digits = _ABROAD_FROM_NANP.sub("", digits, count=1) if digits.startswith("0") else digits
    if digits.startswith("1"):
        return f"+{digits}" if _NANP_INTERNATIONAL.fullmatch(digits) else None
    number = f"+{digits}"
    if is_nanp and not is_sure and (at_home := _NANP.fullmatch(digits)) and not _may_text(number):
        return f"+1{at_home[1]}"
    return number if is_e164(number) and (len(digits) > MAX_SHORT_DIGITS or _is_valid(number)) else None


def _national(digits: str, texted: str, *, is_nanp: bool) -> str | None:
    if is_nanp:
        found = _NANP.fullmatch(digits)
        return f"+1{found[1]}" if found else None
    try:
        number = phonenumbers.parse(digits, country(texted))
    except phonenumbers.NumberParseException:
        return None
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    is_theirs = texted.startswith(f"+{number.country_code}") and phonenumbers.is_valid_number(number)
    return written if is_theirs else None


def _unmarked(digits: str, texted: str, *, is_nanp: bool) -> str | None:
    """A number that nothing is said of: at home where it can be, else abroad where its length leaves no doubt."""
    abroad = (_ABROAD_FROM_NANP if is_nanp else _ABROAD).sub("", digits, count=1)
    number = f"+{abroad}"
    may_be_abroad = _is_valid(number) and (abroad != digits or len(digits) > _NANP_DIGITS)
    at_home = _national(digits, texted, is_nanp=is_nanp)
    if is_nanp and at_home:
        return at_home
    return number if may_be_abroad and at_home in (None, number) else at_home if not may_be_abroad else None


_NANP_DIGITS = 10


def _is_valid(number: str) -> bool:
    if number.startswith("+1"):
        return _NANP_INTERNATIONAL.fullmatch(number[1:]) is not None
    try:
        return is_e164(number) and phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _may_text(number: str) -> bool:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) not in _CANNOT_TEXT
