"""The way of accepted texts to their handsets, and of what is told about them until it is acknowledged."""

import heapq
from collections import deque
from typing import NamedTuple

from agentmessage.kernel.backoff import backoff_s
from agentmessage.simulator.core.profiles import OPERATORS
from agentmessage.simulator.core.shared_state import Realm
from agentmessage.simulator.messaging.history import TextBook
from agentmessage.simulator.messaging.magic_numbers import PLAIN, Fate
from agentmessage.simulator.messaging.model import (
    Ending,
    Handed,
    Inbound,
    Receipt,
    Stat,
    Submission,
    Telling,
    Text,
    Via,
)
from agentmessage.simulator.messaging.records import PartEnded, Record, Settled

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
"""How long what was not acknowledged waits before it is told again: the first time, and at most."""

AFTERWARDS_S = 0.2
REORDERED_S = 1.5


class Step(NamedTuple):
    """A receipt that becomes due; `is_end`: this is what becomes of the part."""

    handed: Handed
    stat: Stat
    is_end: bool


class Reply(NamedTuple):
    """What a handset is about to say."""

    account: str
    handset: str
    to: str
    text: str


_Planned = tuple[float, int, Step | Reply | Receipt | Inbound]


class Transit:
    """Everything under way. `waiting` is what is to be told now, by account and way."""

    def __init__(self, realm: Realm, book: TextBook) -> None:
        self._realm = realm
        self._book = book
        self.waiting = {(account, via): deque[Telling]() for account in realm.accounts for via in Via}
        self.records: list[Record] = []
        self.arrived: list[Text] = []
        """Texts that reached their handsets during the last `advance` or `end`, for whoever answers them."""
        self._open: dict[int, Handed | Inbound] = {}
        self._agenda: list[_Planned] = []
        self._sequence = 0

    @property
    def open(self) -> int:
        """Parts and handsets' texts whose end is not acknowledged yet."""
        return len(self._open)

    @property
    def next_at(self) -> float | None:
        """When something will next happen."""
        return self._agenda[0][0] if self._agenda else None

    # ── towards the handset ─────────────────────────────────────────────────────────────────────────────────

    def open_part(self, serial: int, part_id: str, given: Submission, ending: Ending, *, at: float) -> Handed:
        """An accepted part, known to the book from now on."""
        text = self._book.take(given, part_id, at=at)
        handed = Handed(serial, part_id, text, given.part, given.receipts, ending)
        self._open[serial] = handed
        return handed

    def carry(self, handed: Handed, fate: Fate, *, at: float, late_s: float = 0.0, is_disordered: bool = False) -> None:
        """Plan what becomes of a part, as its handset's operator takes its time."""
        profile = self._realm.profile
        span = profile.transit_of(OPERATORS[operator_of(handed.text.recipient)])
        transit_s = self._realm.dice.within(span, "transit", handed.serial) if span.high_s > 0.0 else 0.0
        due = at + transit_s + late_s
        before = fate.before
        if handed.text.via is Via.BANDWIDTH:
            before = (Stat.ENROUTE, Stat.ACCEPTED) if handed.text.media else (Stat.ACCEPTED,)
        for index, stat in enumerate(before, start=1):
            self._plan(at + transit_s * index / 4, Step(handed, stat, is_end=False))
        if fate is not PLAIN:
            due += fate.delay_s / profile.time_scale
            for index, stat in enumerate(fate.after, start=1):
                self._plan(due + AFTERWARDS_S * index, Step(handed, stat, is_end=False))
        if is_disordered:
            self._plan(due + REORDERED_S, Step(handed, Stat.ENROUTE, is_end=False))
        self._plan(due, Step(handed, handed.ending.stat, is_end=True))

    def end(self, handed: Handed, *, at: float) -> None:
        """A part comes to its end: into the handset or not, and the customer is to be told."""
        if self._book.finish(handed.text, handed.ending, at=at):
            self.arrived.append(handed.text)
        self.records.append(PartEnded(handed.serial, at))
        if handed.is_silent or not _is_wanted(handed):
            self._settle(handed.serial)
            return
        queue = self.waiting[handed.text.account, handed.text.via]
        for copy in range(handed.copies - 1, -1, -1):
            queue.append(Receipt(handed, handed.ending.stat, at, copy == 0))

    def close(self, handed: Handed, *, at: float) -> None:
        """A part came to its end and was told about before a restart."""
        self._book.finish(handed.text, handed.ending, at=at)
        self._open.pop(handed.serial, None)

    def plan_reply(self, reply: Reply, *, at: float) -> None:
        """A handset will say something."""
        self._plan(at, reply)

    def advance(self, until: float) -> list[tuple[float, Reply]]:
        """Let everything happen that is due by an instant; answers what handsets say, and when."""
        agenda, replies = self._agenda, list[tuple[float, Reply]]()
        while agenda and agenda[0][0] <= until:
            due, _, what = heapq.heappop(agenda)
            match what:
                case Step(handed, stat, is_end):
                    if is_end:
                        self.end(handed, at=due)
                    elif not handed.is_silent and _is_wanted(handed):
                        self._await(Receipt(handed, stat, due, is_last=False))
                case Reply():
                    replies.append((due, what))
                case Receipt() | Inbound():
                    self._await(what)
        return replies

    # ── towards the customer ────────────────────────────────────────────────────────────────────────────────

    def tell(self, inbound: Inbound) -> None:
        """A text from a handset is to be told."""
        self._open[inbound.serial] = inbound
        self._await(inbound)

    def acknowledge(self, telling: Telling) -> None:
        """The customer has it."""
        if isinstance(telling, Inbound):
            self._book.counts["inbound_acknowledged"] += 1
            self._settle(telling.serial)
            return
        self._book.counts["receipts_acknowledged"] += 1
        if telling.is_last:
            self._settle(telling.handed.serial)

    def give_back(self, telling: Telling, *, at: float) -> None:
        """The customer does not have it, or nobody knows: it is told again, later each time."""
        self._book.counts["told_in_vain"] += 1
        pause_s = backoff_s(telling.attempts, first_s=FIRST_PAUSE_S, max_s=LONGEST_PAUSE_S)
        telling.attempts += 1
        self._plan(at + pause_s, telling)

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, serial: int) -> None:
        if self._open.pop(serial, None) is not None:
            self.records.append(Settled(serial))

    def _await(self, telling: Telling) -> None:
        if isinstance(telling, Inbound):
            self.waiting[telling.account, telling.via].append(telling)
        else:
            text = telling.handed.text
            self.waiting[text.account, text.via].append(telling)

    def _plan(self, due: float, what: Step | Reply | Receipt | Inbound) -> None:
        self._sequence += 1
        heapq.heappush(self._agenda, (due, self._sequence, what))


def operator_of(number: str) -> int:
    """The index in OPERATORS of the mobile operator that serves a handset: by its last digit, so that it stays."""
    last = number[-1:]
    return int(last) % len(OPERATORS) if last.isdecimal() else 0


def _is_wanted(handed: Handed) -> bool:
    """Whether the customer asked for a receipt of this end (SMPP 3.4, section 5.2.17)."""
    return handed.receipts == 1 or (handed.receipts == 2 and handed.ending.stat is not Stat.DELIVERED)  # noqa: PLR2004
