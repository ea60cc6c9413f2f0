"""Where what a test writes may lie: in memory where the machine has enough, since nothing of it is to be kept."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux' own file system in memory
ROOM_BYTES = 4 * 1024**3
"""What must be free for a directory to be made there; a run with two workers fills less than one gibibyte."""
FORSAKEN_AFTER_S = 600


@contextlib.contextmanager
def directory(prefix: str) -> Iterator[Path]:
    """A directory for one Postgres and its like, removed afterwards.

    Making a database creates some thousand files, which costs a disk more than everything else in a test.
    """
    _sweep(prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place()) as made:
        yield Path(made)


def place() -> str | None:
    """The directory to make others in; None for the usual one."""
    with contextlib.suppress(OSError):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= ROOM_BYTES and os.access(MEMORY, os.W_OK | os.X_OK):
            return str(MEMORY)
    return None


def _sweep(prefix: str) -> None:
    """Remove what killed runs left in memory: directories of some age whose Postgres holds no lock."""
    for left in MEMORY.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), (left / "lock").open("r") as lock:
            if time.time() - left.stat().st_mtime > FORSAKEN_AFTER_S:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
