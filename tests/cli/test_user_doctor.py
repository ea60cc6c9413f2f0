"""`agentmessage doctor` names what is in the way of a text, and what to do about it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from agentmessage.sdk import AgentMessage
from tests.cli.conftest import Customer
from tests.cli.terminal import Ended, Terminal
from tests.make.texts import CONTACT

OURS = "+14155550123"

Break = Callable[[Customer], Any]


@pytest.fixture(autouse=True)
def _alone(customer: Customer) -> None:
    """Numbers are unique on a platform: those of earlier tests make way."""
    customer.run("UPDATE phone_numbers SET number = '+1900' || lpad((random() * 9999999)::int::text, 7, '0')")
    customer.run("DELETE FROM directory.inventory")


def well(customer: Customer) -> None:
    """A number that can text the contact at any hour."""
    sender = customer.number(OURS)
    customer.consents(sender)
    customer.run(
        """INSERT INTO line_options (phone_number_id, org_id, account, number, phase, observed, observed_campaign,
                                     applied_generation, observed_at, updated_at)
           SELECT p.id, p.org_id, p.account, p.number, 'bound', 'present', c.tcr_campaign_id, 1, now(), now()
           FROM phone_numbers p JOIN campaigns c ON c.id = p.campaign_id WHERE p.id = $1""",
        sender.id,
    )


def checks(ended: Ended) -> dict[str, Any]:
    """What was found, by its name."""
    return {one["check"]: one for one in msgspec.json.decode(ended.out)["findings"]}


def test_a_number_that_can_send_is_told_to(terminal: Terminal, customer: Customer) -> None:
    well(customer)

    ended = terminal("doctor", OURS, "--to", CONTACT, "--json")

    assert ended.status == 0, ended
    assert ended.json["can_send"] is True
    assert ended.json["number"] == OURS
    found = checks(ended)
    assert {name: one["is_ok"] for name, one in found.items()} == dict.fromkeys(found, True)
    assert list(found)[:8] == [
        "key",
        "scope",
        "number",
        "campaign",
        "brand",
        "propagation",
        "consent",
        "credit",
    ]


def test_without_a_contact_consent_and_hours_are_not_asked(terminal: Terminal, customer: Customer) -> None:
    well(customer)

    ended = terminal("doctor", OURS, "--json")

    assert list(checks(ended)) == ["key", "scope", "number", "campaign", "brand", "propagation", "credit"]
    assert ended.status == 0


def no_campaign(customer: Customer) -> None:
    customer.run("UPDATE phone_numbers SET campaign_id = NULL WHERE number = $1", OURS)


def pending(customer: Customer) -> None:
    customer.run("UPDATE campaigns SET status = 'PENDING' WHERE org_id = $1", customer.account.org_id)


def rejected(customer: Customer) -> None:
    customer.run(
        """UPDATE campaigns SET status = 'REJECTED', rejection_reasons = '{the website is empty}' WHERE org_id = $1""",
        customer.account.org_id,
    )


def suspended(customer: Customer) -> None:
    customer.run("UPDATE campaigns SET is_suspended = true WHERE org_id = $1", customer.account.org_id)


def unregistered(customer: Customer) -> None:
    customer.run("UPDATE brands SET status = 'PENDING' WHERE org_id = $1", customer.account.org_id)


def unconfirmed(customer: Customer) -> None:
    customer.run("UPDATE phone_numbers SET line_option_status = 'pending' WHERE number = $1", OURS)
    customer.run("UPDATE line_options SET observed = 'absent', observed_campaign = NULL, applied_generation = 0")


def unasked(customer: Customer) -> None:
    customer.run("DELETE FROM consents WHERE org_id = $1", customer.account.org_id)


def stopped(customer: Customer) -> None:
    customer.run(
        """UPDATE consents SET opted_in = false, opted_in_at = NULL, opted_out_at = now(), suppressed_by = 'keyword'
           WHERE org_id = $1""",
        customer.account.org_id,
    )


@pytest.mark.parametrize(
    ("fault", "check", "told", "fix"),
    [
        (no_campaign, "campaign", "The number is not attached to a campaign.", "agentmessage numbers attach"),
        (pending, "campaign", "is PENDING", "Wait for its approval"),
        (rejected, "campaign", "is REJECTED: the website is empty.", "agentmessage campaigns review"),
        (suspended, "campaign", "is suspended by an operator", "campaign.resumed"),
        (unregistered, "brand", "is PENDING", "agentmessage brands get"),
        (unconfirmed, "propagation", "The carrier has not confirmed the campaign yet.", "numbers line-option"),
        (unasked, "consent", f"No consent of {CONTACT} is on record.", "double opt-in"),
        (stopped, "consent", f"{CONTACT} has opted out (keyword).", "START"),
    ],
)
def test_what_is_in_the_way_is_named_with_a_way_out(  # noqa: PLR0917 - a table
    terminal: Terminal, customer: Customer, fault: Break, check: str, told: str, fix: str
) -> None:
    well(customer)
    fault(customer)

    ended = terminal("doctor", OURS, "--to", CONTACT, "--json")

    found = checks(ended)[check]
    assert ended.status == 1
    assert found["is_ok"] is False, found
    assert told in found["message"]
    assert fix in found["fix"]


def test_an_empty_wallet_is_in_the_way(
    bare: Terminal, open_customer: Callable[..., Customer], customer: Customer
) -> None:
    poor = open_customer(cents=0)
    well(poor)
    bare.environment |= {
        "AGENTMESSAGE_API_KEY": poor.account.key,
        "AGENTMESSAGE_BASE_URL": customer.platform.base_url,
    }

    ended = bare("doctor", OURS, "--json")

    assert ended.status == 1
    assert checks(ended)["credit"]["message"] == "The balance is $0.00."


def test_quiet_hours_are_in_the_way(terminal: Terminal, customer: Customer) -> None:
    """The whole day but a minute, so that it is always night."""
    well(customer)
    with AgentMessage(api_key=customer.account.key, base_url=customer.platform.base_url) as client:
        client.organization.update(quiet_hours={"enabled": True, "start": "00:00", "end": "23:59", "mode": "reject"})

    ended = terminal("doctor", OURS, "--to", CONTACT, "--json")

    assert checks(ended)["quiet_hours"]["is_ok"] is False
    assert "opens_at" in checks(ended)["quiet_hours"]["message"]


def test_a_key_that_is_not_known_ends_the_walk(bare: Terminal, customer: Customer) -> None:
    bare.environment |= {
        "AGENTMESSAGE_API_KEY": "am_live_nobodyknowsthiskey",
        "AGENTMESSAGE_BASE_URL": customer.platform.base_url,
    }

    ended = bare("doctor", OURS, "--json")

    assert ended.status == 1
    assert list(checks(ended)) == ["key"]
    assert checks(ended)["key"]["is_ok"] is False


def test_a_key_that_may_not_send_is_told_so(
    bare: Terminal, open_customer: Callable[..., Customer], customer: Customer
) -> None:
    reader = open_customer(scopes=["apikeys:read", "numbers:read"])
    bare.environment |= {
        "AGENTMESSAGE_API_KEY": reader.account.key,
        "AGENTMESSAGE_BASE_URL": customer.platform.base_url,
    }

    found = checks(bare("doctor", OURS, "--json"))

    assert found["scope"]["is_ok"] is False
    assert found["scope"]["message"] == "The key lacks messages:send."


def test_what_a_key_may_not_read_is_neither_good_nor_bad(
    bare: Terminal, open_customer: Callable[..., Customer], customer: Customer
) -> None:
    sender = open_customer(scopes=["messages:send", "numbers:read"])
    well(sender)
    bare.environment |= {
        "AGENTMESSAGE_API_KEY": sender.account.key,
        "AGENTMESSAGE_BASE_URL": customer.platform.base_url,
    }

    found = checks(bare("doctor", OURS, "--json"))

    unseen = {name for name, one in found.items() if one["is_ok"] is None}
    assert unseen == {"scope", "campaign", "brand", "credit"}


def test_a_number_of_somebody_else_is_none_of_yours(terminal: Terminal, open_customer: Callable[..., Customer]) -> None:
    stranger = open_customer(name="Stranger")
    sender = stranger.number(OURS)

    by_number, by_id = terminal("doctor", OURS, "--json"), terminal("doctor", str(sender.id), "--json")

    for ended in (by_number, by_id):
        assert checks(ended)["number"]["is_ok"] is False
        assert ended.status == 1


def test_the_carrier_line_is_shown_without_an_error_and_with_one(terminal: Terminal, customer: Customer) -> None:
    well(customer)

    fine = terminal("numbers", "line-option", OURS)
    customer.run("UPDATE line_options SET phase = 'blocked', trouble = 'capacity', error_text = 'full'")
    blocked = terminal("numbers", "line-option", OURS)

    assert (fine.status, blocked.status) == (0, 0)
    assert "last error" not in fine.out
    assert "last error fix" in blocked.out


def test_people_read_it_line_by_line(terminal: Terminal, customer: Customer) -> None:
    well(customer)
    pending(customer)

    terminal("doctor", OURS)
    terminal("doctor", "+14155550199")

    terminal.require_snapshot("doctor", {})
