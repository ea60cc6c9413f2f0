"""A kept process comes back when it dies, ends when it is told to, and never outlives its keeper."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agentmessage.standalone.child import LAST_DELAY_S, Child, ChildPlan, ending, restart_delay_s

# ruff: noqa: ASYNC110, ASYNC220, S603 - these tests wait for processes and have nothing else to do meanwhile

pytestmark = pytest.mark.processes

OBEDIENT = "import time; print('hello', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('hello', flush=True); time.sleep(600)"
)
ILL = "print('I am ill', flush=True); raise SystemExit(3)"


class Kept:
    """A child running a line of Python, and what was announced about it."""

    def __init__(self, tmp_path: Path, code: str, *, grace_s: float = 5.0) -> None:
        self.announced: list[str] = []
        self.log = tmp_path / "child.log"
        plan = ChildPlan(
            name="child",
            command=[sys.executable, "-c", code],
            environment=dict(os.environ),
            log=self.log,
            grace_s=grace_s,
        )
        self.child = Child(plan, self.announced.append, on_start=lambda: None)

    async def said(self, text: str, *, times: int = 1) -> None:
        await until(lambda: self.log.exists() and self.log.read_text().count(text) >= times)


@pytest.fixture
async def keep(tmp_path: Path) -> AsyncIterator[Callable[..., Kept]]:
    everything: list[Kept] = []

    def start(code: str, *, grace_s: float = 5.0) -> Kept:
        kept = Kept(tmp_path, code, grace_s=grace_s)
        kept.child.start()
        everything.append(kept)
        return kept

    yield start
    await asyncio.gather(*(kept.child.stop() for kept in everything))


async def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_a_killed_child_comes_back_and_it_is_said_loudly(keep: Callable[..., Kept]) -> None:
    kept = keep(OBEDIENT)
    await kept.said("hello")
    first = kept.child.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    await kept.said("hello", times=2)

    assert kept.child.pid not in (None, first)
    assert f"child (process {first}) was killed by SIGKILL; starting it again" in kept.announced[0]


async def test_a_child_that_ends_by_itself_is_started_again_ever_more_slowly(keep: Callable[..., Kept]) -> None:
    kept = keep(ILL)

    await kept.said("I am ill", times=4)

    assert kept.child.failures >= 3
    assert kept.child.last_words() == "I am ill"
    assert [line.split(" in ")[1].split(" (")[0] for line in kept.announced[:3]] == ["0.1 s", "0.2 s", "0.4 s"]


async def test_a_stopped_child_stays_stopped(keep: Callable[..., Kept]) -> None:
    kept = keep(OBEDIENT)
    await kept.said("hello")
    pid = kept.child.pid
    assert pid is not None

    await kept.child.stop()

    assert not is_alive(pid)
    assert kept.child.pid is None
    assert kept.announced == []


async def test_a_child_that_does_not_listen_is_killed_when_its_grace_is_over(keep: Callable[..., Kept]) -> None:
    kept = keep(STUBBORN, grace_s=0.3)
    await kept.said("hello")
    pid = kept.child.pid
    assert pid is not None

    await kept.child.stop()

    assert not is_alive(pid)
    assert kept.announced == ["child did not end within 0.3 s and is killed."]


async def test_stopping_in_the_middle_of_a_crash_loop_ends_it(keep: Callable[..., Kept]) -> None:
    kept = keep(ILL)
    await kept.said("I am ill", times=2)

    await kept.child.stop()
    deaths = kept.log.read_text().count("I am ill")
    await asyncio.sleep(restart_delay_s(kept.child.failures) * 2)

    assert kept.log.read_text().count("I am ill") == deaths


KEEPER = """
import asyncio, os, sys
from pathlib import Path
from agentmessage.standalone.child import Child, ChildPlan
async def main():
    plan = ChildPlan(name="child", command=[sys.executable, "-c", sys.argv[2]], environment=dict(os.environ),
                     log=Path(sys.argv[1]))
    child = Child(plan, print, on_start=lambda: None)
    child.start()
    while child.pid is None:
        await asyncio.sleep(0.01)
    print(child.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_a_child_does_not_outlive_a_killed_keeper(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    command = [sys.executable, "-c", KEEPER, str(log), OBEDIENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        pid = int(keeper.stdout.readline())
        await until(lambda: log.exists() and "hello" in log.read_text())

        keeper.kill()

    await until(lambda: not is_alive(pid))


def test_the_delay_doubles_and_stops_growing() -> None:
    assert [restart_delay_s(failures) for failures in (1, 2, 3, 4)] == [0.1, 0.2, 0.4, 0.8]
    assert restart_delay_s(1000) == LAST_DELAY_S


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "ended with status 0"), (3, "ended with status 3"), (-9, "was killed by SIGKILL"), (-60, "by signal 60")],
)
def test_an_ending_is_put_into_words(status: int, words: str) -> None:
    assert words in ending(status)
