"""Receivers are told at least once, on schedule, and one that fails costs nobody else."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.names import Names
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.sdk.webhooks import verify
from agentmessage.settings import Settings
from agentmessage.webhooks import queries
from agentmessage.webhooks.attempt_result import JITTER, NOT_KEPT
from agentmessage.webhooks.dispatcher import Dispatcher
from agentmessage.webhooks.endpoint_queues import FIRST_CONCURRENCY, HEALTHY_SLOTS
from agentmessage.webhooks.http_sender import Sender
from agentmessage.webhooks.model import RETRY_AFTER_S, TIMEOUT_S
from agentmessage.webhooks.payload import UNREADABLE_SECRET
from tests.make.accounts import Account, open_account
from tests.make.name_server import name_server
from tests.make.numbers import insert_number
from tests.make.receivers import Receiver, hang, status
from tests.webhooks.receiving import endpoint, happen, make_due, secret_box, telling, until

NUMBER = "+14155550123"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, webhook_allow_private=True)


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    one = Sender(allow_private=True)
    yield one
    await one.close()


def _row(*columns: Any) -> tuple[Any, ...]:
    return columns


async def logged(db: CellDb, queue_id: UUID) -> list[tuple[Any, ...]]:
    """Attempts on a lane, the oldest first."""
    return await db.all(
        _row,
        """SELECT attempt, outcome, response_status, error, occurred_at FROM webhook_attempts
           WHERE queue_id = $1 ORDER BY occurred_at, id""",
        queue_id,
    )


async def test_a_receiver_that_fails_is_asked_eleven_times_on_schedule(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    sink.answers["/ok"] = status(503, b"later")
    queue_id = await endpoint(db, settings, account.org_id, sink.url())
    gaps: list[float] = []

    async with telling(settings, cells):
        await happen(db, account.org_id)
        for attempt in range(1, len(RETRY_AFTER_S) + 2):
            await until(lambda attempt=attempt: _count(db, queue_id, attempt))
            due_at: datetime | None = await db.value(
                "SELECT due_at FROM webhook_deliveries WHERE queue_id = $1", queue_id
            )
            if due_at is not None:
                gaps.append((due_at - (await logged(db, queue_id))[-1][4]).total_seconds())
                await make_due(db)

    for gap, nominal in zip(gaps, RETRY_AFTER_S, strict=True):
        assert nominal * (1 - JITTER) <= gap <= nominal * (1 + JITTER)
    attempts = await logged(db, queue_id)
    assert [row[0] for row in attempts] == list(range(1, 12))
    assert Counter(row[1] for row in attempts) == {"retry": 10, "dead": 1}
    assert {row[2] for row in attempts} == {503}
    assert len({heard.event["id"] for heard in sink.heard}) == 1


async def _count(db: CellDb, queue_id: UUID, attempts: int) -> bool:
    return len(await logged(db, queue_id)) >= attempts


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first retry comes after a second."""
    monkeypatch.setattr("agentmessage.webhooks.attempt_result.RETRY_AFTER_S", (1,))


@pytest.mark.usefixtures("impatient")
async def test_a_retry_comes_by_itself(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    sink.answers["/ok"] = status(500)
    await endpoint(db, settings, account.org_id, sink.url())

    async with telling(settings, cells):
        await happen(db, account.org_id)
        first, second = await sink.until(2)

    assert 0.8 <= second.at - first.at <= 2.5


async def test_a_receiver_that_answers_gone_is_told_nothing_more(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    sink.answers["/gone"] = status(410)
    queue_id = await endpoint(db, settings, account.org_id, sink.url("/gone"))
    watcher = await endpoint(db, settings, account.org_id, sink.url(), events=["webhook_endpoint.disabled"])

    async with telling(settings, cells):
        await happen(db, account.org_id)
        (news,) = await sink.until(1)
        await happen(db, account.org_id)
        await until(lambda: _count(db, watcher, 1))

    data = news.event["data"]
    assert (news.event["type"], data["endpoint_id"], data["reason"]) == (
        "webhook_endpoint.disabled",
        str(queue_id),
        "gone",
    )
    assert (await logged(db, queue_id))[0][:3] == (1, "dead", 410)
    assert await db.value("SELECT active FROM webhook_endpoints WHERE id = $1", queue_id) is False
    assert len(sink.on("/gone")) == 1
    assert await db.value("SELECT count(*) FROM webhook_deliveries WHERE queue_id = $1", queue_id) == 0
    audit = await db.all(
        _row,
        "SELECT action, actor_kind, resource_id FROM audit_log WHERE org_id = $1 AND action LIKE 'webhook%'",
        account.org_id,
    )
    assert audit == [("webhook_endpoint.disable", "platform", str(queue_id))]


async def test_five_days_of_nothing_but_failures_end_in_silence(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    sink.answers["/ok"] = status(500)
    queue_id = await endpoint(db, settings, account.org_id, sink.url())

    async with telling(settings, cells):
        await happen(db, account.org_id)
        await until(lambda: _count(db, queue_id, 1))
        failing_since: datetime = await db.value("SELECT failing_since FROM webhook_queues WHERE id = $1", queue_id)
        assert db.now - failing_since < timedelta(minutes=1)
        assert await db.value("SELECT active FROM webhook_endpoints WHERE id = $1", queue_id) is True

        await db.run("UPDATE webhook_queues SET failing_since = now() - interval '5 days 1 second'")
        await make_due(db)
        await until(lambda: _is_off(db, queue_id))

    (disabled,) = await outbox_events.read_after(
        db, account.org_id, after=None, since=None, kinds=["webhook_endpoint.disabled"], limit=5
    )
    assert (disabled.data["reason"], disabled.data["abandoned"]) == ("failing", 1)
    assert await db.value("SELECT count(*) FROM webhook_deliveries WHERE queue_id = $1", queue_id) == 0
    assert await db.value("SELECT failing_since FROM webhook_queues WHERE id = $1", queue_id) is None


async def _is_off(db: CellDb, queue_id: UUID) -> bool:
    return await db.value("SELECT NOT active FROM webhook_endpoints WHERE id = $1", queue_id)


async def test_one_success_forgives_all_failures(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    queue_id = await endpoint(db, settings, account.org_id, sink.url())
    sink.answers["/ok"] = status(500)

    async with telling(settings, cells):
        await happen(db, account.org_id)
        await until(lambda: _count(db, queue_id, 1))
        sink.answers["/ok"] = status(204, b"")
        await make_due(db)
        await until(lambda: _count(db, queue_id, 2))

    assert await db.value("SELECT failing_since FROM webhook_queues WHERE id = $1", queue_id) is None
    assert [row[:3] for row in await logged(db, queue_id)] == [(1, "retry", 500), (2, "success", 204)]


async def test_what_is_not_kept_any_more_is_not_told(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    queue_id = await endpoint(db, settings, account.org_id, sink.url())
    sink.answers["/ok"] = status(500)

    async with telling(settings, cells):
        (event_id,) = await happen(db, account.org_id)
        await until(lambda: _count(db, queue_id, 1))
        await db.run("DELETE FROM events WHERE id = $1 AND org_id = $2", event_id, account.org_id)
        await make_due(db)
        await until(lambda: _count(db, queue_id, 2))

    assert (await logged(db, queue_id))[1][:4] == (2, "dead", None, NOT_KEPT)
    assert len(sink.heard) == 1


async def test_a_secret_that_cannot_be_opened_is_not_held_against_its_receiver(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    """As after an encryption key was lost: the log says what to do, and nobody is given up for it."""
    queue_id = await endpoint(db, settings, account.org_id, sink.url())
    await db.run("UPDATE webhook_endpoints SET encrypted_secret = 'of another key' WHERE org_id = $1", account.org_id)

    async with telling(settings, cells):
        await happen(db, account.org_id)
        await until(lambda: _count(db, queue_id, 1))

    assert (await logged(db, queue_id))[0][:4] == (1, "retry", None, UNREADABLE_SECRET)
    assert await db.value("SELECT failing_since FROM webhook_queues WHERE id = $1", queue_id) is None
    assert sink.heard == []


async def test_hanging_receivers_delay_nobody_else(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    """More receivers that never answer than there are slots for their first requests, and one that does."""
    stranger = await open_account(cells, name="Stranger")
    sink.answers["/hang"] = hang
    for _ in range(HEALTHY_SLOTS // 2 // FIRST_CONCURRENCY + 6):
        await endpoint(db, settings, account.org_id, sink.url("/hang"))
    await endpoint(db, settings, stranger.org_id, sink.url())

    async with telling(settings, cells):
        await happen(db, account.org_id, FIRST_CONCURRENCY + 2)
        await sink.until(HEALTHY_SLOTS // 2, "/hang")
        started = asyncio.get_running_loop().time()
        for _ in range(10):
            (event_id,) = await happen(db, stranger.org_id)
            await until(lambda event_id=event_id: _is_heard(sink, event_id))
        took_s = asyncio.get_running_loop().time() - started
        sink.answers["/hang"] = status(500)
        await sink.close()

    assert took_s < TIMEOUT_S / 2


async def test_slow_names_of_one_organization_delay_no_others_receiver(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    """Fifty endpoints move to names that were never seen before, again and again, and no name is ever answered."""
    stranger = await open_account(cells, name="Stranger")
    failing = [await endpoint(db, settings, account.org_id, "https://slow.test/") for _ in range(50)]
    queue_id = await endpoint(db, settings, stranger.org_id, f"http://quick.test:{sink.port}/ok")
    count = 0

    async with name_server() as server:
        names = Names(servers=[server.address], wait_s=2.0, timeout_s=60.0)
        async with telling(settings, cells, names=names):
            for turn in range(12):
                async with db.transaction() as tx:
                    for n, one in enumerate(failing):
                        url = f"https://slow{turn}-{n}.test/"
                        await tx.run("UPDATE webhook_endpoints SET url = $2 WHERE id = $1", one, url)
                        await queries.touch_queue(tx, account.org_id, one, forgives=True)
                await happen(db, account.org_id, 2)
                await server.until_slow(16)
                # its name has to be looked up as well, as after the seconds for which an address is remembered
                await db.run(
                    "UPDATE webhook_endpoints SET url = $2 WHERE id = $1",
                    queue_id,
                    f"http://q{turn}.test:{sink.port}/ok",
                )
                await happen(db, stranger.org_id)
                count += 1
                await sink.until(count)
            slow_names = len(server.slow)
            attempts = await until(lambda: _rows(db, queue_id, count))
            failing = await db.value("SELECT failing_since FROM webhook_queues WHERE id = $1", queue_id)
            server.release()

    assert slow_names >= 16
    assert [row[1:3] for row in attempts] == [("success", 200)] * count
    assert failing is None


async def _rows(db: CellDb, queue_id: UUID, count: int) -> list[tuple[Any, ...]]:
    rows = await logged(db, queue_id)
    return rows if len(rows) >= count else []


async def _is_heard(sink: Receiver, event_id: UUID) -> bool:
    return any(heard.event["id"] == f"evt_{event_id}" for heard in sink.on("/ok"))


async def test_numbers_are_signed_for_with_the_organizations_secrets_and_in_grace_with_both(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    number_id = await insert_number(db, account.org_id, NUMBER, status_url=sink.url())
    data = {"phone_number_id": str(number_id)}

    async with telling(settings, cells):
        await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data=data)
        (first,) = await sink.until(1)
        await db.run(
            """UPDATE webhook_secrets SET previous_encrypted_secret = encrypted_secret, encrypted_secret = $2,
                   previous_valid_until = now() + interval '5 minutes' WHERE org_id = $1""",
            account.org_id,
            secret_box(settings).encrypt(b"n" * 32),
        )
        await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data=data)
        _, second = await sink.until(2)
        old: bytes = await db.value("SELECT previous_encrypted_secret FROM webhook_secrets")
        await db.run("UPDATE webhook_secrets SET previous_valid_until = now() WHERE org_id = $1", account.org_id)
        await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data=data)
        *_, third = await sink.until(3)

    made = secret_box(settings).decrypt(old)
    for heard, secret in ((first, made), (second, made), (second, b"n" * 32), (third, b"n" * 32)):
        Webhook(base64.b64encode(secret).decode()).verify(heard.body, dict(heard.headers))
    assert [heard.headers["x-amcore-signature"].count("v1=") for heard in (first, second, third)] == [1, 1, 1]
    assert [len(heard.headers["webhook-signature"].split()) for heard in (first, second, third)] == [1, 2, 1]
    verify(second.body, {"X-AmCore-Signature": second.headers["x-amcore-signature"]}, b"n" * 32)


async def test_who_rotates_a_secret_that_cannot_be_opened_is_told_at_once(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    """The broken one is in its five minutes of grace, and nothing can be signed with it."""
    number_id = await insert_number(db, account.org_id, NUMBER, status_url=sink.url())
    await db.run(
        """INSERT INTO webhook_secrets (org_id, encrypted_secret, rotated_at, previous_encrypted_secret,
               previous_valid_until)
           VALUES ($1, $2, now(), 'of another key', now() + interval '5 minutes')""",
        account.org_id,
        secret_box(settings).encrypt(b"n" * 32),
    )

    async with telling(settings, cells):
        await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data={"phone_number_id": str(number_id)})
        (heard,) = await sink.until(1)

    assert Webhook(base64.b64encode(b"n" * 32).decode()).verify(heard.body, dict(heard.headers)) == heard.event


async def test_a_number_url_that_is_gone_is_given_up(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    number_id = await insert_number(db, account.org_id, NUMBER, status_url=sink.url())
    sink.answers["/ok"] = status(410)

    async with telling(settings, cells):
        await happen(db, account.org_id, kind=EventType.MESSAGE_SENT, data={"phone_number_id": str(number_id)})
        await until(lambda: db.value("SELECT true FROM webhook_queues WHERE disabled_at IS NOT NULL"))

    (disabled,) = await outbox_events.read_after(
        db, account.org_id, after=None, since=None, kinds=["webhook_endpoint.disabled"], limit=5
    )
    assert (disabled.data["kind"], disabled.data["url"]) == ("number", sink.url())


async def test_lanes_of_a_dead_dispatcher_are_taken_over(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    queue_id = await endpoint(db, settings, account.org_id, sink.url())
    await db.run(
        "INSERT INTO webhook_queues (id, org_id, holder, created_at) VALUES ($1, $2, $3, now())",
        queue_id,
        account.org_id,
        new_id(),
    )

    async with telling(settings, cells):
        await happen(db, account.org_id)
        await sink.until(1, seconds=5)


async def test_lanes_of_a_living_dispatcher_are_left_to_it(
    db: CellDb, settings: Settings, account: Account, sink: Receiver, sender: Sender
) -> None:
    first, second = [Dispatcher(db, sender, secret_box(settings)) for _ in range(2)]
    living = [asyncio.create_task(one.run()) for one in (first, second)]
    queue_id = await endpoint(db, settings, account.org_id, sink.url("/hang"))
    sink.answers["/hang"] = hang
    await _wait_on(db, account, queue_id)
    first.wake()
    await sink.until(1, "/hang")
    holder = await db.value("SELECT holder FROM webhook_queues WHERE id = $1", queue_id)

    for _ in range(5):
        await first.free_of_dead()
        await second.free_of_dead()

    assert await db.value("SELECT holder FROM webhook_queues WHERE id = $1", queue_id) == holder is not None
    assert len(sink.on("/hang")) == 1
    await sink.close()
    for one in (first, second):
        one.stop()
    await asyncio.gather(*living)


async def _wait_on(db: CellDb, account: Account, queue_id: UUID) -> None:
    """One delivery, without a fan-out."""
    (event_id,) = await happen(db, account.org_id)
    await db.run(
        """WITH lane AS (
               INSERT INTO webhook_queues (id, org_id, due_at, created_at) VALUES ($1, $2, now(), now())
               ON CONFLICT (id) DO UPDATE SET due_at = now())
           INSERT INTO webhook_deliveries (queue_id, due_at, id, org_id, event_id, public_event_id, created_at)
           VALUES ($1, now(), $3, $2, $3, $3, now())""",
        queue_id,
        account.org_id,
        event_id,
    )


async def test_a_dispatcher_that_lost_its_session_begins_anew(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    await endpoint(db, settings, account.org_id, sink.url())

    async with telling(settings, cells):
        await happen(db, account.org_id)
        await sink.until(1)
        cut = await db.run(
            """SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE l.locktype = 'advisory' AND d.datname = current_database()"""
        )
        assert cut == 1
        for _ in range(5):
            await happen(db, account.org_id)
        heard = await sink.until(6)

    assert {one.event["id"] for one in heard[:1]} <= {one.event["id"] for one in heard}
    assert await db.value("SELECT count(*) FROM webhook_queues WHERE holder IS NOT NULL") == 0


async def test_a_stop_lets_what_is_under_way_end_and_holds_nothing(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    queue_id = await endpoint(db, settings, account.org_id, sink.url())
    release = asyncio.Event()

    async def patient(heard: Any, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await status(200)(heard, writer)

    sink.answers["/ok"] = patient

    async with telling(settings, cells) as one:
        await happen(db, account.org_id, 50)
        await sink.until(FIRST_CONCURRENCY)
        stopping = asyncio.create_task(one.stop())
        await until(lambda: _are_flying_only(sink))
        release.set()
        await stopping

    result = len(sink.heard)
    assert result < 50
    assert [row[1] for row in await logged(db, queue_id)] == ["success"] * result
    assert await db.value("SELECT count(*) FROM webhook_deliveries") == 50 - result
    holder, due_at = await db.one(_row, "SELECT holder, due_at FROM webhook_queues") or (None, None)
    assert holder is None
    assert due_at is not None


async def _are_flying_only(sink: Receiver) -> bool:
    return len(sink.heard) == FIRST_CONCURRENCY


async def test_what_is_changed_under_a_delivery_is_seen_by_the_next(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    queue_id = await endpoint(db, settings, account.org_id, sink.url("/old"))

    async with telling(settings, cells):
        await happen(db, account.org_id)
        await sink.until(1, "/old")
        await db.run("UPDATE webhook_endpoints SET url = $2 WHERE id = $1", queue_id, sink.url("/new"))
        await happen(db, account.org_id)
        await sink.until(1, "/new")

    assert len(sink.on("/old")) == 1


async def test_what_waits_for_an_endpoint_that_was_switched_off_is_forgotten(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    """Also what was queued in the same moment."""
    queue_id = await endpoint(db, settings, account.org_id, sink.url())
    await _wait_on(db, account, queue_id)
    await db.run("UPDATE webhook_endpoints SET active = false WHERE id = $1", queue_id)

    async with telling(settings, cells):
        await until(lambda: db.value("SELECT NOT EXISTS (SELECT FROM webhook_deliveries)"))

    assert sink.heard == []
    assert await db.value("SELECT due_at FROM webhook_queues") is None


async def test_counts_of_attempts_equal_the_log(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    good = await endpoint(db, settings, account.org_id, sink.url())
    bad = await endpoint(db, settings, account.org_id, sink.url("/bad"))
    sink.answers["/bad"] = status(404)

    async with telling(settings, cells):
        await happen(db, account.org_id, 30)
        await until(lambda: _count(db, good, 30))
        await until(lambda: _count(db, bad, 30))

    sums = await db.all(
        _row,
        """SELECT metric, labels ->> 'endpoint_id', labels ->> 'http_status_class', sum(value)::int
           FROM metric_buckets WHERE org_id = $1 AND metric LIKE 'webhooks.%' AND span = 'day' GROUP BY 1, 2, 3
           ORDER BY 1""",
        account.org_id,
    )
    assert sums == [("webhooks.delivered", str(good), "2xx", 30), ("webhooks.retried", str(bad), "4xx", 30)]
