"""Guardrails in the database, without the API."""

from typing import Any
from uuid import UUID

from agentmessage.guardrails import queries
from agentmessage.guardrails.model import Binding, Pool, Profile
from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id


def profile_of(org_id: UUID, **given: Any) -> Profile:
    """A profile that inherits everything but what is `given` (fields by name)."""
    return Profile(**dict.fromkeys(Profile.__struct_fields__) | {"org_id": org_id, "source": "customer"} | given)


async def insert_profile(db: Executor, org_id: UUID, **given: Any) -> UUID:
    """A stored profile; see `profile_of`."""
    fresh = {"id": new_id(), "name": "Night rest", "created_at": db.now, "updated_at": db.now}
    profile = profile_of(org_id, **fresh | given)
    await queries.insert_profile(db, profile)
    return profile.id


async def insert_binding(db: Executor, org_id: UUID, profile_id: UUID, kind: str, scope_id: UUID) -> UUID:
    """A profile on a scope."""
    binding = Binding(new_id(), org_id, kind, scope_id, profile_id, db.now, db.now)
    await queries.insert_binding(db, binding)
    return binding.id


async def insert_pool(db: Executor, org_id: UUID, brand_id: UUID, slug: str = "west-coast") -> UUID:
    """A pool without members."""
    pool = Pool(new_id(), org_id, brand_id, "West coast", slug, db.now, db.now)
    await queries.insert_pool(db, pool)
    return pool.id


async def insert_number(
    db: Executor, org_id: UUID, campaign_id: UUID | None = None, *, number: str = "+14155550170"
) -> UUID:
    """An assigned number, on a campaign or on none."""
    number_id = new_id()
    await db.run(
        """INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, campaign_id, generation,
                                      desired_at, line_option_status, created_at, updated_at)
           VALUES ($1, $2, 'live', $3, 'local', 'assigned', $4, 1, $5, 'propagated', $5, $5)""",
        number_id,
        org_id,
        number,
        campaign_id,
        db.now,
    )
    return number_id
