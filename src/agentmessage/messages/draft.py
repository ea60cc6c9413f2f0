"""A message that asks to be admitted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.tenant import Tenant
from agentmessage.messages.model import VALIDITY_S, Kind
from agentmessage.web.idempotency import IdempotencyKey


class Draft(Struct, frozen=True, kw_only=True):
    """A message whose shape is checked. `claim` is its Idempotency-Key, if it came with one.

    `is_owed`: it is sent whatever the wallet holds.
    """

    id: UUID
    tenant: Tenant
    kind: Kind = Kind.CUSTOMER
    sender: str
    recipient: str
    text: str | None
    media: Sequence[str] = ()
    priority: int = 1
    tag: str | None = None
    metadata: Mapping[str, Any] | None = None
    scheduled_at: datetime | None = None
    validity_s: int = VALIDITY_S
    is_smart: bool = False
    is_owed: bool = False
    claim: IdempotencyKey | None = None
