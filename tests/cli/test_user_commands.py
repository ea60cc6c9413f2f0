"""The commands of those who text, run against the real API; what they say is held to snapshots."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agentmessage.cli.timestamps import coming, past
from tests.cli.conftest import Customer
from tests.cli.terminal import Terminal
from tests.make.texts import CONTACT

BRAND = {
    "entity_type": "PRIVATE_PROFIT",
    "brand_relationship": "BASIC_ACCOUNT",
    "display_name": "Acme Dental",
    "country": "US",
}
DRAFT = (
    "--usecase",
    "CUSTOMER_CARE",
    "--description",
    "Appointment reminders to patients of the practice who asked for them.",
    "--message-flow",
    "Patients tick an unchecked box on the booking form and agree to reminders by text.",
    "--sample1",
    "Acme Dental: your appointment is on Monday at 9. Reply STOP to opt out.",
)
OURS = "+14155550123"


def agreed(terminal: Terminal, name: str, **replacing: str) -> None:
    url = terminal.environment["AGENTMESSAGE_BASE_URL"]
    terminal.require_snapshot(name, {url: "http://platform", str(terminal.home): "~/.config", **replacing})


@pytest.fixture(autouse=True)
def _alone(customer: Customer) -> None:
    """Numbers are unique on a platform: those of earlier tests make way."""
    customer.run("UPDATE phone_numbers SET number = '+1900' || lpad((random() * 9999999)::int::text, 7, '0')")
    customer.run("DELETE FROM directory.inventory")


def test_numbers(terminal: Terminal, customer: Customer) -> None:
    sender = customer.number(OURS)

    terminal("numbers", "list")
    terminal("numbers", "get", OURS)
    terminal("numbers", "detach", OURS)
    terminal("numbers", "attach", str(sender.id), str(sender.campaign_id))
    terminal("numbers", "line-option", OURS)
    terminal("numbers", "release", OURS)
    terminal("numbers", "release", OURS, "--yes")
    terminal("numbers", "list")
    terminal("numbers", "get", OURS)
    terminal("numbers", "get", "nonsense")

    agreed(terminal, "numbers")


def test_numbers_are_searched_and_ordered(terminal: Terminal, customer: Customer) -> None:
    customer.run(
        """INSERT INTO directory.inventory (account, number, number_type, state, generation)
           VALUES ('live', '+14155550177', 'local', 'available', 1)"""
    )

    found = terminal("numbers", "search", "--area-code", "415", "--quantity", "1", "--json").json
    ordered = terminal("numbers", "order", found[0]["number"], "--label", "front desk", "--json").json

    assert [(row["number"], row["label"]) for row in ordered] == [("+14155550177", "front desk")]


def test_an_order_that_the_carrier_has_not_answered_says_so(terminal: Terminal) -> None:
    ended = terminal("numbers", "order", "+14155550178", "--json")

    assert ended.status == 0
    assert ended.err.startswith("The carrier has not responded yet")


def test_brands_and_campaigns(terminal: Terminal, customer: Customer, tmp_path: Path) -> None:
    file = tmp_path / "brand.json"
    file.write_text(json.dumps(BRAND))

    made = terminal("brands", "create", "--file", str(file), "--set", "postal_code=94110", "--json").json
    terminal.transcript.clear()
    terminal("brands", "list")
    terminal("brands", "get", made["id"])
    terminal("campaigns", "review", "--brand", made["id"], *DRAFT)
    terminal("campaigns", "review", "--brand", made["id"], "--description", "Texts")
    terminal("campaigns", "create", "--brand", made["id"], *DRAFT)
    customer.run(
        "UPDATE brands SET status = 'ACTIVE', identity_status = 'VERIFIED', tcr_brand_id = 'BABC123' WHERE id = $1",
        made["id"],
    )
    terminal("campaigns", "create", "--brand", made["id"], *DRAFT)
    terminal("campaigns", "list")
    terminal("campaigns", "create", "--set", "usecase=JOKES", "--set", "colour=red")
    terminal("campaigns", "create", "--set", "usecase")

    agreed(terminal, "brands-and-campaigns")


def test_messages(terminal: Terminal, customer: Customer) -> None:
    sender = customer.number(OURS)
    terminal("messages", "send", "--from", OURS, "--to", CONTACT, "--text", "Hello")
    customer.consents(sender)

    sent = terminal("messages", "send", "--from", OURS, "--to", CONTACT, "--text", "¡Hola! 🦷", "--json").json
    terminal("messages", "send", "--from", OURS, "--to", CONTACT, "--text", "Later", "--at", "2h", "--tag", "late")
    terminal.transcript[1:2] = []
    terminal("messages", "list")
    terminal("messages", "list", "--tag", "late")
    terminal("messages", "get", sent["id"])
    terminal("messages", "cancel", sent["id"])
    terminal("messages", "wait", sent["id"])
    terminal("messages", "send", "--from", OURS, "--to", "nobody", "--text", "Hello")
    terminal("messages", "send", "--from", OURS)

    agreed(terminal, "messages")


def test_a_text_that_is_delivered_ends_with_0_and_one_that_waits_with_5(terminal: Terminal, customer: Customer) -> None:
    customer.consents(customer.number(OURS))
    sent = terminal("messages", "send", "--from", OURS, "--to", CONTACT, "--text", "Hello", "--json").json

    late = terminal("messages", "wait", sent["id"], "--timeout", "0.3")
    customer.run("UPDATE messages SET status = 'delivered', delivered_at = now() WHERE id = $1", sent["id"])
    arrived = terminal("messages", "wait", sent["id"], "--json")

    assert (late.status, late.err) == (5, "agentmessage: The message is still queued after 0.3 s\n")
    assert arrived.json["status"] == "delivered"


def test_nobody_answers_within_the_time(terminal: Terminal, customer: Customer) -> None:
    customer.consents(customer.number(OURS))
    sent = terminal("messages", "send", "--from", OURS, "--to", CONTACT, "--text", "Hello?", "--json").json

    answer = terminal("messages", "wait", sent["id"], "--reply", "--timeout", "0")
    text = terminal("inbound", "wait", "--from", CONTACT, "--timeout", "0")

    assert (answer.status, answer.err) == (5, f"agentmessage: {CONTACT} did not reply within 0 s\n")
    assert (text.status, text.err) == (5, "agentmessage: No message was received within 0 s\n")


def test_sending_again_with_the_same_key_sends_nothing_twice(terminal: Terminal, customer: Customer) -> None:
    customer.consents(customer.number(OURS))
    words = ("messages", "send", "--from", OURS, "--to", CONTACT, "--text", "Once", "--idempotency-key", "one")

    first, second = terminal(*words, "--json").json, terminal(*words, "--json").json

    assert first["id"] == second["id"]
    assert len(terminal("messages", "list", "--json").json) == 1


def test_a_file_of_no_known_kind_is_not_sent(terminal: Terminal, tmp_path: Path) -> None:
    riddle = tmp_path / "tooth"
    riddle.write_bytes(b"?")

    refused = terminal("messages", "send", "--from", OURS, "--to", CONTACT, "--media", str(riddle))

    assert refused.status == 1
    assert "give the file an extension such as .jpg" in refused.err


def test_inbound(terminal: Terminal, customer: Customer) -> None:
    sender = customer.number(OURS)
    customer.run(
        """INSERT INTO inbound_messages (id, org_id, account, phone_number_id, from_number, to_number, body, channel,
                                         segment_count, carrier, carrier_message_id, received_at)
           VALUES (gen_random_uuid(), $1, 'live', $2, $3, $4, 'Yes please', 'sms', 1, 'simulator', 'in-1', now())""",
        customer.account.org_id,
        sender.id,
        CONTACT,
        OURS,
    )

    (came,) = terminal("inbound", "list", "--json").json
    terminal.transcript.clear()
    terminal("inbound", "list", "--from", CONTACT, "--since", "1h")
    terminal("inbound", "list", "--opt-out")
    terminal("inbound", "get", came["id"])
    terminal("inbound", "wait", "--from", CONTACT, "--since", "1h", "--timeout", "5")

    agreed(terminal, "inbound")


def test_consent(terminal: Terminal, customer: Customer) -> None:
    customer.number(OURS)
    pair = ("--from", OURS, "--to", CONTACT)

    terminal("consent", "record", *pair, "--agreement", "I agree to texts.", "--method", "written", "--at", "2h")
    (record,) = terminal("consent", "list", "--json").json
    terminal.transcript[-1:] = []
    terminal("consent", "list", *pair, "--opted-in")
    terminal("consent", "revoke", record["id"])
    terminal("consent", "revoke", record["id"], "--yes")
    terminal("consent", "history", record["id"])
    terminal("consent", "list", "--opted-in")
    terminal("consent", "record", *pair, "--agreement", "I agree.", "--at", "3d")
    terminal("consent", "record", *pair, "--agreement", "I agree.", "--at", "yesterday")

    agreed(terminal, "consent")


def test_webhooks(terminal: Terminal) -> None:
    where = ("--url", "https://127.0.0.1:9/hook")

    terminal("webhooks", "create", *where, "--event", "message.delivered", "--event", "message.failed")
    (endpoint,) = terminal("webhooks", "list", "--json").json
    terminal.transcript[-1:] = []
    terminal("webhooks", "list")
    terminal("webhooks", "update", endpoint["id"], "--description", "production", "--off")
    terminal("webhooks", "rotate", endpoint["id"], "--yes")
    terminal("webhooks", "create", *where, "--event", "message.eaten")
    terminal("webhooks", "delete", endpoint["id"])
    terminal("webhooks", "delete", endpoint["id"], "--yes")
    terminal("webhooks", "list")
    terminal("webhooks", "deliveries")
    terminal("webhooks", "replay", endpoint["id"])

    agreed(terminal, "webhooks")


def test_a_test_that_fails_ends_with_1_and_is_among_the_deliveries(terminal: Terminal) -> None:
    made = terminal("webhooks", "create", "--url", "https://127.0.0.1:9/hook", "--event", "message.sent", "--json").json

    tested = terminal("webhooks", "test", made["id"], "--json")

    assert tested.status == 1
    assert json.loads(tested.out)["outcome"] == "dead"
    (delivery,) = terminal("webhooks", "deliveries", "--endpoint", made["id"], "--json").json
    assert (delivery["event_type"], delivery["outcome"]) == ("webhook.test", "dead")


def test_wallet(terminal: Terminal) -> None:
    terminal("wallet", "show")
    terminal("wallet", "transactions")
    terminal("wallet", "usage", "--from", "7d")
    terminal("wallet", "fees")
    terminal("wallet", "usage", "--from", "2020-01-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z")

    projected = terminal("wallet", "show", "--json").json["projected_month_total_cents"]
    terminal.transcript[-1:] = []
    assert projected == 0
    agreed(terminal, "wallet")


def test_events_are_listed_oldest_first(terminal: Terminal, customer: Customer) -> None:
    customer.number(OURS)
    terminal("numbers", "detach", OURS)
    terminal.transcript.clear()

    terminal("events", "list")
    terminal("events", "list", "--type", "message.sent")
    terminal("events", "list", "--type", "tooth.pulled")

    agreed(terminal, "events")


def test_a_limit_shows_the_newest_events_and_a_pattern_stands_for_many_types(
    terminal: Terminal, customer: Customer
) -> None:
    customer.number(OURS)
    terminal("numbers", "detach", OURS)

    every = [event["id"] for event in terminal("events", "list", "--json").json]
    newest = [event["id"] for event in terminal("events", "list", "--limit", "1", "--json").json]
    detached = terminal("events", "list", "--type", "phone_number.*", "--type", "brand.created", "--json").json
    none = terminal("events", "list", "--type", "message.*", "--json").json

    assert newest == every[-1:]
    assert {event["type"] for event in detached} == {"phone_number.campaign.detached"}
    assert none == []


def test_who_asks(terminal: Terminal) -> None:
    terminal("whoami")
    terminal("logout")

    agreed(terminal, "whoami")


def test_a_limit_is_kept_over_pages(terminal: Terminal, customer: Customer) -> None:
    sender = customer.number(OURS)
    for number in range(3, 0, -1):
        customer.consents(sender, f"+1212555010{number}")
    customer.run(
        """INSERT INTO consents (id, org_id, phone_number_id, contact_number, opted_in, opted_in_at, source,
                                 consent_method, created_at, updated_at)
           SELECT gen_random_uuid(), $1, $2, '+1213555' || lpad(n::text, 4, '0'), true, now(), 'api', 'attested',
                  now() + n * interval '1 s', now() + n * interval '1 s' FROM generate_series(1, 150) n""",
        customer.account.org_id,
        sender.id,
    )

    assert len(terminal("consent", "list", "--limit", "120", "--json").json) == 120
    assert len(terminal("consent", "list", "--limit", "1000", "--json").json) == 153


def test_a_key_without_the_scope_is_status_4(bare: Terminal, open_customer: Callable[..., Customer]) -> None:
    poor = open_customer(scopes=["numbers:read"])
    bare.environment |= {
        "AGENTMESSAGE_API_KEY": poor.account.key,
        "AGENTMESSAGE_BASE_URL": poor.platform.base_url,
    }

    refused = bare("messages", "list")

    assert refused.status == 4
    assert refused.err.startswith("agentmessage: FORBIDDEN (403)")
    assert bare("numbers", "list").status == 0


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("2026-11-23T18:00:00Z", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        ("2026-11-23T18:00:00+02:00", datetime(2026, 11, 23, 16, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("90m", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
    ],
)
def test_a_moment_is_a_time_or_a_while(word: str, means: Any) -> None:

    before, after = past(word), coming(word)

    if isinstance(means, timedelta):
        assert abs((after - before) - 2 * means) < timedelta(seconds=5)
        assert before < datetime.now(UTC) < after
    else:
        assert before == after == means
