"""Redaction of messages, for retention and erasure.

Text and media are removed from the message, from its events and from the preview of its conversation. Sender,
recipient, times and status stay.
"""

from collections.abc import Sequence
from uuid import UUID

from agentmessage.kernel.db import Tx
from agentmessage.messages import redaction_queries


async def redact_messages(
    tx: Tx, org_id: UUID, message_ids: Sequence[UUID], *, keeps_text: bool = False, keeps_labels: bool = True
) -> int:
    """Remove the content, or the media alone, of messages that the caller has locked; returns how many had any.

    Labels are the tag and the metadata: retention keeps them, erasure does not.
    """
    redacted = await redaction_queries.redact_messages(
        tx, org_id, message_ids, keeps_text=keeps_text, keeps_labels=keeps_labels
    )
    if redacted:
        blanks: dict[str, object] = {"media": []}
        if not keeps_text:
            blanks |= {"text": None, "redacted_at": tx.now}
            await redaction_queries.redact_previews(tx, org_id, redacted)
        if not keeps_labels:
            blanks |= {"tag": None, "metadata": None}
        await redaction_queries.redact_events(tx, org_id, redacted, blanks=blanks)
    return len(redacted)


async def redact_inbound(tx: Tx, org_id: UUID, inbound_ids: Sequence[UUID], *, keeps_text: bool = False) -> int:
    """The same for inbound messages."""
    redacted = await redaction_queries.redact_inbound(tx, org_id, inbound_ids, keeps_text=keeps_text)
    if redacted:
        blanks: dict[str, object] = {"media_urls": []}
        if not keeps_text:
            blanks |= {"body": None, "redacted_at": tx.now}
            await redaction_queries.redact_previews(tx, org_id, redacted)
        await redaction_queries.redact_events(tx, org_id, redacted, blanks=blanks)
    return len(redacted)
