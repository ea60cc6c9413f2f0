"""The SMSC: an SMPP socket in front of the simulated carrier, with one system id for each account.

What one turn of the event loop received is stored in one commit, right before its responses leave in one write. There
is no task and no timer for a single message: one tick runs every step that is due, and the window of each bind is
filled again whenever a response makes room.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from functools import partial

from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.messaging.carrier import MessagingCarrier, SubmitOutcome
from agentmessage.simulator.messaging.magic_numbers import SubmitError
from agentmessage.simulator.messaging.model import CustomerDelivery, InboundPart, Via
from agentmessage.simulator.messaging.pdus import inbound_pdu, receipt_pdu, submission
from agentmessage.smpp.errors import SessionClosed, WindowFull
from agentmessage.smpp.pdu import DataSm, SubmitSm
from agentmessage.smpp.server import Limits, Reply, Server, ServerSession, known, serve
from agentmessage.smpp.settings import Result, Terms

PASSWORD = "simulate"  # noqa: S105  a simulator's password guards nothing; SMPP allows eight characters
SYSTEM_ID = "simulator"
LIMITS = Limits(
    max_per_account=64,
    max_per_address=1000,
    refusal_delay_s=0.05,
    terms=Terms(window=1000, max_handling=10_000),
)


class Smsc:
    """The SMSC of both accounts. `store` is called before responses leave."""

    def __init__(
        self,
        carrier: MessagingCarrier,
        accounts: Mapping[str, str],
        *,
        clock: Callable[[], float],
        store: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self._carrier = carrier
        self._accounts = accounts
        self._clock = clock
        self._store = store
        self._wake = wake
        self._sessions: dict[str, list[ServerSession]] = {account: [] for account in accounts.values()}
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before that."""
        return 0 if self._server is None else self._server.port

    async def open(self, host: str, port: int, listener: socket.socket | None = None) -> None:
        """Listen on a given socket or port; port 0 is any free one. Raises OSError if it is in use."""
        self._server = await serve(
            host,
            port,
            authenticate=known(dict.fromkeys(self._accounts, PASSWORD)),
            on_submit=self._submit,
            on_bound=self._bound,
            system_id=SYSTEM_ID,
            limits=LIMITS,
            listener=listener,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._server is not None:
            for session in self._server.sessions:
                session.abort("the simulator ends")
            await self._server.close()

    def drop(self) -> int:
        """Drop every connection, as an outage would; returns how many there were."""
        sessions = [] if self._server is None else self._server.sessions
        for session in sessions:
            session.abort("dropped")
        return len(sessions)

    # ── from the customer ───────────────────────────────────────────────────────────────────────────────────

    def _bound(self, session: ServerSession) -> None:
        account = self._account_of(session)
        self._sessions[account].append(session)
        session.before_write = self._store
        session.closed.add_done_callback(lambda _: self._sessions[account].remove(session))
        self.pump()

    def _account_of(self, session: ServerSession) -> str:
        if session.account is None:
            raise RuntimeError("a session that is not bound submits nothing")
        return self._accounts[session.account.name]

    def _submit(self, session: ServerSession, pdu: SubmitSm | DataSm) -> Reply | asyncio.Future[Reply] | None:
        carrier = self._carrier
        account = self._account_of(session)
        message = submission(pdu, account, is_packed=carrier.settings.is_packed, alphabet=carrier.settings.alphabet)
        outcome = carrier.submit(message, at=self._clock())
        self._wake()
        if outcome.is_early:
            self.pump()
        if outcome.breakage is not None:
            self._store()
            if outcome.breakage is Breakage.RESET:
                session.abort("reset after the message was accepted")
            return None
        if outcome.delay_s > 0:
            return _delayed_reply(outcome)
        return _reply(outcome)

    # ── to the customer ─────────────────────────────────────────────────────────────────────────────────────

    def pump(self) -> None:
        """Deliver what is ready, as far as the windows of the binds have room."""
        if self._server is not None:
            self._server.answers_enquiries = self._carrier.settings.answers_enquiries
        for account, sessions in self._sessions.items():
            waiting = self._carrier.waiting[account, Via.SMPP]
            while waiting and (session := _least_loaded(sessions)) is not None:
                self._deliver(session, waiting.popleft())

    def _deliver(self, session: ServerSession, delivery: CustomerDelivery) -> None:
        if isinstance(delivery, InboundPart):
            pdu = inbound_pdu(delivery)
        else:
            pdu = receipt_pdu(delivery, ids=self._carrier.settings.ids)
        try:
            session.deliver_nowait(pdu, partial(self._on_result, delivery))
        except (SessionClosed, WindowFull):
            self._carrier.redeliver(delivery, at=self._clock())

    def _on_result(self, delivery: CustomerDelivery, result: Result) -> None:
        if result.is_accepted:
            self._carrier.acknowledge(delivery)
        else:
            self._carrier.redeliver(delivery, at=self._clock())
        self._wake()
        if self._carrier.waiting[account_of(delivery), Via.SMPP]:
            self.pump()


def account_of(delivery: CustomerDelivery) -> str:
    """The account of a delivery."""
    return delivery.account if isinstance(delivery, InboundPart) else delivery.part.message.account


def _least_loaded(sessions: list[ServerSession]) -> ServerSession | None:
    """The bind with the most room; None if none has room."""
    best: ServerSession | None = None
    max_room = 0
    for session in sessions:
        if session.may_deliver and session.room > max_room:
            best, max_room = session, session.room
    return best


def _reply(outcome: SubmitOutcome) -> Reply:
    error: SubmitError | None = outcome.error
    return Reply(outcome.id) if error is None else Reply(status=error.status)


def _delayed_reply(outcome: SubmitOutcome) -> asyncio.Future[Reply]:
    loop = asyncio.get_running_loop()
    delayed: asyncio.Future[Reply] = loop.create_future()
    loop.call_later(outcome.delay_s, lambda: delayed.done() or delayed.set_result(_reply(outcome)))
    return delayed
