"""`agentmessage admin`: what the operator asks for happens, is shown to people and programs, and is audited."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from agentmessage.cli.main import app
from agentmessage.kernel.db import CellDb
from agentmessage.web.scopes import CUSTOMER_SCOPES
from tests.conftest import ENCRYPTION_KEY

Run = Callable[..., Result]


@pytest.fixture
def run(dsn: str) -> Run:
    """The command line against a fresh database."""

    def invoke(*words: str) -> Result:
        environment = {"DATABASE_URL": dsn, "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY}
        return CliRunner().invoke(app, ["admin", *words], env=environment)

    return invoke


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """The same, as a program asks."""

    def invoke(*words: str) -> Any:
        result = run(*words, "--json")
        assert result.exit_code == 0, result.exception or result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
def org(ask: Callable[..., Any]) -> str:
    """The id of a live organization."""
    return ask("organizations", "create", "Acme")["org_id"]


def test_an_organization_comes_with_a_sandbox_wallets_and_keys(ask: Callable[..., Any]) -> None:
    made = ask("organizations", "create", "Acme")

    listed = {line["id"]: line for line in ask("organizations", "list")}
    live, sandbox = listed[made["org_id"]], listed[made["sandbox_org_id"]]
    assert (live["mode"], sandbox["mode"]) == ("live", "sandbox")
    assert (live["name"], live["balance_cents"], sandbox["balance_cents"]) == ("Acme", 500, 100_000)
    assert live["twin_id"] == sandbox["id"]
    assert made["api_key"].startswith("am_live_")
    assert made["sandbox_api_key"].startswith("am_test_")


def test_an_organization_in_a_cell_that_does_not_exist_is_refused(run: Run) -> None:
    result = run("organizations", "create", "Acme", "--cell", "cell_77")

    assert str(result.exception) == "There is no cell cell_77; `agentmessage migrate --cell cell_77` makes it"


def test_a_key_is_made_with_the_scopes_asked_for_shown_once_and_revoked(ask: Callable[..., Any], org: str) -> None:
    made = ask("api-keys", "create", "--org", org, "--scopes", "numbers:read, brands:read", "--label", "ci")
    assert made["scopes"] == ["numbers:read", "brands:read"]
    assert made["key"].startswith(made["prefix"])

    listed = next(key for key in ask("api-keys", "list", "--org", org) if key["id"] == made["id"])
    assert listed == {**made, "key": None}

    assert ask("api-keys", "revoke", made["id"], "--org", org)["revoked_at"] is not None


def test_a_key_without_scopes_named_can_do_all_that_a_customer_can(ask: Callable[..., Any], org: str) -> None:
    assert ask("api-keys", "create", "--org", org)["scopes"] == list(CUSTOMER_SCOPES)


def test_the_plain_key_alone_goes_to_standard_output(run: Run, org: str) -> None:
    """So that a script can write KEY=$(agentmessage admin api-keys create ...)."""
    result = run("api-keys", "create", "--org", org)

    assert result.stdout.startswith("am_live_")
    assert len(result.stdout.splitlines()) == 1


def test_credit_with_the_same_reference_counts_once(ask: Callable[..., Any], org: str) -> None:
    for _ in range(2):
        after = ask("wallet", "credit", "--org", org, "--cents", "250", "--reference", "invoice 7")

    assert after == {"org_id": org, "credited_cents": 250, "balance_cents": 750}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("api-keys", "list", "--org", "{nobody}"), "There is no organization {nobody}"),
        (("wallet", "credit", "--org", "{nobody}", "--cents", "1"), "There is no organization {nobody}"),
        (("api-keys", "revoke", "{nobody}", "--org", "{org}"), "Organization {org} has no key {nobody}"),
        (
            ("api-keys", "create", "--org", "{org}", "--scopes", "bad"),
            'api key: unknown scope "bad": UNKNOWN_SCOPE: invalid input',
        ),
        (("reconcile", "retry", "+14155550123"), "No organization holds +14155550123"),
    ],
)
def test_what_cannot_be_is_one_sentence(run: Run, org: str, words: tuple[str, ...], sentence: str) -> None:
    names = {"org": org, "nobody": str(uuid4())}

    result = run(*(word.format(**names) for word in words))

    assert result.exit_code == 1
    assert str(result.exception) == sentence.format(**names)


def test_a_file_of_numbers_fills_the_pool_once(ask: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("# ours\n+14155550100\n\n+18005550101\n+12065550102,short_code\n")

    assert ask("inventory", "import", str(file)) == {"account": "live", "read": 3, "imported": 3}
    assert ask("inventory", "import", str(file))["imported"] == 0

    pool = {row["number"]: row["number_type"] for row in ask("inventory", "list", "--state", "available")}
    assert pool == {"+12065550102": "short_code", "+14155550100": "local", "+18005550101": "toll_free"}
    assert [row["number"] for row in ask("inventory", "list", "--after", "+12065550102", "--limit", "1")] == [
        "+14155550100"
    ]
    assert ask("inventory", "list", "--account", "sandbox") == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("4155550101", "Line 2: '4155550101' is not a number in E.164, such as +14155550123"),
        ("+14155550101,mobile", "Line 2: 'mobile' is not one of local, toll_free, short_code"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(
    run: Run, ask: Callable[..., Any], tmp_path: Path, line: str, sentence: str
) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(f"+14155550100\n{line}\n")

    result = run("inventory", "import", str(file))

    assert str(result.exception) == sentence
    assert ask("inventory", "list") == []


def test_the_carriers_of_both_accounts_are_shown(ask: Callable[..., Any]) -> None:
    assert [(line["account"], line["is_simulated"]) for line in ask("carriers", "show")] == [
        ("live", True),
        ("sandbox", True),
    ]


def test_the_state_of_reconciliation_is_shown_even_when_there_is_nothing(ask: Callable[..., Any], run: Run) -> None:
    assert [sweep["account"] for sweep in ask("reconcile", "status")["sweeps"]] == ["live", "sandbox"]
    assert ask("reconcile", "drift", "--all") == []
    assert "Numbers by phase" in run("reconcile", "status").stdout


def test_tables_show_a_customers_words_as_they_are(run: Run) -> None:
    """Square brackets are not markup."""
    run("organizations", "create", "Acme [red]")

    assert "Acme [red]" in run("organizations", "list").stdout


async def test_every_act_is_in_the_audit_log_as_the_platforms(run: Run, db: CellDb) -> None:
    made = json.loads((await asyncio.to_thread(run, "organizations", "create", "Acme", "--json")).stdout)
    await asyncio.to_thread(run, "wallet", "credit", "--org", made["org_id"], "--cents", "1")

    kinds = await db.all(
        lambda kind, action: (kind, action),
        "SELECT DISTINCT actor_kind, action FROM audit_log WHERE org_id::text = $1 ORDER BY action",
        made["org_id"],
    )

    assert kinds == [("platform", "api_key.create"), ("platform", "organization.create"), ("platform", "wallet.credit")]
