"""Values of `contacts`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from agentmessage.sdk._response import Model


class Erased(Model, frozen=True, kw_only=True):
    """How many texts lost their content. A contact that nobody knows, or that was erased before, counts zeros."""

    contact_number: str
    inbound_redacted: int
    outbound_redacted: int
    erased_at: datetime
    audit_log_id: str
