"""Every statement on profiles, bindings and pools; and looks at brands, campaigns and numbers, which change nothing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.guardrails.model import Binding, Member, Pool, Profile, Reach, ScopeKind
from agentmessage.kernel.db import Executor


async def insert_profile(tx: Executor, profile: Profile) -> None:
    """Store a new profile."""
    await tx.run(
        """INSERT INTO guardrail_profiles (id, org_id, name, source, template_key, quiet_hours_disabled,
               quiet_hours_start_minute, quiet_hours_end_minute, quiet_hours_mode, freq_cap_disabled,
               freq_cap_window_minutes, freq_cap_max_in_window, consent_freshness_disabled,
               consent_freshness_max_age_days, autostamp_disabled, autostamp_sender_id_text, autostamp_cadence,
               suppression_disabled, branded_link_advisory_disabled, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)""",
        *_values(profile),
    )


async def update_profile(tx: Executor, profile: Profile) -> None:
    """Store whatever changed of a profile."""
    await tx.run(
        """UPDATE guardrail_profiles SET name = $3, source = $4, template_key = $5, quiet_hours_disabled = $6,
               quiet_hours_start_minute = $7, quiet_hours_end_minute = $8, quiet_hours_mode = $9,
               freq_cap_disabled = $10, freq_cap_window_minutes = $11, freq_cap_max_in_window = $12,
               consent_freshness_disabled = $13, consent_freshness_max_age_days = $14, autostamp_disabled = $15,
               autostamp_sender_id_text = $16, autostamp_cadence = $17, suppression_disabled = $18,
               branded_link_advisory_disabled = $19, created_at = $20, updated_at = $21
           WHERE org_id = $2 AND id = $1""",
        *_values(profile),
    )


async def find_profile(db: Executor, org_id: UUID, profile_id: UUID) -> Profile | None:
    """One profile."""
    return await db.one(
        Profile,
        """SELECT id, org_id, name, source, template_key, quiet_hours_disabled, quiet_hours_start_minute,
               quiet_hours_end_minute, quiet_hours_mode, freq_cap_disabled, freq_cap_window_minutes,
               freq_cap_max_in_window, consent_freshness_disabled, consent_freshness_max_age_days, autostamp_disabled,
               autostamp_sender_id_text, autostamp_cadence, suppression_disabled, branded_link_advisory_disabled,
               created_at, updated_at
           FROM guardrail_profiles WHERE org_id = $1 AND id = $2""",
        org_id,
        profile_id,
    )


async def list_profiles(
    db: Executor, org_id: UUID, *, before_at: datetime | None, before_id: UUID | None, limit: int
) -> list[Profile]:
    """Profiles, newest first, below a place in the list; served by guardrail_profiles_list_idx."""
    return await db.all(
        Profile,
        """SELECT id, org_id, name, source, template_key, quiet_hours_disabled, quiet_hours_start_minute,
               quiet_hours_end_minute, quiet_hours_mode, freq_cap_disabled, freq_cap_window_minutes,
               freq_cap_max_in_window, consent_freshness_disabled, consent_freshness_max_age_days, autostamp_disabled,
               autostamp_sender_id_text, autostamp_cadence, suppression_disabled, branded_link_advisory_disabled,
               created_at, updated_at
           FROM guardrail_profiles
           WHERE org_id = $1
             AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                     coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
           ORDER BY created_at DESC, id DESC LIMIT $4""",
        org_id,
        before_at,
        before_id,
        limit,
    )


async def delete_profile(tx: Executor, org_id: UUID, profile_id: UUID) -> None:
    """Forget a profile that nothing is bound to."""
    await tx.run("DELETE FROM guardrail_profiles WHERE org_id = $1 AND id = $2", org_id, profile_id)


async def is_bound(tx: Executor, org_id: UUID, profile_id: UUID) -> bool:
    """Whether any scope has the profile."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT FROM guardrail_bindings WHERE org_id = $1 AND profile_id = $2)", org_id, profile_id
        )
    )


async def has_target(db: Executor, org_id: UUID, kind: ScopeKind, target_id: UUID) -> bool:
    """Whether the organization has what a profile is to be bound to; of numbers only those that are assigned."""
    return bool(
        await db.value(
            """SELECT CASE $2::text
                   WHEN 'phone_number' THEN EXISTS (
                       SELECT FROM phone_numbers WHERE org_id = $1 AND id = $3 AND state = 'assigned')
                   WHEN 'pool' THEN EXISTS (SELECT FROM guardrail_pools WHERE org_id = $1 AND id = $3)
                   WHEN 'campaign' THEN EXISTS (SELECT FROM campaigns WHERE org_id = $1 AND id = $3)
                   WHEN 'brand' THEN EXISTS (SELECT FROM brands WHERE org_id = $1 AND id = $3)
                   ELSE $1 = $3 END""",
            org_id,
            kind,
            target_id,
        )
    )


async def insert_binding(tx: Executor, binding: Binding) -> None:
    """Bind a profile to a scope that has none."""
    await tx.run(
        """INSERT INTO guardrail_bindings (id, org_id, scope_kind, scope_id, profile_id, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        binding.id,
        binding.org_id,
        binding.scope_kind,
        binding.scope_id,
        binding.profile_id,
        binding.created_at,
        binding.updated_at,
    )


async def update_binding(tx: Executor, binding: Binding) -> None:
    """Give a scope another profile."""
    await tx.run(
        "UPDATE guardrail_bindings SET profile_id = $3, updated_at = $4 WHERE org_id = $1 AND id = $2",
        binding.org_id,
        binding.id,
        binding.profile_id,
        binding.updated_at,
    )


async def find_binding(db: Executor, org_id: UUID, binding_id: UUID) -> Binding | None:
    """One binding."""
    return await db.one(
        Binding,
        """SELECT id, org_id, scope_kind, scope_id, profile_id, created_at, updated_at
           FROM guardrail_bindings WHERE org_id = $1 AND id = $2""",
        org_id,
        binding_id,
    )


async def find_binding_of(db: Executor, org_id: UUID, scope_id: UUID) -> Binding | None:
    """The binding of a scope."""
    return await db.one(
        Binding,
        """SELECT id, org_id, scope_kind, scope_id, profile_id, created_at, updated_at
           FROM guardrail_bindings WHERE org_id = $1 AND scope_id = $2""",
        org_id,
        scope_id,
    )


async def list_bindings(
    db: Executor, org_id: UUID, *, before_at: datetime | None, before_id: UUID | None, limit: int
) -> list[Binding]:
    """Bindings, newest first, below a place in the list; served by guardrail_bindings_list_idx."""
    return await db.all(
        Binding,
        """SELECT id, org_id, scope_kind, scope_id, profile_id, created_at, updated_at
           FROM guardrail_bindings
           WHERE org_id = $1
             AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                     coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
           ORDER BY created_at DESC, id DESC LIMIT $4""",
        org_id,
        before_at,
        before_id,
        limit,
    )


async def delete_binding(tx: Executor, org_id: UUID, binding_id: UUID) -> None:
    """Leave a scope without a profile of its own."""
    await tx.run("DELETE FROM guardrail_bindings WHERE org_id = $1 AND id = $2", org_id, binding_id)


def _values(profile: Profile) -> tuple[object, ...]:
    """A profile's columns, in the order of its fields."""
    return tuple(getattr(profile, name) for name in Profile.__struct_fields__)


async def insert_pool(tx: Executor, pool: Pool) -> bool:
    """Store a new pool; False when another one has its slug."""
    return bool(
        await tx.run(
            """INSERT INTO guardrail_pools (id, org_id, brand_id, name, slug, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, slug) DO NOTHING""",
            pool.id,
            pool.org_id,
            pool.brand_id,
            pool.name,
            pool.slug,
            pool.created_at,
            pool.updated_at,
        )
    )


async def update_pool(tx: Executor, pool: Pool) -> None:
    """Store a pool's name and slug."""
    await tx.run(
        "UPDATE guardrail_pools SET name = $3, slug = $4, updated_at = $5 WHERE org_id = $1 AND id = $2",
        pool.org_id,
        pool.id,
        pool.name,
        pool.slug,
        pool.updated_at,
    )


async def find_pool(db: Executor, org_id: UUID, pool_id: UUID) -> Pool | None:
    """One pool."""
    return await db.one(
        Pool,
        """SELECT id, org_id, brand_id, name, slug, created_at, updated_at
           FROM guardrail_pools WHERE org_id = $1 AND id = $2""",
        org_id,
        pool_id,
    )


async def has_slug(db: Executor, org_id: UUID, slug: str) -> bool:
    """Whether a pool has the slug."""
    return bool(
        await db.value("SELECT EXISTS (SELECT FROM guardrail_pools WHERE org_id = $1 AND slug = $2)", org_id, slug)
    )


async def list_pools(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    brand_id: UUID | None,
    limit: int,
) -> list[Pool]:
    """Pools, newest first, below a place in the list; served by guardrail_pools_list_idx."""
    return await db.all(
        Pool,
        """SELECT id, org_id, brand_id, name, slug, created_at, updated_at
           FROM guardrail_pools
           WHERE org_id = $1
             AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                     coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             AND ($4::uuid IS NULL OR brand_id = $4)
           ORDER BY created_at DESC, id DESC LIMIT $5""",
        org_id,
        before_at,
        before_id,
        brand_id,
        limit,
    )


async def delete_pool(tx: Executor, org_id: UUID, pool_id: UUID) -> None:
    """Forget a pool; its memberships go with it."""
    await tx.run("DELETE FROM guardrail_pools WHERE org_id = $1 AND id = $2", org_id, pool_id)


async def list_members(db: Executor, org_id: UUID, pool_id: UUID) -> list[Member]:
    """The numbers in a pool, in the order of joining; but not those that were released since."""
    return await db.all(
        Member,
        """SELECT m.pool_id, m.phone_number_id, m.org_id, m.added_at
           FROM guardrail_pool_members m JOIN phone_numbers n ON n.id = m.phone_number_id AND n.org_id = m.org_id
           WHERE m.org_id = $1 AND m.pool_id = $2 AND n.state = 'assigned'
           ORDER BY m.added_at, m.phone_number_id""",
        org_id,
        pool_id,
    )


async def list_reach(db: Executor, org_id: UUID, phone_number_ids: Sequence[UUID]) -> list[Reach]:
    """The numbers among some ids that the organization holds, and the brand that each reaches."""
    return await db.all(
        Reach,
        """SELECT n.id, c.brand_id
           FROM phone_numbers n LEFT JOIN campaigns c ON c.org_id = n.org_id AND c.id = n.campaign_id
           WHERE n.org_id = $1 AND n.id = ANY ($2) AND n.state = 'assigned'
           ORDER BY n.id""",
        org_id,
        phone_number_ids,
    )


async def delete_members_but(tx: Executor, org_id: UUID, pool_id: UUID, phone_number_ids: Sequence[UUID]) -> int:
    """Take out of a pool whoever is not among the numbers; answers how many left."""
    return await tx.run(
        "DELETE FROM guardrail_pool_members WHERE org_id = $1 AND pool_id = $2 AND phone_number_id <> ALL ($3)",
        org_id,
        pool_id,
        phone_number_ids,
    )


async def put_members(tx: Executor, org_id: UUID, pool_id: UUID, phone_number_ids: Sequence[UUID]) -> int:
    """Put numbers into a pool, out of whichever they were in, a former holder's included; answers how many came."""
    return await tx.run(
        """INSERT INTO guardrail_pool_members AS m (phone_number_id, pool_id, org_id, added_at)
           SELECT phone_number_id, $2, $1, $4 FROM unnest($3::uuid[]) AS given (phone_number_id)
           ON CONFLICT (phone_number_id) DO UPDATE SET pool_id = $2, org_id = $1, added_at = $4
           WHERE m.pool_id <> $2""",
        org_id,
        pool_id,
        phone_number_ids,
        tx.now,
    )
