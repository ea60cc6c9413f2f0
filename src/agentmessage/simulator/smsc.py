"""The SMSC: a socket that speaks SMPP in front of the desk where texts are taken (one system id for each account).

What one turn of the event loop received is stored in one commit, right before its answers leave in one write. There is
no task and no timer for a single message: one tick lets everything happen that is due, and the window of each bind is
filled again whenever an answer makes room.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from functools import partial

from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.messaging.carrier import TextDesk, Verdict
from agentmessage.simulator.messaging.magic_numbers import Refusal
from agentmessage.simulator.messaging.model import Inbound, Telling, Via
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
    """Both accounts' SMSC. `keep` is called before answers leave."""

    def __init__(
        self,
        desk: TextDesk,
        accounts: Mapping[str, str],
        *,
        clock: Callable[[], float],
        keep: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._accounts = accounts
        self._clock = clock
        self._keep = keep
        self._wake = wake
        self._sessions: dict[str, list[ServerSession]] = {account: [] for account in accounts.values()}
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return 0 if self._server is None else self._server.port

    async def open(self, host: str, port: int, listener: socket.socket | None = None) -> None:
        """Listen, on a socket that was handed down or on a port; 0 is any free one. Raises OSError if it is taken."""
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
        """Hang up."""
        if self._server is not None:
            for session in self._server.sessions:
                session.abort("the simulator ends")
            await self._server.close()

    def drop(self) -> int:
        """Cut every connection, as an outage would; answers how many."""
        sessions = [] if self._server is None else self._server.sessions
        for session in sessions:
            session.abort("cut")
        return len(sessions)

    # ── towards us ──────────────────────────────────────────────────────────────────────────────────────────

    def _bound(self, session: ServerSession) -> None:
        account = self._account_of(session)
        self._sessions[account].append(session)
        session.before_write = self._keep
        session.closed.add_done_callback(lambda _: self._sessions[account].remove(session))
        self.pump()

    def _account_of(self, session: ServerSession) -> str:
        if session.account is None:
            raise RuntimeError("a session that is not bound submits nothing")
        return self._accounts[session.account.name]

    def _submit(self, session: ServerSession, pdu: SubmitSm | DataSm) -> Reply | asyncio.Future[Reply] | None:
        desk = self._desk
        account = self._account_of(session)
        given = submission(pdu, account, is_packed=desk.settings.is_packed, alphabet=desk.settings.alphabet)
        verdict = desk.submit(given, at=self._clock())
        self._wake()
        if verdict.is_early:
            self.pump()
        if verdict.breakage is not None:
            self._keep()
            if verdict.breakage is Breakage.RESET:
                session.abort("cut after the work was done")
            return None
        if verdict.delay_s > 0:
            return _later(verdict)
        return _reply(verdict)

    # ── towards the customer ────────────────────────────────────────────────────────────────────────────────

    def pump(self) -> None:
        """Hand out what waits, as far as the windows of the binds have room."""
        if self._server is not None:
            self._server.answers_enquiries = self._desk.settings.answers_enquiries
        for account, sessions in self._sessions.items():
            waiting = self._desk.waiting[account, Via.SMPP]
            while waiting and (session := _roomiest(sessions)) is not None:
                self._tell(session, waiting.popleft())

    def _tell(self, session: ServerSession, telling: Telling) -> None:
        if isinstance(telling, Inbound):
            pdu = inbound_pdu(telling)
        else:
            pdu = receipt_pdu(telling, ids=self._desk.settings.ids)
        try:
            session.deliver_nowait(pdu, partial(self._told, telling))
        except (SessionClosed, WindowFull):
            self._desk.give_back(telling, at=self._clock())

    def _told(self, telling: Telling, result: Result) -> None:
        if result.is_accepted:
            self._desk.acknowledge(telling)
        else:
            self._desk.give_back(telling, at=self._clock())
        self._wake()
        if self._desk.waiting[telling_account(telling), Via.SMPP]:
            self.pump()


def telling_account(telling: Telling) -> str:
    """Whose it is."""
    return telling.account if isinstance(telling, Inbound) else telling.handed.text.account


def _roomiest(sessions: list[ServerSession]) -> ServerSession | None:
    """The bind with the most room, None where none has any."""
    best: ServerSession | None = None
    most = 0
    for session in sessions:
        if session.may_deliver and session.room > most:
            best, most = session, session.room
    return best


def _reply(verdict: Verdict) -> Reply:
    refusal: Refusal | None = verdict.refusal
    return Reply(verdict.id) if refusal is None else Reply(status=refusal.status)


def _later(verdict: Verdict) -> asyncio.Future[Reply]:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Reply] = loop.create_future()
    loop.call_later(verdict.delay_s, lambda: answered.done() or answered.set_result(_reply(verdict)))
    return answered
