"""The command line as people and programs run it, and what it said, with all that differs each time evened out."""

import contextlib
import io
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from msgspec import Struct

from agentmessage.cli import main
from tests.proofs.running import clean_environment

SNAPSHOTS = Path(__file__).parent / "snapshots"
REWRITES = os.environ.get("AGENTMESSAGE_SNAPSHOTS") == "write"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2}Z|T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)")
RANDOM = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
REGISTRY = re.compile(r"\b[BC][0-9A-F]{6}\b")
KEY = re.compile(r"\bam_(live|test)_\w+")
SECRET = re.compile(r"[A-Za-z0-9+/]{43}=")


class Ended(Struct, frozen=True):
    """How a command ended: its status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a program reads."""
        assert self.status == 0, self
        return msgspec.json.decode(self.out)


class Terminal:
    """A shell with an environment of its own; commands run in this process, as `agentmessage` would run them."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = clean_environment(XDG_CONFIG_HOME=str(home), **environment)
        self.transcript: list[str] = []

    def __call__(self, *words: str, stdin: str = "") -> Ended:
        """Run a command in this process."""
        out, err = _Stream(), _Stream()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "argv", ["agentmessage", *words]),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = _status()
        ended = Ended(status, out.text(), err.text())
        self.transcript.append(_written(words, ended))
        return ended

    def process(self, *words: str, stdin: str = "", **environment: str) -> Ended:
        """Run a command as a process of its own."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "agentmessage", *words],
            env={**self.environment, **environment},
            input=stdin.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextlib.contextmanager
    def following(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """A command that goes on until it is stopped, as a process of its own."""
        with subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "agentmessage", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            preexec_fn=_heeding_ctrl_c,  # noqa: PLW1509 - one call, and no thread holds what it needs
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def require_snapshot(self, name: str, replacing: Mapping[str, str]) -> None:
        """Hold everything that was said so far to what was agreed upon; AGENTMESSAGE_SNAPSHOTS=write agrees."""
        file = SNAPSHOTS / f"{name}.txt"
        said = evened("\n".join(self.transcript), replacing)
        if REWRITES:
            file.parent.mkdir(exist_ok=True)
            file.write_text(said)
        assert said == file.read_text()


def _heeding_ctrl_c() -> None:
    """As in a terminal, also where the tests run in the background and have inherited that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class _Stream(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]


def _status() -> int:
    try:
        main.run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _written(words: tuple[str, ...], ended: Ended) -> str:
    told = f"$ agentmessage {shlex.join(words)}\n{ended.out}"
    told += "".join(f"! {line}\n" for line in ended.err.splitlines())
    return told + (f"[{ended.status}]\n" if ended.status else "")


def evened(text: str, replacing: Mapping[str, str]) -> str:
    """The text with ids, times and the like replaced by others of the same length, equal ones by equal ones."""
    for found, word in replacing.items():
        text = text.replace(found, word)
    seen: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        number = seen.setdefault(match[0], f"{len(seen) + 1:012}")
        return f"00000000-0000-7000-8000-{number}"

    text = UUID.sub(name, text)
    text = MOMENT.sub(lambda match: "T" * len(match[0]), text)
    text = RANDOM.sub("R" * 26, text)
    text = REGISTRY.sub(lambda match: match[0][0] + "XXXXXX", text)
    text = SECRET.sub("S" * 43 + "=", text)
    text = KEY.sub(lambda match: f"am_{match[1]}_" + "x" * (len(match[0]) - 8), text)
    return re.sub(r" +$", "", text, flags=re.MULTILINE)
