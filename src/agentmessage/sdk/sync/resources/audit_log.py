"""The operations of `client.audit_log`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request
from agentmessage.sdk.models.audit_log import AuditEntry
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource


class AuditLogOperations(Resource):
    """The operations of `client.audit_log`."""

    def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        action: str | UnsetType = UNSET,
        resource_type: str | UnsetType = UNSET,
        resource_id: Id | UnsetType = UNSET,
        actor_kind: Literal["customer", "platform"] | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        until: datetime | UnsetType = UNSET,
        include: Literal["payload"] | UnsetType = UNSET,
    ) -> Page[AuditEntry]:
        """List who did what to the organization, newest first.

        `include=payload` adds the values before and after, where an act has them.

        - `limit`: 1 to 200, 50 unless given.
        - `action`: 1 to 100 characters.
        - `resource_type`: 1 to 100 characters.

        Scope: `audit:read`. Raises ValidationFailedError.
        """
        return self._page(
            AuditEntry,
            Request(
                "GET",
                "/v1/audit-log",
                query={
                    "cursor": cursor,
                    "limit": limit,
                    "action": action,
                    "resource_type": resource_type,
                    "resource_id": resource_id,
                    "actor_kind": actor_kind,
                    "since": since,
                    "until": until,
                    "include": include,
                },
            ),
        )
