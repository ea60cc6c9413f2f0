"""Where a contact's texts lie: every one, whatever became of it, kept from changing until the commit."""

from uuid import UUID

from agentmessage.kernel.db import Executor


async def lock_waiting(tx: Executor, org_id: UUID, contact: str) -> list[UUID]:
    """Texts to the contact that no worker has claimed, kept from being claimed; by message_queue_pair_idx."""
    return await tx.all(
        _id,
        """SELECT message_id FROM message_queue WHERE org_id = $1 AND recipient = $2
             AND (claimed_at IS NULL OR claim_until = 'infinity')
           ORDER BY message_id FOR UPDATE""",
        org_id,
        contact,
    )


async def lock_outbound(tx: Executor, org_id: UUID, contact: str) -> list[UUID]:
    """Texts to the contact that have content; by messages_recipient_idx. In the order that receipts take them in."""
    return await tx.all(
        _id,
        """SELECT id FROM messages
           WHERE org_id = $1 AND recipient = $2
             AND (text IS NOT NULL OR media <> '{}' OR metadata IS NOT NULL OR tag IS NOT NULL)
           ORDER BY id FOR NO KEY UPDATE""",
        org_id,
        contact,
    )


async def lock_inbound(tx: Executor, org_id: UUID, contact: str) -> list[UUID]:
    """Texts from the contact that have content; by inbound_messages_from_idx."""
    return await tx.all(
        _id,
        """SELECT id FROM inbound_messages
           WHERE org_id = $1 AND from_number = $2 AND (body IS NOT NULL OR media_urls <> '{}')
           ORDER BY id FOR NO KEY UPDATE""",
        org_id,
        contact,
    )


async def erase_raw(tx: Executor, org_id: UUID, contact: str) -> None:
    """Empty what carriers delivered, but not what has yet to be applied: it may be a STOP. By inbound_raw_contact_idx.

    The rows stay: they are what makes a repeated delivery harmless.
    """
    await tx.run(
        """UPDATE inbound_raw SET raw = '', parsed = NULL
           WHERE org_id = $1 AND from_number = $2 AND problem IS NULL AND raw <> ''""",
        org_id,
        contact,
    )


async def delete_parts(tx: Executor, org_id: UUID, contact: str) -> None:
    """Forget parts of long texts whose other parts have not come."""
    await tx.run(
        """DELETE FROM inbound_parts p USING phone_numbers n
           WHERE n.org_id = $1 AND p.account = n.account AND p.to_number = n.number AND p.from_number = $2""",
        org_id,
        contact,
    )


def _id(value: UUID) -> UUID:
    return value
