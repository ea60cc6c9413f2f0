"""What can be done with keys."""

import hashlib
import secrets
import string
from collections.abc import Sequence
from uuid import UUID

from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound, Unauthorized
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.keys import queries, rules
from agentmessage.keys.model import PREFIXES, SECRET_CHARS, VISIBLE_CHARS, ApiKey
from agentmessage.keys.schemas import ApiKeyResource
from agentmessage.organizations import operations as organizations
from agentmessage.organizations.operations import record
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType

BASE62 = string.digits + string.ascii_letters


async def issue(tx: Tx, tenant: Tenant, *, label: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
    """Make a key; answers it and its plaintext, which is kept nowhere. Raises InvalidScopes, Unauthorized.

    Any scope that exists may be asked for: whether the caller may give it is `require_grantable`'s question. The key
    that asks is the parent; one that has ended meanwhile leaves no child behind, since both take the lock.
    """
    rules.require_scopes(scopes)
    await organizations.lock(tx, tenant)
    if tenant.key_id is not None:
        parent = await queries.find(tx, tenant.org_id, tenant.key_id)
        if parent is None or parent.revoked_at is not None:
            raise Unauthorized
    return await _make(
        tx,
        tenant,
        label=label,
        scopes=scopes,
        event=EventType.API_KEY_CREATED,
        action="api_key.create",
        parent_id=tenant.key_id,
    )


def require_grantable(tenant: Tenant, scopes: Sequence[str]) -> None:
    """Refuse what is no list of scopes, and scopes that the caller lacks. Raises InvalidScopes, ScopesExceeded."""
    rules.require_scopes(scopes)
    rules.require_subset(scopes, tenant.scopes)


async def require_within_reach(db: Executor, tenant: Tenant, key_id: UUID) -> ApiKey:
    """The key, alive or revoked, if its scopes are within the caller's. Raises NotFound, ScopesExceeded.

    Whoever may only make keys ends nobody else's: neither the administrator's nor the operator's.
    """
    key = await queries.find(db, tenant.org_id, key_id)
    if key is None:
        raise NotFound
    rules.require_subset(key.scopes, tenant.scopes)
    return key


async def require_rotatable(db: Executor, tenant: Tenant, key_id: UUID) -> ApiKey:
    """The living key that the caller may rotate. Raises NotFound, also when it is revoked, and ScopesExceeded."""
    key = await queries.find(db, tenant.org_id, key_id)
    if key is None or key.revoked_at is not None:
        raise NotFound
    rules.require_subset(key.scopes, tenant.scopes)
    return key


async def rotate(tx: Tx, tenant: Tenant, key_id: UUID) -> tuple[ApiKey, str]:
    """Replace a key by a new one with the same label and scopes; the old one is dead with the commit.

    What the old one made stays alive and names the new one as its parent. Answers the new key and its plaintext.
    Raises NotFound when the key is not there or revoked, also when another rotation came first: of two at once one
    wins.
    """
    await organizations.lock(tx, tenant)
    old = await queries.revoke(tx, tenant.org_id, key_id)
    if old is None:
        raise NotFound
    await queries.delete_usable(tx, tenant.org_id, [key_id])
    made, plaintext = await _make(
        tx,
        tenant,
        label=old.label,
        scopes=old.scopes,
        event=EventType.API_KEY_ROTATED,
        action="api_key.rotate",
        parent_id=old.parent_id,
        replaces=old.id,
    )
    await queries.hand_over_children(tx, tenant.org_id, old.id, made.id)
    return made, plaintext


async def revoke(tx: Tx, tenant: Tenant, key_id: UUID, *, keeps_children: bool = False) -> list[UUID]:
    """End a key, and what it made unless `keeps_children`; all stay listed. Answers the keys that were ended.

    Ending it again does nothing. Raises NotFound.
    """
    await organizations.lock(tx, tenant)
    key = await queries.revoke(tx, tenant.org_id, key_id)
    if key is None and await queries.find(tx, tenant.org_id, key_id) is None:
        raise NotFound
    made = [] if keeps_children else await queries.revoke_descendants(tx, tenant.org_id, key_id)
    ended = made if key is None else [key, *made]
    await queries.delete_usable(tx, tenant.org_id, [one.id for one in ended])
    for one in ended:
        await record(
            tx,
            tenant,
            action="api_key.revoke",
            resource_type="api_key",
            resource_id=one.id,
            payload={"label": one.label, "prefix": one.prefix, "parent_id": one.parent_id},
        )
        await outbox_events.emit(tx, tenant.org_id, EventType.API_KEY_REVOKED, one.id, ApiKeyResource.of(one))
    return [one.id for one in ended]


async def list_all(db: Executor, tenant: Tenant) -> list[ApiKey]:
    """The organization's keys, newest first, revoked ones too, at most 1,000: for the operator."""
    return await queries.list_keys(db, tenant.org_id, before=None, include_revoked=True, limit=1000)


async def owner_of(db: Executor, plaintext: str) -> UUID | None:
    """The organization whose living key this is; None when it is nobody's."""
    return await queries.find_usable_owner(db, _hash(plaintext))


async def _make(
    tx: Tx,
    tenant: Tenant,
    *,
    label: str,
    scopes: Sequence[str],
    event: EventType,
    action: str,
    parent_id: UUID | None,
    replaces: UUID | None = None,
) -> tuple[ApiKey, str]:
    prefix = PREFIXES[tenant.account] + _random(VISIBLE_CHARS)
    plaintext = prefix + _random(SECRET_CHARS)
    key = ApiKey(new_id(), tenant.org_id, label, prefix, list(scopes), tx.now, None, None, parent_id)
    await queries.insert(tx, key, _hash(plaintext))
    await queries.insert_usable(tx, key, _hash(plaintext))
    await record(
        tx,
        tenant,
        action=action,
        resource_type="api_key",
        resource_id=key.id,
        payload={"label": label, "prefix": prefix, "scopes": key.scopes, "replaces": replaces, "parent_id": parent_id},
    )
    await outbox_events.emit(tx, tenant.org_id, event, key.id, ApiKeyResource.of(key))
    return key, plaintext


def _random(length: int) -> str:
    """Base-62 characters from the operating system's generator."""
    return "".join(secrets.choice(BASE62) for _ in range(length))


def _hash(plaintext: str) -> bytes:
    """What is stored of a key: its entropy (178 bits) is what makes a bare SHA-256 enough."""
    return hashlib.sha256(plaintext.encode()).digest()
