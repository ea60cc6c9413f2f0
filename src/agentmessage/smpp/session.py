"""One connection, either end of it: a window of requests in flight, timers, and back-pressure.

A request of ours takes a place in the window and ends in exactly one `Result`: answered, timed out, or lost with the
connection. It is never sent again in here. A request of the peer is answered when its handler has returned; when
`max_handling` of them are being handled we stop reading, and the time that we do not read does not count against the
peer's answers. So a handler must not wait for an answer over its own session.

What is written in one turn of the loop leaves in one write.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from typing_extensions import override

from agentmessage.smpp.codec import HEADER, decode, decode_message, encode, encode_header
from agentmessage.smpp.errors import MalformedPdu, SessionClosed, WindowFull
from agentmessage.smpp.framing import Framer
from agentmessage.smpp.layout import ANSWERS
from agentmessage.smpp.pdu import MAX_SEQUENCE, RESPONSE, Command, EnquireLink, Pdu, Status, Unbind
from agentmessage.smpp.settings import Counters, Outcome, Result, Terms
from agentmessage.smpp.window import OnResult, Window

log = structlog.get_logger("agentmessage.smpp")

LINGER_S = 2.0
"""How long a peer that does not read may keep a closing connection."""

FLUSH_AT = 256
"""PDUs after which a write does not wait for the end of the turn, so that a peer who does not read is noticed in it."""

MAX_UNREAD_BYTES = 1024 * 1024
"""What we keep for a peer who does not read. A window of long texts fits, or two ends could wait for each other."""

SILENCE = 0.5
"""Share of the time-out in which a peer says nothing at all that makes a time-out a question whether he is there. Less
than all of it: answers to earlier requests may have come after the one that timed out was sent."""

NO_COMMANDS: frozenset[int] = frozenset()

_MESSAGES = (int(Command.SUBMIT_SM), int(Command.DELIVER_SM))


class Session(asyncio.Protocol):
    """What client and server sessions share. Not to be made directly."""

    def __init__(self, terms: Terms, counters: Counters, *, on_late: OnResult | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._terms = terms
        self.counters = counters
        self.closed: asyncio.Future[str] = self._loop.create_future()
        """Ends with the reason when the connection has ended."""
        self.is_bound = False
        self.on_room: Callable[[], object] | None = None
        """Is called when there is room again although no request was answered: the peer was silent and now speaks."""
        self.before_write: Callable[[], object] | None = None
        """Is called before what was gathered leaves: what answers promise can be stored for all of them together."""
        self._transport: asyncio.Transport | None = None
        self._framer = Framer(max_pdu_bytes=terms.max_pdu_bytes)
        self._sequence = terms.first_sequence - 1
        self._window = Window(terms.window, counters, on_late)
        self._served = NO_COMMANDS
        """The commands that `_serve` answers; those of managing the line are answered here."""
        self._out: list[bytes] = []
        self._is_flush_due = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._congested_since: float | None = None
        self._held_since: float | None = None
        self._held_s = 0.0
        self._heard_at = self._loop.time()
        self._partial_since: float | None = None
        self._is_silent = False
        """A request of ours timed out and nothing was received meanwhile: nothing more is sent until something is."""
        self._is_enquiring = False
        self._unbind_asked: int | None = None
        self._progress: asyncio.Future[None] | None = None
        self._malformed = 0
        self._reason: str | None = None
        self._timer: asyncio.TimerHandle | None = None

    # ---- requests of ours

    @property
    def room(self) -> int:
        """How many requests may be made now."""
        return self._window.room if self.is_bound and self._reason is None and not self._is_silent else 0

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answers."""
        return len(self._window)

    @property
    def is_held(self) -> bool:
        """Whether we do not read for now, because there is too much in hand or the peer does not read."""
        return self._held_since is not None

    def request_nowait(self, pdu: Pdu, on_result: OnResult) -> int:
        """Send and answer the sequence number; `on_result` is told the end of it, also when the connection is lost.

        Raises WindowFull or SessionClosed: then nothing was sent and `on_result` is not called.
        """
        if self._reason is not None or not self.is_bound:
            raise SessionClosed(self._reason or "not bound")
        if self._is_silent or not self._window.room:
            raise WindowFull
        return self._send(pdu, on_result)

    async def request(self, pdu: Pdu) -> Result:
        """Send as soon as the window has room, and wait for the end. Raises SessionClosed if it was not sent."""
        while self._reason is None and (self._is_silent or not self._window.room):
            await self._window.wait()
        ended: asyncio.Future[Result] = self._loop.create_future()
        self.request_nowait(pdu, lambda result: ended.done() or ended.set_result(result))
        return await ended

    async def unbind(self) -> None:
        """Take no more requests, wait for what is in flight and being handled, say goodbye, close."""
        if self._reason is None:
            self._reason = "unbound"
            self._window.wake_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._terms.response_timeout_s):
                    await self._finish_work()
            if not self.closed.done():
                self._send(Unbind(), lambda _: self._close("unbound"))
        await asyncio.shield(self.closed)

    async def _finish_work(self) -> None:
        while (self._window or self._tasks) and not self.closed.done():
            self._progress = self._loop.create_future()
            await self._progress

    def _progressed(self) -> None:
        """Something that was in flight or in hand has ended."""
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)

    def abort(self, reason: str = "aborted") -> None:
        """Drop the connection now. What is in flight is lost."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    def _send(self, pdu: Pdu, on_result: OnResult) -> int:
        sequence = 1 if self._sequence >= MAX_SEQUENCE else self._sequence + 1
        octets = encode(pdu, sequence=sequence)
        self._sequence = sequence
        response = int.from_bytes(octets[4:8], "big") | RESPONSE
        deadline = self._listening_s() + self._terms.response_timeout_s
        self._window.add(sequence, response, on_result, deadline=deadline)
        self._write(octets)
        return sequence

    def _listening_s(self) -> float:
        """A clock that stands still while we do not read: an answer that waits in the socket is not late."""
        return (self._loop.time() if self._held_since is None else self._held_since) - self._held_s

    # ---- octets

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=MAX_UNREAD_BYTES)
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family in (socket.AF_INET, socket.AF_INET6):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.counters.connections += 1
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(self._terms.tick_s, self._tick)

    @override
    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        if self._is_silent:
            self._is_silent = False
            self._window.wake_all()
            if self.on_room is not None:
                self._loop.call_soon(self.on_room)
        self._framer.append(data)
        self._take()

    @override
    def pause_writing(self) -> None:
        self._congested_since = self._loop.time()
        self._regulate()

    @override
    def resume_writing(self) -> None:
        self._congested_since = None
        self._regulate()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._reason = self._reason or (f"connection lost: {exc}" if exc else "connection closed by the peer")
        self.is_bound = False
        if self._timer is not None:
            self._timer.cancel()
        self._window.lose()
        self._progressed()
        if not self.closed.done():
            self.closed.set_result(self._reason)

    def _write(self, octets: bytes) -> None:
        self._out.append(octets)
        if len(self._out) >= FLUSH_AT:
            self._flush()
        elif not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._flush_due)

    def _flush_due(self) -> None:
        self._is_flush_due = False
        self._flush()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and self._transport is not None and not self._transport.is_closing():
            if self.before_write is not None:
                self.before_write()
            self._transport.write(b"".join(out))

    def _close(self, reason: str) -> None:
        """End the connection once what was written has left, or soon after."""
        self._reason = self._reason or reason
        self._flush()
        if self._transport is not None:
            self._transport.close()
            self._loop.call_later(LINGER_S, self._transport.abort)

    def _take(self) -> None:
        try:
            while not self.is_held and not self._is_over() and (frame := self._framer.next()) is not None:
                self._partial_since = None
                self._receive(frame)
        except MalformedPdu as error:
            self.counters.oversized += 1
            self._write(encode_header(Command.GENERIC_NACK, sequence=error.sequence, status=error.status))
            self._close(str(error))
        if self._framer.is_within_pdu and self._partial_since is None:
            self._partial_since = self._heard_at

    def _is_over(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _may_read(self) -> bool:
        return len(self._tasks) < self._terms.max_handling and self._congested_since is None

    def _regulate(self) -> None:
        """Stop reading, or read on, as the work in hand demands."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._may_read() == (self._held_since is None):
            return
        if self._held_since is None:
            self._held_since = self._loop.time()
            transport.pause_reading()
            return
        self._held_s += self._loop.time() - self._held_since
        self._held_since = None
        self._heard_at = self._loop.time()
        transport.resume_reading()
        self._take()

    # ---- what the peer says

    def _receive(self, frame: bytes) -> None:
        _, command, status, sequence = HEADER.unpack_from(frame)
        if command & RESPONSE:
            self._window.answer(command, status, sequence, frame)
            self._progressed()
            return
        self.counters.requests += 1
        try:
            pdu = decode_message(frame) if command in _MESSAGES else decode(frame).pdu
        except MalformedPdu as error:
            self._refuse(error)
            return
        if command not in self._served:
            self._manage(command, sequence)
            return
        try:
            answer = self._serve(pdu, command, sequence)
        except Exception:
            log.exception("request handler failed", command=command, sequence=sequence)
            answer = self._failed(command, sequence)
        if isinstance(answer, bytes):
            self._write(answer)
        else:
            self._handle(answer, command, sequence)

    def _serve(self, pdu: Pdu, command: int, sequence: int) -> bytes | Awaitable[bytes]:
        """The answer to a request of the peer, now or later. Each end has its own."""
        raise NotImplementedError

    def _manage(self, command: int, sequence: int) -> None:
        """What both ends do about a request that is not served."""
        if command == Command.ENQUIRE_LINK:
            self._write(encode_header(Command.ENQUIRE_LINK | RESPONSE, sequence=sequence))
        elif command == Command.UNBIND:
            self._unbind_asked = sequence
            self._reason = self._reason or "unbound by the peer"
            self._part_if_asked()
        elif command | RESPONSE in ANSWERS:
            self._write(encode_header(command | RESPONSE, sequence=sequence, status=Status.WRONG_BIND_STATE))

    def _refuse(self, error: MalformedPdu) -> None:
        is_unknown = error.status == Status.INVALID_COMMAND_ID
        self.counters.malformed += not is_unknown
        self.counters.unknown_commands += is_unknown
        self._malformed += 1
        answer = error.command_id | RESPONSE
        if answer not in ANSWERS or error.status == Status.INVALID_COMMAND_LENGTH:
            answer = Command.GENERIC_NACK
        self._write(encode_header(answer, sequence=error.sequence, status=error.status))
        if self._malformed >= self._terms.max_malformed:
            self._close("too much that cannot be read")

    def _handle(self, work: Awaitable[bytes], command: int, sequence: int) -> None:
        """Answer with what `work` comes to; a failure of it is a system error of ours, which invites a retry."""
        task = self._loop.create_task(self._answer_after(work, command, sequence))
        self._tasks.add(task)
        task.add_done_callback(self._handled)
        if not self._may_read():
            self._regulate()

    async def _answer_after(self, work: Awaitable[bytes], command: int, sequence: int) -> None:
        try:
            octets = await work
        except Exception:
            log.exception("request handler failed", command=command, sequence=sequence)
            octets = self._failed(command, sequence)
        self._write(octets)

    def _failed(self, command: int, sequence: int) -> bytes:
        self.counters.handlers_failed += 1
        return encode_header(command | RESPONSE, sequence=sequence, status=Status.SYSTEM_ERROR)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._held_since is not None:
            self._regulate()
        self._progressed()
        self._part_if_asked()

    def _part_if_asked(self) -> None:
        if self._unbind_asked is not None and not self._tasks:
            self._write(encode_header(Command.UNBIND | RESPONSE, sequence=self._unbind_asked))
            self._unbind_asked = None
            self._close("unbound by the peer")

    # ---- time

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._terms.tick_s, self._tick)
        now = self._loop.time()
        is_overdue = self._window.is_overdue(self._listening_s())
        if is_overdue and now - self._heard_at >= self._terms.response_timeout_s * SILENCE:
            self._is_silent = True  # before places become free: what would take them is lost as well
        self._window.expire(self._listening_s())
        self._progressed()
        if self._congested_since is not None and now - self._congested_since > self._terms.pdu_timeout_s:
            self.counters.slow_readers += 1
            self.abort("the peer does not read")
        if self._held_since is not None:
            return
        silence_s = now - self._heard_at
        if self._partial_since is not None and now - self._partial_since > self._terms.pdu_timeout_s:
            self.counters.slow_pdus += 1
            self.abort("a PDU took too long to arrive")
        elif self._terms.idle_close_s is not None and silence_s > self._terms.idle_close_s:
            self.counters.idle_closed += 1
            self._close("idle")
        elif self.is_bound and not self._is_enquiring and (self._is_silent or silence_s >= self._terms.enquire_link_s):
            self._is_enquiring = True
            self._send(EnquireLink(), self._enquired)

    def _enquired(self, result: Result) -> None:
        self._is_enquiring = False
        if result.outcome is Outcome.TIMED_OUT:
            self.counters.dead_peers += 1
            self.abort("enquire_link was not answered")
