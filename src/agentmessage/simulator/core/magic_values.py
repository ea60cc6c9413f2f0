"""Magic values: words and tax ids that decide the outcome of a brand or a campaign (docs/reference/simulator.md).

Words count only in capitals and whole: a description that mentions a rejected parcel has no effect.
"""

import re
from collections.abc import Mapping
from enum import StrEnum


class BrandOutcome(StrEnum):
    """The registry's decision about a brand."""

    VERIFIED = "VERIFIED"
    VETTED = "VETTED"
    UNVERIFIED = "UNVERIFIED"
    FIXABLE = "FIXABLE"
    STUCK = "STUCK"
    REJECTED = "REJECTED"


class CampaignOutcome(StrEnum):
    """The course of a campaign."""

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
    "000000001": BrandOutcome.UNVERIFIED,
    "000000002": BrandOutcome.FIXABLE,
    "000000003": BrandOutcome.STUCK,
    "000000004": BrandOutcome.REJECTED,
    "000000005": BrandOutcome.VETTED,
}

_WORDS = re.compile(r"\b[A-Z]+\b")


def brand_outcome(fields: Mapping[str, object]) -> BrandOutcome:
    """By tax id first, then by a word in the display or company name."""
    ein = str(fields.get("ein") or "").replace("-", "")
    if ein in _EINS:
        return _EINS[ein]
    words = _words(fields, "displayName", "companyName")
    for outcome in (BrandOutcome.UNVERIFIED, BrandOutcome.FIXABLE, BrandOutcome.STUCK, BrandOutcome.VETTED):
        if outcome.value in words:
            return outcome
    return BrandOutcome.VERIFIED


def campaign_outcome(fields: Mapping[str, object]) -> CampaignOutcome:
    """By a word in the description."""
    words = _words(fields, "description")
    for outcome in CampaignOutcome:
        if outcome is not CampaignOutcome.APPROVED and outcome.value in words:
            return outcome
    return CampaignOutcome.APPROVED


def _words(fields: Mapping[str, object], *names: str) -> set[str]:
    return {word for name in names for word in _WORDS.findall(str(fields.get(name) or ""))}
