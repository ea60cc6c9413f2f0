"""Whose turn it is: the lanes that one dispatcher holds, in memory; no database, no network, and time is an argument.

Every receiver is a lane with an allowance of requests under way at once. It grows with every success and shrinks with
every failure. Receivers are of four kinds, by whether they fail and whether they are slow to answer, and each kind has
slots of its own: nobody waits for another kind. Within each, organizations take turns, and so do the lanes of each; and
of the slots, the memory and the lanes held, an organization has a share that leaves room for others (`fair_share`).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.token_bucket import TokenBucket
from agentmessage.webhooks.fair_share import Shares, Turns


class Kind(Enum):
    """How a receiver stands: whether it fails, and whether it takes long."""

    WELL = (False, False)
    SLOW = (False, True)
    FAILING = (True, False)
    HANGING = (True, True)


HEALTHY_SLOTS = 1_024
"""Requests under way at once, of all receivers that answer well; half of them of one organization alone."""

SMALL_SHARE = 8
"""Requests under way, of each kind, that no organization is denied while there are slots."""

SICK_SLOTS = 480
"""And of all of each other kind; half of them, too, of one organization alone."""

SICK_PER_S = 500.0
"""Requests to receivers that fail, of all together: what fails at once would otherwise be failed at all the time."""

LAG_S = 0.1
"""With every so much that this process is behind its own clock, receivers that fail get a share less of its time."""

FIRST_ALLOWANCE = 4
MOST_ALLOWANCE = 200
SLOW_ALLOWANCE = 32
SICK_ALLOWANCE = 2
SICK_AFTER = 3
"""Failures in a row."""

SLOW_S = 1.0
"""A receiver is slow while a request of it has been under way for longer, and until an answer came sooner."""

FRESH_S = 1.0
"""How long a delivery may wait in memory: longer, and the URL or the secret it was read with may be old."""

MOST_DEPTH = 8
"""How far ahead of the wire a lane is read, in allowances: as far as what is read is told while it is fresh."""

MOST_IN_MEMORY = 8_000
"""Deliveries read and not in the books yet; half of them of one organization alone."""

SMALL_MEMORY = 64
MOST_LANES = 1_000
SMALL_LANES = 16

MOST_UNRECORDED = 400
"""Deliveries told and not in the books yet, from which on the books are waited for: a crash tells them again."""

BUSY = 256
"""Requests under way to healthy receivers from which on a dispatcher leaves new lanes to others, if there are any."""


class Delivery(Struct, frozen=True, kw_only=True):
    """Something to tell, with what telling it needs. `attempts` were made before; `data` None: it is not kept any more.

    `secrets` are sealed, the newest first; none: the organization has none yet.
    """

    queue_id: UUID
    org_id: UUID
    is_number: bool
    url: str
    secrets: tuple[bytes, ...]
    due_at: datetime
    id: UUID
    event_id: UUID
    public_event_id: UUID
    attempts: int
    type: str | None
    happened_at: datetime | None
    data: str | None


class Lane:
    """One receiver as its dispatcher sees it. Instants are seconds of a monotonic clock."""

    __slots__ = (
        "allowance",
        "depth",
        "failing_since",
        "failures",
        "flying",
        "has_more",
        "held",
        "id",
        "is_known",
        "is_queued",
        "is_sick",
        "is_slow",
        "look_at",
        "org_id",
        "waiting",
        "was_slow",
    )

    def __init__(self, queue_id: UUID, org_id: UUID) -> None:
        self.id = queue_id
        self.org_id = org_id
        self.waiting: deque[tuple[Delivery, float]] = deque()
        self.flying: dict[UUID, float] = {}
        self.held: set[UUID] = set()
        self.allowance = FIRST_ALLOWANCE
        self.depth = 1
        self.failures = 0
        self.failing_since: datetime | None = None
        self.is_known = False
        self.is_sick = False
        self.is_slow = False
        self.was_slow = False
        self.is_queued = False
        self.has_more = True
        self.look_at: float | None = None

    @property
    def kind(self) -> Kind:
        """How it stands."""
        return _KINDS[self.is_sick, self.is_slow]

    @property
    def most(self) -> int:
        """How many requests may be under way."""
        if self.is_sick:
            return SICK_ALLOWANCE
        return min(self.allowance, SLOW_ALLOWANCE) if self.is_slow else self.allowance

    def room(self) -> int:
        """How many deliveries are worth reading now: some ahead where they are told at once, none where they wait."""
        ahead = len(self.waiting) + len(self.flying)
        if self.kind is not Kind.WELL:
            return max(0, self.most - ahead)
        depth = self.depth * self.most
        return self.most + depth - ahead if len(self.waiting) * 2 <= depth else 0

    def was_read(self, *, is_full: bool) -> None:
        """Read further ahead next time, if there is more and nothing was left to tell before it came."""
        if is_full and not self.waiting:
            self.depth = min(MOST_DEPTH, self.depth * 2)

    def learn(self, failing_since: datetime | None) -> None:
        """Take over what the books say; one that failed last time is sick until it proves otherwise."""
        self.failing_since = failing_since
        if not self.is_known:
            self.is_known = True
            self.is_sick = failing_since is not None

    def note(self, *, is_success: bool, at: datetime) -> None:
        """Learn from an answer."""
        if is_success:
            self.failing_since = None
            self.failures = 0
            self.is_sick = False
            self.allowance = min(MOST_ALLOWANCE, self.allowance + 1)
        else:
            self.failing_since = self.failing_since or at
            self.failures += 1
            self.is_sick = self.is_sick or self.failures >= SICK_AFTER
            self.allowance = max(SICK_ALLOWANCE, self.allowance // 2)

    def look_by(self, moment: float) -> None:
        """Something will be due then."""
        self.look_at = moment if self.look_at is None else min(self.look_at, moment)


class Lanes:
    """All lanes of one dispatcher."""

    def __init__(self) -> None:
        self._lanes: dict[UUID, Lane] = {}
        self._shares = Shares(MOST_LANES, small=SMALL_LANES)
        self._turns: dict[Kind, Turns[Lane]] = {kind: Turns() for kind in Kind}
        self._flying = {kind: Shares(_slots(kind), small=SMALL_SHARE) for kind in Kind}
        self._held = Shares(MOST_IN_MEMORY, small=SMALL_MEMORY)
        self._unrecorded = 0
        self._sick_bucket = TokenBucket()
        self._sick_per_s = SICK_PER_S

    def __len__(self) -> int:
        """How many lanes are held."""
        return len(self._lanes)

    @property
    def flying(self) -> int:
        """Requests under way."""
        return sum(shares.used for shares in self._flying.values())

    @property
    def is_busy(self) -> bool:
        """There is enough to do."""
        return self._flying[Kind.WELL].used >= BUSY

    @property
    def room(self) -> int:
        """How many lanes more may be held."""
        return max(0, MOST_LANES - len(self._lanes))

    def full(self) -> list[UUID]:
        """Organizations of which no lane more may be held now."""
        return self._shares.full()

    def get(self, queue_id: UUID) -> Lane | None:
        """A lane that is held."""
        return self._lanes.get(queue_id)

    def took(self, lanes: Iterable[tuple[UUID, UUID]]) -> None:
        """Lanes are held from now on, or something became due on them; each with its organization."""
        for queue_id, org_id in lanes:
            if queue_id not in self._lanes:
                self._lanes[queue_id] = Lane(queue_id, org_id)
                self._shares.use(org_id, 1)
            self._lanes[queue_id].has_more = True

    def lose(self, queue_id: UUID) -> None:
        """A lane is not ours any more: what is under way ends, what waits is forgotten."""
        lane = self._lanes.pop(queue_id, None)
        if lane is not None:
            lane.waiting.clear()
            self._shares.use(lane.org_id, -1)
            self._held.use(lane.org_id, -len(lane.held))
            self._flying[lane.kind].use(lane.org_id, -len(lane.flying))

    def to_pull(self, now: float) -> list[tuple[Lane, int]]:
        """Lanes to read from, each with its room."""
        pulls: list[tuple[Lane, int]] = []
        for lane in self._lanes.values():
            if lane.look_at is not None and lane.look_at <= now:
                lane.has_more, lane.look_at = True, None
            room = min(lane.room(), self._held.left(lane.org_id)) if lane.has_more else 0
            if room > 0:
                pulls.append((lane, room))
                self._held.use(lane.org_id, room)
        for lane, room in pulls:  # it was only planned
            self._held.use(lane.org_id, -room)
        return pulls

    def add(self, delivery: Delivery, now: float) -> None:
        """A delivery was read from its lane."""
        lane = self._lanes[delivery.queue_id]
        if delivery.id not in lane.held:
            lane.held.add(delivery.id)
            self._held.use(lane.org_id, 1)
            lane.waiting.append((delivery, now))
            self._give_turn(lane)

    def next_to_tell(self, now: float) -> Iterator[Delivery]:
        """Deliveries whose turn it is; each counts as under way from here on."""
        self._sick_bucket.refill(now, capacity=self._sick_per_s, per_second=self._sick_per_s)
        for kind, turns in self._turns.items():
            is_sick = kind in (Kind.FAILING, Kind.HANGING)
            while self._may_tell(is_sick=is_sick) and (lane := turns.next(self._flying[kind])) is not None:
                lane.is_queued = False
                delivery = self._next_of(lane, now)
                if delivery is not None:
                    self._sick_bucket.tokens -= is_sick
                    yield delivery

    def landed(self, delivery: Delivery, now: float, *, is_success: bool | None, at: datetime) -> None:
        """A request came to its end; `is_success` None: it was not made, and nothing is learned."""
        self._unrecorded += 1
        lane = self._lanes.get(delivery.queue_id)
        begun_at = None if lane is None else lane.flying.pop(delivery.id, None)
        if lane is None or begun_at is None:
            return
        old = lane.kind
        self._flying[old].use(lane.org_id, -1)
        if is_success is not None:
            lane.note(is_success=is_success, at=at)
            lane.was_slow = now - begun_at > SLOW_S
            lane.is_slow = lane.is_slow or lane.was_slow
        self._move(lane, old)

    def recorded(self, delivery: Delivery, *, next_at: float | None) -> None:
        """What came of a delivery is in the books; `next_at` is when it will be due again."""
        self._unrecorded -= 1
        lane = self._lanes.get(delivery.queue_id)
        if lane is not None:
            self._drop(lane, delivery)
            if next_at is not None:
                lane.look_by(next_at)

    def lag(self, seconds: float) -> None:
        """This process is so much behind its own clock: the healthy come first."""
        self._sick_per_s = SICK_PER_S / (1.0 + seconds / LAG_S)

    def watch(self, now: float) -> None:
        """Tell the slow from the others."""
        for lane in self._lanes.values():
            is_late = bool(lane.flying) and now - next(iter(lane.flying.values())) > SLOW_S
            old, lane.is_slow = lane.kind, lane.was_slow or is_late
            self._move(lane, old)

    def idle(self, now: float, *, patience_s: float) -> list[UUID]:
        """Lanes that can be let go: nothing of them is in memory, and nothing will be due at once."""
        return [
            lane.id
            for lane in self._lanes.values()
            if not lane.held and not lane.has_more and (lane.look_at is None or lane.look_at > now + patience_s)
        ]

    def held(self) -> list[UUID]:
        """Every lane."""
        return list(self._lanes)

    def _may_tell(self, *, is_sick: bool) -> bool:
        return self._unrecorded < MOST_UNRECORDED and (not is_sick or self._sick_bucket.tokens >= 1.0)

    def _next_of(self, lane: Lane, now: float) -> Delivery | None:
        if len(lane.flying) >= lane.most or lane.id not in self._lanes:
            return None
        while lane.waiting:
            delivery, read_at = lane.waiting.popleft()
            if now - read_at > FRESH_S:
                self._drop(lane, delivery)
                lane.has_more, lane.depth = True, max(1, lane.depth // 2)
                continue
            lane.flying[delivery.id] = now
            self._flying[lane.kind].use(lane.org_id, 1)
            self._give_turn(lane)
            return delivery
        return None

    def _give_turn(self, lane: Lane) -> None:
        if lane.waiting and not lane.is_queued and len(lane.flying) < lane.most:
            lane.is_queued = True
            self._turns[lane.kind].add(lane.org_id, lane)

    def _drop(self, lane: Lane, delivery: Delivery) -> None:
        """A delivery is not in memory any more."""
        if delivery.id in lane.held:
            lane.held.discard(delivery.id)
            self._held.use(lane.org_id, -1)

    def _move(self, lane: Lane, old: Kind) -> None:
        """A lane may be of another kind than it was: what it has under way counts there now, and its turn is there."""
        if lane.kind is not old:
            self._flying[old].use(lane.org_id, -len(lane.flying))
            self._flying[lane.kind].use(lane.org_id, len(lane.flying))
            if lane.is_queued:
                self._turns[old].remove(lane.org_id, lane)
                lane.is_queued = False
        self._give_turn(lane)


def _slots(kind: Kind) -> int:
    return HEALTHY_SLOTS if kind is Kind.WELL else SICK_SLOTS


_KINDS: Mapping[tuple[bool, bool], Kind] = {kind.value: kind for kind in Kind}
