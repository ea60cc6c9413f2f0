"""What an organization is told when a receiver of its own is told nothing more."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from agentmessage.web.types import Resource
from agentmessage.webhooks.model import LaneKind


class Why(StrEnum):
    """It answered 410, or nothing but failures for five days."""

    GONE = "gone"
    FAILING = "failing"


class ReceiverDisabled(Resource, frozen=True):
    """A receiver that is told nothing more: an endpoint, until it is made active; a number's URL, until it is set anew.

    `endpoint_id` is what the delivery log lists it under. `failing_since` is null if its last answer but this was good.
    """

    endpoint_id: UUID
    org_id: UUID
    kind: LaneKind
    url: Annotated[str, Meta(examples=["https://customer.example/webhooks"])]
    reason: Why
    failing_since: datetime | None
    abandoned: Annotated[int, Meta(description="Deliveries that were waiting and are not made.", examples=[0])]
    disabled_at: datetime
