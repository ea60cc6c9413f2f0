"""Makes the carrier follow the desired campaigns: claim what is due, decide, write orders; call after the commit.

A pass has three parts. `plan` decides about due lines in one transaction and writes orders for what must change at the
carrier. `carrier_orders.advance` hands orders over and follows them. `observations.refresh` reads the campaigns whose
numbers wait to be confirmed. Any number of workers run passes side by side: lines are claimed with SKIP LOCKED inside a
transaction, orders by lease. Nothing is kept in memory between passes.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never

import structlog
from msgspec import Struct
from msgspec.structs import replace

from agentmessage.carriers.protocols import LineOptions
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.ids import UUID, new_id
from agentmessage.numbers.binding import carrier_order_queries as order_queries
from agentmessage.numbers.binding import drift_queries, queries, rules
from agentmessage.numbers.binding.call_budget import Budget
from agentmessage.numbers.binding.carrier_order_queries import Member
from agentmessage.numbers.binding.model import (
    Action,
    AwaitSweep,
    Bind,
    Block,
    GiveUp,
    Line,
    Observed,
    Pace,
    Phase,
    Refresh,
    Settle,
    Unbind,
    Wait,
    Withdraw,
)
from agentmessage.numbers.binding.queries import StatusChange
from agentmessage.outbox.event_types import EventType

log = structlog.get_logger("agentmessage.numbers")


class LineCarrier(Struct, frozen=True):
    """One account's carrier as the reconciler uses it. `batch` is the most members of an order that we write."""

    lines: LineOptions
    pace: Pace
    batch: int


class Reconciling(Struct, frozen=True):
    """What every part of a pass works with."""

    db: CellDb
    carriers: Mapping[str, LineCarrier]
    budget: Budget
    rng: random.Random


class RefreshRequest(Struct, frozen=True):
    """A campaign to be read, and how many lines wait for it."""

    account: str
    campaign: str


class Planned(Struct, frozen=True):
    """What a plan left to do outside its transaction, and how many lines it went through."""

    lines: int
    refreshes: frozenset[RefreshRequest]
    wants_sweep: frozenset[str]


PLAN_LIMIT = 1000
MAX_UNSENT = 6
"""Orders of one account that may wait to be handed over before planning for it pauses."""

NOTHING = Planned(0, frozenset(), frozenset())


async def plan(reconciling: Reconciling) -> Planned:
    """Decide about the lines that are due and write what follows, in one transaction."""
    db = reconciling.db
    async with db.transaction() as tx:
        lines = await _claim(reconciling, tx)
        if not lines:
            return NOTHING
        lines = [await _withdrawn(tx, line) for line in lines]
        slots = await _free_slots(tx, lines)
        planning = Planning(reconciling, tx.now, slots)
        for line in lines:
            planning.take(line)
        await planning.write(tx)
        for account in planning.wants_sweep:
            await drift_queries.want(tx, account, tx.now)
    return Planned(len(lines), frozenset(planning.refreshes), frozenset(planning.wants_sweep))


async def _claim(reconciling: Reconciling, tx: Tx) -> list[Line]:
    """Due lines, shared fairly between organizations, of accounts whose orders do not pile up already.

    What is not written into an order yet can still be overtaken by another tenant's single change.
    """
    backlogged = await order_queries.backlogged_accounts(tx, min_orders=MAX_UNSENT)
    accounts = [account for account in reconciling.carriers if account not in backlogged]
    organizations = await queries.due_organizations(tx, accounts, now=tx.now, limit=PLAN_LIMIT)
    if not organizations:
        return []
    share = -(-PLAN_LIMIT // len(organizations))
    return await queries.claim_due(tx, organizations, accounts, now=tx.now, share=share)


async def _withdrawn(tx: Tx, line: Line) -> Line:
    """The line, out of an order that was never sent if it no longer wants to be in it (flaps collapse, trap 4)."""
    if line.op_order_id is None or not isinstance(rules.decide(line, has_slot=True, now=tx.now), Withdraw):
        return line
    if not await order_queries.withdraw_member(tx, line.op_order_id, line.id):
        return replace(line, op_is_sent=True)
    return rules.at_rest(line)


Slots = dict[tuple[str, str], int]
"""Room left by account and campaign: the two accounts may know different campaigns by one id."""


async def _free_slots(tx: Tx, lines: Iterable[Line]) -> Slots:
    """Room left in every campaign that some line may be bound to, under the campaigns' locks."""
    desired: dict[str, set[str]] = {}
    for line in lines:
        if line.op_order_id is None and line.desired_campaign and line.observed == Observed.ABSENT:
            desired.setdefault(line.account, set()).add(line.desired_campaign)
    slots: Slots = {}
    for account in sorted(desired):
        campaigns = sorted(desired[account])
        caps = await queries.lock_campaigns(tx, account, campaigns)
        used = dict(await queries.count_used(tx, account, campaigns))
        slots |= {(account, campaign): cap - used.get(campaign, 0) for campaign, cap in caps}
    return slots


Changes = Sequence[tuple[Line, str | None]]
"""Lines with the campaign that each is to go onto; None: off the one it is on."""


class Planning:
    """One plan in the making: lines in, changed lines and orders out."""

    def __init__(self, reconciling: Reconciling, now: datetime, slots: Slots) -> None:
        self._carriers = reconciling.carriers
        self._now = now
        self._slots = slots
        self._changed: list[tuple[Line, Line, str | None]] = []
        self._changes: dict[str, list[tuple[Line, str | None]]] = {}
        self.refreshes: set[RefreshRequest] = set()
        self.wants_sweep: set[str] = set()

    def take(self, line: Line) -> None:
        """Decide about one line."""
        has_slot = self._slots.get((line.account, line.desired_campaign or ""), 0) > 0
        action = rules.decide(line, has_slot=has_slot, now=self._now)
        if isinstance(action, Bind):
            if line.observed == Observed.ABSENT:
                self._slots[line.account, action.campaign] -= 1
            self._changes.setdefault(line.account, []).append((line, action.campaign))
        elif isinstance(action, Unbind):
            self._changes.setdefault(line.account, []).append((line, None))
        else:
            after, note = self._apply(line, action)
            self._changed.append((line, after, note))

    def _apply(
        self, line: Line, action: Settle | Refresh | AwaitSweep | Wait | Withdraw | GiveUp | Block
    ) -> tuple[Line, str | None]:
        pace = self._carriers[line.account].pace
        match action:
            case Settle():
                return rules.settled(line), "the carrier has what is wanted"
            case Refresh(campaign):
                self.refreshes.add(RefreshRequest(line.account, campaign))
                # The refresh sets the next one; this is for a refresh that broke off, or whose worker died.
                return replace(line, due_at=self._now + timedelta(seconds=pace.max_poll_s)), None
            case AwaitSweep():
                self.wants_sweep.add(line.account)
                return replace(line, phase=Phase.UNKNOWN, due_at=self._now + timedelta(seconds=pace.sweep_s)), None
            case Wait() | Withdraw():
                return replace(line, due_at=None), None
            case GiveUp():
                text = "the operators did not confirm within the deadline"
                return rules.given_up(line, now=self._now, pace=pace, text=text), text
            case Block(trouble, text):
                note = None if line.error_text == text else f"{trouble}: {text}"
                return rules.blocked(line, action, now=self._now, pace=pace), note
            case _:
                assert_never(action)

    async def write(self, tx: Tx) -> None:
        """Write the orders and every changed line."""
        for account, wanted in self._changes.items():
            changes = sorted(wanted, key=lambda change: change[1] is not None)  # what frees slots goes first
            batch = min(self._carriers[account].batch, self._carriers[account].lines.max_batch)
            filled = await self._fill_waiting(tx, account, changes, batch)
            for start in range(filled, len(changes), batch):
                await self._write_order(tx, account, changes[start : start + batch])
        await record(tx, self._changed)

    async def _fill_waiting(self, tx: Tx, account: str, changes: Changes, batch: int) -> int:
        """Put what fits into an order that still waits for the budget or the carrier; returns how many that were.

        Else numbers that change one by one would each cost a call of a budget that grows slower than they come.
        """
        waiting = await order_queries.lock_waiting(tx, account, max_members=batch)
        if waiting is None:
            return 0
        fitting = changes[: batch - waiting.size]
        await order_queries.grow_order(tx, waiting.id, by=len(fitting))
        await self._write_members(tx, account, waiting.id, fitting)
        return len(fitting)

    async def _write_order(self, tx: Tx, account: str, changes: Changes) -> None:
        order_id = new_id()
        await order_queries.insert_order(
            tx, order_id, account=account, order_key=order_key(order_id), size=len(changes)
        )
        await self._write_members(tx, account, order_id, changes)

    async def _write_members(self, tx: Tx, account: str, order_id: UUID, changes: Changes) -> None:
        deadline_at = self._now + timedelta(seconds=self._carriers[account].pace.deadline_s)
        members: list[Member] = []
        for line, campaign in changes:
            queued = _queued(line, campaign, order_id=order_id, now=self._now, deadline_at=deadline_at)
            members.append(Member(line.id, line.number, campaign, queued.op_seq, queued.generation))
            note = f"asks for {campaign}" if campaign else f"asks to leave {line.observed_campaign}"
            self._changed.append((line, queued, note))
        await order_queries.insert_members(tx, order_id, members)


def order_key(order_id: UUID) -> str:
    """Our key for a carrier order: letters, digits and dashes, at most 40 (Bandwidth's CustomerOrderId)."""
    return f"am-line-{order_id.hex}"


def _queued(line: Line, campaign: str | None, *, order_id: UUID, now: datetime, deadline_at: datetime) -> Line:
    return replace(
        line,
        phase=Phase.BIND_QUEUED if campaign else Phase.UNBIND_QUEUED,
        op_seq=line.op_seq + 1,
        op_order_id=order_id,
        op_campaign=campaign,
        op_generation=line.generation,
        op_submitted_at=now,
        op_accepted_at=None,
        op_deadline_at=deadline_at,
        attempts=line.attempts if line.op_generation == line.generation else 0,
        due_at=None,
    )


TRANSITIONS_KEPT = 50
OPERATIONS_BETWEEN_TRIMS = 16
"""A number's history is cut when it grows: looking for long ones among millions would read them all."""

Changed = tuple[Line, Line, str | None]
"""A line before and after, and a note for its history (None: not worth one)."""


async def record(tx: Tx, changed: Sequence[Changed]) -> None:
    """Write changed lines, their history, what customers see of them, and the events."""
    moved = [(before, after, note) for before, after, note in changed if after != before]
    if not moved:
        return
    await queries.save(tx, [after for _, after, _ in moved])
    noted = [(after, note) for _, after, note in moved if note is not None]
    if noted:
        await queries.add_transitions(tx, [after for after, _ in noted], [note for _, note in noted])
        if long := [after.id for after, _ in noted if after.op_seq % OPERATIONS_BETWEEN_TRIMS == 0]:
            await queries.trim_transitions(tx, long, keep=TRANSITIONS_KEPT)
    statuses = [change for before, after, _ in moved if (change := _status_change(before, after)) is not None]
    if statuses:
        await queries.save_statuses(tx, statuses)
    await _use_freed_slots(tx, [(before, after) for before, after, _ in moved])


async def _use_freed_slots(tx: Tx, moved: Sequence[tuple[Line, Line]]) -> None:
    """Numbers left campaigns: let those that wait for a slot there try."""
    freed: dict[str, set[str]] = {}
    for before, after in moved:
        if before.observed_campaign and after.observed_campaign != before.observed_campaign:
            freed.setdefault(before.account, set()).add(before.observed_campaign)
    for account in sorted(freed):
        await queries.make_waiting_due(tx, account, sorted(freed[account]), limit=len(moved))


def _status_change(before: Line, after: Line) -> StatusChange | None:
    status = rules.public_status(after)
    if status == before.status:
        return None
    event: EventType | None = None
    if status == "propagated":
        event = EventType.PHONE_NUMBER_CAMPAIGN_ASSIGNED
    elif status is None:
        event = EventType.PHONE_NUMBER_CAMPAIGN_UNASSIGNED
    elif status == "failed":
        event = EventType.PHONE_NUMBER_CAMPAIGN_FAILED
    return StatusChange(after.id, status, event.value if event else None)


__all__ = ["Action", "LineCarrier", "Planned", "Reconciling", "RefreshRequest", "order_key", "plan", "record"]
