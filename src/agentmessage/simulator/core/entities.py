"""What a world stores. Every entity is a value that can be written to disk and read back; times are Unix seconds.

An entity lists its own future: `steps` holds what will happen to it and when. The schedule of a world is only an index
over these lists, and can be rebuilt from the entities.
"""

from enum import StrEnum

from msgspec import Struct, field

from agentmessage.simulator.core.profiles import OPERATORS

UNASSIGNED: tuple[str | None, ...] = (None,) * len(OPERATORS)
"""No operator has the number on a campaign."""

NEVER = -1.0
"""In `NumberLine.due`: this operator rejected the change."""

ScheduledStep = tuple[float, str]


class BandwidthOrderState(StrEnum):
    """Bandwidth's processing states of an order."""

    RECEIVED = "RECEIVED"
    PROCESSING = "PROCESSING"
    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    BACKORDERED = "BACKORDERED"


FINAL = frozenset({BandwidthOrderState.COMPLETE, BandwidthOrderState.PARTIAL, BandwidthOrderState.FAILED})


class NumberLine(Struct, array_like=True):
    """A number in service and the campaign that it is on.

    A completed change goes from `before` to `goal` at `changed_at`. Operator i follows at `due[i]` and has
    `previous[i]` until then; `due` is empty while no change is under way. `order_id` is the open order that locks it.
    """

    number: str
    in_service_at: float
    before: str | None = None
    goal: str | None = None
    changed_at: float = 0.0
    settled_at: float = 0.0
    previous: tuple[str | None, ...] = UNASSIGNED
    due: tuple[float, ...] = ()
    order_id: str | None = None
    returns_to: str | None = None

    def campaign(self, at: float) -> str | None:
        """The campaign in the carrier's record. After an unbind it stays until every operator has followed."""
        if at < self.changed_at:
            return self.before
        if self.goal is None and (at < self.settled_at or NEVER in self.due):
            return self.before
        return self.goal

    def is_settled(self, at: float) -> bool:
        """No change is under way at a time."""
        return at >= self.settled_at or at < self.changed_at

    def has_failed(self, at: float) -> bool:
        """An operator rejected the current change."""
        return at >= self.settled_at and NEVER in self.due

    def operators(self, at: float) -> tuple[str | None, ...]:
        """The campaign of the number at each operator, in the order of OPERATORS."""
        if not self.due:
            return (self.goal,) * len(OPERATORS)
        return tuple(
            self.goal if due != NEVER and at >= due else previous
            for due, previous in zip(self.due, self.previous, strict=True)
        )

    def since(self, at: float) -> float:
        """When the record last changed."""
        if self.goal is None and at >= self.settled_at:
            return self.settled_at or self.in_service_at
        return self.changed_at or self.in_service_at

    def change(self, *, goal: str | None, at: float, due: tuple[float, ...] = ()) -> None:
        """Begin a change; without `due` every operator follows immediately."""
        self.previous = self.operators(at)
        self.before = self.campaign(at)
        self.goal = goal
        self.changed_at = at
        self.due = due
        self.settled_at = max((at, *due))


class OrderFault(Struct, array_like=True, frozen=True):
    """The fault that was chosen for an order when it arrived; `code` and `text` are those of every rejected member."""

    name: str = ""
    code: str = ""
    text: str = ""
    share: float = 1.0
    seconds: float = 0.0


class LineOptionGroup(Struct, array_like=True):
    """One group of a TN option order: the change, and the numbers (E.164)."""

    action: str
    campaign: str | None
    message_class: str | None
    sms: str | None
    numbers: list[str]


class LineOptionOrder(Struct):
    """A TN option order."""

    id: str
    key: str
    created_at: float
    modified_at: float
    groups: list[LineOptionGroup]
    state: BandwidthOrderState = BandwidthOrderState.RECEIVED
    errors: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    warnings: dict[str, str] = field(default_factory=dict[str, str])
    fault: OrderFault = OrderFault()
    history: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    steps: list[ScheduledStep] = field(default_factory=list[ScheduledStep])

    def numbers(self) -> list[str]:
        """Every member, in order."""
        return [number for group in self.groups for number in group.numbers]


class CarrierNumberOrder(Struct):
    """A purchase (`orders`) or a disconnection (`disconnects`)."""

    id: str
    kind: str
    key: str
    created_at: float
    modified_at: float
    numbers: list[str]
    site_id: str = ""
    peer_id: str = ""
    name: str = ""
    may_be_partial: bool = True
    state: BandwidthOrderState = BandwidthOrderState.RECEIVED
    done: list[str] = field(default_factory=list[str])
    errors: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    fault: OrderFault = OrderFault()
    steps: list[ScheduledStep] = field(default_factory=list[ScheduledStep])


class RegistryBrand(Struct):
    """A brand at the registry; `fields` have the registry's own camelCase names."""

    id: str
    fields: dict[str, object]
    created_at: float
    identity_status: str | None = None
    feedback: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    identity_checks: int = 0
    is_deleted: bool = False
    steps: list[ScheduledStep] = field(default_factory=list[ScheduledStep])


class RegistryCampaign(Struct):
    """A campaign at the registry, its sharing with the carrier, and its status at each operator."""

    id: str
    brand_id: str
    fields: dict[str, object]
    created_at: float
    status: str = "ACTIVE"
    sharing: str | None = None
    upstream: str = ""
    shared_at: float = 0.0
    sharing_changed_at: float = 0.0
    expires_at: float = 0.0
    operations: dict[str, str] = field(default_factory=dict[str, str])
    reasons: list[str] = field(default_factory=list[str])
    is_imported: bool = False
    is_dormant: bool = False
    is_suspended: bool = False
    outcome: str = ""
    steps: list[ScheduledStep] = field(default_factory=list[ScheduledStep])

    @property
    def may_carry_numbers(self) -> bool:
        """Numbers can be put on it now."""
        return self.status == "ACTIVE" and self.is_imported and not self.is_suspended


class AgingNumber(Struct, array_like=True):
    """A disconnected number: not for sale before `until`, and still on `campaign` if it was not taken off."""

    number: str
    until: float
    campaign: str | None = None


class OrderSubscription(Struct):
    """The URL for notifications of one order type."""

    id: str
    order_type: str
    url: str
    username: str
    password: str
    expiry_s: int
    created_at: float
    status: str = ""


class RegistryWebhook(Struct):
    """The URL for the registry's events of one category."""

    id: str
    url: str
    created_at: float


class MessagingApplication(Struct):
    """The URL and Basic credentials for message callbacks."""

    id: str
    url: str
    username: str
    password: str


Entity = (
    NumberLine
    | AgingNumber
    | LineOptionOrder
    | CarrierNumberOrder
    | RegistryBrand
    | RegistryCampaign
    | OrderSubscription
    | RegistryWebhook
    | MessagingApplication
)
