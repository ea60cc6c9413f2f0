"""The law's door: what sending, preflight and hand-over ask."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from agentmessage.compliance import queries, rules
from agentmessage.compliance.model import (
    UNCOUNTED,
    UNTIMED,
    Account,
    Ahead,
    Ask,
    CapCounter,
    Case,
    ContactHistory,
    Facts,
    Judged,
    Purse,
    Weight,
)
from agentmessage.guardrails import quiet_hours, resolution
from agentmessage.guardrails.model import Bound, FrequencyCap, Resolved, ScopeKind
from agentmessage.kernel.db import Executor
from agentmessage.kernel.errors import ApiError
from agentmessage.organizations.model import QuietHours
from agentmessage.sms.segments import USUAL, USUAL_LAYOUTS, Layout, Layouts

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 10_000
READY = Judged(None, None)
_resolved: dict[tuple[tuple[str, ...], str], Resolved] = {}
"""Ladders that were read before, by their rungs and the organization's own quiet hours, as stored. A rung names its
profile and its revision, so a change is a new key."""

_scopes: dict[str, Mapping[UUID | None, str]] = {}
"""The rungs of organizations by their scopes."""

_decode_history = msgspec.json.Decoder(ContactHistory).decode
_calendar = quiet_hours.Calendar()
_quiet_hours: dict[str, QuietHours] = {}


class CountedElsewhere(Exception):
    """Two workers are handing over their first text to one contact under one cap; this one comes second."""


async def lock(tx: Executor, org_ids: Iterable[UUID]) -> None:
    """Keep what the organizations' texts are decided by as it is until the commit."""
    wanted = sorted(set(org_ids))
    if await queries.lock_accounts(tx, wanted) < len(wanted):
        await queries.insert_accounts(tx, wanted)
        await queries.lock_accounts(tx, wanted)


async def read(
    db: Executor,
    asks: Sequence[Ask],
    now: datetime,
    *,
    requires_propagation: bool,
    layouts: Layouts = USUAL_LAYOUTS,
    ahead: Mapping[UUID, Ahead] | None = None,
    with_history: bool = True,
) -> tuple[list[Case], Mapping[UUID, Purse]]:
    """Everything that the asks are decided by, in their order, and what each organization may still admit.

    Without the lock it may be over when it is acted upon: the version in the purse's account tells. Organizations that
    were read as they were before what is `ahead` are shown as they are after it. The hand-over needs no history: it has
    counters of its own. `layouts` say how carriers are sent what is measured.
    """
    found, stored = await queries.list_facts(db, asks, now, with_history=with_history)
    accounts = dict(stored)
    histories: dict[tuple[UUID, str], ContactHistory] = {}
    for org_id, one in (ahead or {}).items():
        account = accounts.get(org_id)
        if account is not None and account.version == one.base:
            accounts[org_id] = one.applied(account)
            histories.update({(org_id, recipient): history for recipient, history in one.histories.items()})
    purses = {org_id: Purse(account, now) for org_id, account in accounts.items()}
    resolved = await _resolve(db, asks, found, accounts)
    cases = [
        _case(
            ask,
            facts,
            guardrails,
            histories,
            requires_propagation=requires_propagation,
            layout=layouts.get(ask.account, USUAL),
        )
        for ask, facts, guardrails in zip(asks, found, resolved, strict=True)
    ]
    return cases, purses


def first_refusal(case: Case) -> ApiError | None:
    """The first reason why the text may not be sent, in the contract's order; None: it may."""
    return rules.first_refusal(case, rules.SENDING[case.ask.kind])


def purse_refusal(case: Case, purse: Purse, weight: Weight) -> ApiError | None:
    """Why the organization may not admit a lawful text just now: credit, then pace; None: it may."""
    return next(rules.purse_refusals(case, purse, weight), None)


async def look(
    db: Executor, ask: Ask, *, requires_propagation: bool, layouts: Layouts = USUAL_LAYOUTS
) -> tuple[Purse, Case]:
    """One text as it would be judged now, without a lock: to explain, not to admit."""
    (case,), purses = await read(db, [ask], db.now, requires_propagation=requires_propagation, layouts=layouts)
    return purses[ask.org_id], case


def handover_refusal(case: Case) -> ApiError | None:
    """Why an admitted text may not be handed to the carrier now. Quiet hours are no reason: see `opens_at`."""
    return rules.first_refusal(case, rules.HANDOVER[case.ask.kind])


def remember(case: Case, now: datetime, *, is_disclosed: bool) -> ContactHistory | None:
    """Count an admitted text, and whether it told who is texting; None: neither a cap nor a disclosure wants it."""
    cap, number_id = case.resolved.cap, case.facts.phone_number_id
    is_counted = cap is not None and case.ask.kind not in UNCOUNTED
    if cap is not None and is_counted:
        case.history.sent[rules.name(cap.scope_id)] = rules.counted(case, now)
    if is_disclosed and number_id is not None:
        case.history.disclosed[rules.name(number_id)] = rules.in_ms(now)
    return case.history if is_counted or is_disclosed else None


async def judge_handover(
    tx: Executor, asks: Mapping[UUID, Ask], *, requires_propagation: bool
) -> Mapping[UUID, Judged]:
    """What the law says now about texts that were admitted earlier, by their ids, in the order in which they would go.

    Of those that are handed over tell `count_handover`, in the same transaction.
    """
    found, _ = await read(
        tx, list(asks.values()), tx.now, requires_propagation=requires_propagation, with_history=False
    )
    cases = dict(zip(asks, found, strict=True))
    judged = {message_id: Judged(handover_refusal(case), case.opens_at) for message_id, case in cases.items()}
    capped = {
        message_id: (case, case.resolved.cap)
        for message_id, case in cases.items()
        if case.resolved.cap is not None and case.ask.kind not in UNCOUNTED and judged[message_id] == READY
    }
    return judged | await _judge_caps(tx, capped) if capped else judged


async def count_handover(tx: Executor, judged: Mapping[UUID, Judged], message_ids: Iterable[UUID]) -> None:
    """Count texts that are handed over now, where a cap wants it.

    Raises CountedElsewhere where another worker did so first: judge again in a new transaction, which sees it.
    """
    now_ms = rules.in_ms(tx.now)
    changed: dict[int, CapCounter] = {}
    for message_id in message_ids:
        one = judged[message_id]
        if one.counter is not None and one.cap is not None:
            one.counter.submissions[str(message_id)] = now_ms
            one.counter.submissions = dict(rules.kept(one.cap, one.counter.submissions, now_ms))
            changed[id(one.counter)] = one.counter
    stored = [counter for counter in changed.values() if counter.is_stored]
    fresh = [counter for counter in changed.values() if not counter.is_stored]
    if stored:
        await queries.save_cap_counters(tx, stored)
    if fresh and await queries.insert_cap_counters(tx, fresh) < len(fresh):
        raise CountedElsewhere


async def _judge_caps(tx: Executor, capped: Mapping[UUID, tuple[Case, FrequencyCap]]) -> dict[UUID, Judged]:
    """Whether lawful texts fit under their caps, those before them in this very transaction counted."""
    keys = {(case.ask.org_id, case.ask.recipient, cap.scope_id) for case, cap in capped.values()}
    org_ids, contacts, scope_ids = zip(*keys, strict=True)
    locked = await queries.lock_cap_counters(tx, org_ids, contacts, scope_ids)
    counters = {key: CapCounter(*key) for key in keys}
    counters |= {(counter.org_id, counter.contact, counter.scope_id): counter for counter in locked}
    now_ms = rules.in_ms(tx.now)
    judged: dict[UUID, Judged] = {}
    for message_id, (case, cap) in capped.items():
        counter = counters[case.ask.org_id, case.ask.recipient, cap.scope_id]
        free_ms = rules.capped_until(cap, counter.moments(message_id), now_ms)
        if free_ms is None:
            counter.noted[str(message_id)] = now_ms
            judged[message_id] = Judged(None, None, cap, counter)
        else:
            judged[message_id] = Judged(None, datetime.fromtimestamp(free_ms / 1000, UTC))
    return judged


def _case(
    ask: Ask,
    facts: Facts,
    resolved: Resolved,
    histories: dict[tuple[UUID, str], ContactHistory],
    *,
    requires_propagation: bool,
    layout: Layout,
) -> Case:
    opens_at = None
    window = resolved.quiet_window
    if window is not None and ask.kind not in UNTIMED:
        verdict = _calendar.window(ask.recipient, ask.due_at, window.start_minute, window.end_minute)
        if isinstance(verdict, quiet_hours.Closed):
            opens_at = verdict.opens_at
    key = (ask.org_id, ask.recipient)
    history = histories.get(key)
    if history is None:
        history = histories[key] = _decode_history(facts.history) if facts.history is not None else ContactHistory()
    return Case(ask, facts, resolved, opens_at, history, requires_propagation, layout)


async def _resolve(
    db: Executor, asks: Sequence[Ask], found: Sequence[Facts], accounts: Mapping[UUID, Account]
) -> list[Resolved]:
    """The guardrails of each ask; profiles of ladders that this process has not met yet are read."""
    bound = {account.org_id: await _bound(db, account, asks, found) for account in accounts.values()}
    resolved: list[Resolved] = []
    for ask, facts in zip(asks, found, strict=True):
        own = accounts[ask.org_id].quiet_hours
        scopes = bound[ask.org_id]
        if not scopes:
            resolved.append(resolution.resolve_floor(_hours(own)))
            continue
        rungs = tuple([scopes[scope] for scope in _scopes_of(ask, facts) if scope in scopes])
        known = _resolved.get((rungs, own))
        if known is None:
            known = _remember(
                _resolved, (rungs, own), resolution.resolve(await _read(db, ask.org_id, rungs), _hours(own))
            )
        resolved.append(known)
    return resolved


def _scopes_of(ask: Ask, facts: Facts) -> Sequence[UUID | None]:
    return (facts.phone_number_id, facts.pool_id, facts.campaign_id, facts.brand_id, ask.org_id)


async def _bound(
    db: Executor, account: Account, asks: Sequence[Ask], found: Sequence[Facts]
) -> Mapping[UUID | None, str]:
    """The rungs of an organization by their scopes; where there are many, those of the scopes that are asked about."""
    if account.rungs is None:
        asked = {
            scope
            for ask, facts in zip(asks, found, strict=True)
            if ask.org_id == account.org_id
            for scope in _scopes_of(ask, facts)
            if scope is not None
        }
        return _by_scope(await queries.list_rungs(db, account.org_id, list(asked)))
    if not account.rungs:
        return {}
    known = _scopes.get(account.rungs)
    return known if known is not None else _remember(_scopes, account.rungs, _by_scope(account.rungs.split(",")))


def _by_scope(rungs: Iterable[str]) -> Mapping[UUID | None, str]:
    return {UUID(rung.partition("|")[0]): rung for rung in rungs}


def _remember(memory: dict[K, V], key: K, value: V) -> V:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value
    return value


async def _read(db: Executor, org_id: UUID, rungs: Sequence[str]) -> list[Bound]:
    named = [rung.split("|") for rung in rungs]
    profiles = {
        profile.id: profile for profile in await queries.list_profiles(db, org_id, [UUID(name[2]) for name in named])
    }
    return [
        Bound(ScopeKind(kind), UUID(scope_id), profiles[UUID(profile_id)])
        for scope_id, kind, profile_id, _ in named
        if UUID(profile_id) in profiles  # not unbound and deleted a moment ago
    ]


def _hours(stored: str) -> QuietHours:
    """An organization's own quiet hours as a value; equal settings are one value, made once."""
    known = _quiet_hours.get(stored)
    if known is None:
        known = _remember(_quiet_hours, stored, msgspec.json.decode(stored, type=QuietHours))
    return known
