"""Every statement on questions; that they end with an opt-out is in `consent.queries`."""

from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.optin.model import Challenge


async def lock_open(tx: Executor, org_id: UUID, phone_number_id: UUID, contact_number: str) -> Challenge | None:
    """The question to a contact that is still open, kept from changing; by consent_challenges_open_idx."""
    return await tx.one(
        Challenge,
        """SELECT id, org_id, phone_number_id, contact_number, confirmation_message_id, confirmation_text,
                  agreement_text, status, created_at, expires_at, ended_at
           FROM consent_challenges
           WHERE org_id = $1 AND phone_number_id = $2 AND contact_number = $3 AND status = 'pending' FOR UPDATE""",
        org_id,
        phone_number_id,
        contact_number,
    )


async def lock(tx: Executor, org_id: UUID, challenge_id: UUID) -> Challenge | None:
    """One question, kept from changing until the commit."""
    return await tx.one(
        Challenge,
        """SELECT id, org_id, phone_number_id, contact_number, confirmation_message_id, confirmation_text,
                  agreement_text, status, created_at, expires_at, ended_at
           FROM consent_challenges WHERE org_id = $1 AND id = $2 FOR UPDATE""",
        org_id,
        challenge_id,
    )


async def insert(tx: Executor, challenge: Challenge) -> None:
    """Store a question that is being texted."""
    await tx.run(
        """INSERT INTO consent_challenges (id, org_id, phone_number_id, contact_number, confirmation_message_id,
               confirmation_text, agreement_text, status, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        challenge.id,
        challenge.org_id,
        challenge.phone_number_id,
        challenge.contact_number,
        challenge.confirmation_message_id,
        challenge.confirmation_text,
        challenge.agreement_text,
        challenge.status,
        challenge.created_at,
        challenge.expires_at,
    )


async def end(tx: Executor, challenge: Challenge) -> None:
    """Store how a locked question ended."""
    await tx.run(
        "UPDATE consent_challenges SET status = $3, ended_at = $4 WHERE org_id = $1 AND id = $2",
        challenge.org_id,
        challenge.id,
        challenge.status,
        challenge.ended_at,
    )
