"""The simulator as a process: a socket in front of a world, a disk behind it, the real clock, real callbacks."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from msgspec import Struct

from agentmessage.simulator import browser_guard
from agentmessage.simulator.callback_sender import Postman
from agentmessage.simulator.core.http_types import Breakage, Reply, Request, json_reply
from agentmessage.simulator.core.profiles import named
from agentmessage.simulator.message_runtime import TextLine
from agentmessage.simulator.storage import Storage
from agentmessage.simulator.world import Credentials, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("agentmessage.simulator")

MAX_BODY_BYTES = 16 * 1024 * 1024
HANG_S = 300.0
"""How long a request that is never answered is kept open at most."""

_LONGEST_NAP = timedelta(seconds=5)


class SimulatorConfig(Struct, frozen=True, kw_only=True):
    """How to run a simulator. `port` 0 takes a free one; without `data_dir` the world is gone when the process ends.

    `smpp_port` is the SMSC's, 0 for a free one, None for no SMSC.
    `logs_words`: what it announces goes to the log instead of standard output.
    `descriptor` and `smpp_descriptor` are listening sockets that were handed down, instead of an address.
    `hosts` are names under which it is reached beside addresses and localhost; see `visitors`.
    """

    host: str = "127.0.0.1"
    port: int = 8090
    descriptor: int | None = None
    smpp_port: int | None = None
    smpp_descriptor: int | None = None
    data_dir: Path | None = None
    seed: int = 1
    profile: str = "demo"
    time_scale: float = 1.0
    credentials: Credentials = Credentials()
    announces: bool = True
    hosts: frozenset[str] = frozenset()
    logs_words: bool = False


class Simulator:
    """One world in real time: answers requests, lets due things happen, keeps the disk up to date."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._storage = Storage(config.data_dir) if config.data_dir is not None else None
        self.world = World(
            seed=config.seed,
            profile=named(config.profile, time_scale=config.time_scale),
            started_at=datetime.now(UTC),
            credentials=config.credentials,
            is_recorded=self._storage is not None,
        )
        if self._storage is not None:
            self.world.restore(self._storage.entities())
        self.texts = TextLine(self.world, self._storage)
        self._config = config
        self.hosts = config.hosts
        self._wake = asyncio.Event()
        self._postman = Postman()

    def answer(self, request: Request) -> Reply:
        """Handle one request at this moment, and write down what it changed before it is answered."""
        reply = self.world.handle(request, datetime.now(UTC))
        self._keep()
        self.texts.moved()
        self._wake.set()
        return reply

    async def open(self) -> None:
        """Begin to speak SMPP and to tell of texts. Raises OSError where the port is taken."""
        descriptor = self._config.smpp_descriptor
        listener = None if descriptor is None else socket.socket(fileno=descriptor)
        await self.texts.open(self._config.host, self._config.smpp_port, listener)

    async def run(self) -> None:
        """Let time pass until canceled."""
        try:
            while True:
                now = datetime.now(UTC)
                self.world.advance(now)
                self._keep()
                self.texts.moved()
                for callback in self.world.due_callbacks(now):
                    self._postman.send(callback)
                await self._nap()
        finally:
            await self._postman.close()
            await self.texts.close()

    def close(self) -> None:
        """Close the disk."""
        if self._storage is not None:
            self._storage.close()

    async def _nap(self) -> None:
        """Sleep until the next thing is due, or until a request may have changed what that is."""
        self._wake.clear()
        due_at = self.world.next_event_at()
        longest = _LONGEST_NAP if due_at is None else min(_LONGEST_NAP, due_at - datetime.now(UTC))
        try:
            async with asyncio.timeout(max(0.001, longest.total_seconds())):
                await self._wake.wait()
        except TimeoutError:
            return

    def _keep(self) -> None:
        if self._storage is not None and (changes := self.world.take_changes()):
            self._storage.write_entities(changes)


def application(simulator: Simulator) -> Application:
    """The ASGI application of a simulator."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(simulator, receive, send)
        elif scope["type"] == "http":
            await _answer(simulator, scope, receive, send)

    return answer


async def serve(config: SimulatorConfig) -> None:
    """Run a simulator until SIGINT or SIGTERM; says on standard output when and where it listens."""
    simulator = Simulator(config)
    listener = _listen(config)
    await simulator.open()
    server = uvicorn.Server(_uvicorn(application(simulator)))
    if config.announces:
        host, port = listener.getsockname()[:2]
        smsc = f", SMPP on port {simulator.texts.smsc.port}" if simulator.texts.smsc.port else ""
        words = f"simulator ready on http://{host}:{port} (profile {config.profile}, seed {config.seed}{smsc})"
        if config.logs_words:
            log.info(words)
        else:
            sys.stdout.write(f"{words}\n")
            sys.stdout.flush()
    try:
        await server.serve(sockets=[listener])
    finally:
        simulator.close()


class Running(Struct, frozen=True):
    """A simulator that runs beside its caller in one event loop."""

    url: str
    world: World
    smpp_port: int = 0
    texts: TextLine | None = None


@asynccontextmanager
async def running(config: SimulatorConfig) -> AsyncGenerator[Running]:
    """Run a simulator on a real socket inside the present event loop, for tests."""
    simulator = Simulator(config)
    listener = _listen(config)
    await simulator.open()
    host, port = listener.getsockname()[:2]
    server = uvicorn.Server(_uvicorn(application(simulator)))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield Running(f"http://{host}:{port}", simulator.world, simulator.texts.smsc.port, simulator.texts)
    finally:
        server.should_exit = True
        await task
        simulator.close()


def _listen(config: SimulatorConfig) -> socket.socket:
    """Bound and listening before anybody is told the address: early callers wait instead of being refused."""
    if config.descriptor is not None:
        listener = socket.socket(fileno=config.descriptor)
    else:
        listener = socket.create_server((config.host, config.port), backlog=1024)
    listener.settimeout(0.0)
    return listener


def _uvicorn(app: Application) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        server_header=False,
    )


async def _live(simulator: Simulator, receive: Receive, send: Send) -> None:
    await receive()
    task = asyncio.create_task(simulator.run())
    task.add_done_callback(_report)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await send({"type": "lifespan.shutdown.complete"})


def _report(task: asyncio.Task[None]) -> None:
    """A world whose time has stopped must not look alive."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("simulator stopped", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


async def _answer(simulator: Simulator, scope: Scope, receive: Receive, send: Send) -> None:
    if (refused := browser_guard.refuse(scope["path"], scope["headers"], simulator.hosts)) is not None:
        await _send(send, refused)
        return
    body = await _read(receive)
    if body is None:
        return
    if len(body) > MAX_BODY_BYTES:
        await _send(send, json_reply(413, {"error": {"message": "the body is larger than 16 MiB"}}))
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    try:
        reply = simulator.answer(Request(scope["method"], scope["path"], query, headers, body))
    except Exception:
        # The web server's own log is off because broken lines are our daily business; our bugs must not hide there.
        log.exception("request failed")
        raise
    if reply.delay_s > 0:
        await asyncio.sleep(reply.delay_s)
    match reply.fault:
        case None:
            await _send(send, reply)
        case Breakage.RESET:
            await _send_half(send, reply)
        case Breakage.HANG_BEFORE | Breakage.HANG_AFTER:
            await _hang(receive)
            await _send_half(send, reply)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or as much of it as shows that it is too large; None when the caller has gone."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY_BYTES or not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Send, reply: Reply) -> None:
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    await send({"type": "http.response.start", "status": reply.status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": reply.body})


async def _send_half(send: Send, reply: Reply) -> None:
    """Promise more than is sent; the server closes the connection on what is left unfinished."""
    headers = {**reply.headers, "content-length": str(len(reply.body) + 1)}
    await send({"type": "http.response.start", "status": reply.status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})


async def _hang(receive: Receive) -> None:
    """Wait until the caller has given up."""
    try:
        async with asyncio.timeout(HANG_S):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _raw(headers: MutableMapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
