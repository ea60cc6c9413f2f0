"""The line itself: binds that are kept up, texts that go out over whichever has room, and what comes back."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from agentmessage.carriers.messaging import (
    THROTTLED,
    Hear,
    Heard,
    InboundHeard,
    OutboundText,
    ReceiptHeard,
    ReceiptState,
    TextAnswer,
    TextError,
    TextRefused,
)
from agentmessage.carriers.protocols import Deferred
from agentmessage.carriers.smpp import decode, encode
from agentmessage.carriers.smpp.account import SmppAccount
from agentmessage.carriers.smpp.message_ids import answered
from agentmessage.carriers.smpp.submission import Handing
from agentmessage.carriers.smpp.throttle import Throttle
from agentmessage.carriers.smpp.trust import Trust
from agentmessage.kernel.backoff import backoff_s
from agentmessage.kernel.batcher import Batcher
from agentmessage.kernel.clock import Clock, WallClock
from agentmessage.smpp.client import ClientSession, connect
from agentmessage.smpp.errors import BindRefused, NotBound, NotSent
from agentmessage.smpp.pdu import Inbound, Status
from agentmessage.smpp.receipts import is_receipt
from agentmessage.smpp.settings import Counters, Outcome, Result

log = structlog.get_logger("agentmessage.carriers")

FIRST_DELAY_S, LAST_DELAY_S = 0.2, 30.0
REFUSED_DELAY_S = 30.0
"""After a wrong password: carriers lock accounts that keep trying."""

GOODBYE_S = 2.0
LATE_REMEMBERED = 10_000
MAX_INBOUND_BATCH = 500
LOOK_S = 1.0
REFUSED_FOR_GOOD = (Status.BIND_FAILED, Status.INVALID_PASSWORD, Status.INVALID_SYSTEM_ID)


class SmppTexts:
    """A TextCarrier over the binds of one account. One process may have one, and other processes their own."""

    def __init__(self, account: SmppAccount, *, clock: Clock | None = None, rng: random.Random | None = None) -> None:
        self.account = account
        self.counters = Counters()
        self._clock = clock or WallClock()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._reference = self._rng.randrange(65_536)
        self._sessions: list[ClientSession] = []
        self._trusts = [Trust(account.bind.terms.window) for _ in range(account.binds)]
        self._trust_of: dict[ClientSession, Trust] = {}
        self._pending: deque[Handing] = deque()
        self._throttle = Throttle()
        self._late: dict[tuple[int, int], OutboundText] = {}
        self._inbound: Batcher[Heard, Status] | None = None
        self._has_room = asyncio.Event()
        self._is_pump_due = False

    @property
    def name(self) -> str:
        """See TextCarrier.name."""
        return decode.NAME

    @property
    def channels(self) -> frozenset[str]:
        """SMPP carries no media."""
        return frozenset({"sms"})

    @property
    def is_up(self) -> bool:
        """At least one bind stands."""
        return bool(self._sessions)

    @property
    def room(self) -> int:
        """See TextCarrier.room."""
        windows = sum(map(self._room_of, self._sessions)) - len(self._pending)
        allowed = self._throttle.room(asyncio.get_running_loop().time())
        return max(0, windows if allowed is None else min(windows, allowed - len(self._pending)))

    async def until_room(self) -> None:
        """See TextCarrier.until_room."""
        loop = asyncio.get_running_loop()
        while not self.room:
            self._has_room.clear()
            wait_s = self._throttle.wait_s(loop.time()) or LOOK_S
            timer = loop.call_later(min(LOOK_S, max(0.001, wait_s)), self._has_room.set)
            await self._has_room.wait()
            timer.cancel()

    async def run(self, hear: Hear) -> None:
        """See TextCarrier.run."""

        async def store(batch: Sequence[Heard]) -> Sequence[Status]:
            try:
                await hear(self.account.account, batch)
            except Exception:
                log.exception("inbound batch not stored", count=len(batch))
                return [Status.TEMPORARY_ERROR] * len(batch)  # the carrier sends them again
            return [Status.OK] * len(batch)

        self._inbound = Batcher(store, max_batch=MAX_INBOUND_BATCH)
        try:
            async with asyncio.TaskGroup() as group:
                for index in range(self.account.binds):
                    group.create_task(self._keep_bound(index))
        finally:
            await self._inbound.close()

    async def send(self, text: OutboundText) -> TextAnswer:
        """See TextCarrier.send."""
        answered: asyncio.Future[TextAnswer] = asyncio.get_running_loop().create_future()
        self.hand_over(text, lambda answer: answered.done() or answered.set_result(answer))
        return await answered

    def hand_over(self, text: OutboundText, on_answer: Callable[[TextAnswer], object]) -> None:
        """See PumpedCarrier.hand_over."""
        self._reference = (self._reference + 1) % 65_536
        try:
            parts = encode.submits(text, self.account, reference=self._reference, now=self._clock.now())
        except ValueError as error:
            on_answer(TextRefused(TextError.CONTENT_INVALID, "unencodable", str(error)))
            return
        deadline = asyncio.get_running_loop().time() + self.account.part_patience_s
        self._step(Handing(text, parts, on_answer, deadline=deadline))

    # ---- out

    def _step(self, handing: Handing) -> None:
        """Send the next part, or put the text in line for it."""
        session = self._roomiest()
        if session is None:
            self._postpone(handing, 0.0)
            return
        loop_time = asyncio.get_running_loop().time()
        try:
            session.submit_nowait(handing.part, lambda result: self._answered(session, handing, result))
        except NotSent:
            self._postpone(handing, 0.0)
            return
        self._throttle.left(loop_time)

    def _roomiest(self) -> ClientSession | None:
        sessions = self._sessions
        if len(sessions) == 1:
            return sessions[0] if self._room_of(sessions[0]) else None
        best = max(sessions, key=self._room_of, default=None)
        return best if best is not None and self._room_of(best) else None

    def _room_of(self, session: ClientSession) -> int:
        room = session.room
        return self._trust_of[session].room(room, session.in_flight) if room else 0

    def _answered(self, session: ClientSession, handing: Handing, result: Result) -> None:
        now = asyncio.get_running_loop().time()
        if (trust := self._trust_of.get(session)) is not None:
            trust.note(is_answered=result.outcome is Outcome.ANSWERED)
        if result.status == Status.OK:
            self._throttle.accepted(now)
            if handing.taken(answered(result.message_id, self.account.message_ids)):
                self._step(handing)
        else:
            self._refused(session, handing, result, now)
        self._room_changed()

    def _refused(self, session: ClientSession, handing: Handing, result: Result, now: float) -> None:
        if result.outcome is Outcome.TIMED_OUT and handing.has_one_part:
            self._late[id(session), result.sequence] = handing.text
            if len(self._late) > LATE_REMEMBERED:
                del self._late[next(iter(self._late))]
        pause_s = self._throttle.complained(now) if result.status == Status.THROTTLED else 0.0
        if pause_s and not handing.is_begun:
            handing.end(Deferred(THROTTLED, pause_s))
            return
        again = handing.refused(result)
        if again is not None:
            self._postpone(handing, max(again.retry_after_s, pause_s))

    def _postpone(self, handing: Handing, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        if not self._sessions and not handing.is_begun:
            handing.give_up("the line is down")
        elif loop.time() + delay_s > handing.deadline:
            handing.give_up("the line had no room for it")
        elif delay_s:
            loop.call_later(delay_s, self._step, handing)
        else:
            self._pending.append(handing)
            if handing.is_begun:
                loop.call_at(handing.deadline, handing.give_up, "the line had no room for it")

    def _line_changed(self) -> None:
        """A bind has ended: what was only in line for it goes back to whom it came from, if there is no other."""
        waiting, self._pending = self._pending, deque()
        for handing in waiting:
            if not handing.is_over:
                self._postpone(handing, 0.0)

    def _room_changed(self) -> None:
        """A place is free: for a text that waits in line, else for the one who asks for room."""
        if self._pending and not self._is_pump_due:
            self._is_pump_due = True
            asyncio.get_running_loop().call_soon(self._pump)
        self._has_room.set()

    def _pump(self) -> None:
        self._is_pump_due = False
        while self._pending and self._roomiest() is not None:
            handing = self._pending.popleft()
            if not handing.is_over:
                self._step(handing)

    # ---- in

    def _on_deliver(self, pdu: Inbound) -> int | Awaitable[int]:
        if self._inbound is None:
            return Status.TEMPORARY_ERROR
        if not is_receipt(pdu):
            return self._inbound.submit_nowait(self._read(pdu))
        heard = decode.receipt(pdu, self.account.message_ids, now=self._clock.now())
        if heard is None:
            log.warning("delivery receipt not parsed", account=self.account.account)
            return Status.OK
        return self._inbound.submit_nowait(heard)

    def _read(self, pdu: Inbound) -> InboundHeard:
        account = self.account
        return decode.text(pdu, account.gsm, alphabet=account.alphabet, now=self._clock.now())

    def _on_late(self, session_id: int, result: Result) -> None:
        """An answer after its time-out: the text is not unknown any more."""
        text = self._late.pop((session_id, result.sequence), None)
        if text is None or result.status != Status.OK or self._inbound is None:
            return
        self._inbound.submit_nowait(
            ReceiptHeard(
                carrier=decode.NAME,
                carrier_message_id=answered(result.message_id, self.account.message_ids),
                message_id=text.message_id,
                state=ReceiptState.SENT,
                happened_at=self._clock.now(),
                raw="late answer",
            )
        )

    # ---- binds

    async def _keep_bound(self, index: int) -> None:
        """Bind, and again whenever the bind ends; later each time that it fails, and never all at the same moment."""
        failures = 0
        while True:
            delay_s = await self._bound_once(index)
            failures = 0 if delay_s == 0 else failures + 1
            delay_s = max(delay_s, backoff_s(failures, first_s=FIRST_DELAY_S, max_s=LAST_DELAY_S))
            await asyncio.sleep(delay_s * (0.5 + self._rng.random() / 2))

    async def _bound_once(self, index: int) -> float:
        """One life of one bind; answers the least seconds to wait before the next, 0 where it was well."""
        late: list[ClientSession] = []
        try:
            session = await connect(
                self.account.bind,
                self._on_deliver,
                on_late=lambda result: self._on_late(id(late[0]) if late else 0, result),
                counters=self.counters,
            )
        except BindRefused as error:
            log.warning("bind rejected", account=self.account.account, bind=index, status=f"0x{error.status:02X}")
            return REFUSED_DELAY_S if error.status in REFUSED_FOR_GOOD else FIRST_DELAY_S
        except NotBound as error:
            log.warning("bind failed", account=self.account.account, bind=index, error=str(error))
            return FIRST_DELAY_S
        late.append(session)
        session.on_room = self._room_changed
        self._trust_of[session] = self._trusts[index]
        self._sessions.append(session)
        self._room_changed()
        try:
            reason = await asyncio.shield(session.closed)
        except asyncio.CancelledError:
            await _part(session)
            raise
        finally:
            self._sessions.remove(session)
            self._line_changed()
            self._trust_of.pop(session)
        log.warning("bind closed", account=self.account.account, bind=index, reason=reason)
        return 0.0


async def _part(session: ClientSession) -> None:
    """Unbind, waiting a moment for answers under way."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            await session.unbind()
    session.abort("stopped")
