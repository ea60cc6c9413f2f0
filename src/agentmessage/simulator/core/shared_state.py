"""What all parts of a world share: randomness, faults, the schedule, the accounts, and unsaved changes."""

from collections.abc import Mapping
from datetime import UTC, datetime

from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.entities import (
    AgingNumber,
    CarrierNumberOrder,
    Entity,
    LineOptionOrder,
    MessagingApplication,
    NumberLine,
    OrderSubscription,
    RegistryBrand,
    RegistryCampaign,
    RegistryWebhook,
)
from agentmessage.simulator.core.faults import FaultInjector
from agentmessage.simulator.core.http_types import OutgoingCallback
from agentmessage.simulator.core.profiles import TimingProfile
from agentmessage.simulator.core.random import SeededRandom
from agentmessage.simulator.core.schedule import Schedule

ChangeKey = tuple[str, str, str]
"""Account id, kind of entity, id of the entity."""

KINDS: Mapping[type[Entity], str] = {
    NumberLine: "line",
    AgingNumber: "aging_number",
    LineOptionOrder: "line_order",
    CarrierNumberOrder: "number_order",
    RegistryBrand: "brand",
    RegistryCampaign: "campaign",
    OrderSubscription: "subscription",
    RegistryWebhook: "webhook",
    MessagingApplication: "application",
}


def stamp(at: float) -> str:
    """A time as both vendors print it: UTC with milliseconds and Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SharedState:
    """What every part of a world reads and changes."""

    def __init__(
        self, *, seed: int, profile: TimingProfile, accounts: Mapping[str, str], registry_secret: str, is_stored: bool
    ) -> None:
        self.seed = seed
        self.profile = profile
        self.random = SeededRandom(seed)
        self.faults = FaultInjector(self.random)
        self.schedule = Schedule()
        self.accounts = {account_id: SimulatedAccount(account_id, key) for account_id, key in accounts.items()}
        self.changes: dict[ChangeKey, Entity | None] = {}
        self.callbacks: list[tuple[float, int, OutgoingCallback]] = []
        self.callbacks_made = 0
        self.registry_secret = registry_secret
        self.allows_duplicate_keys = False
        self.max_batch = 1000
        self.requests: dict[str, int] = {}
        self._is_stored = is_stored
        self._serial = 0

    def next_serial(self) -> int:
        """A number that grows, to keep equal times in order."""
        self._serial += 1
        return self._serial

    def count_callback(self) -> int:
        """Count one more callback."""
        self.callbacks_made += 1
        return self.callbacks_made

    def mark_changed(self, account: SimulatedAccount, entity: Entity) -> None:
        """Mark an entity as changed: to be saved."""
        if self._is_stored:
            kind, key = identity(entity)
            self.changes[account.id, kind, key] = entity

    def mark_deleted(self, account: SimulatedAccount, kind: str, key: str) -> None:
        """Mark an entity as deleted."""
        if self._is_stored:
            self.changes[account.id, kind, key] = None

    def schedule_step(
        self,
        account: SimulatedAccount,
        entity: LineOptionOrder | CarrierNumberOrder | RegistryBrand | RegistryCampaign,
        at: float,
        step: str,
    ) -> None:
        """Schedule a step of an entity."""
        entity.steps.append((at, step))
        self.schedule.add(at, account.id, identity(entity)[0], entity.id, step)
        self.mark_changed(account, entity)

    def cancel_steps(
        self, entity: LineOptionOrder | CarrierNumberOrder | RegistryBrand | RegistryCampaign, step: str
    ) -> None:
        """Cancel the steps of one name; the schedule skips steps that their entity no longer lists."""
        entity.steps = [scheduled for scheduled in entity.steps if scheduled[1] != step]


def identity(entity: Entity) -> tuple[str, str]:
    """The kind and key of an entity."""
    key = entity.number if isinstance(entity, NumberLine | AgingNumber) else entity.id
    return KINDS[type(entity)], key
