"""Output of the demo: a spinner and colors at a terminal, one plain line for each step in a pipe."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from agentmessage.demo.client import Exchange

INDENT = " " * 12


class Screen:
    """Prints finished steps, each with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self.steps = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def step(self, title: str) -> "Step":
        """One step, as a context; printed if the context ends without an error."""
        return Step(self, self._console, title)

    def line(self, text: str) -> None:
        """Print a line outside of steps."""
        self._console.print(Text(text), soft_wrap=True)

    def print_step(self, title: str, said: str, exchange: str, took_s: float) -> None:
        """Print a finished step: a mark, its result, and the request on the next line (in a pipe: on the same line)."""
        self.steps += 1
        if not self._console.is_terminal:
            behind = f"  [{exchange}]" if exchange else ""
            self._console.print(Text(f"{self.elapsed_s:7.2f} s  ok  {title}: {said}{behind}"), soft_wrap=True)
            return
        head = Text.assemble((f"{self.elapsed_s:7.2f} s ", "dim"), (" ✓ ", "bold green"), (f"{title}  ", "bold"), said)
        if took_s >= 1:
            head.append(f"  (took {took_s:.1f} s)", "dim")
        self._console.print(head)
        if exchange:
            self._console.print(Text(f"{INDENT}{exchange}", "cyan dim"))

    def print_failure(self, what: str, fix: str) -> None:
        """Print why the scenario ended early, and what to do."""
        mark = Text(f"{self.elapsed_s:7.2f} s ", "dim")
        self._console.print(Text.assemble(mark, (" ✗  ", "bold red"), (what, "red")), soft_wrap=True)
        self._console.print(Text(f"{INDENT}{fix}"), soft_wrap=True)


class Step:
    """A step in progress: `says` its result, `shows` its request, `waits` with its current state."""

    def __init__(self, screen: Screen, console: Console, title: str) -> None:
        self._screen = screen
        self._title = title
        self._said = ""
        self._exchange = ""
        self._began = time.monotonic()
        has_spinner = console.is_terminal and not console.record  # a record would keep every frame
        self._status: Status | None = console.status(Text(f" {title}…")) if has_spinner else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
        if kind is None:
            self._screen.print_step(self._title, self._said, self._exchange, time.monotonic() - self._began)

    def says(self, text: str) -> None:
        """Set the result."""
        self._said = text

    def shows(self, exchange: Exchange) -> None:
        """Set the request to show."""
        self._exchange = exchange.in_short()

    def waits(self, text: str) -> None:
        """Show the current state; only at a terminal."""
        if self._status is not None:
            self._status.update(Text(f" {self._title}: {text}"))
