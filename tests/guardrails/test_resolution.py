"""Which guardrails hold for a sender."""

import timeit
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.guardrails.model import (
    Autostamp,
    AutostampCadence,
    Bound,
    FrequencyCap,
    QuietHoursMode,
    QuietWindow,
    Rung,
    ScopeKind,
    Source,
    Tool,
)
from agentmessage.guardrails.resolution import ORDER, resolve, resolve_floor
from agentmessage.kernel.ids import new_id
from agentmessage.organizations.model import QuietHours
from tests.make.guardrails import profile_of

ORG = new_id()
OFF = QuietHours()
ON = QuietHours(enabled=True, start="22:30", end="07:15", mode=QuietHoursMode.DEFER)
CAPPED: Mapping[str, Any] = {
    "freq_cap_disabled": False,
    "freq_cap_window_minutes": 60,
    "freq_cap_max_in_window": 2,
}


def on(kind: ScopeKind, **given: Any) -> Bound:
    """A profile with these fields on a scope."""
    return Bound(kind, new_id(), profile_of(ORG, id=new_id(), name="p", **given))


def test_the_floor_is_the_organizations_quiet_hours_and_the_advisory() -> None:
    floor = resolve((), ON)

    assert floor.quiet_window == QuietWindow(22 * 60 + 30, 7 * 60 + 15)
    assert floor.quiet_mode is QuietHoursMode.DEFER
    assert (floor.cap, floor.consent_max_age_days, floor.autostamp) == (None, None, None)
    assert floor.has_branded_link_advisory
    assert set(floor.sources.values()) == {Source(Rung.PLATFORM_FLOOR)}


def test_quiet_hours_that_are_off_are_no_window() -> None:
    assert resolve_floor(OFF).quiet_window is None


def test_each_tool_has_its_own_rung() -> None:
    number = on(ScopeKind.PHONE_NUMBER, autostamp_disabled=False, autostamp_sender_id_text="Acme")
    campaign = on(ScopeKind.CAMPAIGN, **CAPPED)
    brand = on(
        ScopeKind.BRAND, freq_cap_disabled=True, consent_freshness_disabled=False, consent_freshness_max_age_days=30
    )

    resolved = resolve([brand, campaign, number], ON)

    assert resolved.autostamp == Autostamp("Acme", AutostampCadence.EVERY)
    assert resolved.cap == FrequencyCap(campaign.scope_id, 60, 2)
    assert resolved.consent_max_age_days == 30
    assert resolved.sources == {
        Tool.AUTOSTAMP: Source(Rung.PHONE_NUMBER, number.scope_id, number.profile.id),
        Tool.FREQ_CAP: Source(Rung.CAMPAIGN, campaign.scope_id, campaign.profile.id),
        Tool.CONSENT_FRESHNESS: Source(Rung.BRAND, brand.scope_id, brand.profile.id),
        Tool.QUIET_HOURS: Source(Rung.PLATFORM_FLOOR),
        Tool.SUPPRESSION: Source(Rung.PLATFORM_FLOOR),
        Tool.BRANDED_LINK_ADVISORY: Source(Rung.PLATFORM_FLOOR),
    }


def test_off_on_a_narrow_scope_beats_on_on_a_wide_one() -> None:
    number = on(
        ScopeKind.PHONE_NUMBER,
        quiet_hours_disabled=True,
        freq_cap_disabled=True,
        consent_freshness_disabled=True,
        autostamp_disabled=True,
        branded_link_advisory_disabled=True,
    )
    default = on(
        ScopeKind.USE_CASE_DEFAULT,
        **CAPPED,
        consent_freshness_disabled=False,
        consent_freshness_max_age_days=9,
        autostamp_disabled=False,
        autostamp_sender_id_text="Acme",
    )

    resolved = resolve([default, number], ON)

    assert resolved.quiet_window is None
    assert (resolved.cap, resolved.consent_max_age_days, resolved.autostamp) == (None, None, None)
    assert not resolved.has_branded_link_advisory


@pytest.mark.parametrize(("mode", "means"), [(None, "reject"), ("reject", "reject"), ("defer", "defer")])
def test_quiet_hours_of_a_profile_replace_those_of_the_organization_whole(mode: str | None, means: str) -> None:
    night = {"quiet_hours_disabled": False, "quiet_hours_start_minute": 60, "quiet_hours_end_minute": 120}

    resolved = resolve([on(ScopeKind.BRAND, **night, quiet_hours_mode=mode)], ON)

    assert resolved.quiet_window == QuietWindow(60, 120)
    assert resolved.quiet_mode == means


switches = st.sampled_from([None, True, False])


@given(st.lists(st.tuples(st.sampled_from(ORDER), switches), unique_by=lambda rung: rung[0]), st.randoms())
def test_the_most_specific_rung_that_does_not_inherit_decides_in_any_order(rungs: Any, chance: Any) -> None:
    bounds = [on(kind, freq_cap_disabled=s, freq_cap_window_minutes=5, freq_cap_max_in_window=1) for kind, s in rungs]
    deciding = min((b for b in bounds if b.profile.freq_cap_disabled is not None), key=_place, default=None)
    chance.shuffle(bounds)

    resolved = resolve(bounds, OFF)

    wanted = None if deciding is None or deciding.profile.freq_cap_disabled else deciding.scope_id
    assert (resolved.cap.scope_id if resolved.cap else None) == wanted
    assert resolved.sources[Tool.FREQ_CAP].scope_id == (deciding.scope_id if deciding else None)


def _place(bound: Bound) -> int:
    return ORDER.index(bound.scope_kind)


def test_without_profiles_the_answer_costs_less_than_a_microsecond() -> None:
    resolve_floor(ON)

    assert min(timeit.repeat(lambda: resolve_floor(ON), number=10_000, repeat=7)) / 10_000 < 1e-6
