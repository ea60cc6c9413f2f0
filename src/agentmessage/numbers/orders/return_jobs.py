"""Giving a number back to the carrier: the job `numbers.return`, once the number is surely unbound.

A disconnection cannot be looked up by its key (docs/carriers/bandwidth.md, section 3.3), so after a crash or a time-out
the numbers in service are read: a number that is gone from there is the carrier's. Running twice is harmless: a number
is disconnected only while it is ours, and a second disconnection of it is refused.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, assert_never
from uuid import UUID

import structlog

from agentmessage.carriers.protocols import Accepted, Deferred, Refused, Unknown
from agentmessage.kernel.db import CellDb
from agentmessage.numbers.orders import queries, renewal_queries, rules
from agentmessage.numbers.orders.carrier_calls import CALL_S, MISS_APART_S, MISSES_THAT_PROVE_ABSENCE, Shop, quote
from agentmessage.numbers.orders.model import Order, OrderStatus
from agentmessage.outbox.job_runner import Done, Snooze

log = structlog.get_logger("agentmessage.numbers")

MAX_PAGES = 10_000


async def give_back(shop: Shop, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
    """Take the return of one number on by one step. May run twice, see the module."""
    order = await queries.find_order(db, UUID(arguments["org_id"]), UUID(arguments["order_id"]))
    if order is None or order.status != OrderStatus.PROCESSING:
        return Done()
    number = order.purchase[0]
    leaving = await renewal_queries.find_leaving(db, order.org_id, number, order.account)
    if leaving is None:
        return await _close(db, order)
    step = Disconnection(shop, db, order, number)
    if order.carrier_order_id is not None:
        return await step.follow(order.carrier_order_id)
    if order.submitted_at is not None:
        return await step.look()
    if not leaving.is_unbound:
        age_s = (db.now - leaving.released_at).total_seconds()
        return Snooze(min(300.0, max(0.25, age_s / 4)))
    return await step.submit()


class Disconnection:
    """The carrier's side of one return."""

    def __init__(self, shop: Shop, db: CellDb, order: Order, number: str) -> None:
        self._shop = shop
        self._db = db
        self._order = order
        self._number = number
        self._source = shop.sources[order.account]

    async def submit(self) -> Snooze:
        """Ask for the disconnection, after saying so."""
        order = self._order
        if not await queries.mark_submitted(
            self._db, order, lookup_conclusive_at=self._db.now + timedelta(seconds=CALL_S)
        ):
            return Snooze(1.0)
        key = order.order_key or ""
        answer = await self._shop.ask(order.account, "write", lambda: self._source.disconnect(key, [self._number]))
        match answer:
            case Accepted(carrier_order_id):
                await queries.mark_known(self._db, order, carrier_order_id)
                return Snooze(rules.poll_delay_s(0))
            case Deferred(reason, retry_after_s):
                await queries.mark_unsubmitted(self._db, order, said=reason)
                return Snooze(retry_after_s)
            case Refused(trouble, code, text):
                log.warning(
                    "number disconnection rejected", order_id=str(order.id), reason=trouble, code=code, text=text
                )
                await self._doubt(f"{code} {text}")
                return Snooze(MISS_APART_S)
            case Unknown(reason, raw):
                await self._doubt(f"{reason}: {raw}")
                return Snooze(MISS_APART_S)
            case _:
                assert_never(answer)

    async def follow(self, carrier_order_id: str) -> Done | Snooze:
        """Read where the disconnection stands; when it is done, so are we."""
        answer = await self._shop.ask(
            self._order.account, "read", lambda: self._source.read_disconnection(carrier_order_id)
        )
        match answer:
            case Accepted(report) if self._number in report.done:
                return await self._retire()
            case Accepted(report) if report.is_final:
                await self._doubt(
                    "; ".join(sorted({f"{refusal.code} {refusal.text}" for refusal in report.refused.values()}))
                )
                return Snooze(MISS_APART_S)
            case Refused(_, code, text):
                await self._doubt(f"{code} {text}")
                return Snooze(MISS_APART_S)
            case Deferred(_, retry_after_s):
                return Snooze(retry_after_s)
            case Accepted() | Unknown():
                await queries.count_poll(self._db, self._order, said=None)
                return Snooze(rules.poll_delay_s(self._order.polls + 1))
            case _:
                assert_never(answer)

    async def look(self) -> Done | Snooze:
        """Is the number still in service? Gone: retired. Still there, twice: order the disconnection again."""
        is_there = await self._is_in_service()
        if is_there is False and await self._is_in_service() is False:  # twice, since pages shift while one turns them
            return await self._retire()
        now, order = self._db.now, self._order
        pause_s = max(MISS_APART_S, rules.poll_delay_s(order.polls + 1))
        if not is_there:
            await queries.count_poll(self._db, order, said=None)
            return Snooze(pause_s)
        if order.lookup_conclusive_at is not None and now < order.lookup_conclusive_at:
            return Snooze(max(0.1, (order.lookup_conclusive_at - now).total_seconds()))
        if order.misses + 1 < MISSES_THAT_PROVE_ABSENCE:
            later = now + timedelta(seconds=MISS_APART_S)
            await queries.mark_doubtful(self._db, order, lookup_conclusive_at=later, misses=order.misses + 1, said=None)
            return Snooze(MISS_APART_S)
        async with self._db.transaction() as tx:
            if await queries.lock_order(tx, order.org_id, order.id) == order:
                key = rules.order_key(order.id, order.round + 1)
                await queries.begin_purchase(tx, order.org_id, order.id, order_key=key, numbers=order.purchase)
        return Snooze(min(3600.0, 2.0**order.round))

    async def _is_in_service(self) -> bool | None:
        """Whether the carrier shows the number as ours; None when it could not be read."""
        page: str | None = None
        for _ in range(MAX_PAGES):
            read = partial(self._source.read_in_service, page)
            answer = await self._shop.ask(self._order.account, "read", read)
            if not isinstance(answer, Accepted):
                return None
            if self._number in answer.value.numbers:
                return True
            page = answer.value.next_page
            if page is None:
                return False
        return None

    async def _doubt(self, words: str) -> None:
        await queries.mark_doubtful(
            self._db, self._order, lookup_conclusive_at=self._db.now, misses=0, said=quote(words)
        )

    async def _retire(self) -> Done:
        order = self._order
        async with self._db.transaction() as tx:
            await renewal_queries.retire(tx, order.org_id, order.account, self._number)
            await queries.finish(
                tx, order.org_id, order.id, status=OrderStatus.COMPLETE, assigned=(), unavailable=[self._number]
            )
        return Done()


async def _close(db: CellDb, order: Order) -> Done:
    """The number is no longer leaving: an earlier run has ended it."""
    async with db.transaction() as tx:
        await queries.finish(
            tx, order.org_id, order.id, status=OrderStatus.COMPLETE, assigned=(), unavailable=order.purchase
        )
    return Done()
