"""Statements on how far opt-outs reach."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from agentmessage.consent.model import OptOut, Pair, Withdrawal
from agentmessage.consent.queries import REACHED
from agentmessage.kernel.db import Executor

_PAIRS: LiteralString = """SELECT c.phone_number_id, c.contact_number, u.phone_number, u.scope, u.suppressed_by,
       u.keyword, u.opted_out_at
FROM (SELECT $1::uuid AS org_id, w.* FROM unnest($2::uuid[], $3::text[]) w (phone_number_id, contact_number)) c"""


async def list_reaching(db: Executor, org_id: UUID, pairs: Sequence[Pair]) -> dict[Pair, OptOut]:
    """The opt-outs that reach some pairs now, whether they have a record or not."""
    rows = await db.all(
        _reaching,
        _PAIRS + REACHED + "WHERE u.phone_number IS NOT NULL",
        org_id,
        [pair.phone_number_id for pair in pairs],
        [pair.contact_number for pair in pairs],
    )
    return dict(rows)


async def insert(tx: Executor, org_id: UUID, no: Withdrawal) -> None:
    """Write what an opt-out reaches: the number that was told, and what the organization's scope says beyond it.

    Beside what the number belongs to now counts what it last texted the contact for: a number may have moved since, and
    the contact answers what they were sent. Once more to the same number, it reaches again what a START opened since.
    """
    await tx.run(
        """INSERT INTO opt_outs AS x (org_id, contact_number, phone_number, scope_key, scope, phone_number_id,
               suppressed_by, keyword, opted_out_at)
           SELECT DISTINCT ON (r.scope_key) $1, $3, t.number, r.scope_key, r.scope, $2, $4, $5, $6
           FROM organizations o
           LEFT JOIN phone_numbers n ON n.org_id = o.id AND n.id = $2
           LEFT JOIN campaigns k ON k.org_id = o.id AND k.id = n.campaign_id
           LEFT JOIN LATERAL (
               SELECT m.sender, m.campaign_id, m.brand_id FROM conversation_entries e
               JOIN messages m ON m.org_id = e.org_id AND m.id = e.message_id
               WHERE e.org_id = o.id AND e.contact_number = $3 AND e.phone_number_id = $2 AND e.direction = 'outbound'
               ORDER BY e.at DESC, e.message_id DESC LIMIT 1) m ON true
           CROSS JOIN LATERAL (SELECT coalesce(n.number, m.sender) AS number) t
           CROSS JOIN LATERAL (VALUES
               ('number', t.number), ('campaign', n.campaign_id::text), ('campaign', m.campaign_id::text),
               ('brand', k.brand_id::text), ('brand', m.brand_id::text), ('organization', o.id::text)
           ) r (scope, scope_key)
           WHERE o.id = $1 AND t.number IS NOT NULL AND r.scope_key IS NOT NULL
             AND r.scope IN ('number', o.opt_out_scope)
           ON CONFLICT (org_id, contact_number, phone_number, scope_key) DO UPDATE SET lifted_for = '{}'""",
        org_id,
        no.pair.phone_number_id,
        no.pair.contact_number,
        no.by.value,
        no.keyword,
        tx.now,
    )


async def lift(tx: Executor, org_id: UUID, pair: Pair) -> None:
    """START to a number: what was told to it reaches nothing any more, and what was told to others not this number."""
    await tx.run(
        """DELETE FROM opt_outs o USING phone_numbers n
           WHERE n.org_id = $1 AND n.id = $2 AND o.org_id = $1 AND o.contact_number = $3
             AND (o.phone_number = n.number OR o.phone_number_id = n.id)""",
        org_id,
        pair.phone_number_id,
        pair.contact_number,
    )
    await tx.run(
        """UPDATE opt_outs o SET lifted_for = o.lifted_for || n.number
           FROM phone_numbers n LEFT JOIN campaigns k ON k.org_id = n.org_id AND k.id = n.campaign_id
           WHERE n.org_id = $1 AND n.id = $2 AND o.org_id = $1 AND o.contact_number = $3
             AND o.scope_key = ANY (ARRAY[n.number, n.campaign_id::text, k.brand_id::text, n.org_id::text])
             AND n.number <> ALL (o.lifted_for)""",
        org_id,
        pair.phone_number_id,
        pair.contact_number,
    )


async def list_reached(db: Executor, org_id: UUID, contact_number: str) -> list[UUID]:
    """The organization's numbers that may not text a contact who opted out, and those of revoked consents."""
    return await db.all(
        _id,
        """SELECT n.id FROM opt_outs o
           JOIN phone_numbers n ON n.org_id = o.org_id AND n.number <> ALL (o.lifted_for)
           LEFT JOIN campaigns k ON k.org_id = n.org_id AND k.id = n.campaign_id
           WHERE o.org_id = $1 AND o.contact_number = $2
             AND o.scope_key = ANY (ARRAY[n.number, n.campaign_id::text, k.brand_id::text, n.org_id::text])
           UNION
           SELECT phone_number_id FROM consents
           WHERE org_id = $1 AND contact_number = $2 AND suppressed_by IS NOT NULL""",
        org_id,
        contact_number,
    )


async def cancel_challenges(tx: Executor, org_id: UUID, phone_number_ids: Sequence[UUID], contact_number: str) -> None:
    """Questions that wait for YES are void once the contact has opted out; by consent_challenges_open_idx."""
    await tx.run(
        """UPDATE consent_challenges SET status = 'canceled', ended_at = $4
           WHERE org_id = $1 AND phone_number_id = ANY ($2) AND contact_number = $3 AND status = 'pending'""",
        org_id,
        phone_number_ids,
        contact_number,
        tx.now,
    )


def _id(value: UUID) -> UUID:
    return value


def _reaching(phone_number_id: UUID, contact_number: str, *out: Any) -> tuple[Pair, OptOut]:
    return Pair(phone_number_id, contact_number), OptOut(*out)
