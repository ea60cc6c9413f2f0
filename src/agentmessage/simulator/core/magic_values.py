"""Magic values: words and tax ids that decide what becomes of a brand or a campaign (docs/reference/simulator.md).

Words count only in capitals and whole, so that an honest text that mentions a rejected parcel stays an honest text.
"""

import re
from collections.abc import Mapping
from enum import StrEnum


class BrandFate(StrEnum):
    """What the registry finds out about a brand."""

    VERIFIED = "VERIFIED"
    VETTED = "VETTED"
    UNVERIFIED = "UNVERIFIED"
    FIXABLE = "FIXABLE"
    STUCK = "STUCK"
    REFUSED = "REFUSED"


class CampaignFate(StrEnum):
    """What becomes of a campaign."""

    APPROVED = "APPROVED"
    STUCK = "STUCK"
    DECLINED = "DECLINED"
    REJECTED = "REJECTED"
    SUSPENDED = "SUSPENDED"
    RECOVERS = "RECOVERS"
    EXPIRED = "EXPIRED"
    DORMANT = "DORMANT"
    UNIMPORTED = "UNIMPORTED"


_EINS = {
    "000000001": BrandFate.UNVERIFIED,
    "000000002": BrandFate.FIXABLE,
    "000000003": BrandFate.STUCK,
    "000000004": BrandFate.REFUSED,
    "000000005": BrandFate.VETTED,
}

_WORDS = re.compile(r"\b[A-Z]+\b")


def fate_of_brand(fields: Mapping[str, object]) -> BrandFate:
    """By tax id first, then by a word in the display or company name."""
    ein = str(fields.get("ein") or "").replace("-", "")
    if ein in _EINS:
        return _EINS[ein]
    found = _words(fields, "displayName", "companyName")
    for fate in (BrandFate.UNVERIFIED, BrandFate.FIXABLE, BrandFate.STUCK, BrandFate.VETTED):
        if fate.value in found:
            return fate
    return BrandFate.VERIFIED


def fate_of_campaign(fields: Mapping[str, object]) -> CampaignFate:
    """By a word in the description."""
    found = _words(fields, "description")
    for fate in CampaignFate:
        if fate is not CampaignFate.APPROVED and fate.value in found:
            return fate
    return CampaignFate.APPROVED


def _words(fields: Mapping[str, object], *names: str) -> set[str]:
    return {word for name in names for word in _WORDS.findall(str(fields.get(name) or ""))}
