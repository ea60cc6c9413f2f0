"""The operations of `client.webhooks.deliveries`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, given, segment
from agentmessage.sdk.models.webhooks import Delivery, Outcome, OutcomeWord, Replay
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource


class WebhookDeliveriesOperations(Resource):
    """The operations of `client.webhooks.deliveries`."""

    def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        endpoint_id: Id | UnsetType = UNSET,
        event_type: str | UnsetType = UNSET,
        outcome: Outcome | OutcomeWord | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        until: datetime | UnsetType = UNSET,
        http_status_min: int | UnsetType = UNSET,
        http_status_max: int | UnsetType = UNSET,
    ) -> Page[Delivery]:
        """List delivery attempts of the last 30 days, newest first: to endpoints and to URLs of numbers.

        - `limit`: 1 to 200, 50 unless given.
        - `http_status_min`: 100 to 599.
        - `http_status_max`: 100 to 599.

        Scope: `webhooks:read`. Raises ValidationFailedError.
        """
        return self._page(
            Delivery,
            Request(
                "GET",
                "/v1/webhooks/deliveries",
                query={
                    "cursor": cursor,
                    "limit": limit,
                    "endpoint_id": endpoint_id,
                    "event_type": event_type,
                    "outcome": outcome,
                    "since": since,
                    "until": until,
                    "http_status_min": http_status_min,
                    "http_status_max": http_status_max,
                },
            ),
        )

    def get(self, delivery_id: Id) -> Delivery:
        """Read one delivery attempt.

        It is kept for 30 days.

        Scope: `webhooks:read`. Raises NotFoundError.
        """
        return self._bare(Delivery, Request("GET", f"/v1/webhooks/deliveries/{segment(delivery_id)}"))

    def replay(
        self, delivery_id: Id, *, reason: str | UnsetType | None = UNSET, idempotency_key: str | None = None
    ) -> Replay:
        """Send the same event to the same receiver again, with a new id, as if it had happened now.

        What the receiver subscribes to by now is not asked. 404 also when the endpoint was deleted; 409 when it is off,
        or when the event's number does not name the URL any more. Data that was erased meanwhile is sent as erased. 10
        a minute.

        - `reason`: At most 500 characters.

        Scope: `webhooks:write`. Raises InvalidInputError, NotFoundError, IdempotencyKeyReusedError,
        ReceiverInactiveError, EventExpiredError, ValidationFailedError, RateLimitedError.
        """
        return self._bare(
            Replay,
            Request(
                "POST",
                f"/v1/webhooks/deliveries/{segment(delivery_id)}/replay",
                body=given({"reason": reason}),
                idempotency_key=idempotency_key,
            ),
        )
