"""The carrier side of a number on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.numbers.model import LineOptionStatus
from agentmessage.web.types import Resource


class LineTransition(Resource, frozen=True):
    """One step of the carrier side, newest first."""

    occurred_at: datetime
    phase: str
    generation: int
    note: str


class LineError(Resource, frozen=True):
    """Why the last attempt did not go through: its class, the carrier's own code and words, and what to do."""

    trouble: str
    carrier_code: str | None
    text: str | None
    fix: str


class LineOptionOut(Resource, frozen=True):
    """What is wanted at the carrier, what was seen there, and what happens next.

    `desired_*` are the wish; `observed_*` the last believable read. Campaigns are named by their id and by the
    registry's. `phase` is the reconciler's own state; `can_send` with its reason is the short answer.
    """

    phone_number_id: UUID
    number: str
    status: LineOptionStatus | None
    phase: str
    generation: int
    applied_generation: int
    desired_campaign_id: UUID | None
    desired_tcr_campaign_id: str | None
    observed_state: str
    observed_tcr_campaign_id: str | None
    observed_at: datetime | None
    operators: Mapping[str, str]
    attempts: int
    next_attempt_at: datetime | None
    last_error: LineError | None
    carrier_order_id: str | None
    can_send: bool
    reason: str
    transitions: Sequence[LineTransition]
