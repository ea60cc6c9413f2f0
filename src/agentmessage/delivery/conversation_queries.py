"""What texts out add to conversations, in the tables that inbound shows."""

from collections.abc import Sequence

from agentmessage.delivery.claims import Claim
from agentmessage.kernel.db import Statements

PREVIEW_CHARS = 160


async def add_sent(tx: Statements, claims: Sequence[Claim]) -> None:
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
