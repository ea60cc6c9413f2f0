"""Takes queues, sends what is due on them, and releases them; one dispatcher for each worker process and cell.

    take ─▶ pull ─▶ send ─▶ record ─▶ release

What is under way is known to the one process that holds its queue and is not written down. A dispatcher shows that it
lives by a lock of a session of its own, so that the database itself says at once when it does not. Then others take its
queues, and the deliveries under way are sent again.
"""

import asyncio
import contextlib
import random
import time
from datetime import timedelta
from uuid import UUID

import structlog

from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.encryption import DecryptionError, SecretBox
from agentmessage.kernel.ids import new_id
from agentmessage.webhooks import attempt_result, endpoint_queue_queries, payload, signing
from agentmessage.webhooks.attempt_result import AttemptResult
from agentmessage.webhooks.endpoint_queue_queries import Row
from agentmessage.webhooks.endpoint_queues import Delivery, EndpointQueue, EndpointQueues
from agentmessage.webhooks.model import OutgoingRequest, Reply
from agentmessage.webhooks.recorder import Recorder
from agentmessage.webhooks.test_event import RequestSender

log = structlog.get_logger("agentmessage.webhooks")

POLL_S = 0.2
"""Seconds between two polls for queues without a notification."""

PING_S = 0.2
PING_TIMEOUT_S = 5.0
"""Seconds after which a silent session is given up; other dispatchers send again what is under way."""

RELEASE_AFTER_S = 1.0
"""A queue on which something is due within so many seconds is not released."""

LEAVE_TO_OTHERS = timedelta(seconds=0.5)
NEW_QUEUES = 500
"""Queues taken at once: as many as a single organization may hold."""

UNRECORDED_S = 30.0
MAX_KEYS = 10_000


class Dispatcher:
    """The deliveries of one cell, as far as this process makes them."""

    def __init__(self, db: CellDb, sender: RequestSender, secret_box: SecretBox) -> None:
        self._db = db
        self._sender = sender
        self._secret_box = secret_box
        self._recorder = Recorder(db)
        self._rng = random.Random()  # noqa: S311 - jitter, not a secret
        self._holder = new_id()
        self._queues = EndpointQueues()
        self._keys: dict[bytes, bytes] = {}
        self._in_flight: set[asyncio.Task[None]] = set()
        self._wake_up = asyncio.Event()
        self._is_woken = True
        self._is_stopping = False
        self._polled_at = 0.0

    def wake(self) -> None:
        """There may be something to send."""
        self._is_woken = True
        self._wake_up.set()

    def stop(self) -> None:
        """Begin nothing new."""
        self._is_stopping = True
        self._wake_up.set()

    async def run(self) -> None:
        """Hold queues and send what is due on them, until stopped; then finish what is under way and release them.

        Raises what the database does when it goes away.
        """
        self._queues, self._holder = EndpointQueues(), new_id()
        async with self._db.connection() as connection:
            session = Tx(connection, self._db.now)
            await endpoint_queue_queries.announce(session, self._holder)
            heart = asyncio.create_task(self._beat(session))
            try:
                while not heart.done() and not self._is_stopping:
                    await self.run_once()
                if heart.done():
                    await heart
                await self.wait_drained()
                await endpoint_queue_queries.release(self._db, self._holder, self._queues.held())
            finally:
                heart.cancel()
                await asyncio.gather(heart, return_exceptions=True)

    async def run_once(self) -> None:
        """Take, pull and send once, release idle queues, and wait until there is more to do."""
        now = time.monotonic()
        if self._is_woken or now - self._polled_at >= POLL_S:
            self._is_woken, self._polled_at = False, now
            self._queues.watch(now)
            await self._release(now)
            await self._take()
        await self._pull()
        self._send_due()
        if not self._is_woken and not self._queues.to_pull(time.monotonic()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake_up.wait(), POLL_S)
        self._wake_up.clear()

    async def free_of_dead(self) -> None:
        """Release the queues of dispatchers that died."""
        if await endpoint_queue_queries.free_of_dead(self._db, self._holder):
            self.wake()

    async def wait_drained(self) -> None:
        """Wait until every request under way has a response and a record."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _take(self) -> None:
        """A busy dispatcher takes no new queue that another could have taken meanwhile."""
        before = self._db.now - LEAVE_TO_OTHERS if self._queues.is_busy else self._db.now
        taken = await endpoint_queue_queries.take(
            self._db,
            self._holder,
            new_due_before=before,
            limit=min(self._queues.room, NEW_QUEUES) + len(self._queues),
            none_of=self._queues.full(),
        )
        self._queues.add_taken((queue.id, queue.org_id) for queue in taken)

    async def _pull(self) -> None:
        now = time.monotonic()
        pulls = self._queues.to_pull(now)
        if not pulls:
            return
        for queue, _ in pulls:
            queue.has_more = False  # what is given to it from here on is found by taking it again
        held = [delivery_id for queue, _ in pulls for delivery_id in queue.held]
        rows = await endpoint_queue_queries.pull(
            self._db, self._holder, [queue.id for queue, _ in pulls], [room for _, room in pulls], except_ids=held
        )
        found: dict[UUID, list[Row]] = {}
        for row in rows:
            found.setdefault(row.queue_id, []).append(row)
        for queue, room in pulls:
            if queue.id in found:
                await self._fill(queue, found[queue.id], room, now)
            else:
                self._queues.lose(queue.id)

    async def _fill(self, queue: EndpointQueue, rows: list[Row], room: int, now: float) -> None:
        head = rows[0]
        if not head.is_open:
            await endpoint_queue_queries.abandon(self._db, [queue.id])
            return
        queue.learn(head.failing_since)
        if head.next_at is not None:
            queue.look_by(now + (head.next_at - self._db.now).total_seconds())
        if head.id is not None and head.encrypted_secret is None:
            await endpoint_queue_queries.insert_secret(
                self._db, head.org_id, self._secret_box.encrypt(signing.new_secret())
            )
            queue.has_more = True
            return
        deliveries = [delivery for row in rows if (delivery := payload.delivery_of(row)) is not None]
        queue.has_more = queue.has_more or len(deliveries) == room
        queue.was_read(is_full=len(deliveries) == room)
        for delivery in deliveries:
            self._queues.add(delivery, now)

    def _send_due(self) -> None:
        if self._is_stopping:
            return
        for delivery in self._queues.next_to_send(time.monotonic()):
            task = asyncio.get_running_loop().create_task(self._deliver(self._queues, delivery))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def _deliver(self, queues: EndpointQueues, delivery: Delivery) -> None:
        result = await self._attempt(queues, delivery)
        queues.finished(delivery, time.monotonic(), is_success=result.is_success, at=result.at)
        self._send_due()
        queue = queues.get(delivery.queue_id)
        if queue is not None and queue.has_more and queue.room() > 0:
            self._wake_up.set()
        try:
            await self._recorder.record(result)
        except Exception:
            log.exception(
                "webhook attempt not recorded", queue_id=str(delivery.queue_id), event_id=str(delivery.public_event_id)
            )
            await asyncio.sleep(UNRECORDED_S)
        next_at = result.next_at
        wait_s = None if next_at is None else (next_at - self._db.now).total_seconds()
        queues.recorded(delivery, next_at=None if wait_s is None else time.monotonic() + wait_s)
        self._send_due()

    async def _attempt(self, queues: EndpointQueues, delivery: Delivery) -> AttemptResult:
        body = payload.encode_body(delivery)
        reply = await self._reply(delivery, body)
        queue = queues.get(delivery.queue_id)
        return attempt_result.judged(
            delivery,
            body,
            reply,
            failing_since=None if queue is None else queue.failing_since,
            at=self._db.now,
            chance=self._rng.random(),
        )

    async def _reply(self, delivery: Delivery, body: bytes | None) -> Reply:
        if body is None:
            return payload.not_attempted(attempt_result.NOT_KEPT)
        keys = self._opened(delivery)
        if not keys:
            return payload.not_attempted(payload.UNREADABLE_SECRET)
        request = OutgoingRequest(
            event_id=delivery.public_event_id, url=delivery.url, body=body, secrets=keys, org_id=delivery.org_id
        )
        try:
            return await self._sender.send(request)
        except Exception:
            log.exception(
                "webhook request not attempted", queue_id=str(delivery.queue_id), event_id=str(delivery.public_event_id)
            )
            return payload.not_attempted("an internal error; it is sent again")

    def _opened(self, delivery: Delivery) -> tuple[bytes, ...]:
        """The secrets of a delivery that can be opened; none when the newest cannot be any more.

        A previous one that cannot is what its owner has just rotated away.
        """
        newest, *previous = [self._key(encrypted, delivery) for encrypted in delivery.secrets]
        return () if newest is None else (newest, *[key for key in previous if key is not None])

    def _key(self, encrypted: bytes, delivery: Delivery) -> bytes | None:
        if len(self._keys) > MAX_KEYS:
            self._keys.clear()
        if encrypted not in self._keys:
            try:
                self._keys[encrypted] = self._secret_box.decrypt(encrypted)
            except DecryptionError:
                log.exception("webhook secret not decrypted", queue_id=str(delivery.queue_id))
                return None
        return self._keys[encrypted]

    async def _beat(self, session: Tx) -> None:
        """Fail as soon as the session is gone: others may have our queues. Also measure how late this process runs."""
        while True:
            due_at = time.monotonic() + PING_S
            await asyncio.sleep(PING_S)
            self._queues.lag(max(0.0, time.monotonic() - due_at))
            async with asyncio.timeout(PING_TIMEOUT_S):
                await endpoint_queue_queries.ping(session)

    async def _release(self, now: float) -> None:
        idle = self._queues.idle(now, within_s=RELEASE_AFTER_S)
        if idle:
            for queue_id in await endpoint_queue_queries.release(self._db, self._holder, idle):
                self._queues.lose(queue_id)
