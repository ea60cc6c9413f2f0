"""A cluster on disk: made once, checked at every start, freed from what an earlier run left behind.

A cluster often lies below a directory that the account running Postgres cannot traverse (root's home, ``mkdtemp``).
Then it is named by an inherited file descriptor, ``/proc/self/fd/N``: such a link leads to the directory itself, and
the directories above it are neither asked nor changed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from agentmessage.embedded.account import Account
from agentmessage.embedded.binaries import Binaries
from agentmessage.embedded.errors import EmbeddedPostgresError

SUPERUSER = "agentmessage"
DRAFT_PREFIX = "cluster.draft-"
BUILTIN_LOCALES = 17
"""The first version of Postgres that brings locales of its own."""

FAST_STOP_S = 10.0
IMMEDIATE_STOP_S = 5.0
POLL_S = 0.02


@contextlib.contextmanager
def reachable(path: Path, account: Account) -> Generator[tuple[str, tuple[int, ...]]]:
    """A name for the path that a child under the account can open, and the descriptors that the child must inherit."""
    if not account.is_dropped:
        yield str(path), ()
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def initialize(cluster: Path, *, password: str, account: Account, binaries: Binaries, is_durable: bool) -> None:
    """Make a UTF-8 cluster with one superuser, whole or not at all; raises EmbeddedPostgresError if initdb refuses."""
    for leftover in cluster.parent.glob(f"{DRAFT_PREFIX}*"):
        shutil.rmtree(leftover)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT_PREFIX, dir=cluster.parent))
    account.own(draft)
    with tempfile.NamedTemporaryFile() as secret:
        secret.write(f"{password}\n".encode())
        secret.flush()
        account.own(secret.fileno())
        with reachable(draft, account) as (target, held), reachable(Path(secret.name), account) as (words, also_held):
            arguments = [
                f"--pgdata={target}",
                f"--pwfile={words}",
                f"--username={SUPERUSER}",
                *_form(binaries.major_version, is_durable=is_durable),
            ]
            command = account.command(binaries.program("initdb"), *arguments, death_signal=signal.SIGKILL)
            result = subprocess.run(  # noqa: S603 - our own launcher and the wheel's initdb
                command, capture_output=True, text=True, check=False, cwd="/", pass_fds=held + also_held
            )
    if result.returncode != 0:
        shutil.rmtree(draft)
        message = f"initdb failed: {_last_line(result.stderr)}"
        raise EmbeddedPostgresError(message)
    draft.rename(cluster)


def _form(major_version: int, *, is_durable: bool) -> list[str]:
    form = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    if major_version >= BUILTIN_LOCALES:
        form += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return form if is_durable else [*form, "--no-sync"]


def require_version(cluster: Path, binaries: Binaries) -> None:
    """Refuse a cluster that another major version of Postgres wrote (its PG_VERSION file)."""
    found = (cluster / "PG_VERSION").read_text().strip()
    if found != str(binaries.major_version):
        message = (
            f"{cluster} was written by Postgres {found} and this is Postgres {binaries.major_version};"
            " dump it with the old version and load it into a new --data-dir"
        )
        raise EmbeddedPostgresError(message)


def stop_leftover(cluster: Path) -> None:
    """End every Postgres process that outlived its owner; the caller holds the cluster's lock.

    A postmaster's children are ended too before its pid file may go: the file is how Postgres knows that they still
    write, and a second postmaster beside them would ruin the cluster.
    """
    note = cluster / "postmaster.pid"
    pid = _noted(note)
    if pid is not None and _is_at_work_in(pid, cluster):
        _stop(pid, cluster)
    for child in _processes_in(cluster):
        _await_end(child, cluster, patience_s=IMMEDIATE_STOP_S)
    left = [child for child in _processes_in(cluster) if not _ends_by(signal.SIGKILL, child, cluster, patience_s=1.0)]
    if left:
        message = f"An earlier Postgres (process {left[0]}) still holds {cluster} and cannot be stopped"
        raise EmbeddedPostgresError(message)
    if pid is not None and Path("/proc", str(pid)).exists():
        # A process number is soon given to somebody else, and Postgres would refuse to start beside a stranger.
        note.unlink(missing_ok=True)


def _noted(note: Path) -> int | None:
    try:
        return int(note.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _stop(pid: int, cluster: Path) -> None:
    for order, patience_s in ((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, IMMEDIATE_STOP_S)):
        if _ends_by(order, pid, cluster, patience_s=patience_s):
            return


def _ends_by(order: signal.Signals, pid: int, cluster: Path, *, patience_s: float) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, order)
    return _await_end(pid, cluster, patience_s=patience_s)


def _await_end(pid: int, cluster: Path, *, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while _is_at_work_in(pid, cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _processes_in(cluster: Path) -> list[int]:
    processes = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [pid for pid in processes if _is_at_work_in(pid, cluster)]


def _is_at_work_in(pid: int, cluster: Path) -> bool:
    """Whether the process is a Postgres at work in this very directory; every Postgres process works there."""
    process = Path("/proc", str(pid))
    try:
        is_postgres = (process / "exe").readlink().name.removesuffix(" (deleted)") == "postgres"
        return is_postgres and (process / "cwd").samefile(cluster)
    except OSError:
        return False


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
