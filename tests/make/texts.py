"""Numbers that may text and people who agreed to it, put into the database as the other rooms would leave them."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from tests.make.campaigns import insert_campaign

CONTACT = "+12125550188"
"""A fictional handset in New York."""


class Sender(Struct, frozen=True):
    """A number that may text: assigned, on an active campaign that the carrier has confirmed."""

    id: UUID
    number: str
    campaign_id: UUID


async def insert_sender(db: CellDb, tenant: Tenant, number: str = "+14155550123", **given: Any) -> Sender:
    """A number on a campaign, propagated and in the directory, unless `given` says otherwise (columns by name)."""
    number_id = new_id()
    campaign_id = given.get("campaign_id") or await insert_campaign(db, tenant.org_id, account=tenant.account)
    status = given.get("line_option_status", "propagated")
    state = given.get("state", "assigned")
    await db.run(
        """INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, campaign_id, generation,
                                      desired_at, line_option_status, line_option_propagated_at, created_at, updated_at)
           VALUES ($1, $2, $3, $4, 'local', $5, $6, 1, $7, $8, $7, $7, $7)""",
        number_id,
        tenant.org_id,
        tenant.account,
        number,
        state,
        given.get("wish", campaign_id),
        db.now,
        status,
    )
    await db.run(
        """INSERT INTO directory.inventory (account, number, number_type, state, org_id, cell, generation)
           VALUES ($1, $2, 'local', $3, $4, $5, 1)""",
        tenant.account,
        number,
        state,
        tenant.org_id,
        tenant.cell,
    )
    return Sender(number_id, number, campaign_id)


async def insert_consent(db: CellDb, tenant: Tenant, sender: Sender, contact: str = CONTACT, **given: Any) -> UUID:
    """An opt-in on record, unless `given` says otherwise (columns by name)."""
    consent_id = new_id()
    is_in = given.get("opted_in", True)
    await db.run(
        """INSERT INTO consents (id, org_id, phone_number_id, contact_number, opted_in, opted_in_at, suppressed_by,
                                 source, consent_method, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, 'api', 'attested', $8, $8)""",
        consent_id,
        tenant.org_id,
        sender.id,
        contact,
        is_in,
        given.get("opted_in_at", db.now if is_in else None),
        given.get("suppressed_by"),
        db.now,
    )
    return consent_id


async def set_throughput(db: CellDb, tenant: Tenant, *, per_sec: int = 100_000, per_min: int = 1_000_000) -> None:
    """A pace of one's own, beside the tier."""
    await db.run(
        "UPDATE organizations SET throughput_per_sec = $2, throughput_per_min = $3 WHERE id = $1",
        tenant.org_id,
        per_sec,
        per_min,
    )
