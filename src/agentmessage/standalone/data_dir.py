"""The files that `agentmessage up` keeps in its data directory, and the ready file it writes elsewhere.

    keys.json        the keys of the first start in plain text (the database holds only their hashes)
    encryption.key   encrypts tax ids and stored credentials; without it they cannot be read again
    ready.json       while everything answers: addresses and keys, as in the ready file
    processes.json   name and process id of every process that runs now
    simulator.port   where the simulator listens, so that it is the same after a restart
    smsc.port        where its SMSC listens
    postgres/        the cluster (see embedded)
    simulator/       what the simulated carrier remembers
    media/           uploaded files, unless a directory or a bucket is configured
    logs/            one log for each process

Everything here is readable by its owner only.
"""

import base64
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

ENCRYPTION_KEY_BYTES = 32


class DataDir:
    """One data directory of `agentmessage up`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def prepare(self) -> None:
        """Make the directory, closed to others, where there is none; an existing one keeps its mode."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("logs", "simulator", "media"):
            (self.root / name).mkdir(mode=0o700, exist_ok=True)

    @property
    def postgres(self) -> Path:
        """Where the embedded Postgres lives."""
        return self.root / "postgres"

    @property
    def simulator(self) -> Path:
        """Where the simulator keeps its world."""
        return self.root / "simulator"

    def log(self, name: str) -> Path:
        """The log of one process."""
        return self.root / "logs" / f"{name}.log"

    def encryption_key(self) -> str:
        """The key of this directory, base64 of 32 random bytes; made at the first call."""
        path = self.root / "encryption.key"
        former = self.root / "seal.key"
        if former.exists() and not path.exists():
            former.rename(path)
        if not path.exists():
            write_private(path, base64.b64encode(secrets.token_bytes(ENCRYPTION_KEY_BYTES)))
        return path.read_text().strip()

    def keys(self) -> dict[str, str] | None:
        """What the first start made; None before it."""
        path = self.root / "keys.json"
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else None

    def keep_keys(self, keys: Mapping[str, str]) -> None:
        """Keep what the first start made."""
        write_private(self.root / "keys.json", pretty_json(keys))

    @property
    def ready(self) -> Path:
        """What scripts and the quickstart read; it is there only while everything answers."""
        return self.root / "ready.json"

    @property
    def media(self) -> Path:
        """Where uploaded files lie."""
        return self.root / "media"

    def simulator_port(self) -> int | None:
        """Where the simulator listened last time."""
        path = self.root / "simulator.port"
        return int(path.read_text()) if path.exists() else None

    def keep_simulator_port(self, port: int) -> None:
        """Keep where the simulator listens."""
        write_private(self.root / "simulator.port", str(port).encode())

    def smsc_port(self) -> int | None:
        """Where the simulator's SMSC listened last time."""
        path = self.root / "smsc.port"
        return int(path.read_text()) if path.exists() else None

    def keep_smsc_port(self, port: int) -> None:
        """Keep where the simulator's SMSC listens."""
        write_private(self.root / "smsc.port", str(port).encode())

    def note_processes(self, processes: Mapping[str, int]) -> None:
        """Write down who runs now."""
        write_private(self.root / "processes.json", pretty_json(processes))


def pretty_json(value: object) -> bytes:
    """JSON for people: indented, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def write_private(path: Path, content: bytes) -> None:
    """Put the content under the name in one step, readable by the owner only; a reader never sees half of it."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600 by its contract
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
