"""Under which account Postgres runs, and how a program is started under it.

Postgres refuses to run as root (its documentation, "Creating a Database Cluster"), so root gives the job away.
"""

import os
import pwd
import signal
import sys
from pathlib import Path

import msgspec

from agentmessage.embedded.errors import EmbeddedPostgresError

LAUNCHER = Path(__file__).with_name("launch.py")
PREFERRED_NAMES = ("postgres", "nobody")


class Account(msgspec.Struct, frozen=True):
    """A numeric user and group; both -1 when the present one is kept."""

    uid: int
    gid: int

    @property
    def is_dropped(self) -> bool:
        """Whether starting a program means giving up the present account."""
        return self.uid >= 0

    def own(self, target: Path | int) -> None:
        """Hand a path or an open file to this account; raises EmbeddedPostgresError when the system forbids it."""
        if not self.is_dropped:
            return
        try:
            os.chown(target, self.uid, self.gid)
        except OSError as error:
            message = (
                f"Cannot give {target} to uid {self.uid} ({error.strerror}); set DATABASE_URL to use another Postgres"
            )
            raise EmbeddedPostgresError(message) from error

    def command(self, *arguments: str, death_signal: signal.Signals) -> list[str]:
        """A command line that runs the arguments under this account and passes on the death of the calling process."""
        identity = (str(self.uid), str(self.gid), str(int(death_signal)), str(os.getpid()))
        return [sys.executable, "-I", "-S", str(LAUNCHER), *identity, *arguments]


UNCHANGED = Account(uid=-1, gid=-1)


def account_for(cluster: Path) -> Account:
    """The account for this cluster: its owner if it exists; raises EmbeddedPostgresError where that is barred to us."""
    owner = cluster.stat() if cluster.exists() else None
    me = os.geteuid()
    if me != 0:
        if owner is not None and owner.st_uid != me:
            message = f"{cluster} belongs to uid {owner.st_uid}, not to you (uid {me}); choose another --data-dir"
            raise EmbeddedPostgresError(message)
        return UNCHANGED
    if owner is not None and owner.st_uid != 0:
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    return _unprivileged()


def _unprivileged() -> Account:
    for name in PREFERRED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    message = "Postgres refuses to run as root and there is no user postgres or nobody; start as an ordinary user"
    raise EmbeddedPostgresError(message)
