"""Simulation under a virtual clock: random attaches, releases, resales, expiry, faults, crashes, callbacks and drift.

The invariants (a) to (f) below hold at every step, also with two workers at once.

A failing seed is in the test's name and in its message. `AGENTMESSAGE_SEED=17` with this file replays it alone,
`AGENTMESSAGE_SEEDS=1000` runs that many, `AGENTMESSAGE_STEPS` sets how long each story is.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import open_cell
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant, operator
from agentmessage.numbers import operations
from agentmessage.numbers.binding import reconciler
from agentmessage.numbers.orders import operations as orders
from agentmessage.numbers.orders import release, renewal_queries
from agentmessage.numbers.orders.model import Settings
from tests.conftest import TEMPLATE
from tests.make.campaigns import insert_campaign
from tests.numbers.virtual_clock import Fuse, Story, VirtualClock, add_number, make_campaign_due

STEPS = int(os.environ.get("AGENTMESSAGE_STEPS", "300"))
ONE_SEED = os.environ.get("AGENTMESSAGE_SEED")
SEEDS = [int(ONE_SEED)] if ONE_SEED else range(int(os.environ.get("AGENTMESSAGE_SEEDS", "100")))
NUMBERS = [f"+1415555{n:04d}" for n in range(100, 112)]
CAPS = {"CAAAAAA": 3, "CBBBBBB": 49, "CCCCCCC": 5, "CDDDDDD": 4, "CEEEEEE": 49}
MORTAL = "CBBBBBB"
"""The campaign that may expire, for good."""

OWNERS = {"CAAAAAA": 0, "CBBBBBB": 0, "CCCCCCC": 0, "CDDDDDD": 1, "CEEEEEE": 1}
"""Which of the two organizations has which campaign; numbers change hands."""

ROUNDS_TO_CONVERGE = 400

FAULTS = (
    "timeout_before", "error_before", "rate_limited", "timeout_after", "error_after", "reset_after", "garbled",
    "order_failed", "order_partial", "order_warned", "order_noop", "order_slow", "order_late_success",
    "member_rejected", "number_busy", "operator_rejects", "operator_slow", "stale_read", "filter_ignored",
    "page_drift", "order_hidden", "callback_lost", "callback_duplicated", "callback_late", "callback_reordered",
    "callback_garbled",
)  # fmt: skip


class Chaos:
    """Users, faults and workers of one seed."""

    def __init__(self, story: Story, org_id: UUID) -> None:
        self.story = story
        self.rng = story.rng
        self.tenants = [operator(member, "cell_00", "live") for member in (org_id, new_id())]
        self.campaigns: dict[str, UUID] = {}
        self.has_expired = False
        self.may_hide = self.rng.random() < 0.5  # whether look-ups may lie about orders in this story
        self.history: list[str] = []

    async def begin(self) -> None:
        story = self.story
        for tenant in self.tenants:
            await self._open(tenant)
        await story.subscribe()
        story.control("numbers", {"numbers": NUMBERS})
        for number in NUMBERS:
            await add_number(story.db, self.tenants[0].org_id, number)
            await story.db.run(
                """INSERT INTO directory.inventory (account, number, number_type, state, org_id, cell, generation)
                   VALUES ('live', $1, 'local', 'assigned', $2, 'cell_00', 1)""",
                number,
                self.tenants[0].org_id,
            )
        for tcr_id, cap in CAPS.items():
            story.control(f"campaigns/{tcr_id}", {"status": "ACTIVE", "create": True})
            self.campaigns[tcr_id] = await insert_campaign(
                story.db, self.tenants[OWNERS[tcr_id]].org_id, tcr_campaign_id=tcr_id, number_cap=cap
            )

    async def _open(self, tenant: Tenant) -> None:
        """An organization with all the money in the world."""
        db = self.story.db
        await db.run(
            "INSERT INTO directory.organizations (id, cell, mode) VALUES ($1, 'cell_00', 'live')", tenant.org_id
        )
        await db.run(
            """INSERT INTO organizations (id, mode, name, quiet_hours, auto_replies, created_at, updated_at)
               VALUES ($1, 'live', 'Chaos', '{}', '{}', $2, $2)""",
            tenant.org_id,
            db.now,
        )
        await db.run(
            "INSERT INTO wallets (org_id, balance_microcents, updated_at) VALUES ($1, 1000000000000000, $2)",
            tenant.org_id,
            db.now,
        )

    async def step(self) -> None:
        acts: list[tuple[float, Callable[[], Awaitable[Any]]]] = [
            (30, self._attach),
            (36, self._work),
            (6, self._work_together),
            (8, self._crash),
            (4, self._release),
            (4, self._sell_again),
            (0.15, self._expire),
            (20, self._pass_time),
            (12, self.story.deliver),
            (6, self.story.sweep),
            (6, self._fault),
            (2, self._drift),
            (4, self._move_campaign),
        ]
        act = self.rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
        self.history.append(act.__name__)
        await act()

    async def _assigned(self) -> list[tuple[UUID, Tenant]]:
        """Every number that an organization holds, with its holder."""
        held = await self.story.db.all(
            lambda number_id, org_id: (number_id, org_id),
            "SELECT id, org_id FROM phone_numbers WHERE state = 'assigned' ORDER BY number",
        )
        return [(number_id, next(t for t in self.tenants if t.org_id == org_id)) for number_id, org_id in held]

    async def _attach(self) -> None:
        held = await self._assigned()
        if not held:
            return
        number, tenant = self.rng.choice(held)
        theirs = [tcr_id for tcr_id, owner in OWNERS.items() if self.tenants[owner] == tenant]
        try:
            if self.rng.random() < 0.35:
                await operations.detach(self.story.db, tenant, number)
            else:
                await operations.attach(self.story.db, tenant, number, self.campaigns[self.rng.choice(theirs)])
        except ApiError as error:
            if error.code != "CAMPAIGN_NOT_ACTIVE":
                raise

    async def _release(self) -> None:
        held = await self._assigned()
        if not held:
            return
        number, tenant = self.rng.choice(held)
        async with self.story.db.transaction() as tx:
            await release.release(tx, tenant, number, return_to_carrier=False, quarantine_days=0)

    async def _sell_again(self) -> None:
        """A quarantine ends once the carrier has surely unbound the number; then anybody may have it."""
        db = self.story.db
        async with db.transaction() as tx:
            await renewal_queries.end_quarantines(tx, limit=100)
        free = await db.all(str, "SELECT number FROM directory.inventory WHERE state = 'available' ORDER BY number")
        for number in free:
            assert number not in await self._in_flight(), f"{number} sold with the last owner's operation in flight"
            tenant = self.rng.choice(self.tenants)
            async with db.transaction() as tx:
                await orders.place(tx, tenant, order_id=new_id(), numbers=[number], settings=Settings())

    async def _in_flight(self) -> list[str]:
        """Numbers whose outcome at the carrier is still to come."""
        return await self.story.db.all(
            str,
            """SELECT m.number FROM carrier_order_items m JOIN carrier_orders o ON o.id = m.order_id
               WHERE o.state IN ('written', 'unknown', 'submitted')""",
        )

    async def _expire(self) -> None:
        """The campaign ends, here and at the registry, and never comes back."""
        self.has_expired = True
        await self.story.db.run("UPDATE campaigns SET status = 'EXPIRED' WHERE tcr_campaign_id = $1", MORTAL)
        self.story.control(f"campaigns/{MORTAL}", {"status": "EXPIRED"})
        await make_campaign_due(self.story.db, self.campaigns[MORTAL])

    async def _work(self) -> None:
        before = await self._bound_for()
        await self.story.work()
        await self._check_caps(before)

    async def _work_together(self) -> None:
        """Three workers at once, one of which may die; often each plans a few lines only, so that they meet."""
        before = await self._bound_for()
        mortal = Fuse(self.rng.randrange(60)) if self.rng.random() < 0.3 else None
        usual, reconciler.PLAN_LIMIT = reconciler.PLAN_LIMIT, self.rng.choice([1, 2, 1000])
        try:
            await asyncio.gather(*(self.story.work(fuse) for fuse in (None, mortal, None)))
        finally:
            reconciler.PLAN_LIMIT = usual
        await self._check_caps(before)

    async def _crash(self) -> None:
        await self.story.work(Fuse(self.rng.randrange(40)))
        if self.rng.random() < 0.2:
            await self.story.sweep(Fuse(self.rng.randrange(10)))

    async def _pass_time(self) -> None:
        self.story.pass_time(self.rng.choice([0.05, 0.3, 1.0, 3.0, 10.0, 95.0, 700.0]))

    async def _fault(self) -> None:
        if self.rng.random() < 0.3:
            self.story.control("reset", {})
            return
        possible = [name for name in FAULTS if self.may_hide or name != "order_hidden"]
        chosen = self.rng.sample(possible, self.rng.randrange(1, 5))
        self.story.control("faults", {"probabilities": {name: self.rng.choice([0.05, 0.2, 0.5]) for name in chosen}})

    async def _drift(self) -> None:
        campaign = self.rng.choice([None, *CAPS])
        self.story.control("drift", {"number": self.rng.choice(NUMBERS), "campaign": campaign})

    async def _move_campaign(self) -> None:
        tcr_id = self.rng.choice(self._living())
        status = self.rng.choice(["ACTIVE", "ACTIVE", "SUSPENDED", "DORMANT"])
        self.story.control(f"campaigns/{tcr_id}", {"status": status})
        await self._set_suspended(tcr_id, is_suspended=status == "SUSPENDED")

    def _living(self) -> list[str]:
        return [tcr_id for tcr_id in CAPS if tcr_id != MORTAL or not self.has_expired]

    async def _set_suspended(self, tcr_id: str, *, is_suspended: bool) -> None:
        await self.story.db.run(
            "UPDATE campaigns SET is_suspended = $2 WHERE tcr_campaign_id = $1", tcr_id, is_suspended
        )
        await make_campaign_due(self.story.db, self.campaigns[tcr_id])

    # ── what must hold at every step ───────────────────────────────────────────────────────────────────────

    async def _bound_for(self) -> set[tuple[str, UUID]]:
        rows = await self.story.db.all(
            lambda campaign, order: (campaign, order),
            "SELECT op_campaign, op_order_id FROM line_options WHERE op_campaign IS NOT NULL",
        )
        return set(rows)

    async def _check_caps(self, before: set[tuple[str, UUID]]) -> None:
        """(c) A plan never binds a number to a campaign that is full, counting seen and under way together."""
        fresh = {campaign for campaign, _ in await self._bound_for() - before}
        for campaign in fresh:
            used = await self.story.db.value(
                """SELECT count(*) FROM line_options WHERE op_campaign = $1
                     OR (observed_campaign = $1 AND NOT (op_order_id IS NOT NULL AND op_campaign = $1))""",
                campaign,
            )
            assert used <= CAPS[campaign], f"(c) {campaign} holds {used} of {CAPS[campaign]}"

    async def check(self) -> None:
        story = self.story
        assert not story.unkeyed, f"(f) submitted without a stored key: {story.unkeyed}"
        flying = await self._in_flight()
        doubled = {number for number in flying if flying.count(number) > 1}
        assert not doubled, f"(b) two operations in flight for {doubled}"
        for row in await story.rows():
            if row["line_option_status"] == "propagated":
                assert row["applied_generation"] == row["generation"], f"(d) an old generation settled {row}"
                assert row["observed_campaign"] == row["desired"], f"(d) settled on another campaign {row}"
                assert row["line_option_propagated_at"] is not None
            else:
                assert row["line_option_propagated_at"] is None
            if row["line_option_status"] is None:
                assert row["campaign_id"] is None

    # ── in the end ─────────────────────────────────────────────────────────────────────────────────────────

    async def calm(self) -> None:
        """No faults any more, every campaign active: then (a), every number converges to its desired campaign."""
        story = self.story
        story.control("reset", {})
        for tcr_id in self._living():
            story.control(f"campaigns/{tcr_id}", {"status": "ACTIVE"})
            await self._set_suspended(tcr_id, is_suspended=False)
        left: list[Any] = []
        for _ in range(ROUNDS_TO_CONVERGE):
            await story.work()
            await story.deliver()
            await story.sweep()
            await self.check()
            left = await self._unconverged()
            if not left:
                self._require_no_repetition()
                assert story.callbacks_received, "no callback was ever received"
                return
            story.pass_time(self.rng.choice([0.2, 1.0, 5.0]))
        pytest.fail(f"(a) not converged: {left}\noracle {story.bindings()}")

    def _require_no_repetition(self) -> None:
        """An order in doubt is looked up, and sent again only when the carrier surely has not got it."""
        repeated = self.story.control("oracle")["repeated_submissions"]
        assert self.may_hide or not repeated.get("line_key"), f"submitted again blindly: {repeated}"

    async def _unconverged(self) -> list[Any]:
        bindings = self.story.bindings()
        full = await self._overfull()
        left: list[Any] = []
        for row in await self.story.rows():
            truth = bindings[row["number"]]
            wanted = row["desired"] if row["campaign_id"] else None
            if wanted in full and row["line_option_status"] == "failed" and row["trouble"] == "capacity":
                continue
            if wanted == MORTAL and self.has_expired:
                if row["line_option_status"] != "failed" or row["op_order_id"] is not None:
                    left.append((row["number"], wanted, truth, row))
                continue
            status = "propagated" if row["campaign_id"] else None
            if truth != wanted or row["line_option_status"] != status or row["op_order_id"] is not None:
                left.append((row["number"], wanted, truth, row))
        return left

    async def _overfull(self) -> set[str]:
        """Campaigns that more numbers desire than they can hold: there some are refused for good reason."""
        desired = await self.story.db.all(
            lambda tcr_id, count: (tcr_id, count),
            """SELECT c.tcr_campaign_id, count(*) FROM phone_numbers p JOIN campaigns c ON c.id = p.campaign_id
               GROUP BY c.tcr_campaign_id""",
        )
        return {tcr_id for tcr_id, count in desired if count > CAPS[tcr_id]}


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_number_converges_to_its_desired_campaign_whatever_happens(
    seed: int, postgres: EmbeddedPostgres
) -> None:
    """Users attach and detach, carriers fail, workers die, callbacks repeat: (b) to (f) at every step, then (a)."""
    clock = VirtualClock()
    name = f"chaos_{seed}_{new_id().hex[-8:]}"
    db = await open_cell(await postgres.create_database(name, template=TEMPLATE), "cell_00", pool_size=8, clock=clock)
    try:
        await db.run("UPDATE directory.drift_sweeps SET due_at = $1", clock.now())
        chaos = Chaos(Story(db, clock, seed=seed), new_id())
        await chaos.begin()
        try:
            for _ in range(STEPS):
                await chaos.step()
                await chaos.check()
            await chaos.calm()
        except BaseException as error:
            error.add_note(f"seed {seed}, step {len(chaos.history)}, last acts {chaos.history[-12:]}")
            raise
    finally:
        await db.close()
        await postgres.drop_database(name)
