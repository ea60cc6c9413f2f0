"""Takes lanes, tells what is due on them, and lets them go; one dispatcher for each worker process and cell.

    take ─▶ pull ─▶ tell ─▶ record ─▶ release

What is under way is known to the one process that holds its lane and is not written down. A dispatcher shows that it
lives by a lock of a session of its own, so that the database itself says at once when it does not. Then others take its
lanes, and what it was telling is told again.
"""

import asyncio
import contextlib
import random
import time
from datetime import timedelta
from uuid import UUID

import structlog

from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.encryption import BrokenSeal, Sealer
from agentmessage.kernel.ids import new_id
from agentmessage.webhooks import attempt_result, endpoint_queue_queries, payload, signing
from agentmessage.webhooks.attempt_result import Told
from agentmessage.webhooks.endpoint_queue_queries import Row
from agentmessage.webhooks.endpoint_queues import Delivery, Lane, Lanes
from agentmessage.webhooks.model import Letter, Reply
from agentmessage.webhooks.recorder import Recorder
from agentmessage.webhooks.test_event import Sends

log = structlog.get_logger("agentmessage.webhooks")

LOOK_S = 0.2
"""The longest between two looks for lanes when nobody rings."""

PING_S = 0.2
PING_TIMEOUT_S = 5.0
"""A session that does not answer for so long is given up, and what is under way is told again by others."""

PATIENCE_S = 1.0
"""A lane is kept for what will be due so soon."""

LEAVE_TO_OTHERS = timedelta(seconds=0.5)
NEW_LANES = 500
"""Lanes taken at once: as many as an organization may hold that is alone."""

UNRECORDED_S = 30.0
MOST_KEYS = 10_000


class Dispatcher:
    """The deliveries of one cell, as far as this process makes them."""

    def __init__(self, db: CellDb, sender: Sends, sealer: Sealer) -> None:
        self._db = db
        self._sender = sender
        self._sealer = sealer
        self._recorder = Recorder(db)
        self._rng = random.Random()  # noqa: S311 - jitter, not a secret
        self._holder = new_id()
        self._lanes = Lanes()
        self._keys: dict[bytes, bytes] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._is_rung = True
        self._is_stopping = False
        self._looked_at = 0.0

    def ring(self) -> None:
        """There may be something to tell."""
        self._is_rung = True
        self._news.set()

    def stop(self) -> None:
        """Begin nothing new."""
        self._is_stopping = True
        self._news.set()

    async def live(self) -> None:
        """Hold lanes and tell what is due on them, until stopped; then end what is under way and let go of them.

        Raises what the database does when it goes away.
        """
        self._lanes, self._holder = Lanes(), new_id()
        async with self._db.connection() as connection:
            session = Tx(connection, self._db.now)
            await endpoint_queue_queries.announce(session, self._holder)
            heart = asyncio.create_task(self._beat(session))
            try:
                while not heart.done() and not self._is_stopping:
                    await self.turn()
                if heart.done():
                    await heart
                await self.until_landed()
                await endpoint_queue_queries.release(self._db, self._holder, self._lanes.held())
            finally:
                heart.cancel()
                await asyncio.gather(heart, return_exceptions=True)

    async def turn(self) -> None:
        """Take, pull and tell once, let go of what is done with, and wait until there is more to do."""
        now = time.monotonic()
        if self._is_rung or now - self._looked_at >= LOOK_S:
            self._is_rung, self._looked_at = False, now
            self._lanes.watch(now)
            await self._release(now)
            await self._take()
        await self._pull()
        self._tell()
        if not self._is_rung and not self._lanes.to_pull(time.monotonic()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_S)
        self._news.clear()

    async def free_of_dead(self) -> None:
        """Let go of the lanes of dispatchers that died."""
        if await endpoint_queue_queries.free_of_dead(self._db, self._holder):
            self.ring()

    async def until_landed(self) -> None:
        """Wait until what is under way has been answered and is in the books."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _take(self) -> None:
        """A busy dispatcher takes no new lane that another could have taken meanwhile."""
        before = self._db.now - LEAVE_TO_OTHERS if self._lanes.is_busy else self._db.now
        taken = await endpoint_queue_queries.take(
            self._db,
            self._holder,
            new_due_before=before,
            limit=min(self._lanes.room, NEW_LANES) + len(self._lanes),
            none_of=self._lanes.full(),
        )
        self._lanes.took((lane.id, lane.org_id) for lane in taken)

    async def _pull(self) -> None:
        now = time.monotonic()
        pulls = self._lanes.to_pull(now)
        if not pulls:
            return
        for lane, _ in pulls:
            lane.has_more = False  # what is given to it from here on is found by taking it again
        held = [delivery_id for lane, _ in pulls for delivery_id in lane.held]
        rows = await endpoint_queue_queries.pull(
            self._db, self._holder, [lane.id for lane, _ in pulls], [room for _, room in pulls], except_ids=held
        )
        found: dict[UUID, list[Row]] = {}
        for row in rows:
            found.setdefault(row.queue_id, []).append(row)
        for lane, room in pulls:
            if lane.id in found:
                await self._fill(lane, found[lane.id], room, now)
            else:
                self._lanes.lose(lane.id)

    async def _fill(self, lane: Lane, rows: list[Row], room: int, now: float) -> None:
        head = rows[0]
        if not head.is_open:
            await endpoint_queue_queries.abandon(self._db, [lane.id])
            return
        lane.learn(head.failing_since)
        if head.next_at is not None:
            lane.look_by(now + (head.next_at - self._db.now).total_seconds())
        if head.id is not None and head.encrypted_secret is None:
            await endpoint_queue_queries.insert_secret(self._db, head.org_id, self._sealer.seal(signing.new_secret()))
            lane.has_more = True
            return
        deliveries = [delivery for row in rows if (delivery := payload.delivery_of(row)) is not None]
        lane.has_more = lane.has_more or len(deliveries) == room
        lane.was_read(is_full=len(deliveries) == room)
        for delivery in deliveries:
            self._lanes.add(delivery, now)

    def _tell(self) -> None:
        if self._is_stopping:
            return
        for delivery in self._lanes.next_to_tell(time.monotonic()):
            task = asyncio.get_running_loop().create_task(self._deliver(self._lanes, delivery))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _deliver(self, lanes: Lanes, delivery: Delivery) -> None:
        told = await self._attempt(lanes, delivery)
        lanes.landed(delivery, time.monotonic(), is_success=told.is_success, at=told.at)
        self._tell()
        lane = lanes.get(delivery.queue_id)
        if lane is not None and lane.has_more and lane.room() > 0:
            self._news.set()
        try:
            await self._recorder.record(told)
        except Exception:
            log.exception(
                "webhook attempt not recorded", queue_id=str(delivery.queue_id), event_id=str(delivery.public_event_id)
            )
            await asyncio.sleep(UNRECORDED_S)
        next_at = told.next_at
        wait_s = None if next_at is None else (next_at - self._db.now).total_seconds()
        lanes.recorded(delivery, next_at=None if wait_s is None else time.monotonic() + wait_s)
        self._tell()

    async def _attempt(self, lanes: Lanes, delivery: Delivery) -> Told:
        body = payload.body_of(delivery)
        reply = await self._reply(delivery, body)
        lane = lanes.get(delivery.queue_id)
        return attempt_result.judged(
            delivery,
            body,
            reply,
            failing_since=None if lane is None else lane.failing_since,
            at=self._db.now,
            chance=self._rng.random(),
        )

    async def _reply(self, delivery: Delivery, body: bytes | None) -> Reply:
        if body is None:
            return payload.unsaid(attempt_result.NOT_KEPT)
        keys = self._opened(delivery)
        if not keys:
            return payload.unsaid(payload.UNREADABLE_SECRET)
        letter = Letter(
            event_id=delivery.public_event_id, url=delivery.url, body=body, secrets=keys, org_id=delivery.org_id
        )
        try:
            return await self._sender.send(letter)
        except Exception:
            log.exception(
                "webhook request not attempted", queue_id=str(delivery.queue_id), event_id=str(delivery.public_event_id)
            )
            return payload.unsaid("an error of ours: it is told again")

    def _opened(self, delivery: Delivery) -> tuple[bytes, ...]:
        """The secrets of a delivery that can be opened; none when the newest cannot be any more.

        A previous one that cannot is what its owner has just rotated away.
        """
        newest, *previous = [self._key(sealed, delivery) for sealed in delivery.secrets]
        return () if newest is None else (newest, *[key for key in previous if key is not None])

    def _key(self, sealed: bytes, delivery: Delivery) -> bytes | None:
        if len(self._keys) > MOST_KEYS:
            self._keys.clear()
        if sealed not in self._keys:
            try:
                self._keys[sealed] = self._sealer.open(sealed)
            except BrokenSeal:
                log.exception("webhook secret not decrypted", queue_id=str(delivery.queue_id))
                return None
        return self._keys[sealed]

    async def _beat(self, session: Tx) -> None:
        """Fail as soon as the session is gone: then others may have our lanes. And tell how late this process is."""
        while True:
            due_at = time.monotonic() + PING_S
            await asyncio.sleep(PING_S)
            self._lanes.lag(max(0.0, time.monotonic() - due_at))
            async with asyncio.timeout(PING_TIMEOUT_S):
                await endpoint_queue_queries.ping(session)

    async def _release(self, now: float) -> None:
        idle = self._lanes.idle(now, patience_s=PATIENCE_S)
        if idle:
            for queue_id in await endpoint_queue_queries.release(self._db, self._holder, idle):
                self._lanes.lose(queue_id)
