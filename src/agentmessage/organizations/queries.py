"""Every statement on organizations, their place in the directory, and the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from agentmessage.kernel.db import Executor
from agentmessage.organizations.model import (
    Address,
    AuditRow,
    AutoReplies,
    Mode,
    OptOutScope,
    Organization,
    QuietHours,
    Standing,
    Summary,
)


async def insert(tx: Executor, organization: Organization) -> None:
    """Store a new organization in its cell."""
    await tx.run(
        """INSERT INTO organizations (id, mode, name, billing_email, plan, throughput_tier, message_retention_days,
               mms_retention_days, is_commercial, is_reseller, quiet_hours, auto_replies, opt_out_scope, created_at,
               updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)""",
        organization.id,
        organization.mode,
        organization.name,
        organization.billing_email,
        organization.plan,
        organization.throughput_tier,
        organization.message_retention_days,
        organization.mms_retention_days,
        organization.is_commercial,
        organization.is_reseller,
        organization.quiet_hours,
        organization.auto_replies,
        organization.opt_out_scope,
        organization.created_at,
        organization.updated_at,
    )


async def insert_address(tx: Executor, address: Address) -> None:
    """Tell the directory where an organization lives."""
    await tx.run(
        "INSERT INTO directory.organizations (id, cell, mode, twin_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        address.id,
        address.cell,
        address.mode,
        address.twin_id,
        tx.now,
    )


async def find_address(db: Executor, org_id: UUID) -> Address | None:
    """Where an organization lives."""
    return await db.one(Address, "SELECT id, cell, mode, twin_id FROM directory.organizations WHERE id = $1", org_id)


async def find(db: Executor, org_id: UUID) -> Organization | None:
    """One organization."""
    return await db.one(
        _organization,
        """SELECT id, mode, name, billing_email, plan, throughput_tier, message_retention_days, mms_retention_days,
               is_commercial, is_reseller, quiet_hours, auto_replies, opt_out_scope, created_at,
               updated_at
           FROM organizations WHERE id = $1""",
        org_id,
    )


async def lock(tx: Executor, org_id: UUID) -> Organization | None:
    """One organization, kept from changing until the commit; rows that only refer to it are not held up."""
    return await tx.one(
        _organization,
        """SELECT id, mode, name, billing_email, plan, throughput_tier, message_retention_days, mms_retention_days,
               is_commercial, is_reseller, quiet_hours, auto_replies, opt_out_scope, created_at,
               updated_at
           FROM organizations WHERE id = $1 FOR NO KEY UPDATE""",
        org_id,
    )


async def update(tx: Executor, organization: Organization) -> None:
    """Store the settings of an organization that is locked."""
    await tx.run(
        """UPDATE organizations SET name = $2, billing_email = $3, message_retention_days = $4,
               mms_retention_days = $5, is_reseller = $6, quiet_hours = $7, auto_replies = $8, opt_out_scope = $9,
               updated_at = $10
           WHERE id = $1""",
        organization.id,
        organization.name,
        organization.billing_email,
        organization.message_retention_days,
        organization.mms_retention_days,
        organization.is_reseller,
        organization.quiet_hours,
        organization.auto_replies,
        organization.opt_out_scope,
        organization.updated_at,
    )


async def update_throughput(tx: Executor, org_id: UUID, *, per_second: int | None, per_minute: int | None) -> None:
    """Store how many texts an organization may hand in; None: as its tier has it."""
    await tx.run(
        "UPDATE organizations SET throughput_per_sec = $2, throughput_per_min = $3, updated_at = $4 WHERE id = $1",
        org_id,
        per_second,
        per_minute,
        tx.now,
    )


async def raise_tier(tx: Executor, org_id: UUID, tier: int) -> bool:
    """Store a throughput tier that is higher than the present one; False: it is not."""
    return bool(
        await tx.run(
            "UPDATE organizations SET throughput_tier = $2, updated_at = $3 WHERE id = $1 AND throughput_tier < $2",
            org_id,
            tier,
            tx.now,
        )
    )


async def update_kind(tx: Executor, org_id: UUID, *, is_commercial: bool) -> None:
    """Store whether an organization is commercial."""
    await tx.run(
        "UPDATE organizations SET is_commercial = $2, updated_at = $3 WHERE id = $1", org_id, is_commercial, tx.now
    )


async def update_plan(tx: Executor, org_id: UUID, plan: str) -> None:
    """Store the plan of an organization that is locked."""
    await tx.run("UPDATE organizations SET plan = $2, updated_at = $3 WHERE id = $1", org_id, plan, tx.now)


async def standing(db: Executor, org_id: UUID) -> Standing:
    """How far registration is: the only look of this room at brands and campaigns, and it changes nothing."""
    row = await db.one(
        Standing,
        """SELECT (SELECT CASE WHEN bool_or(status = 'ACTIVE') THEN 'ACTIVE'
                               WHEN bool_or(status = 'PENDING') THEN 'PENDING' END FROM brands WHERE org_id = $1),
                  (SELECT count(*) FROM brands WHERE org_id = $1 AND status <> 'DELETED' AND NOT is_starter),
                  (SELECT count(*) FROM campaigns WHERE org_id = $1 AND status IN ('PENDING', 'ACTIVE'))""",
        org_id,
    )
    return row or Standing(None, 0, 0)


async def list_summaries(db: Executor, cell: str) -> list[Summary]:
    """Every organization of one cell, oldest first, across tenants: for the operator only."""
    return await db.all(
        Summary,
        """SELECT o.id, o.name, o.mode, d.cell, d.twin_id, coalesce(w.balance_microcents, 0), o.created_at
           FROM organizations o JOIN directory.organizations d ON d.id = o.id LEFT JOIN wallets w ON w.org_id = o.id
           WHERE d.cell = $1 ORDER BY o.created_at, o.id""",
        cell,
    )


async def insert_installation_fact(tx: Executor, name: str, value: Any) -> bool:
    """Remember a fact about the installation; False when one of that name is there. Waits for whoever is writing it."""
    return bool(
        await tx.run(
            "INSERT INTO directory.installation (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, value
        )
    )


async def find_installation_fact(db: Executor, name: str) -> Any:
    """A remembered fact about the installation, or None."""
    return await db.value("SELECT value FROM directory.installation WHERE name = $1", name)


async def insert_audit_row(tx: Executor, org_id: UUID, row: AuditRow) -> None:
    """Append to the audit log."""
    await tx.run(
        """INSERT INTO audit_log (org_id, id, occurred_at, actor_kind, actor_label, action, resource_type,
               resource_id, reason, request_id, payload)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        org_id,
        row.id,
        row.occurred_at,
        row.actor_kind,
        row.actor_label,
        row.action,
        row.resource_type,
        row.resource_id,
        row.reason,
        row.request_id,
        row.payload,
    )


async def list_audit_rows(
    db: Executor,
    org_id: UUID,
    *,
    before: tuple[datetime, str] | None,
    action: str | None,
    resource_type: str | None,
    resource_id: str | None,
    actor_kind: str | None,
    since: datetime | None,
    until: datetime | None,
    has_payload: bool,
    limit: int,
) -> list[AuditRow]:
    """Acts, newest first, below a place in the list; `since` included, `until` not. Served by audit_log_time_idx."""
    before_at, before_id = before or (None, None)
    return await db.all(
        AuditRow,
        """SELECT id, occurred_at, actor_kind, actor_label, action, resource_type, resource_id, reason, request_id,
               CASE WHEN $10 THEN payload END
           FROM audit_log
           WHERE org_id = $1
             AND (occurred_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::text, ''))
             AND occurred_at >= coalesce($8::timestamptz, '-infinity')
             AND occurred_at < coalesce($9::timestamptz, 'infinity')
             AND ($4::text IS NULL OR action = $4) AND ($5::text IS NULL OR resource_type = $5)
             AND ($6::text IS NULL OR resource_id = $6) AND ($7::text IS NULL OR actor_kind = $7)
           ORDER BY occurred_at DESC, id DESC LIMIT $11""",
        org_id,
        before_at,
        before_id,
        action,
        resource_type,
        resource_id,
        actor_kind,
        since,
        until,
        has_payload,
        limit,
    )


def _organization(*columns: Any) -> Organization:
    values = dict(zip(Organization.__struct_fields__, columns, strict=True))
    quiet_hours: Mapping[str, Any] = values["quiet_hours"]
    auto_replies: Mapping[str, Any] = values["auto_replies"]
    values["mode"] = Mode(values["mode"])
    values["opt_out_scope"] = OptOutScope(values["opt_out_scope"])
    values["quiet_hours"] = msgspec.convert(quiet_hours, QuietHours)
    values["auto_replies"] = msgspec.convert(auto_replies, AutoReplies)
    return Organization(**values)
