"""The simulator as a process: sockets in front of a world, storage, the real clock, and real callbacks."""

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
from agentmessage.simulator.callback_sender import CallbackSender
from agentmessage.simulator.core.http_types import Breakage, HttpRequest, HttpResponse, json_response
from agentmessage.simulator.core.profiles import profile_named
from agentmessage.simulator.message_runtime import MessageRuntime
from agentmessage.simulator.storage import Storage
from agentmessage.simulator.world import SimulatorCredentials, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("agentmessage.simulator")

MAX_BODY_BYTES = 16 * 1024 * 1024
HANG_S = 300.0
"""The maximum time that a request without a response is kept open."""

_MAX_SLEEP = timedelta(seconds=5)


class SimulatorConfig(Struct, frozen=True, kw_only=True):
    """How to run a simulator. `port` 0 takes a free one; without `data_dir` nothing is stored.

    `smpp_port` is the SMSC's: 0 for a free one, None for no SMSC.
    `logs_ready_line`: the ready line goes to the log instead of standard output.
    `descriptor` and `smpp_descriptor` are inherited listening sockets, instead of an address.
    `hosts` are further names that requests may have as Host; see `browser_guard`.
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
    credentials: SimulatorCredentials = SimulatorCredentials()
    prints_ready_line: bool = True
    hosts: frozenset[str] = frozenset()
    logs_ready_line: bool = False


class Simulator:
    """One world in real time: handles requests, runs due steps, stores changes."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._storage = Storage(config.data_dir) if config.data_dir is not None else None
        self.world = World(
            seed=config.seed,
            profile=profile_named(config.profile, time_scale=config.time_scale),
            started_at=datetime.now(UTC),
            credentials=config.credentials,
            is_stored=self._storage is not None,
        )
        if self._storage is not None:
            self.world.restore(self._storage.entities())
        self.messages = MessageRuntime(self.world, self._storage)
        self._config = config
        self.hosts = config.hosts
        self._wake = asyncio.Event()
        self._callback_sender = CallbackSender()

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Handle one request now; its changes are stored before this returns."""
        response = self.world.handle(request, datetime.now(UTC))
        self._store()
        self.messages.world_changed()
        self._wake.set()
        return response

    async def open(self) -> None:
        """Start SMPP and message callbacks. Raises OSError if the port is in use."""
        descriptor = self._config.smpp_descriptor
        listener = None if descriptor is None else socket.socket(fileno=descriptor)
        await self.messages.open(self._config.host, self._config.smpp_port, listener)

    async def run(self) -> None:
        """Run due steps until canceled."""
        try:
            while True:
                now = datetime.now(UTC)
                self.world.advance(now)
                self._store()
                self.messages.world_changed()
                for callback in self.world.due_callbacks(now):
                    self._callback_sender.send(callback)
                await self._sleep()
        finally:
            await self._callback_sender.close()
            await self.messages.close()

    def close(self) -> None:
        """Close the storage."""
        if self._storage is not None:
            self._storage.close()

    async def _sleep(self) -> None:
        """Sleep until the next step is due, or until a request may have changed when that is."""
        self._wake.clear()
        due_at = self.world.next_event_at()
        max_sleep = _MAX_SLEEP if due_at is None else min(_MAX_SLEEP, due_at - datetime.now(UTC))
        try:
            async with asyncio.timeout(max(0.001, max_sleep.total_seconds())):
                await self._wake.wait()
        except TimeoutError:
            return

    def _store(self) -> None:
        if self._storage is not None and (changes := self.world.take_changes()):
            self._storage.write_entities(changes)


def application(simulator: Simulator) -> AsgiApp:
    """The ASGI application of a simulator."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(simulator, receive, send)
        elif scope["type"] == "http":
            await _respond(simulator, scope, receive, send)

    return respond


async def serve(config: SimulatorConfig) -> None:
    """Run a simulator until SIGINT or SIGTERM; prints a ready line with its address."""
    simulator = Simulator(config)
    listener = _listen(config)
    await simulator.open()
    server = uvicorn.Server(_uvicorn(application(simulator)))
    if config.prints_ready_line:
        host, port = listener.getsockname()[:2]
        smsc = f", SMPP on port {simulator.messages.smsc.port}" if simulator.messages.smsc.port else ""
        ready_line = f"simulator ready on http://{host}:{port} (profile {config.profile}, seed {config.seed}{smsc})"
        if config.logs_ready_line:
            log.info(ready_line)
        else:
            sys.stdout.write(f"{ready_line}\n")
            sys.stdout.flush()
    try:
        await server.serve(sockets=[listener])
    finally:
        simulator.close()


class Running(Struct, frozen=True):
    """A simulator in the event loop of its caller."""

    url: str
    world: World
    smpp_port: int = 0
    messages: MessageRuntime | None = None


@asynccontextmanager
async def running(config: SimulatorConfig) -> AsyncGenerator[Running]:
    """Run a simulator on a real socket in the current event loop, for tests."""
    simulator = Simulator(config)
    listener = _listen(config)
    await simulator.open()
    host, port = listener.getsockname()[:2]
    server = uvicorn.Server(_uvicorn(application(simulator)))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield Running(f"http://{host}:{port}", simulator.world, simulator.messages.smsc.port, simulator.messages)
    finally:
        server.should_exit = True
        await task
        simulator.close()


def _listen(config: SimulatorConfig) -> socket.socket:
    """A listening socket: early clients wait instead of being rejected."""
    if config.descriptor is not None:
        listener = socket.socket(fileno=config.descriptor)
    else:
        listener = socket.create_server((config.host, config.port), backlog=1024)
    listener.settimeout(0.0)
    return listener


def _uvicorn(app: AsgiApp) -> uvicorn.Config:
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


async def _lifespan(simulator: Simulator, receive: Receive, send: Send) -> None:
    await receive()
    task = asyncio.create_task(simulator.run())
    task.add_done_callback(_on_run_ended)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await send({"type": "lifespan.shutdown.complete"})


def _on_run_ended(task: asyncio.Task[None]) -> None:
    """End the process when the loop has crashed: it must not look healthy."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("simulator stopped", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


async def _respond(simulator: Simulator, scope: Scope, receive: Receive, send: Send) -> None:
    if (rejection := browser_guard.reject(scope["path"], scope["headers"], simulator.hosts)) is not None:
        await _send(send, rejection)
        return
    body = await _read(receive)
    if body is None:
        return
    if len(body) > MAX_BODY_BYTES:
        await _send(send, json_response(413, {"error": {"message": "the body is larger than 16 MiB"}}))
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    try:
        response = simulator.respond(HttpRequest(scope["method"], scope["path"], query, headers, body))
    except Exception:
        # The web server's own log is off, because connections break on purpose here; our own bugs are logged.
        log.exception("request failed")
        raise
    if response.delay_s > 0:
        await asyncio.sleep(response.delay_s)
    match response.breakage:
        case None:
            await _send(send, response)
        case Breakage.RESET:
            await _send_half(send, response)
        case Breakage.HANG_BEFORE | Breakage.HANG_AFTER:
            await _wait_for_disconnect(receive)
            await _send_half(send, response)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or enough of it to show that it is too large; None if the client has disconnected."""
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


async def _send(send: Send, response: HttpResponse) -> None:
    headers = {**response.headers, "content-length": str(len(response.body))}
    await send({"type": "http.response.start", "status": response.status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": response.body})


async def _send_half(send: Send, response: HttpResponse) -> None:
    """Announce more than is sent, so that the server closes the connection."""
    headers = {**response.headers, "content-length": str(len(response.body) + 1)}
    await send({"type": "http.response.start", "status": response.status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": response.body[: len(response.body) // 2], "more_body": True})


async def _wait_for_disconnect(receive: Receive) -> None:
    """Wait until the client has disconnected."""
    try:
        async with asyncio.timeout(HANG_S):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _raw(headers: MutableMapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
