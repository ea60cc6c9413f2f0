"""Refusals of webhooks.

ApiError
├── EndpointLimitExceeded  409
├── ReceiverInactive       409
└── EventExpired           410
"""

from agentmessage.kernel.errors import ApiError


class EndpointLimitExceeded(ApiError):
    """An organization has at most 50 active endpoints, and 100 in all."""

    code = "LIMIT_EXCEEDED"
    status = 409
    fix = "Delete an endpoint that is no longer needed, or turn one off if fewer than 100 exist."
    message = "too many webhook endpoints"


class ReceiverInactive(ApiError):
    """The receiver of a replay gets no deliveries: it is off, disabled, or no longer its number's URL."""

    code = "RECEIVER_INACTIVE"
    status = 409
    fix = "Turn the endpoint on (PATCH /v1/webhooks/{id} with active true), or set the number's URL again, then replay."
    message = "the receiver is not active"


class EventExpired(ApiError):
    """The event is no longer stored: events are kept for 90 days, and `webhook.test` is not stored at all."""

    code = "EVENT_EXPIRED"
    status = 410
    fix = "It cannot be replayed; read the resource itself for its present state."
    message = "the event is no longer kept"
