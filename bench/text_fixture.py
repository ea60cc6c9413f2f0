"""An organization that texts: numbers on a working campaign, people who agreed, every guardrail on, money and pace."""

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
from msgspec import Struct

from agentmessage.kernel.ids import new_id
from bench.fixture import ENCRYPTION_KEY, KEY, Filled, Postgres, Server
from bench.load import in_turn, request

AREAS = ("212", "312", "303", "415", "503", "404", "602", "801", "215", "216")
"""Area codes of all four zones, of states that have no hours of their own: what is quiet is what the profile says."""

TEXT = "Acme Dental: your appointment is on Monday at 9. Reply C to confirm, STOP to opt out."
"""85 characters: one segment, with the disclosure as without it; every peer is given the same."""

SCOPES = ["messages:send", "messages:read", "numbers:read", "org:read"]
OLDEST = timedelta(days=30)


class Texting(Struct, frozen=True):
    """A database that is ready to be texted from: every pair of a sender and one who agreed to it."""

    filled: Filled
    pairs: list[tuple[str, str]]

    @property
    def dsn(self) -> str:
        """Where it is."""
        return self.filled.dsn


def texting(
    postgres: Postgres, name: str, *, numbers: int = 1_000, consents: int = 100_000, stored: int = 0
) -> Texting:
    """A new database, filled; `stored` texts were sent before by the same organization, in the last thirty days."""
    filled = postgres.filled(name, numbers=numbers, attached=True, take=1)
    pairs = asyncio.run(_fill(filled, consents=consents, stored=stored))
    random.Random(7).shuffle(pairs)
    return Texting(filled, pairs)


async def _fill(filled: Filled, *, consents: int, stored: int) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(filled.dsn, server_settings={"search_path": "cell_00"})
    await connection.execute("UPDATE directory.api_keys SET scopes = $1", SCOPES)
    await connection.execute("UPDATE wallets SET balance_microcents = 1000000000000000")
    await connection.execute(
        "UPDATE organizations SET throughput_per_sec = 1000000, throughput_per_min = 60000000 WHERE id = $1",
        filled.org_id,
    )
    await connection.execute("UPDATE phone_numbers SET line_option_status = 'propagated'")
    await connection.execute(
        """UPDATE line_options SET phase = 'bound', observed = 'present', observed_campaign = 'CBENCH1',
               applied_generation = 1, due_at = NULL"""
    )
    await connection.execute("UPDATE directory.drift_sweeps SET due_at = 'infinity'")
    await connection.execute(
        """INSERT INTO directory.inventory (account, number, number_type, state, org_id, cell, generation)
           SELECT account, number, number_type, state, org_id, 'cell_00', 1 FROM phone_numbers ON CONFLICT DO NOTHING"""
    )
    await _guard(connection, filled.org_id)
    await _agree(connection, filled.org_id, consents)
    if stored:
        await _store(connection, filled.org_id, stored)
    await connection.execute("VACUUM ANALYZE", timeout=1800)
    await connection.execute("CHECKPOINT", timeout=1800)
    rows = await connection.fetch(
        "SELECT n.number, s.contact_number FROM consents s JOIN phone_numbers n ON n.id = s.phone_number_id"
    )
    await connection.close()
    return [(row[0], row[1]) for row in rows]


async def _guard(connection: asyncpg.Connection, org_id: UUID) -> None:
    """The organization's default profile: quiet hours that are over everywhere, a cap, freshness, a daily stamp."""
    local = (datetime.now(UTC) - timedelta(hours=10)).time()  # an hour before now at the Pacific, earlier elsewhere
    start = local.hour * 60 + local.minute
    profile_id = new_id()
    await connection.execute(
        """INSERT INTO guardrail_profiles (id, org_id, name, quiet_hours_disabled, quiet_hours_start_minute,
               quiet_hours_end_minute, quiet_hours_mode, freq_cap_disabled, freq_cap_window_minutes,
               freq_cap_max_in_window, consent_freshness_disabled, consent_freshness_max_age_days, autostamp_disabled,
               autostamp_sender_id_text, autostamp_cadence, suppression_disabled, branded_link_advisory_disabled,
               created_at, updated_at)
           VALUES ($1, $2, 'bench', false, $3, $4, 'reject', false, 1440, 1000, false, 365, false, 'Acme Dental',
                   'daily', false, false, now(), now())""",
        profile_id,
        org_id,
        start,
        (start + 60) % 1440,
    )
    await connection.execute(
        """INSERT INTO guardrail_bindings (id, org_id, scope_kind, scope_id, profile_id, created_at, updated_at)
           VALUES (gen_random_uuid(), $1, 'use_case_default', $1, $2, now(), now())""",
        org_id,
        profile_id,
    )


async def _agree(connection: asyncpg.Connection, org_id: UUID, consents: int) -> None:
    """People, each of whom agreed to one number and was texted two days ago; a fifth of them were looked up."""
    await connection.execute(
        """WITH own AS (SELECT array_agg(id ORDER BY number) AS ids FROM phone_numbers WHERE org_id = $1)
           INSERT INTO consents (id, org_id, phone_number_id, contact_number, opted_in, opted_in_at, source,
                                 consent_method, created_at, updated_at)
           SELECT gen_random_uuid(), $1, own.ids[1 + n % array_length(own.ids, 1)],
                  '+1' || ($3::text[])[1 + n % 10] || (200 + n / 10 % 100) || (1000 + n / 1000), true,
                  now() - random() * $4::interval, 'api', 'attested', now(), now()
           FROM own, generate_series(0, $2::int - 1) n""",
        org_id,
        consents,
        AREAS,
        OLDEST,
        timeout=600,
    )
    await connection.execute(
        """INSERT INTO lookups (id, org_id, account, phone_number, lookup_type, status, line_type, result, cost_cents,
                                requested_at, completed_at)
           SELECT gen_random_uuid(), org_id, 'live', contact_number, 'advanced', 'complete', 'MOBILE', '{}', 1, now(),
                  now() FROM consents WHERE right(contact_number, 1) IN ('3', '7')"""
    )
    await connection.execute(
        """INSERT INTO contact_send_history (org_id, contact_number, history)
           SELECT org_id, contact_number,
                  json_build_object('sent', json_build_object(org_id, ARRAY[at]),
                                    'disclosed', json_build_object(phone_number_id, at))
           FROM consents, (SELECT (extract(epoch FROM now()) * 1000)::bigint - 200000000) m (at)"""
    )


async def _store(connection: asyncpg.Connection, org_id: UUID, stored: int) -> None:
    """Delivered texts, written in the order of their time as they would have been; ids grow with it."""
    first = datetime.now(UTC) - OLDEST
    step = OLDEST / stored
    await connection.execute(
        """WITH own AS (
               SELECT array_agg(s.phone_number_id) AS senders, array_agg(s.contact_number) AS contacts,
                      array_agg(n.number) AS numbers
               FROM (SELECT * FROM consents WHERE org_id = $1 LIMIT 1000) s
               JOIN phone_numbers n ON n.id = s.phone_number_id)
           INSERT INTO messages (id, org_id, account, phone_number_id, kind, sender, recipient, text, channel, encoding,
               segments, priority, status, unit_price_microcents, is_charged, history, expires_at, created_at,
               updated_at, sent_at, delivered_at, finished_at)
           SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
                   || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
                  $1, 'live', own.senders[1 + n % 1000], 'customer', own.numbers[1 + n % 1000],
                  own.contacts[1 + n % 1000], $2, 'sms', 'GSM-7', 1, 1, 'delivered', 1, true,
                  '[{"at": "2026-11-01T00:00:00Z", "status": "delivered", "cause": "receipt", "code": "0"}]',
                  at + interval '4 hours', at, at, at, at, at
           FROM own, generate_series(1, $5::int) n, LATERAL (SELECT $3::timestamptz + n * $4::interval AS at) moment""",
        org_id,
        TEXT,
        first,
        step,
        stored,
        timeout=3600,
    )


def people(count: int = 20_000) -> list[tuple[str, str]]:
    """Pairs of sender and recipient for gateways that know nobody: the numbers that the fixture makes."""
    return [
        (f"+1{2_000_000_001 + n % 1_000}", f"+1{AREAS[n % 10]}{200 + n // 10 % 100}{1_000 + n // 1_000}")
        for n in range(count)
    ]


def sending(made: Texting) -> Callable[[], bytes]:
    """POST /v1/messages to everybody who agreed, once each, then again."""
    return in_turn([post(sender, to) for sender, to in made.pairs])


def post(sender: str, to: str) -> bytes:
    """One request to send a text."""
    body = json.dumps({"from": sender, "to": to, "text": TEXT}).encode()
    return request("POST", "/v1/messages", key=KEY, body=body)


def serving(made: Texting, port: int, *, core: int | None = 0, **environment: str) -> Server:
    """Our API, one process, all routes mounted."""
    command = [sys.executable, "-m", "agentmessage", "serve"]
    return Server(command, port, settings(made, port, **environment), core=core)


def settings(made: Texting, port: int, **environment: str) -> dict[str, str]:
    """What every process of ours is told."""
    return {
        "DATABASE_URL": made.dsn,
        "AGENTMESSAGE_PORT": str(port),
        "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY,
        "AGENTMESSAGE_LOG_LEVEL": "error",
        **environment,
    }


def bare(dsn: str, port: int) -> Server:
    """The ceiling, one process, the same server program."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "bench.text_ceiling:app",
        "--app-dir",
        str(Path(__file__).parent.parent),
    ]
    command += ["--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command += ["--log-level", "error", "--lifespan", "on"]
    return Server(command, port, {"DATABASE_URL": dsn}, path="/")


def own_core(core: int) -> None:
    """Keep this process, and what it starts from now on, to one core; where there is only one, do nothing."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})
