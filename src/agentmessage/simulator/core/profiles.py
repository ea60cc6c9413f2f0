"""Durations and limits of a world: none, seconds, or those of the real vendors divided by a scale.

The figures of `world` are the published or observed ranges (docs/reference/simulator.md lists the source of each).
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

OPERATORS = ("10017", "10035", "10036", "10038")
"""Registry ids of AT&T, T-Mobile, US Cellular and Verizon, in the order that everything here uses."""


class Span(Struct, frozen=True):
    """A range of durations, in seconds."""

    low_s: float
    high_s: float

    def divided_by(self, scale: float) -> "Span":
        """The same span on a clock that runs `scale` times faster."""
        return Span(self.low_s / scale, self.high_s / scale)


_NONE = Span(0.0, 0.0)


class CallLimits(Struct, frozen=True):
    """A vendor's published limits on calls; `per_s` refills a bucket that holds `burst`."""

    read_per_s: float
    read_burst: float
    write_per_s: float
    write_burst: float

    def times(self, scale: float) -> "CallLimits":
        """The same limits on a clock that runs `scale` times faster."""
        return CallLimits(self.read_per_s * scale, self.read_burst, self.write_per_s * scale, self.write_burst)


class TimingProfile(Struct, frozen=True, kw_only=True):
    """Every delay of a world, in seconds. `propagation` is per mobile operator, after an order is complete."""

    name: str
    order_received: Span = _NONE
    order_processing: Span = _NONE
    purchase: Span = _NONE
    disconnect: Span = _NONE
    aging: Span = _NONE
    propagation: Mapping[str, Span] = {}
    propagation_queue_s: Mapping[str, float] = {}
    brand_identity: Span = _NONE
    share_acceptance: Span = _NONE
    campaign_import: Span = _NONE
    operator_review: Mapping[str, Span] = {}
    magic_wait: Span = _NONE
    transit: Mapping[str, Span] = {}
    callback: Span = _NONE
    carrier_limits: CallLimits | None = None
    registry_limits: CallLimits | None = None
    time_scale: float = 1.0

    def propagation_of(self, operator: str) -> Span:
        """How long one operator takes to follow a completed order."""
        return self.propagation.get(operator, _NONE)

    def review_of(self, operator: str) -> Span:
        """How long one operator takes to review a campaign that the carrier has accepted."""
        return self.operator_review.get(operator, _NONE)

    def transit_of(self, operator: str) -> Span:
        """How long a message takes to a handset of one operator, and its receipt back."""
        return self.transit.get(operator, _NONE)


INSTANT = TimingProfile(name="instant")

DEMO = TimingProfile(
    name="demo",
    order_received=Span(0.3, 0.6),
    order_processing=Span(0.7, 1.4),
    purchase=Span(1.0, 2.0),
    disconnect=Span(0.5, 1.0),
    aging=Span(60.0, 60.0),
    propagation={"10017": Span(0.2, 0.5), "10035": Span(1.0, 2.5), "10036": Span(0.8, 2.0), "10038": Span(0.5, 1.5)},
    brand_identity=Span(1.0, 2.0),
    share_acceptance=Span(1.0, 1.5),
    campaign_import=Span(0.2, 0.4),
    operator_review={op: Span(0.3, 1.2) for op in OPERATORS},
    magic_wait=Span(3.0, 3.0),
    transit={"10017": Span(0.2, 0.8), "10035": Span(0.2, 1.0), "10036": Span(0.4, 1.5), "10038": Span(0.2, 0.9)},
    callback=Span(0.05, 0.2),
)

_HOUR = 3600.0
_DAY = 24 * _HOUR

WORLD = TimingProfile(
    name="world",
    order_received=Span(1.0, 5.0),
    order_processing=Span(2.0, 60.0),
    purchase=Span(2.0, 60.0),
    disconnect=Span(2.0, 60.0),
    aging=Span(30 * _DAY, 30 * _DAY),
    propagation={
        "10017": Span(0.0, 5.0),
        "10035": Span(60.0, _DAY),
        "10036": Span(_HOUR, _DAY),
        "10038": Span(300.0, _DAY),
    },
    propagation_queue_s={"10035": 1.0},
    brand_identity=Span(10.0, 120.0),
    share_acceptance=Span(3 * _DAY, 5 * _DAY),
    campaign_import=Span(60.0, _HOUR),
    operator_review={
        "10017": Span(_DAY, 3 * _DAY),
        "10035": Span(_HOUR, _DAY),
        "10036": Span(_DAY, 3 * _DAY),
        "10038": Span(_DAY, 3 * _DAY),
    },
    magic_wait=Span(_DAY, _DAY),
    transit={"10017": Span(1.0, 5.0), "10035": Span(1.0, 8.0), "10036": Span(2.0, 20.0), "10038": Span(1.0, 6.0)},
    callback=Span(0.5, 5.0),
    carrier_limits=CallLimits(read_per_s=0.5, read_burst=20, write_per_s=0.5, write_burst=10),
    registry_limits=CallLimits(read_per_s=20, read_burst=20, write_per_s=2, write_burst=20),
)


def profile_named(name: str, *, time_scale: float = 1.0) -> TimingProfile:
    """One of `instant`, `demo`, `world`; every duration is divided by `time_scale`. Raises KeyError, ValueError."""
    if time_scale <= 0:
        raise ValueError("time scale must be above 0")
    profile = {"instant": INSTANT, "demo": DEMO, "world": WORLD}[name]
    return profile if time_scale == 1.0 else _scaled(profile, time_scale)


def _scaled(profile: TimingProfile, scale: float) -> TimingProfile:
    changed: dict[str, object] = {}
    for field in msgspec.structs.fields(TimingProfile):
        value = getattr(profile, field.name)
        if isinstance(value, Span):
            changed[field.name] = value.divided_by(scale)
        elif isinstance(value, CallLimits):
            changed[field.name] = value.times(scale)
    spans = {name: span.divided_by(scale) for name, span in profile.propagation.items()}
    reviews = {name: span.divided_by(scale) for name, span in profile.operator_review.items()}
    transits = {name: span.divided_by(scale) for name, span in profile.transit.items()}
    queues = {name: seconds / scale for name, seconds in profile.propagation_queue_s.items()}
    return msgspec.structs.replace(
        profile,
        **changed,
        propagation=spans,
        operator_review=reviews,
        transit=transits,
        propagation_queue_s=queues,
        time_scale=scale,
    )
