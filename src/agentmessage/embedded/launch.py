"""Replaces itself with another program that gives up root and does not outlive whoever started it.

Run as a script, on the bare interpreter: ``launch.py UID GID SIGNAL PARENT COMMAND...``. UID and GID of -1 mean "stay
who you are". SIGNAL is what the kernel sends to the program when its parent dies (Linux only, prctl(2)
PR_SET_PDEATHSIG). A script rather than ``preexec_fn``: code between fork and exec is not safe beside threads, and the
signal must be armed after the uid is dropped, which clears it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""

EXIT_NOT_EXECUTABLE = 126
"""The exit status of a shell that may not execute what it found."""


def main(arguments: list[str]) -> int:
    """Become the command; returns (126) only when the operating system refuses it."""
    uid, gid, signal_number, parent = (int(argument) for argument in arguments[:4])
    command = arguments[4:]
    try:
        if uid >= 0:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        die_with(parent, signal_number)
        os.execv(command[0], command)  # noqa: S606 - replacing this process is the purpose, and no shell is wanted
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return EXIT_NOT_EXECUTABLE


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for the signal on the parent's death; exits at once when the parent is gone already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(EXIT_NOT_EXECUTABLE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
