"""`agentmessage admin wallet`: what the operator sees of money is what is booked."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from agentmessage.billing import operations
from agentmessage.billing.model import UsageKind
from agentmessage.cli.main import app
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.money import microcents
from tests.conftest import ENCRYPTION_KEY
from tests.make.accounts import Account, open_account

Run = Callable[..., Any]


@pytest.fixture
def run(dsn: str) -> Run:
    """The command line against the test's database, beside the test's own loop."""

    async def invoke(*words: str) -> Result:
        environment = {"DATABASE_URL": dsn, "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY}
        return await asyncio.to_thread(CliRunner().invoke, app, ["admin", "wallet", *words], env=environment)

    return invoke


@pytest.fixture
async def account(cells: Cells) -> Account:
    """Ten dollars."""
    return await open_account(cells, cents=1000)


async def spend(db: CellDb, account: Account, cents: int, *, kind: UsageKind = UsageKind.LOOKUP) -> None:
    async with db.transaction() as tx:
        await operations.charge(
            tx,
            account.tenant,
            kind=kind,
            quantity=1,
            unit_cost_microcents=microcents(cents),
            source="test",
            source_ref=str(uuid4()),
        )


async def test_show_tells_what_is_there_what_is_held_and_what_was_spent(run: Run, db: CellDb, account: Account) -> None:
    await spend(db, account, 30)
    await db.run(
        "INSERT INTO send_accounts (org_id, admitted_microcents) VALUES ($1, $2)", account.org_id, microcents(4)
    )

    shown = await run("show", "--org", str(account.org_id), "--json")

    assert shown.exit_code == 0
    assert json.loads(shown.stdout) == {
        "org_id": str(account.org_id),
        "balance_cents": 970,
        "held_cents": 4,
        "lifetime_spend_cents": 30,
        "mtd_spend_cents": 30,
        "throughput_tier": 1,
        "auto_topup_enabled": False,
    }


async def test_a_statement_adds_debits_up_by_day_and_names_everything_else(
    run: Run, db: CellDb, account: Account
) -> None:
    for _ in range(3):
        await spend(db, account, 10)
    await spend(db, account, 94, kind=UsageKind.NUMBER_MONTH)
    async with db.transaction() as tx:
        await operations.credit(
            tx, account.tenant, amount_microcents=microcents(500), source="operator", source_ref="invoice 7"
        )

    shown = await run("statement", "--org", str(account.org_id), "--json")

    assert shown.exit_code == 0
    statement = json.loads(shown.stdout)
    assert (statement["opening_cents"], statement["closing_cents"], statement["agrees"]) == (0, 1376, True)
    lines = [
        (one["what"], one["source"], one["reference"], one["number"], one["amount_cents"], one["balance_cents"])
        for one in statement["lines"]
    ]
    assert lines == [
        ("topup", "operator", "test", 1, 1000, 1000),
        ("lookup", "test", None, 3, -30, 970),
        ("number_month", "test", None, 1, -94, 876),
        ("topup", "operator", "invoice 7", 1, 500, 1376),
    ]


async def test_a_statement_begins_with_the_balance_that_was_there(run: Run, db: CellDb, account: Account) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await db.run(
        """INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents, source,
               source_ref) VALUES ($1, $2, $3, 'adjustment', -1000000, 999000000, 'test', 'a')""",
        uuid4(),
        account.org_id,
        tomorrow + timedelta(days=1),
    )

    shown = await run(
        "statement",
        "--org",
        str(account.org_id),
        "--from",
        f"{tomorrow:%Y-%m-%d}",
        "--to",
        f"{tomorrow + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}",
        "--json",
    )

    statement = json.loads(shown.stdout)
    assert (statement["opening_cents"], statement["closing_cents"]) == (1000, 999)
    assert [line["amount_cents"] for line in statement["lines"]] == [-1]


async def test_a_statement_that_does_not_come_to_the_balance_says_so_with_its_status(
    run: Run, db: CellDb, account: Account
) -> None:
    await db.run(
        """INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents, source,
               source_ref) VALUES ($1, $2, now(), 'adjustment', -1000000, 5, 'test', 'a')""",
        uuid4(),
        account.org_id,
    )

    shown = await run("statement", "--org", str(account.org_id))

    assert shown.exit_code == 1
    assert "The movements do not add up to the closing balance." in shown.stderr


async def test_a_statement_is_a_table_for_people(run: Run, account: Account) -> None:
    shown = await run("statement", "--org", str(account.org_id))

    assert shown.exit_code == 0
    assert "topup" in shown.stdout
    assert "Opening balance $0.00, closing $10.00." in shown.stdout


async def test_a_statement_must_begin_before_it_ends(run: Run, account: Account) -> None:
    shown = await run("statement", "--org", str(account.org_id), "--from", "2026-02-01", "--to", "2026-01-01")

    assert str(shown.exception) == "A statement must begin before it ends"


async def test_check_names_nobody_while_the_books_agree(run: Run, db: CellDb, account: Account) -> None:
    await spend(db, account, 10)

    shown = await run("check")

    assert (shown.exit_code, shown.stdout) == (0, "Every ledger balances, and every total matches its entries.\n")


async def test_check_names_whose_books_do_not_agree(run: Run, db: CellDb, account: Account) -> None:
    await db.run("UPDATE wallets SET balance_microcents = 1 WHERE org_id = $1", account.org_id)
    await db.run("UPDATE metric_buckets SET value = 1 WHERE org_id = $1", account.org_id)

    shown = await run("check", "--json")

    assert shown.exit_code == 1
    assert json.loads(shown.stdout) == [
        {"org_id": str(account.org_id), "cell": "cell_00", "fault": "the books do not balance"},
        {"org_id": str(account.org_id), "cell": "cell_00", "fault": "the sums are not what was booked"},
    ]


@pytest.mark.parametrize("command", ["show", "statement"])
async def test_nobody_has_no_wallet(run: Run, command: str) -> None:
    nobody = uuid4()

    shown = await run(command, "--org", str(nobody))

    assert str(shown.exception) == f"There is no organization {nobody}"
