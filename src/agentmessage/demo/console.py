"""How the demo is shown: a spinner and colors on a terminal, one plain line for each step in a pipe."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from agentmessage.demo.client import Exchange

INDENT = " " * 12


class Screen:
    """Prints steps as they are done, each with the seconds since the screen was made."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self.steps = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._began

    def step(self, title: str) -> "Step":
        """One step; use it as a context. It is printed when the context ends well."""
        return Step(self, self._console, title)

    def line(self, text: str) -> None:
        """A line that is no step."""
        self._console.print(Text(text), soft_wrap=True)

    def print_step(self, title: str, said: str, exchange: str, took_s: float) -> None:
        """One finished step: a mark, what came of it, and below (in a pipe: behind) it the exchange."""
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

    def print_failure(self, what: str, way_out: str) -> None:
        """Why the story ended early, and what to do."""
        mark = Text(f"{self.elapsed_s:7.2f} s ", "dim")
        self._console.print(Text.assemble(mark, (" ✗  ", "bold red"), (what, "red")), soft_wrap=True)
        self._console.print(Text(f"{INDENT}{way_out}"), soft_wrap=True)


class Step:
    """A step under way: `says` what came of it and `shows` the exchange that did it; `waits` tells how it stands."""

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
        """What came of it."""
        self._said = text

    def shows(self, exchange: Exchange) -> None:
        """The exchange that did it."""
        self._exchange = exchange.in_short()

    def waits(self, text: str) -> None:
        """How it stands while it lasts; only a terminal shows it."""
        if self._status is not None:
            self._status.update(Text(f" {self._title}: {text}"))
