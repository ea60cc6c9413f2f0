"""Which guardrails hold for a sender; pure.

For each tool by itself the first rung whose profile does not inherit decides: number, pool, campaign, brand, the
organization's default, and at last the platform floor: the organization's own quiet hours, no cap, no freshness, no
stamp, the advisory on branded links.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from agentmessage.guardrails.model import (
    Autostamp,
    AutostampCadence,
    Bound,
    FrequencyCap,
    QuietHoursMode,
    QuietWindow,
    Resolved,
    Rung,
    ScopeKind,
    Source,
    Tool,
)
from agentmessage.organizations.model import QuietHours

ORDER = tuple(ScopeKind)
"""The rungs that a profile can stand on, the most specific first."""

FLOOR = Source(Rung.PLATFORM_FLOOR)
_PLACE = {kind: place for place, kind in enumerate(ORDER)}
_SWITCHES = {tool: f"{tool.value}_disabled" for tool in Tool}


def resolve(rungs: Sequence[Bound], quiet_hours: QuietHours) -> Resolved:
    """What holds for a sender, from the profiles on its scopes, in any order, and the organization's quiet hours."""
    floor = resolve_floor(quiet_hours)
    if not rungs:
        return floor
    steps = sorted(rungs, key=lambda rung: _PLACE[rung.scope_kind])
    deciding = {tool: bound for tool in Tool if (bound := _first(steps, tool)) is not None}
    window, mode = floor.quiet_window, floor.quiet_mode
    if bound := deciding.get(Tool.QUIET_HOURS):
        window, mode = _quiet(bound)
    return Resolved(
        quiet_window=window,
        quiet_mode=mode,
        cap=_cap(deciding.get(Tool.FREQ_CAP)),
        consent_max_age_days=_max_age_days(deciding.get(Tool.CONSENT_FRESHNESS)),
        autostamp=_autostamp(deciding.get(Tool.AUTOSTAMP)),
        has_branded_link_advisory=not _is_off(deciding.get(Tool.BRANDED_LINK_ADVISORY)),
        sources={tool: _source(deciding.get(tool)) for tool in Tool},
    )


@lru_cache(maxsize=4096)
def resolve_floor(quiet_hours: QuietHours) -> Resolved:
    """What holds where no profile is bound; remembered, since that is most senders."""
    window = QuietWindow(_minute(quiet_hours.start), _minute(quiet_hours.end)) if quiet_hours.enabled else None
    return Resolved(
        quiet_window=window,
        quiet_mode=quiet_hours.mode,
        cap=None,
        consent_max_age_days=None,
        autostamp=None,
        has_branded_link_advisory=True,
        sources=dict.fromkeys(Tool, FLOOR),
    )


def _first(steps: Iterable[Bound], tool: Tool) -> Bound | None:
    name = _SWITCHES[tool]
    return next((step for step in steps if getattr(step.profile, name) is not None), None)


def _is_off(bound: Bound | None) -> bool:
    return bound is not None and bool(bound.profile.branded_link_advisory_disabled)


def _source(bound: Bound | None) -> Source:
    return FLOOR if bound is None else Source(Rung(bound.scope_kind), bound.scope_id, bound.profile.id)


def _quiet(bound: Bound) -> tuple[QuietWindow | None, QuietHoursMode]:
    profile = bound.profile
    start, end = profile.quiet_hours_start_minute, profile.quiet_hours_end_minute
    mode = QuietHoursMode(profile.quiet_hours_mode or QuietHoursMode.REJECT)
    if profile.quiet_hours_disabled or start is None or end is None:
        return None, mode
    return QuietWindow(start, end), mode


def _cap(bound: Bound | None) -> FrequencyCap | None:
    if bound is None or bound.profile.freq_cap_disabled:
        return None
    minutes, most = bound.profile.freq_cap_window_minutes, bound.profile.freq_cap_max_in_window
    return None if minutes is None or most is None else FrequencyCap(bound.scope_id, minutes, most)


def _max_age_days(bound: Bound | None) -> int | None:
    if bound is None or bound.profile.consent_freshness_disabled:
        return None
    return bound.profile.consent_freshness_max_age_days


def _autostamp(bound: Bound | None) -> Autostamp | None:
    if bound is None or bound.profile.autostamp_disabled or bound.profile.autostamp_sender_id_text is None:
        return None
    cadence = AutostampCadence(bound.profile.autostamp_cadence or AutostampCadence.EVERY)
    return Autostamp(bound.profile.autostamp_sender_id_text, cadence)


def _minute(time_of_day: str) -> int:
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)
