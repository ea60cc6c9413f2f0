"""Hands written orders to the carrier and follows them to their end: claim by lease, call, record.

An order that is about to be submitted is marked `unknown` by its claim, before the call. If the worker dies, or
receives nothing, it stays unknown, and the next claim looks it up by its key: found, it is followed; surely not there
(two misses some seconds apart), it is submitted again under the same key. Never blindly.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import assert_never

import structlog

from agentmessage.carriers.protocols import Accepted, Deferred, LineChange, OrderReport, Refused, Unknown
from agentmessage.kernel.backoff import backoff_s
from agentmessage.kernel.db import Tx
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import carrier_order_queries as queries
from agentmessage.numbers.binding import queries as binding_queries
from agentmessage.numbers.binding import rules
from agentmessage.numbers.binding.carrier_order_queries import CarrierOrder, Verdict
from agentmessage.numbers.binding.model import Line, Phase
from agentmessage.numbers.binding.reconciler import Changed, LineCarrier, Reconciling, record

log = structlog.get_logger("agentmessage.numbers")

ORDERS_AT_ONCE = 8
MISSES_THAT_PROVE_ABSENCE = 2


async def advance(reconciling: Reconciling) -> int:
    """Move every order that is due one step on; returns how many moved."""
    db = reconciling.db
    accounts = await _accounts_to_call(reconciling)
    if not accounts:
        return 0
    lease_s = max(reconciling.carriers[account].pace.lease_s for account in accounts)
    orders = await queries.claim_orders(
        db,
        accounts=accounts,
        now=db.now,
        lease_token=new_id(),
        until=db.now + timedelta(seconds=lease_s),
        limit=ORDERS_AT_ONCE,
    )
    await asyncio.gather(*(_advance(reconciling, order) for order in orders))
    return len(orders)


async def _accounts_to_call(reconciling: Reconciling) -> Sequence[str]:
    """Accounts whose breaker is closed; one that has been open for its time is probed first, by a harmless read."""
    budget = reconciling.budget
    accounts = await budget.open_accounts()
    if len(accounts) == len(reconciling.carriers):
        return accounts
    for account, carrier in reconciling.carriers.items():
        if account not in accounts and await budget.take_probe(account):
            await budget.probed(account, await carrier.lines.read_all(None))
    return await budget.open_accounts()


async def _advance(reconciling: Reconciling, order: CarrierOrder) -> None:
    kind = "write" if order.was == "written" else "read"
    wait_s = await reconciling.budget.take(order.account, kind)
    if wait_s > 0:
        await _hold(reconciling, order, Deferred("our own budget", wait_s))
        return
    step = Step(reconciling, order)
    match order.was:
        case "written":
            await step.submit()
        case "unknown":
            await step.look_up()
        case _:
            await step.follow()


async def _hold(reconciling: Reconciling, order: CarrierOrder, deferred: Deferred) -> None:
    """Nothing was done: as it was, later."""
    db = reconciling.db
    is_submission = order.was == "written"
    await queries.release_order(
        db,
        order,
        state=order.was,
        due_at=db.now + timedelta(seconds=deferred.retry_after_s),
        misses=order.misses,
        polls=order.polls,
        submissions=order.submissions - 1 if is_submission else None,
    )


class Step:
    """One call for one order, and what its answer changes."""

    def __init__(self, reconciling: Reconciling, order: CarrierOrder) -> None:
        self._reconciling = reconciling
        self._order = order
        self._carrier: LineCarrier = reconciling.carriers[order.account]
        self._db = reconciling.db

    async def submit(self) -> None:
        """Hand the order over."""
        order = self._order
        members = await queries.list_members(self._db, order.id)
        if not members:
            await queries.release_order(self._db, order, state="done", due_at=None)
            return
        changes = [LineChange(member.number, member.campaign) for member in members]
        answer = await self._carrier.lines.submit(order.order_key, changes)
        await self._reconciling.budget.record_answer(order.account, answer, operation="lines.submit")
        match answer:
            case Accepted(carrier_order_id):
                await self._submitted(carrier_order_id)
            case Refused():
                await self._refused_whole(answer)
            case Deferred():
                await _hold(self._reconciling, order, self._patience(answer))
            case Unknown():
                await self._in_doubt(answer)
            case _:
                assert_never(answer)

    async def look_up(self) -> None:
        """Ask whether the carrier has an order under our key."""
        order = self._order
        answer = await self._carrier.lines.find_order(order.order_key)
        await self._reconciling.budget.record_answer(order.account, answer, operation="lines.find_order")
        match answer:
            case Accepted(None):
                misses = order.misses + 1
                state = "written" if misses >= MISSES_THAT_PROVE_ABSENCE else "unknown"
                await self._later(state, self._carrier.pace.lookup_s, misses=misses % MISSES_THAT_PROVE_ABSENCE)
            case Accepted(report) if report is not None:
                await self._reported(report)
            case Refused() | Unknown():
                log.warning("carrier order lookup not parsed", order_key=order.order_key, response=str(answer)[:300])
                await self._later("unknown", self._carrier.pace.lookup_s * 2, raw=_raw(answer))
            case Deferred():
                await self._later("unknown", max(self._carrier.pace.lookup_s, self._patience(answer).retry_after_s))
            case _:
                await self._later("unknown", self._carrier.pace.lookup_s)

    async def follow(self) -> None:
        """Ask where the order stands."""
        order = self._order
        answer = await self._carrier.lines.read_order(order.carrier_order_id or "")
        await self._reconciling.budget.record_answer(order.account, answer, operation="lines.read_order")
        match answer:
            case Accepted(report):
                await self._reported(report)
            case Refused():
                await self._later("unknown", self._carrier.pace.lookup_s)  # it does not know its own id: ask by our key
            case Deferred():
                await self._later("submitted", self._patience(answer).retry_after_s, polls=order.polls + 1)
            case Unknown():
                log.warning("carrier order status not parsed", order_key=order.order_key, reason=answer.reason)
                await self._later("submitted", self._poll_s(), polls=order.polls + 1, raw=answer.raw)
            case _:
                assert_never(answer)

    async def _submitted(self, carrier_order_id: str) -> None:
        async with self._db.transaction() as tx:
            if not await queries.release_order(
                tx,
                self._order,
                state="submitted",
                due_at=tx.now + timedelta(seconds=self._carrier.pace.first_poll_s),
                carrier_order_id=carrier_order_id,
            ):
                return
            await self._move(tx, Phase.BINDING, Phase.UNBINDING, f"handed over as carrier order {carrier_order_id}")

    async def _refused_whole(self, refusal: Refused) -> None:
        async with self._db.transaction() as tx:
            if not await queries.release_order(tx, self._order, state="refused", due_at=None):
                return
            lines = await binding_queries.lock_by_order(tx, self._order.id)
            await self._conclude(tx, lines, {line.number: refusal for line in lines}, {})

    async def _in_doubt(self, answer: Unknown) -> None:
        log.warning("carrier order outcome unknown", order_key=self._order.order_key, reason=answer.reason)
        async with self._db.transaction() as tx:
            due_at = tx.now + timedelta(seconds=self._carrier.pace.lookup_s)
            if not await queries.release_order(tx, self._order, state="unknown", due_at=due_at, raw=answer.raw or None):
                return
            await self._move(tx, Phase.UNKNOWN, Phase.UNKNOWN, f"in doubt: {answer.reason}"[:200])

    async def _reported(self, report: OrderReport) -> None:
        if report.is_final:
            await self._ended(report)
            return
        begun_at = self._order.submitted_at or self._db.now
        if (self._db.now - begun_at).total_seconds() >= self._carrier.pace.deadline_s:
            await self._stuck(report)
            return
        async with self._db.transaction() as tx:
            due_at = tx.now + timedelta(seconds=self._poll_s())
            if not await queries.release_order(
                tx,
                self._order,
                state="submitted",
                due_at=due_at,
                carrier_order_id=report.carrier_order_id,
                polls=self._order.polls + 1,
            ):
                return
            if self._order.was == "unknown":
                await self._move(tx, Phase.BINDING, Phase.UNBINDING, "found at the carrier by its key")

    async def _ended(self, report: OrderReport) -> None:
        async with self._db.transaction() as tx:
            if not await queries.release_order(
                tx, self._order, state="done", due_at=None, carrier_order_id=report.carrier_order_id
            ):
                return
            lines = await binding_queries.lock_by_order(tx, self._order.id)
            await self._conclude(tx, lines, report.refused, report.warned)

    async def _stuck(self, report: OrderReport) -> None:
        """The carrier never ends the order: stop waiting, read the numbers, try once more, then say so."""
        text = f"carrier order {report.carrier_order_id} did not end within the deadline"
        async with self._db.transaction() as tx:
            if not await queries.release_order(tx, self._order, state="done", due_at=None):
                return
            lines = await binding_queries.lock_by_order(tx, self._order.id)
            pace = self._carrier.pace
            await record(tx, [(x, rules.given_up(x, now=tx.now, pace=pace, text=text), text) for x in lines])

    async def _conclude(
        self, tx: Tx, lines: Sequence[Line], refused: Mapping[str, Refused], warned: Mapping[str, str]
    ) -> None:
        pace = self._carrier.pace
        changed: list[Changed] = []
        verdicts: list[Verdict] = []
        for line in lines:
            refusal = refused.get(line.number)
            if refusal is not None:
                chance = self._reconciling.rng.random()
                after = rules.refused(line, refusal, now=tx.now, pace=pace, chance=chance)
                changed.append((line, after, f"refused ({refusal.trouble}): {refusal.code} {refusal.text}"[:300]))
                verdicts.append(Verdict(line.id, "refused", refusal.code, refusal.text[:500]))
                continue
            warning = warned.get(line.number)
            note = f"accepted with a warning: {warning}"[:300] if warning else "accepted by the carrier"
            changed.append((line, rules.accepted(line, now=tx.now, pace=pace), note))
            verdicts.append(Verdict(line.id, "accepted", None, warning))
        await record(tx, changed)
        if verdicts:
            await queries.save_verdicts(tx, self._order.id, verdicts)

    async def _move(self, tx: Tx, bind: Phase, unbind: Phase, note: str) -> None:
        """Show a new phase on every member."""
        lines = await binding_queries.lock_by_order(tx, self._order.id)
        await record(tx, [(x, rules.in_phase(x, unbind if x.is_unbind else bind), note) for x in lines])

    async def _later(
        self, state: str, delay_s: float, *, misses: int = 0, polls: int | None = None, raw: str | None = None
    ) -> None:
        await queries.release_order(
            self._db,
            self._order,
            state=state,
            due_at=self._db.now + timedelta(seconds=delay_s),
            misses=misses,
            polls=self._order.polls if polls is None else polls,
            raw=raw or None,
        )

    def _poll_s(self) -> float:
        pace = self._carrier.pace
        return backoff_s(self._order.polls, first_s=pace.first_poll_s, max_s=pace.max_poll_s, growth=pace.poll_growth)

    def _patience(self, deferred: Deferred) -> Deferred:
        """The carrier's own word on waiting if it gave one, else our backoff."""
        if deferred.reason == THROTTLED:
            return deferred
        pace, chance = self._carrier.pace, self._reconciling.rng.random()
        return Deferred(deferred.reason, rules.retry_delay_s(self._order.polls + 1, pace, chance))


THROTTLED = "too many requests"
"""How the port's adapters say 429; its `retry_after_s` is the carrier's own."""


def _raw(answer: Refused | Unknown) -> str | None:
    return answer.raw or None if isinstance(answer, Unknown) else f"{answer.code} {answer.text}"
