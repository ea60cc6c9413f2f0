"""Erasure on the wire."""

from datetime import datetime

from agentmessage.contacts.model import Erased
from agentmessage.web.types import Request, Resource


class ContactErase(Request, frozen=True):
    """Nothing needs to be said beside the number in the path."""


class ErasedOut(Resource, frozen=True):
    """How many texts lost their content. A contact that nobody knows, or that was erased before, counts zeros."""

    contact_number: str
    inbound_redacted: int
    outbound_redacted: int
    erased_at: datetime
    audit_log_id: str

    @classmethod
    def of(cls, erased: Erased) -> "ErasedOut":
        """An erasure that is done."""
        return cls(
            erased.contact_number,
            erased.inbound_redacted,
            erased.outbound_redacted,
            erased.erased_at,
            erased.audit_log_id,
        )
