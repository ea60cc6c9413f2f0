"""Statements on conversations: what was last said, and everything that was."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from agentmessage.conversations.model import Conversation, Entry, Sent, Spot
from agentmessage.kernel.db import Executor


async def add_inbound(
    tx: Executor,
    org_id: UUID,
    *,
    phone_number_id: UUID,
    contact_number: str,
    phone_number: str,
    message_id: UUID,
    preview: str | None,
) -> Spot:
    """Put a text at the end of its conversation; the conversation stays locked until the commit.

    So the texts of one conversation get growing times in the order of their commits, and whoever waits for one behind a
    time misses none. A time that lies far ahead was some machine's wrong clock, and is not followed.
    """
    spot = await tx.one(
        Spot,
        """WITH c AS (
               INSERT INTO conversations AS c (org_id, contact_number, phone_number_id, phone_number, last_message_at,
                   last_direction, last_message_id, last_preview, message_count)
               VALUES ($1, $2, $3, $4, $5, 'inbound', $6, $7, 1)
               ON CONFLICT (org_id, contact_number, phone_number_id) DO UPDATE SET
                   last_message_at = CASE
                       WHEN c.last_message_at >= $5 AND c.last_message_at < $5 + interval '1 minute'
                       THEN c.last_message_at + interval '1 microsecond' ELSE $5 END,
                   last_direction = 'inbound', last_message_id = $6, last_preview = $7, redacted_at = NULL,
                   phone_number = $4, message_count = c.message_count + 1
               RETURNING last_message_at,
                   CASE WHEN auto_replies_from > $5::timestamptz - interval '1 hour'
                        THEN auto_replies ELSE 0 END AS replies),
           entry AS (
               INSERT INTO conversation_entries (org_id, contact_number, phone_number_id, at, message_id, direction)
               SELECT $1, $2, $3, last_message_at, $6, 'inbound' FROM c)
           SELECT last_message_at, replies FROM c""",
        org_id,
        contact_number,
        phone_number_id,
        phone_number,
        tx.now,
        message_id,
        preview,
    )
    if spot is None:
        raise RuntimeError("an upsert answered no row")
    return spot


async def count_auto_reply(tx: Executor, org_id: UUID, *, phone_number_id: UUID, contact_number: str) -> None:
    """One automatic answer more within the hour."""
    await tx.run(
        """UPDATE conversations SET
               auto_replies = CASE WHEN auto_replies_from > $4::timestamptz - interval '1 hour'
                                   THEN auto_replies + 1 ELSE 1 END,
               auto_replies_from = CASE WHEN auto_replies_from > $4::timestamptz - interval '1 hour'
                                        THEN auto_replies_from ELSE $4 END
           WHERE org_id = $1 AND contact_number = $2 AND phone_number_id = $3""",
        org_id,
        contact_number,
        phone_number_id,
        tx.now,
    )


_CONTACT: LiteralString = " AND v.contact_number = $2"
_NUMBER: LiteralString = " AND v.phone_number_id = $3"
_ANY: LiteralString = ""

_LIST: LiteralString = """SELECT v.phone_number_id, v.contact_number, v.phone_number, v.last_message_at,
       v.last_direction, v.last_preview, v.redacted_at, v.message_count,
       coalesce(s.opted_in, false) AND u.phone_number IS NULL, s.opted_in_at,
       CASE WHEN s.opted_in IS FALSE THEN s.opted_out_at ELSE u.opted_out_at END,
       CASE WHEN s.suppressed_by = 'revocation' THEN NULL ELSE u.phone_number END,
       CASE WHEN s.suppressed_by = 'revocation' THEN NULL ELSE u.scope END
FROM conversations v LEFT JOIN consents s
  ON s.org_id = v.org_id AND s.phone_number_id = v.phone_number_id AND s.contact_number = v.contact_number
LEFT JOIN phone_numbers n ON n.org_id = v.org_id AND n.id = v.phone_number_id
LEFT JOIN campaigns k ON k.org_id = n.org_id AND k.id = n.campaign_id
LEFT JOIN LATERAL (
    SELECT o.phone_number, o.scope, o.opted_out_at FROM opt_outs o
    WHERE o.org_id = v.org_id AND o.contact_number = v.contact_number
      AND o.scope_key = ANY (ARRAY[v.phone_number, n.campaign_id::text, k.brand_id::text, v.org_id::text])
      AND v.phone_number <> ALL (o.lifted_for)
    ORDER BY o.phone_number <> v.phone_number, o.opted_out_at, o.phone_number, o.scope = 'number' LIMIT 1) u ON true
WHERE v.org_id = $1
  AND ($2::text IS NULL OR v.contact_number = $2) AND ($3::uuid IS NULL OR v.phone_number_id = $3)
  AND ($4::timestamptz IS NULL OR v.last_message_at >= $4)
  AND ($5::boolean IS NULL OR (coalesce(s.opted_in, false) AND u.phone_number IS NULL) = $5)
  AND v.last_message_at <= coalesce($6::timestamptz, 'infinity')
  AND (v.last_message_at < coalesce($6::timestamptz, 'infinity')
       OR (v.contact_number, v.phone_number_id) > ($7::text, $8::uuid))"""


async def list_(
    db: Executor,
    org_id: UUID,
    *,
    contact_number: str | None,
    phone_number_id: UUID | None,
    since: datetime | None,
    opted_in: bool | None,
    before_at: datetime | None,
    after_contact: str,
    after_number_id: UUID | None,
    limit: int,
) -> list[Conversation]:
    """Conversations, the one that was last spoken in first, below a place in the list; by the index of the filter."""
    narrow = _CONTACT if contact_number is not None else _NUMBER if phone_number_id is not None else _ANY
    return await db.all(
        Conversation,
        _LIST + narrow + " ORDER BY v.last_message_at DESC, v.contact_number, v.phone_number_id LIMIT $9",
        org_id,
        contact_number,
        phone_number_id,
        since,
        opted_in,
        before_at,
        after_contact,
        after_number_id,
        limit,
    )


async def exists(db: Executor, org_id: UUID, *, phone_number_id: UUID, contact_number: str) -> bool:
    """Whether the organization has such a conversation."""
    found = await db.value(
        "SELECT true FROM conversations WHERE org_id = $1 AND contact_number = $2 AND phone_number_id = $3",
        org_id,
        contact_number,
        phone_number_id,
    )
    return bool(found)


async def list_entries(
    db: Executor,
    org_id: UUID,
    *,
    phone_number_id: UUID,
    contact_number: str,
    after_at: datetime | None,
    after_id: UUID | None,
    limit: int,
) -> list[Entry]:
    """The texts of one conversation in both directions, oldest first, above a place; by its primary key."""
    return await db.all(
        Entry,
        """SELECT e.message_id, e.at, e.direction, e.phone_number_id,
                  coalesce(i.from_number, m.sender), coalesce(i.to_number, m.recipient),
                  CASE WHEN e.direction = 'inbound' THEN i.body ELSE m.text || coalesce(m.appended_text, '') END,
                  coalesce(i.media_urls, m.media, '{}'), coalesce(i.channel, m.channel),
                  coalesce(i.segment_count, m.segments), coalesce(i.redacted_at, m.redacted_at)
           FROM conversation_entries e
           LEFT JOIN inbound_messages i ON e.direction = 'inbound' AND i.org_id = e.org_id AND i.id = e.message_id
           LEFT JOIN messages m ON e.direction = 'outbound' AND m.org_id = e.org_id AND m.id = e.message_id
           WHERE e.org_id = $1 AND e.contact_number = $2 AND e.phone_number_id = $3
             AND (e.at, e.message_id) > (coalesce($4::timestamptz, '-infinity'),
                                         coalesce($5::uuid, '00000000-0000-0000-0000-000000000000'))
             AND (i.id IS NOT NULL OR m.id IS NOT NULL)
           ORDER BY e.at, e.message_id LIMIT $6""",
        org_id,
        contact_number,
        phone_number_id,
        after_at,
        after_id,
        limit,
    )


PREVIEW_CHARS = 160


async def add_sent(tx: Executor, claims: Sequence[Sent]) -> None:
    """Count texts that were just handed over, and show the newest of each conversation; rows in one order.

    What was erased while a worker held it is not shown again.
    """
    await tx.run(
        """WITH given AS (
               SELECT g.*, m.redacted_at
               FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[])
                   WITH ORDINALITY g (message_id, org_id, phone_number_id, contact_number, phone_number, preview, n)
               LEFT JOIN messages m ON m.id = ANY ($2) AND m.id = g.message_id AND m.org_id = g.org_id),
           entered AS (
               INSERT INTO conversation_entries (org_id, contact_number, phone_number_id, at, message_id, direction)
               SELECT org_id, contact_number, phone_number_id, $1, message_id, 'outbound' FROM given)
           INSERT INTO conversations AS c (org_id, phone_number_id, contact_number, phone_number, last_message_at,
               last_direction, last_message_id, last_preview, redacted_at, message_count)
           SELECT DISTINCT ON (org_id, contact_number, phone_number_id) org_id, phone_number_id, contact_number,
                  phone_number, $1, 'outbound', message_id,
                  CASE WHEN redacted_at IS NULL THEN preview ELSE '[redacted]' END, redacted_at,
                  count(*) OVER (PARTITION BY org_id, contact_number, phone_number_id)
           FROM given ORDER BY org_id, contact_number, phone_number_id, n DESC
           ON CONFLICT (org_id, contact_number, phone_number_id) DO UPDATE
           SET message_count = c.message_count + excluded.message_count,
               last_message_at = greatest(c.last_message_at, excluded.last_message_at),
               last_direction = CASE WHEN excluded.last_message_at >= c.last_message_at THEN 'outbound'
                                     ELSE c.last_direction END,
               last_message_id = CASE WHEN excluded.last_message_at >= c.last_message_at THEN excluded.last_message_id
                                      ELSE c.last_message_id END,
               last_preview = CASE WHEN excluded.last_message_at >= c.last_message_at THEN excluded.last_preview
                                   ELSE c.last_preview END,
               redacted_at = CASE WHEN excluded.last_message_at >= c.last_message_at THEN excluded.redacted_at
                                  ELSE c.redacted_at END""",
        tx.now,
        [claim.message_id for claim in claims],
        [claim.org_id for claim in claims],
        [claim.phone_number_id for claim in claims],
        [claim.recipient for claim in claims],
        [claim.sender for claim in claims],
        [claim.text[:PREVIEW_CHARS] for claim in claims],
    )
