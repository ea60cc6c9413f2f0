"""Evaluate messages: for admission, for preflight, and again before a queued message is sent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from agentmessage.compliance import queries, rules
from agentmessage.compliance.model import (
    ANY_HOUR_KINDS,
    UNCAPPED_KINDS,
    CapCounter,
    ContactHistory,
    Cost,
    Decision,
    Evaluation,
    PendingFlush,
    SendAccount,
    SendAllowance,
    SendFacts,
    SendRequest,
)
from agentmessage.guardrails import quiet_hours, resolution
from agentmessage.guardrails.model import Bound, FrequencyCap, Resolved, ScopeKind
from agentmessage.kernel.db import Executor
from agentmessage.kernel.errors import ApiError
from agentmessage.organizations.model import QuietHours
from agentmessage.sms.segments import USUAL, USUAL_LAYOUTS, Layout, Layouts

K = TypeVar("K")
V = TypeVar("V")

MAX_CACHED = 10_000
READY = Decision(None, None)
_resolved: dict[tuple[tuple[str, ...], str], Resolved] = {}
"""Resolved guardrails by the bindings that decide them and the organization's quiet hours, as stored. A binding names
its profile and the profile's revision, so a change is a new key."""

_scopes: dict[str, Mapping[UUID | None, str]] = {}
"""Bindings by scope, keyed by `SendAccount.bindings`."""

_decode_history = msgspec.json.Decoder(ContactHistory).decode
_calendar = quiet_hours.Calendar()
_quiet_hours: dict[str, QuietHours] = {}


class CapCounterConflict(Exception):
    """Two workers submit their first message to one contact under one cap; this one is second."""


async def lock(tx: Executor, org_ids: Iterable[UUID]) -> None:
    """Lock the organizations: nothing that decides their messages changes until the commit."""
    wanted = sorted(set(org_ids))
    if await queries.lock_accounts(tx, wanted) < len(wanted):
        await queries.insert_accounts(tx, wanted)
        await queries.lock_accounts(tx, wanted)


async def evaluate_all(
    db: Executor,
    requests: Sequence[SendRequest],
    now: datetime,
    *,
    requires_propagation: bool,
    layouts: Layouts = USUAL_LAYOUTS,
    pending: Mapping[UUID, PendingFlush] | None = None,
    with_history: bool = True,
) -> tuple[list[Evaluation], Mapping[UUID, SendAllowance]]:
    """Load the facts of requests; returns an evaluation for each, in order, and each organization's allowance.

    Without `lock` the facts may change before a decision is stored; the version in the allowance's account shows it.
    The changes of `pending` are applied to organizations that were read before it was written. The recheck needs no
    history: it has counters of its own. `layouts` say how carriers split messages into parts.
    """
    facts, stored = await queries.list_facts(db, requests, now, with_history=with_history)
    accounts = dict(stored)
    histories: dict[tuple[UUID, str], ContactHistory] = {}
    for org_id, flush in (pending or {}).items():
        account = accounts.get(org_id)
        if account is not None and account.version == flush.base:
            accounts[org_id] = flush.applied(account)
            histories.update({(org_id, recipient): history for recipient, history in flush.histories.items()})
    allowances = {org_id: SendAllowance(account, now) for org_id, account in accounts.items()}
    resolved = await _resolve(db, requests, facts, accounts)
    evaluations = [
        _evaluation(
            request,
            request_facts,
            guardrails,
            histories,
            requires_propagation=requires_propagation,
            layout=layouts.get(request.account, USUAL),
        )
        for request, request_facts, guardrails in zip(requests, facts, resolved, strict=True)
    ]
    return evaluations, allowances


def first_error(evaluation: Evaluation) -> ApiError | None:
    """The first reason why the message may not be sent, in the order of the API; None: it may."""
    return rules.first_error(evaluation, rules.SENDING[evaluation.request.kind])


def allowance_error(evaluation: Evaluation, allowance: SendAllowance, cost: Cost) -> ApiError | None:
    """Why the organization may not admit the message now: credit, then rate limit; None: it may."""
    return next(rules.allowance_errors(evaluation, allowance, cost), None)


async def evaluate(
    db: Executor, request: SendRequest, *, requires_propagation: bool, layouts: Layouts = USUAL_LAYOUTS
) -> tuple[SendAllowance, Evaluation]:
    """Evaluate one message without a lock: to explain, not to admit."""
    (evaluation,), allowances = await evaluate_all(
        db, [request], db.now, requires_propagation=requires_propagation, layouts=layouts
    )
    return allowances[request.org_id], evaluation


def recheck_error(evaluation: Evaluation) -> ApiError | None:
    """Why a queued message must not be sent any more. Quiet hours only defer it: see `opens_at`."""
    return rules.first_error(evaluation, rules.RECHECK[evaluation.request.kind])


def record_history(evaluation: Evaluation, now: datetime, *, is_disclosed: bool) -> ContactHistory | None:
    """Count an admitted message and its disclosure in the contact's history; None: neither is needed."""
    cap, number_id = evaluation.resolved.cap, evaluation.facts.phone_number_id
    is_counted = cap is not None and evaluation.request.kind not in UNCAPPED_KINDS
    if cap is not None and is_counted:
        evaluation.history.sent[rules.history_key(cap.scope_id)] = rules.counted_sends(evaluation, now)
    if is_disclosed and number_id is not None:
        evaluation.history.disclosed[rules.history_key(number_id)] = rules.to_epoch_ms(now)
    return evaluation.history if is_counted or is_disclosed else None


async def recheck(
    tx: Executor, requests: Mapping[UUID, SendRequest], *, requires_propagation: bool
) -> Mapping[UUID, Decision]:
    """Decide again about queued messages, by their ids, in the order in which they would be sent.

    The caller passes those that it submits to `count_submissions`, in the same transaction.
    """
    loaded, _ = await evaluate_all(
        tx, list(requests.values()), tx.now, requires_propagation=requires_propagation, with_history=False
    )
    evaluations = dict(zip(requests, loaded, strict=True))
    decisions = {
        message_id: Decision(recheck_error(evaluation), evaluation.opens_at)
        for message_id, evaluation in evaluations.items()
    }
    capped = {
        message_id: (evaluation, evaluation.resolved.cap)
        for message_id, evaluation in evaluations.items()
        if evaluation.resolved.cap is not None
        and evaluation.request.kind not in UNCAPPED_KINDS
        and decisions[message_id] == READY
    }
    return decisions | await _recheck_caps(tx, capped) if capped else decisions


async def count_submissions(tx: Executor, decisions: Mapping[UUID, Decision], message_ids: Iterable[UUID]) -> None:
    """Count messages that are submitted now, where a cap applies.

    Raises CapCounterConflict if another worker stored the first counter: recheck in a new transaction, which sees it.
    """
    now_ms = rules.to_epoch_ms(tx.now)
    changed: dict[int, CapCounter] = {}
    for message_id in message_ids:
        counter, cap = decisions[message_id].counter, decisions[message_id].cap
        if counter is not None and cap is not None:
            counter.submissions[str(message_id)] = now_ms
            counter.submissions = dict(rules.relevant_submissions(cap, counter.submissions, now_ms))
            changed[id(counter)] = counter
    stored = [counter for counter in changed.values() if counter.is_stored]
    fresh = [counter for counter in changed.values() if not counter.is_stored]
    if stored:
        await queries.save_cap_counters(tx, stored)
    if fresh and await queries.insert_cap_counters(tx, fresh) < len(fresh):
        raise CapCounterConflict


async def _recheck_caps(tx: Executor, capped: Mapping[UUID, tuple[Evaluation, FrequencyCap]]) -> dict[UUID, Decision]:
    """Whether messages fit under their caps, counting those before them in this transaction."""
    keys = {
        (evaluation.request.org_id, evaluation.request.recipient, cap.scope_id) for evaluation, cap in capped.values()
    }
    org_ids, contacts, scope_ids = zip(*keys, strict=True)
    locked = await queries.lock_cap_counters(tx, org_ids, contacts, scope_ids)
    counters = {key: CapCounter(*key) for key in keys}
    counters |= {(counter.org_id, counter.contact, counter.scope_id): counter for counter in locked}
    now_ms = rules.to_epoch_ms(tx.now)
    decisions: dict[UUID, Decision] = {}
    for message_id, (evaluation, cap) in capped.items():
        counter = counters[evaluation.request.org_id, evaluation.request.recipient, cap.scope_id]
        free_ms = rules.capped_until(cap, counter.send_times(message_id), now_ms)
        if free_ms is None:
            counter.reserved[str(message_id)] = now_ms
            decisions[message_id] = Decision(None, None, cap, counter)
        else:
            decisions[message_id] = Decision(None, datetime.fromtimestamp(free_ms / 1000, UTC))
    return decisions


def _evaluation(
    request: SendRequest,
    facts: SendFacts,
    resolved: Resolved,
    histories: dict[tuple[UUID, str], ContactHistory],
    *,
    requires_propagation: bool,
    layout: Layout,
) -> Evaluation:
    opens_at = None
    window = resolved.quiet_window
    if window is not None and request.kind not in ANY_HOUR_KINDS:
        verdict = _calendar.window(request.recipient, request.due_at, window.start_minute, window.end_minute)
        if isinstance(verdict, quiet_hours.Closed):
            opens_at = verdict.opens_at
    key = (request.org_id, request.recipient)
    history = histories.get(key)
    if history is None:
        history = histories[key] = _decode_history(facts.history) if facts.history is not None else ContactHistory()
    return Evaluation(request, facts, resolved, opens_at, history, requires_propagation, layout)


async def _resolve(
    db: Executor, requests: Sequence[SendRequest], facts: Sequence[SendFacts], accounts: Mapping[UUID, SendAccount]
) -> list[Resolved]:
    """The guardrails of each request; reads the profiles of bindings that are not cached."""
    bound = {account.org_id: await _bound(db, account, requests, facts) for account in accounts.values()}
    resolved: list[Resolved] = []
    for request, request_facts in zip(requests, facts, strict=True):
        own = accounts[request.org_id].quiet_hours
        scopes = bound[request.org_id]
        if not scopes:
            resolved.append(resolution.resolve_floor(_hours(own)))
            continue
        bindings = tuple([scopes[scope] for scope in _scopes_of(request, request_facts) if scope in scopes])
        cached = _resolved.get((bindings, own))
        if cached is None:
            cached = _cache(
                _resolved,
                (bindings, own),
                resolution.resolve(await _read_profiles(db, request.org_id, bindings), _hours(own)),
            )
        resolved.append(cached)
    return resolved


def _scopes_of(request: SendRequest, facts: SendFacts) -> Sequence[UUID | None]:
    return (facts.phone_number_id, facts.pool_id, facts.campaign_id, facts.brand_id, request.org_id)


async def _bound(
    db: Executor, account: SendAccount, requests: Sequence[SendRequest], facts: Sequence[SendFacts]
) -> Mapping[UUID | None, str]:
    """The bindings of an organization by scope; where there are many, those of the requested scopes."""
    if account.bindings is None:
        asked = {
            scope
            for request, request_facts in zip(requests, facts, strict=True)
            if request.org_id == account.org_id
            for scope in _scopes_of(request, request_facts)
            if scope is not None
        }
        return _by_scope(await queries.list_bindings(db, account.org_id, list(asked)))
    if not account.bindings:
        return {}
    cached = _scopes.get(account.bindings)
    return cached if cached is not None else _cache(_scopes, account.bindings, _by_scope(account.bindings.split(",")))


def _by_scope(bindings: Iterable[str]) -> Mapping[UUID | None, str]:
    return {UUID(binding.partition("|")[0]): binding for binding in bindings}


def _cache(memory: dict[K, V], key: K, value: V) -> V:
    if len(memory) >= MAX_CACHED:
        memory.clear()
    memory[key] = value
    return value


async def _read_profiles(db: Executor, org_id: UUID, bindings: Sequence[str]) -> list[Bound]:
    named = [binding.split("|") for binding in bindings]
    profiles = {
        profile.id: profile for profile in await queries.list_profiles(db, org_id, [UUID(name[2]) for name in named])
    }
    return [
        Bound(ScopeKind(kind), UUID(scope_id), profiles[UUID(profile_id)])
        for scope_id, kind, profile_id, _ in named
        if UUID(profile_id) in profiles  # it may have been unbound and deleted meanwhile
    ]


def _hours(stored: str) -> QuietHours:
    """An organization's own quiet hours, decoded once for equal settings."""
    cached = _quiet_hours.get(stored)
    if cached is None:
        cached = _cache(_quiet_hours, stored, msgspec.json.decode(stored, type=QuietHours))
    return cached
