"""Numbers in the database, held by an organization, without a carrier."""

from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id


async def insert_number(
    db: Executor,
    org_id: UUID,
    number: str,
    *,
    campaign_id: UUID | None = None,
    state: str = "assigned",
    inbound_url: str | None = None,
    status_url: str | None = None,
) -> UUID:
    """A number of the organization; one with a campaign is confirmed by its carrier."""
    number_id = new_id()
    await db.run(
        """INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, campaign_id, generation,
                                      desired_at, line_option_status, line_option_propagated_at, created_at, updated_at,
                                      inbound_url, status_url)
           VALUES ($1, $2, 'live', $3, 'local', $4, $5::uuid, 1, $6,
                   CASE WHEN $5::uuid IS NULL THEN NULL ELSE 'propagated' END,
                   CASE WHEN $5::uuid IS NULL THEN NULL ELSE $6::timestamptz END, $6, $6, $7, $8)""",
        number_id,
        org_id,
        number,
        state,
        campaign_id,
        db.now,
        inbound_url,
        status_url,
    )
    return number_id
