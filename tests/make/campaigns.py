"""Campaigns in the database, without the API and without the registry."""

from typing import Any
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id
from tests.make.brands import insert_brand


async def insert_campaign(db: Executor, org_id: UUID, **given: Any) -> UUID:
    """An approved campaign of a verified brand, unless `given` says otherwise (columns by name)."""
    campaign_id = given.get("id") or new_id()
    account = given.get("account", "live")
    await db.run(
        """INSERT INTO campaigns (id, org_id, account, brand_id, tcr_campaign_id, status, is_suspended, is_shared,
                                  usecase, description, message_flow, fields, number_cap, monthly_fee_microcents,
                                  months_charged, filed_at, submitted_at, activated_at, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $9, $10, $11, $12, 1000000000, 1, $13, $13, $14, $13, $13)""",
        campaign_id,
        org_id,
        account,
        given.get("brand_id") or await insert_brand(db, org_id, account=account),
        given.get("tcr_campaign_id", "C" + campaign_id.hex[-6:].upper()),
        given.get("status", "ACTIVE"),
        given.get("is_suspended", False),
        given.get("usecase", "MARKETING"),
        "Weekly offers to customers who asked for them.",
        "Customers tick a box at checkout and agree to weekly offers.",
        given.get("fields", {"sample1": "Acme: 20 percent off this week. Reply STOP to opt out."}),
        given.get("number_cap", 49),
        given.get("created_at", db.now),
        given.get("activated_at", db.now),
    )
    return campaign_id
