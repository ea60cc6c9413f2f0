"""The verbs on guardrails, inside the caller's transaction.

Everything that writes locks the organization first: guardrails change rarely, and two changes of one organization are
then one after the other. Texts are not held up; they are judged by what is committed.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from agentmessage.guardrails import queries, resolution, rules
from agentmessage.guardrails.errors import ProfileInUse, SlugTaken
from agentmessage.guardrails.model import Binding, Bound, Member, Pool, Profile, ScopeKind, Tool
from agentmessage.guardrails.schemas import BindingPut, PoolCreate, PoolPatch, ProfileCreate, ProfilePatch
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations import operations as organizations
from agentmessage.organizations.model import QuietHours


async def create_profile(tx: Tx, tenant: Tenant, wish: ProfileCreate) -> Profile:
    """Store a profile that nothing is bound to yet. Raises ValidationFailed."""
    profile = rules.drafted(new_id(), tenant.org_id, wish, now=tx.now)
    await queries.insert_profile(tx, profile)
    await _audit(tx, tenant, "guardrail_profile.create", profile.id, {"after": wish})
    return profile


async def get_profile(db: Executor, tenant: Tenant, profile_id: UUID) -> Profile:
    """One profile. Raises NotFound."""
    profile = await queries.find_profile(db, tenant.org_id, profile_id)
    if profile is None:
        raise NotFound
    return profile


async def patch_profile(tx: Tx, tenant: Tenant, profile_id: UUID, wish: ProfilePatch) -> Profile:
    """Change a profile, wherever it is bound, from the next text on. Raises NotFound, ValidationFailed."""
    await organizations.lock(tx, tenant)
    old = await get_profile(tx, tenant, profile_id)
    new = rules.patched(old, wish, now=tx.now)
    if new is not old:
        await queries.update_profile(tx, new)
        await _audit(tx, tenant, "guardrail_profile.update", new.id, rules.changed(old, new))
    return new


async def delete_profile(tx: Tx, tenant: Tenant, profile_id: UUID) -> None:
    """Forget a profile. Raises NotFound, ProfileInUse."""
    await organizations.lock(tx, tenant)
    profile = await get_profile(tx, tenant, profile_id)
    if await queries.is_bound(tx, tenant.org_id, profile_id):
        raise ProfileInUse
    await queries.delete_profile(tx, tenant.org_id, profile_id)
    await _audit(tx, tenant, "guardrail_profile.delete", profile_id, {"before": profile})


async def bind(tx: Tx, tenant: Tenant, wish: BindingPut) -> Binding:
    """Put a profile on a scope, in place of another. The same one again writes nothing.

    Raises ValidationFailed (two targets), NotFound (profile or target).
    """
    kind, scope_id = rules.scope(wish, tenant.org_id)
    await organizations.lock(tx, tenant)
    await get_profile(tx, tenant, wish.profile_id)
    if not await queries.has_target(tx, tenant.org_id, kind, scope_id):
        raise NotFound
    old = await queries.find_binding_of(tx, tenant.org_id, scope_id)
    if old is None:
        new = Binding(new_id(), tenant.org_id, kind, scope_id, wish.profile_id, tx.now, tx.now)
        await queries.insert_binding(tx, new)
    else:
        new = rules.rebound(old, wish.profile_id, now=tx.now)
        if new is old:
            return old
        await queries.update_binding(tx, new)
    await _audit(tx, tenant, "guardrail_binding.put", new.id, {"before": old, "after": new})
    return new


async def unbind(tx: Tx, tenant: Tenant, binding_id: UUID, attestation: str | None) -> None:
    """Take the profile off a scope. Raises NotFound, LooseningNeedsAttestation."""
    organization = await organizations.lock(tx, tenant)
    binding = await queries.find_binding(tx, tenant.org_id, binding_id)
    if binding is None:
        raise NotFound
    tools = await _loosened_by_removal(tx, tenant, binding, organization.quiet_hours)
    reason = rules.require_attested(binding, tools, attestation)
    await queries.delete_binding(tx, tenant.org_id, binding_id)
    payload = {"before": binding, "loosened": tools}
    await _audit(tx, tenant, "guardrail_binding.delete", binding_id, payload, reason=reason)


async def _loosened_by_removal(tx: Tx, tenant: Tenant, binding: Binding, quiet_hours: QuietHours) -> Sequence[Tool]:
    """Measured against the organization's default, and the default itself against the platform floor."""
    own = await _bound(tx, tenant, binding)
    left: Sequence[Bound] = ()
    if binding.scope_kind != ScopeKind.USE_CASE_DEFAULT:
        default = await queries.find_binding_of(tx, tenant.org_id, tenant.org_id)
        left = [await _bound(tx, tenant, default)] if default is not None else ()
    return rules.loosened(resolution.resolve([own], quiet_hours), resolution.resolve(left, quiet_hours))


async def _bound(tx: Tx, tenant: Tenant, binding: Binding) -> Bound:
    profile = await get_profile(tx, tenant, binding.profile_id)
    return Bound(ScopeKind(binding.scope_kind), binding.scope_id, profile)


async def create_pool(tx: Tx, tenant: Tenant, wish: PoolCreate) -> Pool:
    """Make a pool without members. Raises NotFound (the brand), SlugTaken."""
    if not await queries.has_target(tx, tenant.org_id, ScopeKind.BRAND, wish.brand_id):
        raise NotFound
    pool = rules.new_pool(new_id(), tenant.org_id, wish, now=tx.now)
    if not await queries.insert_pool(tx, pool):
        raise SlugTaken
    await _audit(tx, tenant, "guardrail_pool.create", pool.id, {"after": wish})
    return pool


async def get_pool(db: Executor, tenant: Tenant, pool_id: UUID) -> Pool:
    """One pool. Raises NotFound."""
    pool = await queries.find_pool(db, tenant.org_id, pool_id)
    if pool is None:
        raise NotFound
    return pool


async def patch_pool(tx: Tx, tenant: Tenant, pool_id: UUID, wish: PoolPatch) -> Pool:
    """Rename a pool. Raises NotFound, SlugTaken."""
    await organizations.lock(tx, tenant)
    old = await get_pool(tx, tenant, pool_id)
    new = rules.renamed(old, wish, now=tx.now)
    if new.slug != old.slug and await queries.has_slug(tx, tenant.org_id, new.slug):
        raise SlugTaken
    if new is not old:
        await queries.update_pool(tx, new)
        await _audit(tx, tenant, "guardrail_pool.update", new.id, rules.changed(old, new))
    return new


async def delete_pool(tx: Tx, tenant: Tenant, pool_id: UUID) -> None:
    """Forget a pool with its memberships and its binding; what they were is in the audit log. Raises NotFound."""
    await organizations.lock(tx, tenant)
    pool = await get_pool(tx, tenant, pool_id)
    members = await queries.list_members(tx, tenant.org_id, pool_id)
    binding = await queries.find_binding_of(tx, tenant.org_id, pool_id)
    if binding is not None:
        await queries.delete_binding(tx, tenant.org_id, binding.id)
    await queries.delete_pool(tx, tenant.org_id, pool_id)
    before = {"pool": pool, "binding": binding, "phone_number_ids": [member.phone_number_id for member in members]}
    await _audit(tx, tenant, "guardrail_pool.delete", pool_id, {"before": before})


async def list_members(db: Executor, tenant: Tenant, pool_id: UUID) -> list[Member]:
    """The numbers in a pool. Raises NotFound."""
    await get_pool(db, tenant, pool_id)
    return await queries.list_members(db, tenant.org_id, pool_id)


async def replace_members(tx: Tx, tenant: Tenant, pool_id: UUID, phone_number_ids: Sequence[UUID]) -> list[Member]:
    """Have exactly these numbers in the pool, pulled out of others. Raises ValidationFailed, NotFound."""
    rules.require_distinct(phone_number_ids)
    await organizations.lock(tx, tenant)
    pool = await get_pool(tx, tenant, pool_id)
    numbers = await queries.list_reach(tx, tenant.org_id, phone_number_ids)
    if len(numbers) < len(phone_number_ids):
        raise NotFound
    rules.require_in_reach(pool, numbers)
    before = await queries.list_members(tx, tenant.org_id, pool_id)
    left = await queries.delete_members_but(tx, tenant.org_id, pool_id, phone_number_ids)
    joined = await queries.put_members(tx, tenant.org_id, pool_id, phone_number_ids)
    if left or joined:
        payload = {"before": [member.phone_number_id for member in before], "after": phone_number_ids}
        await _audit(tx, tenant, "guardrail_pool.members", pool_id, payload)
    return await queries.list_members(tx, tenant.org_id, pool_id)


async def _audit(
    tx: Tx, tenant: Tenant, action: str, resource_id: UUID, payload: Mapping[str, object], *, reason: str | None = None
) -> None:
    await organizations.record(
        tx,
        tenant,
        action=action,
        resource_type=action.partition(".")[0],
        resource_id=resource_id,
        reason=reason,
        payload=payload,
    )
