"""The real reconciler against the real simulator core, in one process, under a clock that only the story moves."""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from agentmessage.app.callbacks import hint_order
from agentmessage.carriers.bandwidth import BandwidthCallbacks, BandwidthLines, BandwidthSubscriptions
from agentmessage.carriers.http import HttpAnswer, LineBroke
from agentmessage.carriers.protocols import Accepted, Callback, ForgedCallback, OrderHint, UnreadableCallback
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import carrier_orders, drift, observations, reconciler
from agentmessage.numbers.binding import queries as binding_queries
from agentmessage.numbers.binding.call_budget import UNLIMITED, Budget, Limits
from agentmessage.numbers.binding.model import SIMULATED, Pace
from agentmessage.numbers.binding.reconciler import LineCarrier, Reconciling
from agentmessage.simulator.core.http_types import HttpRequest
from agentmessage.simulator.world import World
from tests.carriers.world_line import ACCOUNT, START

HOOK = "http://us.test/callbacks/carrier/live"


class WorkerKilled(Exception):
    """kill -9, at an await."""


class VirtualClock:
    """Time stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        """The present instant; each look is a microsecond later than the last, as on a real machine."""
        self.moment += timedelta(microseconds=1)
        return self.moment


class Fuse:
    """Kills a worker at one of its awaits. `burn` counts them; None never kills."""

    def __init__(self, awaits: int | None) -> None:
        self.left = awaits
        self.is_dead = False
        self.under_way = 0

    def burn(self) -> None:
        """One await more; raises WorkerKilled from the fatal one on, for ever."""
        if self.left is not None and not self.is_dead:
            self.left -= 1
            self.is_dead = self.left < 0
        if self.is_dead:
            raise WorkerKilled


class MortalDb(CellDb):
    """A cell's database as a worker sees it that may be killed before or after every statement and commit."""

    def __init__(self, db: CellDb, fuse: Fuse) -> None:
        super().__init__(db.name, db._pool, db._clock)
        self._fuse = fuse

    async def one(self, row: Callable[..., Any], sql: Any, *args: object) -> Any:
        return await self._mortal(super().one(row, sql, *args))

    async def all(self, row: Callable[..., Any], sql: Any, *args: object) -> Any:
        return await self._mortal(super().all(row, sql, *args))

    async def value(self, sql: Any, *args: object) -> Any:
        return await self._mortal(super().value(sql, *args))

    async def run(self, sql: Any, *args: object) -> int:
        return await self._mortal(super().run(sql, *args))

    async def _mortal(self, work: Any) -> Any:
        try:
            self._fuse.burn()
        except WorkerKilled:
            work.close()
            raise
        result = await work
        self._fuse.burn()
        return result

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        self._fuse.burn()
        async with super().transaction() as tx:
            yield tx
            self._fuse.burn()  # killed before the commit
        self._fuse.burn()  # killed after it


class MortalWire:
    """HttpTransport into the world, which may be killed before or after every request; counts what matters."""

    def __init__(self, story: "Story", fuse: Fuse) -> None:
        self._story = story
        self._fuse = fuse

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        self._fuse.burn()
        await self._story.note_request(method, url, body)
        split = urlsplit(url)
        world, clock = self._story.world, self._story.clock
        reply = world.handle(HttpRequest(method, split.path, split.query, dict(headers), body), clock.now())
        self._fuse.burn()
        if reply.breakage is not None or reply.delay_s > timeout_s:
            raise LineBroke(str(reply.breakage or "time-out"))
        return HttpAnswer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)


class Story:
    """A world, a database, two workers and some customers; what has been seen that must never be."""

    def __init__(
        self, db: CellDb, clock: VirtualClock, *, seed: int, profile: str = "demo", pace: Pace = SIMULATED
    ) -> None:
        self.db = db
        self.clock = clock
        self.rng = random.Random(seed)
        self.pace = pace
        self.world = World(seed=seed, profile=profile, started_at=START)
        self.callbacks = BandwidthCallbacks(ACCOUNT)
        self.delivered: list[Callback] = []
        self.unkeyed: list[str] = []
        self.submissions: list[tuple[str, int]] = []
        self.callbacks_received = 0

    def reconciling(self, fuse: Fuse | None = None) -> Reconciling:
        """A worker's view: `fuse` kills it."""
        fuse = fuse or Fuse(None)
        db = MortalDb(self.db, fuse)
        lines = BandwidthLines(ACCOUNT, MortalWire(self, fuse))
        budget = Budget(db, {"live": Limits(UNLIMITED, UNLIMITED, self.pace.breaker_s)})
        return Reconciling(db, {"live": LineCarrier(lines, self.pace, 5)}, budget, self.rng)

    async def note_request(self, method: str, url: str, body: bytes) -> None:
        """Invariant (f): no submission without a key that is stored already."""
        if method == "POST" and url.endswith("/tnoptions"):
            key = _KEY.search(body.decode())
            name = key.group(1) if key else ""
            known = await self.db.value("SELECT true FROM carrier_orders WHERE order_key = $1", name)
            if not known:
                self.unkeyed.append(name)
            self.submissions.append((name, body.count(b"<TelephoneNumber>")))

    async def subscribe(self) -> None:
        """Have the carrier call back about every order that moves."""
        subscriptions = BandwidthSubscriptions(ACCOUNT, MortalWire(self, Fuse(None)))
        assert await subscriptions.subscribe(HOOK) == Accepted(None)

    def control(self, path: str, body: object | None = None) -> Any:
        """A word with the simulator itself."""
        method, raw = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        reply = self.world.handle(HttpRequest(method, f"/_control/{path}", "", {}, raw), self.clock.now())
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def pass_time(self, seconds: float) -> None:
        """Let the world go on."""
        self.clock.moment += timedelta(seconds=seconds)
        self.world.advance(self.clock.moment)

    # ── workers ────────────────────────────────────────────────────────────────────────────────────────────

    async def work(self, fuse: Fuse | None = None) -> bool:
        """One pass of a worker: plan, hand over, look. False: it was killed on the way."""
        reconciling = self.reconciling(fuse)
        try:
            planned = await reconciler.plan(reconciling)
            await _all_of(carrier_orders.advance(reconciling))
            if planned.refreshes:
                await observations.refresh(reconciling, planned.refreshes)
        except WorkerKilled:
            return False
        return True

    async def sweep(self, fuse: Fuse | None = None) -> bool:
        """One turn of the sweep. False: it was killed."""
        try:
            reconciling = self.reconciling(fuse)
            await drift.sweep_due(reconciling, [reconciling.db], heal_percent=100)
        except WorkerKilled:
            return False
        return True

    async def deliver(self) -> int:
        """Hand over the callbacks that are due, and now and then one of long ago again."""
        due = [
            Callback({name.lower(): value for name, value in out.headers.items()}, out.url, out.body, self.clock.now())
            for out in self.world.due_callbacks(self.clock.now())
        ]
        self.delivered += due
        if self.delivered and self.rng.random() < 0.3:
            due.append(self.rng.choice(self.delivered))
        self.rng.shuffle(due)
        for callback in due:
            try:
                hints = self.callbacks.read(callback)
            except (ForgedCallback, UnreadableCallback):
                continue
            for hint in hints:
                assert isinstance(hint, OrderHint)
                self.callbacks_received += await hint_order(self.db, account="live", hint=hint)
        return len(due)

    # ── truth ──────────────────────────────────────────────────────────────────────────────────────────────

    def bindings(self) -> dict[str, str | None]:
        """What the carrier really has."""
        return {number: binding["campaign"] for number, binding in self.control("oracle")["bindings"].items()}

    async def rows(self) -> list[dict[str, Any]]:
        """Every number with its desired campaign and its line."""
        async with self.db.connection() as connection:
            records = await connection.fetch(
                """SELECT p.id, p.number, p.campaign_id, p.generation, p.line_option_status,
                          p.line_option_propagated_at, c.tcr_campaign_id AS desired, c.status AS campaign_status,
                          c.is_suspended, l.phase, l.observed, l.observed_campaign, l.applied_generation, l.op_order_id,
                          l.due_at, l.trouble, l.error_text, l.attempts
                   FROM phone_numbers p JOIN line_options l ON l.phone_number_id = p.id
                        LEFT JOIN campaigns c ON c.id = p.campaign_id ORDER BY p.number"""
            )
        return [dict(record) for record in records]


_KEY = re.compile(r"<CustomerOrderId>([^<]*)</CustomerOrderId>")


async def _all_of(work: Any) -> None:
    """Run to the end, also when one of several siblings is killed: a dead process has no survivors."""
    before = asyncio.all_tasks()
    try:
        await work
    finally:
        siblings = asyncio.all_tasks() - before - {asyncio.current_task()}
        await asyncio.gather(*siblings, return_exceptions=True)


async def add_number(db: CellDb, org_id: UUID, number: str) -> UUID:
    """An assigned number without a campaign, as the carrier has it."""
    number_id = new_id()
    async with db.transaction() as tx:
        await tx.run(
            """INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, generation, desired_at,
                                          created_at, updated_at)
               VALUES ($1, $2, 'live', $3, 'local', 'assigned', 1, $4, $4, $4)""",
            number_id,
            org_id,
            number,
            tx.now,
        )
        await tx.run(
            """INSERT INTO line_options (phone_number_id, org_id, account, number, phase, observed, observed_at,
                                         applied_generation, updated_at)
               VALUES ($1, $2, 'live', $3, 'unbound', 'absent', $4, 1, $4)""",
            number_id,
            org_id,
            number,
            tx.now,
        )
    return number_id


async def make_campaign_due(db: CellDb, campaign_id: UUID) -> None:
    """What the campaign's event does."""
    await binding_queries.make_campaign_due(db, campaign_id)
