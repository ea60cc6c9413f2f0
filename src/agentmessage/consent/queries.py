"""Every statement on consents and their history; one on who is being texted, and looks at numbers and campaigns."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from msgspec import Struct

from agentmessage.consent.model import Consent, Entry, OptOut, Pair
from agentmessage.kernel.db import Executor


async def lock_sending(tx: Executor, org_id: UUID) -> int:
    """Hold the organization's admissions off until the commit; answers how often the law has changed."""
    version: int = await tx.value(
        """INSERT INTO send_accounts AS s (org_id, state_version) VALUES ($1, 1)
           ON CONFLICT (org_id) DO UPDATE SET state_version = s.state_version + 1 RETURNING state_version""",
        org_id,
    )
    return version


class HeldNumber(Struct, frozen=True):
    """A number that an organization holds, E.164."""

    id: UUID
    number: str


async def list_assigned(db: Executor, org_id: UUID, number_ids: Sequence[UUID]) -> list[HeldNumber]:
    """Those of some numbers that the organization holds now; by primary key."""
    return await db.all(
        HeldNumber,
        "SELECT id, number FROM phone_numbers WHERE org_id = $1 AND id = ANY($2) AND state = 'assigned'",
        org_id,
        number_ids,
    )


COLUMNS: LiteralString = """SELECT c.id, c.org_id, c.phone_number_id, c.contact_number, c.opted_in, c.opted_in_at,
       c.opted_out_at, c.suppressed_by, c.suppressed_keyword, c.source, c.consent_method, c.agreement_text_hash,
       c.created_at, c.updated_at, u.phone_number, u.scope, u.suppressed_by, u.keyword, u.opted_out_at
FROM """

REACHED: LiteralString = """
LEFT JOIN phone_numbers n ON n.org_id = c.org_id AND n.id = c.phone_number_id
LEFT JOIN campaigns k ON k.org_id = n.org_id AND k.id = n.campaign_id
LEFT JOIN LATERAL (
    SELECT o.phone_number, o.scope, o.suppressed_by, o.keyword, o.opted_out_at FROM opt_outs o
    WHERE o.org_id = c.org_id AND o.contact_number = c.contact_number
      AND (o.phone_number_id = c.phone_number_id AND o.scope = 'number'
           OR o.scope_key = ANY (ARRAY[n.number, n.campaign_id::text, k.brand_id::text, c.org_id::text])
              AND coalesce(n.number <> ALL (o.lifted_for), true))
    ORDER BY o.phone_number_id <> c.phone_number_id, o.opted_out_at, o.phone_number, o.scope = 'number', o.scope_key
    LIMIT 1) u ON true
"""
"""The opt-out that reaches a pair `c`: rather one that its own number was told, then the oldest, then the widest. By
the beginning of the primary key."""


async def find(db: Executor, org_id: UUID, consent_id: UUID) -> Consent | None:
    """One consent."""
    return await db.one(
        _consent, COLUMNS + "consents c" + REACHED + "WHERE c.org_id = $1 AND c.id = $2", org_id, consent_id
    )


async def list_pairs(db: Executor, org_id: UUID, pairs: Sequence[Pair]) -> list[Consent]:
    """The consents of some pairs, as many as there are; each by the unique key."""
    return await db.all(
        _consent,
        COLUMNS
        + """unnest($2::uuid[], $3::text[]) wanted (phone_number_id, contact_number)
           JOIN consents c ON c.org_id = $1 AND c.phone_number_id = wanted.phone_number_id
                          AND c.contact_number = wanted.contact_number"""
        + REACHED,
        org_id,
        [pair.phone_number_id for pair in pairs],
        [pair.contact_number for pair in pairs],
    )


async def list_contact(db: Executor, org_id: UUID, contact_number: str) -> list[Consent]:
    """Every consent of one contact; by consents_contact_idx."""
    return await db.all(
        _consent,
        COLUMNS + "consents c" + REACHED + "WHERE c.org_id = $1 AND c.contact_number = $2 ORDER BY c.id",
        org_id,
        contact_number,
    )


async def upsert(tx: Executor, org_id: UUID, consents: Sequence[Consent]) -> None:
    """Store consents as they are now, all in one statement; none of the pairs twice."""
    await tx.run(
        """INSERT INTO consents AS c (org_id, id, phone_number_id, contact_number, opted_in, opted_in_at, opted_out_at,
               suppressed_by, suppressed_keyword, source, consent_method, agreement_text_hash, created_at, updated_at)
           SELECT $1, u.* FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::boolean[], $6::timestamptz[],
               $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[],
               $14::timestamptz[]) u
           ON CONFLICT (org_id, phone_number_id, contact_number) DO UPDATE SET
               opted_in = excluded.opted_in, opted_in_at = excluded.opted_in_at, opted_out_at = excluded.opted_out_at,
               suppressed_by = excluded.suppressed_by, suppressed_keyword = excluded.suppressed_keyword,
               source = excluded.source, consent_method = excluded.consent_method,
               agreement_text_hash = excluded.agreement_text_hash, updated_at = excluded.updated_at""",
        org_id,
        [one.id for one in consents],
        [one.phone_number_id for one in consents],
        [one.contact_number for one in consents],
        [one.opted_in for one in consents],
        [one.opted_in_at for one in consents],
        [one.opted_out_at for one in consents],
        [one.suppressed_by for one in consents],
        [one.suppressed_keyword for one in consents],
        [one.source for one in consents],
        [one.consent_method for one in consents],
        [one.agreement_text_hash for one in consents],
        [one.created_at for one in consents],
        [one.updated_at for one in consents],
    )


async def insert_entries(tx: Executor, org_id: UUID, entries: Sequence[Entry]) -> None:
    """Add lines to histories, all in one statement."""
    await tx.run(
        """INSERT INTO consent_history (org_id, id, consent_id, event, keyword, source, raw_event_id, occurred_at,
               recorded_at, evidence_ip, evidence_user_agent, evidence_agreement_text, evidence_agreement_text_hash,
               evidence_form_url, evidence_consent_method)
           SELECT $1, u.* FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
               $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
               $15::text[]) u""",
        org_id,
        [one.id for one in entries],
        [one.consent_id for one in entries],
        [one.event for one in entries],
        [one.keyword for one in entries],
        [one.source for one in entries],
        [one.raw_event_id for one in entries],
        [one.occurred_at for one in entries],
        [one.recorded_at for one in entries],
        [one.evidence_ip for one in entries],
        [one.evidence_user_agent for one in entries],
        [one.evidence_agreement_text for one in entries],
        [one.evidence_agreement_text_hash for one in entries],
        [one.evidence_form_url for one in entries],
        [one.evidence_consent_method for one in entries],
    )


async def has_entry(db: Executor, org_id: UUID, consent_id: UUID, raw_event_id: str) -> bool:
    """Whether a message, challenge or form token has left its line already; by consent_history_once_idx."""
    return bool(
        await db.value(
            "SELECT true FROM consent_history WHERE org_id = $1 AND consent_id = $2 AND raw_event_id = $3",
            org_id,
            consent_id,
            raw_event_id,
        )
    )


async def list_(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    contact_number: str | None,
    phone_number_id: UUID | None,
    opted_in: bool | None,
    since: datetime | None,
    consent_method: str | None,
    limit: int,
) -> list[Consent]:
    """Consents, most recently updated first, below a place; by consents_list_idx, or a filter's own index.

    Those that are out are few: their own records by consents_out_idx, and the records of contacts that opted out.
    """
    table = _OUT if opted_in is False else _ALL
    narrow = _CONTACT if contact_number is not None else _ANY
    return await db.all(
        _consent,
        COLUMNS + table + REACHED + _WHERE + narrow + " ORDER BY c.updated_at DESC, c.id DESC LIMIT $9",
        org_id,
        before_at,
        before_id,
        contact_number,
        phone_number_id,
        opted_in,
        since,
        consent_method,
        limit,
    )


_ALL: LiteralString = "consents c"
_OUT: LiteralString = """(
    SELECT * FROM consents WHERE org_id = $1 AND NOT opted_in
    UNION ALL
    SELECT s.* FROM consents s
    WHERE s.org_id = $1 AND s.opted_in
      AND s.contact_number IN (SELECT x.contact_number FROM opt_outs x WHERE x.org_id = $1)) c"""
_WHERE: LiteralString = """WHERE c.org_id = $1
  AND (c.updated_at, c.id) < (coalesce($2::timestamptz, 'infinity'),
                              coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
  AND ($4::text IS NULL OR c.contact_number = $4) AND ($5::uuid IS NULL OR c.phone_number_id = $5)
  AND ($6::boolean IS NULL OR (c.opted_in AND u.phone_number IS NULL) = $6)
  AND ($7::timestamptz IS NULL OR c.updated_at >= $7)
  AND ($8::text IS NULL OR c.consent_method = $8)"""

_CONTACT: LiteralString = " AND c.contact_number = $4"
_ANY: LiteralString = ""


async def list_history(
    db: Executor,
    org_id: UUID,
    consent_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Entry]:
    """A consent's history, newest first, below a place; by consent_history_list_idx."""
    return await db.all(
        Entry,
        """SELECT id, consent_id, event, keyword, source, raw_event_id, occurred_at, recorded_at, evidence_ip,
                  evidence_user_agent, evidence_agreement_text, evidence_agreement_text_hash, evidence_form_url,
                  evidence_consent_method
           FROM consent_history
           WHERE org_id = $1 AND consent_id = $2
             AND (recorded_at, id) < (coalesce($3::timestamptz, 'infinity'),
                                      coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
           ORDER BY recorded_at DESC, id DESC LIMIT $5""",
        org_id,
        consent_id,
        before_at,
        before_id,
        limit,
    )


def _consent(*columns: Any) -> Consent:
    record, out = columns[:-5], columns[-5:]
    return Consent(*record, out=None if out[0] is None else OptOut(*out))
