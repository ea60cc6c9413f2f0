"""Asking what kind of line a number is: a port of its own, since not every carrier tells, and none needs to be ours.

A question is a read: it may be asked again, and whoever asks pays the supplier each time.
"""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from agentmessage.carriers.protocols import E164, Answer


class LineType(StrEnum):
    """What a number is. A fixed line cannot receive texts."""

    MOBILE = "MOBILE"
    FIXED = "FIXED"
    VOIP = "VOIP"
    FIXED_VOIP = "FIXED_VOIP"


class LineFacts(Struct, frozen=True):
    """What the supplier knows of a number; `country_code` is ISO 3166-1 alpha-3. None: it does not say."""

    line_type: LineType
    messaging_provider: str | None
    voice_provider: str | None
    country_code: str | None


class Unlisted(Struct, frozen=True):
    """The supplier has looked and knows no such number. `code` and `text` are its own words."""

    code: str
    text: str


class LineTypeSource(Protocol):
    """Tells what kind of line a number is."""

    async def look_up(self, number: E164) -> Answer[LineFacts | Unlisted]:
        """Ask about one number now. Every answer but Accepted is trouble between us and the supplier."""
        ...
