"""Commands for keys, settings, guardrails, contacts, metrics and money: each does what it says, over the API."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Customer
from tests.cli.terminal import Terminal
from tests.make.texts import CONTACT, Sender

OTHER = "+12125550190"


@pytest.fixture
def sender(customer: Customer) -> Sender:
    """A number of this test's own that may text."""
    customer.run("UPDATE phone_numbers SET number = '+1900' || lpad((random() * 9999999)::int::text, 7, '0')")
    customer.run("DELETE FROM directory.inventory")
    return customer.number("+14155550123")


def test_a_key_is_made_rotated_and_revoked(terminal: Terminal) -> None:
    made = terminal(
        "keys", "create", "--label", "bot", "--scope", "messages:send", "--scope", "org:read", "--json"
    ).json
    rotated = terminal("keys", "rotate", made["id"], "--yes", "--json").json
    terminal.environment["AGENTMESSAGE_API_KEY"], owner = (
        rotated["plaintext"],
        terminal.environment["AGENTMESSAGE_API_KEY"],
    )
    whose = terminal("whoami", "--json").json
    terminal.environment["AGENTMESSAGE_API_KEY"] = owner

    asked = terminal("keys", "revoke", rotated["id"])
    revoked = terminal("keys", "revoke", rotated["id"], "--yes", "--json").json

    assert made["plaintext"].startswith("am_live_")
    assert whose["organization"]
    assert (asked.status, "pass --yes" in asked.err) == (2, True)
    assert revoked == {"id": rotated["id"], "revoked": True}
    assert terminal("keys", "get", rotated["id"], "--json").json["revoked_at"]
    assert rotated["id"] not in [key["id"] for key in terminal("keys", "list", "--no-revoked", "--json").json]
    assert rotated["plaintext"] not in terminal("keys", "list").out


def test_settings_of_the_organization_are_shown_and_changed(terminal: Terminal) -> None:
    changed = terminal(
        "organization", "update", "--name", "Harbor", "--set", "message_retention_days:=30", "--json"
    ).json

    assert (changed["name"], changed["message_retention_days"]) == ("Harbor", 30)
    assert terminal("organization", "get", "--json").json["name"] == "Harbor"
    assert terminal("organization", "update", "--set", "message_retention_days:=soon").status == 2
    assert terminal("organization", "update", "--set", "message_retention_days").status == 2


def test_guardrails_are_made_bound_and_judge(terminal: Terminal, customer: Customer, sender: Sender) -> None:
    customer.consents(sender)
    cap = (
        "--set",
        "freq_cap_disabled=false",
        "--set",
        "freq_cap_window_minutes:=60",
        "--set",
        "freq_cap_max_in_window:=1",
    )
    profile = terminal("guardrails", "profiles", "create", "--name", "calm", *cap, "--json").json
    bound = terminal(
        "guardrails", "bindings", "put", "--guardrails", profile["id"], "--number", sender.number, "--json"
    ).json
    message = ("--from", sender.number, "--to", CONTACT, "--text", "Hello")

    before = terminal("guardrails", "preflight", *message)
    terminal("messages", "send", *message)
    after = terminal("guardrails", "preflight", *message)
    unexplained = terminal("guardrails", "bindings", "delete", bound["id"], "--yes")
    reason = ("--attestation", "Reminders are asked for by patients and are limited by their appointments.")
    terminal("guardrails", "bindings", "delete", bound["id"], "--yes", *reason)
    unbound = terminal("guardrails", "preflight", *message)

    assert before.status == 0, before
    assert (after.status, "FREQUENCY_CAP_EXCEEDED" in after.out) == (1, True)
    assert (unexplained.status, "ATTESTATION_REQUIRED" in unexplained.err) == (1, True)
    assert "FREQUENCY_CAP_EXCEEDED" not in unbound.out
    assert "It would be rejected." in after.out
    renamed = terminal("guardrails", "profiles", "update", profile["id"], "--name", "calmer", "--json").json
    assert (renamed["name"], renamed["freq_cap_max_in_window"]) == ("calmer", 1)
    assert terminal("guardrails", "profiles", "delete", profile["id"], "--yes").status == 0
    assert terminal("guardrails", "profiles", "get", profile["id"]).status == 1


def test_pools_hold_the_numbers_that_they_are_given(terminal: Terminal, sender: Sender) -> None:
    brand = terminal("campaigns", "get", str(sender.campaign_id), "--json").json["brand_id"]
    pool = terminal(
        "guardrails", "pools", "create", "--brand", brand, "--name", "Front", "--slug", "front", "--json"
    ).json

    filled = terminal("guardrails", "pools", "set", pool["id"], "--number", sender.number, "--json").json
    emptied = terminal("guardrails", "pools", "set", pool["id"], "--json").json

    assert [one["phone_number_id"] for one in filled] == [str(sender.id)]
    assert emptied == []
    assert terminal("guardrails", "pools", "update", pool["id"], "--name", "Desk", "--json").json["name"] == "Desk"
    assert terminal("guardrails", "pools", "delete", pool["id"], "--yes").status == 0
    assert "none. " in terminal("guardrails", "pools", "list").out


def test_consents_are_imported_and_bad_records_named(terminal: Terminal, sender: Sender, tmp_path: Path) -> None:
    evidence = {
        "captured_at": "2026-01-01T12:00:00Z",
        "consent_method": "checkbox",
        "agreement_text": "I agree",
        "form_url": "https://harbor.example/book",
    }
    good = {"phone_number_id": str(sender.id), "contact_number": CONTACT, "evidence": evidence}
    bad = good | {"contact_number": "nobody"}
    file = tmp_path / "consents.ndjson"
    file.write_text("\n".join(json.dumps(one) for one in (good, bad, good | {"contact_number": OTHER})))

    imported = terminal("consent", "import", str(file), "--json")
    (found,) = terminal("consent", "list", "--to", OTHER, "--json").json

    assert imported.status == 1
    told = json.loads(imported.out)
    assert (told["accepted"], [one["row"] for one in told["rejected"]]) == (2, [2])
    assert terminal("consent", "get", found["id"], "--json").json["contact_number"] == OTHER
    file.write_text("{")
    assert terminal("consent", "import", str(file)).status == 2


def test_a_contact_is_asked_or_given_a_form(terminal: Terminal, sender: Sender) -> None:
    agreement = ("--from", sender.number, "--agreement", "I agree to messages about appointments.")

    asked = terminal("consent", "ask", *agreement, "--to", OTHER, "--question", "Reply YES to agree.", "--json").json
    form = terminal("consent", "form", *agreement, "--to", CONTACT, "--json").json

    assert asked["confirmation_message_id"]
    assert form["url"].startswith("http")


def test_a_contacts_words_are_erased(terminal: Terminal, customer: Customer, sender: Sender) -> None:
    customer.consents(sender)
    sent = terminal("messages", "send", "--from", sender.number, "--to", CONTACT, "--text", "Secret", "--json").json
    states = terminal("messages", "events", sent["id"], "--json").json

    erased = terminal("contacts", "erase", CONTACT, "--yes", "--json").json

    assert [one["status"] for one in states] == ["queued"]
    assert erased["outbound_redacted"] == 1
    assert terminal("messages", "get", sent["id"], "--json").json["text"] is None
    acts = terminal("audit", "list", "--json").json
    assert erased["audit_log_id"] in [act["id"] for act in acts]


def test_a_batch_ends_with_1_when_a_message_was_rejected(
    terminal: Terminal, customer: Customer, sender: Sender, tmp_path: Path
) -> None:
    customer.consents(sender)
    file = tmp_path / "batch.json"
    drafts = [{"from": sender.number, "to": to, "text": "Hello"} for to in (CONTACT, OTHER)]
    file.write_text(json.dumps(drafts))

    sent = terminal("messages", "batch", str(file), "--json")

    told = json.loads(sent.out)
    assert (sent.status, told["accepted"], told["refused"]) == (1, 1, 1)
    assert told["results"][1]["error"]["code"] == "CONSENT_REQUIRED"


def test_lookups_metrics_and_money_are_shown(terminal: Terminal, sender: Sender) -> None:
    assert "LOOKUP_FAILED" in terminal("lookups", "create", CONTACT).err, "no supplier is reached from here"
    (lookup,) = terminal("lookups", "list", "--number", CONTACT, "--json").json
    assert terminal("lookups", "get", lookup["id"], "--json").json["status"] == "failed"
    assert terminal("conversations", "list", "--contact", CONTACT, "--json").json == []

    for family in ("messages", "inbound", "webhooks", "wallet"):
        shown = terminal("metrics", family)
        assert (shown.status, "bucket start" in shown.out) == (0, True), shown
        assert terminal("metrics", family, "--json").json["metric"]
    assert terminal("wallet", "auto-topup", "--json").json["enabled"] is False
    assert terminal("wallet", "products").status in {0, 1}
    assert terminal("wallet", "export").status == 0
    assert terminal("numbers", "update", sender.number, "--label", "Front", "--json").json["label"] == "Front"
    assert terminal("campaigns", "numbers", str(sender.campaign_id), "--json").json[0]["number"] == sender.number
