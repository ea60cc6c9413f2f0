"""What a profile must hold, what a binding names, and when less holds than before; pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

import msgspec
from msgspec import UNSET

from agentmessage.guardrails.errors import LooseningNeedsAttestation
from agentmessage.guardrails.model import (
    MINUTES_OF_DAY,
    Autostamp,
    AutostampCadence,
    Binding,
    FrequencyCap,
    Pool,
    Profile,
    QuietWindow,
    Reach,
    Resolved,
    Rung,
    ScopeKind,
    Tool,
)
from agentmessage.guardrails.schemas import BindingPut, PoolCreate, PoolPatch, ProfileCreate, ProfilePatch
from agentmessage.kernel.errors import ValidationFailed

SOURCE_CUSTOMER = "customer"
_INSTANT = timedelta(microseconds=1)

NEEDED: Mapping[str, Sequence[str]] = {
    "quiet_hours_disabled": ("quiet_hours_start_minute", "quiet_hours_end_minute"),
    "freq_cap_disabled": ("freq_cap_window_minutes", "freq_cap_max_in_window"),
    "consent_freshness_disabled": ("consent_freshness_max_age_days",),
    "autostamp_disabled": ("autostamp_sender_id_text",),
}
"""What a tool that is on cannot do without."""

_STRICTNESS = {AutostampCadence.EVERY: 2, AutostampCadence.DAILY: 1, AutostampCadence.FIRST: 0}


def drafted(profile_id: UUID, org_id: UUID, wish: ProfileCreate, *, now: datetime) -> Profile:
    """A new profile. Raises ValidationFailed when a tool is on without its settings."""
    profile = Profile(
        id=profile_id,
        org_id=org_id,
        source=SOURCE_CUSTOMER,
        template_key=None,
        created_at=now,
        updated_at=now,
        **msgspec.structs.asdict(wish),
    )
    require_whole(profile)
    return profile


def patched(old: Profile, wish: ProfilePatch, *, now: datetime) -> Profile:
    """The profile as wished for; the very same one when nothing differs. Raises ValidationFailed.

    `updated_at` always grows: what was resolved from a profile is remembered under it.
    """
    new = msgspec.structs.replace(old, **_given(wish))
    if new == old:
        return old
    require_whole(new)
    return msgspec.structs.replace(new, updated_at=max(now, old.updated_at + _INSTANT))


def require_whole(profile: Profile) -> None:
    """Refuse a tool that is on and lacks a setting, and quiet hours of no length. Raises ValidationFailed."""
    faults = {
        field: f"is required when {switch} is false"
        for switch, fields in NEEDED.items()
        if getattr(profile, switch) is False
        for field in fields
        if getattr(profile, field) is None
    }
    start, end = profile.quiet_hours_start_minute, profile.quiet_hours_end_minute
    if start is not None and start == end:
        faults["quiet_hours_end_minute"] = "must differ from quiet_hours_start_minute"
    if faults:
        raise ValidationFailed(faults)


def changed(old: msgspec.Struct, new: msgspec.Struct) -> Mapping[str, Mapping[str, object]]:
    """The fields that differ, before and after, as the audit log keeps them; but not the time of the change."""
    names = [n for n in old.__struct_fields__ if n != "updated_at" and getattr(old, n) != getattr(new, n)]
    return {
        "before": {name: getattr(old, name) for name in names},
        "after": {name: getattr(new, name) for name in names},
    }


def scope(wish: BindingPut, org_id: UUID) -> tuple[ScopeKind, UUID]:
    """What the profile is to be bound to. Raises ValidationFailed for more than one target."""
    targets = {
        ScopeKind.BRAND: wish.brand_id,
        ScopeKind.CAMPAIGN: wish.campaign_id,
        ScopeKind.PHONE_NUMBER: wish.phone_number_id,
        ScopeKind.POOL: wish.pool_id,
    }
    given = [(kind, target) for kind, target in targets.items() if target is not None]
    if len(given) > 1:
        raise ValidationFailed({f"{kind.value}_id": "must be the only target" for kind, _ in given})
    return given[0] if given else (ScopeKind.USE_CASE_DEFAULT, org_id)


def rebound(old: Binding, profile_id: UUID, *, now: datetime) -> Binding:
    """The binding with another profile; the very same one when it has it already."""
    if old.profile_id == profile_id:
        return old
    return msgspec.structs.replace(old, profile_id=profile_id, updated_at=max(now, old.updated_at + _INSTANT))


def require_attested(binding: Binding, tools: Sequence[Tool], attestation: str | None) -> str | None:
    """The attestation to keep, None for a blank one. Raises LooseningNeedsAttestation when `tools` need one."""
    words = attestation if attestation and attestation.strip() else None
    if tools and words is None:
        raise LooseningNeedsAttestation(tools, ScopeKind(binding.scope_kind))
    return words


def loosened(with_it: Resolved, without: Resolved) -> Sequence[Tool]:
    """The tools of which less holds without a binding than with it; both are resolved down to the same floor.

    Only what the law leaves to the customer counts: quiet hours, frequency cap, consent freshness, autostamp. What the
    binding inherits or switches off cannot be loosened by removing it.
    """
    return [
        tool
        for tool, is_looser in LOOSER.items()
        if with_it.sources[tool].rung is not Rung.PLATFORM_FLOOR and is_looser(with_it, without)
    ]


def _is_quiet_looser(old: Resolved, new: Resolved) -> bool:
    """Some minute was quiet and no longer is. To refuse or to defer is the same here: no text is read at night."""
    return not _quiet_minutes(old.quiet_window) <= _quiet_minutes(new.quiet_window)


def _quiet_minutes(window: QuietWindow | None) -> set[int]:
    if window is None:
        return set()
    start, end = window.start_minute, window.end_minute
    return set(range(start, end)) if start <= end else {*range(start, MINUTES_OF_DAY), *range(end)}


def _is_cap_looser(old: Resolved, new: Resolved) -> bool:
    """Some sequence of texts was over the old cap and passes the new one.

    A stretch as long as the old window is covered by so many new windows, each of which can be filled.
    """
    was, is_now = old.cap, new.cap
    return was is not None and (is_now is None or _most_within(is_now, was.window_minutes) > was.max_in_window)


def _most_within(cap: FrequencyCap, minutes: int) -> int:
    return ceil(minutes / cap.window_minutes) * cap.max_in_window


def _is_freshness_looser(old: Resolved, new: Resolved) -> bool:
    was, is_now = old.consent_max_age_days, new.consent_max_age_days
    return was is not None and (is_now is None or is_now > was)


def _is_stamp_looser(old: Resolved, new: Resolved) -> bool:
    return _stamping(old.autostamp) > _stamping(new.autostamp)


def _stamping(stamp: Autostamp | None) -> int:
    return -1 if stamp is None else _STRICTNESS[stamp.cadence]


LOOSER: Mapping[Tool, Callable[[Resolved, Resolved], bool]] = {
    Tool.QUIET_HOURS: _is_quiet_looser,
    Tool.FREQ_CAP: _is_cap_looser,
    Tool.CONSENT_FRESHNESS: _is_freshness_looser,
    Tool.AUTOSTAMP: _is_stamp_looser,
}
"""The guardrails of the second tier, and how to tell that the second of two settings lets more pass."""


def new_pool(pool_id: UUID, org_id: UUID, wish: PoolCreate, *, now: datetime) -> Pool:
    """A pool without members."""
    return Pool(pool_id, org_id, wish.brand_id, wish.name, wish.slug, now, now)


def renamed(old: Pool, wish: PoolPatch, *, now: datetime) -> Pool:
    """The pool as wished for; the very same one when nothing differs."""
    new = msgspec.structs.replace(old, **_given(wish))
    return old if new == old else msgspec.structs.replace(new, updated_at=now)


def require_distinct(phone_number_ids: Sequence[UUID]) -> None:
    """Refuse a list that names a number twice. Raises ValidationFailed."""
    if len(set(phone_number_ids)) < len(phone_number_ids):
        raise ValidationFailed({"phone_number_ids": "must not name a number twice"})


def require_in_reach(pool: Pool, numbers: Sequence[Reach]) -> None:
    """Refuse numbers that are on no campaign of the pool's brand. Raises ValidationFailed."""
    strays = [number.phone_number_id for number in numbers if number.brand_id != pool.brand_id]
    if strays:
        others = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
        raise ValidationFailed({"phone_number_ids": f"{strays[0]}{others}: must be on a campaign of the pool's brand"})


def _given(wish: msgspec.Struct) -> dict[str, object]:
    """The fields that the caller sent."""
    return {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not UNSET}
