"""What is new for the organizations whose streams are open in this process, read once and handed to each of them.

One reader for each cell asks for all of these organizations in one statement. It wakes only the streams of those that
have something new. A stream that takes too little loses what waits for it here, and reads it from the database.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.events.model import PAGE_MAX
from agentmessage.events.operations import Filter
from agentmessage.events.schemas import EventResource
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.tasks import start_forever
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.events import EventPosition
from agentmessage.outbox.notifications import Bells, wait_for
from agentmessage.outbox.queries import PositionedEvent

BELL = "events"
BACKSTOP_S = 1.0
"""Between looks while no bell is heard: a bell is a hint, and may get lost."""

BREATH_S = 0.02
REST = 4.0
"""A look is followed by a rest of so many times as long as it took, and at least a breath."""

MAX_BUFFERED = 512
"""Events that wait for a stream in memory; its reader is read for from the database when there are more."""


class Frame(Struct, frozen=True):
    """An event as streams send it, and what filters ask about."""

    position: EventPosition
    type: str
    created_at: datetime
    body: bytes

    @classmethod
    def of(cls, event: PositionedEvent) -> "Frame":
        """A stored fact, encoded once for all streams."""
        return cls(outbox_events.position_of(event), event.type, event.created_at, EventResource.of(event).frame())

    def is_wanted(self, wanted: Filter) -> bool:
        """Whether a filter lets it pass, as the database would."""
        return (wanted.type is None or wanted.type.value == self.type) and (
            wanted.since is None or self.created_at >= wanted.since
        )


class Subscription:
    """What is new for one stream. `news` is set when there is something to take."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.is_live = False
        self._waiting: deque[Frame] = deque()
        self._has_missed = False

    def take(self) -> list[Frame] | None:
        """Everything that is new since the last call; None when some of it has to be read from the database."""
        taken = None if self._has_missed else list(self._waiting)
        self._waiting.clear()
        self._has_missed = False
        return taken

    def give(self, frame: Frame) -> None:
        """Something happened."""
        if len(self._waiting) >= MAX_BUFFERED:
            self._waiting.clear()
            self._has_missed = True
        if not self._has_missed:
            self._waiting.append(frame)
        self.news.set()

    def begin(self) -> None:
        """From here on nothing is missed."""
        self.is_live = True
        self.news.set()


class _Tail:
    """The end of one organization's events; `position` is unknown until it has been read."""

    def __init__(self) -> None:
        self.position: EventPosition | None = None
        self.subscriptions: set[Subscription] = set()


class _Reader:
    """Reads the tails of one cell while there are any."""

    def __init__(self, db: CellDb, bells: Bells) -> None:
        self._db = db
        self._bells = bells
        self.tails: dict[UUID, _Tail] = {}
        self._bell = bells.hear(db.name, BELL)
        self._task: asyncio.Task[None] | None = None

    def add(self, org_id: UUID, subscription: Subscription) -> None:
        """Follow an organization for a stream."""
        tail = self.tails.setdefault(org_id, _Tail())
        tail.subscriptions.add(subscription)
        if tail.position is not None:
            subscription.begin()
        if self._task is None:
            self._task = start_forever(f"{self._db.name} event streams", self._turn)
        self._bell.set()

    def remove(self, org_id: UUID, subscription: Subscription) -> None:
        """A stream has ended."""
        tail = self.tails[org_id]
        tail.subscriptions.discard(subscription)
        if not tail.subscriptions:
            del self.tails[org_id]

    async def end(self) -> None:
        """Read no more."""
        self._bells.unhear(self._db.name, BELL, self._bell)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _turn(self) -> None:
        began = time.monotonic()
        has_more = await self._look()
        await asyncio.sleep(max(BREATH_S, REST * (time.monotonic() - began)))
        if not has_more:
            await wait_for(self._bell, BACKSTOP_S)

    async def _look(self) -> bool:
        """Hand out what is new; answers whether there may be more."""
        fresh = [org_id for org_id, tail in self.tails.items() if tail.position is None]
        for org_id, position in (await outbox_events.newest_positions(self._db, fresh)).items() if fresh else ():
            if org_id in self.tails:
                self.tails[org_id].position = position
                for subscription in self.tails[org_id].subscriptions:
                    subscription.begin()
        positions = {org_id: tail.position for org_id, tail in self.tails.items() if tail.position is not None}
        events = await outbox_events.read_after_each(self._db, positions, limit=PAGE_MAX) if positions else []
        counts: dict[UUID, int] = {}
        for event in events:
            counts[event.org_id] = counts.get(event.org_id, 0) + 1
            tail = self.tails.get(event.org_id)
            if tail is not None:
                frame = Frame.of(event)
                tail.position = frame.position
                for subscription in tail.subscriptions:
                    subscription.give(frame)
        return max(counts.values(), default=0) >= PAGE_MAX


class Tails:
    """The event streams of one process. `is_draining` ends them all."""

    def __init__(self, bells: Bells, is_draining: Callable[[], bool]) -> None:
        self.is_draining = is_draining
        self._bells = bells
        self._readers: dict[str, _Reader] = {}

    @asynccontextmanager
    async def subscribe(self, db: CellDb, org_id: UUID) -> AsyncGenerator[Subscription]:
        """Hear of an organization's events within the block."""
        if db.name not in self._readers:
            self._readers[db.name] = _Reader(db, self._bells)
        reader = self._readers[db.name]
        subscription = Subscription()
        reader.add(org_id, subscription)
        try:
            yield subscription
        finally:
            reader.remove(org_id, subscription)
            if not reader.tails:
                del self._readers[db.name]
                await reader.end()
