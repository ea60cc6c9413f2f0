"""Processor time of processes: on a machine that others use too, it says more than the clock on the wall."""

import os
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def spent_s(*pids: int) -> float:
    """Seconds of processor time, user and system, that the processes and all below them have taken."""
    children = _children()
    wanted, total = list(pids), 0.0
    while wanted:
        pid = wanted.pop()
        wanted += children.get(pid, [])
        total += _own_s(pid)
    return total


def resident_mib(*pids: int) -> float:
    """Resident memory of the processes and all below them; what they share counts for each."""
    children = _children()
    wanted, pages = list(pids), 0
    while wanted:
        pid = wanted.pop()
        wanted += children.get(pid, [])
        pages += int((_read(pid, "statm").split() or ["0", "0"])[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _own_s(pid: int) -> float:
    """A process's own time and that of its children that have ended."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * TICK_S


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _read(int(entry.name), "stat").rpartition(")")[2].split()):
            found.setdefault(int(fields[1]), []).append(int(entry.name))
    return found


def _read(pid: int, name: str) -> str:
    """A file about a process; of one that has ended, nothing."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""
