"""What can be done with an organization, and the one way into the audit log."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import UNSET, structs

from agentmessage.kernel.db import DEFAULT_CELL, Cells, Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id, new_ulid
from agentmessage.kernel.tenant import Tenant, operator
from agentmessage.organizations import queries, rules
from agentmessage.organizations.model import Address, AuditRow, Mode, Organization, Plan, Standing, Summary
from agentmessage.organizations.schemas import OrganizationPatch, OrganizationResource
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType


async def record(
    tx: Executor,
    tenant: Tenant,
    *,
    action: str,
    resource_type: str,
    resource_id: object,
    reason: str | None = None,
    payload: Mapping[str, object] | None = None,
) -> str:
    """Write who did what into the organization's audit log; answers the row's ULID.

    `payload` is shown only to readers who ask for it (`include=payload`); it must never hold a secret.
    """
    row = AuditRow(
        id=new_ulid(),
        occurred_at=tx.now,
        actor_kind=tenant.actor_kind,
        actor_label=tenant.actor_label,
        action=action,
        resource_type=resource_type,
        resource_id=str(resource_id),
        reason=reason,
        request_id=tenant.request_id or None,
        payload=payload,
    )
    await queries.insert_audit_row(tx, tenant.org_id, row)
    return row.id


INSTALLATION = UUID(int=0)
"""Whose audit log holds what the operator does to the platform itself; it lies in the default cell."""


async def record_for_installation(
    tx: Executor, *, action: str, resource_type: str, resource_id: object, payload: Mapping[str, object] | None = None
) -> str:
    """As `record`, for an act of the operator that concerns no organization; `tx` is open on the default cell."""
    return await record(
        tx,
        operator(INSTALLATION, DEFAULT_CELL, Mode.LIVE),
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        payload=payload,
    )


async def list_acts(db: Executor, org_id: UUID, *, limit: int) -> list[AuditRow]:
    """The newest acts on an organization with their payloads, for the operator."""
    return await queries.list_audit_rows(
        db,
        org_id,
        before=None,
        action=None,
        resource_type=None,
        resource_id=None,
        actor_kind=None,
        since=None,
        until=None,
        has_payload=True,
        limit=limit,
    )


async def create(
    tx: Tx,
    *,
    cell: str,
    name: str,
    billing_email: str | None = None,
    is_commercial: bool = True,
    org_id: UUID | None = None,
) -> tuple[Tenant, Tenant]:
    """Make an organization and its sandbox twin in the cell that `tx` is open on; answers both, live first.

    Neither has money or a key yet: `admin.create_organization` adds them in the same transaction.
    """
    ids = {Mode.LIVE: org_id or new_id(), Mode.SANDBOX: new_id()}
    tenants: list[Tenant] = []
    for mode, twin in ((Mode.LIVE, Mode.SANDBOX), (Mode.SANDBOX, Mode.LIVE)):
        organization = rules.fresh(
            ids[mode], mode=mode, name=name, billing_email=billing_email, is_commercial=is_commercial, now=tx.now
        )
        await queries.insert(tx, organization)
        await queries.insert_address(tx, Address(ids[mode], cell, mode, ids[twin]))
        tenant = operator(ids[mode], cell, mode.value)
        await record(tx, tenant, action="organization.create", resource_type="organization", resource_id=tenant.org_id)
        tenants.append(tenant)
    return tenants[0], tenants[1]


async def get(db: Executor, tenant: Tenant) -> Organization:
    """The tenant's own organization. Raises NotFound."""
    organization = await queries.find(db, tenant.org_id)
    if organization is None:
        raise NotFound
    return organization


async def lock(tx: Tx, tenant: Tenant) -> Organization:
    """As `get`, and no other transaction changes it, or holds this lock, until the commit.

    Whoever decides by `is_reseller` and then adds a brand takes this lock first, so that neither the flag nor the
    number of brands changes in between.
    """
    organization = await queries.lock(tx, tenant.org_id)
    if organization is None:
        raise NotFound
    return organization


async def standing(db: Executor, tenant: Tenant) -> Standing:
    """How far the organization's registration is."""
    return await queries.standing(db, tenant.org_id)


async def patch(tx: Tx, tenant: Tenant, wish: OrganizationPatch) -> OrganizationResource:
    """Change settings. Raises ValidationFailed, ResellerNotEligible, ResellerHasBrands, AttestationRequired.

    A wish that changes nothing writes nothing. Changes of retention and of auto replies are audited by their own
    names, everything else as `organization.update`.
    """
    old = await lock(tx, tenant)
    registered = await queries.standing(tx, tenant.org_id)
    new = rules.patched(old, wish, brand_count=registered.brand_count, now=tx.now)
    resource = OrganizationResource.of(new, registered)
    attestation = wish.auto_replies.attestation if wish.auto_replies is not UNSET else UNSET
    changes = rules.changes(old, new, attestation=None if attestation is UNSET else attestation)
    if not changes:
        return resource
    await queries.update(tx, new)
    for action, payload in changes.items():
        await record(
            tx,
            tenant,
            action=action,
            resource_type="organization",
            resource_id=tenant.org_id,
            payload=msgspec.to_builtins(payload),
        )
    await outbox_events.emit(tx, tenant.org_id, EventType.ORGANIZATION_UPDATED, tenant.org_id, resource)
    return resource


async def set_throughput(tx: Tx, tenant: Tenant, *, per_second: int | None, per_minute: int | None) -> None:
    """How many texts the organization may hand in from now on, which is also the burst; None: as its tier has it.

    For the operator; audited. Raises NotFound.
    """
    await lock(tx, tenant)
    await queries.update_throughput(tx, tenant.org_id, per_second=per_second, per_minute=per_minute)
    await record(
        tx,
        tenant,
        action="organization.throughput.set",
        resource_type="organization",
        resource_id=tenant.org_id,
        payload={"per_second": per_second, "per_minute": per_minute},
    )


async def raise_tier(tx: Tx, org_id: UUID, tier: int) -> None:
    """Lift an organization to a throughput tier, unless it has reached it before; audited, in the platform's name."""
    if not await queries.raise_tier(tx, org_id, tier):
        return
    tenant = await tenant_in(tx, org_id)
    await record(
        tx,
        tenant,
        action="organization.throughput_tier.raise",
        resource_type="organization",
        resource_id=org_id,
        payload={"throughput_tier": tier},
    )
    resource = OrganizationResource.of(await get(tx, tenant), await queries.standing(tx, org_id))
    await outbox_events.emit(tx, org_id, EventType.ORGANIZATION_UPDATED, org_id, resource)


async def set_plan(tx: Tx, tenant: Tenant, plan: Plan) -> None:
    """Put the organization on a plan. For the operator; audited, and a change that changes nothing is not written.

    Raises NotFound.
    """
    old = await lock(tx, tenant)
    if old.plan == plan:
        return
    await queries.update_plan(tx, tenant.org_id, plan)
    await record(
        tx,
        tenant,
        action="plan.update",
        resource_type="organization",
        resource_id=tenant.org_id,
        payload={"before": {"plan": old.plan}, "after": {"plan": plan.value}},
    )
    registered = await queries.standing(tx, tenant.org_id)
    new = structs.replace(old, plan=plan.value, updated_at=tx.now)
    await outbox_events.emit(
        tx, tenant.org_id, EventType.ORGANIZATION_UPDATED, tenant.org_id, OrganizationResource.of(new, registered)
    )


async def set_kind(tx: Tx, tenant: Tenant, *, is_commercial: bool) -> None:
    """Say whether the organization is commercial or personal. For the operator; audited. Raises NotFound.

    A reseller that becomes personal stays one: what is filed under it cannot be undone.
    """
    old = await lock(tx, tenant)
    if old.is_commercial == is_commercial:
        return
    await queries.update_kind(tx, tenant.org_id, is_commercial=is_commercial)
    await record(
        tx,
        tenant,
        action="organization.kind.update",
        resource_type="organization",
        resource_id=tenant.org_id,
        payload={"before": {"is_commercial": old.is_commercial}, "after": {"is_commercial": is_commercial}},
    )


async def tenant_of(cells: Cells, org_id: UUID) -> Tenant:
    """The operator acting on an organization, wherever it lives. Raises NotFound."""
    return await tenant_in(await cells.directory(), org_id)


async def tenant_in(db: Executor, org_id: UUID) -> Tenant:
    """As `tenant_of`, within a transaction that may have made the organization."""
    address = await queries.find_address(db, org_id)
    if address is None:
        raise NotFound
    return operator(address.id, address.cell, address.mode)


async def twin_in(db: Executor, org_id: UUID) -> Tenant:
    """The operator acting on an organization's twin: the sandbox of a live one, and back. Raises NotFound."""
    address = await queries.find_address(db, org_id)
    if address is None or address.twin_id is None:
        raise NotFound
    return await tenant_in(db, address.twin_id)


async def remember(tx: Tx, name: str, value: Sequence[str]) -> list[str]:
    """Remember a fact about the installation, the first time only; answers what is remembered.

    Waits for another transaction that is just remembering the same one.
    """
    if await queries.insert_installation_fact(tx, name, value):
        return list(value)
    return msgspec.convert(await queries.find_installation_fact(tx, name), list[str])


async def list_all(cells: Cells) -> list[Summary]:
    """Every organization of every cell, for the operator."""
    found: list[Summary] = []
    for name in await cells.names():
        found += await queries.list_summaries(await cells.cell(name), name)
    return found
