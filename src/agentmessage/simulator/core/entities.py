"""What a world remembers. Every entity is a value that can be written to disk and read back; times are Unix seconds.

An entity carries its own future: `steps` lists what will still happen to it and when, so that the agenda of a world is
only an index and can be rebuilt from the entities alone.
"""

from enum import StrEnum

from msgspec import Struct, field

from agentmessage.simulator.core.profiles import OPERATORS

NOBODY: tuple[str | None, ...] = (None,) * len(OPERATORS)
"""No operator has the number on a campaign."""

NEVER = -1.0
"""In `Line.due`: this operator refused to follow."""

Step = tuple[float, str]


class OrderState(StrEnum):
    """Bandwidth's processing states of an order."""

    RECEIVED = "RECEIVED"
    PROCESSING = "PROCESSING"
    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    BACKORDERED = "BACKORDERED"


FINAL = frozenset({OrderState.COMPLETE, OrderState.PARTIAL, OrderState.FAILED})


class Line(Struct, array_like=True):
    """One number in service and the campaign it is on.

    A completed change goes from `before` to `goal` at `changed_at`; operator i follows at `due[i]` and has `held[i]`
    until then. `due` empty: nothing is under way. `order_id` names the open order that holds the number.
    """

    number: str
    in_service_at: float
    before: str | None = None
    goal: str | None = None
    changed_at: float = 0.0
    settled_at: float = 0.0
    held: tuple[str | None, ...] = NOBODY
    due: tuple[float, ...] = ()
    order_id: str | None = None
    returns_to: str | None = None

    def campaign(self, at: float) -> str | None:
        """What the carrier's record says at an instant: an unbinding shows only once every operator has let go."""
        if at < self.changed_at:
            return self.before
        if self.goal is None and (at < self.settled_at or NEVER in self.due):
            return self.before
        return self.goal

    def is_settled(self, at: float) -> bool:
        """Nothing is under way at an instant."""
        return at >= self.settled_at or at < self.changed_at

    def has_failed(self, at: float) -> bool:
        """An operator refused the present change."""
        return at >= self.settled_at and NEVER in self.due

    def operators(self, at: float) -> tuple[str | None, ...]:
        """The campaign that each operator has the number on, in the order of OPERATORS."""
        if not self.due:
            return (self.goal,) * len(OPERATORS)
        return tuple(
            self.goal if due != NEVER and at >= due else held for due, held in zip(self.due, self.held, strict=True)
        )

    def since(self, at: float) -> float:
        """When the record began to say what it says."""
        if self.goal is None and at >= self.settled_at:
            return self.settled_at or self.in_service_at
        return self.changed_at or self.in_service_at

    def change(self, *, goal: str | None, at: float, due: tuple[float, ...] = ()) -> None:
        """Begin a change at an instant; without `due` every operator follows at once."""
        self.held = self.operators(at)
        self.before = self.campaign(at)
        self.goal = goal
        self.changed_at = at
        self.due = due
        self.settled_at = max((at, *due))


class Plan(Struct, array_like=True, frozen=True):
    """What a fault has decided about an order on its arrival; `code` and `text` go to every refused member."""

    outcome: str = ""
    code: str = ""
    text: str = ""
    share: float = 1.0
    seconds: float = 0.0


class Group(Struct, array_like=True):
    """One group of a TN option order: what is asked for, and for which numbers (E.164)."""

    action: str
    campaign: str | None
    message_class: str | None
    sms: str | None
    numbers: list[str]


class LineOrder(Struct):
    """A TN option order."""

    id: str
    key: str
    created_at: float
    modified_at: float
    groups: list[Group]
    state: OrderState = OrderState.RECEIVED
    errors: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    warnings: dict[str, str] = field(default_factory=dict[str, str])
    plan: Plan = Plan()
    history: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    steps: list[Step] = field(default_factory=list[Step])

    def numbers(self) -> list[str]:
        """Every member, in order."""
        return [number for group in self.groups for number in group.numbers]


class NumberOrder(Struct):
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
    state: OrderState = OrderState.RECEIVED
    done: list[str] = field(default_factory=list[str])
    errors: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    plan: Plan = Plan()
    steps: list[Step] = field(default_factory=list[Step])


class Brand(Struct):
    """A brand at the registry; `fields` are kept under the registry's own camelCase names."""

    id: str
    fields: dict[str, object]
    created_at: float
    identity_status: str | None = None
    feedback: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    looked_at: int = 0
    is_deleted: bool = False
    steps: list[Step] = field(default_factory=list[Step])


class Campaign(Struct):
    """A campaign at the registry, its way up the sharing chain, and how each operator stands to it."""

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
    is_asleep: bool = False
    is_suspended: bool = False
    magic: str = ""
    steps: list[Step] = field(default_factory=list[Step])

    @property
    def may_carry_numbers(self) -> bool:
        """Numbers can be put on it at this moment."""
        return self.status == "ACTIVE" and self.is_imported and not self.is_suspended


class Shelf(Struct, array_like=True):
    """A number that was given back: not for sale before `until`, and still on `campaign` if nobody took it off."""

    number: str
    until: float
    campaign: str | None = None


class Subscription(Struct):
    """Where the carrier sends notifications of one order type."""

    id: str
    order_type: str
    url: str
    username: str
    password: str
    expiry_s: int
    created_at: float
    status: str = ""


class Webhook(Struct):
    """Where the registry sends events of one category."""

    id: str
    url: str
    created_at: float


class Application(Struct):
    """Where the carrier sends what happens to texts, and with which Basic credentials."""

    id: str
    url: str
    username: str
    password: str


Entity = Line | Shelf | LineOrder | NumberOrder | Brand | Campaign | Subscription | Webhook | Application
