"""`agentmessage admin messages status` and `set-throughput`, and the gauges that count the same."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agentmessage.app.carrier_events import Hearing
from agentmessage.app.monitoring import gauges
from agentmessage.app.monitoring import queries as monitoring_queries
from agentmessage.app.monitoring.connections import LineState
from agentmessage.carriers.messaging import Reading, ReceiptHeard, ReceiptState
from agentmessage.cli.main import app
from agentmessage.delivery import dispatch_queries
from agentmessage.delivery.dispatcher import LEASE_S
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.errors import RateLimited
from tests.conftest import ENCRYPTION_KEY
from tests.delivery.harness import admit, open_worker, ready_sender, status_of
from tests.make.accounts import Account
from tests.make.texts import insert_consent, insert_sender

OVERDUE = timedelta(seconds=LEASE_S + 1)
Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def run(dsn: str) -> Callable[..., Awaitable[Result]]:
    """The command line against the test's database."""

    async def invoke(*words: str) -> Result:
        environment = {"DATABASE_URL": dsn, "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY}
        return await asyncio.to_thread(CliRunner().invoke, app, ["admin", *words], env=environment)

    return invoke


@pytest.fixture
def ask(run: Callable[..., Awaitable[Result]]) -> Ask:
    """The same, as a program asks."""

    async def invoke(*words: str) -> Any:
        result = await run(*words, "--json")
        assert result.exit_code == 0, result.exception or result.output
        return json.loads(result.stdout)

    return invoke


def audited(kind: str, payload: Any) -> tuple[str, Any]:
    return kind, payload


async def one_unknown(db: CellDb, account: Account) -> Any:
    """A text whose worker died while it told the carrier."""
    sender = await ready_sender(db, account)
    (message,) = await admit(db, account.tenant, sender, "Acme: who knows?")
    async with open_worker(db) as (_, worker):
        async with db.transaction() as tx:
            await dispatch_queries.claim(tx, [message.id], token=worker.token, until=db.now)
        await db.run(
            "UPDATE message_queue SET claim_token = gen_random_uuid(), claim_until = now() - $1::interval", OVERDUE
        )
        await worker.sweep()
    assert await status_of(db, message.id) == ("undelivered", "unknown")
    return sender, message


async def test_what_waits_is_shown_by_lane_with_its_age_and_its_pause(db: CellDb, account: Account, ask: Ask) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, "Acme: now.")
    await admit(db, account.tenant, sender, "Acme: later.", scheduled_at=db.now + timedelta(hours=1))
    until = db.now + timedelta(seconds=30)
    await db.run(
        """INSERT INTO send_rate_buckets (account, scope, tokens, refilled_at, paused_until)
           VALUES ('live', 'queue:' || $1::text, 0, $2, $3)""",
        str(sender.campaign_id),
        db.now,
        until,
    )

    (queue,) = (await ask("messages", "status"))["queues"]

    assert (queue["organization"], queue["account"], queue["org_id"]) == ("Acme", "live", str(account.org_id))
    assert (queue["due"], queue["delayed"], queue["in_flight"]) == (1, 1, 0)
    assert datetime.fromisoformat(queue["paused_until"]) == until
    assert queue["oldest_at"] is not None


async def test_an_unknown_outcome_is_shown_until_a_late_receipt_tells_it(
    db: CellDb, account: Account, ask: Ask
) -> None:
    sender, message = await one_unknown(db, account)

    (shown,) = (await ask("messages", "status"))["unknown"]

    assert (shown["message_id"], shown["sender"]) == (str(message.id), sender.number)
    assert "gone" in shown["reason"]
    receipt = ReceiptHeard(
        carrier="smpp",
        carrier_message_id="late",
        message_id=message.id,
        state=ReceiptState.DELIVERED,
        happened_at=db.now,
        raw="late",
    )
    await db.run(
        """INSERT INTO message_parts (account, carrier, carrier_message_id, message_id, org_id, part, parts, created_at)
           VALUES ('live', 'smpp', 'late', $1, $2, 1, 1, now())""",
        message.id,
        account.org_id,
    )
    assert await receipts.apply(db, "live", [receipt]) == []
    assert (await ask("messages", "status"))["unknown"] == []


async def test_lines_of_living_workers_are_shown_and_those_of_dead_ones_are_not(
    cells: Cells, db: CellDb, ask: Ask
) -> None:
    directory = await cells.directory()
    await monitoring_queries.beat(directory, "host/1", [LineState("live", "smpp", ["sms"], is_up=False, room=0)])
    await monitoring_queries.beat(directory, "host/2", [LineState("live", "smpp", ["sms"], is_up=True, room=100)])
    await db.run("UPDATE directory.worker_heartbeats SET beat_at = now() - interval '1 minute' WHERE worker = 'host/2'")

    connections = (await ask("messages", "status"))["connections"]

    assert [(each["worker"], each["is_up"], each["capacity"]) for each in connections] == [("host/1", False, 0)]
    shown = (await gauges.show(cells)).decode()
    assert 'agentmessage_carrier_connection_up{account="live",carrier="smpp",worker="host/1"} 0.0' in shown
    assert "host/2" not in shown


async def test_receipts_that_match_no_message_are_shown_and_counted(cells: Cells, db: CellDb, ask: Ask) -> None:
    """As when another platform binds to the same account: each gets the other's receipts."""
    stray = ReceiptHeard(
        carrier="smpp",
        carrier_message_id="c0ffee",
        state=ReceiptState.DELIVERED,
        happened_at=db.now,
        raw="id:c0ffee stat:DELIVRD",
        sender="13235550199",
    )
    hearing = Hearing(cells, ring=lambda *_: None, requires_propagation=True)
    await hearing.hear("live", [stray])
    early = (await ask("messages", "status"))["unmatched_receipts"]
    await db.run("UPDATE unmatched_receipts SET received_at = received_at - interval '3 minutes'")

    (shown,) = (await ask("messages", "status"))["unmatched_receipts"]

    assert early == []
    assert (shown["carrier_message_id"], shown["sender"], shown["status"]) == ("c0ffee", "13235550199", "delivered")
    assert (shown["reason"], shown["raw"]) == ("no message", "id:c0ffee stat:DELIVRD")
    assert await gauges.count_if_due(cells)
    assert 'agentmessage_unmatched_receipts{account="live"} 1.0' in (await gauges.show(cells)).decode()


async def test_a_receipt_whose_id_stays_ambiguous_is_shown_as_such(cells: Cells, db: CellDb, ask: Ask) -> None:
    unclear = ReceiptHeard(
        carrier="smpp",
        carrier_message_id="16",
        readings=[Reading("hex_answers", "10")],
        state=ReceiptState.DELIVERED,
        happened_at=db.now,
        raw="id:16 stat:DELIVRD",
    )
    hearing = Hearing(cells, ring=lambda *_: None, requires_propagation=True)
    await hearing.hear("live", [unclear])
    await db.run("UPDATE directory.undecided_receipts SET received_at = received_at - interval '3 minutes'")

    (shown,) = (await ask("messages", "status"))["unmatched_receipts"]

    assert (shown["carrier_message_id"], shown["reason"]) == ("16", "ambiguous id")


async def test_people_get_four_tables(run: Callable[..., Awaitable[Result]]) -> None:
    shown = (await run("messages", "status")).stdout

    for title in (
        "Send queues by organization",
        "Carrier connections of live workers",
        "Outcome unknown, last 24 hours",
        "Unmatched receipts, last 24 hours",
    ):
        assert title in shown


async def test_gauges_count_what_waits_and_what_nobody_knows(cells: Cells, db: CellDb, account: Account) -> None:
    sender, _ = await one_unknown(db, account)
    await admit(db, account.tenant, sender, "Acme: now.")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()
    assert len(smsc.taken) == 1
    await db.run("UPDATE message_parts SET created_at = now() - interval '2 minutes'")
    await admit(db, account.tenant, sender, "Acme: next.", "Acme: and next.")

    assert await gauges.count_if_due(cells)
    shown = (await gauges.show(cells)).decode()

    of_live = 'account="live",cell="cell_00"'
    assert f'agentmessage_messages_queued{{{of_live},state="due"}} 2.0' in shown
    assert f"agentmessage_oldest_queued_message_seconds{{{of_live}}}" in shown
    assert f"agentmessage_messages_outcome_unknown{{{of_live}}} 1.0" in shown
    assert f"agentmessage_receipts_missing{{{of_live}}} 1.0" in shown


async def test_the_operator_sets_the_pace_of_an_organization_and_gives_it_back_to_the_tier(
    db: CellDb, account: Account, ask: Ask
) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    org = str(account.org_id)
    words = ("organizations", "set-throughput", "--org", org)
    with pytest.raises(RateLimited):
        await admit(db, account.tenant, sender, "Acme: one.", "Acme: two.")

    after = await ask(*words, "--per-second", "5", "--per-minute", "300")

    assert after == {"org_id": org, "per_second": 5, "per_minute": 300}
    await db.run("UPDATE send_accounts SET refilled_at = refilled_at - interval '1 minute'")
    assert len(await admit(db, account.tenant, sender, "Acme: one.", "Acme: two.")) == 2
    assert await ask(*words, "--by-tier") == {"org_id": org, "per_second": None, "per_minute": None}
    with pytest.raises(RateLimited):
        await admit(db, account.tenant, sender, *[f"Acme: {number}." for number in range(5)])
    rows = await db.all(
        audited,
        """SELECT actor_kind, payload FROM audit_log WHERE org_id = $1 AND action = 'organization.throughput.set'
           ORDER BY id""",
        account.org_id,
    )
    assert rows == [
        ("platform", {"per_second": 5, "per_minute": 300}),
        ("platform", {"per_second": None, "per_minute": None}),
    ]


@pytest.mark.parametrize("words", [(), ("--per-second", "5"), ("--per-second", "5", "--per-minute", "9", "--by-tier")])
async def test_half_a_pace_is_refused(run: Callable[..., Awaitable[Result]], account: Account, words: Any) -> None:
    result = await run("organizations", "set-throughput", "--org", str(account.org_id), *words)

    assert str(result.exception) == "Give --per-second and --per-minute, or --by-tier"
