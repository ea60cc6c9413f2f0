"""Keeps child processes alive: starts them, starts them again when they die, stops them when asked.

A child is a session of its own, so that Ctrl-C at the terminal reaches only the supervisor, and the kernel ends it when
the supervisor is killed (see embedded.launch). What it prints goes to its log file.
"""

import asyncio
import contextlib
import signal
import time
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from agentmessage.embedded.account import UNCHANGED
from agentmessage.kernel.backoff import backoff_s

STEADY_S = 10.0
"""A child that lived this long was healthy; its next death does not count as part of a crash loop."""

FIRST_DELAY_S = 0.1
LAST_DELAY_S = 5.0
LOG_LIMIT_BYTES = 16 * 1024 * 1024

Announce = Callable[[str], None]


class ChildPlan(Struct, frozen=True, kw_only=True):
    """How one child is run. `grace_s` is how long it may take to end after SIGTERM before it is killed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    descriptors: Sequence[int] = ()
    grace_s: float = 10.0


def restart_delay_s(failures: int) -> float:
    """How long to wait before the next start: a tenth of a second, doubled for every quick death, at most five."""
    return backoff_s(failures - 1, first_s=FIRST_DELAY_S, max_s=LAST_DELAY_S)


class Child:
    """One kept process. `failures` counts its quick deaths in a row; 0 while it is well."""

    def __init__(self, plan: ChildPlan, announce: Announce, *, on_start: Callable[[], None]) -> None:
        self.plan = plan
        self.failures = 0
        self._announce = announce
        self._on_start = on_start
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The child's name in messages and file names."""
        return self.plan.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        """Begin to keep the process alive."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self) -> None:
        """End the process: SIGTERM, and SIGKILL when its grace is over."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.plan.grace_s):
                await self._process.wait()
        except TimeoutError:
            self._announce(f"{self.name} did not end within {self.plan.grace_s:g} s and is killed.")
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        self._signal(signal.SIGKILL)

    def last_words(self) -> str:
        """The last line that the child wrote to its log."""
        lines = self.plan.log.read_text(errors="replace").splitlines() if self.plan.log.exists() else []
        return _said(lines[-1].strip()) if lines else "it said nothing"

    async def _keep(self) -> None:
        while True:
            started = time.monotonic()
            self._process = await self._spawn()
            self._on_start()
            status = await self._process.wait()
            self.failures = 1 if time.monotonic() - started > STEADY_S else self.failures + 1
            delay_s = restart_delay_s(self.failures)
            self._announce(
                f"{self.name} (process {self._process.pid}) {ending(status)};"
                f" starting it again in {delay_s:.1f} s (see {self.plan.log})."
            )
            await asyncio.sleep(delay_s)

    async def _spawn(self) -> Process:
        with open_log(self.plan.log) as log:
            return await create_subprocess_exec(
                *UNCHANGED.command(*self.plan.command, death_signal=signal.SIGTERM),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env=self.plan.environment,
                pass_fds=self.plan.descriptors,
                start_new_session=True,
            )

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def _said(line: str) -> str:
    """A line of a log for people: of one in JSON what happened, and the end of the error's trace."""
    try:
        found = msgspec.json.decode(line, type=dict[str, object])
    except msgspec.DecodeError:
        return line
    trace = str(found.get("exception", "")).strip().splitlines()
    return ": ".join([str(found.get("event", line)), *trace[-1:]])


def ending(status: int) -> str:
    """How a process ended, in words, from its exit status (negative: the number of the signal)."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}"


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending; a long one is put aside first, and only one such is kept."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
