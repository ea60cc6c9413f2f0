"""kill -9 of every process in the middle of a thousand attaches and detaches: nothing that was answered is lost."""

import asyncio
import random
from collections import Counter
from typing import Any

import aiohttp
import pytest

from agentmessage.kernel.db import Cells
from tests.proofs.running import (
    Customer,
    Running,
    control,
    customer,
    is_up,
    own_campaigns,
    own_numbers,
    platform,
    until,
)

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("up")]

CLIENTS = 16
NUMBERS = 48
CHANGES = 1000
VICTIMS = ["api-1", "worker", "simulator", "postgres"] * 3
FAULTS = {
    "timeout_before": 0.02,
    "timeout_after": 0.02,
    "error_before": 0.05,
    "error_after": 0.05,
    "reset_after": 0.05,
    "order_partial": 0.05,
    "number_busy": 0.05,
    "callback_lost": 0.2,
    "callback_duplicated": 0.2,
}


class Client:
    """Changes its own numbers over and over, and knows for each which wishes it may have."""

    def __init__(self, one: Customer, numbers: list[str], campaigns: list[str], seed: int) -> None:
        self._one = one
        self._numbers = numbers
        self._campaigns = campaigns
        self._rng = random.Random(seed)
        self.possible: dict[str, set[str | None]] = {number: {None} for number in numbers}
        self.answered = 0
        self.unanswered = 0

    async def run(self, is_over: asyncio.Event, quota: int) -> None:
        while not is_over.is_set() or self.answered < quota:
            await self._change(self._rng.choice(self._numbers))

    async def _change(self, number: str) -> None:
        wish = self._rng.choice([None, None, *self._campaigns])
        method = "DELETE" if wish is None else "POST"
        body = None if wish is None else {"campaign_id": wish}
        path = f"/v1/phone-numbers/{number}/campaign"
        headers = {} if wish is None else {"idempotency_key": f"{number}-{self._rng.random()}"}
        try:
            answer = await self._one.ask(method, path, body, **headers)
        except (OSError, TimeoutError, aiohttp.ClientError):
            answer = None
        if answer is None or answer.status >= 500:
            self.unanswered += 1
            self.possible[number].add(wish)
            if self._rng.random() < 0.5:  # give up, not knowing
                await self._one.insist("GET", f"/v1/phone-numbers/{number}")
                return
            answer = await self._one.insist(method, path, body, **headers)
        assert answer.status == 200, answer.body
        self.answered += 1
        self.possible[number] = {wish}


async def test_death_of_any_process_loses_no_answered_change_and_doubles_no_order() -> None:
    async with platform("--profile", "instant", "--seed", "7") as running, customer(running) as one:
        numbers = await own_numbers(one, NUMBERS)
        campaigns = dict(await own_campaigns(one, 2))
        await control(one, running, "faults", {"probabilities": FAULTS})
        clients = [Client(one, numbers[n::CLIENTS], list(campaigns), n) for n in range(CLIENTS)]

        await kill_everything_while(running, one, clients)
        await control(one, running, "reset", {})

        possible = {number: wishes for client in clients for number, wishes in client.possible.items()}
        await until(lambda: is_converged(one, running, campaigns), seconds=60, what="convergence")
        assert sum(client.answered for client in clients) >= CHANGES
        assert sum(client.unanswered for client in clients) > 0, "nobody noticed the deaths"
        assert await lost_changes(one, possible) == {}
        await require_consistent_books(running, numbers)
        await require_no_duplicates(one, running)


async def kill_everything_while(running: Running, one: Customer, clients: list[Client]) -> None:
    """One death after another while the clients go on; each begins when the one before has been healed."""
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run(is_over, CHANGES // CLIENTS + 1))
        for victim in VICTIMS:
            before = sum(client.answered for client in clients)
            await until(lambda least=before + 30: answered_at_least(clients, least), what="work goes on")
            await running.kill(victim)
            await is_up(one)
        is_over.set()


async def answered_at_least(clients: list[Client], least: int) -> bool:
    return sum(client.answered for client in clients) >= least


async def is_converged(one: Customer, running: Running, campaigns: dict[str, str]) -> bool:
    """Every number shows that it is settled, and the carrier's own truth is what it shows."""
    bindings = (await control(one, running, "oracle"))["bindings"]
    rows = (await one.insist("GET", "/v1/phone-numbers?limit=100")).data
    assert len(rows) == NUMBERS
    return all(
        row["carrier_line_option_status"] == ("propagated" if row["campaign_id"] else None)
        and bindings[row["number"]]["campaign"] == campaigns.get(row["campaign_id"])
        for row in rows
    )


async def lost_changes(one: Customer, possible: dict[str, set[str | None]]) -> dict[str, Any]:
    """Numbers whose wish is none that was answered last."""
    rows = (await one.insist("GET", "/v1/phone-numbers?limit=100")).data
    return {
        row["id"]: (row["campaign_id"], possible[row["id"]])
        for row in rows
        if row["campaign_id"] not in possible[row["id"]]
    }


async def require_consistent_books(running: Running, numbers: list[str]) -> None:
    """One event and one audit row for each change; every balance is the sum of its entries; entries cancel out."""
    cells = Cells(running.ready["database_url"], pool_size=2)
    try:
        db = await cells.cell("cell_00")
        changes = await db.all(
            lambda some_id, count: (str(some_id), count), "SELECT id, generation - 1 FROM phone_numbers"
        )
        events = await db.all(
            str,
            """SELECT resource_id FROM events e JOIN organizations o ON o.id = e.org_id
               WHERE o.mode = 'live'  -- a sandbox begins with a number that is on a campaign
                 AND type IN ('phone_number.campaign.attached', 'phone_number.campaign.detached')""",
        )
        audits = await db.all(
            str,
            """SELECT resource_id FROM audit_log a JOIN organizations o ON o.id = a.org_id
               WHERE o.mode = 'live' AND action IN ('phone_number.campaign.attach', 'phone_number.campaign.detach')""",
        )
        expected = Counter({some_id: count for some_id, count in changes if count})
        assert set(expected) <= set(numbers)
        assert (Counter(events), Counter(audits)) == (expected, expected)
        unbalanced = await db.all(
            lambda *row: row,
            """SELECT w.org_id, w.balance_microcents, sum(e.amount_microcents) FROM wallets w
               JOIN ledger_entries e ON e.org_id = w.org_id AND e.account = 'wallet'
               GROUP BY w.org_id HAVING w.balance_microcents <> sum(e.amount_microcents)""",
        )
        assert unbalanced == []
        assert await db.value("SELECT sum(amount_microcents) FROM ledger_entries") == 0
        assert await db.value("SELECT max(c) FROM (SELECT count(*) c FROM carrier_orders GROUP BY order_key) x") == 1
    finally:
        await cells.close()


async def require_no_duplicates(one: Customer, running: Running) -> None:
    """The carrier never got two orders under one key, for bindings as for purchases."""
    oracle = await control(one, running, "oracle")
    assert oracle["duplicate_keys"] == {}
    keys = [order["key"] for order in oracle["order_list"]]
    assert len(keys) == len(set(keys))
    purchases = [order["key"] for order in oracle["number_orders"]]
    assert len(purchases) == len(set(purchases))
