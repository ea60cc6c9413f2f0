"""Every statement on brands, and two reads of campaigns."""

from datetime import datetime
from uuid import UUID

from agentmessage.brands.model import Brand
from agentmessage.kernel.db import Executor
from agentmessage.registration.model import RecordKey


async def insert(tx: Executor, brand: Brand) -> None:
    """Store a new brand."""
    await tx.run(
        """INSERT INTO brands (id, org_id, account, status, entity_type, brand_relationship, display_name, country,
               fields, tax_id_encrypted, tax_id_last4, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)""",
        brand.id,
        brand.org_id,
        brand.account,
        brand.status,
        brand.entity_type,
        brand.brand_relationship,
        brand.display_name,
        brand.country,
        brand.fields,
        brand.tax_id_encrypted,
        brand.tax_id_last4,
        brand.created_at,
    )


async def count_living(tx: Executor, org_id: UUID) -> int:
    """Number of brands that are not deleted, without the initial one of a sandbox."""
    count: int = await tx.value(
        "SELECT count(*) FROM brands WHERE org_id = $1 AND status <> 'DELETED' AND NOT is_starter", org_id
    )
    return count


async def has_starter(db: Executor, org_id: UUID) -> bool:
    """Whether the organization has had the initial brand of a sandbox."""
    found: bool = await db.value("SELECT EXISTS (SELECT FROM brands WHERE org_id = $1 AND is_starter)", org_id)
    return found


async def mark_starter(tx: Executor, org_id: UUID, brand_id: UUID) -> None:
    """Mark a brand as the initial one of a sandbox."""
    await tx.run("UPDATE brands SET is_starter = true WHERE org_id = $1 AND id = $2", org_id, brand_id)


async def find(db: Executor, org_id: UUID, brand_id: UUID) -> Brand | None:
    """One brand."""
    return await db.one(
        Brand,
        """SELECT id, org_id, account, tcr_brand_id, status, identity_status, entity_type, brand_relationship,
               display_name, country, fields, tax_id_encrypted, tax_id_last4, revision, applied_revision, filings,
               filed_at, filing_misses, submitted_at, verified_at, failure_reasons, created_at, updated_at
           FROM brands WHERE org_id = $1 AND id = $2""",
        org_id,
        brand_id,
    )


async def lock(tx: Executor, org_id: UUID, brand_id: UUID) -> Brand | None:
    """One brand, locked until the commit; rows that only refer to it are not blocked."""
    return await tx.one(
        Brand,
        """SELECT id, org_id, account, tcr_brand_id, status, identity_status, entity_type, brand_relationship,
               display_name, country, fields, tax_id_encrypted, tax_id_last4, revision, applied_revision, filings,
               filed_at, filing_misses, submitted_at, verified_at, failure_reasons, created_at, updated_at
           FROM brands WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE""",
        org_id,
        brand_id,
    )


async def update(tx: Executor, brand: Brand) -> None:
    """Store a locked brand."""
    await tx.run(
        """UPDATE brands SET tcr_brand_id = $3, status = $4, identity_status = $5, entity_type = $6,
               brand_relationship = $7, display_name = $8, country = $9, fields = $10, tax_id_encrypted = $11,
               tax_id_last4 = $12, revision = $13, applied_revision = $14, filings = $15, filed_at = $16,
               filing_misses = $17, submitted_at = $18, verified_at = $19, failure_reasons = $20, updated_at = $21
           WHERE org_id = $1 AND id = $2""",
        brand.org_id,
        brand.id,
        brand.tcr_brand_id,
        brand.status,
        brand.identity_status,
        brand.entity_type,
        brand.brand_relationship,
        brand.display_name,
        brand.country,
        brand.fields,
        brand.tax_id_encrypted,
        brand.tax_id_last4,
        brand.revision,
        brand.applied_revision,
        brand.filings,
        brand.filed_at,
        brand.filing_misses,
        brand.submitted_at,
        brand.verified_at,
        brand.failure_reasons,
        brand.updated_at,
    )


async def has_campaigns(tx: Executor, org_id: UUID, brand_id: UUID) -> bool:
    """Whether the brand has campaigns, here or at the registry: all but expired and never registered ones."""
    return bool(
        await tx.value(
            """SELECT EXISTS (SELECT FROM campaigns WHERE org_id = $1 AND brand_id = $2 AND status <> 'EXPIRED'
                              AND (status <> 'REJECTED' OR tcr_campaign_id IS NOT NULL))""",
            org_id,
            brand_id,
        )
    )


async def list_(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    offset: int,
    status: str | None,
    identity_status: str | None,
    limit: int,
) -> list[Brand]:
    """Brands, newest first, after a cursor; served by brands_list_idx."""
    return await db.all(
        Brand,
        """SELECT id, org_id, account, tcr_brand_id, status, identity_status, entity_type, brand_relationship,
               display_name, country, fields, tax_id_encrypted, tax_id_last4, revision, applied_revision, filings,
               filed_at, filing_misses, submitted_at, verified_at, failure_reasons, created_at, updated_at
           FROM brands
           WHERE org_id = $1
             AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                     coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND ($4::text IS NULL OR status = $4) AND ($5::text IS NULL OR identity_status = $5)
           ORDER BY created_at DESC, id DESC LIMIT $6 OFFSET $7""",
        org_id,
        before_at,
        before_id,
        status,
        identity_status,
        limit,
        offset,
    )


async def count(db: Executor, org_id: UUID, *, status: str | None, identity_status: str | None) -> int:
    """Number of brands that match: `meta.total`."""
    total: int = await db.value(
        """SELECT count(*) FROM brands WHERE org_id = $1 AND ($2::text IS NULL OR status = $2)
             AND ($3::text IS NULL OR identity_status = $3)""",
        org_id,
        status,
        identity_status,
    )
    return total


async def list_registered_as(db: Executor, tcr_brand_id: str) -> list[RecordKey]:
    """The brands with a registry's id, across tenants: a callback names no organization."""
    return await db.all(
        RecordKey,
        "SELECT org_id, id FROM brands WHERE tcr_brand_id = $1",
        tcr_brand_id,
    )
