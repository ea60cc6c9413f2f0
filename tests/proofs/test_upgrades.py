"""Upgrades: what ran somewhere is never edited, and what an older release knew is still known."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from agentmessage.billing.queries import list_miscounted
from agentmessage.compliance.model import ContactHistory
from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.migrations import runner
from agentmessage.migrations.runner import Migration, migrate, migrations

PUBLISHED = Path(__file__).with_name("published_migrations.txt")
OLD = 11
"""The last migration of the release before webhooks, rollups and the memory of contacts."""

ORG, NUMBER, SCOPE = UUID(int=1), UUID(int=2), UUID(int=3)
CONTACT = "+13235550141"


@pytest.fixture
async def old(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A database as the older release left it, with a contact that it remembers and money that it booked."""
    name = f"old_{uuid4().hex[:12]}"
    dsn = await postgres.create_database(name)
    with monkeypatch.context() as older:
        older.setattr(runner, "migrations", _older)
        await migrate(dsn)
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "cell_00"})
    await connection.execute(KNOWN)
    await connection.close()
    yield dsn
    await postgres.drop_database(name)


def _older(part: str) -> list[Migration]:
    return [one for one in migrations(part) if one.number <= OLD]


KNOWN = f"""
INSERT INTO frequency_counters VALUES ('{ORG}', '{CONTACT}', '{SCOPE}', '{{1795000000000,1795000001000}}');
INSERT INTO organizations (id, mode, name, quiet_hours, auto_replies, created_at, updated_at)
    VALUES ('{ORG}', 'live', 'Old', '{{}}', '{{}}', now(), now());
INSERT INTO wallets (org_id, balance_microcents, updated_at) VALUES ('{ORG}', 99000000, now());
INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents, source, source_ref)
    VALUES ('{UUID(int=4)}', '{ORG}', now() - interval '2 days', 'topup', 100000000, 100000000, 'operator', '1'),
           ('{UUID(int=5)}', '{ORG}', now() - interval '1 day', 'debit', -1000000, 99000000, 'outbound', '2');
INSERT INTO usage_rows (id, org_id, ts, kind, quantity, unit_cost_microcents, total_microcents)
    VALUES ('{UUID(int=6)}', '{ORG}', now() - interval '1 day', 'outbound_sms', 1, 1000000, 1000000);
INSERT INTO conversations (org_id, phone_number_id, contact_number, phone_number, last_message_at, last_direction,
                           last_message_id, message_count)
    VALUES ('{ORG}', '{NUMBER}', '{CONTACT}', '+14155550123', now(), 'inbound', '{UUID(int=7)}', 1);
INSERT INTO consents (id, org_id, phone_number_id, contact_number, opted_in, opted_out_at, suppressed_by,
                      suppressed_keyword, source, created_at, updated_at)
    VALUES ('{UUID(int=8)}', '{ORG}', '{NUMBER}', '{CONTACT}', false, now(), 'keyword', 'STOP', 'inbound_reply', now(),
            now()),
           ('{UUID(int=9)}', '{ORG}', '{NUMBER}', '+13235550142', false, now(), 'revocation', NULL, 'api', now(),
            now());
"""  # noqa: S608 - of our own constants


@pytest.fixture
async def upgraded(old: str) -> AsyncIterator[CellDb]:
    await migrate(old)
    cells = Cells(old, pool_size=1)
    yield await cells.cell("cell_00")
    await cells.close()


def test_no_migration_that_was_published_is_edited() -> None:
    published = dict(line.split() for line in PUBLISHED.read_text().splitlines())
    present = {f"{part}/{m.name}": m.checksum for part in ("directory", "cell") for m in migrations(part)}
    assert present == published, "write a new migration, and add its line to published_migrations.txt"


async def test_what_was_remembered_of_a_contact_is_remembered_after_the_upgrade(upgraded: CellDb) -> None:
    stored = await upgraded.value("SELECT history::text FROM contact_send_history WHERE contact_number = $1", CONTACT)
    assert msgspec.json.decode(stored, type=ContactHistory) == ContactHistory(
        {str(SCOPE): [1795000000000, 1795000001000]}, {}
    )


async def test_what_was_booked_before_sums_were_kept_is_summed(upgraded: CellDb) -> None:
    assert await list_miscounted(upgraded) == []
    sums = await upgraded.all(
        _sum, "SELECT metric, labels, value FROM metric_buckets WHERE span = 'day' AND org_id = $1 ORDER BY 1", ORG
    )
    assert sums == [
        ("messages.outbound.cost_cents", {"channel": "sms"}, 1_000_000),
        ("wallet.credit_cents", {"kind": "topup"}, 100_000_000),
        ("wallet.debit_cents", {"kind": "outbound_sms"}, 1_000_000),
    ]


async def test_who_opted_out_before_scopes_were_known_is_out_of_that_number(upgraded: CellDb) -> None:
    assert await upgraded.value("SELECT opt_out_scope FROM organizations WHERE id = $1", ORG) == "brand"
    kept = await upgraded.all(
        lambda *columns: columns, "SELECT contact_number, phone_number, scope_key, scope, keyword FROM opt_outs"
    )
    assert kept == [(CONTACT, "+14155550123", "+14155550123", "number", "STOP")]


def _sum(metric: str, labels: dict[str, str], value: int) -> tuple[str, dict[str, str], int]:
    return metric, labels, value
