"""Buying what the pool could not give: the job `numbers.buy`, one order at a time: claim │ call carrier │ record.

The key and the numbers of a purchase are stored before anybody speaks; `submitted_at` is set before the call and taken
back only when the carrier surely has nothing. After a crash or a time-out the purchase is looked up by its key; two
look-ups that find nothing, some seconds apart, allow the same key again. Nothing is bought twice, whatever crashes.

Running a job twice, also at once, is harmless: every step is conditional on the state it was decided on, and an order
is settled under its row's lock, once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, assert_never
from uuid import UUID

import structlog

from agentmessage.carriers.protocols import (
    Accepted,
    Deferred,
    NumberSource,
    PurchaseReport,
    Refused,
    Trouble,
    Unknown,
)
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.tenant import Tenant, operator
from agentmessage.numbers.binding.call_budget import Budget
from agentmessage.numbers.errors import InsufficientInventory
from agentmessage.numbers.orders import inventory, operations, queries, renewals, return_jobs, rules
from agentmessage.numbers.orders.carrier_calls import (
    CALL_S,
    MISS_APART_S,
    MISSES_THAT_PROVE_ABSENCE,
    TOPIC,
    Shop,
    quote,
)
from agentmessage.numbers.orders.model import Criteria, Order, OrderStatus
from agentmessage.outbox.job_runner import Done, Handler, Snooze
from agentmessage.outbox.notifications import Ring

log = structlog.get_logger("agentmessage.numbers")

MAX_STEPS = 20
MAX_ROUNDS = 6
FILL_FOR_S = 900.0
SPARE = 20
"""Numbers searched for beyond what is needed, since others may be buying the first ones."""


def handlers(
    sources: Mapping[str, NumberSource], *, budget: Budget | None = None, ring: Ring | None = None
) -> dict[str, Handler]:
    """The jobs of getting and giving back numbers, over each account's source.

    `budget` bounds the calls; `ring` notifies waiting requests that an order has ended (they also poll).
    """
    shop = Shop(sources, budget, ring)
    return {
        rules.BUY_JOB: partial(buy, shop),
        rules.RETURN_JOB: partial(return_jobs.give_back, shop),
        "numbers.detach_campaign": renewals.detach_campaign,
    }


async def buy(shop: Shop, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
    """Take an order on as far as it goes without waiting. May run twice, see the module."""
    org_id, order_id = UUID(arguments["org_id"]), UUID(arguments["order_id"])
    for _ in range(MAX_STEPS):
        order = await queries.find_order(db, org_id, order_id)
        if order is None or order.status != OrderStatus.PROCESSING:
            if shop.ring is not None:
                shop.ring(db.name, TOPIC)
            return Done()
        pause = await Purchase(shop, db, order).step()
        if pause is not None:
            return pause
    return Snooze(1.0)


class Purchase:
    """One order and the next step on its way. A step returns None to go on immediately, or how long to wait."""

    def __init__(self, shop: Shop, db: CellDb, order: Order) -> None:
        self._shop = shop
        self._db = db
        self._order = order
        self._tenant: Tenant = operator(order.org_id, db.name, order.account)
        self._source = shop.sources[order.account]

    async def step(self) -> Snooze | None:
        """The step that fits: follow, look up, submit, or find something to buy."""
        order = self._order
        if order.carrier_order_id is not None:
            return await self._follow(order.carrier_order_id)
        if order.submitted_at is not None:
            return await self._look_up(order.order_key or "", order.lookup_conclusive_at or order.submitted_at)
        if order.order_key is not None:
            return await self._submit(order.order_key)
        return await self._fill()

    async def _submit(self, key: str) -> Snooze | None:
        """Hand the purchase over, after saying so."""
        now = self._db.now
        if not await queries.mark_submitted(
            self._db, self._order, lookup_conclusive_at=now + timedelta(seconds=CALL_S)
        ):
            return None
        numbers = list(self._order.purchase)
        answer = await self._shop.ask(self._order.account, "write", lambda: self._source.buy(key, numbers))
        match answer:
            case Accepted(carrier_order_id):
                await queries.mark_known(self._db, self._order, carrier_order_id)
                return Snooze(rules.poll_delay_s(0))
            case Refused():
                return await self._turned_down(key, answer)
            case Deferred(reason, retry_after_s):
                await queries.mark_unsubmitted(self._db, self._order, said=reason)
                return Snooze(retry_after_s)
            case Unknown(reason, raw):
                words = quote(reason, raw)
                await queries.mark_doubtful(
                    self._db, self._order, lookup_conclusive_at=self._db.now, misses=0, said=words
                )
                return Snooze(1.0)
            case _:
                assert_never(answer)

    async def _turned_down(self, key: str, refusal: Refused) -> Snooze | None:
        """The carrier took nothing: wait out an illness for a while, otherwise this purchase is over."""
        words = quote(f"{refusal.code} {refusal.text}", refusal.trouble)
        log.warning(
            "number purchase rejected", order_id=str(self._order.id), reason=refusal.trouble, carrier_text=words
        )
        await queries.mark_unsubmitted(self._db, self._order, said=words)
        if refusal.trouble is Trouble.TRANSIENT and self._age_s() < FILL_FOR_S:
            return Snooze(rules.poll_delay_s(self._order.polls + 1))
        await self._settle(key, done=())
        return None

    async def _look_up(self, key: str, lookup_conclusive_at: datetime) -> Snooze | None:
        """It may or may not have arrived: ask the carrier by our key."""
        answer = await self._shop.ask(self._order.account, "read", lambda: self._source.find_purchase(key))
        match answer:
            case Accepted(report):
                if report is None:
                    return await self._missed(lookup_conclusive_at)
                await queries.mark_known(self._db, self._order, report.carrier_order_id)
                return None
            case Deferred(_, retry_after_s):
                return Snooze(retry_after_s)
            case Refused() | Unknown():
                return await self._patience(answer)
            case _:
                assert_never(answer)

    async def _missed(self, lookup_conclusive_at: datetime) -> Snooze | None:
        now, order = self._db.now, self._order
        if now < lookup_conclusive_at:
            return Snooze(max(0.1, (lookup_conclusive_at - now).total_seconds()))
        if order.misses + 1 >= MISSES_THAT_PROVE_ABSENCE:
            await queries.mark_unsubmitted(self._db, order, said=None)
            return None
        later = now + timedelta(seconds=MISS_APART_S)
        await queries.mark_doubtful(self._db, order, lookup_conclusive_at=later, misses=order.misses + 1, said=None)
        return Snooze(MISS_APART_S)

    async def _follow(self, carrier_order_id: str) -> Snooze | None:
        """Read where the purchase stands, and settle it when it has ended."""
        answer = await self._shop.ask(self._order.account, "read", lambda: self._source.read_purchase(carrier_order_id))
        match answer:
            case Accepted(report):
                return await self._reported(report)
            case Refused(_, code, text):
                words = quote(f"{code} {text}")
                later = self._db.now + timedelta(seconds=MISS_APART_S)
                await queries.mark_doubtful(self._db, self._order, lookup_conclusive_at=later, misses=0, said=words)
                return Snooze(MISS_APART_S)
            case Deferred(_, retry_after_s):
                return Snooze(retry_after_s)
            case Unknown():
                return await self._patience(answer)
            case _:
                assert_never(answer)

    async def _reported(self, report: PurchaseReport) -> Snooze | None:
        if not report.is_final:
            return await self._patience(None)
        if report.refused:
            words = "; ".join(sorted({f"{refusal.code} {refusal.text}" for refusal in report.refused.values()}))
            await queries.count_poll(self._db, self._order, said=quote(words))
        await self._settle(self._order.order_key or "", done=report.done)
        return None

    async def _settle(self, key: str, *, done: Sequence[str]) -> None:
        async with self._db.transaction() as tx:
            await operations.settle(tx, self._tenant, self._order.id, order_key=key, done=frozenset(done))

    async def _patience(self, answer: Refused | Unknown | None) -> Snooze:
        """Nothing new: look again later, and later each time."""
        words: str | None = None
        match answer:
            case Unknown(reason, raw):
                words = quote(reason, raw)
            case Refused(_, code, text):
                words = quote(f"{code} {text}")
            case None:
                pass
        await queries.count_poll(self._db, self._order, said=words)
        return Snooze(rules.poll_delay_s(self._order.polls + 1))

    async def _fill(self) -> Snooze | None:
        """A bulk order with nothing under way: pool, then carrier; without hope it fails."""
        async with self._db.transaction() as tx:
            order = await queries.lock_order(tx, self._order.org_id, self._order.id)
            if order is None or order.status != OrderStatus.PROCESSING or order.order_key is not None:
                return None
            lacking = await operations.fill_from_pool(tx, self._tenant, order)
            if not lacking:
                await operations.complete_if_full(tx, self._tenant, order)
                return None
            if order.round >= MAX_ROUNDS or self._age_s() > FILL_FOR_S:
                await operations.fail(tx, self._tenant, order, available_count=order.quantity - lacking)
                return None
        return await self._search(operations.criteria_of(self._order), lacking)

    async def _search(self, criteria: Criteria, lacking: int) -> Snooze | None:
        answer = await self._shop.ask(
            self._order.account,
            "read",
            lambda: self._source.search(
                area_code=criteria.area_code,
                number_type=criteria.number_type,
                pattern=None,
                quantity=lacking + SPARE,
            ),
        )
        match answer:
            case Accepted(found):
                return await self._choose([available.number for available in found], lacking)
            case Deferred(_, retry_after_s):
                return Snooze(retry_after_s)
            case Refused() | Unknown():
                return await self._patience(answer)
            case _:
                assert_never(answer)

    async def _choose(self, found: Sequence[str], lacking: int) -> Snooze | None:
        """Begin the next purchase with what is for sale; when that is too little, the order fails."""
        chosen = (await inventory.list_unknown(self._db, self._order.account, found))[:lacking]
        try:
            async with self._db.transaction() as tx:
                order = await queries.lock_order(tx, self._order.org_id, self._order.id)
                if order is None or order.status != OrderStatus.PROCESSING or order.order_key is not None:
                    return None
                if len(chosen) < lacking:
                    available_count = order.quantity - lacking + len(chosen)
                    await operations.fail(tx, self._tenant, order, available_count=available_count)
                else:
                    await operations.begin_round(tx, self._tenant, order, chosen)
        except InsufficientInventory:  # another order was faster: search again for the rest
            return await self._patience(None)
        return None

    def _age_s(self) -> float:
        return (self._db.now - self._order.created_at).total_seconds()
