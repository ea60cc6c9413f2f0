"""Two ends of a line over a real socket, and peers that speak octets by hand."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from agentmessage.smpp.client import Bind, ClientSession, OnDeliver, connect
from agentmessage.smpp.codec import Packet, decode, encode
from agentmessage.smpp.pdu import BindTransceiver, DataSm, Pdu, SubmitSm
from agentmessage.smpp.server import Limits, OnSubmit, Reply, Server, ServerSession, known, serve
from agentmessage.smpp.settings import Terms

PASSWORDS = {"esme": "secret", "other": "secret2"}
QUICK = Limits(refusal_delay_s=0.01)
PATIENCE_S = 20.0
HELLO = SubmitSm(
    source_ton=1,
    source_npi=1,
    source="12025550100",
    destination_ton=1,
    destination_npi=1,
    destination="12025550199",
    registered_delivery=1,
    short_message=b"hello",
)


class Submissions:
    """Takes every text, in the order it came, and numbers them."""

    def __init__(self) -> None:
        self.taken: list[SubmitSm | DataSm] = []
        self.sessions: asyncio.Queue[ServerSession] = asyncio.Queue()

    def on_submit(self, session: ServerSession, pdu: SubmitSm | DataSm) -> Reply:
        del session
        self.taken.append(pdu)
        return Reply(f"id-{len(self.taken)}")


@asynccontextmanager
async def server_on(
    on_submit: OnSubmit | None = None, *, limits: Limits = QUICK, submissions: Submissions | None = None, **options: Any
) -> AsyncIterator[Server]:
    """A server that knows `PASSWORDS`; new sessions are put into the queue of `submissions`."""
    submissions = submissions or Submissions()
    options.setdefault("authenticate", known(PASSWORDS))
    server = await serve(
        "127.0.0.1",
        0,
        on_submit=on_submit or submissions.on_submit,
        on_bound=submissions.sessions.put_nowait,
        limits=limits,
        **options,
    )
    try:
        yield server
    finally:
        for session in server.sessions:
            session.abort("the test is over")
        await server.close()


def bind_to(server: Server, **changes: Any) -> Bind:
    """A bind with the right password."""
    return bind_on(server.port, **changes)


def bind_on(port: int, **changes: Any) -> Bind:
    """The same, at a port."""
    return msgspec.structs.replace(Bind(host="127.0.0.1", port=port, system_id="esme", password="secret"), **changes)


@asynccontextmanager
async def client_on(
    server: Server, on_deliver: OnDeliver = lambda _: 0, *, terms: Terms | None = None, **changes: Any
) -> AsyncIterator[ClientSession]:
    """A bound client, dropped at the end."""
    session = await connect(bind_to(server, terms=terms or Terms(), **changes), on_deliver)
    try:
        yield session
    finally:
        session.abort("the test is over")
        await session.closed


class RawPeer:
    """A socket by hand: sends whatever it is told to, and reads PDUs."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def say(self, pdu: Pdu, sequence: int, *, status: int = 0) -> None:
        await self.send(encode(pdu, sequence=sequence, status=status))

    async def hear(self) -> Packet:
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readexactly(4)
            return decode(head + await self.reader.readexactly(int.from_bytes(head, "big") - 4))

    async def bind(self) -> Packet:
        await self.say(BindTransceiver("esme", PASSWORDS["esme"]), 1)
        return await self.hear()

    async def is_hung_up_on(self) -> bool:
        """Waits for the end of the connection; what is still said before it is dropped."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
            return True


@asynccontextmanager
async def raw_peer(port: int) -> AsyncIterator[RawPeer]:
    """A connection to our server that speaks by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawPeer(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def raw_carrier(script: Callable[[RawPeer], Awaitable[None]]) -> AsyncIterator[int]:
    """A carrier by hand: runs the script with each who connects, and answers its port."""
    ended: list[asyncio.Task[None]] = []

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.current_task())  # pyright: ignore[reportArgumentType]
        try:
            await script(RawPeer(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    """Waits turn by turn of the loop for something that will be true."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a session, which sets no event
            await asyncio.sleep(0.001)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A context that serves localhost with a fresh certificate, and one that trusts it."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {key} -out {cert} "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run(command.split(), check=True, capture_output=True)  # noqa: S603 - our own words
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(cert, key)
    return own, ssl.create_default_context(cafile=str(cert))
