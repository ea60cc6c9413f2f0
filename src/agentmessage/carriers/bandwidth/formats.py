"""Telephone numbers in the three spellings that Bandwidth uses (contract, section 1)."""

import re

from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.protocols import E164

_NANP = re.compile(r"(?:\+?1)?([2-9][0-9]{9})", re.ASCII)
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def to_e164(text: str) -> E164:
    """A number as we write it, from ten digits, eleven digits or E.164. Raises Misunderstood."""
    text = text.strip()
    if match := _NANP.fullmatch(text):
        return "+1" + match[1]
    if _INTERNATIONAL.fullmatch(text):
        return text
    raise Misunderstood(f"not a telephone number: {text[:40]!r}")


def to_ten_digits(number: E164) -> str:
    """A +1 number as the XML order routes want it; numbers of other countries stay as they are."""
    return number.removeprefix("+1")
