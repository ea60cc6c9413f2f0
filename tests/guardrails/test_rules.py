"""What a profile must hold, and when less holds than before."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.guardrails import resolution, rules
from agentmessage.guardrails.errors import LooseningNeedsAttestation
from agentmessage.guardrails.model import Binding, Bound, Pool, Reach, ScopeKind, Tool
from agentmessage.guardrails.schemas import BindingPut, PoolPatch, ProfileCreate, ProfilePatch
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.kernel.ids import new_id
from agentmessage.organizations.model import QuietHours
from tests.make.guardrails import profile_of

NOW = datetime(2026, 6, 11, 12, tzinfo=UTC)
ORG, SOME = new_id(), new_id()


def profile(**given: Any) -> Any:
    """A profile that holds no more than what is given."""
    return profile_of(ORG, id=SOME, name="p", created_at=NOW, updated_at=NOW, **given)


def quiet(start: int, end: int) -> Mapping[str, Any]:
    """Quiet hours that are on."""
    return {"quiet_hours_disabled": False, "quiet_hours_start_minute": start, "quiet_hours_end_minute": end}


def cap(most: int, minutes: int) -> Mapping[str, Any]:
    """A frequency cap that is on."""
    return {"freq_cap_disabled": False, "freq_cap_window_minutes": minutes, "freq_cap_max_in_window": most}


def fresh(days: int) -> Mapping[str, Any]:
    """Consent freshness that is on."""
    return {"consent_freshness_disabled": False, "consent_freshness_max_age_days": days}


def stamp(cadence: str | None) -> Mapping[str, Any]:
    """A stamp that is on."""
    return {"autostamp_disabled": False, "autostamp_sender_id_text": "Acme", "autostamp_cadence": cadence}


def loosened(
    own: Mapping[str, Any], default: Mapping[str, Any] | None = None, floor: QuietHours | None = None
) -> Sequence[Tool]:
    """What removing a campaign's binding of `own` loosens, beside a default binding."""
    floor = floor or QuietHours()
    with_it = resolution.resolve([Bound(ScopeKind.CAMPAIGN, new_id(), profile(**own))], floor)
    rest = [] if default is None else [Bound(ScopeKind.USE_CASE_DEFAULT, ORG, profile(**default))]
    return rules.loosened(with_it, resolution.resolve(rest, floor))


NIGHT = QuietHours(enabled=True)


@pytest.mark.parametrize(
    ("own", "default", "floor", "tools"),
    [
        ({}, None, None, []),
        ({}, cap(1, 60), NIGHT, []),
        ({}, {"quiet_hours_disabled": True}, NIGHT, []),
        (quiet(1260, 480), None, None, [Tool.QUIET_HOURS]),
        (quiet(1260, 480), None, NIGHT, []),
        (quiet(1260, 481), None, NIGHT, [Tool.QUIET_HOURS]),
        (quiet(720, 780), None, NIGHT, [Tool.QUIET_HOURS]),
        (quiet(1290, 420), None, NIGHT, []),
        (quiet(1260, 480) | {"quiet_hours_mode": "reject"}, quiet(1260, 480) | {"quiet_hours_mode": "defer"}, None, []),
        ({"quiet_hours_disabled": True}, None, NIGHT, []),
        (quiet(1260, 480), {"quiet_hours_disabled": True}, NIGHT, [Tool.QUIET_HOURS]),
        (cap(3, 1440), None, None, [Tool.FREQ_CAP]),
        (cap(3, 1440), cap(3, 1440), None, []),
        (cap(3, 1440), cap(4, 1440), None, [Tool.FREQ_CAP]),
        (cap(3, 1440), cap(2, 1440), None, []),
        (cap(3, 1440), cap(1, 720), None, []),
        (cap(3, 1440), cap(2, 720), None, [Tool.FREQ_CAP]),
        (cap(3, 1440), cap(3, 2880), None, []),
        ({"freq_cap_disabled": True}, cap(1, 1), None, []),
        (fresh(30), None, None, [Tool.CONSENT_FRESHNESS]),
        (fresh(30), fresh(31), None, [Tool.CONSENT_FRESHNESS]),
        (fresh(30), fresh(30), None, []),
        (stamp("first"), None, None, [Tool.AUTOSTAMP]),
        (stamp(None), stamp("daily"), None, [Tool.AUTOSTAMP]),
        (stamp("daily"), stamp("first"), None, [Tool.AUTOSTAMP]),
        (stamp("first"), stamp("every"), None, []),
        ({"suppression_disabled": False, "branded_link_advisory_disabled": False}, None, None, []),
        ({**quiet(0, 60), **cap(1, 1), **fresh(1), **stamp("every")}, None, None, list(rules.LOOSER)),
    ],
)
def test_removing_a_binding_loosens_what_was_stricter_than_what_is_left(
    own: Mapping[str, Any], default: Mapping[str, Any] | None, floor: QuietHours | None, tools: list[Tool]
) -> None:
    assert loosened(own, default, floor) == tools


caps = st.tuples(st.integers(1, 4), st.integers(1, 8))


@given(caps, caps)
def test_a_cap_is_looser_exactly_when_some_texts_pass_it_that_the_other_stops(
    old: tuple[int, int], new: tuple[int, int]
) -> None:
    """Against a greedy sender, who texts as early and as often as the cap lets him."""
    most, minutes = new
    texts: list[int] = []
    for minute in range(16):
        while len([t for t in texts if t > minute - minutes]) < most:
            texts.append(minute)
    passes = all(len([t for t in texts if m - old[1] < t <= m]) <= old[0] for m in range(16))

    assert (Tool.FREQ_CAP in loosened(cap(*old), cap(*new))) is not passes


def test_loosening_wants_words_and_keeps_them_as_they_are() -> None:
    binding = Binding(new_id(), ORG, "campaign", new_id(), SOME, NOW, NOW)

    assert rules.require_attested(binding, [Tool.FREQ_CAP], " I know. ") == " I know. "
    assert rules.require_attested(binding, [], " ") is None
    for blank in (None, "", " \t\n"):
        with pytest.raises(LooseningNeedsAttestation) as refusal:
            rules.require_attested(binding, [Tool.FREQ_CAP, Tool.AUTOSTAMP], blank)
        assert refusal.value.details == {
            "attestation": "is required to loosen a guardrail",
            "tool": "freq_cap,autostamp",
            "scope_kind": "campaign",
        }


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"quiet_hours_disabled": False}, {"quiet_hours_start_minute", "quiet_hours_end_minute"}),
        (quiet(480, 480), {"quiet_hours_end_minute"}),
        ({"quiet_hours_start_minute": 5, "quiet_hours_end_minute": 5}, {"quiet_hours_end_minute"}),
        ({"freq_cap_disabled": False, "freq_cap_max_in_window": 2}, {"freq_cap_window_minutes"}),
        ({"consent_freshness_disabled": False}, {"consent_freshness_max_age_days"}),
        ({"autostamp_disabled": False}, {"autostamp_sender_id_text"}),
        ({"autostamp_disabled": False, "freq_cap_disabled": False}, {
            "autostamp_sender_id_text", "freq_cap_window_minutes", "freq_cap_max_in_window",
        }),
    ],
)  # fmt: skip
def test_a_tool_that_is_on_needs_its_settings(given: Mapping[str, Any], fields: set[str]) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        rules.drafted(new_id(), ORG, ProfileCreate(name="p", **given), now=NOW)

    assert set(refusal.value.details or {}) == fields


@pytest.mark.parametrize("given", [{}, {"freq_cap_disabled": True}, {"freq_cap_window_minutes": 5}, quiet(0, 1)])
def test_a_tool_that_is_off_or_inherits_needs_none(given: Mapping[str, Any]) -> None:
    drafted = rules.drafted(SOME, ORG, ProfileCreate(name="p", **given), now=NOW)

    assert drafted == profile(**given)


def test_a_patch_sets_values_clears_with_null_and_leaves_the_rest() -> None:
    old = profile(**cap(3, 60), **fresh(30))

    new = rules.patched(
        old, ProfilePatch(freq_cap_disabled=None, freq_cap_max_in_window=5, name="q"), now=NOW + timedelta(hours=1)
    )

    assert (new.name, new.freq_cap_disabled, new.freq_cap_max_in_window, new.freq_cap_window_minutes) == (
        "q", None, 5, 60,
    )  # fmt: skip
    assert new.consent_freshness_max_age_days == 30
    assert new.updated_at == NOW + timedelta(hours=1)
    assert rules.changed(old, new) == {
        "before": {"name": "p", "freq_cap_disabled": False, "freq_cap_max_in_window": 3},
        "after": {"name": "q", "freq_cap_disabled": None, "freq_cap_max_in_window": 5},
    }


def test_a_patch_must_leave_a_whole_profile() -> None:
    with pytest.raises(ValidationFailed):
        rules.patched(profile(**cap(3, 60)), ProfilePatch(freq_cap_window_minutes=None), now=NOW)


def test_a_patch_that_changes_nothing_is_the_same_profile() -> None:
    old = profile(**cap(3, 60))

    assert rules.patched(old, ProfilePatch(freq_cap_max_in_window=3), now=NOW) is old


def test_every_change_has_a_time_of_its_own() -> None:
    """What was resolved from a profile is remembered under it, also where the clock stands still or goes back."""
    old = profile()

    new = rules.patched(old, ProfilePatch(name="q"), now=NOW - timedelta(hours=1))
    moved = rules.rebound(Binding(SOME, ORG, "brand", SOME, SOME, NOW, NOW), new_id(), now=NOW)

    assert new.updated_at > old.updated_at
    assert moved.updated_at > NOW


def test_a_binding_names_one_target_or_none() -> None:
    assert rules.scope(BindingPut(profile_id=SOME), ORG) == (ScopeKind.USE_CASE_DEFAULT, ORG)
    assert rules.scope(BindingPut(profile_id=SOME, brand_id=SOME), ORG) == (ScopeKind.BRAND, SOME)
    assert rules.scope(BindingPut(profile_id=SOME, campaign_id=SOME), ORG) == (ScopeKind.CAMPAIGN, SOME)
    assert rules.scope(BindingPut(profile_id=SOME, phone_number_id=SOME), ORG) == (ScopeKind.PHONE_NUMBER, SOME)
    assert rules.scope(BindingPut(profile_id=SOME, pool_id=SOME), ORG) == (ScopeKind.POOL, SOME)
    with pytest.raises(ValidationFailed) as refusal:
        rules.scope(BindingPut(profile_id=SOME, pool_id=SOME, brand_id=SOME), ORG)
    assert refusal.value.details == {"brand_id": "must be the only target", "pool_id": "must be the only target"}


def test_a_pool_takes_numbers_of_its_brand_only() -> None:
    pool = Pool(SOME, ORG, SOME, "p", "p", NOW, NOW)
    ours, bare, strays = Reach(new_id(), SOME), Reach(new_id(), None), Reach(new_id(), new_id())

    rules.require_in_reach(pool, [ours])
    with pytest.raises(ValidationFailed) as refusal:
        rules.require_in_reach(pool, [ours, bare, strays])
    assert refusal.value.details == {
        "phone_number_ids": f"{bare.phone_number_id} and 1 more: must be on a campaign of the pool's brand"
    }
    with pytest.raises(ValidationFailed):
        rules.require_distinct([SOME, SOME])


def test_renaming_a_pool_to_its_own_name_is_nothing() -> None:
    pool = Pool(SOME, ORG, SOME, "p", "p", NOW, NOW)

    assert rules.renamed(pool, PoolPatch(name="p"), now=NOW) is pool
    assert rules.renamed(pool, PoolPatch(slug="q"), now=NOW).slug == "q"
