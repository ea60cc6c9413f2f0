"""Values of `audit_log`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agentmessage.sdk._response import Model


class AuditActor(Model, frozen=True, kw_only=True):
    """Who acted: a customer's key, `api_key:<id> (<label>)`, or the platform's operator, `platform`."""

    kind: str
    label: str


class AuditSubject(Model, frozen=True, kw_only=True):
    """What was acted upon."""

    type: str
    id: str


class AuditEntry(Model, frozen=True, kw_only=True):
    """One act. `payload` is null unless it was asked for with `include=payload`."""

    id: str
    occurred_at: datetime
    actor: AuditActor
    action: str
    resource: AuditSubject
    reason: str | None = None
    request_id: str | None = None
    payload: Mapping[str, Any] | None = None
