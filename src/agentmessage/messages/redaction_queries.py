"""Executor that remove the content of messages of both directions."""

from collections.abc import Sequence
from uuid import UUID

from agentmessage.kernel.db import Executor


async def redact_messages(
    tx: Executor, org_id: UUID, message_ids: Sequence[UUID], *, keeps_text: bool, keeps_labels: bool
) -> list[UUID]:
    """Remove text and media, or media alone, and optionally the labels of messages; returns those that had any."""
    return await tx.all(
        _id,
        """UPDATE messages SET text = CASE WHEN $3 THEN text END, media = '{}',
               tag = CASE WHEN $5 THEN tag END, metadata = CASE WHEN $5 THEN metadata END,
               redacted_at = CASE WHEN $3 THEN redacted_at ELSE $4 END
           WHERE org_id = $1 AND id = ANY ($2)
             AND (media <> '{}' OR (text IS NOT NULL AND NOT $3)
                  OR ((tag IS NOT NULL OR metadata IS NOT NULL) AND NOT $5))
           RETURNING id""",
        org_id,
        message_ids,
        keeps_text,
        tx.now,
        keeps_labels,
    )


async def redact_inbound(tx: Executor, org_id: UUID, inbound_ids: Sequence[UUID], *, keeps_text: bool) -> list[UUID]:
    """The same for inbound messages."""
    return await tx.all(
        _id,
        """UPDATE inbound_messages SET body = CASE WHEN $3 THEN body END, media_urls = '{}',
               redacted_at = CASE WHEN $3 THEN redacted_at ELSE $4 END
           WHERE org_id = $1 AND id = ANY ($2) AND (media_urls <> '{}' OR (body IS NOT NULL AND NOT $3))
           RETURNING id""",
        org_id,
        inbound_ids,
        keeps_text,
        tx.now,
    )


async def redact_events(tx: Executor, org_id: UUID, resource_ids: Sequence[UUID], *, blanks: dict[str, object]) -> None:
    """Overwrite fields of the events of these messages with `blanks`; by events_content_idx.

    Response bodies of webhook endpoints may repeat the content and are removed; by webhook_attempts_source_idx.
    """
    await tx.run(
        """WITH blanked AS (
               UPDATE events SET data = data || $3::jsonb
               WHERE org_id = $1 AND resource_id = ANY ($2) AND family IN ('message', 'inbound_message')
               RETURNING id)
           UPDATE webhook_attempts a SET response_body_excerpt = NULL FROM blanked b
           WHERE a.org_id = $1 AND a.source_event_id = b.id AND a.response_body_excerpt IS NOT NULL""",
        org_id,
        resource_ids,
        blanks,
    )


async def redact_previews(tx: Executor, org_id: UUID, message_ids: Sequence[UUID]) -> None:
    """Redact the previews of conversations whose last message, of either direction, is one of these.

    Rows are locked in the common order, by primary key: a message names the pair that it belongs to.
    """
    await tx.run(
        """WITH pairs AS (
               SELECT recipient AS contact, phone_number_id, id FROM messages WHERE org_id = $1 AND id = ANY ($2)
               UNION ALL
               SELECT from_number, phone_number_id, id FROM inbound_messages WHERE org_id = $1 AND id = ANY ($2)),
           shown AS (
               SELECT c.contact_number, c.phone_number_id
               FROM pairs p JOIN conversations c ON c.org_id = $1 AND c.contact_number = p.contact
                   AND c.phone_number_id = p.phone_number_id AND c.last_message_id = p.id
               ORDER BY c.contact_number, c.phone_number_id FOR NO KEY UPDATE OF c)
           UPDATE conversations c SET last_preview = '[redacted]', redacted_at = $3
           FROM shown s
           WHERE c.org_id = $1 AND c.contact_number = s.contact_number AND c.phone_number_id = s.phone_number_id""",
        org_id,
        message_ids,
        tx.now,
    )


def _id(value: UUID) -> UUID:
    return value
