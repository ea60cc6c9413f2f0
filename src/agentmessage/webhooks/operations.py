"""Operations on endpoints, secrets and deliveries."""

from datetime import datetime
from uuid import UUID

import structlog
from msgspec import Struct

from agentmessage.events.model import ID_PREFIX
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.encryption import DecryptionError, SecretBox
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import queries as outbox
from agentmessage.rollups import operations as rollups
from agentmessage.webhooks import attempt_queries, queries, rules, signing
from agentmessage.webhooks.errors import EventExpired, ReceiverInactive
from agentmessage.webhooks.model import ATTEMPTS_KEPT, GRACE, Attempt, Endpoint
from agentmessage.webhooks.schemas import EndpointCreate, EndpointPatch, ReplayResource, RotatedSecret

log = structlog.get_logger("agentmessage.webhooks")


async def create(tx: Tx, tenant: Tenant, body: EndpointCreate, secret_box: SecretBox) -> tuple[Endpoint, bytes]:
    """Make an endpoint; answers it and its secret, which is stored encrypted only. Raises EndpointLimitExceeded.

    The organization is locked, so that of two at once one sees the other.
    """
    await organizations.lock(tx, tenant)
    there_are = await queries.count(tx, tenant.org_id)
    rules.require_room(active=there_are.active, in_all=there_are.in_all)
    endpoint = rules.drafted(body, endpoint_id=new_id(), org_id=tenant.org_id, now=tx.now)
    secret = signing.new_secret()
    await queries.insert(tx, endpoint, secret_box.encrypt(secret))
    await _record(tx, tenant, "webhook_endpoint.create", endpoint)
    return endpoint, secret


async def get(db: Executor, tenant: Tenant, endpoint_id: UUID) -> Endpoint:
    """One endpoint of the organization. Raises NotFound, also when it is deleted."""
    endpoint = await queries.find(db, tenant.org_id, endpoint_id)
    if endpoint is None:
        raise NotFound
    return endpoint


async def change(tx: Tx, tenant: Tenant, endpoint_id: UUID, body: EndpointPatch) -> Endpoint:
    """Change an endpoint; nothing is written when nothing differs. Raises NotFound, EndpointLimitExceeded.

    One that is turned off forgets what waits for it. One that is turned on, or moves, starts without failures.
    """
    if body.active is True:
        await organizations.lock(tx, tenant)
    old = await queries.lock(tx, tenant.org_id, endpoint_id)
    if old is None:
        raise NotFound
    new = rules.patched(old, body, now=tx.now)
    if new is old:
        return old
    if new.active and not old.active:
        there_are = await queries.count(tx, tenant.org_id)
        rules.require_room(active=there_are.active, in_all=0)
    await queries.update(tx, new)
    is_another = new.url != old.url or (new.active and not old.active)
    await queries.touch_queue(tx, tenant.org_id, new.id, forgives=is_another)
    abandoned = 0 if new.active else await queries.abandon(tx, tenant.org_id, new.id)
    await _record(tx, tenant, "webhook_endpoint.update", new, abandoned=abandoned)
    return new


async def delete(tx: Tx, tenant: Tenant, endpoint_id: UUID) -> None:
    """Delete an endpoint: what waits for it is deleted, its log of deliveries stays. Raises NotFound."""
    endpoint = await queries.delete(tx, tenant.org_id, endpoint_id)
    if endpoint is None:
        raise NotFound
    await queries.touch_queue(tx, tenant.org_id, endpoint_id)
    abandoned = await queries.abandon(tx, tenant.org_id, endpoint_id)
    await _record(tx, tenant, "webhook_endpoint.delete", endpoint, abandoned=abandoned)


async def rotate_endpoint_secret(
    tx: Tx, tenant: Tenant, endpoint_id: UUID, secret_box: SecretBox
) -> tuple[Endpoint, bytes]:
    """Give an endpoint a new secret; the old one is dead with the commit. Raises NotFound."""
    secret = signing.new_secret()
    endpoint = await queries.replace_secret(tx, tenant.org_id, endpoint_id, secret_box.encrypt(secret))
    if endpoint is None:
        raise NotFound
    await queries.touch_queue(tx, tenant.org_id, endpoint_id)
    await _record(tx, tenant, "webhook_endpoint.rotate_secret", endpoint)
    return endpoint, secret


async def rotate_secret(tx: Tx, tenant: Tenant, secret_box: SecretBox) -> RotatedSecret:
    """Give the organization a new secret, with which the URLs of its numbers are signed for.

    Deliveries of the next five minutes are signed with both. A second rotation within them ends the first secret.
    """
    secret = signing.new_secret()
    until = await queries.rotate_secret(
        tx, tenant.org_id, secret_box.encrypt(secret), previous_valid_until=tx.now + GRACE
    )
    await organizations.record(
        tx, tenant, action="webhook_secret.rotate", resource_type="organization", resource_id=tenant.org_id
    )
    return RotatedSecret(signing.encode_secret(secret), tx.now, until)


class Target(Struct, frozen=True):
    """An endpoint and the raw secret that it checks with; None: it cannot be opened any more."""

    endpoint: Endpoint
    secret: bytes | None


async def target(db: Executor, tenant: Tenant, endpoint_id: UUID, secret_box: SecretBox) -> Target:
    """An endpoint for a test request, active or not. Raises NotFound."""
    endpoint = await get(db, tenant, endpoint_id)
    encrypted = await queries.find_encrypted_secret(db, tenant.org_id, endpoint_id)
    if encrypted is None:
        raise NotFound
    try:
        return Target(endpoint, secret_box.decrypt(encrypted))
    except DecryptionError:
        log.exception("webhook secret not decrypted", endpoint_id=str(endpoint_id))
        return Target(endpoint, None)


async def record_attempt(tx: Tx, attempt: Attempt) -> Attempt:
    """Write an attempt down and count it; when it was written down before, answers that, and counts nothing."""
    if not await attempt_queries.insert(tx, attempt):
        return await attempt_queries.find(tx, attempt.org_id, attempt.id) or attempt
    await rollups.add(tx, [rules.counted(attempt)])
    return attempt


async def get_attempt(db: Executor, tenant: Tenant, attempt_id: UUID) -> Attempt:
    """One attempt of the organization's log. Raises NotFound."""
    attempt = await attempt_queries.find(db, tenant.org_id, attempt_id)
    if attempt is None:
        raise NotFound
    return attempt


async def require_replayable(tx: Tx, tenant: Tenant, attempt_id: UUID) -> Attempt:
    """The attempt whose event can be sent again, to a receiver that stays active until the commit.

    Raises NotFound, also when the endpoint is deleted; EventExpired; ReceiverInactive.
    """
    attempt = await get_attempt(tx, tenant, attempt_id)
    is_listening = await queries.lock_receiver(tx, tenant.org_id, attempt.queue_id, event_id=attempt.source_event_id)
    if is_listening is None:
        raise NotFound
    if not await outbox.event_exists(tx, tenant.org_id, attempt.source_event_id):
        raise EventExpired
    if not is_listening:
        raise ReceiverInactive
    return attempt


async def replay(tx: Tx, tenant: Tenant, attempt_id: UUID, *, reason: str | None) -> ReplayResource:
    """Queue an event again for the same receiver, under a new id. Raises what `require_replayable` does."""
    attempt = await require_replayable(tx, tenant, attempt_id)
    public_event_id = new_id()
    await queries.insert_delivery(
        tx,
        tenant.org_id,
        attempt.queue_id,
        delivery_id=new_id(),
        event_id=attempt.source_event_id,
        public_event_id=public_event_id,
    )
    await queries.touch_queue(tx, tenant.org_id, attempt.queue_id)
    new_event_id = ID_PREFIX + str(public_event_id)
    audit_log_id = await organizations.record(
        tx,
        tenant,
        action="webhook_delivery.replay",
        resource_type="webhook_delivery",
        resource_id=attempt.id,
        reason=reason,
        payload={"endpoint_id": attempt.queue_id, "event_type": attempt.event_type, "new_event_id": new_event_id},
    )
    return ReplayResource(attempt.id, attempt.queue_id, attempt.event_type, new_event_id, audit_log_id, tx.now)


async def reopen(tx: Tx, org_id: UUID, number_id: UUID) -> int:
    """The settings of a number changed: open its disabled URLs again. Returns how many."""
    urls = await queries.list_number_urls(tx, org_id, number_id)
    return await queries.reopen_queues(tx, org_id, urls) if urls else 0


async def forget_attempts(db: Executor, *, now: datetime) -> int:
    """Forget attempts that are past their retention, in everybody's log; at most 10,000 at a time."""
    return await attempt_queries.delete_before(db, now - ATTEMPTS_KEPT)


async def _record(tx: Tx, tenant: Tenant, action: str, endpoint: Endpoint, *, abandoned: int = 0) -> None:
    payload = dict(rules.for_audit(endpoint)) | ({"abandoned": abandoned} if abandoned else {})
    await organizations.record(
        tx,
        tenant,
        action=action,
        resource_type="webhook_endpoint",
        resource_id=endpoint.id,
        payload=payload,
    )
