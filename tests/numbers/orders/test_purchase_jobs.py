"""Orders that outlive their request: crashes, lost answers, races, and the ledger through all of it."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from agentmessage.app import callbacks
from agentmessage.billing import operations as billing
from agentmessage.billing import queries as billing_queries
from agentmessage.carriers.protocols import (
    Accepted,
    Answer,
    OrderHint,
    OrderKind,
    OrderState,
    PurchaseReport,
    Refused,
    Trouble,
)
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.errors import InsufficientInventory
from agentmessage.numbers.orders import operations as orders
from agentmessage.numbers.orders import purchase_jobs
from agentmessage.numbers.orders import queries as order_queries
from agentmessage.numbers.orders.model import Criteria, Order, Settings
from agentmessage.outbox.job_runner import JobRunner
from tests.conftest import Client
from tests.make.accounts import Account, open_account
from tests.numbers.harness import Floor, balance_cents, event_types, states, stock
from tests.numbers.virtual_clock import Fuse, MortalDb, WorkerKilled

A, B, C, D = "+14155550101", "+14155550102", "+14155550103", "+14155550104"


async def place(floor: Floor, account: Account, *numbers: str) -> UUID:
    """An order by name, as the API writes it."""
    order_id = new_id()
    async with floor.db.transaction() as tx:
        await orders.place(tx, account.tenant, order_id=order_id, numbers=numbers, settings=Settings())
    return order_id


async def place_bulk(floor: Floor, account: Account, quantity: int, area_code: str = "415") -> UUID:
    """A bulk order, as the API writes it."""
    order_id = new_id()
    criteria = Criteria(number_type="local", area_code=area_code)
    async with floor.db.transaction() as tx:
        await orders.place_bulk(
            tx, account.tenant, order_id=order_id, quantity=quantity, criteria=criteria, settings=Settings()
        )
    return order_id


async def order_of(floor: Floor, account: Account, order_id: UUID) -> Order:
    """An order as it stands."""
    order = await order_queries.find_order(floor.db, account.org_id, order_id)
    assert order is not None
    return order


async def require_sound(floor: Floor) -> None:
    """The ledger sums, and inventory and ownership agree."""
    assert await billing_queries.list_unbalanced(floor.db) == []
    inconsistent = await floor.db.all(
        str,
        """SELECT coalesce(i.number, p.number) FROM directory.inventory i
           FULL JOIN phone_numbers p ON p.account = i.account AND p.number = i.number
           WHERE (i.state IN ('available', 'retired')) <> (p.id IS NULL)
              OR p.state <> i.state OR p.org_id <> i.org_id""",
    )
    assert inconsistent == []


# ── lost answers ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", ["timeout_after", "error_after", "reset_after", "garbled"])
async def test_a_purchase_whose_answer_was_lost_is_looked_up_and_not_repeated(
    floor: Floor, account: Account, fault: str
) -> None:
    floor.wire.once(fault, operation="numbers.buy")

    order_id = await place(floor, account, A)
    await floor.settle()

    assert (await order_of(floor, account, order_id)).status == "complete"
    assert len(floor.wire.purchases()) == 1
    await require_sound(floor)


@pytest.mark.parametrize("fault", ["timeout_before", "error_before", "rate_limited"])
async def test_a_purchase_that_never_arrived_is_sent_again_under_the_same_key(
    floor: Floor, account: Account, fault: str
) -> None:
    floor.wire.once(fault, operation="numbers.buy")

    order_id = await place(floor, account, A)
    await floor.settle()

    assert (await order_of(floor, account, order_id)).status == "complete"
    assert [purchase["key"] for purchase in floor.wire.purchases()] == [f"am-{order_id.hex}-1"]


async def test_a_purchase_that_hides_from_one_look_up_is_not_repeated(floor: Floor, account: Account) -> None:
    """One miss proves nothing."""
    floor.wire.once("timeout_after", operation="numbers.buy")
    floor.wire.once("order_hidden", operation="numbers.find")

    order_id = await place(floor, account, A)
    await floor.settle()

    assert (await order_of(floor, account, order_id)).status == "complete"
    assert len([path for method, path in floor.wire.asked if method == "POST" and path.endswith("/orders")]) == 1


async def test_a_crash_between_saying_and_speaking_waits_until_the_call_must_be_over(
    floor: Floor, account: Account
) -> None:
    """The first worker may still be speaking; only later does a look-up that finds nothing count."""
    order_id = await place(floor, account, A)
    order = await order_of(floor, account, order_id)
    later = floor.db.now.replace(year=floor.db.now.year + 1)
    assert await order_queries.mark_submitted(floor.db, order, lookup_conclusive_at=later)

    for _ in range(5):
        await floor.turn()

    assert floor.wire.purchases() == []
    assert (await order_of(floor, account, order_id)).misses == 0


async def test_an_order_that_the_carrier_forgot_is_looked_up_again(floor: Floor, account: Account) -> None:
    floor.wire.once("order_hidden", operation="numbers.order")

    order_id = await place(floor, account, A)
    await floor.settle()

    assert (await order_of(floor, account, order_id)).status == "complete"
    assert len(floor.wire.purchases()) == 1


# ── what the carrier says ───────────────────────────────────────────────────────────────────────────────────


class ScriptedSource:
    """A carrier that has sold the first `delivered` members of every order, or refuses to take one."""

    def __init__(self, delivered: int = 0, refusal: Refused | None = None) -> None:
        self.delivered = delivered
        self.refusal = refusal
        self.bought: list[tuple[str, Sequence[str]]] = []

    async def buy(self, order_key: str, numbers: Sequence[str]) -> Answer[str]:
        self.bought.append((order_key, numbers))
        return self.refusal or Accepted(str(len(self.bought) - 1))

    async def read_purchase(self, carrier_order_id: str) -> Answer[PurchaseReport]:
        key, numbers = self.bought[int(carrier_order_id)]
        done = tuple(numbers[: self.delivered])
        refused = {number: Refused(Trouble.UNCLASSIFIED, "5005", "gone") for number in numbers[self.delivered :]}
        return Accepted(PurchaseReport(carrier_order_id, key, OrderState.PARTIAL, done, refused))


async def run_with(floor: Floor, source: Any) -> None:
    """Run the jobs against a scripted carrier until none is left."""
    runner = JobRunner(floor.db, purchase_jobs.handlers({"live": source}))
    for _ in range(20):
        await floor.hurry()
        if not await runner.run_due():
            return
    raise AssertionError("jobs do not come to an end")


async def test_what_a_failed_order_had_bought_goes_into_the_pool(floor: Floor, account: Account) -> None:
    await stock(floor.db, D)

    order_id = await place(floor, account, A, B, C, D)
    await run_with(floor, ScriptedSource(delivered=2))

    order = await order_of(floor, account, order_id)
    assert (order.status, order.unavailable) == ("failed", [C])
    assert await states(floor.db) == {A: "available", B: "available", D: "available"}
    assert await balance_cents(floor.db, account.org_id) == 100_000
    await require_sound(floor)


async def test_a_bulk_order_keeps_what_it_got_and_goes_on(floor: Floor, account: Account) -> None:
    order_id = await place_bulk(floor, account, 4)
    await floor.turn()
    order = await order_of(floor, account, order_id)
    got, lost = order.purchase[:3], order.purchase[3:]
    async with floor.db.transaction() as tx:
        await orders.settle(tx, account.tenant, order_id, order_key=str(order.order_key), done=got)

    await floor.settle()

    order = await order_of(floor, account, order_id)
    assert order.status == "complete"
    assert set(got) < set(order.assigned)
    assert len(order.assigned) == 4
    assert lost
    await require_sound(floor)


async def test_a_purchase_that_the_carrier_turns_down_is_refunded(floor: Floor, account: Account) -> None:
    order_id = await place(floor, account, A)

    await run_with(floor, ScriptedSource(refusal=Refused(Trouble.MONEY, "5190", "no funds")))

    assert (await order_of(floor, account, order_id)).status == "failed"
    assert await states(floor.db) == {}
    assert await balance_cents(floor.db, account.org_id) == 100_000
    said = await floor.db.value("SELECT carrier_response FROM number_orders")
    assert said == "5190 no funds: money"


async def test_an_order_that_fails_and_is_refunded_earns_no_tier_and_one_that_is_filled_does(
    floor: Floor, account: Account
) -> None:
    """102 numbers of an area code that has 100 come to 95.88 dollars, and so do 5 more to over 100."""
    async with floor.db.transaction() as tx:
        await billing.charge(
            tx,
            account.tenant,
            kind="lookup",
            quantity=1,
            unit_cost_microcents=9_800_000_000,
            source="test",
            source_ref="before",
        )
    failing = await place_bulk(floor, account, 102)
    while_open = await tier_of(floor, account)
    await floor.settle()
    after_failure = await tier_of(floor, account)

    filled = await place_bulk(floor, account, 5, "312")
    before_settling = await tier_of(floor, account)
    await floor.settle()

    assert (await order_of(floor, account, failing)).status == "failed"
    assert (await order_of(floor, account, filled)).status == "complete"
    assert (while_open, after_failure, before_settling, await tier_of(floor, account)) == (1, 1, 1, 2)
    await require_sound(floor)


async def tier_of(floor: Floor, account: Account) -> int:
    """Where the organization stands on the ladder of throughput."""
    return await floor.db.value("SELECT throughput_tier FROM organizations WHERE id = $1", account.org_id)


async def test_settling_twice_refunds_once(floor: Floor, account: Account) -> None:
    order_id = await place(floor, account, A)
    key = f"am-{order_id.hex}-1"

    async def settle() -> None:
        async with floor.db.transaction() as tx:
            await orders.settle(tx, account.tenant, order_id, order_key=key, done=())

    await asyncio.gather(*(settle() for _ in range(8)))

    assert await balance_cents(floor.db, account.org_id) == 100_000
    assert await floor.db.value("SELECT count(*) FROM ledger_transactions WHERE kind = 'refund'") == 1
    assert await event_types(floor.db, account.org_id) == ["phone_number.order.failed"]


async def test_a_number_that_was_ours_keeps_its_generation_when_it_cannot_be_bought(
    floor: Floor, account: Account
) -> None:
    await stock(floor.db, A, generation=9, op_seq=4)
    await floor.db.run("UPDATE directory.inventory SET state = 'retired'")

    await place(floor, account, A)
    await run_with(floor, ScriptedSource(refusal=Refused(Trouble.OWNERSHIP, "5005", "gone")))

    assert await states(floor.db) == {A: "retired"}
    assert await floor.db.value("SELECT generation FROM directory.inventory") == 9


async def test_a_number_that_was_given_back_can_be_bought_again(floor: Floor, account: Account) -> None:
    await stock(floor.db, A, generation=9)
    await floor.db.run("UPDATE directory.inventory SET state = 'retired'")

    await place(floor, account, A)
    await floor.settle()

    assert await states(floor.db) == {A: "assigned"}
    assert await floor.db.value("SELECT generation FROM phone_numbers") == 10


async def test_a_callback_brings_the_purchase_forward(floor: Floor, account: Account) -> None:
    floor.wire.once("order_stuck", operation="numbers.buy")
    order_id = await place(floor, account, A)
    await floor.turn()
    await floor.turn()
    order = await order_of(floor, account, order_id)
    far = floor.db.now.replace(year=floor.db.now.year + 1)
    await floor.db.run("UPDATE jobs SET run_at = $1", far)

    hint = OrderHint(str(order.carrier_order_id), "", OrderKind.PURCHASE)
    known = await callbacks.hint_order(floor.db, account="live", hint=hint)

    assert known
    assert await floor.db.value("SELECT run_at <= $1 FROM jobs WHERE kind = 'numbers.buy'", floor.db.now)
    assert not await callbacks.hint_order(floor.db, account="sandbox", hint=hint)
    assert not await callbacks.hint_order(floor.db, account="live", hint=OrderHint("unknown", "", OrderKind.PURCHASE))


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("in_pool", [True, False])
async def test_of_two_organizations_that_order_one_number_exactly_one_wins(
    floor: Floor, account: Account, stranger: Account, *, in_pool: bool
) -> None:
    numbers = [f"+141555501{n:02d}" for n in range(20)]
    if in_pool:
        await stock(floor.db, *numbers)
    one, other = Client(floor.api, account.key), Client(floor.api, stranger.key)

    async with floor.working():
        for number in numbers:
            replies = await asyncio.gather(
                *(client.post("/v1/phone-numbers/orders", {"numbers": [number]}) for client in (one, other, one, other))
            )
            assert sorted(reply.status for reply in replies) == [201, 409, 409, 409]

    assert await states(floor.db) == dict.fromkeys(numbers, "assigned")
    spent = 200_000 - await balance_cents(floor.db, account.org_id) - await balance_cents(floor.db, stranger.org_id)
    assert spent == len(numbers) * 94
    await require_sound(floor)


async def test_orders_that_overlap_do_not_wait_for_each_other_forever(
    floor: Floor, account: Account, stranger: Account
) -> None:
    numbers = [f"+141555501{n:02d}" for n in range(40)]
    await stock(floor.db, *numbers[::2])
    rng = random.Random(5)
    clients = [Client(floor.api, account.key), Client(floor.api, stranger.key)]

    async with floor.working():
        replies = await asyncio.gather(
            *(clients[n % 2].post("/v1/phone-numbers/orders", {"numbers": rng.sample(numbers, 4)}) for n in range(30))
        )

    assert {reply.status for reply in replies} <= {201, 409}
    assert 201 in {reply.status for reply in replies}
    await require_sound(floor)


async def test_bulk_orders_at_once_share_the_pool_without_a_number_given_twice(
    floor: Floor, account: Account, stranger: Account
) -> None:
    numbers = [f"+141555501{n:02d}" for n in range(60)]
    await stock(floor.db, *numbers)
    clients = [Client(floor.api, account.key), Client(floor.api, stranger.key)]

    replies = await asyncio.gather(
        *(clients[n % 2].post("/v1/phone-numbers/bulk", {"quantity": 5, "area_code": "415"}) for n in range(12))
    )

    assert sorted(number for reply in replies for number in reply.data["assigned_numbers"]) == numbers
    await require_sound(floor)


# ── the same request again ──────────────────────────────────────────────────────────────────────────────────


async def test_the_same_key_twice_at_once_orders_once(floor: Floor, shop: Client, account: Account) -> None:
    headers = {"Idempotency-Key": "k-1"}

    async with floor.working():
        replies = await asyncio.gather(
            *(shop.post("/v1/phone-numbers/orders", {"numbers": [A, B]}, headers=headers) for _ in range(4))
        )

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    assert await balance_cents(floor.db, account.org_id) == 100_000 - 2 * 94
    assert len(floor.wire.purchases()) == 1


async def test_a_request_that_died_while_it_waited_is_answered_by_its_order(
    floor: Floor, shop: Client, account: Account
) -> None:
    headers = {"Idempotency-Key": "k-2"}
    task = asyncio.create_task(shop.post("/v1/phone-numbers/orders", {"numbers": [A]}, headers=headers))
    await floor.until("SELECT count(*) > 0 FROM number_orders")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await floor.settle()

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A]}, headers=headers)

    assert (reply.status, reply.data[0]["number"]) == (201, A)
    assert await balance_cents(floor.db, account.org_id) == 100_000 - 94


async def test_a_failed_order_is_the_same_failure_under_its_key(floor: Floor, shop: Client) -> None:
    headers = {"Idempotency-Key": "k-3"}
    order = {"numbers": ["+14152345678"]}

    async with floor.working():
        first = await shop.post("/v1/phone-numbers/orders", order, headers=headers)
        second = await shop.post("/v1/phone-numbers/orders", order, headers=headers)

    assert (first.status, second.status) == (409, 409)
    assert first.error["details"] == second.error["details"]
    assert len(floor.wire.purchases()) == 1


# ── crashes ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_worker_killed_at_every_await_buys_nothing_twice_and_charges_once(floor: Floor) -> None:
    """Orders of both kinds, each worker killed one await later than the last, the next one taking over."""
    for awaits in range(1, 40):
        account = await open_account(floor.cells, name=f"Acme {awaits}", cents=1000)
        by_name = f"+1{('415', '650', '707')[awaits % 3]}55501{awaits:02d}"
        order_id = await place(floor, account, by_name) if awaits % 2 else await place_bulk(floor, account, 2, "312")
        fuse = Fuse(awaits)
        runner = JobRunner(MortalDb(floor.db, fuse), purchase_jobs.handlers(floor.sources))
        for _ in range(4):
            await floor.hurry()
            try:
                await runner.run_due()
            except WorkerKilled:
                break
        await floor.db.run("UPDATE jobs SET lease_token = NULL, lease_until = NULL")
        await floor.settle()

        order = await order_of(floor, account, order_id)
        assert order.status == "complete", awaits
        assert await balance_cents(floor.db, account.org_id) == 1000 - 94 * order.quantity
        held = await floor.db.value("SELECT count(*) FROM phone_numbers WHERE org_id = $1", account.org_id)
        assert held == order.quantity
    keys = [purchase["key"] for purchase in floor.wire.purchases()]
    assert len(keys) == len(set(keys)) == 39
    await require_sound(floor)


@pytest.mark.parametrize("seed", range(6))
async def test_the_ledger_sums_whatever_goes_wrong(floor: Floor, account: Account, seed: int) -> None:
    """Random orders against a carrier that fails at random; in the end everybody has what they paid for."""
    rng = random.Random(seed)
    await stock(floor.db, *(f"+141555501{n:02d}" for n in range(0, 40, 3)))
    faults = ("timeout_after", "timeout_before", "error_after", "rate_limited", "order_failed", "order_hidden")
    floor.wire.control("faults", {"probabilities": dict.fromkeys(faults, 0.15)})
    for _ in range(12):
        if rng.random() < 0.5:
            numbers = [f"+1415555{n:04d}" for n in rng.sample(range(100, 140), rng.randint(1, 3))]
            await _try_to_place(floor, account, numbers)
        else:
            await place_bulk(floor, account, rng.randint(1, 4))
        await floor.turn()
    floor.wire.control("reset", {})

    await floor.settle(200)

    assigned = await floor.db.value("SELECT count(*) FROM phone_numbers WHERE state = 'assigned'")
    assert await floor.db.value("SELECT count(*) FROM phone_numbers WHERE state = 'ordering'") == 0
    assert await balance_cents(floor.db, account.org_id) == 100_000 - 94 * assigned
    await require_sound(floor)


async def _try_to_place(floor: Floor, account: Account, numbers: list[str]) -> None:
    try:
        await place(floor, account, *numbers)
    except InsufficientInventory:
        return
