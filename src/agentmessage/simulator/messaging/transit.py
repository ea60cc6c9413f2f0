"""Messages in transit to their handsets, and receipts and inbound messages until they are acknowledged."""

import heapq
from collections import deque
from typing import NamedTuple

from agentmessage.kernel.backoff import backoff_s
from agentmessage.simulator.core.profiles import OPERATORS
from agentmessage.simulator.core.shared_state import SharedState
from agentmessage.simulator.messaging.history import MessageHistory
from agentmessage.simulator.messaging.magic_numbers import PLAIN, MagicOutcome
from agentmessage.simulator.messaging.model import (
    AcceptedMessage,
    AcceptedPart,
    CustomerDelivery,
    FinalStatus,
    InboundPart,
    ReceiptDelivery,
    Stat,
    Submission,
    Via,
)
from agentmessage.simulator.messaging.records import PartEnded, Record, Settled

FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 30.0
"""The first and the longest delay before a delivery that was not acknowledged is repeated."""

OLDER_RECEIPT_S = 0.2
REORDERED_S = 1.5


class PlannedReceipt(NamedTuple):
    """A receipt at a later time; `is_final`: with the final status of the part."""

    part: AcceptedPart
    stat: Stat
    is_final: bool


class HandsetReply(NamedTuple):
    """A message that a handset will send."""

    account: str
    handset: str
    to: str
    text: str


_ScheduledStep = tuple[float, int, PlannedReceipt | HandsetReply | ReceiptDelivery | InboundPart]


class Transit:
    """Everything in transit. `waiting` is what is ready to be delivered, by account and protocol."""

    def __init__(self, shared: SharedState, history: MessageHistory) -> None:
        self._shared = shared
        self._history = history
        self.waiting = {(account, via): deque[CustomerDelivery]() for account in shared.accounts for via in Via}
        self.records: list[Record] = []
        self.arrived: list[AcceptedMessage] = []
        """Messages that reached their handsets during the last `advance` or `end`."""
        self._open: dict[int, AcceptedPart | InboundPart] = {}
        self._schedule: list[_ScheduledStep] = []
        self._sequence = 0

    @property
    def open(self) -> int:
        """Number of parts and inbound parts that are not finished and acknowledged."""
        return len(self._open)

    @property
    def next_at(self) -> float | None:
        """When the next step is due."""
        return self._schedule[0][0] if self._schedule else None

    # ── towards the handset ─────────────────────────────────────────────────────────────────────────────────

    def open_part(
        self, serial: int, part_id: str, submission: Submission, final_status: FinalStatus, *, at: float
    ) -> AcceptedPart:
        """Add an accepted part, also to the history."""
        message = self._history.add_part(submission, part_id, at=at)
        part = AcceptedPart(serial, part_id, message, submission.part, submission.receipts, final_status)
        self._open[serial] = part
        return part

    def schedule_part(
        self, part: AcceptedPart, outcome: MagicOutcome, *, at: float, late_s: float = 0.0, is_reordered: bool = False
    ) -> None:
        """Schedule the receipts of a part, after the delays of its handset's operator."""
        profile = self._shared.profile
        span = profile.transit_of(OPERATORS[operator_of(part.message.recipient)])
        transit_s = self._shared.random.within(span, "transit", part.serial) if span.high_s > 0.0 else 0.0
        due = at + transit_s + late_s
        before = outcome.before
        if part.message.via is Via.BANDWIDTH:
            before = (Stat.ENROUTE, Stat.ACCEPTED) if part.message.media else (Stat.ACCEPTED,)
        for index, stat in enumerate(before, start=1):
            self._add_step(at + transit_s * index / 4, PlannedReceipt(part, stat, is_final=False))
        if outcome is not PLAIN:
            due += outcome.delay_s / profile.time_scale
            for index, stat in enumerate(outcome.after, start=1):
                self._add_step(due + OLDER_RECEIPT_S * index, PlannedReceipt(part, stat, is_final=False))
        if is_reordered:
            self._add_step(due + REORDERED_S, PlannedReceipt(part, Stat.ENROUTE, is_final=False))
        self._add_step(due, PlannedReceipt(part, part.final_status.stat, is_final=True))

    def end(self, part: AcceptedPart, *, at: float) -> None:
        """Set the final status of a part; its receipts become ready to be delivered."""
        if self._history.finish_part(part.message, part.final_status, at=at):
            self.arrived.append(part.message)
        self.records.append(PartEnded(part.serial, at))
        if part.is_silent or not _is_wanted(part):
            self._settle(part.serial)
            return
        queue = self.waiting[part.message.account, part.message.via]
        for copy in range(part.copies - 1, -1, -1):
            queue.append(ReceiptDelivery(part, part.final_status.stat, at, copy == 0))

    def close(self, part: AcceptedPart, *, at: float) -> None:
        """Restore a part whose final receipt was acknowledged before a restart."""
        self._history.finish_part(part.message, part.final_status, at=at)
        self._open.pop(part.serial, None)

    def schedule_reply(self, reply: HandsetReply, *, at: float) -> None:
        """Schedule a message of a handset."""
        self._add_step(at, reply)

    def advance(self, until: float) -> list[tuple[float, HandsetReply]]:
        """Run every step that is due; returns the handsets' replies and their times."""
        schedule, replies = self._schedule, list[tuple[float, HandsetReply]]()
        while schedule and schedule[0][0] <= until:
            due, _, step = heapq.heappop(schedule)
            match step:
                case PlannedReceipt(part, stat, is_final):
                    if is_final:
                        self.end(part, at=due)
                    elif not part.is_silent and _is_wanted(part):
                        self._enqueue(ReceiptDelivery(part, stat, due, is_last=False))
                case HandsetReply():
                    replies.append((due, step))
                case ReceiptDelivery() | InboundPart():
                    self._enqueue(step)
        return replies

    # ── towards the customer ────────────────────────────────────────────────────────────────────────────────

    def deliver_inbound(self, inbound: InboundPart) -> None:
        """Deliver a message of a handset, until it is acknowledged."""
        self._open[inbound.serial] = inbound
        self._enqueue(inbound)

    def acknowledge(self, delivery: CustomerDelivery) -> None:
        """The customer acknowledged a delivery."""
        if isinstance(delivery, InboundPart):
            self._history.counts["inbound_acknowledged"] += 1
            self._settle(delivery.serial)
            return
        self._history.counts["receipts_acknowledged"] += 1
        if delivery.is_last:
            self._settle(delivery.part.serial)

    def redeliver(self, delivery: CustomerDelivery, *, at: float) -> None:
        """The customer did not acknowledge a delivery: repeat it later, with growing delays."""
        self._history.counts["deliveries_failed"] += 1
        pause_s = backoff_s(delivery.attempts, first_s=FIRST_PAUSE_S, max_s=MAX_PAUSE_S)
        delivery.attempts += 1
        self._add_step(at + pause_s, delivery)

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, serial: int) -> None:
        if self._open.pop(serial, None) is not None:
            self.records.append(Settled(serial))

    def _enqueue(self, delivery: CustomerDelivery) -> None:
        if isinstance(delivery, InboundPart):
            self.waiting[delivery.account, delivery.via].append(delivery)
        else:
            message = delivery.part.message
            self.waiting[message.account, message.via].append(delivery)

    def _add_step(self, due: float, step: PlannedReceipt | HandsetReply | ReceiptDelivery | InboundPart) -> None:
        self._sequence += 1
        heapq.heappush(self._schedule, (due, self._sequence, step))


def operator_of(number: str) -> int:
    """The index in OPERATORS of the operator that serves a handset, by its last digit."""
    last = number[-1:]
    return int(last) % len(OPERATORS) if last.isdecimal() else 0


def _is_wanted(part: AcceptedPart) -> bool:
    """Whether the customer requested a receipt of this final status (SMPP 3.4, section 5.2.17)."""
    return part.receipts == 1 or (part.receipts == 2 and part.final_status.stat is not Stat.DELIVERED)  # noqa: PLR2004
