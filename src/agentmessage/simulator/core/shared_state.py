"""What all parts of a world share: dice, faults, the agenda, the accounts, and the list of what has changed."""

from collections.abc import Mapping
from datetime import UTC, datetime

from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.entities import Brand, Campaign, Entity, Line, LineOrder, NumberOrder, Shelf
from agentmessage.simulator.core.faults import FaultBook
from agentmessage.simulator.core.http_types import OutgoingCallback
from agentmessage.simulator.core.profiles import Profile
from agentmessage.simulator.core.random import Dice
from agentmessage.simulator.core.schedule import Agenda

ChangeKey = tuple[str, str, str]
"""Account id, kind of entity, id of the entity."""

KINDS: Mapping[type, str] = {Line: "line", Shelf: "shelf", LineOrder: "line_order", NumberOrder: "number_order"}


def stamp(at: float) -> str:
    """A time as both vendors print it: UTC with milliseconds and Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Realm:
    """The shared ground of a world."""

    def __init__(
        self, *, seed: int, profile: Profile, accounts: Mapping[str, str], registry_secret: str, is_recorded: bool
    ) -> None:
        self.seed = seed
        self.profile = profile
        self.dice = Dice(seed)
        self.faults = FaultBook(self.dice)
        self.agenda = Agenda()
        self.accounts = {account_id: Account(account_id, key) for account_id, key in accounts.items()}
        self.changes: dict[ChangeKey, Entity | None] = {}
        self.callbacks: list[tuple[float, int, OutgoingCallback]] = []
        self.callbacks_made = 0
        self.registry_secret = registry_secret
        self.allows_duplicate_keys = False
        self.max_batch = 1000
        self.requests: dict[str, int] = {}
        self._is_recorded = is_recorded
        self._serial = 0

    def next_serial(self) -> int:
        """A number that grows, to keep equal times in order."""
        self._serial += 1
        return self._serial

    def count_callback(self) -> int:
        """Count one more callback."""
        self.callbacks_made += 1
        return self.callbacks_made

    def touch(self, account: Account, entity: Entity) -> None:
        """Note that an entity must be written to disk again."""
        if self._is_recorded:
            kind, key = identity(entity)
            self.changes[account.id, kind, key] = entity

    def forget(self, account: Account, kind: str, key: str) -> None:
        """Note that an entity is gone from disk."""
        if self._is_recorded:
            self.changes[account.id, kind, key] = None

    def plan(self, account: Account, entity: LineOrder | NumberOrder | Brand | Campaign, at: float, step: str) -> None:
        """Let something happen to an entity at a time to come."""
        entity.steps.append((at, step))
        self.agenda.add(at, account.id, identity(entity)[0], entity.id, step)
        self.touch(account, entity)

    def unplan(self, entity: LineOrder | NumberOrder | Brand | Campaign, step: str) -> None:
        """Drop every planned step of one name; the agenda skips what its entity no longer plans."""
        entity.steps = [planned for planned in entity.steps if planned[1] != step]


def identity(entity: Entity) -> tuple[str, str]:
    """Under which kind and key an entity is kept."""
    if isinstance(entity, Line | Shelf):
        return KINDS[type(entity)], entity.number
    return KINDS.get(type(entity), type(entity).__name__.lower()), entity.id
