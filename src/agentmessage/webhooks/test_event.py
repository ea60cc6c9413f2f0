"""Sends `webhook.test` to an endpoint while the caller waits; no transaction is open meanwhile."""

import hashlib
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from agentmessage.events.model import ID_PREFIX
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.encryption import SecretBox
from agentmessage.kernel.tenant import Tenant
from agentmessage.webhooks import attempt_queries, operations, payload, rules
from agentmessage.webhooks.model import TEST_TYPE, Attempt, DestinationKind, Endpoint, OutgoingRequest, Reply
from agentmessage.webhooks.schemas import EndpointResource, TestBody


class RequestSender(Protocol):
    """Takes a letter to its receiver."""

    async def send(self, request: OutgoingRequest) -> Reply:
        """What became of it, within ten seconds; never raises for what the receiver does."""
        ...


async def send_and_record(
    db: CellDb, tenant: Tenant, endpoint_id: UUID, *, test_id: UUID, sender: RequestSender, secret_box: SecretBox
) -> Attempt:
    """Send a test request and record its result. `test_id` becomes the id of event and delivery alike.

    A test that was recorded under this id is not made again. Raises NotFound.
    """
    done = await attempt_queries.find(db, tenant.org_id, test_id)
    if done is not None:
        return done
    target = await operations.target(db, tenant, endpoint_id, secret_box)
    endpoint = target.endpoint
    body = msgspec.json.encode(
        TestBody(
            ID_PREFIX + str(test_id),
            TEST_TYPE,
            endpoint.api_version,
            db.now,
            tenant.org_id,
            EndpointResource.of(endpoint),
        )
    )
    if target.secret is None:
        reply = payload.not_attempted(payload.UNREADABLE_SECRET)
    else:
        request = OutgoingRequest(
            event_id=test_id, url=endpoint.url, body=body, secrets=(target.secret,), org_id=tenant.org_id
        )
        reply = await sender.send(request)
    async with db.transaction() as tx:
        return await operations.record_attempt(tx, _attempt(endpoint, test_id, body, reply, now=tx.now))


def _attempt(endpoint: Endpoint, test_id: UUID, body: bytes, reply: Reply, *, now: datetime) -> Attempt:
    return Attempt(
        test_id,
        endpoint.org_id,
        endpoint.id,
        DestinationKind.ENDPOINT,
        test_id,
        test_id,
        TEST_TYPE,
        endpoint.url,
        attempt=1,
        outcome=rules.outcome_of_test(reply),
        response_status=reply.status,
        response_time_ms=reply.time_ms if reply.was_asked else None,
        request_body_sha256=hashlib.sha256(body).digest(),
        request_body_bytes=len(body),
        response_body_excerpt=reply.excerpt,
        request_headers=reply.headers,
        error=reply.error,
        occurred_at=now,
    )
