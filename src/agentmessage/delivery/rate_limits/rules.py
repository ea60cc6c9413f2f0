"""How fast texts may go to the carrier; pure.

A lane is what is paced together: a campaign, or a number where its class says so, or a number without a campaign. Every
lane draws on the buckets of its scopes, which all workers share; a bucket holds a second's worth, so that no minute has
more than the operators grant.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from agentmessage.kernel.token_bucket import refill

ATT, T_MOBILE = "10017", "10035"
"""Operators by the registry's ids."""

PER_NUMBER_CLASSES = frozenset({"G", "N"})
PER_NUMBER_TPM = 60
ATT_MMS_TPM: Mapping[str, int] = {
    **dict.fromkeys(("A", "B", "K", "S", "X"), 2400),
    **dict.fromkeys(("C", "D", "P"), 1200),
    **dict.fromkeys(("E", "F"), 150),
    **dict.fromkeys(("G", "N", "T", "W"), 50),
}
"""MMS a minute by AT&T's message class; SMS come with the campaign."""

TIER_CAPS: Mapping[str, int] = {
    "TOP": 200_000,
    "UPPER_MID": 40_000,
    "HIGH_MID": 40_000,
    "LOWER_MID": 10_000,
    "LOW_MID": 10_000,
    "LOW": 2_000,
}
"""T-Mobile's segments a day by brand tier, for a registry that tells only the tier; providers differ in the names."""

PACIFIC = ZoneInfo("America/Los_Angeles")


class Lane(Struct, frozen=True):
    """One organization's texts that are paced together."""

    org_id: UUID
    id: UUID


class LaneFacts(Struct, frozen=True):
    """What the registry says of a lane's campaign, None where it has none. `number_id` where the lane is a number."""

    id: UUID
    number_id: UUID | None
    campaign_id: UUID | None
    operators: Mapping[str, Mapping[str, Any]] | None


class Pace(Struct, frozen=True):
    """Texts, or rather segments, a minute."""

    per_min: float

    @property
    def capacity(self) -> float:
        """A second's worth, at least one."""
        return max(1.0, self.per_min / 60)

    @property
    def per_second(self) -> float:
        """How fast a bucket fills: with what it holds when full, a minute has no more than granted."""
        return max(self.per_min - self.capacity, self.per_min / 2) / 60


class Bucket(Struct, frozen=True):
    """One scope's tokens as they were last written."""

    scope: str
    tokens: float
    refilled_at: datetime
    paused_until: datetime | None

    def at(self, pace: Pace, now: datetime) -> float:
        """What it holds now."""
        passed_s = (now - self.refilled_at).total_seconds()
        return refill(self.tokens, passed_s, capacity=pace.capacity, per_second=pace.per_second)


def lane_scope(lane: UUID) -> str:
    """The scope that a carrier's wish for patience is written under."""
    return f"queue:{lane}"


def paces(facts: LaneFacts | None, channel: str, *, number_per_min: int) -> Mapping[str, Pace]:
    """The scopes whose buckets a lane draws on for texts of one channel; none: as fast as the carrier takes them."""
    if facts is None:
        return {}
    found: dict[str, Pace] = {}
    suffix = "" if channel == "sms" else f"-{channel}"
    if facts.campaign_id is not None and not is_per_number(facts):
        att = _operator(facts, ATT)
        per_min = att.get("tpm") if channel == "sms" else ATT_MMS_TPM.get(str(att.get("msgClass")))
        if isinstance(per_min, int | float) and per_min > 0:
            found[f"campaign{suffix}:{facts.campaign_id}"] = Pace(float(per_min))
    limits = [float(number_per_min)] if number_per_min else []
    if is_per_number(facts):
        limits.append(float(PER_NUMBER_TPM if channel == "sms" else ATT_MMS_TPM["N"]))
    if limits and facts.number_id is not None:
        found[f"number{suffix}:{facts.number_id}"] = Pace(min(limits))
    return found


def is_per_number(facts: LaneFacts) -> bool:
    """AT&T counts the texts of each number of such a campaign by themselves."""
    return _operator(facts, ATT).get("msgClass") in PER_NUMBER_CLASSES


def daily_cap(facts: LaneFacts | None) -> int | None:
    """How many segments a brand may send to T-Mobile's subscribers a day; None: the registry does not say."""
    operator = _operator(facts, T_MOBILE)
    cap = operator.get("brandDailyCap")
    if isinstance(cap, int):
        return cap
    return TIER_CAPS.get(str(operator.get("brandTier")))


def operators_day(now: datetime) -> date:
    """The day that T-Mobile counts: it ends at midnight Pacific."""
    return now.astimezone(PACIFIC).date()


def day_ends_at(now: datetime) -> datetime:
    """When the count begins anew."""
    tomorrow = operators_day(now) + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=PACIFIC).astimezone(now.tzinfo)


def shares(ready: Sequence[Lane], room: int) -> Mapping[Lane, int]:
    """How many texts each lane may hand over: the room is dealt to organizations in turn, then among their lanes."""
    by_org: dict[UUID, list[Lane]] = {}
    for lane in ready:
        by_org.setdefault(lane.org_id, []).append(lane)
    found: dict[Lane, int] = {}
    left = room
    for served, lanes in enumerate(by_org.values()):
        quota = -(-left // (len(by_org) - served))
        for place, lane in enumerate(lanes):
            share = -(-quota // (len(lanes) - place))
            if share > 0:
                found[lane] = share
            quota -= share
            left -= share
    return found


def _operator(facts: LaneFacts | None, operator: str) -> Mapping[str, Any]:
    return {} if facts is None or not facts.operators else facts.operators.get(operator) or {}
