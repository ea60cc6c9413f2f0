"""Two API processes and two workers on one database: no order twice, no key outlives its revocation by a second."""

import asyncio
import itertools
import json
import random
import time

import pytest

from agentmessage.kernel.db import Cells
from tests.proofs.running import (
    Customer,
    Running,
    beside,
    control,
    customer,
    own_campaigns,
    own_numbers,
    platform,
    second_api,
    until,
)

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("up")]

NUMBERS_EACH = 20
CHANGES_EACH_CLIENT = 40
DEAD_WITHIN_S = 1.0


async def test_two_workers_and_two_api_processes_place_no_order_twice() -> None:
    """Two organizations, both processes asked in turn, and a carrier that leaves us in doubt about every tenth call."""
    async with platform("--profile", "instant", "--seed", "3") as running, customer(running) as first:
        second = first.using(running.ready["second_org_api_key"])
        async with beside(running, "work"), second_api(running, first) as elsewhere:
            numbers = [await own_numbers(one, NUMBERS_EACH) for one in (first, second)]
            campaigns = [dict(await own_campaigns(one, 2)) for one in (first, second)]
            faults = {"timeout_after": 0.02, "error_after": 0.1, "reset_after": 0.1, "order_partial": 0.1}
            await control(first, running, "faults", {"probabilities": faults})

            await asyncio.gather(
                *(
                    change_about([one, one.at(elsewhere.base_url)], numbers[org][part::4], list(campaigns[org]), part)
                    for org, one in enumerate((first, second))
                    for part in range(4)
                )
            )

            await control(first, running, "reset", {})
            await until(lambda: are_converged([first, second], running, campaigns), seconds=60, what="convergence")
            assert await workers(running) == 2
        await require_each_order_once(first, running)
        assert (await first.insist("GET", f"/v1/phone-numbers/{numbers[1][0]}")).status == 404


async def change_about(doors: list[Customer], numbers: list[str], campaigns: list[str], seed: int) -> None:
    """Attach and detach at both API processes in turn."""
    rng = random.Random(seed)
    for door in itertools.islice(itertools.cycle(doors), CHANGES_EACH_CLIENT):
        wish = rng.choice([None, *campaigns])
        path = f"/v1/phone-numbers/{rng.choice(numbers)}/campaign"
        answer = await (door.ask("POST", path, {"campaign_id": wish}) if wish else door.ask("DELETE", path))
        assert (answer.status, answer.data["campaign_id"]) == (200, wish)


async def are_converged(owners: list[Customer], running: Running, campaigns: list[dict[str, str]]) -> bool:
    bindings = (await control(owners[0], running, "oracle"))["bindings"]
    for one, theirs in zip(owners, campaigns, strict=True):
        for row in (await one.insist("GET", "/v1/phone-numbers?limit=100")).data:
            if row["carrier_line_option_status"] != ("propagated" if row["campaign_id"] else None):
                return False
            if bindings[row["number"]]["campaign"] != theirs.get(row["campaign_id"]):
                return False
    return True


async def workers(running: Running) -> int:
    """How many workers have beaten lately."""
    cells = Cells(running.ready["database_url"], pool_size=1)
    try:
        directory = await cells.directory()
        return await directory.value(
            "SELECT count(*) FROM directory.worker_heartbeats WHERE beat_at > now() - interval '20 seconds'"
        )
    finally:
        await cells.close()


async def require_each_order_once(one: Customer, running: Running) -> None:
    """Each of our orders is at the carrier at most once, and each of the carrier's is one of ours."""
    cells = Cells(running.ready["database_url"], pool_size=1)
    try:
        db = await cells.cell("cell_00")
        ours = await db.all(str, "SELECT order_key FROM carrier_orders WHERE submissions > 0")
    finally:
        await cells.close()
    oracle = await control(one, running, "oracle")
    keys = [order["key"] for order in oracle["order_list"]]
    assert oracle["duplicate_keys"] == {}
    assert len(keys) == len(set(keys))
    assert set(keys) <= set(ours)


async def test_a_dead_key_is_refused_by_every_api_process_within_a_second() -> None:
    """Revoked or rotated at one process while it is used at both, at full speed."""
    async with (
        platform("--profile", "instant") as running,
        customer(running) as here,
        second_api(running, here) as there,
    ):
        for end, door in itertools.product(["revoke", "rotate"], [here, there]):
            made = await here.insist("POST", "/v1/api-keys", {"label": "short-lived", "scopes": ["org:read"]})
            key = json.loads(made.body)
            doomed = key["plaintext"]
            last_seen = dict.fromkeys(("here", "there"), 0.0)
            users = [
                asyncio.create_task(use(one.using(doomed), last_seen, name))
                for name, one in (("here", here), ("there", there))
            ]
            await until(lambda seen=last_seen: both(seen), what="both processes know the key")

            path = f"/v1/api-keys/{key['id']}"
            ended = await (door.ask("DELETE", path) if end == "revoke" else door.ask("POST", f"{path}/rotate"))
            dead_at = time.monotonic()

            assert ended.status in (200, 204)
            async with asyncio.timeout(10):
                await asyncio.gather(*users)
            alive_s = {name: moment - dead_at for name, moment in last_seen.items()}
            assert max(alive_s.values()) < DEAD_WITHIN_S, (end, alive_s)
            assert alive_s["here" if door is here else "there"] <= 0, "at once in the process that did it"


async def both(seen: dict[str, float]) -> bool:
    return all(seen.values())


async def use(one: Customer, last_seen: dict[str, float], name: str) -> None:
    """Use a key without pause until it is refused; note when a request began that was still served."""
    while True:
        began = time.monotonic()
        answer = await one.ask("GET", "/v1/organization")
        if answer.status == 401:
            return
        assert answer.status == 200
        last_seen[name] = began
