"""The law's door: what sending, preflight and hand-over ask."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from agentmessage.guardrails import hours, ladder
from agentmessage.guardrails.model import Bound, FrequencyCap, Resolved, ScopeKind
from agentmessage.kernel.db import Statements
from agentmessage.kernel.errors import ApiError
from agentmessage.law import queries, rules
from agentmessage.law.model import UNCOUNTED, UNTIMED, Account, Ask, Case, Facts, Judged, Purse, Tally, Weight
from agentmessage.organizations.model import QuietHours

_REMEMBERED = 10_000
READY = Judged(None, None)
_resolved: dict[tuple[str, str], Resolved] = {}
"""Ladders that were read before, by their text and the organization's own quiet hours, as stored. A ladder names every
profile and its revision, so a change is a new key."""

_calendar = hours.Calendar()
_quiet_hours: dict[str, QuietHours] = {}


async def lock(tx: Statements, org_ids: Iterable[UUID]) -> None:
    """Keep what the organizations' texts are decided by as it is until the commit."""
    wanted = sorted(set(org_ids))
    if await queries.lock_accounts(tx, wanted) < len(wanted):
        await queries.insert_accounts(tx, wanted)
        await queries.lock_accounts(tx, wanted)


async def read(
    db: Statements, asks: Sequence[Ask], now: datetime, *, requires_propagation: bool
) -> tuple[list[Case], Mapping[UUID, Purse]]:
    """Everything that the asks are decided by, in their order, and what each organization may still admit.

    Without the lock it may be over when it is acted upon: the version in the purse's account tells.
    """
    found, accounts = await queries.list_facts(db, asks, now)
    purses = {org_id: Purse(account, now) for org_id, account in accounts.items()}
    resolved = await _resolve(db, asks, found, accounts)
    counters: dict[tuple[UUID, str], dict[str, Sequence[int]]] = {}
    cases = [
        _case(ask, facts, guardrails, counters, requires_propagation=requires_propagation)
        for ask, facts, guardrails in zip(asks, found, resolved, strict=True)
    ]
    return cases, purses


def first_refusal(case: Case) -> ApiError | None:
    """The first reason why the text may not be sent, in the contract's order; None: it may."""
    return rules.first_refusal(case, rules.SENDING[case.ask.kind])


def purse_refusal(case: Case, purse: Purse, weight: Weight) -> ApiError | None:
    """Why the organization may not admit a lawful text just now: credit, then pace; None: it may."""
    return next(rules.purse_refusals(case, purse, weight), None)


weigh = rules.weigh
faults = rules.faults


async def look(db: Statements, ask: Ask, *, requires_propagation: bool) -> tuple[Purse, Case]:
    """One text as it would be judged now, without a lock: to explain, not to admit."""
    (case,), purses = await read(db, [ask], db.now, requires_propagation=requires_propagation)
    return purses[ask.org_id], case


def handover_refusal(case: Case) -> ApiError | None:
    """Why an admitted text may not be handed to the carrier now. Quiet hours are no reason: see `opens_at`."""
    return rules.first_refusal(case, rules.HANDOVER[case.ask.kind])


def count_in(case: Case, now: datetime) -> tuple[UUID | None, Sequence[int] | None]:
    """Count an admitted text: the scope whose cap counts it, and the counter's new list. None: no cap, or exempt."""
    cap = case.resolved.cap
    if cap is None or case.ask.kind in UNCOUNTED:
        return None, None
    case.texted_at[rules.counter(cap.scope_id)] = counted = rules.counted(case, now)
    return cap.scope_id, counted


async def judge_handover(
    tx: Statements, asks: Mapping[UUID, Ask], *, requires_propagation: bool
) -> Mapping[UUID, Judged]:
    """What the law says now about texts that were admitted earlier, by their ids, in the order in which they would go.

    Of those that are handed over tell `count_handover`, in the same transaction.
    """
    found, _ = await read(tx, list(asks.values()), tx.now, requires_propagation=requires_propagation)
    cases = dict(zip(asks, found, strict=True))
    judged = {message_id: Judged(handover_refusal(case), case.opens_at) for message_id, case in cases.items()}
    capped = {
        message_id: (case, case.resolved.cap)
        for message_id, case in cases.items()
        if case.resolved.cap is not None and case.ask.kind not in UNCOUNTED and judged[message_id] == READY
    }
    return judged | await _judge_caps(tx, capped) if capped else judged


async def count_handover(tx: Statements, judged: Mapping[UUID, Judged], message_ids: Iterable[UUID]) -> None:
    """Count texts that are handed over now, where a cap wants it."""
    now_ms = rules.in_ms(tx.now)
    changed: dict[int, Tally] = {}
    for message_id in message_ids:
        one = judged[message_id]
        if one.tally is not None and one.cap is not None:
            one.tally.handed[str(message_id)] = now_ms
            one.tally.handed = dict(rules.kept(one.cap, one.tally.handed, now_ms))
            changed[id(one.tally)] = one.tally
    if changed:
        await queries.save_tallies(tx, list(changed.values()))


async def _judge_caps(tx: Statements, capped: Mapping[UUID, tuple[Case, FrequencyCap]]) -> dict[UUID, Judged]:
    """Whether lawful texts fit under their caps, those before them in this very transaction counted."""
    keys = {(case.ask.org_id, case.ask.recipient, cap.scope_id) for case, cap in capped.values()}
    org_ids, contacts, scope_ids = zip(*keys, strict=True)
    locked = await queries.lock_tallies(tx, org_ids, contacts, scope_ids)
    tallies = {(tally.org_id, tally.contact, tally.scope_id): tally for tally in locked}
    now_ms = rules.in_ms(tx.now)
    judged: dict[UUID, Judged] = {}
    for message_id, (case, cap) in capped.items():
        tally = tallies[case.ask.org_id, case.ask.recipient, cap.scope_id]
        free_ms = rules.capped_until(cap, tally.moments(message_id), now_ms)
        if free_ms is None:
            tally.noted[str(message_id)] = now_ms
            judged[message_id] = Judged(None, None, cap, tally)
        else:
            judged[message_id] = Judged(None, datetime.fromtimestamp(free_ms / 1000, UTC))
    return judged


def _case(
    ask: Ask,
    facts: Facts,
    resolved: Resolved,
    counters: dict[tuple[UUID, str], dict[str, Sequence[int]]],
    *,
    requires_propagation: bool,
) -> Case:
    opens_at = None
    window = resolved.quiet_window
    if window is not None and ask.kind not in UNTIMED:
        verdict = _calendar.window(ask.recipient, ask.due_at, window.start_minute, window.end_minute)
        if isinstance(verdict, hours.Closed):
            opens_at = verdict.opens_at
    texted_at = counters.setdefault((ask.org_id, ask.recipient), dict(facts.texted_at or {}))
    return Case(ask, facts, resolved, opens_at, texted_at, requires_propagation)


async def _resolve(
    db: Statements, asks: Sequence[Ask], found: Sequence[Facts], accounts: Mapping[UUID, Account]
) -> list[Resolved]:
    """The guardrails of each ask; profiles of ladders that this process has not met yet are read."""
    resolved: list[Resolved] = []
    for ask, facts in zip(asks, found, strict=True):
        own = accounts[ask.org_id].quiet_hours
        if facts.ladder is None:
            resolved.append(ladder.resolve_floor(_hours(own)))
            continue
        known = _resolved.get((facts.ladder, own))
        if known is None:
            if len(_resolved) >= _REMEMBERED:
                _resolved.clear()
            bounds = await _read_ladder(db, ask.org_id, facts.ladder)
            known = _resolved[facts.ladder, own] = ladder.resolve(bounds, _hours(own))
        resolved.append(known)
    return resolved


async def _read_ladder(db: Statements, org_id: UUID, text: str) -> list[Bound]:
    rungs = [rung.split("|") for rung in text.split(",")]
    profiles = {
        profile.id: profile for profile in await queries.list_profiles(db, org_id, [UUID(rung[2]) for rung in rungs])
    }
    return [
        Bound(ScopeKind(kind), UUID(scope_id), profiles[UUID(profile_id)])
        for kind, scope_id, profile_id, _ in rungs
        if UUID(profile_id) in profiles  # not unbound and deleted a moment ago
    ]


def _hours(stored: str) -> QuietHours:
    """An organization's own quiet hours as a value; equal settings are one value, made once."""
    known = _quiet_hours.get(stored)
    if known is None:
        if len(_quiet_hours) > _REMEMBERED:
            _quiet_hours.clear()
        known = _quiet_hours[stored] = msgspec.json.decode(stored, type=QuietHours)
    return known
