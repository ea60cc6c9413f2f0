"""Statements of the facts that decide messages. One reads across the rooms on purpose, for all messages of a flush."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import msgspec

from agentmessage.compliance.model import CapCounter, SendAccount, SendFacts, SendRequest
from agentmessage.guardrails.model import Profile
from agentmessage.kernel.db import Executor

_json = msgspec.json.Encoder().encode

LOOKUP_AGE = timedelta(days=90)
MAX_BINDINGS = 32
"""Bindings of an organization that are read with every flush; fewer than the scopes of a flush's messages."""


# The inner SELECT of the first array hides from the planner how many requests there are. For one request it would make
# a custom plan for every message, which takes three times as long as the look-ups themselves.
FACTS: LiteralString = """SELECT CASE WHEN a.position = ANY ($6::bigint[]) THEN (
                  SELECT ROW (o.id, t.state_version, coalesce(w.balance_microcents, 0),
                              coalesce(t.admitted_microcents, 0) - coalesce(w.settled_microcents, 0),
                              coalesce(t.second_tokens, 0), coalesce(t.minute_tokens, 0),
                              nullif(t.refilled_at, '-infinity'), o.throughput_tier, o.throughput_per_sec,
                              o.throughput_per_min, o.quiet_hours::text,
                              (SELECT CASE WHEN count(*) <= $7 THEN coalesce(string_agg(b.binding, ','), '') END
                               FROM (SELECT concat_ws('|', b.scope_id, b.scope_kind, b.profile_id,
                                                      extract(epoch FROM r.updated_at)) AS binding
                                     FROM guardrail_bindings b
                                     JOIN guardrail_profiles r ON r.id = b.profile_id AND r.org_id = b.org_id
                                     WHERE b.org_id = o.id LIMIT $7 + 1) b))
                  FROM organizations o
                  LEFT JOIN wallets w ON w.org_id = o.id
                  LEFT JOIN send_accounts t ON t.org_id = o.id
                  WHERE o.id = a.org_id) END,
              n.id, n.campaign_id, n.line_option_status, c.status, c.is_suspended, c.brand_id, p.pool_id,
              s.opted_in, s.opted_in_at, s.suppressed_by, s.opted_out_at, u.phone_number, u.scope, u.opted_out_at,
              l.line_type, f.history
       FROM unnest((SELECT $1::uuid[]), $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
            a (org_id, account, sender, recipient, position)
       LEFT JOIN phone_numbers n
         ON n.account = a.account AND n.number = a.sender AND n.org_id = a.org_id AND n.state = 'assigned'
       LEFT JOIN campaigns c ON c.id = n.campaign_id AND c.org_id = a.org_id
       LEFT JOIN guardrail_pool_members p ON p.phone_number_id = n.id AND p.org_id = a.org_id
       LEFT JOIN consents s
         ON s.org_id = a.org_id AND s.phone_number_id = n.id AND s.contact_number = a.recipient
       LEFT JOIN LATERAL (
           SELECT x.phone_number, x.scope, x.opted_out_at FROM opt_outs x
           WHERE x.org_id = a.org_id AND x.contact_number = a.recipient
             AND x.scope_key = ANY (ARRAY[n.number, n.campaign_id::text, c.brand_id::text, a.org_id::text])
             AND n.number <> ALL (x.lifted_for)
           ORDER BY x.phone_number <> n.number, x.opted_out_at, x.phone_number, x.scope = 'number' LIMIT 1) u ON true
       LEFT JOIN LATERAL (
           SELECT k.line_type FROM lookups k
           WHERE k.org_id = a.org_id AND k.phone_number = a.recipient AND k.status = 'complete'
             AND k.completed_at > $5
           ORDER BY k.completed_at DESC LIMIT 1) l ON true
       LEFT JOIN contact_send_history f ON f.org_id = a.org_id AND f.contact_number = CASE WHEN $8 THEN a.recipient END
       ORDER BY a.position"""


async def list_facts(
    db: Executor, requests: Sequence[SendRequest], now: datetime, *, with_history: bool = True
) -> tuple[list[SendFacts], Mapping[UUID, SendAccount]]:
    """Facts of each request, in order, and the organizations of the requests; all of one snapshot.

    Every join is by a key of at most one row, so the cost is that of the requests. An organization comes with its first
    request only. The wallet is read, never locked: charging moves the balance and `settled_microcents` together, so
    what remains for new messages does not change by it.
    """
    firsts: dict[UUID, int] = {}
    for position, request in enumerate(requests, 1):
        firsts.setdefault(request.org_id, position)
    accounts: dict[UUID, SendAccount] = {}

    def facts(account: tuple[Any, ...] | None, *columns: Any) -> SendFacts:
        if account is not None:
            found = SendAccount(*account)
            accounts[found.org_id] = found
        return SendFacts(*columns)

    rows = await db.all(
        facts,
        FACTS,
        [request.org_id for request in requests],
        [request.account for request in requests],
        [request.sender for request in requests],
        [request.recipient for request in requests],
        now - LOOKUP_AGE,
        list(firsts.values()),
        MAX_BINDINGS,
        with_history,
    )
    return rows, accounts


async def lock_accounts(tx: Executor, org_ids: Sequence[UUID]) -> int:
    """Lock each organization until the commit, in the order of their ids; returns how many exist.

    Every change of who may be contacted takes the same lock (`consent.operations.lock_law`), so a STOP is either seen
    by the next statement or finds what was admitted before it.
    """
    return await tx.run("SELECT org_id FROM send_accounts WHERE org_id = ANY ($1) ORDER BY org_id FOR UPDATE", org_ids)


async def insert_accounts(tx: Executor, org_ids: Sequence[UUID]) -> None:
    """Rows to lock for organizations that never sent."""
    await tx.run(
        "INSERT INTO send_accounts (org_id) SELECT unnest($1::uuid[]) ORDER BY 1 ON CONFLICT DO NOTHING", org_ids
    )


async def lock_cap_counters(
    tx: Executor, org_ids: Sequence[UUID], contacts: Sequence[str], scope_ids: Sequence[UUID]
) -> list[CapCounter]:
    """Lock the counters of contacts under scopes' caps until the commit, in the order of the key.

    A contact without a submission has no row: see `insert_cap_counters`.
    """
    return await tx.all(
        CapCounter,
        """SELECT t.org_id, t.contact_number, t.scope_id, t.submissions
           FROM unnest((SELECT $1::uuid[]), $2::text[], $3::uuid[]) k (org_id, contact, scope_id)
           JOIN frequency_cap_counters t
             ON t.org_id = k.org_id AND t.contact_number = k.contact AND t.scope_id = k.scope_id
           ORDER BY t.org_id, t.contact_number, t.scope_id FOR UPDATE OF t""",
        org_ids,
        contacts,
        scope_ids,
    )


async def insert_cap_counters(tx: Executor, counters: Sequence[CapCounter]) -> int:
    """Store the first counters of contacts; returns how many: one that another worker stored first stays."""
    return await tx.run(
        """INSERT INTO frequency_cap_counters (org_id, contact_number, scope_id, submissions)
           SELECT org_id, contact, scope_id, submissions::json
           FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) k (org_id, contact, scope_id, submissions)
           ORDER BY org_id, contact, scope_id
           ON CONFLICT DO NOTHING""",
        *_columns(counters),
    )


async def save_cap_counters(tx: Executor, counters: Sequence[CapCounter]) -> None:
    """Write counters that are locked."""
    await tx.run(
        """UPDATE frequency_cap_counters t SET submissions = k.submissions::json
           FROM unnest((SELECT $1::uuid[]), $2::text[], $3::uuid[], $4::text[])
                k (org_id, contact, scope_id, submissions)
           WHERE t.org_id = k.org_id AND t.contact_number = k.contact AND t.scope_id = k.scope_id""",
        *_columns(counters),
    )


def _columns(counters: Sequence[CapCounter]) -> Sequence[Sequence[object]]:
    return (
        [counter.org_id for counter in counters],
        [counter.contact for counter in counters],
        [counter.scope_id for counter in counters],
        [_json(counter.submissions).decode() for counter in counters],
    )


async def list_bindings(db: Executor, org_id: UUID, scope_ids: Sequence[UUID]) -> list[str]:
    """The bindings of these scopes, each as `SendAccount.bindings` names it."""
    return await db.all(
        str,
        """SELECT concat_ws('|', b.scope_id, b.scope_kind, b.profile_id, extract(epoch FROM r.updated_at))
           FROM guardrail_bindings b JOIN guardrail_profiles r ON r.id = b.profile_id AND r.org_id = b.org_id
           WHERE b.org_id = $1 AND b.scope_id = ANY ($2)""",
        org_id,
        scope_ids,
    )


async def list_profiles(db: Executor, org_id: UUID, ids: Sequence[UUID]) -> list[Profile]:
    """The guardrail profiles of bindings that are not cached."""
    return await db.all(
        Profile,
        """SELECT id, org_id, name, source, template_key, quiet_hours_disabled, quiet_hours_start_minute,
                  quiet_hours_end_minute, quiet_hours_mode, freq_cap_disabled, freq_cap_window_minutes,
                  freq_cap_max_in_window, consent_freshness_disabled, consent_freshness_max_age_days,
                  autostamp_disabled, autostamp_sender_id_text, autostamp_cadence, suppression_disabled,
                  branded_link_advisory_disabled, created_at, updated_at
           FROM guardrail_profiles WHERE org_id = $1 AND id = ANY ($2)""",
        org_id,
        ids,
    )
