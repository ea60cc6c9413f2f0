"""Idempotency-Key: the same key has the same answer; for two at once, across a crash, and for routes that wait."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.settings import Settings
from agentmessage.web import idempotency
from tests.conftest import NOWHERE, Client, Reply
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.numbers.harness import Floor
from tests.numbers.virtual_clock import add_number
from tests.proofs.running import BRAND, Customer, Running, control, customer, is_up, platform

NUMBER = "+14155550101"


@pytest.fixture
async def number(db: CellDb, account: Account) -> UUID:
    """An assigned number without a campaign."""
    return await add_number(db, account.org_id, NUMBER)


@pytest.fixture
async def attach(db: CellDb, account: Account, number: UUID) -> tuple[str, dict[str, str]]:
    """Path and body of a request that changes something."""
    campaign = await insert_campaign(db, account.org_id)
    return f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)}


def under(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


async def changes(db: CellDb) -> int:
    """How often a wish was changed."""
    return await db.value("SELECT coalesce(sum(generation - 1), 0) FROM phone_numbers")


async def is_waiting_for_a_lock(db: CellDb) -> None:
    async with asyncio.timeout(10):
        while not await db.value("SELECT count(*) FROM pg_locks, pg_sleep(0.005) WHERE NOT granted"):
            pass


def without_request_id(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name not in ("x-request-id", "idempotent-replayed")}


async def test_the_same_key_again_has_the_same_bytes_and_changes_nothing(
    api: Client, db: CellDb, number: UUID, attach: tuple[str, Any]
) -> None:
    """Even when the resource has moved on since: the answer is that of the first request."""
    first = await api.post(*attach, headers=under("k"))
    await api.delete(f"/v1/phone-numbers/{number}/campaign")

    again = await api.post(*attach, headers=under("k"))

    assert (again.status, again.body) == (first.status, first.body) == (200, first.body)
    assert without_request_id(again) == without_request_id(first)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert await changes(db) == 2
    assert (await api.get(f"/v1/phone-numbers/{number}")).data["campaign_id"] is None


async def test_money_is_taken_once_for_the_same_key(api: Client, db: CellDb, account: Account) -> None:
    replies = [await api.post("/v1/brands", BRAND, headers=under("k")) for _ in range(3)]

    assert [reply.status for reply in replies] == [202] * 3
    assert len({reply.body for reply in replies}) == 1
    assert await db.value("SELECT count(*) FROM brands") == 1
    assert (
        await db.value("SELECT count(*) FROM ledger_transactions WHERE org_id = $1 AND kind = 'debit'", account.org_id)
        == 1
    )


async def test_many_at_once_have_one_effect_and_one_answer(api: Client, db: CellDb, attach: tuple[str, Any]) -> None:
    replies = await asyncio.gather(*(api.post(*attach, headers=under("k")) for _ in range(6)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert sum("idempotent-replayed" not in reply.headers for reply in replies) == 1
    assert await changes(db) == 1
    assert await db.value("SELECT count(*) FROM events WHERE type = 'phone_number.campaign.attached'") == 1


async def test_a_key_with_another_body_path_or_query_is_refused(
    api: Client, db: CellDb, account: Account, attach: tuple[str, Any]
) -> None:
    path, _ = attach
    await api.post(*attach, headers=under("k"))
    other = await insert_campaign(db, account.org_id)

    replies = [
        await api.post(path, {"campaign_id": str(other)}, headers=under("k")),
        await api.post("/v1/brands", BRAND, headers=under("k")),
    ]

    assert [(reply.status, reply.error["code"]) for reply in replies] == [(409, "IDEMPOTENCY_KEY_REUSED")] * 2
    assert await changes(db) == 1


async def test_a_second_request_under_a_key_waits_for_the_first_and_is_refused_if_it_is_another(
    api: Client, db: CellDb, account: Account, number: UUID, attach: tuple[str, Any]
) -> None:
    path, _ = attach
    other = await insert_campaign(db, account.org_id)
    async with db.transaction() as tx:
        await tx.run("SELECT 1 FROM phone_numbers WHERE id = $1 FOR UPDATE", number)
        first = asyncio.create_task(api.post(*attach, headers=under("k")))
        await is_waiting_for_a_lock(db)
        second = asyncio.create_task(api.post(path, {"campaign_id": str(other)}, headers=under("k")))

    assert (await first).status == 200
    assert (await second).error["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_refusal_is_not_remembered(api: Client, db: CellDb, attach: tuple[str, Any]) -> None:
    """Nothing happened, so the key may be tried again: here with a campaign that is active by now."""
    await db.run("UPDATE campaigns SET status = 'PENDING'")
    refused = await api.post(*attach, headers=under("k"))
    await db.run("UPDATE campaigns SET status = 'ACTIVE'")

    accepted = await api.post(*attach, headers=under("k"))

    assert (refused.status, accepted.status) == (409, 200)
    assert "idempotent-replayed" not in accepted.headers


async def test_organizations_do_not_share_keys(
    api: Client, db: CellDb, stranger: Account, attach: tuple[str, Any]
) -> None:
    theirs = await add_number(db, stranger.org_id, "+14155550102")
    campaign = await insert_campaign(db, stranger.org_id)

    mine = await api.post(*attach, headers=under("k"))
    other = await api.using(stranger.key).post(
        f"/v1/phone-numbers/{theirs}/campaign", {"campaign_id": str(campaign)}, headers=under("k")
    )

    assert (mine.status, other.status) == (200, 200)
    assert other.data["id"] == str(theirs)


async def test_a_request_that_dies_before_its_commit_leaves_the_key_free(
    api: Client, db: CellDb, number: UUID, attach: tuple[str, Any]
) -> None:
    async with db.transaction() as tx:
        await tx.run("SELECT 1 FROM phone_numbers WHERE id = $1 FOR UPDATE", number)
        dying = asyncio.create_task(api.post(*attach, headers=under("k")))
        await is_waiting_for_a_lock(db)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    assert await changes(db) == 0

    again = await api.post(*attach, headers=under("k"))

    assert again.status == 200
    assert "idempotent-replayed" not in again.headers
    assert await changes(db) == 1


async def test_a_key_is_forgotten_after_its_day_and_not_before(
    api: Client, db: CellDb, number: UUID, attach: tuple[str, Any]
) -> None:
    await api.post(*attach, headers=under("k"))
    await api.delete(f"/v1/phone-numbers/{number}/campaign")

    kept = await idempotency.delete_old(db, now=db.now + timedelta(hours=23, minutes=59), hours=24)
    forgotten = await idempotency.delete_old(db, now=db.now + timedelta(hours=24, minutes=1), hours=24)

    assert (kept, forgotten) == (0, 1)
    assert "idempotent-replayed" not in (await api.post(*attach, headers=under("k"))).headers


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_key_means_nothing_to_methods_that_are_idempotent_by_themselves(
    method: str, api: Client, db: CellDb, number: UUID
) -> None:
    suffix = "/campaign" if method == "DELETE" else ""

    reply = await api.request(method, f"/v1/phone-numbers/{number}{suffix}", headers=under("k"))

    assert reply.status == 200
    assert await db.value("SELECT count(*) FROM idempotency_keys") == 0


# ── routes that wait for the carrier ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def floor(cells: Cells, db: CellDb, settings: Settings) -> AsyncIterator[Floor]:
    """API, carrier and worker of one test."""
    built = Floor(cells, settings, db)
    await built.api.start()
    yield built
    await built.api.stop()


ORDER = {"numbers": [NUMBER, "+14155550102"]}


async def test_two_orders_at_once_under_one_key_buy_once_and_both_are_answered(floor: Floor, account: Account) -> None:
    shop = Client(floor.api, account.key)

    async with floor.working():
        replies = await asyncio.gather(
            *(shop.post("/v1/phone-numbers/orders", ORDER, headers=under("k")) for _ in range(3))
        )

    assert [reply.status for reply in replies] == [201] * 3
    assert {row["number"] for reply in replies for row in reply.data} == set(ORDER["numbers"])
    assert len(floor.wire.purchases()) == 1
    assert await debits(floor.db, account) == 1


async def test_an_order_whose_caller_was_cut_off_is_told_to_the_same_key_later(floor: Floor, account: Account) -> None:
    """The request dies while it waits for the carrier; the order goes on, and the repeated request resumes it."""
    shop = Client(floor.api, account.key)
    dying = asyncio.create_task(shop.post("/v1/phone-numbers/orders", ORDER, headers=under("k")))
    async with asyncio.timeout(10):
        while not await floor.db.value("SELECT count(*) FROM number_orders, pg_sleep(0.01)"):
            pass
    dying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await dying

    async with floor.working():
        resumed = await shop.post("/v1/phone-numbers/orders", ORDER, headers=under("k"))
    replayed = await shop.post("/v1/phone-numbers/orders", ORDER, headers=under("k"))

    assert resumed.status == 201
    assert [row["number"] for row in resumed.data] == ORDER["numbers"]
    assert (replayed.status, replayed.body) == (201, resumed.body)
    assert replayed.headers["idempotent-replayed"] == "true"
    assert len(floor.wire.purchases()) == 1
    assert await debits(floor.db, account) == 1


async def debits(db: CellDb, account: Account) -> int:
    return await db.value(
        "SELECT count(*) FROM ledger_transactions WHERE org_id = $1 AND kind = 'debit'", account.org_id
    )


# ── across real deaths ─────────────────────────────────────────────────────────────────────────────────────────

ORDERS = 30


@pytest.mark.processes
@pytest.mark.xdist_group("up")
async def test_orders_under_keys_happen_exactly_once_though_the_api_dies_again_and_again() -> None:
    """Killed between the work and the answer or anywhere else: repeated until answered, bought and paid once."""
    async with platform("--profile", "instant", "--seed", "5") as running, customer(running) as one:
        found = await one.insist("POST", "/v1/phone-numbers/search", {"area_code": "415", "quantity": ORDERS})
        numbers = [row["number"] for row in found.data]
        before = await balance_cents(running)
        buying = [asyncio.create_task(buy(one, number)) for number in numbers]
        for _ in range(4):
            await running.kill("api-1")
            await is_up(one)

        ids = await asyncio.gather(*buying)

        assert len(set(ids)) == ORDERS
        held = (await one.insist("GET", "/v1/phone-numbers?limit=100")).data
        assert sorted(row["number"] for row in held) == sorted(numbers)
        purchased = [one for one in (await control(one, running, "oracle"))["number_orders"] if one["kind"] == "orders"]
        assert sum(order["members"] for order in purchased) == ORDERS
        price_cents = 94
        assert before - await balance_cents(running) == ORDERS * price_cents


async def buy(one: Customer, number: str) -> str:
    answer = await one.insist(
        "POST", "/v1/phone-numbers/orders", {"numbers": [number]}, idempotency_key=f"buy {number}"
    )
    again = await one.insist("POST", "/v1/phone-numbers/orders", {"numbers": [number]}, idempotency_key=f"buy {number}")
    assert (answer.status, again.status, again.body) == (201, 201, answer.body)
    rows: Sequence[Any] = json.loads(again.body)["data"]
    assert [row["number"] for row in rows] == [number]
    return rows[0]["id"]


async def balance_cents(running: Running) -> int:
    cells = Cells(running.ready["database_url"], pool_size=1)
    try:
        db = await cells.cell("cell_00")
        wallet = await db.value(
            "SELECT balance_microcents FROM wallets WHERE org_id = $1", UUID(running.ready["org_id"])
        )
        return wallet // 1_000_000
    finally:
        await cells.close()


async def test_a_stranger_cannot_learn_that_a_key_exists(
    api: Client, attach: tuple[str, Any], stranger: Account
) -> None:
    await api.post(*attach, headers=under("k"))

    reply = await api.using(stranger.key).post(f"/v1/phone-numbers/{NOWHERE}/campaign", attach[1], headers=under("k"))

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
