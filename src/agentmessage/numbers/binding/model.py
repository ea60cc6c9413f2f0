"""The carrier side of a number as the reconciler knows it: desired campaign, last believed observation, order.

desired=X ─▶ bind_queued ─submit─▶ binding ─accepted─▶ propagating ─confirmed─▶ bound
desired≠X ─▶ unbind_queued ─submit─▶ unbinding ─confirmed absent─▶ unbound ─▶ (desired=Y: bind_queued)
refused ─▶ backoff (again when due) or blocked (needs a change; looked at again slowly)
time-out, crash, reply not understood ─▶ unknown ─look-up by order key─▶ the phase that fits
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from agentmessage.carriers.protocols import Trouble


class Phase(StrEnum):
    """Phase of a binding."""

    UNBOUND = "unbound"
    BIND_QUEUED = "bind_queued"
    BINDING = "binding"
    PROPAGATING = "propagating"
    BOUND = "bound"
    UNBIND_QUEUED = "unbind_queued"
    UNBINDING = "unbinding"
    BACKOFF = "backoff"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Observed(StrEnum):
    """What the last observation at the carrier showed."""

    UNREAD = "unread"  # not believed to be known: the sweep reads it before anything is done
    ABSENT = "absent"
    PRESENT = "present"


class ObservationStatus(StrEnum):
    """Status of the record at the carrier."""

    SETTLED = "settled"
    PROCESSING = "processing"
    FAILED = "failed"  # the operators refused; it needs a new order


class Line(Struct, frozen=True):
    """One number's row with its desired campaign, in the order of `queries`' columns.

    `desired_id` is the id of the campaign that the customer wants, `desired_campaign` its id at the registry (None with
    `desired_id` set: it is not registered yet). `op_*` describe the operation under way; `op_campaign` None with
    `op_order_id` set is an unbind. `op_is_sent` is false while its order has surely not been handed to the carrier.
    """

    id: UUID
    org_id: UUID
    account: str
    number: str
    status: str | None
    generation: int
    desired_id: UUID | None
    desired_campaign: str | None
    campaign_status: str | None
    campaign_is_suspended: bool | None
    number_cap: int | None
    phase: str
    observed: str
    observed_campaign: str | None
    observed_status: str
    observed_at: datetime | None
    operators: Mapping[str, str]
    applied_generation: int
    op_seq: int
    op_order_id: UUID | None
    op_campaign: str | None
    op_generation: int | None
    op_submitted_at: datetime | None
    op_accepted_at: datetime | None
    op_deadline_at: datetime | None
    op_is_sent: bool
    attempts: int
    trouble: str | None
    error_code: str | None
    error_text: str | None
    differs_count: int
    differs_since: datetime | None
    due_at: datetime | None

    @property
    def is_unbind(self) -> bool:
        """The operation under way takes the number off."""
        return self.op_order_id is not None and self.op_campaign is None


class Settle(Struct, frozen=True):
    """The carrier has the desired campaign."""


class Bind(Struct, frozen=True):
    """Order the number onto a campaign."""

    campaign: str


class Unbind(Struct, frozen=True):
    """Order the number off the campaign it is on."""


class Refresh(Struct, frozen=True):
    """Read the numbers of a campaign at the carrier."""

    campaign: str


class AwaitSweep(Struct, frozen=True):
    """Nothing believable is known: have the account read as a whole first."""


class Wait(Struct, frozen=True):
    """An operation is under way; the progress of its order makes the line due."""


class Withdraw(Struct, frozen=True):
    """Take the number out of an order that was never sent: the desired campaign has changed meanwhile."""


class GiveUp(Struct, frozen=True):
    """An operation is past its deadline: read the number and decide again."""


class Block(Struct, frozen=True):
    """Cannot go on until something changes."""

    trouble: Trouble
    text: str


Action = Settle | Bind | Unbind | Refresh | AwaitSweep | Wait | Withdraw | GiveUp | Block


class Pace(Struct, frozen=True, kw_only=True):
    """How patient the reconciler is with one carrier; all in seconds but `poll_growth` and `max_attempts`.

    The defaults are for the real world. `lease_s` is longer than the longest
    call: a live worker never loses an order while it waits for an answer, and a dead one's is taken up that much later.
    """

    first_poll_s: float = 2.0
    poll_growth: float = 1.5
    max_poll_s: float = 60.0
    first_look_s: float = 5.0
    max_look_s: float = 600.0
    lookup_s: float = 5.0
    locked_s: float = 60.0
    asleep_s: float = 60.0
    not_ready_s: float = 1_800.0
    blocked_s: float = 21_600.0
    backoff_first_s: float = 10.0
    backoff_max_s: float = 3_600.0
    operator_floor_s: float = 600.0
    deadline_s: float = 129_600.0
    sweep_s: float = 900.0
    drift_grace_s: float = 900.0
    breaker_s: float = 30.0
    lease_s: float = 45.0
    max_attempts: int = 8


SIMULATED = Pace(
    first_poll_s=0.05,
    max_poll_s=1.0,
    first_look_s=0.05,
    max_look_s=1.0,
    lookup_s=0.3,
    locked_s=1.0,
    asleep_s=1.0,
    not_ready_s=3.0,
    blocked_s=10.0,
    backoff_first_s=0.2,
    backoff_max_s=5.0,
    operator_floor_s=1.0,
    deadline_s=600.0,
    sweep_s=5.0,
    drift_grace_s=2.0,
    breaker_s=2.0,
    lease_s=8.0,
)
"""For the simulator, whose days are seconds."""
