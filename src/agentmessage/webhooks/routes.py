"""Endpoints over HTTP, and the secrets that sign."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.encryption import SecretBox
from agentmessage.kernel.errors import NotFound, RateLimited, ValidationFailed
from agentmessage.kernel.ids import new_id
from agentmessage.settings import Settings
from agentmessage.web.rate_limits import require_token
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page
from agentmessage.webhooks import operations, queries, rules, signing
from agentmessage.webhooks.errors import EndpointLimitExceeded
from agentmessage.webhooks.model import BELL, TESTS_PER_MIN
from agentmessage.webhooks.schemas import (
    EndpointCreate,
    EndpointPatch,
    EndpointQuery,
    EndpointResource,
    EndpointWithSecret,
    RotatedSecret,
    TestResult,
)
from agentmessage.webhooks.test_event import RequestSender, send_and_record


class WebhookServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Settings
    secret_box: SecretBox
    webhook_sender: RequestSender


routes = Routes("Webhooks", needs=WebhookServices)


@routes.route(
    "POST",
    "/v1/webhooks",
    scope="webhooks:write",
    answers={201: EndpointWithSecret},
    refuses=[ValidationFailed, EndpointLimitExceeded],
    path_fault=404,
    bare=True,
    is_secret=True,
    example={"url": "https://customer.example/webhooks", "events": ["campaign.approved", "campaign.rejected"]},
)
async def create_webhook_endpoint(call: Call[EndpointCreate, NoInput], services: WebhookServices) -> EndpointWithSecret:
    """Create an endpoint, which gets its events from now on.

    The secret that its deliveries are signed with is shown in this answer only. An organization has at most 50 active
    endpoints, and 100 in all.
    """
    rules.require_sound(call.body, allow_private=services.settings.webhook_allow_private)
    async with call.transaction() as tx:
        endpoint, secret = await operations.create(tx, call.tenant, call.body, services.secret_box)
    return EndpointWithSecret.of(endpoint, signing.encode_secret(secret))


@routes.route(
    "GET",
    "/v1/webhooks",
    scope="webhooks:read",
    answers={200: EndpointResource},
    refuses=[ValidationFailed],
    path_fault=404,
    is_list=True,
)
async def list_webhook_endpoints(call: Call[NoInput, EndpointQuery]) -> Page[EndpointResource]:
    """List endpoints, newest first, deleted ones left out. There is one page: `meta.next_cursor` is always null."""
    rows = await queries.list_(call.db, call.tenant.org_id, limit=call.query.limit)
    return Page([EndpointResource.of(endpoint) for endpoint in rows], call.query.limit, None)


@routes.route(
    "GET",
    "/v1/webhooks/{id}",
    scope="webhooks:read",
    answers={200: EndpointResource},
    refuses=[NotFound],
    path_fault=404,
    bare=True,
)
async def get_webhook_endpoint(call: Call[NoInput, NoInput]) -> EndpointResource:
    """Read one endpoint. Its secret is not shown again."""
    return EndpointResource.of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "PATCH",
    "/v1/webhooks/{id}",
    scope="webhooks:write",
    answers={200: EndpointResource},
    refuses=[ValidationFailed, NotFound, EndpointLimitExceeded],
    path_fault=404,
    bare=True,
    example={"description": "production", "active": True},
)
async def patch_webhook_endpoint(call: Call[EndpointPatch, NoInput], services: WebhookServices) -> EndpointResource:
    """Change an endpoint.

    Turning one off deletes what waits for it; it does not get later what happens meanwhile. Turning on one that
    was disabled for its failures starts it again. What waits goes to the new URL when it is changed.
    """
    rules.require_sound(call.body, allow_private=services.settings.webhook_allow_private)
    async with call.transaction() as tx:
        endpoint = await operations.change(tx, call.tenant, call.id, call.body)
    call.wake(BELL)
    return EndpointResource.of(endpoint)


@routes.route(
    "DELETE",
    "/v1/webhooks/{id}",
    scope="webhooks:write",
    answers={204: None},
    refuses=[NotFound],
    path_fault=404,
)
async def delete_webhook_endpoint(call: Call[NoInput, NoInput]) -> None:
    """End an endpoint for good. What waits for it is forgotten; its deliveries stay listed."""
    async with call.transaction() as tx:
        await operations.delete(tx, call.tenant, call.id)
    call.wake(BELL)


@routes.route(
    "POST",
    "/v1/webhooks/{id}/rotate-secret",
    scope="webhooks:write",
    answers={200: EndpointWithSecret},
    refuses=[NotFound],
    path_fault=404,
    bare=True,
    is_secret=True,
)
async def rotate_webhook_endpoint_secret(call: Call[NoInput, NoInput], services: WebhookServices) -> EndpointWithSecret:
    """Replace the secret of an endpoint. The old one is dead at once, without grace."""
    async with call.transaction() as tx:
        endpoint, secret = await operations.rotate_endpoint_secret(tx, call.tenant, call.id, services.secret_box)
    call.wake(BELL)
    return EndpointWithSecret.of(endpoint, signing.encode_secret(secret))


@routes.route(
    "POST",
    "/v1/webhook-secret/rotate",
    scope="org:admin:write",
    answers={200: RotatedSecret},
    bare=True,
    is_secret=True,
)
async def rotate_webhook_secret(call: Call[NoInput, NoInput], services: WebhookServices) -> RotatedSecret:
    """Replace the organization's secret, with which deliveries to `inbound_url` and `status_url` are signed.

    The first call creates one. For five minutes deliveries carry signatures by both secrets; a second rotation within
    them ends the first secret.
    """
    async with call.transaction() as tx:
        rotated = await operations.rotate_secret(tx, call.tenant, services.secret_box)
    call.wake(BELL)
    return rotated


async def _test(call: Call[Any, Any], test_id: UUID | None, services: WebhookServices) -> TestResult:
    """The result of a test; of one whose first request died, by sending again under the same id."""
    if test_id is None:
        raise NotFound
    attempt = await send_and_record(
        call.db, call.tenant, call.id, test_id=test_id, sender=services.webhook_sender, secret_box=services.secret_box
    )
    return TestResult.of(attempt)


@routes.route(
    "POST",
    "/v1/webhooks/{id}/test",
    scope="webhooks:write",
    answers={200: TestResult},
    refuses=[NotFound, RateLimited],
    path_fault=404,
    bare=True,
    resume=_test,
)
async def test_webhook_endpoint(call: Call[NoInput, NoInput], services: WebhookServices) -> TestResult:
    """Send `webhook.test` to an endpoint now, whatever it subscribed to, and also when it is off.

    200 also when the receiver fails: `outcome` is then `dead`, since a test is not repeated. It takes as long as the
    receiver does, at most ten seconds, and is listed among the deliveries. 60 a minute.
    """
    await operations.get(call.db, call.tenant, call.id)
    await require_token(call.db, call.tenant, "webhook_tests", per_minute=TESTS_PER_MIN)
    test_id = new_id()
    async with call.transaction(subject=test_id):
        pass  # an Idempotency-Key is claimed here
    return await _test(call, test_id, services)
