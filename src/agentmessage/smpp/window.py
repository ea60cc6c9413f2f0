"""Requests of ours that wait for their answers: how many may, until when, and who is told the end of each."""

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from agentmessage.smpp.codec import decode, decode_submit_sm_resp
from agentmessage.smpp.errors import MalformedPdu
from agentmessage.smpp.pdu import RESPONSE, Command
from agentmessage.smpp.settings import Counters, Outcome, Result

log = structlog.get_logger("agentmessage.smpp")

OnResult = Callable[[Result], object]
"""Is told what came of a request, once. It runs within the loop's reading: it must be quick, and may submit more."""

_GENERIC_NACK = int(Command.GENERIC_NACK)
_TEXT_RESPONSES = (Command.SUBMIT_SM | RESPONSE, Command.DELIVER_SM | RESPONSE, Command.DATA_SM | RESPONSE)


class Window:
    """The requests in flight on one session, oldest first. All share one time-out, so they expire in that order."""

    def __init__(self, size: int, counters: Counters, on_late: OnResult | None) -> None:
        self._size = size
        self._counters = counters
        self._on_late = on_late
        self._in_flight: dict[int, tuple[float, int, OnResult]] = {}
        self._late: dict[int, None] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._in_flight)

    @property
    def room(self) -> int:
        """How many more fit."""
        return max(self._size - len(self._in_flight), 0)

    def add(self, sequence: int, response: int, on_result: OnResult, *, deadline: float) -> None:
        """Wait for the answer with command id `response`; whether there is room is for the caller to ask."""
        self._in_flight[sequence] = (deadline, response, on_result)

    def answer(self, command: int, status: int, sequence: int, frame: bytes) -> None:
        """Take an answer of the peer, and tell whoever waits for it."""
        pending = self._in_flight.get(sequence)
        if pending is None or command not in (pending[1], _GENERIC_NACK):
            self._answer_late(command, status, sequence, frame)
            return
        del self._in_flight[sequence]
        if self._waiting:
            self._wake()
        _tell(pending[2], self._read(command, status, sequence, frame))

    def is_overdue(self, now: float) -> bool:
        """Whether the oldest request should have been answered by now."""
        deadline = next(iter(self._in_flight.values()), None)
        return deadline is not None and deadline[0] <= now

    def expire(self, now: float) -> None:
        """Give up on those whose deadline has come. Their sequence numbers are remembered for late answers."""
        expired: list[int] = []
        for sequence, (deadline, _, _) in self._in_flight.items():
            if deadline > now:
                break
            expired.append(sequence)
        for sequence in expired:
            _, _, on_result = self._in_flight.pop(sequence)
            self._counters.timed_out += 1
            self._late[sequence] = None
            if len(self._late) > self._size * 10:
                del self._late[next(iter(self._late))]
            self._wake()
            _tell(on_result, Result(Outcome.TIMED_OUT, sequence))

    def lose(self) -> None:
        """The connection is gone: nobody will answer, and who waits for room shall look again."""
        lost, self._in_flight = self._in_flight, {}
        self._counters.lost += len(lost)
        for sequence, (_, _, on_result) in lost.items():
            _tell(on_result, Result(Outcome.LOST, sequence))
        self.wake_all()

    async def wait(self) -> None:
        """Until a place becomes free, or the session ends; another may have taken it, so look again."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake()  # the place that was meant for us is somebody else's
            raise

    def wake_all(self) -> None:
        """Let everybody who waits for room look again."""
        while self._waiting:
            self._wake()

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _answer_late(self, command: int, status: int, sequence: int, frame: bytes) -> None:
        if sequence not in self._late or sequence in self._in_flight:
            self._counters.stray_answers += 1
            return
        del self._late[sequence]
        self._counters.late_answers += 1
        if self._on_late is not None:
            _tell(self._on_late, self._read(command, status, sequence, frame))

    def _read(self, command: int, status: int, sequence: int, frame: bytes) -> Result:
        if command in _TEXT_RESPONSES:
            read = decode_submit_sm_resp(frame)
            return Result(Outcome.ANSWERED, sequence, status, read.message_id, read.tlvs)
        try:
            return Result(Outcome.ANSWERED, sequence, status, reply=decode(frame).pdu)
        except MalformedPdu:
            self._counters.malformed += 1
            return Result(Outcome.ANSWERED, sequence, status)


def _tell(on_result: OnResult, result: Result) -> None:
    try:
        on_result(result)
    except Exception:
        log.exception("response handler failed", sequence=result.sequence)
