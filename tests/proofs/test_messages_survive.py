"""kill -9 of everything under load: no accepted message is lost, none is sent twice.

CI runs a few thousand messages with a few kills; `make soak-messages` runs 20,000 with twenty.
"""

import asyncio
import os
import random
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from agentmessage.billing import operations as billing
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import operator
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

MESSAGES = int(os.environ.get("MESSAGES", "3000"))
KILLS = int(os.environ.get("KILLS", "8"))
SENDERS = 4
CLIENTS = 32
PROCESSES = ("api-1", "worker", "simulator", "postgres")
CONTACTS = [f"+1{area}55501{line:02d}" for area in (212, 646, 917) for line in range(40)]
FINAL = {"delivered", "undelivered", "failed", "canceled"}


class Outcome(Struct, frozen=True):
    """The outcome of a message in our database."""

    id: UUID
    text: str
    status: str
    error_code: str | None
    segments: int
    is_charged: bool


@pytest.mark.parametrize("carrier", ["smpp", "bandwidth"])
async def test_every_accepted_message_reaches_the_carrier_once_or_is_unknown(carrier: str) -> None:
    environment = {"AGENTMESSAGE_SANDBOX_MESSAGE_CARRIER": carrier, "AGENTMESSAGE_LIVE_MESSAGE_CARRIER": carrier}
    async with (
        asyncio.timeout(1800),
        platform("--profile", "instant", "--seed", "11", environment=environment) as running,
        customer(running) as one,
    ):
        numbers = await arrange(running, one)
        accepted = await pour_while_killing(running, one, numbers)
        await until(lambda: are_final(running), seconds=240, what="a final status of every message")
        await until(lambda: are_settled(running, one), seconds=120, what="the receipts of messages whose ids were lost")
        await require_books(running, one, accepted)


async def arrange(running: Running, one: Customer) -> list[str]:
    """Senders with the consent of every contact, without a rate limit of their own."""
    ids = await own_numbers(one, SENDERS)
    ((campaign_id, _),) = await own_campaigns(one, 1)
    for number_id in ids:
        await one.insist("POST", f"/v1/phone-numbers/{number_id}/campaign", {"campaign_id": campaign_id})

    async def are_propagated() -> list[str]:
        rows = (await one.insist("GET", "/v1/phone-numbers?limit=100")).data
        ready = [row["number"] for row in rows if row["carrier_line_option_status"] == "propagated"]
        return ready if len(ready) == SENDERS else []

    numbers: list[str] = await until(are_propagated, what="propagation")
    cells = Cells(running.ready["database_url"], pool_size=2)
    try:
        await loosen(await cells.cell("cell_00"), UUID(running.ready["org_id"]))
    finally:
        await cells.close()
    for number_id in ids:
        records = [consent(number_id, contact) for contact in CONTACTS]
        captured = await one.insist("POST", "/v1/consent/bulk", {"records": records})
        assert captured.status in (200, 201, 207), captured.body
    return numbers


async def loosen(db: CellDb, org_id: UUID) -> None:
    """No pace but the carrier's, and money enough."""
    await db.run("UPDATE campaigns SET mno_metadata = '{}' WHERE org_id = $1", org_id)
    await db.run(
        "UPDATE organizations SET throughput_per_sec = 100000, throughput_per_min = 6000000 WHERE id = $1", org_id
    )
    async with db.transaction() as tx:
        tenant = operator(org_id, db.name, "live")
        amount = microcents(MESSAGES * 10)
        await billing.credit(tx, tenant, amount_microcents=amount, source="operator", source_ref="messages")


def consent(number_id: str, contact: str) -> dict[str, Any]:
    evidence = {
        "captured_at": "2026-01-01T12:00:00Z",
        "ip_address": "",
        "user_agent": "test",
        "agreement_text": "I agree to receive messages.",
        "form_url": "https://customer.example/join",
        "consent_method": "checkbox",
    }
    return {"phone_number_id": number_id, "contact_number": contact, "opted_in": True, "evidence": evidence}


async def pour_while_killing(running: Running, one: Customer, numbers: list[str]) -> dict[str, str]:
    """Send every message until it gets a response, while processes die. Returns texts by message id."""
    rng = random.Random(11)
    accepted: dict[str, str] = {}
    waiting = list(range(MESSAGES))

    async def send_some() -> None:
        while waiting:
            index = waiting.pop()
            text = f"Acme: ticket {index} of today"
            body = {"from": numbers[index % SENDERS], "to": CONTACTS[index % len(CONTACTS)], "text": text}
            answer = await one.insist("POST", "/v1/messages", body, idempotency_key=f"ticket-{index}")
            assert answer.status == 202, answer.body
            accepted[answer.data["id"]] = text

    async def kill_some() -> None:
        for number in range(KILLS):
            minimum = MESSAGES * number // (KILLS + 1)
            await until(lambda minimum=minimum: has_accepted(accepted, minimum), seconds=600, what="work goes on")
            await asyncio.sleep(rng.random() * 0.5)  # anywhere in the middle, not at a round count
            await running.kill(PROCESSES[number % len(PROCESSES)])
            await is_up(one)

    async with asyncio.TaskGroup() as group:
        group.create_task(kill_some())
        for _ in range(CLIENTS):
            group.create_task(send_some())
    return accepted


async def has_accepted(accepted: dict[str, str], minimum: int) -> bool:
    return len(accepted) >= minimum


async def are_final(running: Running) -> bool:
    return all(outcome.status in FINAL for outcome in await outcomes(running))


async def are_settled(running: Running, one: Customer) -> bool:
    """No delivered message is unknown: its receipt came although the worker died with its id."""
    unknown = {outcome.text for outcome in await outcomes(running) if outcome.error_code == "unknown"}
    return not unknown & set(await messages_at_the_carrier(running, one)) if unknown else True


async def outcomes(running: Running) -> list[Outcome]:
    """Every message of our database."""
    cells = Cells(running.ready["database_url"], pool_size=1)
    try:
        db = await cells.cell("cell_00")
        return await db.all(
            Outcome, "SELECT id, text, status, error_code, segments, is_charged FROM messages WHERE kind = 'customer'"
        )
    finally:
        await cells.close()


async def require_books(running: Running, one: Customer, accepted: dict[str, str]) -> None:
    """Our database and the carrier's: each message once, or unknown; the ledger has what the carrier accepted."""
    ours = {str(outcome.id): outcome for outcome in await outcomes(running)}
    assert {some_id: outcome.text for some_id, outcome in ours.items()} == accepted
    theirs = await messages_at_the_carrier(running, one)
    states = Counter(f"{o.status} {o.error_code or ''}".strip() for o in ours.values())
    charged = sum(outcome.segments for outcome in ours.values() if outcome.is_charged)
    billed = await billed_segments(running)
    counts = f"{len(accepted)} accepted, {KILLS} kills: {dict(states)}; at the carrier {len(theirs)}; billed {billed}"
    print(f"\n{counts}")  # noqa: T201 - the counts are the point
    assert [text for text, times in theirs.items() if times > 1] == []
    sure = {outcome.text for outcome in ours.values() if outcome.error_code != "unknown"}
    assert sure - set(theirs) == set(), "said to be sent, and the carrier never had it"
    assert set(theirs) <= set(accepted.values())
    assert charged == billed
    assert sum(times for times in states.values()) == MESSAGES


async def billed_segments(running: Running) -> int:
    cells = Cells(running.ready["database_url"], pool_size=1)
    try:
        db = await cells.cell("cell_00")
        once = await db.value(
            """SELECT count(*) FROM (SELECT source_ref FROM ledger_transactions WHERE source = 'outbound'
                                     GROUP BY source_ref HAVING count(*) > 1) x"""
        )
        assert once == 0, "something was charged twice"
        return await db.value("SELECT coalesce(sum(quantity), 0)::bigint FROM usage_rows WHERE kind = 'outbound_sms'")
    finally:
        await cells.close()


async def messages_at_the_carrier(running: Running, one: Customer) -> Counter[str]:
    """How often the carrier accepted each text, by its own state."""
    found: Counter[str] = Counter()
    offset = 0
    while True:
        page = await control(one, running, f"messages?limit=1000&offset={offset}")
        found.update(text["text"] for text in page["messages"])
        offset += len(page["messages"])
        if not page["messages"]:
            return found
