"""API keys."""

from msgspec import Struct

from agentmessage.kernel.errors import MalformedPathId, NotFound, RateLimited, ValidationFailed
from agentmessage.keys import operations, queries
from agentmessage.keys.errors import InvalidScopes, ScopesExceeded
from agentmessage.keys.schemas import ApiKeyCreate, ApiKeyQuery, ApiKeyResource, ApiKeyRevoke, ApiKeyWithPlaintext
from agentmessage.web import pagination
from agentmessage.web.authentication import Authenticator
from agentmessage.web.rate_limits import require_token
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page

BUCKET = "api_keys"
PER_MINUTE = 10


class KeyServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    authenticator: Authenticator


routes = Routes("API keys", needs=KeyServices)


@routes.route(
    "POST",
    "/v1/api-keys",
    scope="apikeys:write",
    answers={201: ApiKeyWithPlaintext},
    refuses=[InvalidScopes, ScopesExceeded, ValidationFailed, RateLimited],
    bare=True,
    is_secret=True,
)
async def create_api_key(call: Call[ApiKeyCreate, NoInput]) -> ApiKeyWithPlaintext:
    """Make an API key.

    The plaintext is shown in this answer only. The key that asks is the new one's parent: it cannot give what it lacks,
    and when it is revoked, so is the child. Creating and rotating share 10 requests a minute.
    """
    operations.require_grantable(call.tenant, call.body.scopes)
    await require_token(call.db, call.tenant, BUCKET, per_minute=PER_MINUTE)
    async with call.transaction() as tx:
        key, plaintext = await operations.issue(tx, call.tenant, label=call.body.label, scopes=call.body.scopes)
    call.wake("events")
    return ApiKeyWithPlaintext.of(key, plaintext)


@routes.route(
    "GET",
    "/v1/api-keys",
    scope="apikeys:read",
    answers={200: ApiKeyResource},
    refuses=[ValidationFailed],
    is_list=True,
)
async def list_api_keys(call: Call[NoInput, ApiKeyQuery]) -> Page[ApiKeyResource]:
    """List API keys, newest first, revoked ones too unless `include_revoked=false`.

    `parent_id` lists what one key made.
    """
    query = call.query
    start = pagination.start_of(query.cursor)
    rows = await queries.list_keys(
        call.db,
        call.tenant.org_id,
        before=(start.at, start.id) if start.at and start.id else None,
        include_revoked=query.include_revoked,
        limit=pagination.lookahead(query.limit),
        parent_id=query.parent_id or None,
    )
    return pagination.page_of(rows, query.limit, show=ApiKeyResource.of, key=lambda row: (row.created_at, row.id))


@routes.route(
    "GET",
    "/v1/api-keys/{id}",
    scope="apikeys:read",
    answers={200: ApiKeyResource},
    refuses=[MalformedPathId, NotFound],
    bare=True,
)
async def get_api_key(call: Call[NoInput, NoInput]) -> ApiKeyResource:
    """Read one API key, revoked or not."""
    key = await queries.find(call.db, call.tenant.org_id, call.id)
    if key is None:
        raise NotFound
    return ApiKeyResource.of(key)


@routes.route(
    "POST",
    "/v1/api-keys/{id}/rotate",
    scope="apikeys:write",
    answers={200: ApiKeyWithPlaintext},
    refuses=[MalformedPathId, ScopesExceeded, NotFound, RateLimited],
    bare=True,
    is_secret=True,
)
async def rotate_api_key(call: Call[NoInput, NoInput], services: KeyServices) -> ApiKeyWithPlaintext:
    """Replace an API key by a new one with the same label and scopes.

    The old key stops working at once; the keys that it made live on, with the new one as their parent. A key with
    scopes that the calling key lacks cannot be rotated by it, and a revoked key is not found. Creating and rotating
    share 10 requests a minute.
    """
    await operations.require_rotatable(call.db, call.tenant, call.id)
    await require_token(call.db, call.tenant, BUCKET, per_minute=PER_MINUTE)
    async with call.transaction() as tx:
        key, plaintext = await operations.rotate(tx, call.tenant, call.id)
    services.authenticator.revoke(call.id)
    call.wake("events")
    return ApiKeyWithPlaintext.of(key, plaintext)


@routes.route(
    "DELETE",
    "/v1/api-keys/{id}",
    scope="apikeys:write",
    answers={204: None},
    refuses=[MalformedPathId, ScopesExceeded, NotFound],
)
async def revoke_api_key(call: Call[NoInput, ApiKeyRevoke], services: KeyServices) -> None:
    """End an API key, and the keys that it made.

    They stay listed with `revoked_at`; what waits or streams with one of them ends within a second. With
    `keep_children=true` the keys that it made live on; `GET /v1/api-keys?parent_id=…` lists them. A key with scopes
    that the calling key lacks cannot be ended by it. Ending a key again answers 204 too.
    """
    await operations.require_within_reach(call.db, call.tenant, call.id)
    async with call.transaction() as tx:
        ended = await operations.revoke(tx, call.tenant, call.id, keeps_children=call.query.keep_children)
    for key_id in ended:
        services.authenticator.revoke(key_id)  # other processes remember a key for a second at most
    call.wake("events")
