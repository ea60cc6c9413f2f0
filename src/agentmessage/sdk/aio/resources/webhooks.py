"""The operations of `client.webhooks`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.aio.resources.webhook_deliveries import AsyncWebhookDeliveriesOperations
from agentmessage.sdk.aio.transport import AsyncTransport
from agentmessage.sdk.models.shared import EventType, EventTypeWord
from agentmessage.sdk.models.webhooks import Endpoint, EndpointWithSecret, RotatedSecret, TestResult


class AsyncWebhooksOperations(AsyncResource):
    """The operations of `client.webhooks`."""

    def __init__(self, transport: AsyncTransport) -> None:
        super().__init__(transport)
        self.deliveries = AsyncWebhookDeliveriesOperations(transport)

    async def list(self, *, limit: int | UnsetType = UNSET) -> AsyncPage[Endpoint]:
        """List endpoints, newest first, deleted ones left out.

        There is one page: `meta.next_cursor` is always null.

        - `limit`: 1 to 100, 50 unless given.

        Scope: `webhooks:read`. Raises ValidationFailedError.
        """
        return await self._page(Endpoint, Request("GET", "/v1/webhooks", query={"limit": limit}))

    async def create(
        self,
        *,
        url: str,
        events: Sequence[EventType | EventTypeWord],
        description: str | UnsetType | None = UNSET,
        api_version: Literal["2026-04-01"] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> EndpointWithSecret:
        """Create an endpoint, which gets its events from now on.

        The secret that its deliveries are signed with is shown in this answer only. An organization has at most 50
        active endpoints, and 100 in all.

        - `url`: At most 2048 characters.
        - `events`: 1..50 different event types. 1 to 50 items.
        - `description`: What it is for. Spaces around it are cut off; empty is none. At most 200 characters.
        - `api_version`: `2026-04-01` unless given.

        Scope: `webhooks:write`. Raises InvalidInputError, IdempotencyKeyReusedError, LimitExceededError,
        ValidationFailedError.
        """
        return await self._bare(
            EndpointWithSecret,
            Request(
                "POST",
                "/v1/webhooks",
                body={"url": url, "events": events, "description": description, "api_version": api_version},
                idempotency_key=idempotency_key,
            ),
        )

    async def get(self, webhook_id: Id) -> Endpoint:
        """Read one endpoint.

        Its secret is not shown again.

        Scope: `webhooks:read`. Raises NotFoundError.
        """
        return await self._bare(Endpoint, Request("GET", f"/v1/webhooks/{segment(webhook_id)}"))

    async def update(
        self,
        webhook_id: Id,
        *,
        url: str | UnsetType = UNSET,
        events: Sequence[EventType | EventTypeWord] | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        active: bool | UnsetType = UNSET,
    ) -> Endpoint:
        """Change an endpoint.

        Turning one off deletes what waits for it; it does not get later what happens meanwhile. Turning on one that was
        disabled for its failures starts it again. What waits goes to the new URL when it is changed.

        - `url`: At most 2048 characters.
        - `events`: 1..50 different event types. 1 to 50 items.
        - `description`: What it is for. Spaces around it are cut off; empty is none. At most 200 characters.

        Scope: `webhooks:write`. Raises InvalidInputError, NotFoundError, LimitExceededError, ValidationFailedError.
        """
        return await self._bare(
            Endpoint,
            Request(
                "PATCH",
                f"/v1/webhooks/{segment(webhook_id)}",
                body={"url": url, "events": events, "description": description, "active": active},
            ),
        )

    async def delete(self, webhook_id: Id) -> None:
        """End an endpoint for good.

        What waits for it is forgotten; its deliveries stay listed.

        Scope: `webhooks:write`. Raises NotFoundError.
        """
        await self._nothing(Request("DELETE", f"/v1/webhooks/{segment(webhook_id)}"))

    async def rotate_secret(self, webhook_id: Id, *, idempotency_key: str | None = None) -> EndpointWithSecret:
        """Replace the secret of an endpoint.

        The old one is dead at once, without grace.

        Scope: `webhooks:write`. Raises NotFoundError, IdempotencyKeyReusedError, ValidationFailedError.
        """
        return await self._bare(
            EndpointWithSecret,
            Request("POST", f"/v1/webhooks/{segment(webhook_id)}/rotate-secret", idempotency_key=idempotency_key),
        )

    async def rotate_organization_secret(self, *, idempotency_key: str | None = None) -> RotatedSecret:
        """Replace the organization's secret, with which deliveries to inbound_url and status_url are signed.

        The first call creates one. For five minutes deliveries carry signatures by both secrets; a second rotation
        within them ends the first secret.

        Scope: `org:admin:write`. Raises IdempotencyKeyReusedError, ValidationFailedError.
        """
        return await self._bare(
            RotatedSecret, Request("POST", "/v1/webhook-secret/rotate", idempotency_key=idempotency_key)
        )

    async def test(self, webhook_id: Id, *, idempotency_key: str | None = None) -> TestResult:
        """Send webhook.test to an endpoint now, whatever it subscribed to, and also when it is off.

        200 also when the receiver fails: `outcome` is then `dead`, since a test is not repeated. It takes as long as
        the receiver does, at most ten seconds, and is listed among the deliveries. 60 a minute.

        Scope: `webhooks:write`. Raises NotFoundError, IdempotencyKeyReusedError, ValidationFailedError,
        RateLimitedError.
        """
        return await self._bare(
            TestResult, Request("POST", f"/v1/webhooks/{segment(webhook_id)}/test", idempotency_key=idempotency_key)
        )
