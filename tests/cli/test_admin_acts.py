"""Every act of the operator is in an audit log, and the log proves; `agentmessage admin audit|metrics`."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner, Result

from agentmessage.audit import sealer
from agentmessage.audit.chain import chain_keys
from agentmessage.cli.admin import admin
from agentmessage.kernel.db import CellDb
from agentmessage.organizations import operations as organizations
from agentmessage.rollups import aggregator
from tests.conftest import ENCRYPTION_KEY
from tests.numbers.virtual_clock import add_number

Run = Callable[..., Result]
Ask = Callable[..., Any]

READS = {
    "api-keys list",
    "audit list",
    "audit verify",
    "carriers show",
    "inventory list",
    "messages held",
    "metrics check",
    "organizations list",
    "reconcile drift",
    "reconcile status",
    "messages status",
    "wallet check",
    "wallet show",
    "wallet statement",
}
"""Commands that change nothing."""

ACTS = {
    "api-keys create": ["--org", "{org}"],
    "api-keys revoke": ["{key}", "--org", "{org}"],
    "inventory import": ["{file}"],
    "messages drop": ["--org", "{org}", "--yes"],
    "messages hold": ["--org", "{org}"],
    "messages release": ["--org", "{org}", "--yes"],
    "metrics rebuild": [],
    "organizations create": ["Another"],
    "organizations set-plan": ["growth", "--org", "{org}"],
    "organizations set-kind": ["personal", "--org", "{org}"],
    "organizations set-throughput": ["--org", "{org}", "--per-second", "5", "--per-minute", "300"],
    "reconcile retry": ["{number}"],
    "wallet credit": ["--org", "{org}", "--cents", "100"],
}
"""Commands that change something, and how to give them."""


@pytest.fixture
def run(dsn: str) -> Run:
    """The command line against a fresh database."""

    def invoke(*words: str) -> Result:
        environment = {"DATABASE_URL": dsn, "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY}
        return CliRunner().invoke(admin, words, env=environment)

    return invoke


@pytest.fixture
def ask(run: Run) -> Ask:
    """The same, as a program asks."""

    def invoke(*words: str, status: int = 0) -> Any:
        result = run(*words, "--json")
        assert result.exit_code == status, result.exception or result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
async def names(ask: Ask, db: CellDb, tmp_path: Path) -> dict[str, str]:
    """What acts are done to: an organization, a key and a number of its, a file of numbers."""
    org = (await asyncio.to_thread(ask, "organizations", "create", "Acme"))["org_id"]
    key = (await asyncio.to_thread(ask, "api-keys", "create", "--org", org))["id"]
    await add_number(db, org, "+14155550100")
    file = tmp_path / "numbers.csv"
    file.write_text("+14155550123\n")
    return {"org": org, "key": key, "number": "+14155550100", "file": str(file)}


async def seal(db: CellDb) -> None:
    while await sealer.turn(db, chain_keys(ENCRYPTION_KEY)):
        pass


def commands(group: typer.Typer, *, above: str = "") -> Iterator[str]:
    """Every command below a group, as it is typed."""
    for command in group.registered_commands:
        yield f"{above}{command.name}"
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, above=f"{above}{inner.name} ")


def test_every_admin_command_is_known_to_read_or_to_act() -> None:
    """A new command belongs into READS or, with the audit row that it writes, into ACTS."""
    known = set(commands(admin))

    assert known - READS - set(ACTS) == set()
    assert set(ACTS) <= known


@pytest.mark.parametrize("command", ACTS)
async def test_every_act_of_the_operator_leaves_a_row(
    command: str, run: Run, db: CellDb, names: dict[str, str]
) -> None:
    before = await db.value("SELECT count(*) FROM audit_log")

    result = await asyncio.to_thread(run, *command.split(), *(word.format(**names) for word in ACTS[command]))

    assert result.exit_code == 0, result.exception or result.output
    rows = await db.all(
        lambda *columns: columns,
        "SELECT org_id, actor_kind, actor_label FROM audit_log ORDER BY xid, id OFFSET $1",
        before,
    )
    assert rows
    assert {row[1:] for row in rows} == {("platform", "platform")}
    if "--org" in ACTS[command]:
        assert {str(row[0]) for row in rows} == {names["org"]}


def test_acts_on_the_platform_itself_are_listed(ask: Ask, names: dict[str, str]) -> None:
    ask("inventory", "import", names["file"])

    acts = ask("audit", "list")
    on_the_organization = ask("audit", "list", "--org", names["org"], "--limit", "1")

    assert [(act["action"], act["payload"]) for act in acts] == [
        ("inventory.import", {"file": "numbers.csv", "read": 1, "imported": 1})
    ]
    assert [act["action"] for act in on_the_organization] == ["api_key.create"]


async def test_verify_ends_well_when_every_row_is_there_and_prints_heads_to_keep(
    ask: Ask, db: CellDb, names: dict[str, str], tmp_path: Path
) -> None:
    await seal(db)
    proofs = await asyncio.to_thread(ask, "audit", "verify")
    heads = tmp_path / "heads.json"
    heads.write_text(json.dumps(proofs))
    await organizations.record_for_installation(db, action="made", resource_type="thing", resource_id=1)
    await seal(db)

    again = await asyncio.to_thread(ask, "audit", "verify", "--heads", str(heads))
    one = await asyncio.to_thread(ask, "audit", "verify", "--org", names["org"])

    assert {proof["harm"] for proof in proofs + again + one} == {None}
    assert len(proofs[0]["head"]) == 64
    assert [proof["org_id"] for proof in one] == [names["org"]]
    assert len(again) == len(proofs) + 1


async def test_verify_names_the_altered_row_and_ends_with_status_1(run: Run, db: CellDb, names: dict[str, str]) -> None:
    await seal(db)
    await db.run("ALTER TABLE audit_log DISABLE TRIGGER ALL")
    await db.run("UPDATE audit_log SET reason = 'x' WHERE org_id::text = $1", names["org"])

    result = await asyncio.to_thread(run, "audit", "verify")

    first = await db.value("SELECT row_id FROM audit_seals WHERE org_id::text = $1 AND position = 1", names["org"])
    assert result.exit_code == 1
    assert f"{names['org']}: altered at position 1, row {first}" in result.stderr


def test_verify_refuses_heads_that_it_cannot_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "heads.json"
    file.write_text("{}")

    result = run("audit", "verify", "--heads", str(file))

    assert result.exit_code == 1
    assert str(result.exception).startswith(f"Cannot read {file}: it must be what `audit verify --json` printed")


async def test_check_names_days_that_differ_and_rebuild_mends_them(ask: Ask, db: CellDb) -> None:
    org = uuid4()
    await db.run(
        """INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           VALUES ($1, $1, 'message.sent', 'message', $1, '{"channel": "sms"}', $2)""",
        org,
        db.now,
    )
    await aggregator.turn(db)
    await db.run("UPDATE metric_buckets SET value = 5")

    wrong = await asyncio.to_thread(lambda: ask("metrics", "check", status=1))
    await asyncio.to_thread(ask, "metrics", "rebuild")

    assert [(one["org_id"], one["counted"], one["recounted"]) for one in wrong] == [(str(org), 5, 1)]
    assert await asyncio.to_thread(ask, "metrics", "check") == []
