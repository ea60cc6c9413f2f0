"""Telephone numbers: their form, and what they presume of whoever holds them.

Nothing here knows where a person is. The area code says where a number was given out; that is the usual presumption for
quiet hours, and it says so little for some numbers that they are better called unknown.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

import msgspec
import phonenumbers
from msgspec import Struct
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

VAGUE_ZONES = 6
"""A number that may be in more time zones than this tells nothing of its own."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_NANP = re.compile(r"\+1([2-9][0-9]{2})[2-9][0-9]{6}")
_FICTIONAL = re.compile(r"\+1[2-9][0-9]{2}55501[0-9]{2}")
TOLL_FREE = re.compile(r"\+18(00|22|33|44|55|66|77|8[0-9])[0-9]{7}", re.ASCII)
"""Toll-free numbers: the codes in use, and 822, 880 to 887 and 889, which the numbering plan reserves for more."""


class AreaCodes(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `area_codes.toml`; `as_of` is the day of the report that it was last compared with."""

    as_of: date
    source: str
    overlays: dict[str, int]
    states: dict[str, list[int]]


AREA_CODES = msgspec.toml.decode(Path(__file__).with_name("area_codes.toml").read_bytes(), type=AreaCodes)
"""The table that is acted on, for whoever publishes it."""

_STATE_OF = {str(code): state for state, codes in AREA_CODES.states.items() for code in codes}
_OVERLAYS = {code: str(of) for code, of in AREA_CODES.overlays.items()}
_added: dict[str, str] = {}
"""The operator's own, set once at the start of a process."""


def use_overlays(overlays: Mapping[str, str]) -> None:
    """Know these area codes too, each by the code whose area it shares; instead of those that were given before.

    To be called before anything is looked up. Raises ValueError for a code whose area nobody knows.
    """
    unknown = sorted(of for of in overlays.values() if of not in _STATE_OF and of not in _OVERLAYS)
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no area code that is known")
    _added.clear()
    _added.update(overlays)


def _parent(code: str) -> str:
    """The code whose area it shares, where it is an overlay that libphonenumber does not know."""
    code = _added.get(code, code)
    return _OVERLAYS.get(code, code)


def is_e164(text: str) -> bool:
    """Whether the text is a plus sign and 7 to 15 digits, the first not 0 (ITU-T E.164); says nothing of its use."""
    return _E164.fullmatch(text) is not None


def area_code(number: str) -> str | None:
    """The three digits after +1 of a number of the North American plan; None for any other."""
    found = _NANP.fullmatch(number)
    return found[1] if found else None


def is_toll_free(number: str) -> bool:
    """Whether whoever is called pays: such a number belongs to no place, and to no 10DLC campaign."""
    return TOLL_FREE.fullmatch(number) is not None


def is_fictional(number: str) -> bool:
    """Whether the number is set aside for fiction, so that no person can be reached: +1 NPA 555-0100 to 555-0199."""
    return _FICTIONAL.fullmatch(number) is not None


@lru_cache(maxsize=65_536)
def country(number: str) -> str | None:
    """ISO 3166 code of the country a number belongs to; None for no country's (toll-free, satellite) or no number.

    Numbers of +1 that tell no country, such as 800, are the US's.
    """
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None


def state(number: str) -> str | None:
    """The US state or territory, as two letters, to which the area code was given; a presumption only."""
    code = area_code(number)
    return _STATE_OF.get(_parent(code)) if code else None


def zones(number: str) -> tuple[str, ...]:
    """The IANA time zones the number may be in, all of which count; none if it is unknown or may be in too many.

    In the North American plan the longest listed prefix decides, also for numbers that nobody holds yet; an overlay may
    be anywhere in the area that it shares. Elsewhere a mobile number tells its country only, which libphonenumber knows
    of each plan.
    """
    code = area_code(number)
    if code and _parent(code) != code:
        found = _area_zones(_parent(code))
    else:
        found = _prefix_zones(number[1:]) if code else _foreign_zones(number)
    return found if len(found) <= VAGUE_ZONES else ()


def _prefix_zones(digits: str) -> tuple[str, ...]:
    for length in range(TIMEZONE_LONGEST_PREFIX, 0, -1):
        if found := TIMEZONE_DATA.get(digits[:length]):
            return found
    return ()


@cache
def _area_zones(code: str) -> tuple[str, ...]:
    prefix = f"1{code}"
    return tuple(sorted({zone for key, zones in TIMEZONE_DATA.items() if key.startswith(prefix) for zone in zones}))


@lru_cache(maxsize=65_536)
def _foreign_zones(number: str) -> tuple[str, ...]:
    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return () if timezone.UNKNOWN_TIMEZONE in found else found
