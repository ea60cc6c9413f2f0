"""Guardrails over HTTP: profiles, what they are bound to, and pools of numbers."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import UNSET

from agentmessage.guardrails import operations, queries
from agentmessage.guardrails.errors import LooseningNeedsAttestation, ProfileInUse, SlugTaken
from agentmessage.guardrails.model import Binding, Pool, Profile
from agentmessage.guardrails.schemas import (
    BindingPut,
    BindingRemoval,
    BindingResource,
    ListQuery,
    MemberResource,
    MembersPut,
    PoolCreate,
    PoolList,
    PoolPatch,
    PoolResource,
    ProfileCreate,
    ProfilePatch,
    ProfileResource,
)
from agentmessage.kernel.errors import NotFound, ValidationFailed
from agentmessage.web import pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page

routes = Routes("Guardrails")

READ, WRITE = "org:read", "org:admin:write"
T = TypeVar("T")

PROFILE_EXAMPLE = {
    "name": "Night rest",
    "quiet_hours_disabled": False,
    "quiet_hours_start_minute": 1260,
    "quiet_hours_end_minute": 480,
    "quiet_hours_mode": "defer",
    "freq_cap_disabled": False,
    "freq_cap_window_minutes": 1440,
    "freq_cap_max_in_window": 3,
}


@routes.route(
    "GET",
    "/v1/guardrails/profiles",
    scope=READ,
    answers={200: ProfileResource},
    refuses=[ValidationFailed],
    is_list=True,
    path_fault=422,
)
async def list_guardrail_profiles(call: Call[NoInput, ListQuery]) -> Page[ProfileResource]:
    """List guardrail profiles, newest first."""
    start = pagination.start_of(call.query.cursor)
    limit = call.query.limit
    rows = await queries.list_profiles(
        call.db, call.tenant.org_id, before_at=start.at, before_id=start.id, limit=pagination.lookahead(limit)
    )
    return _page(rows, limit, ProfileResource.of)


@routes.route(
    "POST",
    "/v1/guardrails/profiles",
    scope=WRITE,
    answers={201: ProfileResource},
    refuses=[ValidationFailed],
    path_fault=422,
    example=PROFILE_EXAMPLE,
)
async def create_guardrail_profile(call: Call[ProfileCreate, NoInput]) -> ProfileResource:
    """Create a guardrail profile. It has no effect until it is bound.

    A tool is on with `*_disabled: false` and its settings, off with `true`, and left to the next wider scope with null.
    """
    async with call.transaction() as tx:
        profile = await operations.create_profile(tx, call.tenant, call.body)
    return ProfileResource.of(profile)


@routes.route(
    "GET",
    "/v1/guardrails/profiles/{id}",
    scope=READ,
    answers={200: ProfileResource},
    refuses=[NotFound],
    path_fault=422,
)
async def get_guardrail_profile(call: Call[NoInput, NoInput]) -> ProfileResource:
    """Read one guardrail profile."""
    return ProfileResource.of(await operations.get_profile(call.db, call.tenant, call.id))


@routes.route(
    "PATCH",
    "/v1/guardrails/profiles/{id}",
    scope=WRITE,
    answers={200: ProfileResource},
    refuses=[ValidationFailed, NotFound],
    path_fault=422,
    example={"quiet_hours_end_minute": 540, "freq_cap_disabled": None},
)
async def update_guardrail_profile(call: Call[ProfilePatch, NoInput]) -> ProfileResource:
    """Change a guardrail profile, wherever it is bound, from the next text on.

    Left out stays, a value is set, null goes back to inheriting.
    """
    async with call.transaction() as tx:
        profile = await operations.patch_profile(tx, call.tenant, call.id, call.body)
    return ProfileResource.of(profile)


@routes.route(
    "DELETE",
    "/v1/guardrails/profiles/{id}",
    scope=WRITE,
    answers={204: None},
    refuses=[NotFound, ProfileInUse],
    path_fault=422,
)
async def delete_guardrail_profile(call: Call[NoInput, NoInput]) -> None:
    """Delete a guardrail profile. Refused while it is bound."""
    async with call.transaction() as tx:
        await operations.delete_profile(tx, call.tenant, call.id)


@routes.route(
    "GET",
    "/v1/guardrails/bindings",
    scope=READ,
    answers={200: BindingResource},
    refuses=[ValidationFailed],
    is_list=True,
    path_fault=422,
)
async def list_guardrail_bindings(call: Call[NoInput, ListQuery]) -> Page[BindingResource]:
    """List guardrail bindings, newest first."""
    start = pagination.start_of(call.query.cursor)
    limit = call.query.limit
    rows = await queries.list_bindings(
        call.db, call.tenant.org_id, before_at=start.at, before_id=start.id, limit=pagination.lookahead(limit)
    )
    return _page(rows, limit, BindingResource.of)


@routes.route(
    "PUT",
    "/v1/guardrails/bindings",
    scope=WRITE,
    answers={200: BindingResource},
    refuses=[ValidationFailed, NotFound],
    path_fault=422,
    example={
        "profile_id": "497f6eca-6276-4993-bfeb-53cbbbba6f08",
        "campaign_id": "0190d0a4-5a3f-7c41-9d5a-0b8d3f2a6c11",
    },
)
async def upsert_guardrail_binding(call: Call[BindingPut, NoInput]) -> BindingResource:
    """Bind a profile to a brand, campaign, number or pool; without a target it is the organization's default.

    A scope has one profile: another binding of it is replaced. It holds from the next text on.
    """
    async with call.transaction() as tx:
        binding = await operations.bind(tx, call.tenant, call.body)
    return BindingResource.of(binding)


@routes.route(
    "DELETE",
    "/v1/guardrails/bindings/{id}",
    scope=WRITE,
    answers={204: None},
    refuses=[ValidationFailed, NotFound, LooseningNeedsAttestation],
    path_fault=422,
    optional_body=True,
)
async def delete_guardrail_binding(call: Call[BindingRemoval, NoInput]) -> None:
    """Remove a guardrail binding.

    When quiet hours, frequency cap, consent freshness or stamp of its profile are stricter than the organization's
    default, the body must hold an `attestation`; `details.tool` says of which. The default itself is measured against
    the organization's own quiet hours and nothing else.
    """
    words = call.body.attestation
    async with call.transaction() as tx:
        await operations.unbind(tx, call.tenant, call.id, None if words is UNSET else words)


@routes.route(
    "GET",
    "/v1/guardrails/pools",
    scope=READ,
    answers={200: PoolResource},
    refuses=[ValidationFailed],
    is_list=True,
    path_fault=422,
)
async def list_guardrail_pools(call: Call[NoInput, PoolList]) -> Page[PoolResource]:
    """List guardrail pools, newest first."""
    query = call.query
    start = pagination.start_of(query.cursor)
    rows = await queries.list_pools(
        call.db,
        call.tenant.org_id,
        before_at=start.at,
        before_id=start.id,
        brand_id=query.brand_id or None,
        limit=pagination.lookahead(query.limit),
    )
    return _page(rows, query.limit, PoolResource.of)


@routes.route(
    "POST",
    "/v1/guardrails/pools",
    scope=WRITE,
    answers={201: PoolResource},
    refuses=[ValidationFailed, NotFound, SlugTaken],
    path_fault=422,
)
async def create_guardrail_pool(call: Call[PoolCreate, NoInput]) -> PoolResource:
    """Create a guardrail pool of one brand. It has no effect until it has members and a profile is bound to it."""
    async with call.transaction() as tx:
        pool = await operations.create_pool(tx, call.tenant, call.body)
    return PoolResource.of(pool)


@routes.route(
    "GET", "/v1/guardrails/pools/{id}", scope=READ, answers={200: PoolResource}, refuses=[NotFound], path_fault=422
)
async def get_guardrail_pool(call: Call[NoInput, NoInput]) -> PoolResource:
    """Read one guardrail pool."""
    return PoolResource.of(await operations.get_pool(call.db, call.tenant, call.id))


@routes.route(
    "PATCH",
    "/v1/guardrails/pools/{id}",
    scope=WRITE,
    answers={200: PoolResource},
    refuses=[ValidationFailed, NotFound, SlugTaken],
    path_fault=422,
)
async def update_guardrail_pool(call: Call[PoolPatch, NoInput]) -> PoolResource:
    """Rename a guardrail pool. Its brand is fixed."""
    async with call.transaction() as tx:
        pool = await operations.patch_pool(tx, call.tenant, call.id, call.body)
    return PoolResource.of(pool)


@routes.route(
    "DELETE",
    "/v1/guardrails/pools/{id}",
    scope=WRITE,
    answers={204: None},
    refuses=[NotFound],
    path_fault=422,
)
async def delete_guardrail_pool(call: Call[NoInput, NoInput]) -> None:
    """Delete a guardrail pool, with its memberships and its binding."""
    async with call.transaction() as tx:
        await operations.delete_pool(tx, call.tenant, call.id)


@routes.route(
    "GET",
    "/v1/guardrails/pools/{id}/members",
    scope=READ,
    answers={200: list[MemberResource]},
    refuses=[NotFound],
    path_fault=422,
)
async def list_guardrail_pool_members(call: Call[NoInput, NoInput]) -> list[MemberResource]:
    """List all numbers in a guardrail pool, in the order of joining. Not paginated."""
    return [MemberResource.of(member) for member in await operations.list_members(call.db, call.tenant, call.id)]


@routes.route(
    "PUT",
    "/v1/guardrails/pools/{id}/members",
    scope=WRITE,
    answers={200: list[MemberResource]},
    refuses=[ValidationFailed, NotFound],
    path_fault=422,
)
async def replace_guardrail_pool_members(call: Call[MembersPut, NoInput]) -> list[MemberResource]:
    """Have exactly these numbers in a guardrail pool, all or none.

    Each must be on a campaign of the pool's brand. A number is in one pool: it is pulled out of others.
    """
    async with call.transaction() as tx:
        members = await operations.replace_members(tx, call.tenant, call.id, call.body.phone_number_ids)
    return [MemberResource.of(member) for member in members]


Row = TypeVar("Row", Profile, Binding, Pool)


def _page(rows: Sequence[Row], limit: int, show: Callable[[Row], T]) -> Page[T]:
    return pagination.page_of(rows, limit, show=show, key=lambda row: (row.created_at, row.id))
