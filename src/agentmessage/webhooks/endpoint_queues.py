"""The queues that one dispatcher holds, and which is next; in memory, without database, network or clock.

Every receiver has a queue with a limit of requests under way (AIMD). It grows with every success and shrinks with
every failure. Receivers are of four kinds, by whether they fail and whether they are slow to answer, and each kind has
slots of its own: no kind waits for another. Within each, organizations take turns, and so do the queues of each; and
of the slots, the memory and the queues held, an organization has a share that leaves room for others (`fair_share`).
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

    HEALTHY = (False, False)
    SLOW = (False, True)
    FAILING = (True, False)
    TIMING_OUT = (True, True)


HEALTHY_SLOTS = 1_024
"""Requests under way at once, of all receivers that answer well; half of them of one organization alone."""

SMALL_SHARE = 8
"""Requests under way, of each kind, that no organization is denied while there are slots."""

FAILING_SLOTS = 480
"""And of all of each other kind; half of them, too, of one organization alone."""

MAX_FAILING_PER_S = 500.0
"""Requests a second to all failing receivers. Without it, instant failures would be retried in a tight loop."""

LAG_S = 0.1
"""Lag of the event loop, in seconds, that halves the rate of failing receivers; twice as much divides it by three."""

FIRST_CONCURRENCY = 4
MAX_CONCURRENCY = 200
SLOW_CONCURRENCY = 32
FAILING_CONCURRENCY = 2
FAILING_AFTER = 3
"""Failures in a row."""

SLOW_S = 1.0
"""A receiver is slow while a request of it has been under way for longer, and until an answer came sooner."""

FRESH_S = 1.0
"""How long a delivery may wait in memory: longer, and the URL or the secret it was read with may be old."""

MAX_DEPTH = 8
"""How far ahead a queue is read, in multiples of its limit: as much as is sent while it is fresh."""

MAX_IN_MEMORY = 8_000
"""Deliveries read and not recorded yet; half of them of one organization alone."""

SMALL_MEMORY = 64
MAX_QUEUES = 1_000
SMALL_QUEUES = 16

MAX_UNRECORDED = 400
"""Deliveries sent and not recorded yet; beyond, the dispatcher waits for records. A crash sends them again."""

BUSY = 256
"""Requests under way to healthy receivers; beyond, a dispatcher leaves new queues to other dispatchers."""


class Delivery(Struct, frozen=True, kw_only=True):
    """A delivery and what sending it needs. `attempts` were made before; `data` None: it is no longer stored.

    `secrets` are encrypted, the newest first; none: the organization has none yet.
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


class EndpointQueue:
    """One receiver as its dispatcher sees it. Instants are seconds of a monotonic clock."""

    __slots__ = (
        "concurrency_limit",
        "depth",
        "failing_since",
        "failures",
        "has_more",
        "held",
        "id",
        "in_flight",
        "is_failing",
        "is_known",
        "is_queued",
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
        self.in_flight: dict[UUID, float] = {}
        self.held: set[UUID] = set()
        self.concurrency_limit = FIRST_CONCURRENCY
        self.depth = 1
        self.failures = 0
        self.failing_since: datetime | None = None
        self.is_known = False
        self.is_failing = False
        self.is_slow = False
        self.was_slow = False
        self.is_queued = False
        self.has_more = True
        self.look_at: float | None = None

    @property
    def kind(self) -> Kind:
        """How it stands."""
        return _KINDS[self.is_failing, self.is_slow]

    @property
    def limit(self) -> int:
        """How many requests may be under way."""
        if self.is_failing:
            return FAILING_CONCURRENCY
        return min(self.concurrency_limit, SLOW_CONCURRENCY) if self.is_slow else self.concurrency_limit

    def room(self) -> int:
        """How many deliveries to read now: some ahead where they are sent immediately, none where they wait."""
        ahead = len(self.waiting) + len(self.in_flight)
        if self.kind is not Kind.HEALTHY:
            return max(0, self.limit - ahead)
        depth = self.depth * self.limit
        return self.limit + depth - ahead if len(self.waiting) * 2 <= depth else 0

    def was_read(self, *, is_full: bool) -> None:
        """Read further ahead next time, if there is more and nothing was left to send before it came."""
        if is_full and not self.waiting:
            self.depth = min(MAX_DEPTH, self.depth * 2)

    def learn(self, failing_since: datetime | None) -> None:
        """Take over what the database says; a receiver that failed last time is failing until it succeeds."""
        self.failing_since = failing_since
        if not self.is_known:
            self.is_known = True
            self.is_failing = failing_since is not None

    def note(self, *, is_success: bool, at: datetime) -> None:
        """Learn from an answer."""
        if is_success:
            self.failing_since = None
            self.failures = 0
            self.is_failing = False
            self.concurrency_limit = min(MAX_CONCURRENCY, self.concurrency_limit + 1)
        else:
            self.failing_since = self.failing_since or at
            self.failures += 1
            self.is_failing = self.is_failing or self.failures >= FAILING_AFTER
            self.concurrency_limit = max(FAILING_CONCURRENCY, self.concurrency_limit // 2)

    def look_by(self, moment: float) -> None:
        """Something will be due then."""
        self.look_at = moment if self.look_at is None else min(self.look_at, moment)


class EndpointQueues:
    """All queues of one dispatcher."""

    def __init__(self) -> None:
        self._queues: dict[UUID, EndpointQueue] = {}
        self._shares = Shares(MAX_QUEUES, small=SMALL_QUEUES)
        self._turns: dict[Kind, Turns[EndpointQueue]] = {kind: Turns() for kind in Kind}
        self._flying = {kind: Shares(_slots(kind), small=SMALL_SHARE) for kind in Kind}
        self._held = Shares(MAX_IN_MEMORY, small=SMALL_MEMORY)
        self._unrecorded = 0
        self._failing_bucket = TokenBucket()
        self._failing_per_s = MAX_FAILING_PER_S

    def __len__(self) -> int:
        """How many queues are held."""
        return len(self._queues)

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return sum(shares.used for shares in self._flying.values())

    @property
    def is_busy(self) -> bool:
        """There is enough to do."""
        return self._flying[Kind.HEALTHY].used >= BUSY

    @property
    def room(self) -> int:
        """How many more queues may be held."""
        return max(0, MAX_QUEUES - len(self._queues))

    def full(self) -> list[UUID]:
        """Organizations of which no more queues may be held now."""
        return self._shares.full()

    def get(self, queue_id: UUID) -> EndpointQueue | None:
        """A queue that is held."""
        return self._queues.get(queue_id)

    def add_taken(self, queues: Iterable[tuple[UUID, UUID]]) -> None:
        """Add queues that are held from now on, or on which something became due; each with its organization."""
        for queue_id, org_id in queues:
            if queue_id not in self._queues:
                self._queues[queue_id] = EndpointQueue(queue_id, org_id)
                self._shares.use(org_id, 1)
            self._queues[queue_id].has_more = True

    def lose(self, queue_id: UUID) -> None:
        """A queue is no longer held: what is under way ends, what waits is dropped."""
        queue = self._queues.pop(queue_id, None)
        if queue is not None:
            queue.waiting.clear()
            self._shares.use(queue.org_id, -1)
            self._held.use(queue.org_id, -len(queue.held))
            self._flying[queue.kind].use(queue.org_id, -len(queue.in_flight))

    def to_pull(self, now: float) -> list[tuple[EndpointQueue, int]]:
        """Queues to read from, each with its room."""
        pulls: list[tuple[EndpointQueue, int]] = []
        for queue in self._queues.values():
            if queue.look_at is not None and queue.look_at <= now:
                queue.has_more, queue.look_at = True, None
            room = min(queue.room(), self._held.left(queue.org_id)) if queue.has_more else 0
            if room > 0:
                pulls.append((queue, room))
                self._held.use(queue.org_id, room)
        for queue, room in pulls:  # it was only planned
            self._held.use(queue.org_id, -room)
        return pulls

    def add(self, delivery: Delivery, now: float) -> None:
        """A delivery was read from its queue."""
        queue = self._queues[delivery.queue_id]
        if delivery.id not in queue.held:
            queue.held.add(delivery.id)
            self._held.use(queue.org_id, 1)
            queue.waiting.append((delivery, now))
            self._give_turn(queue)

    def next_to_send(self, now: float) -> Iterator[Delivery]:
        """Deliveries whose turn it is; each counts as under way from here on."""
        self._failing_bucket.refill(now, capacity=self._failing_per_s, per_second=self._failing_per_s)
        for kind, turns in self._turns.items():
            is_failing = kind in (Kind.FAILING, Kind.TIMING_OUT)
            while self._may_send(is_failing=is_failing) and (queue := turns.next(self._flying[kind])) is not None:
                queue.is_queued = False
                delivery = self._next_of(queue, now)
                if delivery is not None:
                    self._failing_bucket.tokens -= is_failing
                    yield delivery

    def finished(self, delivery: Delivery, now: float, *, is_success: bool | None, at: datetime) -> None:
        """A request came to its end; `is_success` None: it was not made, and nothing is learned."""
        self._unrecorded += 1
        queue = self._queues.get(delivery.queue_id)
        begun_at = None if queue is None else queue.in_flight.pop(delivery.id, None)
        if queue is None or begun_at is None:
            return
        old = queue.kind
        self._flying[old].use(queue.org_id, -1)
        if is_success is not None:
            queue.note(is_success=is_success, at=at)
            queue.was_slow = now - begun_at > SLOW_S
            queue.is_slow = queue.is_slow or queue.was_slow
        self._move(queue, old)

    def recorded(self, delivery: Delivery, *, next_at: float | None) -> None:
        """What came of a delivery is in the books; `next_at` is when it will be due again."""
        self._unrecorded -= 1
        queue = self._queues.get(delivery.queue_id)
        if queue is not None:
            self._drop(queue, delivery)
            if next_at is not None:
                queue.look_by(next_at)

    def lag(self, seconds: float) -> None:
        """This process is so much behind its own clock: the healthy come first."""
        self._failing_per_s = MAX_FAILING_PER_S / (1.0 + seconds / LAG_S)

    def watch(self, now: float) -> None:
        """Mark the queues whose receivers are slow."""
        for queue in self._queues.values():
            is_late = bool(queue.in_flight) and now - next(iter(queue.in_flight.values())) > SLOW_S
            old, queue.is_slow = queue.kind, queue.was_slow or is_late
            self._move(queue, old)

    def idle(self, now: float, *, within_s: float) -> list[UUID]:
        """Queues that can be released: nothing of them is in memory, and nothing is due soon."""
        return [
            queue.id
            for queue in self._queues.values()
            if not queue.held and not queue.has_more and (queue.look_at is None or queue.look_at > now + within_s)
        ]

    def held(self) -> list[UUID]:
        """Every queue."""
        return list(self._queues)

    def _may_send(self, *, is_failing: bool) -> bool:
        return self._unrecorded < MAX_UNRECORDED and (not is_failing or self._failing_bucket.tokens >= 1.0)

    def _next_of(self, queue: EndpointQueue, now: float) -> Delivery | None:
        if len(queue.in_flight) >= queue.limit or queue.id not in self._queues:
            return None
        while queue.waiting:
            delivery, read_at = queue.waiting.popleft()
            if now - read_at > FRESH_S:
                self._drop(queue, delivery)
                queue.has_more, queue.depth = True, max(1, queue.depth // 2)
                continue
            queue.in_flight[delivery.id] = now
            self._flying[queue.kind].use(queue.org_id, 1)
            self._give_turn(queue)
            return delivery
        return None

    def _give_turn(self, queue: EndpointQueue) -> None:
        if queue.waiting and not queue.is_queued and len(queue.in_flight) < queue.limit:
            queue.is_queued = True
            self._turns[queue.kind].add(queue.org_id, queue)

    def _drop(self, queue: EndpointQueue, delivery: Delivery) -> None:
        """A delivery is not in memory any more."""
        if delivery.id in queue.held:
            queue.held.discard(delivery.id)
            self._held.use(queue.org_id, -1)

    def _move(self, queue: EndpointQueue, old: Kind) -> None:
        """A queue may have changed its kind: what it has under way counts there now, and it takes its turn there."""
        if queue.kind is not old:
            self._flying[old].use(queue.org_id, -len(queue.in_flight))
            self._flying[queue.kind].use(queue.org_id, len(queue.in_flight))
            if queue.is_queued:
                self._turns[old].remove(queue.org_id, queue)
                queue.is_queued = False
        self._give_turn(queue)


def _slots(kind: Kind) -> int:
    return HEALTHY_SLOTS if kind is Kind.HEALTHY else FAILING_SLOTS


_KINDS: Mapping[tuple[bool, bool], Kind] = {kind.value: kind for kind in Kind}
