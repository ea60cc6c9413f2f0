"""The operations of `client.guardrails`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Request
from agentmessage.sdk.models.guardrails import Preflight
from agentmessage.sdk.models.shared import Priority, PriorityWord
from agentmessage.sdk.sync.resource import Resource
from agentmessage.sdk.sync.resources.guardrail_bindings import GuardrailBindingsOperations
from agentmessage.sdk.sync.resources.guardrail_pools import GuardrailPoolsOperations
from agentmessage.sdk.sync.resources.guardrail_profiles import GuardrailProfilesOperations
from agentmessage.sdk.sync.transport import Transport


class GuardrailsOperations(Resource):
    """The operations of `client.guardrails`."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.profiles = GuardrailProfilesOperations(transport)
        self.bindings = GuardrailBindingsOperations(transport)
        self.pools = GuardrailPoolsOperations(transport)

    def preflight(
        self,
        *,
        from_: str,
        to: str,
        text: str | UnsetType | None = UNSET,
        media: Sequence[str] | UnsetType | None = UNSET,
        smart_encoding: bool | UnsetType | None = UNSET,
        priority: Priority | PriorityWord | UnsetType | None = UNSET,
        tag: str | UnsetType | None = UNSET,
        scheduled_at: datetime | UnsetType | None = UNSET,
        validity_s: int | UnsetType | None = UNSET,
        metadata: Mapping[str, str] | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Preflight:
        """Check whether a message would be accepted now, and why or why not; nothing is stored or charged.

        The body is that of a send. `can_submit` is true exactly when `POST /v1/messages` would accept the same body at
        this moment: both run the same checks. `source_breakdown` names the scope that decided each guardrail.

        - `from_`: One of your assigned numbers.
        - `text`: 1 to 1600 characters.
        - `media`: At most 10 items.
        - `smart_encoding`: Send typographic characters as plain ones where that saves a part. False unless given.
        - `priority`: Rank in the queue. Every priority has the same compliance checks. `default` unless given.
        - `tag`: A word of yours to find the message by. 1 to 64 characters.
        - `validity_s`: 60 to 172800, 14400 unless given.

        Scope: `org:read`. Raises InvalidInputError, NotFoundError, IdempotencyKeyReusedError, ValidationFailedError.
        """
        return self._one(
            Preflight,
            Request(
                "POST",
                "/v1/guardrails/preflight",
                body={
                    "from": from_,
                    "to": to,
                    "text": text,
                    "media": media,
                    "smart_encoding": smart_encoding,
                    "priority": priority,
                    "tag": tag,
                    "scheduled_at": scheduled_at,
                    "validity_s": validity_s,
                    "metadata": metadata,
                },
                idempotency_key=idempotency_key,
            ),
        )
