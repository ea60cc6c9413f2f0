"""The parts one by one, as in production: against DATABASE_URL, any number side by side."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentmessage.embedded import EmbeddedPostgres
from tests.conftest import ENCRYPTION_KEY

# ruff: noqa: S310, S603 - addresses and commands are our own

pytestmark = pytest.mark.processes

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[bytes]]


def environment(**changes: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AGENTMESSAGE_")}
    clean.pop("DATABASE_URL", None)
    return {**clean, **changes}


def run(*words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agentmessage", *words]
    return subprocess.run(command, env=environment(**changes), capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str, **changes: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "agentmessage", *words]
        process = subprocess.Popen(command, env=environment(**changes), stdout=subprocess.DEVNULL)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(url: str) -> int:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
        return int(response.status)
    return 0


def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


@pytest.mark.parametrize("command", ["serve", "work", "migrate"])
def test_a_part_without_a_database_says_so_in_one_sentence(command: str) -> None:
    result = run(command)

    assert result.returncode == 1
    assert result.stderr.startswith("agentmessage: DATABASE_URL is not set; ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_part_that_handles_secrets_asks_for_the_encryption_key(command: str) -> None:
    result = run(command, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    assert result.returncode == 1
    assert result.stderr.startswith("agentmessage: AGENTMESSAGE_ENCRYPTION_KEY is not set; ")


async def test_migrating_twice_does_the_work_once(postgres: EmbeddedPostgres) -> None:
    url = await postgres.create_database("migrated_by_command", template="template1")

    first, second = run("migrate", DATABASE_URL=url), run("migrate", DATABASE_URL=url)
    third = run("migrate", "--cell", "cell_01", DATABASE_URL=url)
    await postgres.drop_database("migrated_by_command")

    assert "applied directory/0001_baseline" in first.stdout
    assert "applied cell_00/0001_baseline" in first.stdout
    assert second.stdout == "The database is current.\n"
    assert "applied cell_01/0001_baseline" in third.stdout
    assert "cell_00" not in third.stdout


def test_two_api_processes_and_two_workers_share_a_database_and_stop_with_status_0(dsn: str, start: Start) -> None:
    settings = {"DATABASE_URL": dsn, "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY}
    ports = [free_port(), free_port()]
    parts = [start("serve", "--port", str(port), **settings) for port in ports]
    parts += [start("work", **settings), start("work", **settings)]

    until(lambda: all(status(f"http://127.0.0.1:{port}/readyz") == 200 for port in ports))
    for part in parts:
        part.send_signal(signal.SIGTERM)

    assert [part.wait(20) for part in parts] == [0, 0, 0, 0]


def test_an_address_in_use_is_one_sentence(dsn: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        result = run("serve", "--port", port, DATABASE_URL=dsn, AGENTMESSAGE_ENCRYPTION_KEY=ENCRYPTION_KEY)

    assert result.returncode == 1
    assert result.stderr.startswith(f"agentmessage: Cannot listen on 127.0.0.1:{port} (Address already in use)")


def test_the_simulator_runs_alone(tmp_path: Path, start: Start) -> None:
    port = free_port()
    start(
        "simulate",
        "--port",
        str(port),
        "--smpp-port",
        "0",
        "--data-dir",
        str(tmp_path),
        "--profile",
        "instant",
        "--seed",
        "7",
    )

    until(lambda: status(f"http://127.0.0.1:{port}/_control/oracle") == 200)

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_control/profile", timeout=5) as response:
        assert json.loads(response.read())["profile"]["name"] == "instant"


def test_help_is_quick_because_nothing_is_imported_before_it_is_needed() -> None:
    """Counted in modules, since seconds depend on the machine."""
    script = "import sys; import agentmessage.cli.main; print(*sys.modules, sep='\\n')"

    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    ).stdout.split()

    assert {"asyncpg", "aiohttp", "uvicorn", "uvloop", "structlog"}.isdisjoint(loaded)
    assert not any(name.startswith("agentmessage.app") for name in loaded)
