"""Every fact is taken once, whatever commits beside it, and becomes a delivery for each receiver that wants it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.settings import Settings
from agentmessage.webhooks import fanout
from tests.make.accounts import Account
from tests.make.numbers import insert_number
from tests.webhooks.receiving import endpoint, happen

HOOK = "https://customer.example/hook"


async def take_all(db: CellDb) -> int:
    """Fan out until nothing is left; answers how many deliveries were written."""
    written = 0
    while True:
        deliveries, wait_s = await fanout.run_once(db)
        written += deliveries
        if wait_s == fanout.IDLE_S:
            return written
        await asyncio.sleep(wait_s)


async def waiting(db: CellDb) -> list[tuple[Any, ...]]:
    """Lane and fact of everything that waits, in the order in which it will be told."""
    return await db.all(_row, "SELECT queue_id, event_id FROM webhook_deliveries ORDER BY queue_id, due_at, id")


def _row(*columns: Any) -> tuple[Any, ...]:
    return columns


async def test_a_fact_waits_once_for_each_endpoint_that_wants_it(
    db: CellDb, settings: Settings, account: Account, stranger: Account
) -> None:
    first, second = [await endpoint(db, settings, account.org_id, HOOK) for _ in range(2)]
    await endpoint(db, settings, account.org_id, HOOK, events=["brand.vetted"])
    await endpoint(db, settings, stranger.org_id, HOOK)
    ids = await happen(db, account.org_id, 5)

    await take_all(db)
    await take_all(db)

    assert await waiting(db) == [(queue, event) for queue in sorted((first, second)) for event in ids]


async def test_an_endpoint_hears_nothing_that_happened_before_it_was_made(
    db: CellDb, settings: Settings, account: Account
) -> None:
    await happen(db, account.org_id)
    await endpoint(db, settings, account.org_id, HOOK)
    (after,) = await happen(db, account.org_id)

    await take_all(db)

    assert [event for _, event in await waiting(db)] == [after]


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_an_endpoint_that_is_off_or_deleted_hears_nothing(
    db: CellDb, settings: Settings, account: Account, *, is_deleted: bool
) -> None:
    await endpoint(db, settings, account.org_id, HOOK)
    await db.run("UPDATE webhook_endpoints SET active = $1, deleted_at = CASE WHEN $1 THEN now() END", is_deleted)
    await happen(db, account.org_id)

    assert await take_all(db) == 0


async def test_texts_are_told_to_the_urls_of_their_number(db: CellDb, account: Account, stranger: Account) -> None:
    urls = {"status_url": "https://a.example/status", "inbound_url": "https://a.example/inbound"}
    mine = await insert_number(db, account.org_id, "+14155550123", **urls)
    other = await insert_number(db, account.org_id, "+14155550124", status_url=urls["status_url"])
    theirs = await insert_number(db, stranger.org_id, "+14155550125", **urls)
    for number_id in (mine, other):
        await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data={"phone_number_id": str(number_id)})
        await happen(
            db, account.org_id, kind=EventType.INBOUND_MESSAGE_RECEIVED, data={"phone_number_id": str(number_id)}
        )
    await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data={"phone_number_id": str(theirs)})
    await happen(db, account.org_id, kind=EventType.CONTACT_OPTED_OUT, data={"phone_number_id": str(mine)})

    await take_all(db)

    result = await db.all(
        _row,
        """SELECT l.number_url, count(*) FROM webhook_deliveries d JOIN webhook_queues l ON l.id = d.queue_id
           WHERE l.org_id = $1 GROUP BY l.number_url ORDER BY 1""",
        account.org_id,
    )
    assert result == [("https://a.example/inbound", 1), ("https://a.example/status", 2)]
    assert await db.value("SELECT count(*) FROM webhook_deliveries") == 3


async def test_a_number_url_that_was_given_up_is_told_nothing(db: CellDb, account: Account) -> None:
    number_id = await insert_number(db, account.org_id, "+14155550123", status_url=HOOK)
    data = {"phone_number_id": str(number_id)}
    await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data=data)
    await take_all(db)
    await db.run("UPDATE webhook_queues SET disabled_at = now()")
    await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data=data)

    assert await take_all(db) == 0


async def test_facts_of_transactions_that_commit_late_are_taken_once_in_their_order(
    db: CellDb, settings: Settings, account: Account
) -> None:
    """Two fan-outs at once, while transactions that began in one order commit in another."""
    await endpoint(db, settings, account.org_id, HOOK)
    written: list[UUID] = []
    is_over = False

    async def late(pause_s: float) -> None:
        async with db.transaction() as tx:
            for _ in range(3):
                event_id = await outbox_events.emit(tx, account.org_id, EventType.ORGANIZATION_UPDATED, new_id(), {})
                written.append(event_id)
                await asyncio.sleep(pause_s)

    async def take() -> None:
        while not is_over:
            await fanout.run_once(db)

    takers = [asyncio.create_task(take()) for _ in range(2)]
    for _ in range(8):
        await asyncio.gather(*(late(pause_s) for pause_s in (0.03, 0.0, 0.01, 0.002)))
    is_over = True
    await asyncio.gather(*takers)
    await take_all(db)

    result = [event for _, event in await waiting(db)]
    assert sorted(result) == sorted(written)
    assert len(set(result)) == len(result) == 96


async def test_while_facts_wait_for_a_transaction_beside_them_fan_out_looks_again_soon(
    db: CellDb, settings: Settings, account: Account
) -> None:
    await endpoint(db, settings, account.org_id, HOOK)
    async with db.transaction() as tx:
        await outbox_events.emit(tx, account.org_id, EventType.ORGANIZATION_UPDATED, new_id(), {})
        await happen(db, account.org_id)
        assert await fanout.run_once(db) == (0, fanout.BUSY_S)

    assert await take_all(db) == 2


async def test_a_lane_on_which_too_much_waits_is_told_no_more_and_the_log_says_so(
    db: CellDb, settings: Settings, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "MAX_WAITING", 3)
    queue_id = await endpoint(db, settings, account.org_id, HOOK)
    await happen(db, account.org_id, 4)
    await take_all(db)
    await fanout.bound_queues(db)
    (lost,) = await happen(db, account.org_id)
    await take_all(db)

    assert len(await waiting(db)) == 4
    logged = await db.all(_row, "SELECT queue_id, event_id, outcome, error, url FROM webhook_attempts")
    assert logged == [(queue_id, lost, "dead", "too many deliveries are waiting", HOOK)]
    assert await db.value("SELECT sum(value) FROM metric_buckets WHERE metric = 'webhooks.failed'") == 3

    await db.run("DELETE FROM webhook_deliveries WHERE id <> ALL ($1)", [lost])
    await fanout.bound_queues(db)
    await happen(db, account.org_id)
    assert await take_all(db) == 1


async def test_a_lane_that_gets_something_is_due_however_it_stood(
    db: CellDb, settings: Settings, account: Account
) -> None:
    queue_id = await endpoint(db, settings, account.org_id, HOOK)
    for was in (None, db.now + timedelta(hours=1), db.now - timedelta(hours=1)):
        await happen(db, account.org_id)
        await db.run(
            """INSERT INTO webhook_queues (id, org_id, due_at, created_at) VALUES ($1, $2, $3, now())
               ON CONFLICT (id) DO UPDATE SET due_at = $3""",
            queue_id,
            account.org_id,
            was,
        )
        await take_all(db)
        assert await db.value("SELECT due_at FROM webhook_queues WHERE id = $1", queue_id) <= db.now


async def test_organizations_without_receivers_leave_nothing_behind(db: CellDb, account: Account) -> None:
    await happen(db, account.org_id, 2_500, data=msgspec.to_builtins({"phone_number_id": str(new_id())}))

    assert await take_all(db) == 0
    assert await db.value("SELECT count(*) FROM webhook_queues") == 0
