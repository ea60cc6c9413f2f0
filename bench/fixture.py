"""A durable Postgres filled with organizations, a campaign and many numbers, made by set-based statements."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self
from uuid import UUID

import asyncpg
from msgspec import Struct

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.ids import new_id
from agentmessage.migrations.runner import migrate

KEY = "am_live_bnch" + "0" * 30
ENCRYPTION_KEY = "c2VhbGluZy1rZXktZm9yLXRlc3RzLTMyLWJ5dGVzISE="
SCOPES = ["numbers:read", "numbers:write", "campaigns:read", "org:read"]


class Filled(Struct, frozen=True):
    """A database that is ready to be measured."""

    dsn: str
    org_id: UUID
    campaign_id: UUID
    number_ids: list[UUID]


async def fill(
    dsn: str,
    *,
    numbers: int,
    organizations: int = 1,
    of_first: int | None = None,
    attached: bool = False,
    take: int = 50_000,
) -> Filled:
    """Migrate and fill. The first organization owns `of_first` numbers (None: all), the others share the rest.

    `take` of the first one's numbers are handed out, chosen at random.
    """
    await migrate(dsn)
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "cell_00"})
    org_id, campaign_id = new_id(), new_id()
    await _insert_organizations(connection, org_id, organizations)
    await _insert_campaign(connection, org_id, campaign_id)
    await connection.execute(
        "INSERT INTO directory.api_keys (hash, key_id, org_id, label, scopes) VALUES ($1, $2, $3, 'bench', $4)",
        hashlib.sha256(KEY.encode()).digest(),
        new_id(),
        org_id,
        SCOPES,
    )
    mine = numbers if of_first is None else of_first
    await _insert_numbers(connection, org_id, campaign_id, numbers=numbers, of_first=mine, attached=attached)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    rows = await connection.fetch(
        "SELECT id FROM phone_numbers WHERE org_id = $1 ORDER BY random() LIMIT $2", org_id, take
    )
    await connection.close()
    return Filled(dsn, org_id, campaign_id, [row["id"] for row in rows])


async def _insert_organizations(connection: asyncpg.Connection, org_id: UUID, count: int) -> None:
    """So many organizations with empty wallets, the first of them known."""
    await connection.execute(
        """WITH o AS (
               INSERT INTO directory.organizations (id, cell, mode)
               SELECT CASE WHEN n = 1 THEN $1::uuid ELSE gen_random_uuid() END, 'cell_00', 'live'
               FROM generate_series(1, $2::int) n RETURNING id)
           INSERT INTO organizations (id, mode, name, quiet_hours, auto_replies, created_at, updated_at)
           SELECT id, 'live', 'bench', '{}', '{}', now(), now() FROM o""",
        org_id,
        count,
    )
    await connection.execute("INSERT INTO wallets (org_id, updated_at) SELECT id, now() FROM organizations")


async def _insert_campaign(connection: asyncpg.Connection, org_id: UUID, campaign_id: UUID) -> None:
    """An active campaign of a verified brand."""
    brand_id = new_id()
    await connection.execute(
        """INSERT INTO brands (id, org_id, account, tcr_brand_id, status, identity_status, entity_type,
               brand_relationship, display_name, country, applied_revision, created_at, updated_at)
           VALUES ($1, $2, 'live', 'BBENCH1', 'ACTIVE', 'VERIFIED', 'PRIVATE_PROFIT', 'BASIC_ACCOUNT', 'b', 'US', 1,
               now(), now())""",
        brand_id,
        org_id,
    )
    await connection.execute(
        """INSERT INTO campaigns (id, org_id, account, brand_id, tcr_campaign_id, status, is_shared, usecase,
               description, message_flow, fields, number_cap, monthly_fee_microcents, months_charged, created_at,
               updated_at)
           VALUES ($1, $2, 'live', $3, 'CBENCH1', 'ACTIVE', true, 'MARKETING', 'd', 'f', '{}', 10000000, 0, 1, now(),
               now())""",
        campaign_id,
        org_id,
        brand_id,
    )


async def _insert_numbers(
    connection: asyncpg.Connection, org_id: UUID, campaign_id: UUID, *, numbers: int, of_first: int, attached: bool
) -> None:
    """Numbers with their lines: the first organization's, then the others' in turn."""
    await connection.execute(
        """WITH orgs AS (SELECT array_agg(id ORDER BY id <> $1) AS ids FROM organizations),
           p AS (
               INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, campaign_id, generation,
                   desired_at, line_option_status, charged_until, created_at, updated_at)
               SELECT gen_random_uuid(),
                   orgs.ids[CASE WHEN n <= $5 THEN 1 ELSE 1 + n % array_length(orgs.ids, 1) END], 'live',
                   '+1' || (2000000000 + n), 'local', 'assigned', CASE WHEN $4 THEN $3::uuid END, 1, now(),
                   CASE WHEN $4 THEN 'pending' END, now() + interval '1 month',
                   now() - n * interval '1 millisecond', now()
               FROM orgs, generate_series(1, $2::int) n RETURNING id, org_id, number)
           INSERT INTO line_options (phone_number_id, org_id, account, number, phase, observed, observed_at,
               applied_generation, due_at, updated_at)
           SELECT id, org_id, 'live', number, 'unbound', 'absent', now(), CASE WHEN $4 THEN 0 ELSE 1 END,
               CASE WHEN $4 THEN now() END, now() FROM p""",
        org_id,
        numbers,
        campaign_id,
        attached,
        of_first,
        timeout=600,
    )


class Postgres:
    """A durable embedded Postgres in a directory, with its own event loop."""

    def __init__(self, data_dir: Path) -> None:
        self._server = EmbeddedPostgres(data_dir)
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        self._loop.run_until_complete(self._server.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._server.stop())

    def filled(self, name: str, **kwargs: object) -> Filled:
        """A new database, filled."""
        dsn = self._loop.run_until_complete(self._server.create_database(name))
        return self._loop.run_until_complete(fill(dsn, **kwargs))  # pyright: ignore[reportArgumentType]

    @property
    def pid(self) -> int:
        """The postmaster."""
        pid = self._server.pid
        assert pid is not None
        return pid


class Server:
    """A server process on a port, on one core when there are two (None: on any); stopped at the end of its block."""

    def __init__(
        self,
        command: list[str],
        port: int,
        environment: dict[str, str],
        *,
        path: str = "/healthz",
        core: int | None = 0,
    ) -> None:
        self._command = command
        self._core = core
        self._environment = {**os.environ, **environment}
        self._url = f"http://127.0.0.1:{port}{path}"
        self.port = port

    def __enter__(self) -> Self:
        is_pinned = self._core is not None and (os.cpu_count() or 1) > 1
        pin = ["taskset", "-c", str(self._core)] if is_pinned else []
        self._process = subprocess.Popen([*pin, *self._command], env=self._environment)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self._url, timeout=1)  # noqa: S310 - our own server on loopback
            except urllib.error.HTTPError:
                return self
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise SystemExit(f"{self._command} did not answer")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(15)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid


def ours(filled: Filled, port: int) -> Server:
    """Our API, one process, all routes mounted."""
    environment = {
        "DATABASE_URL": filled.dsn,
        "AGENTMESSAGE_PORT": str(port),
        "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY,
        "AGENTMESSAGE_LOG_LEVEL": "error",
    }
    return Server([sys.executable, "-m", "agentmessage", "serve"], port, environment)


def ceiling(filled: Filled, port: int) -> Server:
    """The bare application, one process, the same server program."""
    environment = {
        "DATABASE_URL": filled.dsn,
        "BENCH_ORG_ID": str(filled.org_id),
        "BENCH_CAMPAIGN_ID": str(filled.campaign_id),
    }
    command = [sys.executable, "-m", "uvicorn", "bench.ceiling:app", "--app-dir", str(Path(__file__).parent.parent)]
    command += ["--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command += ["--log-level", "error", "--lifespan", "off"]
    probe = f"/v1/phone-numbers/{filled.number_ids[0]}/campaign"
    return Server(command, port, environment, path=probe)
