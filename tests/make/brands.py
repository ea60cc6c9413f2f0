"""Brands in the database, without the API and without the registry."""

from typing import Any
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id

VERIFIED = "VERIFIED"


async def insert_brand(db: Executor, org_id: UUID, **given: Any) -> UUID:
    """A registered, verified brand, unless `given` says otherwise (columns by name)."""
    brand_id = given.get("id") or new_id()
    await db.run(
        """INSERT INTO brands (id, org_id, account, tcr_brand_id, status, identity_status, entity_type,
                               brand_relationship, display_name, country, applied_revision, filed_at, submitted_at,
                               created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, 'BASIC_ACCOUNT', $8, 'US', 1, $9, $9, $9, $9)""",
        brand_id,
        org_id,
        given.get("account", "live"),
        given.get("tcr_brand_id", "B" + brand_id.hex[-6:].upper()),
        given.get("status", "ACTIVE"),
        given.get("identity_status", VERIFIED),
        given.get("entity_type", "PRIVATE_PROFIT"),
        given.get("display_name", "Acme"),
        given.get("created_at", db.now),
    )
    return brand_id
