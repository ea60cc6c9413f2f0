"""The shop floor: the whole API in this process, a simulated carrier behind it, and a worker that runs its jobs."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, LiteralString
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import structs

from agentmessage.app.api import Api
from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.app.routes import bound_routes
from agentmessage.carriers.http import HttpAnswer, LineBroke, NotSent
from agentmessage.kernel.db import CellDb, Cells, Executor
from agentmessage.numbers.orders import purchase_jobs
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.settings import Settings
from agentmessage.simulator.core.http_types import HttpRequest
from agentmessage.simulator.world import World
from agentmessage.web.router import Router


class Wire:
    """HttpTransport into a World on the machine's clock. `is_down`: no carrier can be reached."""

    def __init__(self, profile: str) -> None:
        self.world = World(seed=11, profile=profile, started_at=datetime.now(UTC))
        self.is_down = False
        self.asked: list[tuple[str, str]] = []

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        split = urlsplit(url)
        self.asked.append((method, split.path))
        if self.is_down:
            raise NotSent("down")
        await asyncio.sleep(0)
        now = datetime.now(UTC)
        reply = self.world.handle(HttpRequest(method, split.path, split.query, dict(headers), body), now)
        if reply.breakage is not None or reply.delay_s > timeout_s:
            raise LineBroke(str(reply.breakage or "time-out"))
        return HttpAnswer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)

    def control(self, path: str, body: object | None = None) -> Any:
        """A word with the simulator itself."""
        method, raw = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        reply = self.world.handle(HttpRequest(method, f"/_control/{path}", "", {}, raw), datetime.now(UTC))
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def once(self, fault: str, **given: Any) -> None:
        """The next time that it applies, something goes wrong."""
        self.control("faults", {"once": [{"fault": fault, **given}]})

    def purchases(self) -> list[Any]:
        """The carrier's own record of what it was asked to sell."""
        return [order for order in self.control("oracle")["number_orders"] if order["kind"] == "orders"]

    def in_service(self) -> set[str]:
        """The numbers that the carrier really has in service for us."""
        return set(self.control("oracle")["bindings"])


class Floor:
    """Everything of one test. `with working()` a worker runs next to the test; `run_jobs` runs due jobs."""

    def __init__(self, cells: Cells, settings: Settings, db: CellDb, profile: str = "instant") -> None:
        self.cells = cells
        self.settings = settings
        self.db = db
        self.wire = Wire(profile)
        self.carriers = carrier_sets(settings, self.wire)
        self.api = Api(settings, cells=cells, carriers=self.carriers)
        self.sources = {account: carrier.numbers for account, carrier in self.carriers.items()}

    def runner(self, db: CellDb | None = None) -> JobRunner:
        """A worker's jobs."""
        return JobRunner(db or self.db, purchase_jobs.handlers(self.sources, ring=self.api.bells.strike))

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """A worker next to the test."""
        task = asyncio.create_task(self._work())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _work(self) -> None:
        runner = self.runner()
        while True:
            if not await runner.run_due():
                await asyncio.sleep(0.01)

    def be_impatient(self, wait_s: int = 0) -> None:
        """Requests wait so long for an order and no longer."""
        settings = structs.replace(self.settings, order_wait_seconds=wait_s)
        self.api.api_app._router = Router(bound_routes(structs.replace(self.api.services, settings=settings)))

    async def turn(self) -> int:
        """Run what is due, once."""
        await self.hurry()
        return await self.runner().run_due()

    async def hurry(self) -> None:
        """Make every waiting job due now."""
        await self.db.run("UPDATE jobs SET run_at = $1 WHERE lease_token IS NULL", self.db.now)

    async def until(self, is_so: LiteralString) -> None:
        """Wait for what a statement asks for, at most five seconds."""
        for _ in range(500):
            if await self.db.value(is_so):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(is_so)

    async def settle(self, turns: int = 60) -> None:
        """Run jobs, as if time flew, until none is left."""
        runner = self.runner()
        for _ in range(turns):
            await self.db.run(
                "UPDATE number_orders SET lookup_conclusive_at = $1 WHERE lookup_conclusive_at > $1", self.db.now
            )
            await self.hurry()
            if not await runner.run_due():
                return
        raise AssertionError("jobs do not come to an end")


async def stock(db: Executor, *numbers: str, account: str = "live", kind: str = "local", **given: Any) -> None:
    """Numbers in the pool."""
    for number in numbers:
        await db.run(
            """INSERT INTO directory.inventory (account, number, number_type, state, generation, op_seq, is_observed)
               VALUES ($1, $2, $3, 'available', $4, $5, $6)""",
            account,
            number,
            kind,
            given.get("generation", 0),
            given.get("op_seq", 0),
            given.get("is_observed", True),
        )


async def states(db: Executor) -> dict[str, str]:
    """Every number of the inventory with its state."""
    return dict(await db.all(_pair, "SELECT number, state FROM directory.inventory ORDER BY number"))


async def balance_cents(db: Executor, org_id: UUID) -> int:
    """What the wallet holds."""
    return (await db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", org_id)) // 1_000_000


async def event_types(db: Executor, org_id: UUID) -> Sequence[str]:
    """What happened to numbers, in order."""
    return await db.all(
        str, "SELECT type FROM events WHERE org_id = $1 AND family = 'phone_number' ORDER BY xid, id", org_id
    )


def _pair(first: Any, second: Any) -> tuple[Any, Any]:
    return first, second
