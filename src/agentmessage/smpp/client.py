"""Our end of a line to a carrier: `connect(bind, on_deliver)` answers a bound `ClientSession`.

    session = await connect(Bind(host="…", port=2775, system_id="…", password="…"), on_deliver)
    result = await session.submit(SubmitSm(source="12025550100", destination="12025550199", short_message=b"hi"))
    await session.unbind()

`on_deliver(pdu)` is given receipts and texts; the carrier is answered with the command_status that it returns (0 is "we
have it"), after it has returned. `session.closed` ends with the reason when the connection does: to bind again is the
caller's decision. A sender that pumps uses `submit_nowait(pdu, on_result)` while `session.room` is not 0.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import cast

from msgspec import Struct
from typing_extensions import override

from agentmessage.smpp.codec import encode, encode_header
from agentmessage.smpp.errors import BindRefused, NotBound
from agentmessage.smpp.pdu import (
    RESPONSE,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    BindTransmitterResp,
    Command,
    DataSm,
    DataSmResp,
    DeliverSmResp,
    Inbound,
    Pdu,
    Status,
    SubmitSm,
)
from agentmessage.smpp.session import Session
from agentmessage.smpp.settings import Counters, Mode, Outcome, Result, Terms
from agentmessage.smpp.window import OnResult

BIND_REQUESTS: dict[Mode, type[BindTransmitter]] = {
    Mode.TRANSCEIVER: BindTransceiver,
    Mode.TRANSMITTER: BindTransmitter,
    Mode.RECEIVER: BindReceiver,
}

DELIVERIES = frozenset({int(Command.DELIVER_SM), int(Command.DATA_SM)})

OnDeliver = Callable[[Inbound], int | Awaitable[int]]
"""Takes a receipt or a text, and returns the command_status to answer, at once or later."""


class Bind(Struct, frozen=True, kw_only=True):
    """Where and as whom to bind, and the terms of the session. `password` holds at most 8 characters (section 4.1.1).

    `tls` is the context to speak TLS with; None is plain TCP. `bind_timeout_s` covers connecting and the answer.
    """

    host: str
    port: int
    system_id: str
    password: str
    system_type: str = ""
    mode: Mode = Mode.TRANSCEIVER
    address_ton: int = 0
    address_npi: int = 0
    address_range: str = ""
    tls: ssl.SSLContext | None = None
    bind_timeout_s: float = 10.0
    terms: Terms = Terms()

    @override
    def __repr__(self) -> str:
        return f"Bind({self.system_id!r} at {self.host}:{self.port}, {self.mode})"  # a log is no place for a password


async def connect(
    bind: Bind, on_deliver: OnDeliver, *, on_late: OnResult | None = None, counters: Counters | None = None
) -> "ClientSession":
    """Connect and bind. Raises BindRefused with the carrier's status, or NotBound where it did not answer.

    `on_late` is told of answers that came after their time-out: the text is not unknown any more, and the result
    carries the `sequence` that `submit_nowait` answered.
    """
    session = ClientSession(bind, on_deliver, on_late=on_late, counters=counters or Counters())
    try:
        async with asyncio.timeout(bind.bind_timeout_s):
            await asyncio.get_running_loop().create_connection(lambda: session, bind.host, bind.port, ssl=bind.tls)
            await session.bind()
    except (OSError, TimeoutError) as error:
        raise NotBound(f"{bind}: {error or 'no answer in time'}") from error
    finally:
        if not session.is_bound:
            session.abort("not bound")
    return session


class ClientSession(Session):
    """A bind to a carrier, made by `connect`."""

    def __init__(self, bind: Bind, on_deliver: OnDeliver, *, on_late: OnResult | None, counters: Counters) -> None:
        super().__init__(bind.terms, counters, on_late=on_late)
        self._bind = bind
        self._on_deliver = on_deliver
        self.peer_system_id = ""
        """How the carrier named itself."""

    async def submit(self, pdu: SubmitSm | DataSm) -> Result:
        """Send one text when the window has room. Raises SessionClosed if it was surely not sent."""
        return await self.request(pdu)

    def submit_nowait(self, pdu: SubmitSm | DataSm, on_result: OnResult) -> int:
        """Send one text now and answer its sequence number. Raises WindowFull or SessionClosed: nothing was sent."""
        return self.request_nowait(pdu, on_result)

    async def bind(self) -> None:
        """Ask to be bound; part of `connect`. Raises BindRefused or NotBound."""
        bind = self._bind
        answered: asyncio.Future[Result] = self._loop.create_future()
        request = BIND_REQUESTS[bind.mode](
            system_id=bind.system_id,
            password=bind.password,
            system_type=bind.system_type,
            address_ton=bind.address_ton,
            address_npi=bind.address_npi,
            address_range=bind.address_range,
        )
        self._send(request, lambda result: self._bound(result, answered))
        result = await answered
        if result.outcome is not Outcome.ANSWERED or result.status is None:
            raise NotBound(f"{bind}: {self._reason or result.outcome}")
        if result.status:
            self._close("bind refused")
            raise BindRefused(result.status)
        self.counters.binds += 1

    def _bound(self, result: Result, answered: "asyncio.Future[Result]") -> None:
        """Bound from the answer on, not from when somebody looks at it: texts may follow in the same packet."""
        if result.status == Status.OK:
            self.is_bound = True
            self._served = DELIVERIES
        if isinstance(result.reply, BindTransmitterResp):
            self.peer_system_id = result.reply.system_id
        if not answered.done():
            answered.set_result(result)

    @override
    def _serve(self, pdu: Pdu, command: int, sequence: int) -> bytes | Awaitable[bytes]:
        answer = self._on_deliver(cast("Inbound", pdu))
        if isinstance(answer, int):
            return _delivered(command, sequence, answer)
        return _delivered_after(answer, command, sequence)


async def _delivered_after(answer: Awaitable[int], command: int, sequence: int) -> bytes:
    return _delivered(command, sequence, await answer)


def _delivered(command: int, sequence: int, status: int) -> bytes:
    if status:
        return encode_header(command | RESPONSE, sequence=sequence, status=status)
    return encode(DataSmResp() if command == Command.DATA_SM else DeliverSmResp(), sequence=sequence)
