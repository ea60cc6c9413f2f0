"""The process tree of `agentmessage up`: Postgres, migrations, simulator, API processes, worker; up and down again."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from agentmessage.app.sockets import CannotStart, listen, listen_near, reached_at, url_of
from agentmessage.embedded import EmbeddedPostgres, EmbeddedPostgresError
from agentmessage.settings import Settings
from agentmessage.standalone.banner import ReadyNote
from agentmessage.standalone.child import Announce, Child, ChildPlan, ending, restart_delay_s
from agentmessage.standalone.data_dir import DataDir
from agentmessage.standalone.processes import Place, UpOptions, api_plans, environment_of, simulator_plan, worker_plan

LOOPBACK = "127.0.0.1"
SIMULATOR_PORT = 8090
SMSC_PORT = 2775
READY_TIMEOUT_S = 60.0
PROBE_S = 0.05
HOPELESS_FAILURES = 3
"""A process that dies this often before everything answers will not get well by itself."""

Bootstrap = Callable[[str, Settings, dict[str, str] | None], Awaitable[dict[str, str]]]
Migrate = Callable[[str], Awaitable[object]]

SANDBOX_PATIENCE_S = 15.0
"""How long the start waits for the sandbox's first number; without a simulator of its own, not at all."""


class SandboxNumber(Protocol):
    """Tells the number that the sandbox of an organization begins with; empty when it takes too long."""

    def __call__(self, dsn: str, org_id: str, *, patience_s: float) -> Awaitable[str]:
        """Of the database and the live organization."""
        ...


class Steps(msgspec.Struct, frozen=True):
    """What is done to the database before anybody may use it."""

    migrate: Migrate
    bootstrap: Bootstrap
    sandbox_number: SandboxNumber


class Platform:
    """Everything that one `agentmessage up` runs: `reserve`, `start`, `stop`; `kill` when patience is over."""

    def __init__(self, options: UpOptions, settings: Settings, steps: Steps, announce: Announce) -> None:
        self._options = options
        self._settings = settings
        self._steps = steps
        self._announce = announce
        self._data = DataDir(options.data_dir)
        self._postgres = EmbeddedPostgres(self._data.postgres)
        self._listener: socket.socket | None = None
        self._simulator_listener: socket.socket | None = None
        self._smsc_listener: socket.socket | None = None
        self._simulator: Child | None = None
        self._worker: Child | None = None
        self._apis: list[Child] = []
        self._postgres_keeper: asyncio.Task[None] | None = None

    @property
    def children(self) -> list[Child]:
        """Every kept process but Postgres, in the order in which they are stopped."""
        return [*self._apis, *(child for child in (self._worker, self._simulator) if child is not None)]

    def reserve(self) -> None:
        """Take the address and the data directory, nothing more. Raises CannotStart, EmbeddedPostgresError."""
        self._listener = listen(self._options.host, self._options.port)
        self._data.prepare()
        self._postgres.reserve()

    async def start(self) -> tuple[ReadyNote, Place]:
        """Bring everything up and wait until it answers; after `reserve`. Raises CannotStart, EmbeddedPostgresError."""
        if self._listener is None:
            raise CannotStart("Nothing was reserved")
        port = int(self._listener.getsockname()[1])
        simulator_url, smpp_port = self._start_simulator()
        # Postgres is forked here, in the main thread: it lives as long as the thread that started it.
        await self._postgres.start()
        database_url = self._postgres.application_dsn
        self._postgres_keeper = asyncio.create_task(self._keep_postgres(), name="keep postgres")
        place = Place(
            base_url=url_of(self._options.host, port),
            simulator_url=simulator_url,
            simulator_smpp_port=smpp_port,
            database_url=database_url,
        )
        environment = environment_of(place, self._settings, self._data, host=self._options.host, port=port)
        await self._steps.migrate(database_url)
        self._start_api_and_worker(environment, self._listener)
        settings = msgspec.structs.replace(
            self._settings, database_url=database_url, encryption_key=environment["AGENTMESSAGE_ENCRYPTION_KEY"]
        )
        keys = await self._steps.bootstrap(database_url, settings, self._data.keys())
        self._data.keep_keys(keys)
        await self._until_everything_answers(port)
        patience_s = SANDBOX_PATIENCE_S if self._options.has_simulator else 0.0
        number = await self._steps.sandbox_number(database_url, keys["org_id"], patience_s=patience_s)
        keys = {**keys, "sandbox_number": number}
        note = msgspec.convert({**keys, **msgspec.to_builtins(place), "pid": os.getpid()}, ReadyNote)
        return note, place

    async def stop(self) -> None:
        """End everything in order: API processes drain, the worker, the simulator, then Postgres."""
        await asyncio.gather(*(child.stop() for child in self._apis))
        for child in (self._worker, self._simulator):
            if child is not None:
                await child.stop()
        if self._postgres_keeper is not None:
            self._postgres_keeper.cancel()
            await asyncio.gather(self._postgres_keeper, return_exceptions=True)
        await self._postgres.stop()
        for listener in (self._listener, self._simulator_listener, self._smsc_listener):
            if listener is not None:
                listener.close()

    def kill(self) -> None:
        """End every process at once; Postgres recovers at its next start."""
        for child in self.children:
            child.kill()
        self._postgres.kill()

    def _start_simulator(self) -> tuple[str, int]:
        """Its URL and the port of its SMSC."""
        if not self._options.has_simulator:
            return self._settings.simulator_url, self._settings.simulator_smpp_port
        self._simulator_listener = listen_near(LOOPBACK, self._data.simulator_port() or SIMULATOR_PORT)
        port = int(self._simulator_listener.getsockname()[1])
        self._data.keep_simulator_port(port)
        self._smsc_listener = listen_near(LOOPBACK, self._data.smsc_port() or SMSC_PORT)
        smpp_port = int(self._smsc_listener.getsockname()[1])
        self._data.keep_smsc_port(smpp_port)
        plan = simulator_plan(self._options, self._simulator_listener, self._smsc_listener, self._data)
        self._simulator = self._child_of(plan)
        return url_of(LOOPBACK, port), smpp_port

    def _start_api_and_worker(self, environment: dict[str, str], listener: socket.socket) -> None:
        plans = api_plans(self._options.api_workers, listener, environment, self._data)
        self._apis = [self._child_of(plan) for plan in plans]
        self._worker = self._child_of(worker_plan(environment, self._data))

    def _child_of(self, plan: ChildPlan) -> Child:
        child = Child(plan, self._announce, on_start=self._note_processes)
        child.start()
        return child

    def _note_processes(self) -> None:
        running = {child.name: child.pid for child in self.children} | {"postgres": self._postgres.pid}
        self._data.note_processes({name: pid for name, pid in running.items() if pid is not None})

    async def _keep_postgres(self) -> None:
        """Start Postgres again whenever it ends; its port and password stay, so everybody finds it again."""
        failures = 0
        while True:
            status = await self._postgres.wait()
            self._announce(f"postgres {ending(status)}; starting it again (see {self._postgres.log}).")
            try:
                await self._postgres.start()
            except EmbeddedPostgresError as error:
                failures += 1
                self._announce(f"postgres cannot be started again: {error}")
                await asyncio.sleep(restart_delay_s(failures))
            else:
                failures = 0
                self._note_processes()

    async def _until_everything_answers(self, port: int) -> None:
        waiting = {"API": (reached_at(self._options.host), port, "/readyz")}
        if self._simulator is not None:
            waiting["simulator"] = (LOOPBACK, self._data.simulator_port() or SIMULATOR_PORT, "/_control/profile")
        deadline = asyncio.get_running_loop().time() + READY_TIMEOUT_S
        while waiting:
            for name, (where, at, path) in list(waiting.items()):
                if await answers(where, at, path):
                    del waiting[name]
            self._require_hope()
            if asyncio.get_running_loop().time() > deadline:
                message = f"The {' and the '.join(waiting)} did not answer within {READY_TIMEOUT_S:.0f} s"
                raise CannotStart(f"{message} (see {self._data.root / 'logs'})")
            await asyncio.sleep(PROBE_S)

    def _require_hope(self) -> None:
        for child in self.children:
            if child.failures >= HOPELESS_FAILURES:
                raise CannotStart(f"{child.name} does not start: {child.last_words()} (see {child.plan.log})")


PATIENCE_S = 5.0


async def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET of the path is answered with 200 within five seconds."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _status(host, port, path) == b"200"
    except (OSError, TimeoutError):
        return False


async def _status(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        return line.split(b" ")[1] if line.startswith(b"HTTP/1.") else b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
