"""`agentmessage up`, for real: ready, healed, stopped, and started again with the same keys."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# ruff: noqa: S310, S603 - addresses and commands are our own

pytestmark = pytest.mark.processes

READY_KEYS = {
    "base_url",
    "org_id",
    "api_key",
    "platform_api_key",
    "sandbox_api_key",
    "sandbox_number",
    "second_org_id",
    "second_org_api_key",
    "simulator_url",
    "simulator_smpp_port",
    "database_url",
    "pid",
}


class Up:
    """One data directory and the `agentmessage up` that runs on it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.ready_file = data_dir.parent / "ready.json"
        self.process: subprocess.Popen[str] | None = None
        self.exported: dict[str, str] = {}

    def start(self, *options: str) -> dict[str, Any]:
        self.launch(*options)
        until(lambda: self.ready() is not None or self.ended(), seconds=60)
        ready = self.ready()
        assert ready is not None, self.errors()
        return ready

    def ready(self) -> dict[str, Any] | None:
        """What the ready file says of this very process; a killed one may have left its own behind."""
        assert self.process is not None
        with contextlib.suppress(FileNotFoundError):
            ready = json.loads(self.ready_file.read_bytes())
            return ready if ready["pid"] == self.process.pid else None
        return None

    def launch(self, *options: str) -> None:
        command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(self.data_dir), "--port", "0"]
        command += ["--ready-file", str(self.ready_file), "--profile", "instant", *options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTMESSAGE_")}
        environment |= self.exported
        with (self.data_dir.parent / "out").open("w") as out, (self.data_dir.parent / "err").open("w") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, text=True, env=environment)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def output(self) -> str:
        return (self.data_dir.parent / "out").read_text()

    def errors(self) -> str:
        return (self.data_dir.parent / "err").read_text()

    def processes(self) -> dict[str, int]:
        return json.loads((self.data_dir / "processes.json").read_bytes())

    def all_processes(self) -> list[int]:
        return [pid for pid in self.processes().values() if is_alive(pid)]


@pytest.fixture
def directory() -> Iterator[Path]:
    """Private, like root's home: as root, Postgres runs under an account that cannot enter it."""
    path = Path(tempfile.mkdtemp())
    yield path / "data"
    shutil.rmtree(path)


@pytest.fixture
def platform(directory: Path) -> Iterator[Up]:
    up = Up(directory)
    yield up
    if not up.ended() and up.process is not None:
        up.process.kill()
        up.process.wait()
    with contextlib.suppress(FileNotFoundError):
        until(lambda: up.all_processes() == [], seconds=30)


def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def get(url: str, key: str = "") -> tuple[int, Any]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
    except OSError:
        return 0, None


def test_the_first_message_needs_one_call(platform: Up) -> None:
    """From the sandbox's number, which the ready file names, to the handset that has agreed."""
    ready = platform.start()
    order = {"from": ready["sandbox_number"], "to": "+13235550141", "text": "Hello"}
    request = urllib.request.Request(
        f"{ready['base_url']}/v1/messages",
        data=json.dumps(order).encode(),
        headers={"Authorization": f"Bearer {ready['sandbox_api_key']}", "Content-Type": "application/json"},
    )

    with urllib.request.urlopen(request, timeout=10) as response:
        status, message = response.status, json.loads(response.read())["data"]

    assert status == 202
    path = f"{ready['base_url']}/v1/messages/{message['id']}"
    until(lambda: get(path, ready["sandbox_api_key"])[1]["data"]["status"] == "delivered")
    assert ready["sandbox_number"] in platform.output()


def test_the_ready_file_tells_where_everything_is_and_every_key_works(platform: Up) -> None:
    ready = platform.start()

    assert set(ready) == READY_KEYS
    assert platform.ready_file.stat().st_mode & 0o777 == 0o600
    in_data_dir = platform.data_dir / "ready.json"
    assert (json.loads(in_data_dir.read_bytes()), in_data_dir.stat().st_mode & 0o777) == (ready, 0o600)
    for key in ("api_key", "sandbox_api_key", "second_org_api_key", "platform_api_key"):
        assert get(f"{ready['base_url']}/v1/organization", ready[key])[0] == 200
    assert ready["org_id"] != ready["second_org_id"]
    assert get(f"{ready['base_url']}/readyz")[0] == 200
    assert "bindings" in get(f"{ready['simulator_url']}/_control/oracle")[1]
    for shown in (ready["base_url"], ready["api_key"], ready["sandbox_api_key"], "every carrier is the simulator"):
        assert shown in platform.output()
    assert platform.output().count("curl ") == 5


def test_the_banner_says_how_to_get_the_command_and_both_of_its_lines_work(platform: Up) -> None:
    """As a newcomer would paste them, in a terminal that knows nothing of the environment."""
    platform.exported = {"PATH": "/usr/bin:/bin"}
    ready = platform.start()
    (activate,) = re.findall(r"after `(source .*activate)`:", platform.output())
    (login,) = re.findall(r"^    (agentmessage login --base-url \S+) ", platform.output(), re.MULTILINE)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(platform.data_dir.parent)}
    environment |= {"KEY": ready["api_key"], "XDG_CONFIG_HOME": str(platform.data_dir.parent)}

    ended = subprocess.run(
        [
            "/bin/bash",
            "-c",
            f'{activate} && echo "$KEY" | {login} && agentmessage whoami --json && agentmessage demo --help',
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ready["org_id"] in ended.stdout


def test_a_shell_that_is_logged_in_can_start_it(platform: Up) -> None:
    """The guide of the command line says to export the key."""
    platform.exported = {"AGENTMESSAGE_API_KEY": "am_live_x", "AGENTMESSAGE_BASE_URL": "http://127.0.0.1:8080"}

    assert set(platform.start()) == READY_KEYS


def test_sigterm_stops_everything_with_status_0_and_a_restart_keeps_keys_and_addresses(platform: Up) -> None:
    first = platform.start("--api-workers", "2")
    before = platform.all_processes()
    assert len(before) == 5, platform.errors()

    assert platform.stop() == 0

    assert [pid for pid in before if is_alive(pid)] == []
    assert not platform.ready_file.exists()
    assert not (platform.data_dir / "ready.json").exists()
    second = platform.start()
    kept = READY_KEYS - {"pid", "base_url"}
    assert {name: first[name] for name in kept} == {name: second[name] for name in kept}
    assert get(f"{second['base_url']}/v1/organization", second["api_key"])[0] == 200
    assert platform.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("name", ["api-1", "worker", "simulator", "postgres"])
def test_a_killed_process_is_back_within_seconds(platform: Up, name: str) -> None:
    ready = platform.start()
    victim = platform.processes()[name]

    os.kill(victim, signal.SIGKILL)

    def healed() -> bool:
        now = platform.processes()
        return (
            now.get(name, victim) != victim
            and get(f"{ready['base_url']}/v1/organization", ready["api_key"])[0] == 200
            and get(f"{ready['base_url']}/readyz")[0] == 200
            and get(f"{ready['simulator_url']}/_control/oracle")[0] == 200
        )

    until(healed, seconds=10)
    assert "was killed by SIGKILL; starting it again" in platform.errors()
    assert platform.stop() == 0


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_heals(platform: Up) -> None:
    first = platform.start()
    before = platform.all_processes()

    platform.stop(signal.SIGKILL)

    until(lambda: not any(is_alive(pid) for pid in before))
    second = platform.start()
    assert second["api_key"] == first["api_key"]
    assert get(f"{second['base_url']}/v1/organization", second["api_key"])[0] == 200
    assert platform.stop() == 0


def test_a_signal_during_the_start_stops_it_cleanly(platform: Up) -> None:
    platform.launch()
    until((platform.data_dir / "processes.json").exists)

    assert platform.stop() == 0

    assert platform.all_processes() == []
    assert not platform.ready_file.exists()


def test_a_taken_port_is_one_clear_sentence_and_nothing_is_made(platform: Up) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        platform.launch("--port", str(port))
        until(platform.ended)

    assert platform.process is not None
    assert platform.process.returncode == 1
    assert platform.errors() == (
        f"agentmessage: Cannot listen on 127.0.0.1:{port} (Address already in use);"
        " stop whoever does, or choose another --port\n"
    )
    assert not platform.data_dir.exists()


def test_a_second_start_on_the_same_directory_is_refused_and_the_first_one_goes_on(platform: Up) -> None:
    ready = platform.start()
    second = Up(platform.data_dir)
    before = platform.processes()

    second.launch()
    until(second.ended)

    assert second.process is not None
    assert second.process.returncode == 1
    assert f"is in use by process {ready['pid']}" in second.errors()
    assert platform.ready_file.exists()
    assert platform.processes() == before
    assert get(f"{ready['base_url']}/v1/organization", ready["api_key"])[0] == 200
    assert platform.stop() == 0


def test_a_bad_setting_is_one_clear_sentence_and_status_2(platform: Up) -> None:
    command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(platform.data_dir)]
    environment = {**os.environ, "AGENTMESSAGE_PORT": "many"}

    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)

    assert result.returncode == 2
    assert result.stderr == "agentmessage: AGENTMESSAGE_PORT is 'many', but must be a whole number.\n"


def test_without_the_simulator_none_is_started(platform: Up) -> None:
    platform.start("--no-simulator")

    assert "simulator" not in platform.processes()
    assert platform.stop() == 0


def resident_mb(pid: int) -> float:
    lines = Path("/proc", str(pid), "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def test_idle_api_worker_and_simulator_need_less_than_250_mb_together(platform: Up) -> None:
    """Counted by resident size, so pages that the three share count three times."""
    platform.start()

    used = {name: resident_mb(pid) for name, pid in platform.processes().items() if name != "postgres"}

    assert sum(used.values()) < 250, used
    assert platform.stop() == 0
