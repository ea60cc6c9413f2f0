"""The carrier's end: `serve(...)` accepts binds and hands every text to `on_submit`.

    server = await serve("127.0.0.1", 2775, authenticate=known({"esme": "secret"}), on_submit=on_submit)
    await server.sessions[0].deliver(DeliverSm(source="12025550199", destination="12025550100", short_message=b"hi"))
    await server.close()

`authenticate(credentials)` answers the account, or a command_status to refuse with. `on_submit(session, pdu)` answers a
`Reply`, at once or later. `on_bound(session)` is told of each new session; `session.closed` ends when it does.

Whoever connects is held to `Limits`: so many connections an address, so many sessions an account, so long to bind, to
send one PDU, to say nothing. What a stranger can do wrong is counted in `server.counters` and costs him his connection.
"""

import asyncio
import hmac
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from msgspec import Struct
from typing_extensions import override

from agentmessage.smpp.codec import encode, encode_header, encode_submit_sm_resp
from agentmessage.smpp.errors import SessionClosed
from agentmessage.smpp.pdu import (
    RESPONSE,
    BindReceiverResp,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    Command,
    DataSm,
    DataSmResp,
    DeliverSm,
    Pdu,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Tlv,
    Tlvs,
)
from agentmessage.smpp.session import Session
from agentmessage.smpp.settings import Counters, Mode, Result, Terms
from agentmessage.smpp.window import OnResult


class Credentials(Struct, frozen=True):
    """Who says he is whom: the bind of a peer, and the IP address that it came from."""

    system_id: str
    password: str
    system_type: str
    mode: Mode
    address: str

    @override
    def __repr__(self) -> str:
        return f"Credentials({self.system_id!r} from {self.address})"  # a log is no place for a password


class Account(Struct, frozen=True):
    """Whom a session belongs to; `max_sessions` overrules the limit of the server."""

    name: str
    max_sessions: int | None = None


class Reply(Struct, frozen=True, gc=False):
    """What to answer to a text: a command_status, and where it is 0 our id for the text."""

    message_id: str = ""
    status: int = 0
    tlvs: Tlvs = ()


class Limits(Struct, frozen=True, kw_only=True):
    """What whoever connects is held to; times in seconds.

    `refusal_delay_s` is how long a refused bind waits for its answer, which slows down who tries passwords.
    """

    max_connections: int = 1000
    max_per_address: int = 50
    max_per_account: int = 16
    bind_timeout_s: float = 10.0
    refusal_delay_s: float = 0.5
    terms: Terms = Terms()


Authenticate = Callable[[Credentials], "Account | int | Awaitable[Account | int]"]
OnSubmit = Callable[["ServerSession", SubmitSm | DataSm], Reply | Awaitable[Reply] | None]
"""None: never answer, as a sick carrier does."""

OnBound = Callable[["ServerSession"], object]


class Service(Struct, frozen=True, kw_only=True):
    """What a server does for whom. `system_id` is how it names itself, at most 15 characters."""

    authenticate: Authenticate
    on_submit: OnSubmit
    on_bound: OnBound | None
    system_id: str
    limits: Limits


def known(passwords: Mapping[str, str]) -> Authenticate:
    """Let in whoever knows the password of his system id; takes as long for an unknown system id as for a known."""

    def authenticate(credentials: Credentials) -> Account | int:
        expected = passwords.get(credentials.system_id)
        is_same = hmac.compare_digest(credentials.password.encode(), (expected or "").encode())
        return Account(credentials.system_id) if is_same and expected is not None else Status.INVALID_PASSWORD

    return authenticate


async def serve(
    host: str,
    port: int,
    *,
    authenticate: Authenticate,
    on_submit: OnSubmit,
    on_bound: OnBound | None = None,
    system_id: str = "agentmessage",
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    listener: socket.socket | None = None,
) -> "Server":
    """Listen; port 0 takes a free one, which `Server.port` tells. Raises OSError where the port is taken.

    `listener` is a socket that was handed down, and is used instead of the address.
    """
    service = Service(
        authenticate=authenticate,
        on_submit=on_submit,
        on_bound=on_bound,
        system_id=system_id,
        limits=limits or Limits(),
    )
    server = Server(service)
    await server.listen(listener or (host, port), tls)
    return server


class Server:
    """Everybody who is connected. Made by `serve`."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.counters = Counters()
        self.port = 0
        self.answers_enquiries = True
        """False: an enquire_link has no answer, as from a carrier that is half dead."""
        self._listener: asyncio.Server | None = None
        self._connected: set[ServerSession] = set()
        self._addresses: Counter[str] = Counter()

    @property
    def sessions(self) -> "list[ServerSession]":
        """Those who are bound, in no order."""
        return [session for session in self._connected if session.account is not None]

    @property
    def connections(self) -> int:
        """How many are connected, bound or not."""
        return len(self._connected)

    async def listen(self, where: socket.socket | tuple[str, int], tls: ssl.SSLContext | None) -> None:
        """Take connections from now on; part of `serve`."""
        loop = asyncio.get_running_loop()
        if isinstance(where, tuple):
            host, port = where
            self._listener = await loop.create_server(lambda: ServerSession(self), host, port, ssl=tls)
        else:
            self._listener = await loop.create_server(lambda: ServerSession(self), sock=where, ssl=tls)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self, *, grace_s: float = 10.0) -> None:
        """Take nobody any more, say goodbye to who is bound, and drop whoever has not parted after `grace_s`."""
        if self._listener is not None:
            self._listener.close()
        for session in list(self._connected):
            if session.account is None:
                session.abort("the server closes")
        if partings := [asyncio.create_task(session.unbind()) for session in self._connected]:
            await asyncio.wait(partings, timeout=grace_s)
            for session in list(self._connected):
                session.abort("the server closes")
            await asyncio.wait(partings)
        if self._listener is not None:
            await self._listener.wait_closed()

    def admit(self, session: "ServerSession") -> bool:
        """Whether a new connection may stay; part of the session."""
        limits = self.service.limits
        self._connected.add(session)
        self._addresses[session.address] += 1
        return (
            len(self._connected) <= limits.max_connections
            and self._addresses[session.address] <= limits.max_per_address
        )

    def forget(self, session: "ServerSession") -> None:
        """A connection has ended; part of the session."""
        self._connected.discard(session)
        self._addresses[session.address] -= 1
        if not self._addresses[session.address]:
            del self._addresses[session.address]

    def may_bind(self, account: Account) -> bool:
        """Whether the account may have one session more; part of the session."""
        limit = self.service.limits.max_per_account if account.max_sessions is None else account.max_sessions
        return sum(1 for session in self._connected if session.account == account) < limit


class ServerSession(Session):
    """One peer who connected. `account` is None until he is bound; `mode` is then that of his bind."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.service.limits.terms, server.counters)
        self._server = server
        self._service = server.service
        self._served = BINDS
        self._is_binding = False
        self._bind_timer: asyncio.TimerHandle | None = None
        self.account: Account | None = None
        self.mode = Mode.TRANSCEIVER
        self.address = ""

    async def deliver(self, pdu: DeliverSm | DataSm) -> Result:
        """Hand over a receipt or a text when the window has room. Raises SessionClosed if it was surely not sent."""
        self._require_receiver()
        return await self.request(pdu)

    def deliver_nowait(self, pdu: DeliverSm | DataSm, on_result: OnResult) -> int:
        """Hand over now and answer the sequence number. Raises WindowFull or SessionClosed: nothing was sent."""
        self._require_receiver()
        return self.request_nowait(pdu, on_result)

    @property
    def may_deliver(self) -> bool:
        """Whether the peer is bound to be delivered to."""
        return self.is_bound and self.mode is not Mode.TRANSMITTER

    def _require_receiver(self) -> None:
        if self.mode is Mode.TRANSMITTER:
            raise SessionClosed("a transmitter is delivered nothing")

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = cast("tuple[str, int] | None", transport.get_extra_info("peername"))
        self.address = peer[0] if peer else ""
        if not self._server.admit(self):
            self.counters.floods_refused += 1
            self.abort("too many connections")
            return
        self._bind_timer = self._loop.call_later(self._service.limits.bind_timeout_s, self._bind_late)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._bind_timer is not None:
            self._bind_timer.cancel()
        self._server.forget(self)
        super().connection_lost(exc)

    def _bind_late(self) -> None:
        if not self.is_bound and not self._is_binding:
            self.counters.binds_timed_out += 1
            self.abort("no bind in time")

    @override
    def _may_read(self) -> bool:
        return super()._may_read() and not self._is_binding

    @override
    def _serve(self, pdu: Pdu, command: int, sequence: int) -> bytes | Awaitable[bytes]:
        if isinstance(pdu, SubmitSm | DataSm):
            reply = self._service.on_submit(self, pdu)
            if reply is None:
                return b""
            if isinstance(reply, Reply):
                return _replied(reply, command, sequence)
            return _replied_after(reply, command, sequence)
        if not isinstance(pdu, BindTransmitter):
            return encode_header(command | RESPONSE, sequence=sequence, status=REFUSALS[command])
        if self.is_bound or self._is_binding:
            return encode_header(command | RESPONSE, sequence=sequence, status=Status.ALREADY_BOUND)
        self._is_binding = True
        return self._bind(pdu, command, sequence)

    @override
    def _manage(self, command: int, sequence: int) -> None:
        if command != Command.ENQUIRE_LINK or self._server.answers_enquiries:
            super()._manage(command, sequence)

    async def _bind(self, pdu: BindTransmitter, command: int, sequence: int) -> bytes:
        mode, response = BIND_MODES[command]
        try:
            found = self._service.authenticate(
                Credentials(pdu.system_id, pdu.password, pdu.system_type, mode, self.address)
            )
            account = found if isinstance(found, Account | int) else await found
            if isinstance(account, Account) and not self._server.may_bind(account):
                account = Status.ALREADY_BOUND
            if not isinstance(account, Account):
                return await self._refuse_bind(account, command, sequence)
        finally:
            self._is_binding = False
        if not self.closed.done():
            self._let_in(account, mode)
        tlvs = (Tlv(Tag.INTERFACE_VERSION, b"\x34"),) if pdu.interface_version >= VERSION_3_4 else ()
        return encode(response(system_id=self._service.system_id, tlvs=tlvs), sequence=sequence)

    async def _refuse_bind(self, status: int, command: int, sequence: int) -> bytes:
        self.counters.binds_refused += 1
        await asyncio.sleep(self._service.limits.refusal_delay_s)
        self._loop.call_soon(self._close, "bind refused")
        return encode_header(command | RESPONSE, sequence=sequence, status=status)

    def _let_in(self, account: Account, mode: Mode) -> None:
        self.counters.binds += 1
        self.account, self.mode = account, mode
        self._served = BINDS if mode is Mode.RECEIVER else BINDS | SUBMITS
        self.is_bound = True
        if self._service.on_bound is not None:
            self._loop.call_soon(self._service.on_bound, self)  # after the answer to the bind


VERSION_3_4 = 0x34

BIND_MODES: dict[int, tuple[Mode, type[BindTransmitterResp]]] = {
    Command.BIND_TRANSCEIVER: (Mode.TRANSCEIVER, BindTransceiverResp),
    Command.BIND_TRANSMITTER: (Mode.TRANSMITTER, BindTransmitterResp),
    Command.BIND_RECEIVER: (Mode.RECEIVER, BindReceiverResp),
}

REFUSALS: dict[int, Status] = {
    Command.SUBMIT_MULTI: Status.INVALID_COMMAND_ID,
    Command.QUERY_SM: Status.QUERY_FAILED,
    Command.CANCEL_SM: Status.CANCEL_FAILED,
    Command.REPLACE_SM: Status.REPLACE_FAILED,
}
"""What we do not do for anybody, and how we say so."""

BINDS = frozenset(int(command) for command in BIND_MODES)
SUBMITS = frozenset({int(Command.SUBMIT_SM), int(Command.DATA_SM), *(int(command) for command in REFUSALS)})


async def _replied_after(reply: Awaitable[Reply], command: int, sequence: int) -> bytes:
    return _replied(await reply, command, sequence)


def _replied(reply: Reply, command: int, sequence: int) -> bytes:
    if reply.status and not reply.tlvs:
        return encode_header(command | RESPONSE, sequence=sequence, status=reply.status)
    if command == Command.DATA_SM:
        return encode(DataSmResp(reply.message_id, reply.tlvs), sequence=sequence, status=reply.status)
    if reply.status or reply.tlvs:
        return encode(SubmitSmResp(reply.message_id, reply.tlvs), sequence=sequence, status=reply.status)
    return encode_submit_sm_resp(reply.message_id, sequence=sequence)
