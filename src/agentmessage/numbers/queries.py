"""Every statement on who holds a number and which campaign it should be on."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from agentmessage.kernel.db import Executor
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers.model import AttachResult, PhoneNumber
from agentmessage.sms.numbers import TOLL_FREE

NUMBER_COLUMNS: LiteralString = """id, number, number_type, inbound_url, status_url, label, campaign_id,
    line_option_status, line_option_propagated_at, sms_enabled, mms_enabled, created_at, updated_at"""
"""The columns of `phone_numbers` that make a PhoneNumber, in its order."""


async def find_assigned(db: Executor, org_id: UUID, number_id: UUID) -> PhoneNumber | None:
    """A currently assigned number; by primary key."""
    return await db.one(
        PhoneNumber,
        f"""SELECT {NUMBER_COLUMNS}
           FROM phone_numbers WHERE org_id = $1 AND id = $2 AND state = 'assigned'""",
        org_id,
        number_id,
    )


async def list_page(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    number_type: str | None,
    limit: int,
    offset: int,
) -> list[PhoneNumber]:
    """Assigned numbers, newest first, strictly before a place; served by phone_numbers_list_idx."""
    return await db.all(
        PhoneNumber,
        f"""SELECT {NUMBER_COLUMNS}
           FROM phone_numbers
           WHERE org_id = $1 AND state = 'assigned'
             AND (created_at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3, $7::uuid))
             AND ($4::text IS NULL OR number_type = $4)
           ORDER BY created_at DESC, id DESC LIMIT $5 OFFSET $6""",
        org_id,
        before_at,
        before_id,
        number_type,
        limit,
        offset,
        LAST_ID,
    )


async def list_campaign_page(
    db: Executor,
    org_id: UUID,
    campaign_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    number_type: str | None,
    limit: int,
    offset: int,
) -> list[PhoneNumber]:
    """As `list_page`, of one campaign; served by phone_numbers_campaign_idx, so that few among many stay cheap."""
    return await db.all(
        PhoneNumber,
        f"""SELECT {NUMBER_COLUMNS}
           FROM phone_numbers
           WHERE org_id = $1 AND campaign_id = $2 AND state = 'assigned'
             AND (created_at, id) < (coalesce($3, 'infinity'::timestamptz), coalesce($4, $8::uuid))
             AND ($5::text IS NULL OR number_type = $5)
           ORDER BY created_at DESC, id DESC LIMIT $6 OFFSET $7""",
        org_id,
        campaign_id,
        before_at,
        before_id,
        number_type,
        limit,
        offset,
        LAST_ID,
    )


LAST_ID = UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")


async def count_assigned(db: Executor, org_id: UUID, *, number_type: str | None, campaign_id: UUID | None) -> int:
    """How many numbers the list holds in all; only asked for when the caller pages by offset."""
    count: int = await db.value(
        """SELECT count(*) FROM phone_numbers WHERE org_id = $1 AND state = 'assigned'
             AND ($2::text IS NULL OR number_type = $2) AND ($3::uuid IS NULL OR campaign_id = $3)""",
        org_id,
        number_type,
        campaign_id,
    )
    return count


def _attach_result(*columns: Any) -> AttachResult:
    state, was_changed, *number = columns
    return AttachResult(state, was_changed, PhoneNumber(*number))


async def detach(
    db: Executor, tenant: Tenant, number_id: UUID, *, event_id: UUID, audit_id: str
) -> AttachResult | None:
    """Clear the desired campaign of a number: row, line option, event and audit row in one statement.

    Nothing is written, and no lock taken, when there is no campaign. `held` waits for the transaction that changes the
    number, so that the audit row names the campaign that was really left. `turn` lets requests wait before that: the
    second one to wait at a row is given its transaction id before it has the row, and events would not be in the order
    of the changes. `updated_at` grows with every one, whatever the clocks say. A number whose
    campaign another request took off between this statement's snapshot and its lock comes back unchanged with the
    campaign still set: ask again.
    """
    return await db.one(
        _attach_result,
        f"""WITH n AS (
               SELECT * FROM phone_numbers WHERE org_id = $1 AND id = $2),
           turn AS (
               SELECT pg_advisory_xact_lock(uuid_hash_extended(id, 0)) FROM n
               WHERE state = 'assigned' AND campaign_id IS NOT NULL),
           held AS (
               SELECT campaign_id FROM phone_numbers
               WHERE org_id = $1 AND id = $2 AND state = 'assigned' AND campaign_id IS NOT NULL
                 AND EXISTS (SELECT FROM turn) FOR NO KEY UPDATE),
           changed AS (
               UPDATE phone_numbers p SET campaign_id = NULL, generation = p.generation + 1, desired_at = $3,
                   line_option_status = 'pending', line_option_propagated_at = NULL,
                   updated_at = greatest($3, p.updated_at + interval '1 microsecond')
               WHERE p.org_id = $1 AND p.id = $2 AND EXISTS (SELECT FROM held)
               RETURNING p.*),
           woken AS (
               UPDATE line_options l SET due_at = $3 FROM changed WHERE l.phone_number_id = changed.id),
           fact AS (
               INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
               SELECT $4, $1, 'phone_number.campaign.detached', 'phone_number', c.id, phone_number_resource(c),
                      c.updated_at
               FROM changed c),
           audited AS (
               INSERT INTO audit_log (org_id, id, occurred_at, actor_kind, actor_label, action, resource_type,
                                      resource_id, request_id, payload)
               SELECT $1, $5, changed.updated_at, $6, $7, 'phone_number.campaign.detach', 'phone_number', $2::text, $8,
                      jsonb_build_object('campaign_id', held.campaign_id)
               FROM changed, held)
           SELECT state, was_changed, {NUMBER_COLUMNS}
           FROM (SELECT true AS was_changed, * FROM changed
                 UNION ALL SELECT false, * FROM n WHERE NOT EXISTS (SELECT FROM changed)) r""",
        tenant.org_id,
        number_id,
        db.now,
        event_id,
        audit_id,
        tenant.actor_kind,
        tenant.actor_label,
        tenant.request_id,
    )


async def attach(
    db: Executor, tenant: Tenant, number_id: UUID, campaign_id: UUID, *, event_id: UUID, audit_id: str
) -> AttachResult | None:
    """Set the desired campaign of a number, whose fitness the caller has checked; as `detach`, in one statement.

    `c` locks the campaign, after the number, against a concurrent deactivation (which takes it FOR UPDATE) and looks
    again at its status once it has the lock, so that a campaign that has just expired is never set. A number
    that takes no campaign (`rules.takes_campaign`) is left as it is.
    """
    return await db.one(
        _attach_result,
        f"""WITH n AS (
               SELECT * FROM phone_numbers WHERE org_id = $1 AND id = $2),
           turn AS (
               SELECT pg_advisory_xact_lock(uuid_hash_extended(id, 0)) FROM n
               WHERE state = 'assigned' AND campaign_id IS DISTINCT FROM $9
                 AND number_type = 'local' AND number !~ $10),
           held AS (
               SELECT campaign_id FROM phone_numbers
               WHERE org_id = $1 AND id = $2 AND state = 'assigned' AND campaign_id IS DISTINCT FROM $9
                 AND EXISTS (SELECT FROM turn) FOR NO KEY UPDATE),
           c AS (
               SELECT id FROM campaigns
               WHERE org_id = $1 AND id = $9 AND status = 'ACTIVE' AND EXISTS (SELECT FROM held) FOR KEY SHARE),
           changed AS (
               UPDATE phone_numbers p SET campaign_id = $9, generation = p.generation + 1, desired_at = $3,
                   line_option_status = 'pending', line_option_propagated_at = NULL,
                   updated_at = greatest($3, p.updated_at + interval '1 microsecond')
               WHERE p.org_id = $1 AND p.id = $2 AND EXISTS (SELECT FROM c)
               RETURNING p.*),
           woken AS (
               UPDATE line_options l SET due_at = $3 FROM changed WHERE l.phone_number_id = changed.id),
           fact AS (
               INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
               SELECT $4, $1, 'phone_number.campaign.attached', 'phone_number', c.id, phone_number_resource(c),
                      c.updated_at
               FROM changed c),
           audited AS (
               INSERT INTO audit_log (org_id, id, occurred_at, actor_kind, actor_label, action, resource_type,
                                      resource_id, request_id, payload)
               SELECT $1, $5, changed.updated_at, $6, $7, 'phone_number.campaign.attach', 'phone_number', $2::text, $8,
                      jsonb_build_object('campaign_id', $9::uuid, 'replaced_campaign_id', held.campaign_id)
               FROM changed, held)
           SELECT state, was_changed, {NUMBER_COLUMNS}
           FROM (SELECT true AS was_changed, * FROM changed
                 UNION ALL SELECT false, * FROM n WHERE NOT EXISTS (SELECT FROM changed)) r""",
        tenant.org_id,
        number_id,
        db.now,
        event_id,
        audit_id,
        tenant.actor_kind,
        tenant.actor_label,
        tenant.request_id,
        campaign_id,
        TOLL_FREE.pattern,
    )


async def search_page(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    text: str,
    scan: int,
) -> list[tuple[PhoneNumber, bool]]:
    """The next `scan` assigned numbers, each with whether its number or label holds `text`.

    The filter comes after the window, so that a text that fits nothing costs one window and not the whole inventory.
    """
    return await db.all(
        _searched,
        f"""SELECT strpos(number, $4) > 0 OR strpos(lower(coalesce(label, '')), lower($4)) > 0,
                  {NUMBER_COLUMNS}
           FROM phone_numbers
           WHERE org_id = $1 AND state = 'assigned'
             AND (created_at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3, $6::uuid))
           ORDER BY created_at DESC, id DESC LIMIT $5""",
        org_id,
        before_at,
        before_id,
        text,
        scan,
        LAST_ID,
    )


def _searched(fits: bool, *number: Any) -> tuple[PhoneNumber, bool]:  # noqa: FBT001 - a column
    return PhoneNumber(*number), fits


async def lock_assigned(tx: Executor, org_id: UUID, number_id: UUID) -> PhoneNumber | None:
    """An assigned number, locked until the transaction ends; after its turn, as `detach` waits for it."""
    return await tx.one(
        PhoneNumber,
        f"""WITH turn AS (
               SELECT pg_advisory_xact_lock(uuid_hash_extended(id, 0)) FROM phone_numbers
               WHERE org_id = $1 AND id = $2 AND state = 'assigned')
           SELECT {NUMBER_COLUMNS}
           FROM phone_numbers
           WHERE org_id = $1 AND id = $2 AND state = 'assigned' AND EXISTS (SELECT FROM turn) FOR NO KEY UPDATE""",
        org_id,
        number_id,
    )


async def update_settings(
    tx: Executor,
    org_id: UUID,
    number_id: UUID,
    *,
    inbound_url: str | None,
    status_url: str | None,
    label: str | None,
) -> PhoneNumber | None:
    """Write the customer's own settings of a number."""
    return await tx.one(
        PhoneNumber,
        f"""UPDATE phone_numbers SET inbound_url = $3, status_url = $4, label = $5, updated_at = $6
           WHERE org_id = $1 AND id = $2 AND state = 'assigned'
           RETURNING {NUMBER_COLUMNS}""",
        org_id,
        number_id,
        inbound_url,
        status_url,
        label,
        tx.now,
    )
